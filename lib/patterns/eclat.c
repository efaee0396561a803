/*
 * Eclat: vertical search, depth first. A set is held as the rows that have it,
 * and grows by meeting the rows of another item (cover.h has their forms).
 *
 *   task i      the rows with item i; with them, the cover of every other item
 *   class of P  items below the last one of P, in ascending order, each with its cover
 *   node P+x    its class: the members y < x, each met with x
 *
 * Items go down along a branch and up from branch to branch, so that each set
 * is come to once, and after all its subsets when tasks go up as well.
 *
 * frequent    a member with the whole support of the node is perfect: it doubles all that follows, and is not met again
 * closed      perfect members belong to the set; a node whose rows all have an item above, outside the set, leads to
 *             nothing that is closed (it came, or will come, with that item)
 * maximal     the same; no member is left, and no item above is frequent in the node's rows
 * generators  every subset is one, with more support (generators.h); what is none is crossed out for later branches
 *
 * Only frequent sets and generators may use differences: the tests for closed
 * sets look at the rows themselves.
 * Source: Zaki, Parthasarathy, Ogihara & Li, KDD 1997; the tests without a
 * store of sets: Lucchese, Orlando & Perego, IEEE TKDE 18(1), 2006 (DCI_CLOSED).
 */
#include "patterns/cover.h"
#include "patterns/generators.h"
#include "patterns/miner.h"
#include "patterns/stack.h"
#include "patterns/tasks.h"

#include <stdlib.h>
#include <string.h>

enum { BITS_FROM = 2 }; /* bits are taken until they need so many times the memory of lists */

/* The database turned: rows by falling weight, and for each item its rows. */
typedef struct vertical {
  dm_ctx *ctx;
  const dm_itemdb *db;
  dm_itemset_kind kind;
  size_t max_size, longest; /* longest: items of a row */
  uint32_t *row;            /* [n] the row that is n-th by weight */
  size_t *start;            /* [n_items + 1] */
  uint32_t *tids;           /* [start[n_items]] places in `row`, ascending for each item */
  dm_generators *generators;
} vertical;

/* A set, and the items that may follow it. */
typedef struct eclat_class {
  cover_form form;
  size_t n, rows; /* members, rows of the set */
  cover *members;
} eclat_class;

/* What a thread has for itself. */
typedef struct eclat_worker {
  const vertical *v;
  dm_emit *e;
  dm_stack memory;
  uint32_t first;          /* the task's item */
  cover_rows rows;         /* of that item */
  const uint32_t *row;     /* [rows.n] their numbers in the database */
  cover *all;              /* [n_all] bits: every item of the task's rows, ascending, those above `first` too */
  size_t n_all;
  uint64_t *support;       /* [n_items] counts of a pass over rows, zero between passes */
  size_t *length;          /* [n_items] the same in rows */
  cover **to;              /* [n_items] where the rows of an item go in the next pass; NULL nowhere */
  uint32_t *seen;          /* [n_items] items that the pass came to */
  size_t n_seen;
  bool *is_in;             /* [n_items] items of the set: closed and maximal sets */
  uint32_t *suspects;      /* [longest] */
} eclat_worker;

static bool wants_closed(const vertical *v) { return v->kind == DM_CLOSED || v->kind == DM_MAXIMAL; }

/* ---- the set on its way ---------------------------------------------------------- */

static void push(eclat_worker *w, uint32_t item) {
  dm_emit_push(w->e, item);
  w->is_in[item] = true;
}

static void pop_to(eclat_worker *w, size_t n) {
  while (w->e->n > n) {
    w->is_in[w->e->items[w->e->n - 1]] = false;
    dm_emit_pop(w->e);
  }
}

/* An item that all rows of the set have. */
static void add_perfect(eclat_worker *w, uint32_t item) {
  if (w->v->kind == DM_FREQUENT)
    dm_emit_perfect(w->e, item);
  else if (w->v->kind != DM_GENERATORS)
    push(w, item);
}

/* ---- items above, outside the set ------------------------------------------------- */

