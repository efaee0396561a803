/* Kernels of the pattern miners in registers of 512 bits. */
#include "matrix/kernels/masks.h"

#include "matrix/kernels/simd.h"

#if DM_HAS_SIMD
#include <immintrin.h>

#define DM_WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,fma,bmi,bmi2,lzcnt,popcnt")))

DM_WIDE static inline unsigned bits_of(unsigned mask) { return (unsigned)_mm_popcnt_u32(mask); }
DM_WIDE static inline unsigned below(size_t n) { return (1u << n) - 1; } /* n < 32 */

/* A row's mask is what chooses the counters that its weight is added to. @param registers 1 … 4, of 16 columns each */
DM_WIDE DM_INLINE void count_in(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned registers, uint32_t *count) {
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
  for (size_t r = 0; r < n; r++) {
    __m512i w = _mm512_set1_epi32((int)weight[r]);
    uint64_t m = mask[r];
    a = _mm512_mask_add_epi32(a, (__mmask16)m, a, w);
    if (registers > 1) b = _mm512_mask_add_epi32(b, (__mmask16)(m >> 16), b, w);
    if (registers > 2) c = _mm512_mask_add_epi32(c, (__mmask16)(m >> 32), c, w);
    if (registers > 3) d = _mm512_mask_add_epi32(d, (__mmask16)(m >> 48), d, w);
  }
  _mm512_storeu_si512(count, a);
  _mm512_storeu_si512(count + 16, b);
  _mm512_storeu_si512(count + 32, c);
  _mm512_storeu_si512(count + 48, d);
}

DM_WIDE static void counts(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned columns, uint32_t count[64]) {
  if (columns <= 16)
    count_in(mask, weight, n, 1, count);
  else if (columns <= 32)
    count_in(mask, weight, n, 2, count);
  else if (columns <= 48)
    count_in(mask, weight, n, 3, count);
  else
    count_in(mask, weight, n, 4, count);
}

DM_WIDE static size_t select_rows(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned column, uint64_t *out,
                                  uint32_t *out_weight, uint32_t *sum) {
  __m512i bit = _mm512_set1_epi64((long long)((uint64_t)1 << column)), before = _mm512_set1_epi64((long long)(((uint64_t)1 << column) - 1));
  __m256i all = _mm256_setzero_si256();
  size_t k = 0;
  for (size_t r = 0; r < n; r += 8) {
    __mmask8 here = n - r >= 8 ? 0xff : (__mmask8)below(n - r);
    __m512i m = _mm512_maskz_loadu_epi64(here, mask + r);
    __m256i w = _mm256_maskz_loadu_epi32(here, weight + r);
    __mmask8 has = _mm512_test_epi64_mask(m, bit), leads = _mm512_mask_test_epi64_mask(has, m, before);
    all = _mm256_mask_add_epi32(all, has, all, w);
    _mm512_storeu_si512(out + k, _mm512_maskz_compress_epi64(leads, _mm512_and_si512(m, before)));
    _mm256_storeu_si256((__m256i *)(void *)(out_weight + k), _mm256_maskz_compress_epi32(leads, w));
    k += bits_of(leads);
  }
  *sum = (uint32_t)_mm512_reduce_add_epi32(_mm512_zextsi256_si512(all));
  return k;
}

DM_WIDE static void squeeze(uint64_t *mask, size_t n, uint64_t keep) {
  for (size_t r = 0; r < n; r++) mask[r] = _pext_u64(mask[r], keep);
}

/* Columns 0 … 3 within a register, then registers to registers. */
DM_WIDE static void subset_sums(uint32_t *table, unsigned columns) {
  size_t n = columns < 4 ? 16 : (size_t)1 << columns;
  for (size_t i = 0; i < n; i += 16) {
    __m512i v = _mm512_loadu_si512(table + i);
    v = _mm512_mask_add_epi32(v, 0x5555, v, _mm512_shuffle_epi32(v, 0xb1));
    v = _mm512_mask_add_epi32(v, 0x3333, v, _mm512_shuffle_epi32(v, 0x4e));
    v = _mm512_mask_add_epi32(v, 0x0f0f, v, _mm512_shuffle_i64x2(v, v, 0xb1));
    v = _mm512_mask_add_epi32(v, 0x00ff, v, _mm512_shuffle_i64x2(v, v, 0x4e));
    _mm512_storeu_si512(table + i, v);
  }
  for (size_t half = 16; half < n; half *= 2)
    for (size_t at = 0; at < n; at += 2 * half)
      for (size_t i = at; i < at + half; i += 16)
        _mm512_storeu_si512(table + i, _mm512_add_epi32(_mm512_loadu_si512(table + i), _mm512_loadu_si512(table + i + half)));
}

DM_WIDE static size_t at_least(const uint32_t *x, size_t n, uint32_t min) {
  __m512i least = _mm512_set1_epi32((int)min);
  size_t k = 0;
  for (size_t i = 0; i < n; i += 16) {
    __mmask16 here = n - i >= 16 ? 0xffff : (__mmask16)below(n - i);
    k += bits_of(_mm512_mask_cmpge_epu32_mask(here, _mm512_maskz_loadu_epi32(here, x + i), least));
  }
  return k;
}

