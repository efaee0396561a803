/* Kernels of the pattern miners, plain; the same source for CPUs with popcount, PEXT and AVX2. */
#include "matrix/kernels/masks.h"

#include "matrix/kernels/simd.h"

#include <stdbool.h>
#include <string.h>

DM_INLINE void counts(const uint64_t *mask, const uint32_t *weight, size_t n, uint32_t count[64]) {
  memset(count, 0, 64 * sizeof *count);
  for (size_t r = 0; r < n; r++)
    for (uint64_t m = mask[r]; m; m &= m - 1) count[__builtin_ctzll(m)] += weight[r];
}

DM_INLINE size_t select_rows(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned column, uint64_t *out, uint32_t *out_weight,
                          uint32_t *sum) {
  uint64_t bit = (uint64_t)1 << column;
  uint32_t all = 0;
  size_t k = 0;
  for (size_t r = 0; r < n; r++) {
    out[k] = mask[r] & (bit - 1);
    out_weight[k] = weight[r];
    k += (mask[r] & bit) && out[k];
    all += mask[r] & bit ? weight[r] : 0;
  }
  *sum = all;
  return k;
}

static void squeeze(uint64_t *mask, size_t n, uint64_t keep) {
  unsigned char from[64];
  unsigned k = 0;
  for (uint64_t m = keep; m; m &= m - 1) from[k++] = (unsigned char)__builtin_ctzll(m);
  for (size_t r = 0; r < n; r++) {
    uint64_t x = mask[r], y = 0;
    for (unsigned i = 0; i < k; i++) y |= (x >> from[i] & 1) << i;
    mask[r] = y;
  }
}

DM_INLINE void subset_sums(uint32_t *table, unsigned columns) {
  size_t n = (size_t)1 << columns;
  for (size_t half = 1; half < n; half *= 2)
    for (size_t at = 0; at < n; at += 2 * half)
      for (size_t i = at; i < at + half; i++) table[i] += table[i + half];
}

DM_INLINE size_t at_least(const uint32_t *x, size_t n, uint32_t min) {
  size_t k = 0;
  for (size_t i = 0; i < n; i++) k += x[i] >= min;
  return k;
}

DM_INLINE size_t take(uint32_t *count, size_t n, uint32_t min, uint32_t all, uint32_t *place, uint32_t *taken, uint32_t *equals,
                      size_t *equal) {
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t c = count[i];
    count[i] = 0;
    if (c < min) continue;
    if (c == all) {
      equals[q++] = (uint32_t)i;
    } else {
      place[k] = (uint32_t)i;
      taken[k++] = c;
    }
  }
  *equal = q;
  return k;
}

DM_INLINE size_t gather(uint64_t *word, const uint32_t *place, size_t n, unsigned min, uint32_t all, dm_k_columns *out, uint32_t *equals) {
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t at = place[i];
    uint64_t x = word[at];
    word[at] = 0;
    uint32_t bits = (uint32_t)__builtin_popcountll(x);
    out->word[k] = x;
    out->item[k] = equals[q] = at;
    out->support[k] = bits;
    k += bits >= min && bits != all;
    q += bits == all;
  }
  out->n = k;
  return q;
}

DM_INLINE size_t meet(const uint64_t *word, size_t n, uint64_t with, unsigned min, uint64_t *out, size_t *equal) {
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t both = word[i] & with;
    bool is_equal = both == with;
    out[k] = both;
    k += !is_equal && (unsigned)__builtin_popcountll(both) >= min;
    q += is_equal;
  }
  *equal = q;
  return k;
}

DM_INLINE size_t meet_columns(const dm_k_columns *columns, size_t n, uint64_t with, uint32_t support, unsigned min, dm_k_columns *out,
                              uint32_t *equals) {
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t both = columns->word[i] & with;
    uint32_t bits = (uint32_t)__builtin_popcountll(both);
    out->word[k] = both;
    out->item[k] = equals[q] = columns->item[i];
    out->support[k] = bits;
    k += bits >= min && bits < support;
    q += bits == support;
  }
  out->n = k;
  return q;
}

/* Depth first; those before a column are what it may be put together with. */
DM_INLINE uint64_t sets_of_8(const uint64_t *word, size_t n, unsigned min) {
  uint64_t level[9][8], sets = 1;
  unsigned perfect[9] = {0};
  size_t size[9], depth = 0;
  for (size_t i = 0; i < n; i++) level[0][i] = word[i];
  size[0] = n;
  while (true) {
    if (size[depth] == 0) {
      if (depth-- == 0) return sets;
      continue;
    }
    size_t equal, at = --size[depth];
    size[depth + 1] = meet(level[depth], at, level[depth][at], min, level[depth + 1], &equal);
    perfect[depth + 1] = perfect[depth] + (unsigned)equal;
    sets += (uint64_t)1 << perfect[++depth];
  }
}