/* The items of a row above `item`. @return how many */
static size_t items_above(const eclat_worker *w, uint32_t local, uint32_t item, const uint32_t **first) {
  const dm_csr *rows = &w->v->db->rows;
  const uint32_t *begin = rows->index + rows->start[w->row[local]], *end = rows->index + rows->start[w->row[local] + 1], *p = end;
  while (p > begin && p[-1] > item) p--;
  *first = p;
  return (size_t)(end - p);
}

/* One that every row of the list has: suspects are the items of the first row, fewer with each further one. */
static bool has_common_above(eclat_worker *w, const uint32_t *tids, size_t n, uint32_t item) {
  const uint32_t *row;
  size_t n_suspects = 0, n_row = items_above(w, tids[0], item, &row);
  for (size_t i = 0; i < n_row; i++)
    if (!w->is_in[row[i]]) w->suspects[n_suspects++] = row[i];
  for (size_t t = 1; t < n && n_suspects; t++) {
    n_row = items_above(w, tids[t], item, &row);
    n_suspects = cover_meet(w->suspects, n_suspects, row, n_row, w->suspects);
  }
  return n_suspects > 0;
}

/* One that is frequent in the rows of the list. */
static bool has_frequent_above(eclat_worker *w, const uint32_t *tids, size_t n, uint32_t item) {
  const uint32_t *row;
  bool found = false;
  size_t t = 0;
  for (; t < n && !found; t++) {
    size_t n_row = items_above(w, tids[t], item, &row);
    for (size_t i = 0; i < n_row; i++)
      if (!w->is_in[row[i]]) found |= (w->support[row[i]] += w->rows.weight[tids[t]]) >= w->v->db->min_support;
  }
  while (t-- > 0) {
    size_t n_row = items_above(w, tids[t], item, &row);
    for (size_t i = 0; i < n_row; i++) w->support[row[i]] = 0;
  }
  return found;
}

/* Is x, with the set, to be left because an item above goes with it? all_rows: with each of its rows; else in min_support of them. */
static bool goes_with_above(eclat_worker *w, cover_form form, const cover *x, bool all_rows) {
  if (form == COVER_TIDS) return all_rows ? has_common_above(w, x->list, x->n, x->item) : has_frequent_above(w, x->list, x->n, x->item);
  for (size_t a = x->place + 1; a < w->n_all; a++) {
    const cover *above = &w->all[a];
    if (w->is_in[above->item]) continue;
    if (all_rows ? cover_is_within(&w->rows, x->bits, above->bits)
                 : cover_and_support(&w->rows, x->bits, above->bits) >= w->v->db->min_support)
      return true;
  }
  return false;
}

/* ---- passes over rows --------------------------------------------------------------- */

/* Support of every item below `end` in the rows of a list (NULL: the first n). */
static void count_rows(eclat_worker *w, const uint32_t *list, size_t n, uint32_t end) {
  const dm_csr *rows = &w->v->db->rows;
  for (size_t t = 0; t < n; t++) {
    size_t local = list ? list[t] : t, row = w->row[local];
    for (size_t i = rows->start[row]; i < rows->start[row + 1] && rows->index[i] < end; i++) {
      uint32_t item = rows->index[i];
      if (w->length[item]++ == 0) w->seen[w->n_seen++] = item;
      w->support[item] += w->rows.weight[local];
    }
  }
}

static void forget_counts(eclat_worker *w) {
  for (size_t i = 0; i < w->n_seen; i++) {
    w->support[w->seen[i]] = w->length[w->seen[i]] = 0;
    w->to[w->seen[i]] = NULL;
  }
  w->n_seen = 0;
}

/* Writes the rows of a list to the covers of their items (occurrence deliver). */
static void deliver(eclat_worker *w, cover_form form, const uint32_t *list, size_t n, uint32_t end) {
  const dm_csr *rows = &w->v->db->rows;
  for (size_t t = 0; t < n; t++) {
    uint32_t local = list ? list[t] : (uint32_t)t, row = w->row[local];
    for (size_t i = rows->start[row]; i < rows->start[row + 1] && rows->index[i] < end; i++) {
      cover *to = w->to[rows->index[i]];
      if (to && form == COVER_BITS)
        to->bits[local / 64] |= UINT64_C(1) << local % 64;
      else if (to)
        to->list[to->n++] = local;
    }
  }
}

