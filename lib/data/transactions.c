/*
 * Transactions in memory, and how they are built: row by row into one growing
 * list of codes, or from pairs (tid, code), of which each run of one tid keeps
 * the number of its row; where a tid came in several runs, the codes are dealt
 * out to their rows at the end. Then, too, codes that a row has twice go.
 *
 *   pairs (7, a) (7, b) (9, b) (7, c)
 *   codes a b b c     runs (row 0, 2 codes) (row 1, 1) (row 0, 1)     rows  7: a b c | 9: b
 */
#include "data/code_rows.h"

#include <string.h>

/* Numbers of the tids in order of first appearance. As long as they ascend nothing is looked up; then open addressing, slot = number + 1. */
typedef struct tid_table {
  int64_t *tids; /* [n] */
  size_t n, capacity;
  uint32_t *slots; /* NULL as long as they ascend */
  size_t n_slots;  /* power of two */
} tid_table;

typedef struct run {
  uint32_t row, n; /* the next n codes are of that row */
} run;

struct dm_transactions_builder {
  dm_ctx *ctx;
  dm_items *items;
  dm_code_rows rows;  /* of runs: its index has the codes as they came, and there are no rows yet */
  uint32_t *weight;   /* [weight_capacity] of the rows, or of the tids; NULL as long as each counts once */
  size_t weight_capacity;
  run *runs;          /* [n_runs]; the last one is open and its n not known */
  size_t n_runs, run_capacity;
  size_t run_begin;   /* in the index, of the open run */
  tid_table tids;     /* of runs */
  uint64_t total, empty;
};

dm_status dm_transactions_builder_new(dm_ctx *ctx, dm_transactions_builder **out, dm_error *err) {
  dm_transactions_builder *b = dm_alloc(ctx, 1, sizeof *b, "transactions", err);
  if (!b) return DM_EBUDGET;
  b->ctx = ctx;
  dm_status s = dm_items_new(ctx, &b->items, err);
  if (s == DM_OK) s = dm_code_rows_init(&b->rows, ctx, err);
  if (s != DM_OK) {
    dm_transactions_builder_free(b);
    return s;
  }
  *out = b;
  return DM_OK;
}

void dm_transactions_builder_free(dm_transactions_builder *b) {
  if (!b) return;
  dm_items_free(b->items);
  dm_code_rows_clear(&b->rows);
  dm_free(b->ctx, b->weight);
  dm_free(b->ctx, b->runs);
  dm_free(b->ctx, b->tids.tids);
  dm_free(b->ctx, b->tids.slots);
  dm_free(b->ctx, b);
}

dm_status dm_transactions_builder_code(dm_transactions_builder *b, const char *p, size_t n, uint32_t *code, dm_error *err) {
  return dm_items_add(b->items, p, n, code, err);
}

dm_status dm_transactions_builder_add(dm_transactions_builder *b, uint32_t code, dm_error *err) {
  dm_status s = dm_code_rows_codes(&b->rows, b->items->n, err);
  if (s == DM_OK) s = dm_code_rows_reserve(&b->rows, 1, 1, err);
  if (s != DM_OK) return s;
  if (b->n_runs)
    b->rows.index[b->rows.n_index++] = code;
  else
    dm_code_rows_add(&b->rows, code);
  return DM_OK;
}

dm_status dm_transactions_builder_item(dm_transactions_builder *b, const char *p, size_t n, dm_error *err) {
  uint32_t code;
  dm_status s = dm_items_add(b->items, p, n, &code, err);
  return s == DM_OK ? dm_transactions_builder_add(b, code, err) : s;
}

/* From the first row on that counts more than once, each has its weight. */
static dm_status keep_weight(dm_transactions_builder *b, size_t row, uint64_t weight, dm_error *err) {
  if (!b->weight && weight == 1) return DM_OK;
  if (row >= b->weight_capacity) {
    size_t capacity = row + row / 2 + 1024;
    uint32_t *grown = dm_realloc(b->ctx, b->weight, capacity, sizeof *grown, "transactions", err);
    if (!grown) return DM_EBUDGET;
    for (size_t i = 0; !b->weight && i < row; i++) grown[i] = 1;
    b->weight = grown;
    b->weight_capacity = capacity;
  }
  b->weight[row] = (uint32_t)weight;
  return DM_OK;
}

static dm_status check_weight(const dm_transactions_builder *b, uint64_t weight, dm_error *err) {
  size_t before = b->n_runs ? b->tids.n : b->rows.n + (size_t)b->rows.empty;
  if (weight < 1 || weight > UINT32_MAX)
    return dm_fail(err, DM_EINPUT, "transaction %zu: counts %llu times, want 1 to %u", before + 1, (unsigned long long)weight, UINT32_MAX);
  if (b->total > UINT64_MAX - weight) return dm_fail(err, DM_EINPUT, "transactions: they count more than 2^64 times together");
  return DM_OK;
}

