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

/* Rows whose first 64 items are the same stand together, most of them: they are one here. */
static dm_status init_masks(hybrid *h, dm_error *err) {
  const dm_itemdb *db = h->db;
  const dm_csr *rows = &db->rows;
  hybrid_masks *m = &h->masks;
  m->columns = db->n_items < 64 ? (unsigned)db->n_items : 64;
  m->support = (uint32_t)db->total;
  if (!(m->mask = dm_alloc(h->ctx, rows->n, sizeof *m->mask, "search", err)) ||
      !(m->weight = dm_alloc(h->ctx, rows->n, sizeof *m->weight, "search", err)))
    return DM_EBUDGET;
  for (unsigned i = 0; i < m->columns; i++) m->item[i] = i;
  for (size_t r = 0; r < rows->n; r++) {
    uint64_t mask = 0;
    for (size_t i = rows->start[r]; i < rows->start[r + 1] && rows->index[i] < 64; i++) mask |= (uint64_t)1 << rows->index[i];
    if (!mask) continue;
    m->n += m->n == 0 || mask != m->mask[m->n - 1];
    m->mask[m->n - 1] = mask;
    m->weight[m->n - 1] += db->weight[r];
  }
  return DM_OK;
}

static dm_status init_wide(hybrid *h, dm_error *err) {
  const dm_itemdb *db = h->db;
  const dm_csr *rows = &db->rows;
  hybrid_wide *w = &h->wide;
  if (!(w->low = dm_alloc(h->ctx, rows->n, sizeof *w->low, "search", err)) ||
      !(w->high = dm_alloc(h->ctx, rows->n, sizeof *w->high, "search", err)))
    return DM_EBUDGET;
  w->weight = db->weight;
  w->n = rows->n;
  w->columns = (unsigned)db->n_items;
  w->support = (uint32_t)db->total;
  for (unsigned i = 0; i < w->columns; i++) w->item[i] = i;
  for (size_t r = 0; r < rows->n; r++)
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++)
      *(rows->index[i] < 64 ? &w->low[r] : &w->high[r]) |= (uint64_t)1 << (rows->index[i] & 63);
  return DM_OK;
}

/* Items from the last one on, those with few rows together; of the first 64 each for itself, but the very first ones. */
static dm_status share_out(hybrid *h, dm_error *err) {
  size_t n = h->db->n_items, rows = TASK_ROWS;
  if (!(h->task = dm_alloc(h->ctx, n + 1, sizeof *h->task, "search", err))) return DM_EBUDGET;
  for (size_t i = n; i-- > 0;) {
    if (i < HYBRID_FEW) {
      h->task[h->n_tasks++] = i + 1;
      break;
    }
    if (rows >= TASK_ROWS || i < 64) {
      h->task[h->n_tasks++] = i + 1;
      rows = i == 64 ? TASK_ROWS : 0;
    }
    rows += h->lists.row ? 1 + h->lists.first[i + 1] - h->lists.first[i] : TASK_ROWS;
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
  dm_status s = init_masks(h, err);
  if (s == DM_OK && db->n_items > 64) s = db->n_items <= 128 ? init_wide(h, err) : hybrid_lists_init(h, err);
  return s == DM_OK ? share_out(h, err) : s;
}

static void clear(hybrid *h) {
  dm_free(h->ctx, h->support);
  dm_free(h->ctx, h->task);
  dm_free(h->ctx, h->masks.mask);
  dm_free(h->ctx, h->masks.weight);
  dm_free(h->ctx, h->wide.low);
  dm_free(h->ctx, h->wide.high);
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

/* The sets whose first item is one of the task's. */
static dm_status run_task(void *worker, size_t task, dm_emit *e, dm_error *err) {
  hybrid_worker *w = worker;
  const hybrid *h = w->h;
  size_t i = h->task[task], end = h->task[task + 1];
  dm_status s = DM_OK;
  w->e = e;
  w->err = err;
  if (i <= HYBRID_FEW && end == 0) {
    hybrid_masks_first(w, &h->masks, (unsigned)i);
    return dm_ctx_check(h->ctx, err);
  }
  for (; i-- > end && s == DM_OK && hybrid_goes_on(w);)
    s = i < 64        ? hybrid_masks_extend(w, &h->masks, (unsigned)i)
        : h->wide.low ? hybrid_wide_extend(w, &h->wide, (unsigned)i)
                      : hybrid_lists_extend(w, &h->lists, (uint32_t)i);
  return s == DM_OK ? dm_ctx_check(h->ctx, err) : s;
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
  if (s == DM_OK) s = dm_tasks_run(ctx, out, h.n_tasks, workers, sizeof *workers, n_workers, run_task, err);
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
