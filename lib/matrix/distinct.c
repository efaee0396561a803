/*
 * Distinct values of a column. Most columns of real tables hold few: a small
 * hash table finds them in one pass and only they are sorted. The others are
 * sorted whole, as pairs (key, row), by a least significant digit radix sort
 * of 11 bits a pass; passes whose digit is the same everywhere are left out.
 *
 * A double's bits sort like unsigned integers once the sign bit is turned over
 * for positive and all bits for negative numbers.
 */
#define _GNU_SOURCE
#include "matrix/distinct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 1024, SLOTS = 4096, SLOT_BITS = 12, DIGIT = 11, RADIX = 1 << DIGIT, PASSES = 6 };

typedef struct scratch {
  uint64_t slot_key[SLOTS];
  uint16_t slot_id[SLOTS]; /* id + 1, 0 = free */
  uint64_t found[FEW];     /* key of each id */
  uint32_t count[FEW], place[FEW];
  uint16_t order[FEW];
  uint32_t digits[PASSES][RADIX];
  uint64_t *keys, *keys_next; /* [capacity]; what the sort leaves free takes the values and counts */
  uint32_t *rows, *rows_next;
} scratch;

static uint64_t key_of(double v) {
  uint64_t bits;
  v += 0.0; /* -0 to 0 */
  memcpy(&bits, &v, sizeof bits);
  return bits ^ ((uint64_t)((int64_t)bits >> 63) | (uint64_t)1 << 63);
}

static double value_of(uint64_t key) {
  uint64_t bits = key ^ (key >> 63 ? (uint64_t)1 << 63 : ~(uint64_t)0);
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

dm_status dm_distinct_init(dm_distinct *work, dm_ctx *ctx, size_t n, dm_error *err) {
  *work = (dm_distinct){.ctx = ctx, .capacity = n};
  if (n > UINT32_MAX - 1) return dm_fail(err, DM_EBUDGET, "column: more than %u rows", UINT32_MAX - 1);
  scratch *s = work->sorting = dm_alloc(ctx, 1, sizeof *s, "column", err);
  if (s && (work->code = dm_alloc(ctx, n, sizeof *work->code, "column", err)) &&
      (s->keys = dm_alloc(ctx, n, sizeof *s->keys, "column", err)) &&
      (s->keys_next = dm_alloc(ctx, n, sizeof *s->keys_next, "column", err)) &&
      (s->rows = dm_alloc(ctx, n, sizeof *s->rows, "column", err)) &&
      (s->rows_next = dm_alloc(ctx, n, sizeof *s->rows_next, "column", err)))
    return DM_OK;
  dm_distinct_clear(work);
  return DM_EBUDGET;
}

void dm_distinct_clear(dm_distinct *work) {
  scratch *s = work->sorting;
  if (s) {
    dm_free(work->ctx, s->keys);
    dm_free(work->ctx, s->keys_next);
    dm_free(work->ctx, s->rows);
    dm_free(work->ctx, s->rows_next);
  }
  dm_free(work->ctx, s);
  dm_free(work->ctx, work->code);
  *work = (dm_distinct){0};
}

static int by_key(const void *a, const void *b, void *found) {
  const uint64_t *key = found;
  uint64_t ka = key[*(const uint16_t *)a], kb = key[*(const uint16_t *)b];
  return (ka > kb) - (ka < kb);
}

/* Ids of the keys in code[], in order of first appearance. @return distinct keys, or SIZE_MAX when they are more than FEW. */
static size_t hash_few(dm_distinct *w, size_t n, const double *x) {
  scratch *s = w->sorting;
  memset(s->slot_id, 0, sizeof s->slot_id);
  size_t k = 0;
  w->n_missing = 0;
  for (size_t i = 0; i < n; i++) {
    if (x[i] != x[i]) {
      w->code[i] = UINT32_MAX;
      w->n_missing++;
      continue;
    }
    uint64_t key = key_of(x[i]);
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - SLOT_BITS));
    while (s->slot_id[at] && s->slot_key[at] != key) at = (at + 1) & (SLOTS - 1);
    if (!s->slot_id[at]) {
      if (k == FEW) return SIZE_MAX;
      s->slot_key[at] = s->found[k] = key;
      s->count[k] = 0;
      s->slot_id[at] = (uint16_t)++k;
    }
    w->code[i] = s->slot_id[at] - 1u;
    s->count[s->slot_id[at] - 1]++;
  }
  return k;
}

