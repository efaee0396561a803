/*
 * Transactions in memory, and how they are built: row by row into one growing
 * list of codes, or from pairs (tid, code), of which each run of one tid keeps
 * the number of its row; where a tid came in several runs, the codes are dealt
 * out to their rows at the end.
 *
 *   pairs (7, a) (7, b) (9, b) (7, c)
 *   codes a b b c     runs (row 0, 2 codes) (row 1, 1) (row 0, 1)     rows  7: a b c | 9: b
 */
#include "data/codes.h"
#include "data/items.h"

#include <dm/data.h>

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
  dm_codes codes;
  uint32_t *index; /* codes of the rows, then of the row being built; of pairs: of all pairs */
  size_t n_index, index_capacity;
  size_t *start;   /* [n_rows + 1] */
  size_t n_rows, row_capacity;
  uint32_t *weight; /* [row_capacity], NULL as long as every row counts once */
  run *runs;        /* [n_runs] of pairs; the last one is open and its n not known */
  size_t n_runs, run_capacity;
  size_t run_begin; /* in index, of the open run */
  tid_table tids;   /* of pairs */
  uint64_t total, empty, repeated;
};

dm_status dm_transactions_builder_new(dm_ctx *ctx, dm_transactions_builder **out, dm_error *err) {
  dm_transactions_builder *b = dm_alloc(ctx, 1, sizeof *b, "transactions", err);
  if (!b) return DM_EBUDGET;
  b->ctx = ctx;
  dm_status s = dm_items_new(ctx, &b->items, err);
  if (s == DM_OK) s = dm_codes_init(&b->codes, ctx, err);
  b->row_capacity = 1024;
  if (s == DM_OK && !(b->start = dm_alloc(ctx, b->row_capacity + 1, sizeof *b->start, "transactions", err))) s = DM_EBUDGET;
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
  dm_codes_clear(&b->codes);
  dm_free(b->ctx, b->index);
  dm_free(b->ctx, b->start);
  dm_free(b->ctx, b->weight);
  dm_free(b->ctx, b->runs);
  dm_free(b->ctx, b->tids.tids);
  dm_free(b->ctx, b->tids.slots);
  dm_free(b->ctx, b);
}

/* A half more: what is copied and what lies idle stay near in size. */
static dm_status grow_index(dm_transactions_builder *b, dm_error *err) {
  size_t capacity = b->index_capacity ? b->index_capacity + b->index_capacity / 2 : 4096;
  uint32_t *index = dm_realloc(b->ctx, b->index, capacity, sizeof *index, "transactions", err);
  if (!index) return DM_EBUDGET;
  b->index = index;
  b->index_capacity = capacity;
  return DM_OK;
}

static dm_status grow_rows(dm_transactions_builder *b, dm_error *err) {
  size_t capacity = b->row_capacity + b->row_capacity / 2;
  size_t *start = dm_realloc(b->ctx, b->start, capacity + 1, sizeof *start, "transactions", err);
  if (!start) return DM_EBUDGET;
  b->start = start;
  if (b->weight) {
    uint32_t *weight = dm_realloc(b->ctx, b->weight, capacity, sizeof *weight, "transactions", err);
    if (!weight) return DM_EBUDGET;
    b->weight = weight;
  }
  b->row_capacity = capacity;
  return DM_OK;
}

dm_status dm_transactions_builder_code(dm_transactions_builder *b, const char *p, size_t n, uint32_t *code, dm_error *err) {
  return dm_items_add(b->items, p, n, code, err);
}

dm_status dm_transactions_builder_add(dm_transactions_builder *b, uint32_t code, dm_error *err) {
  if (b->n_index == b->index_capacity) {
    dm_status s = grow_index(b, err);
    if (s != DM_OK) return s;
  }
  b->index[b->n_index++] = code;
  return DM_OK;
}

dm_status dm_transactions_builder_item(dm_transactions_builder *b, const char *p, size_t n, dm_error *err) {
  uint32_t code;
  dm_status s = dm_items_add(b->items, p, n, &code, err);
  return s == DM_OK ? dm_transactions_builder_add(b, code, err) : s;
}

