/* Loops over many rows of bits. */
#include "matrix/kernels/simd.h"
#include "patterns/lcm.h"

#if DM_HAS_SIMD
#include <immintrin.h>
#endif

/* ---- scalar --------------------------------------------------------------------- */

static void survey_scalar(const uint64_t *a, size_t n, uint64_t bit, uint64_t *all, uint64_t *any) {
  uint64_t and = ~(uint64_t)0, or = 0;
  for (size_t r = 0; r < n; r++) {
    uint64_t has = (uint64_t)0 - ((a[r] & bit) != 0);
    and &= a[r] | ~has;
    or |= a[r] & has;
  }
  *all = and;
  *any = or;
}

static size_t select_scalar(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t bit, uint64_t *to_a, uint64_t *to_weight, uint32_t *row) {
  size_t m = 0;
  for (size_t r = 0; r < n; r++) {
    to_a[m] = a[r];
    to_weight[m] = weight[r];
    row[m] = (uint32_t)r;
    m += (a[r] & bit) != 0;
  }
  return m;
}

static void count_scalar(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t items, uint64_t *count) {
  for (uint64_t left = items; left; left &= left - 1) count[__builtin_ctzll(left)] = 0;
  for (size_t r = 0; r < n; r++)
    for (uint64_t left = a[r] & items; left; left &= left - 1) count[__builtin_ctzll(left)] += weight[r];
}

static bool covers_scalar(const uint64_t *columns, size_t n, uint64_t rows) {
  for (size_t i = 0; i < n; i++)
    if (!(rows & ~columns[i])) return true;
  return false;
}

DM_INLINE size_t narrow_plain(const uint64_t *columns, const uint32_t *items, size_t n, uint64_t rows, unsigned min, uint64_t *to, uint32_t *to_items,
                              uint32_t *full, size_t *n_full) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t column = columns[i] & rows;
    if (n_full && column == rows) full[(*n_full)++] = items[i];
    to[kept] = column;
    to_items[kept] = items[i];
    kept += (unsigned)__builtin_popcountll(column) >= min && column != rows;
  }
  return kept;
}

DM_INLINE bool meets_plain(const uint64_t *columns, size_t n, uint64_t rows, unsigned min) {
  for (size_t i = 0; i < n; i++)
    if ((unsigned)__builtin_popcountll(columns[i] & rows) >= min) return true;
  return false;
}

static bool meets_scalar(const uint64_t *columns, size_t n, uint64_t rows, unsigned min) { return meets_plain(columns, n, rows, min); }

static size_t narrow_scalar(const uint64_t *columns, const uint32_t *items, size_t n, uint64_t rows, unsigned min, uint64_t *to, uint32_t *to_items,
                            uint32_t *full, size_t *n_full) {
  return narrow_plain(columns, items, n, rows, min, to, to_items, full, n_full);
}

static const dm_lcm_kernels scalar = {survey_scalar, select_scalar, count_scalar, covers_scalar, meets_scalar, narrow_scalar};

#if DM_HAS_SIMD

/* ---- AVX2: what brings its instruction for counting bits along ------------------------ */

#define POPCNT __attribute__((target("avx2,popcnt")))

POPCNT static bool meets_avx2(const uint64_t *columns, size_t n, uint64_t rows, unsigned min) { return meets_plain(columns, n, rows, min); }

POPCNT static size_t narrow_avx2(const uint64_t *columns, const uint32_t *items, size_t n, uint64_t rows, unsigned min, uint64_t *to,
                                 uint32_t *to_items, uint32_t *full, size_t *n_full) {
  return narrow_plain(columns, items, n, rows, min, to, to_items, full, n_full);
}

static const dm_lcm_kernels avx2 = {survey_scalar, select_scalar, count_scalar, covers_scalar, meets_avx2, narrow_avx2};

#endif

/* ---- AVX-512 ---------------------------------------------------------------------- */

#if DM_HAS_SIMD

static inline __mmask8 first_lanes(size_t n) {
  unsigned lanes = n < 8 ? (1U << n) - 1 : 0xff;
  return (__mmask8)lanes;
}

DM_AVX512 static void survey_avx512(const uint64_t *a, size_t n, uint64_t bit, uint64_t *all, uint64_t *any) {
  __m512i and = _mm512_set1_epi64(-1), or = _mm512_setzero_si512(), b = _mm512_set1_epi64((long long)bit);
  for (size_t r = 0; r < n; r += 8) {
    __mmask8 in = first_lanes(n - r);
    __m512i v = _mm512_maskz_loadu_epi64(in, a + r);
    __mmask8 has = _mm512_test_epi64_mask(v, b);
    and = _mm512_mask_and_epi64(and, has, and, v);
    or = _mm512_mask_or_epi64(or, has, or, v);
  }
  *all = (uint64_t)_mm512_reduce_and_epi64(and);
  *any = (uint64_t)_mm512_reduce_or_epi64(or);
}