dm_status dm_transactions_builder_end(dm_transactions_builder *b, uint64_t weight, dm_error *err) {
  dm_status s = check_weight(b, weight, err);
  if (s == DM_OK) s = dm_code_rows_reserve(&b->rows, 1, 1, err);
  if (s != DM_OK) return s;
  b->total += weight;
  if (dm_code_rows_end(&b->rows)) return keep_weight(b, b->rows.n - 1, weight, err);
  b->empty += weight;
  return DM_OK;
}

/* ---- pairs --------------------------------------------------------------------- */

static size_t tid_slot(const tid_table *t, int64_t tid) {
  uint64_t hash = (uint64_t)tid * 0x9E3779B97F4A7C15u;
  size_t mask = t->n_slots - 1, at = (size_t)(hash ^ hash >> 32) & mask;
  while (t->slots[at] && t->tids[t->slots[at] - 1] != tid) at = (at + 1) & mask;
  return at;
}

static void fill_slots(tid_table *t) {
  for (size_t i = 0; i < t->n; i++) t->slots[tid_slot(t, t->tids[i])] = (uint32_t)(i + 1);
}

static dm_status new_slots(dm_ctx *ctx, tid_table *t, dm_error *err) {
  uint32_t *slots = dm_alloc(ctx, t->capacity * 2, sizeof *slots, "transactions", err);
  if (!slots) return DM_EBUDGET;
  dm_free(ctx, t->slots);
  t->slots = slots;
  t->n_slots = t->capacity * 2;
  fill_slots(t);
  return DM_OK;
}

static dm_status grow_tids(dm_ctx *ctx, tid_table *t, dm_error *err) {
  size_t capacity = t->capacity ? t->capacity * 2 : 1024;
  if (capacity > UINT32_MAX) return dm_fail(err, DM_EBUDGET, "transactions: more than %u ids", UINT32_MAX / 2);
  int64_t *tids = dm_realloc(ctx, t->tids, capacity, sizeof *tids, "transactions", err);
  if (!tids) return DM_EBUDGET;
  t->tids = tids;
  t->capacity = capacity;
  return t->slots ? new_slots(ctx, t, err) : DM_OK;
}

/* @param number of the tid; t->n when it is not there yet. */
static dm_status find_tid(dm_ctx *ctx, tid_table *t, int64_t tid, size_t *number, dm_error *err) {
  *number = t->n;
  if (t->n == 0 || (!t->slots && tid > t->tids[t->n - 1])) return DM_OK;
  dm_status s = t->slots ? DM_OK : new_slots(ctx, t, err);
  if (s != DM_OK) return s;
  uint32_t slot = t->slots[tid_slot(t, tid)];
  if (slot) *number = slot - 1;
  return DM_OK;
}

static dm_status add_tid(dm_ctx *ctx, tid_table *t, int64_t tid, dm_error *err) {
  if (t->n == t->capacity) {
    dm_status s = grow_tids(ctx, t, err);
    if (s != DM_OK) return s;
  }
  if (t->slots) t->slots[tid_slot(t, tid)] = (uint32_t)t->n + 1;
  t->tids[t->n++] = tid;
  return DM_OK;
}

static void close_run(dm_transactions_builder *b) {
  if (b->n_runs) b->runs[b->n_runs - 1].n = (uint32_t)(b->rows.n_index - b->run_begin);
  b->run_begin = b->rows.n_index;
}

static dm_status open_run(dm_transactions_builder *b, size_t row, dm_error *err) {
  close_run(b);
  if (b->n_runs == b->run_capacity) {
    size_t capacity = b->run_capacity ? b->run_capacity + b->run_capacity / 2 : 1024;
    run *runs = dm_realloc(b->ctx, b->runs, capacity, sizeof *runs, "transactions", err);
    if (!runs) return DM_EBUDGET;
    b->runs = runs;
    b->run_capacity = capacity;
  }
  b->runs[b->n_runs++] = (run){.row = (uint32_t)row};
  return DM_OK;
}

static dm_status new_tid(dm_transactions_builder *b, int64_t tid, uint64_t weight, dm_error *err) {
  dm_status s = check_weight(b, weight, err);
  if (s == DM_OK) s = keep_weight(b, b->tids.n, weight, err);
  if (s == DM_OK) s = add_tid(b->ctx, &b->tids, tid, err);
  if (s == DM_OK) b->total += weight;
  return s;
}

