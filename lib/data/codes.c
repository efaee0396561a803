/*
 * Rows of codes into order.
 *
 *   row 3 130 64 3    bits   0001 0…  | 1 0…   | 001 0…     one bit a code
 *                     words  1          1        1          one bit a word of bits: which of them to visit
 *   row 3 64 130
 */
#include "data/codes.h"

enum { SHORT_ROW = 12, WORD_BITS = 64 };

dm_status dm_codes_init(dm_codes *c, dm_ctx *ctx, dm_error *err) {
  *c = (dm_codes){.ctx = ctx};
  return dm_codes_limit(c, 1024, err);
}

void dm_codes_clear(dm_codes *c) {
  if (!c->ctx) return;
  dm_free(c->ctx, c->bits);
  dm_free(c->ctx, c->words);
  *c = (dm_codes){0};
}

dm_status dm_codes_limit(dm_codes *c, size_t limit, dm_error *err) {
  if (limit <= c->limit) return DM_OK;
  if (limit > UINT32_MAX) return dm_fail(err, DM_EBUDGET, "transactions: more than %u items", UINT32_MAX);
  size_t grown = limit < (size_t)UINT32_MAX / 2 ? limit + limit / 2 : UINT32_MAX;
  size_t n = grown / WORD_BITS + 1;
  uint64_t *bits = dm_realloc(c->ctx, c->bits, n, sizeof *bits, "transactions", err);
  if (!bits) return DM_EBUDGET;
  c->bits = bits;
  uint64_t *words = dm_realloc(c->ctx, c->words, n / WORD_BITS + 1, sizeof *words, "transactions", err);
  if (!words) return DM_EBUDGET;
  c->words = words;
  c->limit = (uint32_t)grown;
  return DM_OK;
}

static size_t sort_short(uint32_t *row, size_t n) {
  size_t kept = n > 0;
  for (size_t i = 1; i < n; i++) {
    uint32_t code = row[i];
    size_t at = kept;
    while (at > 0 && row[at - 1] > code) at--;
    if (at > 0 && row[at - 1] == code) continue;
    for (size_t j = kept; j > at; j--) row[j] = row[j - 1];
    row[at] = code;
    kept++;
  }
  return kept;
}

static size_t sort_long(dm_codes *c, uint32_t *row, size_t n) {
  size_t low = SIZE_MAX, high = 0, kept = 0;
  for (size_t i = 0; i < n; i++) {
    size_t word = row[i] / WORD_BITS, place = word / WORD_BITS;
    c->bits[word] |= (uint64_t)1 << row[i] % WORD_BITS;
    c->words[place] |= (uint64_t)1 << word % WORD_BITS;
    if (place < low) low = place;
    if (place > high) high = place;
  }
  for (size_t place = low; place <= high; place++) {
    for (uint64_t left = c->words[place]; left; left &= left - 1) {
      size_t word = place * WORD_BITS + (size_t)__builtin_ctzll(left);
      uint32_t base = (uint32_t)(word * WORD_BITS);
      for (uint64_t ones = c->bits[word]; ones; ones &= ones - 1) row[kept++] = base + (uint32_t)__builtin_ctzll(ones);
      c->bits[word] = 0;
    }
    c->words[place] = 0;
  }
  return kept;
}

size_t dm_codes_sort(dm_codes *c, uint32_t *row, size_t n) {
  size_t i = 1;
  while (i < n && row[i - 1] < row[i]) i++;
  if (i >= n) return n;
  return n <= SHORT_ROW ? sort_short(row, n) : sort_long(c, row, n);
}