/* Room for the rows of an item that was counted. */
static dm_status make_cover(eclat_worker *w, cover_form form, cover *out, dm_error *err) {
  size_t n = w->length[out->item];
  if (form == COVER_BITS) {
    if (!(out->bits = dm_stack_take(&w->memory, w->rows.words, sizeof *out->bits, err))) return DM_EBUDGET;
    memset(out->bits, 0, w->rows.words * sizeof *out->bits);
  } else if (!(out->list = dm_stack_take(&w->memory, n, sizeof *out->list, err))) {
    return DM_EBUDGET;
  }
  w->to[out->item] = out;
  return DM_OK;
}

/* ---- nodes ------------------------------------------------------------------------ */

/* Meets member y with x, on top of the stack: bits, or differences. */
static dm_status meet(eclat_worker *w, cover_form form, const cover *x, const cover *y, cover *out, dm_error *err) {
  *out = (cover){.item = y->item, .place = y->place};
  if (form == COVER_BITS) {
    if (!(out->bits = dm_stack_take(&w->memory, w->rows.words, sizeof *out->bits, err))) return DM_EBUDGET;
    out->support = cover_and(&w->rows, x->bits, y->bits, out->bits);
    return DM_OK;
  }
  const cover *from = form == COVER_TIDS ? x : y, *less = form == COVER_TIDS ? y : x;
  if (!(out->list = dm_stack_take(&w->memory, from->n + 1, sizeof *out->list, err))) return DM_EBUDGET;
  out->n = cover_less(from->list, from->n, less->list, less->n, out->list);
  dm_stack_shrink(&w->memory, out->list, out->n * sizeof *out->list);
  out->support = x->support - cover_weight(&w->rows, out->list, out->n);
  return DM_OK;
}

/* Differences are shorter where members have more than half of the set's rows. */
static cover_form form_below(const eclat_worker *w, const eclat_class *c) {
  if (c->form != COVER_TIDS || wants_closed(w->v)) return c->form;
  size_t ones = 0;
  for (size_t y = 0; y < c->n; y++) ones += c->members[y].n;
  return 2 * ones > c->n * c->rows ? COVER_DIFFS : COVER_TIDS;
}

/* Does an item of so much support follow a set of `whole`? Perfect ones are told. */
static bool follows(eclat_worker *w, uint32_t item, uint64_t support, uint64_t whole) {
  if (support == whole) add_perfect(w, item);
  return support >= w->v->db->min_support && support != whole;
}

/* Members y < x of class c that follow the set with x, each met with x. */
static dm_status meet_members(eclat_worker *w, const eclat_class *c, size_t x, eclat_class *out, dm_error *err) {
  const cover *with = &c->members[x];
  for (size_t y = 0; y < x; y++) {
    if (c->members[y].support == 0) continue;
    dm_stack_mark mark = dm_stack_at(&w->memory);
    cover *met = &out->members[out->n];
    dm_status s = meet(w, c->form, with, &c->members[y], met, err);
    if (s != DM_OK) return s;
    if (follows(w, met->item, met->support, with->support))
      out->n++;
    else
      dm_stack_back(&w->memory, mark);
  }
  return DM_OK;
}

/* The same for lists of rows: where members are many and rows short, passes over the rows of x meet only what is there. */
static dm_status deliver_members(eclat_worker *w, const eclat_class *c, size_t x, eclat_class *out, dm_error *err) {
  const cover *with = &c->members[x];
  dm_status s = DM_OK;
  count_rows(w, with->list, with->n, with->item);
  for (size_t y = 0; y < x && s == DM_OK; y++) {
    const cover *member = &c->members[y];
    uint64_t support = w->support[member->item];
    if (member->support == 0 || !follows(w, member->item, support, with->support)) continue;
    out->members[out->n] = (cover){.item = member->item, .place = member->place, .support = support};
    s = make_cover(w, COVER_TIDS, &out->members[out->n++], err);
  }
  if (s == DM_OK && out->n) deliver(w, COVER_TIDS, with->list, with->n, with->item);
  forget_counts(w);
  return s;
}

