/*
 * FP-growth: rows share their beginnings in a tree (fp_tree.h); the sets that
 * end in an item are grown in the tree of the paths above that item, and so on
 * down. No candidate is made that is not there.
 *
 *   task i        set {i}; paths above the nodes of i -> conditional tree of its frequent items
 *   node P + i    the same in the tree of P
 *
 * frequent    an item on all paths is perfect: it doubles all that follows. A tree that is one path is not searched:
 *             each of its items stands with any choice of those above it
 * closed      items on all paths belong to the set; less frequent items first, so that what has a set's rows and more
 *             items has been found before (subsume.h); a path has a closed set wherever its support falls
 * maximal     the same order; a node is left when a set found holds it with all its frequent items
 * generators  more frequent items first, so that subsets come before their sets (generators.h)
 *
 * Frequent sets are searched for by several threads; the others need what was found before.
 * Source: Han, Pei & Yin, SIGMOD 2000; closed and maximal sets: Grahne & Zhu, FIMI 2003 (FPclose, FPmax).
 */
#include "patterns/fp_tree.h"
#include "patterns/generators.h"
#include "patterns/miner.h"
#include "patterns/subsume.h"
#include "patterns/tasks.h"

typedef struct fp_search {
  dm_ctx *ctx;
  const dm_itemdb *db;
  dm_itemset_kind kind;
  size_t max_size;
  fp_tree tree;
  dm_subsume found; /* closed and maximal sets */
  dm_generators generators;
} fp_search;

/* Maximal sets that hold the set which is grown: those found before it, and from `since` on all. */
typedef struct fp_relevant {
  const uint32_t *sets;
  size_t n, since;
} fp_relevant;

/* What a thread has for itself. */
typedef struct fp_worker {
  fp_search *s;
  dm_emit *e;
  dm_stack memory;
  fp_counts counts;
  bool *is_in;        /* [n_items] items of the set */
} fp_worker;

static dm_status grow(fp_worker *w, fp_tree *tree, const fp_relevant *relevant, dm_error *err);

/* ---- the set on its way ------------------------------------------------------------ */

static void push(fp_worker *w, uint32_t code) {
  dm_emit_push(w->e, code);
  w->is_in[code] = true;
}

static void pop_to(fp_worker *w, size_t n) {
  while (w->e->n > n) {
    w->is_in[w->e->items[w->e->n - 1]] = false;
    dm_emit_pop(w->e);
  }
}

/* Reports the set, and keeps it for those that come later. */
static dm_status report(fp_worker *w, uint64_t support, uint64_t mark, dm_error *err) {
  fp_search *s = w->s;
  dm_emit_set(w->e, support);
  if (s->kind == DM_FREQUENT) return DM_OK;
  if (s->kind == DM_GENERATORS) return dm_generators_add(&s->generators, w->e->items, w->e->n, support, err);
  return dm_subsume_add(&s->found, w->e->items, w->e->n, support, mark, err);
}

/* ---- trees that are one path ---------------------------------------------------------- */

/* The lowest item of a set decides its support; those above it may be there or not. */
static void report_choices(fp_worker *w, const fp_tree *path) {
  size_t perfect = w->e->n_perfect;
  for (size_t j = 0; j < path->n_items && !w->e->stop; j++) {
    dm_emit_push(w->e, path->items[j].code);
    dm_emit_set(w->e, path->items[j].support);
    dm_emit_pop(w->e);
    dm_emit_perfect(w->e, path->items[j].code);
  }
  dm_emit_unperfect(w->e, perfect);
}

/* Down to where the support falls next, a set is closed; down to the end, maximal. */
static dm_status report_falls(fp_worker *w, const fp_tree *path, dm_error *err) {
  const fp_search *s = w->s;
  size_t before = w->e->n;
  dm_status status = DM_OK;
  for (size_t j = 0; j < path->n_items && status == DM_OK; j++) {
    const fp_item *item = &path->items[j];
    bool is_last = j + 1 == path->n_items;
    push(w, item->code);
    if (s->kind == DM_MAXIMAL ? !is_last : !is_last && path->items[j + 1].support == item->support) continue;
    if (s->kind == DM_CLOSED && dm_subsume_has_closed(&s->found, w->is_in, w->e->n, item->support, item->mark)) continue;
    status = report(w, item->support, item->mark, err);
  }
  pop_to(w, before);
  return status;
}

/* ---- maximal sets: what was found, narrowed ------------------------------------------- */

