/*
 * Transactions in memory, and how they are built: row by row into one growing
 * list of codes, or from pairs (tid, code), which are kept with the number of
 * their row and dealt out at the end.
 *
 *   pairs (7, a) (9, b) (7, c)      rows  7: a c | 9: b
 */
#include "data/codes.h"
#include "data/items.h"

#include <dm/data.h>

#include <string.h>

/* Numbers of the tids in order of first appearance: open addressing, slot = number + 1. */
typedef struct tid_table {
  int64_t *tids; /* [n] */
  size_t n, capacity;
  uint32_t *slots;
  size_t n_slots; /* power of two */
} tid_table;

struct dm_transactions_builder {
  dm_ctx *ctx;
  dm_items *items;
  dm_codes codes;
  uint32_t *index; /* codes of the rows, then of the row being built; of pairs: of all pairs */
  size_t n_index, index_capacity;
  size_t *start;   /* [n_rows + 1] */
  size_t n_rows, row_capacity;
  uint32_t *weight; /* [row_capacity], NULL as long as every row counts once */
  uint32_t *row_of; /* [index_capacity] of pairs */
  tid_table tids;
  bool pairs;
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
  dm_free(b->ctx, b->row_of);
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
  if (b->pairs) {
    uint32_t *row_of = dm_realloc(b->ctx, b->row_of, capacity, sizeof *row_of, "transactions", err);
    if (!row_of) return DM_EBUDGET;
    b->row_of = row_of;
  }
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

dm_status dm_transactions_builder_end(dm_transactions_builder *b, uint64_t weight, dm_error *err) {
  if (weight < 1 || weight > UINT32_MAX)
    return dm_fail(err, DM_EINPUT, "transaction %zu: counts %llu times, want 1 to %u", b->n_rows + (size_t)b->empty + 1, (unsigned long long)weight, UINT32_MAX);
  if (b->total > UINT64_MAX - weight) return dm_fail(err, DM_EINPUT, "transactions: they count more than 2^64 times together");
  size_t begin = b->start[b->n_rows], n = b->n_index - begin;
  b->total += weight;
  if (n == 0) {
    b->empty += weight;
    return DM_OK;
  }
  dm_status s = dm_codes_limit(&b->codes, dm_items_n(b->items), err);
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

static dm_status grow_tids(dm_ctx *ctx, tid_table *t, dm_error *err) {
  size_t capacity = t->capacity ? t->capacity * 2 : 1024;
  if (capacity > UINT32_MAX) return dm_fail(err, DM_EBUDGET, "transactions: more than %u ids", UINT32_MAX / 2);
  int64_t *tids = dm_realloc(ctx, t->tids, capacity, sizeof *tids, "transactions", err);
  if (!tids) return DM_EBUDGET;
  t->tids = tids;
  uint32_t *slots = dm_alloc(ctx, capacity * 2, sizeof *slots, "transactions", err);
  if (!slots) return DM_EBUDGET;
  dm_free(ctx, t->slots);
  t->slots = slots;
  t->n_slots = capacity * 2;
  t->capacity = capacity;
  for (size_t i = 0; i < t->n; i++) slots[tid_slot(t, tids[i])] = (uint32_t)(i + 1);
  return DM_OK;
}

static dm_status tid_number(dm_ctx *ctx, tid_table *t, int64_t tid, uint32_t *number, dm_error *err) {
  if (t->n == t->capacity) {
    dm_status s = grow_tids(ctx, t, err);
    if (s != DM_OK) return s;
  }
  size_t at = tid_slot(t, tid);
  if (!t->slots[at]) {
    t->tids[t->n] = tid;
    t->slots[at] = (uint32_t)++t->n;
  }
  *number = t->slots[at] - 1;
  return DM_OK;
}

dm_status dm_transactions_builder_pair(dm_transactions_builder *b, int64_t tid, uint32_t code, dm_error *err) {
  b->pairs = true;
  uint32_t row;
  size_t at = b->n_index;
  dm_status s = DM_OK;
  if (at > 0 && b->tids.tids[b->row_of[at - 1]] == tid)
    row = b->row_of[at - 1];
  else
    s = tid_number(b->ctx, &b->tids, tid, &row, err);
  if (s == DM_OK) s = dm_transactions_builder_add(b, code, err);
  if (s == DM_OK) b->row_of[at] = row;
  return s;
}

/* Deals the pairs out to their rows, in their order. */
static dm_status deal_pairs(dm_transactions_builder *b, dm_error *err) {
  size_t n = b->tids.n, n_pairs = b->n_index;
  size_t *start = dm_alloc(b->ctx, n + 1, sizeof *start, "transactions", err);
  if (!start) return DM_EBUDGET;
  uint32_t *index = dm_alloc(b->ctx, n_pairs, sizeof *index, "transactions", err);
  if (!index) {
    dm_free(b->ctx, start);
    return DM_EBUDGET;
  }
  for (size_t i = 0; i < n_pairs; i++) start[b->row_of[i] + 1]++;
  for (size_t r = 0; r < n; r++) start[r + 1] += start[r];
  for (size_t i = 0; i < n_pairs; i++) index[start[b->row_of[i]]++] = b->index[i];
  memmove(start + 1, start, n * sizeof *start); /* each start has moved on to its row's end */
  start[0] = 0;
  dm_free(b->ctx, b->index);
  dm_free(b->ctx, b->start);
  dm_free(b->ctx, b->row_of);
  b->index = index;
  b->start = start;
  b->row_of = NULL;
  b->n_rows = b->total = n;
  return dm_codes_limit(&b->codes, dm_items_n(b->items), err);
}

/* Rows into order, one behind the other. */
static void sort_rows(dm_transactions_builder *b) {
  size_t to = 0;
  for (size_t r = 0; r < b->n_rows; r++) {
    size_t begin = b->start[r], n = b->start[r + 1] - begin;
    size_t kept = dm_codes_sort(&b->codes, b->index + begin, n);
    b->repeated += n - kept;
    memmove(b->index + to, b->index + begin, kept * sizeof *b->index);
    b->start[r] = to;
    to += kept;
  }
  b->start[b->n_rows] = b->n_index = to;
}

/* ---- the end ------------------------------------------------------------------- */

dm_status dm_transactions_builder_finish(dm_transactions_builder *b, dm_transactions **out, dm_error *err) {
  dm_transactions *t = NULL;
  dm_status s = DM_OK;
  if (b->pairs) {
    s = deal_pairs(b, err);
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