/* The class of the set with member x. */
static dm_status make_class(eclat_worker *w, const eclat_class *c, size_t x, cover_form to, eclat_class *out, dm_error *err) {
  *out = (eclat_class){.form = to, .rows = c->members[x].n};
  if (x == 0) return DM_OK;
  if (!(out->members = dm_stack_take(&w->memory, x, sizeof *out->members, err))) return DM_EBUDGET;
  return to == COVER_TIDS ? deliver_members(w, c, x, out, err) : meet_members(w, c, x, out, err);
}

static dm_status expand(eclat_worker *w, eclat_class *c, dm_error *err);

/* Reports the set that the emit is at, x being its last item and c what may follow, and goes on. */
static dm_status report(eclat_worker *w, cover_form form, const cover *x, eclat_class *c, dm_error *err) {
  const vertical *v = w->v;
  if (v->kind != DM_MAXIMAL || (c->n == 0 && !goes_with_above(w, form, x, false))) dm_emit_set(w->e, x->support);
  return w->e->n < v->max_size && c->n ? expand(w, c, err) : DM_OK;
}

/* The set of class c with its member x. */
static dm_status visit(eclat_worker *w, eclat_class *c, size_t x, cover_form to, dm_error *err) {
  const vertical *v = w->v;
  cover *with = &c->members[x];
  eclat_class below = {.form = to};
  dm_status s = DM_OK;
  if (v->kind == DM_GENERATORS) {
    if (!dm_generators_has_all_below(v->generators, w->e->items, w->e->n, with->support)) {
      with->support = 0;
      return DM_OK;
    }
    s = dm_generators_add(v->generators, w->e->items, w->e->n, with->support, err);
  } else if (wants_closed(v) && goes_with_above(w, c->form, with, true)) {
    return DM_OK;
  }
  if (s == DM_OK && (wants_closed(v) || w->e->n < v->max_size)) s = make_class(w, c, x, to, &below, err);
  return s == DM_OK ? report(w, c->form, with, &below, err) : s;
}

static dm_status expand(eclat_worker *w, eclat_class *c, dm_error *err) {
  cover_form to = form_below(w, c);
  for (size_t x = 0; x < c->n && !w->e->stop; x++) {
    dm_stack_mark mark = dm_stack_at(&w->memory);
    size_t pushed = w->e->n, perfect = w->e->n_perfect;
    push(w, c->members[x].item);
    dm_status s = visit(w, c, x, to, err);
    if (s != DM_OK) return s;
    pop_to(w, pushed);
    dm_emit_unperfect(w->e, perfect);
    dm_stack_back(&w->memory, mark);
  }
  return DM_OK;
}

/* ---- the class of one item -------------------------------------------------------- */