#define DM_BITS __attribute__((target("avx2,fma,bmi,bmi2,lzcnt,popcnt")))

static void counts_scalar(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned columns, uint32_t count[64]) {
  (void)columns;
  counts(mask, weight, n, count);
}
static size_t select_scalar(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned column, uint64_t *out, uint32_t *out_weight,
                            uint32_t *sum) {
  return select_rows(mask, weight, n, column, out, out_weight, sum);
}
static void subset_sums_scalar(uint32_t *table, unsigned columns) { subset_sums(table, columns); }
static size_t at_least_scalar(const uint32_t *x, size_t n, uint32_t min) { return at_least(x, n, min); }
static size_t take_scalar(uint32_t *count, size_t n, uint32_t min, uint32_t all, uint32_t *place, uint32_t *taken, uint32_t *equals,
                          size_t *equal) {
  return take(count, n, min, all, place, taken, equals, equal);
}
static size_t gather_scalar(uint64_t *word, const uint32_t *place, size_t n, unsigned min, uint32_t all, dm_k_columns *out,
                            uint32_t *equals) {
  return gather(word, place, n, min, all, out, equals);
}
static size_t meet_scalar(const uint64_t *word, size_t n, uint64_t with, unsigned min, uint64_t *out, size_t *equal) {
  return meet(word, n, with, min, out, equal);
}
static size_t meet_columns_scalar(const dm_k_columns *columns, size_t n, uint64_t with, uint32_t support, unsigned min, dm_k_columns *out,
                                  uint32_t *equals) {
  return meet_columns(columns, n, with, support, min, out, equals);
}
static uint64_t sets_of_8_scalar(const uint64_t *word, size_t n, unsigned min) { return sets_of_8(word, n, min); }

static const dm_k_masks scalar = {counts_scalar, select_scalar, squeeze,     subset_sums_scalar,  at_least_scalar,
                                  take_scalar,   gather_scalar, meet_scalar, meet_columns_scalar, sets_of_8_scalar};

#if DM_HAS_SIMD
#include <immintrin.h>

DM_BITS static void counts_bits(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned columns, uint32_t count[64]) {
  (void)columns;
  counts(mask, weight, n, count);
}
DM_BITS static size_t select_bits(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned column, uint64_t *out,
                                  uint32_t *out_weight, uint32_t *sum) {
  return select_rows(mask, weight, n, column, out, out_weight, sum);
}
DM_BITS static void squeeze_bits(uint64_t *mask, size_t n, uint64_t keep) {
  for (size_t r = 0; r < n; r++) mask[r] = _pext_u64(mask[r], keep);
}
DM_BITS static void subset_sums_bits(uint32_t *table, unsigned columns) { subset_sums(table, columns); }
DM_BITS static size_t at_least_bits(const uint32_t *x, size_t n, uint32_t min) { return at_least(x, n, min); }
DM_BITS static size_t take_bits(uint32_t *count, size_t n, uint32_t min, uint32_t all, uint32_t *place, uint32_t *taken, uint32_t *equals,
                                size_t *equal) {
  return take(count, n, min, all, place, taken, equals, equal);
}
DM_BITS static size_t gather_bits(uint64_t *word, const uint32_t *place, size_t n, unsigned min, uint32_t all, dm_k_columns *out,
                            uint32_t *equals) {
  return gather(word, place, n, min, all, out, equals);
}
DM_BITS static size_t meet_bits(const uint64_t *word, size_t n, uint64_t with, unsigned min, uint64_t *out, size_t *equal) {
  return meet(word, n, with, min, out, equal);
}
DM_BITS static size_t meet_columns_bits(const dm_k_columns *columns, size_t n, uint64_t with, uint32_t support, unsigned min,
                                        dm_k_columns *out, uint32_t *equals) {
  return meet_columns(columns, n, with, support, min, out, equals);
}
DM_BITS static uint64_t sets_of_8_bits(const uint64_t *word, size_t n, unsigned min) { return sets_of_8(word, n, min); }

static const dm_k_masks bits = {counts_bits, select_bits, squeeze_bits, subset_sums_bits,  at_least_bits,
                                take_bits,   gather_bits, meet_bits,    meet_columns_bits, sets_of_8_bits};
#endif

const dm_k_masks *dm_k_masks_choose(void) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  bool has_bits = __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (level == DM_SIMD_AVX512 && has_bits && __builtin_cpu_supports("avx512vpopcntdq")) return dm_k_masks_avx512();
  if (level != DM_SIMD_SCALAR && has_bits) return &bits;
#endif
  return &scalar;
}
