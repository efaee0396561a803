/* Rows of the items, and of sets of them. */
#include "patterns/item_rows.h"

#include <string.h>

enum { WORD_BITS = 64, LIST_BITS = 32 };

static dm_status fill_lists(item_rows *x, const dm_csr *rows, dm_error *err) {
  x->start = dm_alloc(x->ctx, rows->d + 2, sizeof *x->start, "rows of the items", err);
  x->list = x->start ? dm_alloc(x->ctx, rows->start[rows->n], sizeof *x->list, "rows of the items", err) : NULL;
  if (!x->list) return DM_EBUDGET;
  size_t *next = x->start + 1; /* where the next row of item i goes: next[i]; in the end that is the start of item i + 1 */
  for (size_t i = 0; i < rows->start[rows->n]; i++) next[rows->index[i] + 1]++;
  for (size_t i = 0; i < rows->d; i++) next[i + 1] += next[i];
  for (size_t r = 0; r < rows->n; r++)
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) x->list[next[rows->index[i]]++] = (uint32_t)r;
  return DM_OK;
}

static bool is_dense(const item_rows *x, uint32_t item) { return item_rows_n(x, item) * LIST_BITS >= x->n_rows; }

static dm_status fill_bits(item_rows *x, size_t d, dm_error *err) {
  size_t dense = 0;
  for (uint32_t i = 0; i < d; i++) dense += is_dense(x, i);
  x->block = dm_alloc(x->ctx, dense + 1, x->words * sizeof *x->block, "rows of the items", err);
  x->bits = x->block ? dm_alloc(x->ctx, d, sizeof *x->bits, "rows of the items", err) : NULL;
  if (!x->bits) return DM_EBUDGET;
  uint64_t *next = x->work = x->block;
  for (uint32_t i = 0; i < d; i++) {
    if (!is_dense(x, i)) continue;
    next += x->words;
    for (size_t k = x->start[i]; k < x->start[i + 1]; k++) next[x->list[k] / WORD_BITS] |= (uint64_t)1 << x->list[k] % WORD_BITS;
    x->bits[i] = next;
  }
  return DM_OK;
}

dm_status item_rows_init(dm_ctx *ctx, const dm_csr *rows, item_rows *out, dm_error *err) {
  item_rows x = {.ctx = ctx, .n_rows = rows->n, .words = rows->n / WORD_BITS + 1};
  dm_status s = fill_lists(&x, rows, err);
  if (s == DM_OK) s = fill_bits(&x, rows->d, err);
  if (s != DM_OK) {
    item_rows_clear(&x);
    return s;
  }
  *out = x;
  return DM_OK;
}

void item_rows_clear(item_rows *x) {
  if (!x->ctx) return;
  dm_free(x->ctx, x->start);
  dm_free(x->ctx, x->list);
  dm_free(x->ctx, (void *)x->bits);
  dm_free(x->ctx, x->block);
  *x = (item_rows){0};
}

size_t item_rows_keep(const item_rows *x, uint32_t item, const uint32_t *rows, size_t n, uint32_t *out) {
  const uint64_t *bits = x->bits[item];
  size_t kept = 0;
  if (bits) {
    for (size_t i = 0; i < n; i++) {
      uint32_t r = rows[i];
      out[kept] = r;
      kept += bits[r / WORD_BITS] >> r % WORD_BITS & 1;
    }
    return kept;
  }
  const uint32_t *p = x->list + x->start[item], *end = x->list + x->start[item + 1];
  for (size_t i = 0; i < n && p < end; i++) {
    while (p < end && *p < rows[i]) p++;
    if (p < end && *p == rows[i]) out[kept++] = rows[i];
  }
  return kept;
}

static size_t meet_bits(const item_rows *x, const uint32_t *items, size_t n, uint32_t *out) {
  size_t found = 0;
  memcpy(x->work, x->bits[items[0]], x->words * sizeof *x->work);
  for (size_t i = 1; i < n; i++) {
    const uint64_t *bits = x->bits[items[i]];
    for (size_t w = 0; w < x->words; w++) x->work[w] &= bits[w];
  }
  for (size_t w = 0; w < x->words; w++)
    for (uint64_t left = x->work[w]; left; left &= left - 1) out[found++] = (uint32_t)(w * WORD_BITS + (size_t)__builtin_ctzll(left));
  return found;
}

size_t item_rows_of(const item_rows *x, const uint32_t *items, size_t n, uint32_t *out) {
  size_t rarest = 0;
  for (size_t i = 1; i < n; i++)
    if (item_rows_n(x, items[i]) < item_rows_n(x, items[rarest])) rarest = i;
  if (x->bits[items[rarest]]) return meet_bits(x, items, n, out);
  size_t found = item_rows_n(x, items[rarest]);
  memcpy(out, x->list + x->start[items[rarest]], found * sizeof *out);
  for (size_t i = 0; i < n && found; i++)
    if (i != rarest) found = item_rows_keep(x, items[i], out, found, out);
  return found;
}