static int compare_items(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The rows with the task's item. */
static dm_status take_rows(eclat_worker *w, dm_error *err) {
  const vertical *v = w->v;
  const uint32_t *tids = v->tids + v->start[w->first];
  size_t n = v->start[w->first + 1] - v->start[w->first];
  uint32_t *row = dm_stack_take(&w->memory, n, sizeof *row, err), *weight = dm_stack_take(&w->memory, n, sizeof *weight, err);
  if (!row || !weight) return DM_EBUDGET;
  for (size_t t = 0; t < n; t++) {
    row[t] = v->row[tids[t]];
    weight[t] = v->db->weight[row[t]];
  }
  w->row = row;
  w->rows = (cover_rows){.n = n, .words = (n + 63) / 64, .weight = weight, .even = weight[0] == 1};
  return DM_OK;
}

/* Members of the class: what follows the item, and for closed sets the frequent items above it. @return false when the item leads to nothing */
static bool choose_members(eclat_worker *w, eclat_class *c) {
  const dm_itemdb *db = w->v->db;
  uint64_t whole = db->support[w->first];
  size_t ones = 0;
  w->n_all = 0;
  qsort(w->seen, w->n_seen, sizeof *w->seen, compare_items);
  for (size_t i = 0; i < w->n_seen; i++) {
    uint32_t k = w->seen[i];
    if (k == w->first) continue;
    if (k > w->first && w->support[k] == whole) return false; /* all rows have an item above */
    if (!follows(w, k, w->support[k], whole)) continue;
    w->all[w->n_all] = (cover){.item = k, .place = (uint32_t)w->n_all, .support = w->support[k]};
    w->n_all++;
    ones += w->length[k];
    c->n += k < w->first;
  }
  c->form = w->n_all * w->rows.words * sizeof(uint64_t) <= BITS_FROM * ones * sizeof(uint32_t) ? COVER_BITS : COVER_TIDS;
  return true;
}

/* The covers of the class, among the rows of its item. */
static dm_status fill_class(eclat_worker *w, eclat_class *c, uint32_t end, dm_error *err) {
  dm_status s = DM_OK;
  if (c->form == COVER_BITS) {
    uint64_t *block = dm_stack_take(&w->memory, cover_planes_words(&w->rows), sizeof *block, err);
    if (!block) return DM_EBUDGET;
    cover_planes(&w->rows, block);
  }
  size_t n = c->form == COVER_BITS ? w->n_all : c->n; /* with lists, the rows themselves tell of the items above */
  for (size_t m = 0; m < n && s == DM_OK; m++) s = make_cover(w, c->form, &w->all[m], err);
  if (s == DM_OK) deliver(w, c->form, NULL, w->rows.n, end);
  return s;
}

/* The task's item as a set, and all that follows it. */
static dm_status mine_item(eclat_worker *w, dm_error *err) {
  const vertical *v = w->v;
  uint64_t support = v->db->support[w->first];
  eclat_class c = {.members = w->all};
  dm_status s = take_rows(w, err);
  if (s != DM_OK) return s;
  push(w, w->first);
  if (v->kind == DM_GENERATORS) {
    if (!dm_generators_has_all_below(v->generators, w->e->items, 1, support)) return DM_OK;
    s = dm_generators_add(v->generators, w->e->items, 1, support, err);
  }
  uint32_t end = wants_closed(v) ? (uint32_t)v->db->n_items : w->first;
  count_rows(w, NULL, w->rows.n, end);
  c.rows = w->rows.n;
  bool leads = choose_members(w, &c), deeper = leads && c.n && w->e->n < v->max_size;
  if (s == DM_OK && deeper) s = fill_class(w, &c, end, err);
  forget_counts(w);
  if (!leads || s != DM_OK) return s;
  if (v->kind != DM_MAXIMAL || w->n_all == 0) dm_emit_set(w->e, support);
  return deeper ? expand(w, &c, err) : DM_OK;
}

static dm_status run_task(void *worker, size_t task, dm_emit *e, dm_error *err) {
  eclat_worker *w = worker;
  const vertical *v = w->v;
  dm_stack_mark mark = dm_stack_at(&w->memory);
  w->e = e;
  w->first = (uint32_t)(v->kind == DM_GENERATORS ? task : v->db->n_items - 1 - task); /* the last has the most items below it */
  dm_status s = mine_item(w, err);
  pop_to(w, 0);
  dm_emit_unperfect(e, 0);
  dm_stack_back(&w->memory, mark);
  return s;
}

/* ---- the whole -------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Rows by falling weight, equal ones as they stand. */
static dm_status order_rows(vertical *v, dm_error *err) {
  dm_ctx *ctx = v->ctx;
  size_t n = v->db->rows.n;
  uint64_t *keys = dm_alloc(ctx, n + 1, sizeof *keys, "eclat", err);
  if (!keys) return DM_EBUDGET;
  bool even = true;
  for (size_t r = 0; r < n; r++) {
    keys[r] = (uint64_t)(UINT32_MAX - v->db->weight[r]) << 32 | r;
    even &= v->db->weight[r] == v->db->weight[0];
  }
  if (!even) qsort(keys, n, sizeof *keys, compare_keys);
  for (size_t r = 0; r < n; r++) v->row[r] = (uint32_t)keys[r];
  dm_free(ctx, keys);
  return DM_OK;
}

static dm_status turn(vertical *v, dm_error *err) {
  const dm_csr *rows = &v->db->rows;
  size_t n_items = v->db->n_items, ones = rows->n ? rows->start[rows->n] : 0;
  if (!(v->row = dm_alloc(v->ctx, rows->n + 1, sizeof *v->row, "eclat", err)) ||
      !(v->start = dm_alloc(v->ctx, n_items + 2, sizeof *v->start, "eclat", err)) ||
      !(v->tids = dm_alloc(v->ctx, ones + 1, sizeof *v->tids, "eclat", err)))
    return DM_EBUDGET;
  dm_status s = order_rows(v, err);
  if (s != DM_OK) return s;
  size_t *next = v->start + 1; /* start of item i stands at i + 1 until it is filled */
  for (size_t i = 0; i < ones; i++) next[rows->index[i] + 1]++;
  for (size_t i = 0; i < n_items; i++) next[i + 1] += next[i];
  for (size_t t = 0; t < rows->n; t++) {
    size_t begin = rows->start[v->row[t]], end = rows->start[v->row[t] + 1];
    if (end - begin > v->longest) v->longest = end - begin;
    for (size_t i = begin; i < end; i++) v->tids[next[rows->index[i]]++] = (uint32_t)t;
  }
  return DM_OK;
}

static dm_status worker_init(eclat_worker *w, const vertical *v, dm_error *err) {
  dm_ctx *ctx = v->ctx;
  size_t n = v->db->n_items + 1;
  w->v = v;
  dm_stack_init(&w->memory, ctx);
  if (!(w->all = dm_alloc(ctx, n, sizeof *w->all, "eclat", err)) || !(w->seen = dm_alloc(ctx, n, sizeof *w->seen, "eclat", err)) ||
      !(w->support = dm_alloc(ctx, n, sizeof *w->support, "eclat", err)) ||
      !(w->length = dm_alloc(ctx, n, sizeof *w->length, "eclat", err)) ||
      !(w->to = dm_alloc(ctx, n, sizeof *w->to, "eclat", err)) || !(w->is_in = dm_alloc(ctx, n, sizeof *w->is_in, "eclat", err)) ||
      !(w->suspects = dm_alloc(ctx, v->longest + 1, sizeof *w->suspects, "eclat", err)))
    return DM_EBUDGET;
  return DM_OK;
}

static void worker_clear(dm_ctx *ctx, eclat_worker *w) {
  void *blocks[] = {w->all, w->seen, w->support, w->length, w->to, w->is_in, w->suspects};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) dm_free(ctx, blocks[i]);
  if (w->v) dm_stack_clear(&w->memory);
}

