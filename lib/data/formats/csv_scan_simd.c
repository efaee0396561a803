/*
 * Masks with vector compares, and the choice among the ways to make them.
 * SSE2 belongs to every x86-64; the wider sets are compiled for their own
 * target and taken when the CPU has them.
 */
#include "csv_scan.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

static uint64_t sse2_masks(const csv_chars *c, const char *p, size_t n, csv_masks *out) {
  const __m128i delimiter = _mm_set1_epi8(c->delimiter), quote = _mm_set1_epi8(c->quote), lf = _mm_set1_epi8('\n'),
                cr = _mm_set1_epi8('\r'), one = _mm_set1_epi8(1);
  uint64_t suspect = 0;
  for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
    csv_masks m = {0};
    int odd = 0;
    for (unsigned i = 0; i < CSV_BLOCK; i += 16) {
      __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
      m.delimiter |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, delimiter)) << i;
      m.quote |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, quote)) << i;
      m.lf |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, lf)) << i;
      m.cr |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, cr)) << i;
      odd |= _mm_movemask_epi8(_mm_cmplt_epi8(x, one)); /* signed: NUL and beyond ASCII */
    }
    out[b] = m;
    suspect |= (uint64_t)(odd != 0) << b;
  }
  return suspect;
}

__attribute__((target("avx2"))) static uint64_t avx2_masks(const csv_chars *c, const char *p, size_t n, csv_masks *out) {
  const __m256i delimiter = _mm256_set1_epi8(c->delimiter), quote = _mm256_set1_epi8(c->quote), lf = _mm256_set1_epi8('\n'),
                cr = _mm256_set1_epi8('\r'), one = _mm256_set1_epi8(1);
  uint64_t suspect = 0;
  for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
    csv_masks m = {0};
    int odd = 0;
    for (unsigned i = 0; i < CSV_BLOCK; i += 32) {
      __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
      m.delimiter |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, delimiter)) << i;
      m.quote |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, quote)) << i;
      m.lf |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, lf)) << i;
      m.cr |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, cr)) << i;
      odd |= _mm256_movemask_epi8(_mm256_cmpgt_epi8(one, x));
    }
    out[b] = m;
    suspect |= (uint64_t)(odd != 0) << b;
  }
  return suspect;
}

__attribute__((target("avx512bw"))) static uint64_t avx512_masks(const csv_chars *c, const char *p, size_t n,
                                                                 csv_masks *out) {
  const __m512i delimiter = _mm512_set1_epi8(c->delimiter), quote = _mm512_set1_epi8(c->quote), lf = _mm512_set1_epi8('\n'),
                cr = _mm512_set1_epi8('\r'), one = _mm512_set1_epi8(1);
  uint64_t suspect = 0;
  for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
    __m512i x = _mm512_loadu_si512(p);
    out[b] = (csv_masks){_mm512_cmpeq_epi8_mask(x, delimiter), _mm512_cmpeq_epi8_mask(x, quote),
                         _mm512_cmpeq_epi8_mask(x, lf), _mm512_cmpeq_epi8_mask(x, cr)};
    suspect |= (uint64_t)(_mm512_cmplt_epi8_mask(x, one) != 0) << b;
  }
  return suspect;
}

static const csv_scan_ops sse2 = {"sse2", sse2_masks}, avx2 = {"avx2", avx2_masks}, avx512 = {"avx512", avx512_masks};

const csv_scan_ops *csv_scan_best(void) {
  const csv_scan_ops *known[] = {&csv_scan_scalar, &sse2, &avx2, &avx512};
  size_t best = __builtin_cpu_supports("avx512bw") ? 3 : __builtin_cpu_supports("avx2") ? 2 : 1;
  const char *wanted = getenv("DM_SIMD");
  for (size_t i = 0; wanted && i < best; i++)
    if (strcmp(known[i]->name, wanted) == 0) return known[i];
  return known[best];
}

#else

const csv_scan_ops *csv_scan_best(void) { return &csv_scan_scalar; }

#endif
