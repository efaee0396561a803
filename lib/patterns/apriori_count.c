/* Counting, trimming, closing: everything that goes over the rows. */
#include "patterns/apriori_count.h"

#include "core/team.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 8 }; /* children are many when there are so many times the items of a row */

/* ---- rows ------------------------------------------------------------------------ */

dm_status apriori_rows_init(apriori_rows *rows, dm_ctx *ctx, const dm_itemdb *db, dm_error *err) {
  size_t n = db->rows.n, ones = n ? db->rows.start[n] : 0;
  *rows = (apriori_rows){.ctx = ctx, .n = n, .threads = dm_ctx_threads(ctx)};
  if (!(rows->start = dm_alloc(ctx, n + 1, sizeof *rows->start, "apriori: rows", err)) ||
      !(rows->index = dm_alloc(ctx, ones + 1, sizeof *rows->index, "apriori: rows", err)) ||
      !(rows->weight = dm_alloc(ctx, n + 1, sizeof *rows->weight, "apriori: rows", err)) ||
      !(rows->row = dm_alloc(ctx, n + 1, sizeof *rows->row, "apriori: rows", err)) ||
      !(rows->at = dm_alloc(ctx, rows->threads, sizeof *rows->at, "apriori: rows", err)))
    return DM_EBUDGET;
  for (size_t t = 0; t < rows->threads; t++)
    if (!(rows->at[t] = dm_alloc(ctx, db->n_items + 1, sizeof **rows->at, "apriori: rows", err))) return DM_EBUDGET;
  if (n == 0) return DM_OK;
  memcpy(rows->start, db->rows.start, (n + 1) * sizeof *rows->start);
  memcpy(rows->index, db->rows.index, ones * sizeof *rows->index);
  memcpy(rows->weight, db->weight, n * sizeof *rows->weight);
  for (size_t r = 0; r < n; r++) rows->row[r] = (uint32_t)r;
  return DM_OK;
}

void apriori_rows_clear(apriori_rows *rows) {
  if (!rows->ctx) return;
  for (size_t t = 0; rows->at && t < rows->threads; t++) dm_free(rows->ctx, rows->at[t]);
  dm_free(rows->ctx, rows->start);
  dm_free(rows->ctx, rows->index);
  dm_free(rows->ctx, rows->weight);
  dm_free(rows->ctx, rows->row);
  dm_free(rows->ctx, rows->at);
}

static bool mark_path(void *user, const uint32_t *path, size_t node) {
  (void)node;
  bool *used = ((void **)user)[0];
  const size_t *depth = ((void **)user)[1];
  for (size_t i = 0; i < *depth; i++) used[path[i]] = true;
  return true;
}

dm_status apriori_trim(apriori_tree *tree, apriori_rows *rows, dm_error *err) {
  size_t depth = tree->n_levels, kept = 0, to = 0;
  bool *used = dm_alloc(rows->ctx, tree->db->n_items + 1, sizeof *used, "apriori", err);
  if (!used) return DM_EBUDGET;
  (void)apriori_each(tree, depth, mark_path, (void *[]){used, &depth});
  size_t from = rows->start[0];
  for (size_t r = 0; r < rows->n; r++) {
    size_t end = rows->start[r + 1], first = to;
    for (; from < end; from++) {
      rows->index[to] = rows->index[from];
      to += used[rows->index[from]];
    }
    if (to - first <= depth) {
      to = first;
      continue;
    }
    rows->start[kept] = first;
    rows->weight[kept] = rows->weight[r];
    rows->row[kept++] = rows->row[r];
    rows->start[kept] = to;
  }
  if (kept == 0) rows->start[0] = 0;
  rows->n = kept;
  dm_free(rows->ctx, used);
  return DM_OK;
}

/* ---- pairs ------------------------------------------------------------------------ */

/* Which rows hold an item. */
typedef struct holders {
  size_t *start;   /* [n_items + 2] */
  uint32_t *rows;  /* ascending */
} holders;