dm_status dm_transactions_builder_tid(dm_transactions_builder *b, int64_t tid, uint64_t weight, dm_error *err) {
  size_t row, open = b->n_runs ? b->runs[b->n_runs - 1].row : SIZE_MAX;
  dm_status s = DM_OK;
  if (open != SIZE_MAX && b->tids.tids[open] == tid)
    row = open;
  else
    s = find_tid(b->ctx, &b->tids, tid, &row, err);
  if (s != DM_OK) return s;
  if (row == b->tids.n) {
    s = new_tid(b, tid, weight, err);
    if (s != DM_OK) return s;
  }
  uint64_t before = b->weight ? b->weight[row] : 1;
  if (before != weight)
    return dm_fail(err, DM_EINPUT, "a transaction that counts %llu times counts %llu times in another row", (unsigned long long)before,
                   (unsigned long long)weight);
  bool full = row == open && b->rows.n_index - b->run_begin > UINT32_MAX / 2;
  return row != open || full ? open_run(b, row, err) : DM_OK;
}

dm_status dm_transactions_builder_pair(dm_transactions_builder *b, int64_t tid, uint32_t code, dm_error *err) {
  dm_status s = dm_transactions_builder_tid(b, tid, 1, err);
  return s == DM_OK ? dm_transactions_builder_add(b, code, err) : s;
}

/* Where each row begins, in start[row + 1]; then its codes to their place, which moves these on to the rows' ends. */
static dm_status deal_runs(const dm_transactions_builder *b, dm_code_rows *dealt, dm_error *err) {
  size_t n = b->tids.n, *end = dealt->start + 1;
  dm_status s = dm_code_rows_reserve(dealt, b->rows.n_index, 0, err);
  if (s != DM_OK) return s;
  for (size_t i = 0; i < b->n_runs; i++) end[b->runs[i].row + 1] += b->runs[i].n;
  for (size_t r = 0; r < n; r++) end[r + 1] += end[r];
  const uint32_t *from = b->rows.index;
  for (size_t i = 0; i < b->n_runs; from += b->runs[i++].n) {
    size_t *to = &end[b->runs[i].row];
    if (b->runs[i].n) memcpy(dealt->index + *to, from, b->runs[i].n * sizeof *from);
    *to += b->runs[i].n;
  }
  return DM_OK;
}

/* Each row came in one run, and they are in order. */
static void keep_runs(dm_transactions_builder *b, dm_code_rows *dealt) {
  for (size_t r = 0; r < b->n_runs; r++) dealt->start[r + 1] = dealt->start[r] + b->runs[r].n;
  dm_free(b->ctx, dealt->index);
  dealt->index = b->rows.index;
  dealt->index_capacity = b->rows.index_capacity;
  b->rows.index = NULL;
}

/* Rows of the runs, each code of a row once; those without codes go. */
static dm_status end_runs(dm_transactions_builder *b, dm_error *err) {
  size_t n = b->tids.n;
  dm_code_rows dealt;
  close_run(b);
  dm_status s = dm_code_rows_init(&dealt, b->ctx, err);
  if (s == DM_OK) s = dm_code_rows_reserve(&dealt, 0, n + 1, err);
  if (s == DM_OK) s = dm_code_rows_codes(&dealt, b->items->n, err);
  if (s == DM_OK && b->n_runs != n) s = deal_runs(b, &dealt, err);
  if (s != DM_OK) {
    dm_code_rows_clear(&dealt);
    return s;
  }
  if (b->n_runs == n) keep_runs(b, &dealt);
  for (size_t r = 0, from = 0, to; r < n; r++) {
    uint32_t weight = b->weight ? b->weight[r] : 1;
    for (to = dealt.start[r + 1]; from < to; from++) dm_code_rows_add(&dealt, dealt.index[from]);
    if (!dm_code_rows_end(&dealt))
      b->empty += weight;
    else if (b->weight)
      b->weight[dealt.n - 1] = weight;
  }
  dm_code_rows_clear(&b->rows);
  b->rows = dealt;
  return DM_OK;
}

/* ---- the end ------------------------------------------------------------------- */

dm_status dm_transactions_builder_finish(dm_transactions_builder *b, dm_transactions **out, dm_error *err) {
  dm_status s = b->n_runs ? end_runs(b, err) : DM_OK;
  if (s == DM_OK) s = dm_code_rows_finish(&b->rows, b->items, b->weight, b->total, b->empty, out, err);
  if (s == DM_OK) {
    b->items = NULL;
    b->weight = NULL;
  }
  dm_transactions_builder_free(b);
  return s;
}

void dm_transactions_free(dm_transactions *t) {
  if (!t) return;
  dm_ctx *ctx = t->ctx;
  dm_items_free(t->memory);
  dm_csr_clear(ctx, &t->rows);
  dm_free(ctx, t->weight);
  dm_free(ctx, t->support);
  dm_free(ctx, (void *)(uintptr_t)t->parent_start);
  dm_free(ctx, (void *)(uintptr_t)t->parent);
  dm_free(ctx, t);
}

size_t dm_transactions_find(const dm_transactions *t, dm_str name) { return dm_items_find(t->memory, name.p, name.n); }