/* Of the sets that hold the set before its last item, those that hold the item, too. */
static dm_status narrow(fp_worker *w, const fp_relevant *from, uint32_t code, fp_relevant *out, dm_error *err) {
  const dm_subsume *found = &w->s->found;
  *out = (fp_relevant){.since = found->n};
  uint32_t at = 0, set;
  size_t n = 0;
  if (!from) /* the first item */
    while (dm_subsume_next(found, code, &at, &set)) n++;
  else
    n = from->n + (found->n - from->since);
  uint32_t *sets = dm_stack_take(&w->memory, n, sizeof *sets, err);
  if (!sets) return DM_EBUDGET;
  if (!from) {
    for (at = 0; dm_subsume_next(found, code, &at, &set);) sets[out->n++] = set;
  } else {
    for (size_t i = 0; i < from->n; i++)
      if (dm_subsume_holds_item(found, from->sets[i], code)) sets[out->n++] = from->sets[i];
    for (size_t i = from->since; i < found->n; i++)
      if (dm_subsume_holds_item(found, i, code)) sets[out->n++] = (uint32_t)i;
  }
  dm_stack_shrink(&w->memory, sets, out->n * sizeof *sets);
  out->sets = sets;
  return DM_OK;
}

/* Is the set with all items of its tree in a set found before? */
static bool is_held(fp_worker *w, const fp_tree *below, const fp_relevant *relevant) {
  uint64_t signature = 0;
  size_t n = w->e->n + below->n_items;
  for (size_t i = 0; i < w->e->n; i++) signature |= dm_subsume_bit(w->e->items[i]);
  for (size_t j = 0; j < below->n_items; j++) {
    signature |= dm_subsume_bit(below->items[j].code);
    w->is_in[below->items[j].code] = true;
  }
  bool held = false;
  for (size_t i = 0; i < relevant->n && !held; i++) held = dm_subsume_holds(&w->s->found, relevant->sets[i], w->is_in, n, signature);
  for (size_t j = 0; j < below->n_items; j++) w->is_in[below->items[j].code] = false;
  return held;
}

/* ---- nodes ---------------------------------------------------------------------------- */

/* The items of the conditional tree; those on all paths are told and left out. */
static dm_status choose_items(fp_worker *w, const fp_tree *tree, uint32_t place, fp_tree *below, dm_error *err) {
  fp_counts *c = &w->counts;
  uint64_t whole = tree->items[place].support;
  size_t n = 0;
  fp_tree_count(tree, place, c);
  for (size_t j = fp_counts_next(c, 0, place); j != SIZE_MAX; j = fp_counts_next(c, j + 1, place)) n++;
  if (n && !(below->items = dm_stack_take(&w->memory, n, sizeof *below->items, err))) return DM_EBUDGET;
  for (size_t j = fp_counts_next(c, 0, place); j != SIZE_MAX; j = fp_counts_next(c, j + 1, place)) {
    uint32_t code = tree->items[j].code;
    if (c->support[j] < w->s->db->min_support || tree->items[j].support == 0) continue;
    if (c->support[j] < whole) {
      below->items[below->n_items++] = (fp_item){.code = code, .support = c->support[j], .mark = c->mark[j]};
      c->place[j] = (uint32_t)below->n_items;
    } else if (w->s->kind == DM_FREQUENT) {
      dm_emit_perfect(w->e, code);
    } else if (w->s->kind != DM_GENERATORS) {
      push(w, code);
    }
  }
  return DM_OK;
}

/* The set, with its conditional tree made: reported, and grown. */
static dm_status descend(fp_worker *w, const fp_item *item, fp_tree *below, const fp_relevant *relevant, dm_error *err) {
  const fp_search *s = w->s;
  dm_status status = DM_OK;
  if (s->kind != DM_MAXIMAL || below->n_items == 0) status = report(w, item->support, item->mark, err);
  bool limited = s->kind == DM_FREQUENT || s->kind == DM_GENERATORS; /* the others need the longer ones to tell */
  if (status != DM_OK || below->n_items == 0 || (limited && w->e->n >= s->max_size)) return status;
  if (s->kind == DM_GENERATORS || !fp_tree_is_path(below)) return grow(w, below, relevant, err);
  if (s->kind != DM_FREQUENT) return report_falls(w, below, err);
  report_choices(w, below);
  return DM_OK;
}

/* Is there nothing to be found in the set and what follows it? */
static bool leads_nowhere(fp_worker *w, fp_item *item) {
  const fp_search *s = w->s;
  if (s->kind == DM_CLOSED) return dm_subsume_has_closed(&s->found, w->is_in, w->e->n, item->support, item->mark);
  if (s->kind != DM_GENERATORS) return false;
  if (dm_generators_has_all_below(&s->generators, w->e->items, w->e->n, item->support)) return false;
  item->support = 0; /* nor with items that are still to come */
  return true;
}