static dm_status holders_init(holders *h, dm_ctx *ctx, const apriori_rows *rows, size_t n_items, dm_error *err) {
  if (!(h->start = dm_alloc(ctx, n_items + 2, sizeof *h->start, "apriori: pairs", err)) ||
      !(h->rows = dm_alloc(ctx, (rows->n ? rows->start[rows->n] : 0) + 1, sizeof *h->rows, "apriori: pairs", err)))
    return DM_EBUDGET;
  size_t *next = h->start + 1;
  for (size_t i = 0; i < rows->start[rows->n]; i++) next[rows->index[i] + 1]++;
  for (size_t i = 0; i < n_items; i++) next[i + 1] += next[i];
  for (size_t r = 0; r < rows->n; r++)
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) h->rows[next[rows->index[i]]++] = (uint32_t)r;
  return DM_OK;
}

/* One row of the triangle. */
typedef struct pair_counts {
  uint64_t *support; /* [n_items] with each lower item */
  uint32_t *row;     /* [n_items] the first row with it */
  uint32_t *seen;    /* [n_items] */
  size_t n_seen;
} pair_counts;

static int compare_items(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void count_with(pair_counts *c, const holders *h, const apriori_rows *rows, uint32_t item) {
  c->n_seen = 0;
  for (size_t t = h->start[item]; t < h->start[item + 1]; t++) {
    size_t r = h->rows[t];
    for (size_t i = rows->start[r]; rows->index[i] < item; i++) {
      uint32_t other = rows->index[i];
      if (c->support[other] == 0) {
        c->row[other] = rows->row[r];
        c->seen[c->n_seen++] = other;
      }
      c->support[other] += rows->weight[r];
    }
  }
  qsort(c->seen, c->n_seen, sizeof *c->seen, compare_items);
}

static dm_status add_pairs(apriori_tree *tree, pair_counts *c, const holders *h, const apriori_rows *rows, dm_error *err) {
  apriori_level *items = &tree->levels[1], *pairs = &tree->levels[2];
  dm_status s = DM_OK;
  for (size_t x = 0; x < items->n && s == DM_OK; x++) {
    items->first[x] = (uint32_t)pairs->n;
    count_with(c, h, rows, items->item[x]);
    for (size_t i = 0; i < c->n_seen && s == DM_OK; i++) {
      uint32_t other = c->seen[i];
      if (c->support[other] >= tree->db->min_support && tree->top[other] != (uint32_t)APRIORI_NONE)
        s = apriori_add(tree, pairs, other, c->support[other], items->support[x], c->row[other], err);
      c->support[other] = 0;
    }
    if (s == DM_OK && x % 64 == 0) s = dm_ctx_check(tree->ctx, err);
  }
  items->first[items->n] = (uint32_t)pairs->n;
  return s;
}

dm_status apriori_count_pairs(apriori_tree *tree, const apriori_rows *rows, dm_error *err) {
  dm_ctx *ctx = tree->ctx;
  size_t n = tree->db->n_items + 1;
  apriori_level *items = &tree->levels[1];
  holders h = {0};
  pair_counts c = {0};
  dm_status s = DM_EBUDGET;
  tree->levels[2] = (apriori_level){0};
  tree->n_levels = 2;
  if (!(items->first = dm_alloc(ctx, items->n + 1, sizeof *items->first, "apriori: pairs", err)) ||
      !(c.support = dm_alloc(ctx, n, sizeof *c.support, "apriori: pairs", err)) ||
      !(c.row = dm_alloc(ctx, n, sizeof *c.row, "apriori: pairs", err)) || !(c.seen = dm_alloc(ctx, n, sizeof *c.seen, "apriori: pairs", err)))
    goto done;
  if ((s = holders_init(&h, ctx, rows, tree->db->n_items, err)) == DM_OK) s = add_pairs(tree, &c, &h, rows, err);
done:
  dm_free(ctx, c.support);
  dm_free(ctx, c.row);
  dm_free(ctx, c.seen);
  dm_free(ctx, h.start);
  dm_free(ctx, h.rows);
  return s;
}

/* ---- down the tree ------------------------------------------------------------------ */

/* A pass: what all its threads share. */
typedef struct pass {
  apriori_tree *tree;
  const apriori_rows *rows;
  size_t depth;               /* how far down: to the level that is counted, or that of the closures */
  apriori_closures *closures; /* NULL: counting only */
} pass;

/* The level whose sets are closed; 0 = none. */
static size_t closed_level(const pass *p) { return p->closures ? p->closures->level : 0; }

/* The row that a thread is at. */
typedef struct passing {
  const pass *p;
  const uint32_t *row, *at;
  uint32_t weight, number;
} passing;

/* Nodes from … to - 1 of the last level, all children of one: most are not in the row, or are, by chance; no branch is guessed. */
static inline void count_leaves(const passing *g, size_t from, size_t to) {
  const apriori_level *level = &g->p->tree->levels[g->p->depth];
  for (size_t c = from; c < to; c++) {
    uint64_t before = level->support[c], more = g->at[level->item[c]] ? g->weight : 0;
    level->support[c] = before + more;
    if (level->row && before == 0) level->row[c] = g->number; /* the last row before it is counted, which counts it */
  }
}

/* Of what may go with a set, only what the row has: mostly all of it. */
static inline void narrow_closure(const passing *g, size_t node) {
  apriori_closures *c = g->p->closures;
  uint32_t *items = c->items + c->start[node], end = c->n[node], n = c->certain[node];
  while (n < end && g->at[items[n]]) n++;
  if (n == end) return;
  for (uint32_t i = n + 1; i < end; i++) {
    items[n] = items[i];
    n += g->at[items[i]] != 0;
  }
  c->n[node] = n;
}

static void go_down(const passing *g, size_t depth, size_t from, size_t to, size_t n);

/* A node that the row has at `place`. */
static inline void step(const passing *g, size_t depth, size_t node, size_t place) {
  size_t closed = closed_level(g->p);
  if (depth == closed) narrow_closure(g, node);
  if (depth == g->p->depth) {
    if (depth != closed) count_leaves(g, node, node + 1);
    return;
  }
  const apriori_level *level = &g->p->tree->levels[depth];
  size_t from = level->first[node], to = level->first[node + 1];
  if (depth + 1 == g->p->depth && depth + 1 != closed && to - from <= WIDE * place)
    count_leaves(g, from, to);
  else if (from < to)
    go_down(g, depth + 1, from, to, place);
}

/* Nodes from … to - 1 of a level, all children of one, that are among the first n items of the row: looked for from the shorter side. */
static void go_down(const passing *g, size_t depth, size_t from, size_t to, size_t n) {
  const uint32_t *item = g->p->tree->levels[depth].item;
  size_t goal = g->p->closures ? g->p->closures->level : g->p->depth;
  size_t missing = depth < goal ? goal - depth : 0; /* items that must come after this one */
  if (to - from <= WIDE * n) {
    for (size_t c = from; c < to; c++) {
      size_t place = g->at[item[c]];
      if (place > missing) step(g, depth, c, place - 1);
    }
    return;
  }
  for (size_t i = missing; i < n && from < to; i++) {
    size_t high = to;
    while (from < high) {
      size_t middle = (from + high) / 2;
      if (item[middle] < g->row[i])
        from = middle + 1;
      else
        high = middle;
    }
    if (from < to && item[from] == g->row[i]) step(g, depth, from, i);
  }
}

/* All rows, for the paths that begin with the thread's share of the items. */
static void pass_rows(void *user, const dm_member *m) {
  const pass *p = user;
  const apriori_rows *rows = p->rows;
  const dm_ctx *ctx = p->tree->ctx;
  uint32_t *at = rows->at[m->thread];
  for (size_t r = 0; r < rows->n && (r % 1024 || !dm_ctx_cancelled(ctx)); r++) {
    const uint32_t *row = rows->index + rows->start[r];
    size_t n = rows->start[r + 1] - rows->start[r];
    passing g = {.p = p, .row = row, .at = at, .weight = rows->weight[r], .number = rows->row[r]};
    for (size_t i = 0; i < n; i++) at[row[i]] = (uint32_t)(i + 1);
    for (size_t i = (p->closures ? p->closures->level : p->depth) - 1; i < n; i++) {
      uint32_t node = row[i] % m->threads == m->thread ? p->tree->top[row[i]] : (uint32_t)APRIORI_NONE;
      if (node != (uint32_t)APRIORI_NONE) step(&g, 1, node, i);
    }
    for (size_t i = 0; i < n; i++) at[row[i]] = 0;
  }
}

static dm_status run_pass(apriori_tree *tree, const apriori_rows *rows, size_t depth, apriori_closures *closures, dm_error *err) {
  pass p = {.tree = tree, .rows = rows, .depth = depth, .closures = closures};
  dm_team_run(tree->ctx, rows->threads, pass_rows, &p);
  return dm_ctx_check(tree->ctx, err);
}

dm_status apriori_count(apriori_tree *tree, const apriori_rows *rows, apriori_closures *closures, dm_error *err) {
  return run_pass(tree, rows, tree->n_levels, closures, err);
}

dm_status apriori_close(apriori_tree *tree, const apriori_rows *rows, apriori_closures *closures, dm_error *err) {
  return run_pass(tree, rows, closures->level, closures, err);
}

/* ---- closures ------------------------------------------------------------------------ */

typedef struct beginning {
  const apriori_tree *tree;
  apriori_closures *closures;
  const apriori_closures *above;
  size_t parent;
} beginning;

/* Puts what goes with the node's parent first. */
static uint32_t take_from_parent(beginning *b, size_t node, uint32_t *items) {
  const apriori_level *up = &b->tree->levels[b->closures->level - 1];
  while (up->first[b->parent + 1] <= node) b->parent++; /* nodes come in order */
  uint32_t n = b->above->n[b->parent];
  memcpy(items, b->above->items + b->above->start[b->parent], n * sizeof *items);
  return n;
}

static bool holds(const uint32_t *items, size_t n, uint32_t item) {
  for (size_t i = 0; i < n; i++)
    if (items[i] == item) return true;
  return false;
}

/* What the first row of a set has more than the set, as far as it is frequent enough. */
static bool begin_closure(void *user, const uint32_t *path, size_t node) {
  beginning *b = user;
  const dm_itemdb *db = b->tree->db;
  apriori_closures *c = b->closures;
  uint32_t *items = c->items + c->start[node], n = b->above ? take_from_parent(b, node, items) : 0;
  const apriori_level *level = &b->tree->levels[c->level];
  size_t row = level->row[node], in_path = c->level;
  c->certain[node] = n;
  for (size_t i = db->rows.start[row]; i < db->rows.start[row + 1]; i++) {
    uint32_t item = db->rows.index[i];
    while (in_path && path[in_path - 1] < item) in_path--; /* the path falls, the row rises */
    bool is_own = in_path && path[in_path - 1] == item;
    if (!is_own && db->support[item] >= level->support[node] && !holds(items, c->certain[node], item)) items[n++] = item;
  }
  c->n[node] = n;
  return true;
}

dm_status apriori_closures_init(apriori_closures *c, apriori_tree *tree, const apriori_closures *above, dm_error *err) {
  const apriori_level *level = &tree->levels[tree->n_levels];
  const size_t *start = tree->db->rows.start;
  *c = (apriori_closures){.level = tree->n_levels};
  if (!(c->start = dm_alloc(tree->ctx, level->n + 1, sizeof *c->start, "apriori: closures", err)) ||
      !(c->n = dm_alloc(tree->ctx, level->n + 1, sizeof *c->n, "apriori: closures", err)) ||
      !(c->certain = dm_alloc(tree->ctx, level->n + 1, sizeof *c->certain, "apriori: closures", err)))
    return DM_EBUDGET;
  for (size_t x = 0; x < level->n; x++) c->start[x + 1] = c->start[x] + (start[level->row[x] + 1] - start[level->row[x]]) - c->level;
  if (!(c->items = dm_alloc(tree->ctx, c->start[level->n] + 1, sizeof *c->items, "apriori: closures", err))) return DM_EBUDGET;
  (void)apriori_each(tree, c->level, begin_closure, &(beginning){.tree = tree, .closures = c, .above = above});
  return DM_OK;
}

void apriori_closures_clear(apriori_closures *c, dm_ctx *ctx) {
  dm_free(ctx, c->start);
  dm_free(ctx, c->n);
  dm_free(ctx, c->certain);
  dm_free(ctx, c->items);
  *c = (apriori_closures){0};
}
