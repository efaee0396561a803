/*
 * Apriori: level by level. Sets of size k are joined to candidates of size
 * k + 1; a candidate with a subset that is not frequent goes unseen; one pass
 * over the rows counts the others.
 *
 *   items -> pairs (triangle) -> join, prune -> count -> filter -> join, prune -> count -> filter ...
 *                                                          `-> rows are trimmed; sets are reported
 *
 * frequent    perfect items stand in the tree only once (apriori_tree.h); a level is reported when the next one is
 *             counted, for only then are they known
 * generators  candidates have generators below them only, which is pruning by the same rule
 * closed      the closures of the generators, each taken once; they are found while the next level is counted (Close)
 * maximal     of the closed sets, from the largest on, those that no other has in it
 *
 * All sets of a level stay in memory. Where frequent sets are long this is the slowest of the searches; it is here as
 * the one that everybody knows.
 * Source: Agrawal & Srikant, VLDB 1994; trimming: Park, Chen & Yu, SIGMOD 1995; generators and closures: Pasquier,
 * Bastide, Taouil & Lakhal, Information Systems 24(1), 1999.
 */
#include "patterns/apriori_count.h"
#include "patterns/apriori_tree.h"
#include "patterns/miner.h"
#include "patterns/subsume.h"

#include <stdlib.h>

typedef struct apriori {
  dm_ctx *ctx;
  const dm_itemdb *db;
  dm_itemset_kind kind;
  size_t max_size;
  dm_emit *e;
  apriori_tree tree;
  apriori_rows rows;
  apriori_closures above; /* of the level above */
  dm_subsume closed;      /* closed and maximal sets: what was found */
  bool *is_in;            /* [n_items] items of a closed set */
  uint32_t *set;          /* [n_items] */
} apriori;

static bool wants_closed(const apriori *a) { return a->kind == DM_CLOSED || a->kind == DM_MAXIMAL; }

/* ---- frequent sets and generators ---------------------------------------------------- */

/* Reports the nodes of level `depth` below one of level `at`, with the perfect items of the way. */
static void report_below(apriori *a, size_t at, size_t from, size_t to, size_t depth) {
  const apriori_level *level = &a->tree.levels[at];
  size_t perfect = a->e->n_perfect;
  for (size_t x = from; x < to && !a->e->stop; x++) {
    dm_emit_push(a->e, level->item[x]);
    for (size_t i = level->perfect_start ? level->perfect_start[x] : 0; level->perfect_start && i < level->perfect_start[x + 1]; i++)
      dm_emit_perfect(a->e, level->perfect[i]);
    if (at == depth)
      dm_emit_set(a->e, level->support[x]);
    else
      report_below(a, at + 1, level->first[x], level->first[x + 1], depth);
    dm_emit_unperfect(a->e, perfect);
    dm_emit_pop(a->e);
  }
}

static void report_level(apriori *a, size_t depth) { report_below(a, 1, 0, a->tree.levels[1].n, depth); }

/* ---- closed sets ----------------------------------------------------------------------- */

/* A closed set, unless another of its generators has led to it; closed ones are reported, the maximal among them at the end. */
static dm_status add_closed(apriori *a, size_t n, uint64_t support, dm_error *err) {
  uint64_t key = support;
  for (size_t i = 0; i < n; i++) {
    a->is_in[a->set[i]] = true;
    key += (a->set[i] + 1) * (UINT64_C(0x9E3779B97F4A7C15) + ((uint64_t)a->set[i] << 20));
  }
  bool is_known = dm_subsume_has_closed(&a->closed, a->is_in, n, support, key);
  for (size_t i = 0; i < n; i++) a->is_in[a->set[i]] = false;
  if (is_known) return DM_OK;
  if (a->kind == DM_CLOSED) {
    for (size_t i = 0; i < n; i++) dm_emit_push(a->e, a->set[i]);
    dm_emit_set(a->e, support);
    while (a->e->n) dm_emit_pop(a->e);
  }
  return dm_subsume_add(&a->closed, a->set, n, support, key, err);
}

