/*
 * The fast search for frequent sets: depth first over items by rising support,
 * each set's rows in the form that suits their number and length (hybrid.h).
 * Where only numbers are wanted, sets are counted many at once and not gone
 * through: tables of supports, products over perfect items, and groups of
 * items that are frequent all together.
 *
 *   tasks     the first item of a set is the one that is rarest: task 0 has the sets whose first item is the last of
 *             the database, and so on; items with few rows share a task
 *   threads   take tasks in this order; what they share is only read
 *
 * Sources: see the files of the three forms.
 */
#include "patterns/hybrid.h"
#include "patterns/tasks.h"

enum { TASK_ROWS = 1024 }; /* rows of the items that share a task */

/* ---- what all threads read -------------------------------------------------------- */

static dm_status init_masks(hybrid *h, dm_error *err) {
  const dm_itemdb *db = h->db;
  hybrid_masks *m = &h->masks;
  if (!(m->mask = dm_alloc(h->ctx, db->rows.n + 1, sizeof *m->mask, "search", err))) return DM_EBUDGET;
  m->weight = db->weight;
  m->n = db->rows.n;
  m->columns = (unsigned)db->n_items;
  m->support = (uint32_t)db->total;
  for (unsigned i = 0; i < m->columns; i++) m->item[i] = i;
  for (size_t r = 0; r < m->n; r++)
    for (size_t i = db->rows.start[r]; i < db->rows.start[r + 1]; i++) m->mask[r] |= (uint64_t)1 << db->rows.index[i];
  return DM_OK;
}

/* Items from the last one on, those with few rows together. */
static dm_status share_out(hybrid *h, dm_error *err) {
  size_t n = h->db->n_items;
  if (!(h->task = dm_alloc(h->ctx, n + 1, sizeof *h->task, "search", err))) return DM_EBUDGET;
  size_t rows = TASK_ROWS;
  for (size_t i = n; i-- > 0;) {
    if (rows >= TASK_ROWS) {
      h->task[h->n_tasks++] = i + 1;
      rows = 0;
    }
    rows += 1 + h->lists.first[i + 1] - h->lists.first[i];
  }
  h->task[h->n_tasks] = 0;
  return DM_OK;
}

static dm_status init(hybrid *h, dm_error *err) {
  const dm_itemdb *db = h->db;
  h->k = dm_k_masks_choose();
  h->min = (uint32_t)db->min_support;
  if (!(h->support = dm_alloc(h->ctx, db->n_items, sizeof *h->support, "search", err))) return DM_EBUDGET;
  for (size_t i = 0; i < db->n_items; i++) h->support[i] = (uint32_t)db->support[i];
  for (size_t r = 0; r < db->rows.n; r++) {
    size_t n = db->rows.start[r + 1] - db->rows.start[r];
    if (n > h->longest) h->longest = n;
  }
  size_t few = h->longest * HYBRID_WORD;
  h->few = few < db->n_items ? few : db->n_items;
  if (db->n_items <= 64) return init_masks(h, err);
  dm_status s = hybrid_lists_init(h, err);
  return s == DM_OK ? share_out(h, err) : s;
}

static void clear(hybrid *h) {
  dm_free(h->ctx, h->support);
  dm_free(h->ctx, h->task);
  dm_free(h->ctx, h->masks.mask);
  hybrid_lists_clear(h);
}

/* ---- what a thread has -------------------------------------------------------------- */