/* From the first row on that counts more than once. */
static dm_status begin_weights(dm_transactions_builder *b, dm_error *err) {
  b->weight = dm_alloc(b->ctx, b->row_capacity, sizeof *b->weight, "transactions", err);
  if (!b->weight) return DM_EBUDGET;
  for (size_t i = 0; i < b->n_rows; i++) b->weight[i] = 1;
  return DM_OK;
}

static dm_status check_weight(const dm_transactions_builder *b, uint64_t weight, dm_error *err) {
  if (weight < 1 || weight > UINT32_MAX)
    return dm_fail(err, DM_EINPUT, "transaction %zu: counts %llu times, want 1 to %u", b->n_rows + (size_t)b->empty + 1, (unsigned long long)weight, UINT32_MAX);
  if (b->total > UINT64_MAX - weight) return dm_fail(err, DM_EINPUT, "transactions: they count more than 2^64 times together");
  return DM_OK;
}

dm_status dm_transactions_builder_end(dm_transactions_builder *b, uint64_t weight, dm_error *err) {
  dm_status s = check_weight(b, weight, err);
  if (s != DM_OK) return s;
  size_t begin = b->start[b->n_rows], n = b->n_index - begin;
  b->total += weight;
  if (n == 0) {
    b->empty += weight;
    return DM_OK;
  }
  s = dm_codes_limit(&b->codes, dm_items_n(b->items), err);
  if (s == DM_OK && b->n_rows == b->row_capacity) s = grow_rows(b, err);
  if (s == DM_OK && weight > 1 && !b->weight) s = begin_weights(b, err);
  if (s != DM_OK) return s;
  size_t kept = dm_codes_sort(&b->codes, b->index + begin, n);
  b->repeated += n - kept;
  b->n_index = begin + kept;
  if (b->weight) b->weight[b->n_rows] = (uint32_t)weight;
  b->start[++b->n_rows] = b->n_index;
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
  if (b->n_runs) b->runs[b->n_runs - 1].n = (uint32_t)(b->n_index - b->run_begin);
  b->run_begin = b->n_index;
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

/* A row without codes yet: start is dealt out at the end. */
static dm_status new_row(dm_transactions_builder *b, int64_t tid, uint64_t weight, dm_error *err) {
  dm_status s = check_weight(b, weight, err);
  if (s == DM_OK) s = add_tid(b->ctx, &b->tids, tid, err);
  if (s == DM_OK && b->n_rows == b->row_capacity) s = grow_rows(b, err);
  if (s == DM_OK && weight > 1 && !b->weight) s = begin_weights(b, err);
  if (s != DM_OK) return s;
  if (b->weight) b->weight[b->n_rows] = (uint32_t)weight;
  b->n_rows++;
  b->total += weight;
  return DM_OK;
}

dm_status dm_transactions_builder_tid(dm_transactions_builder *b, int64_t tid, uint64_t weight, dm_error *err) {
  size_t row, open = b->n_runs ? b->runs[b->n_runs - 1].row : SIZE_MAX;
  dm_status s = DM_OK;
  if (open != SIZE_MAX && b->tids.tids[open] == tid)
    row = open;
  else
    s = find_tid(b->ctx, &b->tids, tid, &row, err);
  if (s != DM_OK) return s;
  if (row == b->n_rows) {
    s = new_row(b, tid, weight, err);
    if (s != DM_OK) return s;
  }
  uint64_t before = b->weight ? b->weight[row] : 1;
  if (before != weight)
    return dm_fail(err, DM_EINPUT, "a transaction that counts %llu times counts %llu times in another row", (unsigned long long)before,
                   (unsigned long long)weight);
  bool full = row == open && b->n_index - b->run_begin > UINT32_MAX / 2;
  return row != open || full ? open_run(b, row, err) : DM_OK;
}

dm_status dm_transactions_builder_pair(dm_transactions_builder *b, int64_t tid, uint32_t code, dm_error *err) {
  dm_status s = dm_transactions_builder_tid(b, tid, 1, err);
  return s == DM_OK ? dm_transactions_builder_add(b, code, err) : s;
}

/* Codes of rows in several runs, to their rows in the order in which they came. */
static dm_status deal_runs(dm_transactions_builder *b, dm_error *err) {
  uint32_t *index = dm_alloc(b->ctx, b->n_index, sizeof *index, "transactions", err);
  if (!index) return DM_EBUDGET;
  const uint32_t *from = b->index;
  for (size_t i = 0; i < b->n_runs; from += b->runs[i++].n) {
    size_t *to = &b->start[b->runs[i].row];
    if (b->runs[i].n) memcpy(index + *to, from, b->runs[i].n * sizeof *index);
    *to += b->runs[i].n;
  }
  memmove(b->start + 1, b->start, b->n_rows * sizeof *b->start); /* each start has moved on to its row's end */
  b->start[0] = 0;
  dm_free(b->ctx, b->index);
  b->index = index;
  return DM_OK;
}

static dm_status end_runs(dm_transactions_builder *b, dm_error *err) {
  close_run(b);
  memset(b->start, 0, (b->n_rows + 1) * sizeof *b->start);
  for (size_t i = 0; i < b->n_runs; i++) b->start[b->runs[i].row + 1] += b->runs[i].n;
  for (size_t r = 0; r < b->n_rows; r++) b->start[r + 1] += b->start[r];
  dm_status s = b->n_runs == b->n_rows ? DM_OK : deal_runs(b, err); /* as many: each row came in one run, and they are in order */
  dm_free(b->ctx, b->runs);
  b->runs = NULL;
  return s == DM_OK ? dm_codes_limit(&b->codes, dm_items_n(b->items), err) : s;
}

/* Rows into order, one behind the other; those without codes go. */
static void sort_rows(dm_transactions_builder *b) {
  size_t to = 0, rows = 0;
  for (size_t r = 0; r < b->n_rows; r++) {
    size_t begin = b->start[r], n = b->start[r + 1] - begin;
    if (n == 0) {
      b->empty += b->weight ? b->weight[r] : 1;
      continue;
    }
    size_t kept = dm_codes_sort(&b->codes, b->index + begin, n);
    b->repeated += n - kept;
    memmove(b->index + to, b->index + begin, kept * sizeof *b->index);
    if (b->weight) b->weight[rows] = b->weight[r];
    b->start[rows++] = to;
    to += kept;
  }
  b->n_rows = rows;
  b->start[rows] = b->n_index = to;
}

/* ---- the end ------------------------------------------------------------------- */

dm_status dm_transactions_builder_finish(dm_transactions_builder *b, dm_transactions **out, dm_error *err) {
  dm_transactions *t = NULL;
  dm_status s = DM_OK;
  if (b->n_runs) {
    s = end_runs(b, err);
    if (s == DM_OK) sort_rows(b);
  }
  if (s == DM_OK && b->total == 0) s = dm_fail(err, DM_EINPUT, "there is no transaction");
  if (s == DM_OK && !(t = dm_alloc(b->ctx, 1, sizeof *t, "transactions", err))) s = DM_EBUDGET;
  if (s == DM_OK) {
    *t = (dm_transactions){.ctx = b->ctx, .total = b->total, .empty = b->empty, .repeated = b->repeated, .n_items = dm_items_n(b->items)};
    s = dm_items_names(b->items, &t->names, err);
  }
  if (s != DM_OK) {
    dm_free(b->ctx, t);
    dm_transactions_builder_free(b);
    return s;
  }
  t->memory = b->items;
  t->rows = (dm_csr){.n = b->n_rows, .d = t->n_items, .start = b->start, .index = b->index};
  t->weight = b->weight;
  b->items = NULL;
  b->start = NULL;
  b->index = b->weight = NULL;
  dm_transactions_builder_free(b);
  *out = t;
  return DM_OK;
}

void dm_transactions_free(dm_transactions *t) {
  if (!t) return;
  dm_ctx *ctx = t->ctx;
  dm_items_free(t->memory);
  dm_csr_clear(ctx, &t->rows);
  dm_free(ctx, t->weight);
  dm_free(ctx, t);
}

size_t dm_transactions_find(const dm_transactions *t, dm_str name) { return dm_items_find(t->memory, name.p, name.n); }