DM_AVX512 static size_t select_avx512(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t bit, uint64_t *to_a, uint64_t *to_weight,
                                      uint32_t *row) {
  __m512i b = _mm512_set1_epi64((long long)bit);
  __m256i number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  size_t m = 0;
  for (size_t r = 0; r < n; r += 8) {
    __mmask8 in = first_lanes(n - r);
    __m512i v = _mm512_maskz_loadu_epi64(in, a + r);
    __mmask8 has = _mm512_test_epi64_mask(v, b);
    _mm512_storeu_si512(to_a + m, _mm512_maskz_compress_epi64(has, v));
    _mm512_storeu_si512(to_weight + m, _mm512_maskz_compress_epi64(has, _mm512_maskz_loadu_epi64(in, weight + r)));
    _mm256_storeu_si256((__m256i *)(void *)(row + m), _mm256_maskz_compress_epi32(has, number));
    number = _mm256_add_epi32(number, _mm256_set1_epi32(8));
    m += (size_t)__builtin_popcount(has);
  }
  return m;
}

enum { TOGETHER = 8 }; /* items counted in one pass: their sums stay in registers */

DM_AVX512 static void count_avx512(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t items, uint64_t *count) {
  while (items) {
    __m512i bit[TOGETHER], sum[TOGETHER];
    unsigned item[TOGETHER], k = 0;
    for (; k < TOGETHER && items; items &= items - 1) item[k++] = (unsigned)__builtin_ctzll(items);
    DM_UNROLL
    for (unsigned j = 0; j < TOGETHER; j++) {
      bit[j] = _mm512_set1_epi64(j < k ? (long long)((uint64_t)1 << item[j]) : 0);
      sum[j] = _mm512_setzero_si512();
    }
    for (size_t r = 0; r < n; r += 8) {
      __mmask8 in = first_lanes(n - r);
      __m512i v = _mm512_maskz_loadu_epi64(in, a + r), w = _mm512_maskz_loadu_epi64(in, weight + r);
      DM_UNROLL
      for (unsigned j = 0; j < TOGETHER; j++) sum[j] = _mm512_mask_add_epi64(sum[j], _mm512_test_epi64_mask(v, bit[j]), sum[j], w);
    }
    DM_UNROLL
    for (unsigned j = 0; j < TOGETHER; j++)
      if (j < k) count[item[j]] = (uint64_t)_mm512_reduce_add_epi64(sum[j]);
  }
}

DM_AVX512 static bool covers_avx512(const uint64_t *columns, size_t n, uint64_t rows) {
  __m512i all = _mm512_set1_epi64((long long)rows);
  for (size_t i = 0; i < n; i += 8) {
    __mmask8 in = first_lanes(n - i);
    __m512i left = _mm512_andnot_si512(_mm512_maskz_loadu_epi64(in, columns + i), all);
    if (_mm512_mask_testn_epi64_mask(in, left, left)) return true;
  }
  return false;
}

#define COUNTS_BITS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,fma,popcnt")))

COUNTS_BITS static bool meets_avx512(const uint64_t *columns, size_t n, uint64_t rows, unsigned min) {
  __m512i all = _mm512_set1_epi64((long long)rows), least = _mm512_set1_epi64(min);
  for (size_t i = 0; i < n; i += 8) {
    __mmask8 in = first_lanes(n - i);
    __m512i column = _mm512_and_si512(_mm512_maskz_loadu_epi64(in, columns + i), all);
    if (_mm512_mask_cmpge_epu64_mask(in, _mm512_popcnt_epi64(column), least)) return true;
  }
  return false;
}

COUNTS_BITS static size_t narrow_avx512(const uint64_t *columns, const uint32_t *items, size_t n, uint64_t rows, unsigned min, uint64_t *to,
                                        uint32_t *to_items, uint32_t *full, size_t *n_full) {
  __m512i all = _mm512_set1_epi64((long long)rows), least = _mm512_set1_epi64(min);
  size_t kept = 0;
  for (size_t i = 0; i < n; i += 8) {
    __mmask8 in = first_lanes(n - i);
    __m512i column = _mm512_and_si512(_mm512_maskz_loadu_epi64(in, columns + i), all);
    __m256i item = _mm256_maskz_loadu_epi32(in, items + i);
    __mmask8 is_full = _mm512_mask_cmpeq_epi64_mask(in, column, all);
    __mmask8 is_kept = _mm512_mask_cmpge_epu64_mask((__mmask8)(in ^ is_full), _mm512_popcnt_epi64(column), least);
    _mm512_storeu_si512(to + kept, _mm512_maskz_compress_epi64(is_kept, column));
    _mm256_storeu_si256((__m256i *)(void *)(to_items + kept), _mm256_maskz_compress_epi32(is_kept, item));
    kept += (size_t)__builtin_popcount(is_kept);
    if (n_full && is_full) {
      _mm256_storeu_si256((__m256i *)(void *)(full + *n_full), _mm256_maskz_compress_epi32(is_full, item));
      *n_full += (size_t)__builtin_popcount(is_full);
    }
  }
  return kept;
}

static const dm_lcm_kernels avx512 = {survey_avx512, select_avx512, count_avx512, covers_avx512, meets_avx512, narrow_avx512};
/* The first processors with these registers cannot count bits in them. */
static const dm_lcm_kernels avx512_first = {survey_avx512, select_avx512, count_avx512, covers_avx512, meets_avx2, narrow_avx2};

#endif

const dm_lcm_kernels *dm_lcm_kernels_get(void) {
#if DM_HAS_SIMD
  if (dm_k_simd() == DM_SIMD_AVX512) return __builtin_cpu_supports("avx512vpopcntdq") ? &avx512 : &avx512_first;
  if (dm_k_simd() == DM_SIMD_AVX2) return &avx2;
#endif
  return &scalar;
}