static dm_status worker_init(hybrid_worker *w, const hybrid *h, dm_error *err) {
  dm_ctx *ctx = h->ctx;
  size_t few = h->few + DM_K_SPARE, n = h->lists.row ? h->db->n_items + DM_K_SPARE : 1;
  w->h = h;
  dm_stack_init(&w->memory, ctx);
  if (!(w->table = dm_alloc(ctx, (size_t)1 << HYBRID_TABLE, sizeof *w->table, "search", err)) ||
      !(w->count = dm_alloc(ctx, n, sizeof *w->count, "search", err)) || !(w->code = dm_alloc(ctx, n, sizeof *w->code, "search", err)) ||
      !(w->word = dm_alloc(ctx, n, sizeof *w->word, "search", err)) || !(w->seen = dm_alloc(ctx, few, sizeof *w->seen, "search", err)) ||
      !(w->equals = dm_alloc(ctx, few, sizeof *w->equals, "search", err)) ||
      !(w->columns.word = dm_alloc(ctx, few, sizeof *w->columns.word, "search", err)) ||
      !(w->columns.item = dm_alloc(ctx, few, sizeof *w->columns.item, "search", err)) ||
      !(w->columns.support = dm_alloc(ctx, few, sizeof *w->columns.support, "search", err)))
    return DM_EBUDGET;
  memset(w->code, 0xff, n * sizeof *w->code);
  return DM_OK;
}

static void worker_clear(dm_ctx *ctx, hybrid_worker *w) {
  void *blocks[] = {w->table, w->count, w->code, w->word, w->seen, w->equals, w->columns.word, w->columns.item, w->columns.support};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) dm_free(ctx, blocks[i]);
  if (w->h) dm_stack_clear(&w->memory);
}

/* ---- tasks ---------------------------------------------------------------------------- */

static dm_status finish(hybrid_worker *w, dm_status s) {
  w->e->n = w->e->kept = w->e->n_perfect = 0;
  return s == DM_OK ? dm_ctx_check(w->h->ctx, w->err) : s;
}

/* The sets that begin with one item; the last task has those of the first items together. */
static dm_status run_masks(void *worker, size_t task, dm_emit *e, dm_error *err) {
  hybrid_worker *w = worker;
  const hybrid_masks *m = &w->h->masks;
  w->e = e;
  w->err = err;
  if (task + 1 < w->h->n_tasks) return finish(w, hybrid_masks_extend(w, m, m->columns - 1 - (unsigned)task));
  hybrid_masks_first(w, m, m->columns - (unsigned)task);
  return finish(w, DM_OK);
}

static dm_status run_lists(void *worker, size_t task, dm_emit *e, dm_error *err) {
  hybrid_worker *w = worker;
  const hybrid *h = w->h;
  dm_status s = DM_OK;
  w->e = e;
  w->err = err;
  for (size_t i = h->task[task]; i-- > h->task[task + 1] && s == DM_OK && hybrid_goes_on(w);)
    s = hybrid_lists_extend(w, &h->lists, (uint32_t)i);
  return finish(w, s);
}

static dm_status mine_hybrid(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err) {
  if (db->n_items == 0) return dm_reporter_tasks(out, 0, err);
  /* supports and places of items have 32 bits here */
  if (db->total > UINT32_MAX || db->rows.start[db->rows.n] >= UINT32_MAX / 2) return dm_miner_eclat.mine(ctx, db, kind, max_size, out, err);
  hybrid h = {.ctx = ctx, .db = db, .max_size = max_size};
  size_t n_workers = dm_ctx_threads(ctx);
  hybrid_worker *workers = dm_alloc(ctx, n_workers, sizeof *workers, "search", err);
  dm_status s = workers ? init(&h, err) : DM_EBUDGET;
  for (size_t i = 0; i < n_workers && s == DM_OK; i++) s = worker_init(&workers[i], &h, err);
  bool is_short = db->n_items <= 64;
  if (s == DM_OK && is_short) {
    unsigned few = h.masks.columns < HYBRID_TABLE ? h.masks.columns : HYBRID_TABLE;
    h.n_tasks = 1 + h.masks.columns - few;
  }
  if (s == DM_OK) s = dm_tasks_run(ctx, out, h.n_tasks, workers, sizeof *workers, n_workers, is_short ? run_masks : run_lists, err);
  for (size_t i = 0; i < n_workers && workers; i++) worker_clear(ctx, &workers[i]);
  dm_free(ctx, workers);
  clear(&h);
  return s;
}

const dm_miner dm_miner_hybrid = {
    .name = "hybrid",
    .summary = "fast: lists, masks or words of rows, whichever suits; sets counted many at once",
    .kinds = 1 << DM_FREQUENT,
    .limits_size = true,
    .mine = mine_hybrid,
};