typedef struct closing {
  apriori *a;
  const apriori_closures *closures;
  dm_status status;
  dm_error *err;
} closing;

static bool close_node(void *user, const uint32_t *path, size_t node) {
  closing *c = user;
  apriori *a = c->a;
  size_t n = 0, level = c->closures->level;
  for (size_t i = 0; i < level; i++) a->set[n++] = path[i];
  for (size_t i = 0; i < c->closures->n[node]; i++) a->set[n++] = c->closures->items[c->closures->start[node] + i];
  c->status = add_closed(a, n, a->tree.levels[level].support[node], c->err);
  return c->status == DM_OK && !a->e->stop;
}

/* The items of all rows are the closure of the empty set. */
static dm_status close_empty_set(apriori *a, dm_error *err) {
  size_t n = 0;
  while (n < a->db->n_items && a->db->support[n] == a->db->total) { /* supports fall */
    a->set[n] = (uint32_t)n;
    n++;
  }
  return n ? add_closed(a, n, a->db->total, err) : DM_OK;
}

/* ---- maximal sets ------------------------------------------------------------------------ */

/* A closed set and its size: the larger first, then as they were found. */
typedef struct sized {
  size_t size, set;
} sized;

static int compare_sizes(const void *a, const void *b) {
  const sized *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return x->set < y->set ? -1 : 1;
}

/* Is the closed set in one of the maximal sets found? They are looked through by its rarest item. */
static bool is_in_maximal(apriori *a, const dm_subsume *maximal, const uint32_t *items, size_t n) {
  uint64_t signature = 0;
  for (size_t i = 0; i < n; i++) {
    a->is_in[items[i]] = true;
    signature |= dm_subsume_bit(items[i]);
  }
  bool found = false;
  for (uint32_t at = 0, set; !found && dm_subsume_next(maximal, items[n - 1], &at, &set);)
    found = dm_subsume_holds(maximal, set, a->is_in, n, signature);
  for (size_t i = 0; i < n; i++) a->is_in[items[i]] = false;
  return found;
}

static dm_status report_maximal(apriori *a, dm_error *err) {
  const dm_subsume *closed = &a->closed;
  dm_subsume maximal;
  sized *order = NULL;
  dm_status s = dm_subsume_init(&maximal, a->ctx, a->db->n_items + 1, err);
  if (s == DM_OK && !(order = dm_alloc(a->ctx, closed->n + 1, sizeof *order, "apriori", err))) s = DM_EBUDGET;
  for (size_t i = 0; i < closed->n && s == DM_OK; i++) order[i] = (sized){closed->start[i + 1] - closed->start[i], i};
  if (s == DM_OK) qsort(order, closed->n, sizeof *order, compare_sizes);
  for (size_t i = 0; i < closed->n && s == DM_OK && !a->e->stop; i++) {
    size_t set = order[i].set, n = order[i].size;
    const uint32_t *items = closed->items + closed->start[set];
    if (i % 1024 == 0) s = dm_ctx_check(a->ctx, err);
    if (s != DM_OK || is_in_maximal(a, &maximal, items, n)) continue;
    for (size_t k = 0; k < n; k++) dm_emit_push(a->e, items[k]);
    dm_emit_set(a->e, closed->support[set]);
    while (a->e->n) dm_emit_pop(a->e);
    s = dm_subsume_add(&maximal, items, n, closed->support[set], 0, err);
  }
  dm_free(a->ctx, order);
  dm_subsume_clear(&maximal);
  return s;
}

/* ---- levels -------------------------------------------------------------------------------- */