DM_WIDE static size_t take(uint32_t *count, size_t n, uint32_t min, uint32_t all, uint32_t *place, uint32_t *taken, uint32_t *equals,
                           size_t *equal) {
  __m512i least = _mm512_set1_epi32((int)min), whole = _mm512_set1_epi32((int)all), zero = _mm512_setzero_si512();
  __m512i at = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i += 16, at = _mm512_add_epi32(at, _mm512_set1_epi32(16))) {
    __mmask16 here = n - i >= 16 ? 0xffff : (__mmask16)below(n - i);
    __m512i c = _mm512_maskz_loadu_epi32(here, count + i);
    _mm512_mask_storeu_epi32(count + i, here, zero);
    __mmask16 enough = _mm512_mask_cmpge_epu32_mask(here, c, least);
    if (!enough) continue;
    __mmask16 same = _mm512_mask_cmpeq_epi32_mask(enough, c, whole);
    enough = (__mmask16)(enough & ~same);
    _mm512_storeu_si512(place + k, _mm512_maskz_compress_epi32(enough, at));
    _mm512_storeu_si512(taken + k, _mm512_maskz_compress_epi32(enough, c));
    k += bits_of(enough);
    if (!same) continue;
    _mm512_storeu_si512(equals + q, _mm512_maskz_compress_epi32(same, at));
    q += bits_of(same);
  }
  *equal = q;
  return k;
}

/* Words lie apart: one by one. */
DM_WIDE static size_t gather(uint64_t *word, const uint32_t *place, size_t n, unsigned min, uint32_t all, dm_k_columns *out,
                             uint32_t *equals) {
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t at = place[i];
    uint64_t x = word[at];
    word[at] = 0;
    uint32_t bits = (uint32_t)_mm_popcnt_u64(x);
    out->word[k] = x;
    out->item[k] = equals[q] = at;
    out->support[k] = bits;
    k += bits >= min && bits != all;
    q += bits == all;
  }
  out->n = k;
  return q;
}

DM_WIDE static size_t meet(const uint64_t *word, size_t n, uint64_t with, unsigned min, uint64_t *out, size_t *equal) {
  __m512i least = _mm512_set1_epi64(min), w = _mm512_set1_epi64((long long)with);
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i += 8) {
    __mmask8 here = n - i >= 8 ? 0xff : (__mmask8)below(n - i);
    __m512i both = _mm512_and_si512(_mm512_maskz_loadu_epi64(here, word + i), w);
    __mmask8 enough = _mm512_cmpge_epu64_mask(_mm512_popcnt_epi64(both), least), same = _mm512_mask_cmpeq_epi64_mask(enough, both, w);
    enough = (__mmask8)(enough & ~same);
    _mm512_storeu_si512(out + k, _mm512_maskz_compress_epi64(enough, both));
    k += bits_of(enough);
    q += bits_of(same);
  }
  *equal = q;
  return k;
}

DM_WIDE static size_t meet_columns(const dm_k_columns *columns, size_t n, uint64_t with, uint32_t support, unsigned min,
                                   dm_k_columns *out, uint32_t *equals) {
  __m512i least = _mm512_set1_epi64(min), w = _mm512_set1_epi64((long long)with), whole = _mm512_set1_epi64(support);
  size_t k = 0, q = 0;
  for (size_t i = 0; i < n; i += 8) {
    __mmask8 here = n - i >= 8 ? 0xff : (__mmask8)below(n - i);
    __m512i both = _mm512_and_si512(_mm512_maskz_loadu_epi64(here, columns->word + i), w), bits = _mm512_popcnt_epi64(both);
    __m256i item = _mm256_maskz_loadu_epi32(here, columns->item + i);
    __mmask8 enough = _mm512_cmpge_epu64_mask(bits, least), same = _mm512_mask_cmpeq_epi64_mask(enough, bits, whole);
    enough = (__mmask8)(enough & ~same);
    _mm512_storeu_si512(out->word + k, _mm512_maskz_compress_epi64(enough, both));
    _mm256_storeu_si256((__m256i *)(void *)(out->item + k), _mm256_maskz_compress_epi32(enough, item));
    _mm256_storeu_si256((__m256i *)(void *)(out->support + k), _mm256_maskz_compress_epi32(enough, _mm512_cvtepi64_epi32(bits)));
    k += bits_of(enough);
    if (!same) continue;
    _mm256_storeu_si256((__m256i *)(void *)(equals + q), _mm256_maskz_compress_epi32(same, item));
    q += bits_of(same);
  }
  out->n = k;
  return q;
}

/* All columns stay in one register; `left` says which of them still count. */
DM_WIDE static uint64_t sets_of(__m512i words, unsigned left, __m512i least) {
  uint64_t sets = 1;
  while (left) {
    unsigned at = 31 - (unsigned)__builtin_clz(left);
    left ^= 1u << at;
    if (!left) return sets + 1;
    __m512i with = _mm512_permutexvar_epi64(_mm512_set1_epi64(at), words), both = _mm512_and_si512(words, with);
    unsigned enough = _mm512_mask_cmpge_epu64_mask((__mmask8)left, _mm512_popcnt_epi64(both), least);
    unsigned same = _mm512_mask_cmpeq_epi64_mask((__mmask8)enough, both, with);
    enough &= ~same;
    unsigned n = bits_of(enough);
    sets += (n < 2 ? n + 1 : sets_of(both, enough, least)) << bits_of(same);
  }
  return sets;
}

DM_WIDE static uint64_t sets_of_8(const uint64_t *word, size_t n, unsigned min) {
  return sets_of(_mm512_maskz_loadu_epi64((__mmask8)below(n), word), below(n), _mm512_set1_epi64(min));
}

static const dm_k_masks wide = {counts, select_rows, squeeze, subset_sums, at_least, take, gather, meet, meet_columns, sets_of_8};
const dm_k_masks *dm_k_masks_avx512(void) { return &wide; }
#else
const dm_k_masks *dm_k_masks_avx512(void) { return NULL; }
#endif