/* The set with the tree's item at `place`. */
static dm_status visit(fp_worker *w, fp_tree *tree, uint32_t place, const fp_relevant *from, dm_error *err) {
  fp_item *item = &tree->items[place];
  fp_tree below = {0};
  fp_relevant relevant = {0};
  if (item->support == 0) return DM_OK;
  size_t pushed = w->e->n, perfect = w->e->n_perfect;
  dm_stack_mark mark = dm_stack_at(&w->memory);
  dm_status s = DM_OK;
  push(w, item->code);
  if (!leads_nowhere(w, item)) {
    s = choose_items(w, tree, place, &below, err);
    if (s == DM_OK && w->s->kind == DM_MAXIMAL) s = narrow(w, from, item->code, &relevant, err);
    bool held = s == DM_OK && w->s->kind == DM_MAXIMAL && is_held(w, &below, &relevant);
    if (s == DM_OK && !held && below.n_items) s = fp_tree_project(tree, place, &w->counts, &w->memory, &below, err);
    fp_counts_forget(&w->counts, place);
    if (s == DM_OK && !held) s = descend(w, item, &below, &relevant, err);
  }
  pop_to(w, pushed);
  dm_emit_unperfect(w->e, perfect);
  dm_stack_back(&w->memory, mark);
  return s;
}

static dm_status grow(fp_worker *w, fp_tree *tree, const fp_relevant *relevant, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; i < tree->n_items && s == DM_OK && !w->e->stop; i++)
    s = visit(w, tree, (uint32_t)(w->s->kind == DM_GENERATORS ? i : tree->n_items - 1 - i), relevant, err);
  return s;
}

static dm_status run_task(void *worker, size_t task, dm_emit *e, dm_error *err) {
  fp_worker *w = worker;
  size_t n = w->s->tree.n_items;
  w->e = e;
  return visit(w, &w->s->tree, (uint32_t)(w->s->kind == DM_GENERATORS ? task : n - 1 - task), NULL, err);
}

/* ---- the whole ------------------------------------------------------------------------ */

static dm_status worker_init(fp_worker *w, fp_search *s, dm_error *err) {
  w->s = s;
  dm_stack_init(&w->memory, s->ctx);
  dm_status status = fp_counts_init(&w->counts, s->ctx, s->db->n_items, err);
  if (status != DM_OK) return status;
  w->is_in = dm_alloc(s->ctx, s->db->n_items + 1, sizeof *w->is_in, "fpgrowth", err);
  return w->is_in ? DM_OK : DM_EBUDGET;
}

static void worker_clear(fp_worker *w) {
  if (!w->s) return;
  dm_stack_clear(&w->memory);
  fp_counts_clear(&w->counts, w->s->ctx);
  dm_free(w->s->ctx, w->is_in);
}

static dm_status mine_fpgrowth(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  fp_search search = {.ctx = ctx, .db = db, .kind = kind, .max_size = max_size};
  size_t n_workers = kind == DM_FREQUENT ? dm_ctx_threads(ctx) : 1;
  fp_worker *workers = NULL;
  dm_generators_init(&search.generators, ctx, db->total);
  dm_status s = dm_subsume_init(&search.found, ctx, kind == DM_MAXIMAL ? db->n_items : 0, err);
  if (s == DM_OK) s = fp_tree_build(ctx, db, &search.tree, err);
  if (s == DM_OK && !(workers = dm_alloc(ctx, n_workers, sizeof *workers, "fpgrowth", err))) s = DM_EBUDGET;
  for (size_t i = 0; i < n_workers && s == DM_OK; i++) s = worker_init(&workers[i], &search, err);
  if (s == DM_OK) s = dm_tasks_run(ctx, out, db->n_items, workers, sizeof *workers, n_workers, run_task, err);
  for (size_t i = 0; i < n_workers && workers; i++) worker_clear(&workers[i]);
  dm_free(ctx, workers);
  fp_tree_clear(ctx, &search.tree);
  dm_subsume_clear(&search.found);
  dm_generators_clear(&search.generators);
  return s;
}

const dm_miner dm_miner_fpgrowth = {
    .name = "fpgrowth",
    .summary = "rows as paths of a tree, sets grown in the trees of their paths",
    .kinds = 1 << DM_FREQUENT | 1 << DM_CLOSED | 1 << DM_MAXIMAL | 1 << DM_GENERATORS,
    .limits_size = true,
    .mine = mine_fpgrowth,
};