/* The next level, counted and filtered. @param closures of this one; NULL: none are wanted */
static dm_status next_level(apriori *a, apriori_closures *closures, dm_error *err) {
  bool pairs = a->tree.n_levels == 1; /* they are counted without the tree */
  dm_status s = pairs && closures ? apriori_close(&a->tree, &a->rows, closures, err) : DM_OK;
  if (s == DM_OK) s = pairs ? apriori_count_pairs(&a->tree, &a->rows, err) : apriori_join(&a->tree, err);
  if (s == DM_OK && !pairs) s = apriori_count(&a->tree, &a->rows, closures, err);
  if (s == DM_OK) s = apriori_filter(&a->tree, err);
  return s == DM_OK && !closures ? apriori_trim(&a->tree, &a->rows, err) : s;
}

/* Closed sets of the last level, and the next level unless this one is to be the last. */
static dm_status close_level(apriori *a, bool is_last, dm_error *err) {
  apriori_closures closures;
  dm_status s = apriori_closures_init(&closures, &a->tree, a->tree.n_levels > 1 ? &a->above : NULL, err);
  if (s == DM_OK) s = is_last ? apriori_close(&a->tree, &a->rows, &closures, err) : next_level(a, &closures, err);
  if (s == DM_OK) {
    closing c = {.a = a, .closures = &closures, .err = err};
    (void)apriori_each(&a->tree, closures.level, close_node, &c);
    s = c.status;
  }
  apriori_closures_clear(&a->above, a->ctx);
  a->above = closures;
  return s;
}

static dm_status search(apriori *a, dm_error *err) {
  dm_status s = wants_closed(a) ? close_empty_set(a, err) : DM_OK;
  size_t limit = a->kind == DM_MAXIMAL ? SIZE_MAX : a->max_size; /* a closed set is as long as its generators or longer */
  for (size_t depth = 1; s == DM_OK && a->tree.levels[depth].n && !a->e->stop; depth++) {
    bool is_last = depth >= limit;
    if (wants_closed(a)) {
      s = close_level(a, is_last, err);
    } else {
      if (!is_last) s = next_level(a, NULL, err);
      if (s == DM_OK) report_level(a, depth);
    }
    if (is_last) break;
  }
  return s == DM_OK && a->kind == DM_MAXIMAL ? report_maximal(a, err) : s;
}

static dm_status prepare(apriori *a, dm_error *err) {
  dm_status s = apriori_tree_init(&a->tree, a->ctx, a->db, a->kind != DM_FREQUENT, err);
  if (s == DM_OK) s = apriori_rows_init(&a->rows, a->ctx, a->db, err);
  if (s != DM_OK || !wants_closed(a)) return s;
  a->is_in = dm_alloc(a->ctx, a->db->n_items + 1, sizeof *a->is_in, "apriori", err);
  a->set = dm_alloc(a->ctx, a->db->n_items + 1, sizeof *a->set, "apriori", err);
  return a->is_in && a->set ? DM_OK : DM_EBUDGET;
}

static dm_status mine_apriori(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  apriori a = {.ctx = ctx, .db = db, .kind = kind, .max_size = max_size};
  dm_error why = {0};
  dm_status s = dm_subsume_init(&a.closed, ctx, 0, err);
  if (s == DM_OK) s = dm_reporter_tasks(out, 1, err);
  if (s == DM_OK) s = prepare(&a, err);
  if (s == DM_OK && !(a.e = dm_reporter_open(out, 0, err))) s = DM_EBUDGET;
  if (s == DM_OK) {
    dm_status found = search(&a, &why);
    dm_reporter_close(out, a.e, found, &why);
  }
  apriori_tree_clear(&a.tree);
  apriori_rows_clear(&a.rows);
  apriori_closures_clear(&a.above, ctx);
  dm_subsume_clear(&a.closed);
  dm_free(ctx, a.is_in);
  dm_free(ctx, a.set);
  return s;
}

const dm_miner dm_miner_apriori = {
    .name = "apriori",
    .summary = "level by level: candidates joined in a prefix tree, pruned, and counted in one pass over the rows",
    .kinds = 1 << DM_FREQUENT | 1 << DM_CLOSED | 1 << DM_MAXIMAL | 1 << DM_GENERATORS,
    .limits_size = true,
    .mine = mine_apriori,
};