static void place_results(dm_distinct *w) {
  scratch *s = w->sorting;
  w->values = (double *)(void *)s->keys_next;
  w->counts = s->rows_next;
}

static bool run_few(dm_distinct *w, size_t n, const double *x) {
  scratch *s = w->sorting;
  size_t k = hash_few(w, n, x);
  if (k == SIZE_MAX) return false;
  place_results(w);
  for (size_t i = 0; i < k; i++) s->order[i] = (uint16_t)i;
  qsort_r(s->order, k, sizeof *s->order, by_key, s->found);
  for (size_t i = 0; i < k; i++) {
    w->values[i] = value_of(s->found[s->order[i]]);
    w->counts[i] = s->count[s->order[i]];
    s->place[s->order[i]] = (uint32_t)i;
  }
  for (size_t i = 0; i < n; i++) w->code[i] = w->code[i] == UINT32_MAX ? (uint32_t)k : s->place[w->code[i]];
  w->k = k;
  return true;
}

/* Pairs of the values present, with the count of every digit of every pass. @return pairs */
static size_t gather(dm_distinct *w, size_t n, const double *x) {
  scratch *s = w->sorting;
  memset(s->digits, 0, sizeof s->digits);
  size_t m = 0;
  for (size_t i = 0; i < n; i++) {
    if (x[i] != x[i]) continue;
    uint64_t key = key_of(x[i]);
    s->keys[m] = key;
    s->rows[m++] = (uint32_t)i;
    for (int pass = 0; pass < PASSES; pass++) s->digits[pass][key >> (DIGIT * pass) & (RADIX - 1)]++;
  }
  w->n_missing = n - m;
  return m;
}

static void sort_pairs(scratch *s, size_t m) {
  for (int pass = 0; m && pass < PASSES; pass++) {
    uint32_t *digit = s->digits[pass], sum = 0;
    int shift = DIGIT * pass;
    if (digit[s->keys[0] >> shift & (RADIX - 1)] == m) continue;
    for (size_t i = 0; i < RADIX; i++) {
      uint32_t c = digit[i];
      digit[i] = sum;
      sum += c;
    }
    for (size_t i = 0; i < m; i++) {
      uint32_t at = digit[s->keys[i] >> shift & (RADIX - 1)]++;
      s->keys_next[at] = s->keys[i];
      s->rows_next[at] = s->rows[i];
    }
    uint64_t *keys = s->keys;
    uint32_t *rows = s->rows;
    s->keys = s->keys_next, s->rows = s->rows_next;
    s->keys_next = keys, s->rows_next = rows;
  }
}

void dm_distinct_run(dm_distinct *w, size_t n, const double *x) {
  if (run_few(w, n, x)) return;
  scratch *s = w->sorting;
  size_t m = gather(w, n, x), k = 0;
  sort_pairs(s, m);
  place_results(w);
  for (size_t i = 0; i < m; i++) {
    if (i == 0 || s->keys[i] != s->keys[i - 1]) {
      w->counts[k] = 0;
      w->values[k++] = value_of(s->keys[i]);
    }
    w->code[s->rows[i]] = (uint32_t)(k - 1);
    w->counts[k - 1]++;
  }
  w->k = k;
  if (w->n_missing)
    for (size_t i = 0; i < n; i++)
      if (x[i] != x[i]) w->code[i] = (uint32_t)k;
}
