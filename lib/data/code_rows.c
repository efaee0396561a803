/* Rows of codes that are being read, and the transactions they become. */
#include "data/code_rows.h"

enum { FIRST_ROWS = 1 << 10, FIRST_CODES = 1 << 12, FIRST_SEEN = 1 << 8 };

dm_status dm_code_rows_init(dm_code_rows *rows, dm_ctx *ctx, dm_error *err) {
  *rows = (dm_code_rows){.ctx = ctx};
  dm_status s = dm_code_rows_reserve(rows, 1, 1, err);
  if (s == DM_OK) s = dm_code_rows_codes(rows, 1, err);
  if (s != DM_OK) dm_code_rows_clear(rows);
  return s;
}

void dm_code_rows_clear(dm_code_rows *rows) {
  if (!rows->ctx) return;
  dm_free(rows->ctx, rows->start);
  dm_free(rows->ctx, rows->index);
  dm_free(rows->ctx, rows->seen);
  *rows = (dm_code_rows){0};
}

/* At least n, and a half more than there was. */
static size_t grown(size_t capacity, size_t n, size_t first) {
  size_t more = capacity + capacity / 2;
  if (more < first) more = first;
  return more < n ? n : more;
}

dm_status dm_code_rows_reserve(dm_code_rows *rows, size_t codes, size_t n, dm_error *err) {
  if (codes > rows->index_capacity - rows->n_index) {
    size_t capacity = grown(rows->index_capacity, rows->n_index + codes, FIRST_CODES);
    uint32_t *index = dm_realloc(rows->ctx, rows->index, capacity, sizeof *index, "transactions", err);
    if (!index) return DM_EBUDGET;
    rows->index = index;
    rows->index_capacity = capacity;
  }
  if (n > rows->capacity - rows->n) {
    size_t capacity = grown(rows->capacity, rows->n + n, FIRST_ROWS);
    if (rows->n + n >= UINT32_MAX) return dm_fail(err, DM_EINPUT, "more than %u transactions", UINT32_MAX - 1);
    size_t *start = dm_realloc(rows->ctx, rows->start, capacity + 1, sizeof *start, "transactions", err);
    if (!start) return DM_EBUDGET;
    rows->start = start;
    rows->capacity = capacity;
  }
  return DM_OK;
}

dm_status dm_code_rows_codes(dm_code_rows *rows, size_t n_codes, dm_error *err) {
  if (n_codes <= rows->n_seen) return DM_OK;
  size_t n = grown(rows->n_seen, n_codes, FIRST_SEEN);
  dm_seen *seen = dm_realloc(rows->ctx, rows->seen, n, sizeof *seen, "transactions", err);
  if (!seen) return DM_EBUDGET;
  rows->seen = seen;
  rows->n_seen = n;
  return DM_OK;
}

/* Rows with weights count as often as these say. */
static void count_items(const dm_code_rows *rows, const uint32_t *weight, size_t n_items, uint64_t *support) {
  if (!weight)
    for (size_t i = 0; i < n_items; i++) support[i] = rows->seen[i].count;
  else
    for (size_t r = 0; r < rows->n; r++)
      for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) support[rows->index[i]] += weight[r];
}

dm_status dm_code_rows_finish(dm_code_rows *rows, dm_items *items, uint32_t *weight, uint64_t total, uint64_t empty, dm_transactions **out, dm_error *err) {
  if (total == 0) return dm_fail(err, DM_EINPUT, "there is no transaction");
  dm_status s = dm_code_rows_codes(rows, items->n, err);
  if (s != DM_OK) return s;
  dm_transactions *t = dm_alloc(rows->ctx, 1, sizeof *t, "transactions", err);
  if (!t) return DM_EBUDGET;
  uint64_t *support = dm_alloc(rows->ctx, items->n, sizeof *support, "transactions", err);
  if (!support) {
    dm_free(rows->ctx, t);
    return DM_EBUDGET;
  }
  count_items(rows, weight, items->n, support);
  *t = (dm_transactions){.ctx = rows->ctx,
                         .rows = {.n = rows->n, .d = items->n, .start = rows->start, .index = rows->index},
                         .weight = weight,
                         .total = total,
                         .empty = empty,
                         .repeated = rows->repeated,
                         .n_items = items->n,
                         .names = items->names,
                         .support = support,
                         .memory = items};
  dm_free(rows->ctx, rows->seen);
  *rows = (dm_code_rows){0};
  *out = t;
  return DM_OK;
}