static dm_status mine_eclat(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  dm_generators generators;
  dm_generators_init(&generators, ctx, db->total);
  vertical v = {.ctx = ctx, .db = db, .kind = kind, .max_size = max_size, .generators = &generators};
  size_t n_workers = kind == DM_GENERATORS ? 1 : dm_ctx_threads(ctx); /* generators must be come to in order */
  eclat_worker *workers = dm_alloc(ctx, n_workers, sizeof *workers, "eclat", err);
  dm_status s = workers ? turn(&v, err) : DM_EBUDGET;
  for (size_t i = 0; i < n_workers && s == DM_OK; i++) s = worker_init(&workers[i], &v, err);
  if (s == DM_OK) s = dm_tasks_run(ctx, out, db->n_items, workers, sizeof *workers, n_workers, run_task, err);
  for (size_t i = 0; i < n_workers && workers; i++) worker_clear(ctx, &workers[i]);
  dm_free(ctx, workers);
  dm_free(ctx, v.row);
  dm_free(ctx, v.start);
  dm_free(ctx, v.tids);
  dm_generators_clear(&generators);
  return s;
}

const dm_miner dm_miner_eclat = {
    .name = "eclat",
    .summary = "vertical: rows of each item as bits, lists or differences, depth first",
    .kinds = 1 << DM_FREQUENT | 1 << DM_CLOSED | 1 << DM_MAXIMAL | 1 << DM_GENERATORS,
    .limits_size = true,
    .mine = mine_eclat,
};
