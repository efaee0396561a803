/* Tiles of dm_k_gemm in registers of 8 floats, 16 of them: up to 12 hold outputs. */
#include "matrix/kernels/gemm.h"
#include "matrix/kernels/simd.h"

#if DM_HAS_SIMD

#include <immintrin.h>

enum { WIDE = 8, VECTORS = 8, ROWS = 6 };

/* The first n lanes. */
DM_AVX2 DM_INLINE __m256i lanes(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* As it is stored: no zero has a sign. Of two numbers max gives the second when one is NaN. */
DM_AVX2 DM_INLINE __m256 finished(__m256 z, bool relu) {
  return _mm256_add_ps(relu ? _mm256_max_ps(_mm256_setzero_ps(), z) : z, _mm256_setzero_ps());
}

/*
 * rows x vectors outputs, of the last vector only the columns of `tail`. Both sizes are constants where this is inlined, so that z is
 * registers.
 */
DM_AVX2 DM_INLINE void tile(size_t rows, size_t vectors, bool whole, __m256i tail, const gemm_strip *s, size_t i0) {
  __m256 z[ROWS][VECTORS], v[VECTORS];
  const size_t a_row = s->a_row, a_col = s->a_col, b_row = s->b_row;
  const float *a = s->a + i0 * a_row, *b = s->b, *start = s->start ? s->start + i0 * s->start_row : NULL;
  float *c = s->c + i0 * s->c_row;
  DM_UNROLL
  for (size_t i = 0; i < rows; i++)
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++) {
      if (!start)
        z[i][j] = _mm256_setzero_ps();
      else if (whole || j + 1 < vectors)
        z[i][j] = _mm256_loadu_ps(start + i * s->start_row + j * WIDE);
      else
        z[i][j] = _mm256_maskload_ps(start + i * s->start_row + j * WIDE, tail);
    }
  for (size_t l = 0; l < s->k; l++, a += a_col, b += b_row) {
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++) v[j] = whole || j + 1 < vectors ? _mm256_loadu_ps(b + j * WIDE) : _mm256_maskload_ps(b + j * WIDE, tail);
    DM_UNROLL
    for (size_t i = 0; i < rows; i++)
      DM_UNROLL
      for (size_t j = 0; j < vectors; j++) z[i][j] = _mm256_fmadd_ps(_mm256_set1_ps(a[i * a_row]), v[j], z[i][j]);
  }
  DM_UNROLL
  for (size_t i = 0; i < rows; i++)
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++) {
      __m256 y = finished(z[i][j], s->relu);
      if (whole || j + 1 < vectors)
        _mm256_storeu_ps(c + i * s->c_row + j * WIDE, y);
      else
        _mm256_maskstore_ps(c + i * s->c_row + j * WIDE, tail, y);
    }
}

/* Rows in tiles of about equal heights: a last one of a single row would be slow. */
DM_AVX2 DM_INLINE void tiles(size_t vectors, bool whole, __m256i tail, const gemm_strip *s) {
  size_t blocks = (s->m + ROWS - 1) / ROWS;
  for (size_t i = 0, t = 0, rows; t < blocks; t++, i += rows) {
    rows = (s->m - i) / (blocks - t);
    if (rows == 1) tile(1, vectors, whole, tail, s, i);
    if (rows == 2) tile(2, vectors, whole, tail, s, i);
    if (rows == 3) tile(3, vectors, whole, tail, s, i);
    if (rows == 4) tile(4, vectors, whole, tail, s, i);
    if (rows == 5) tile(5, vectors, whole, tail, s, i);
    if (rows == 6) tile(6, vectors, whole, tail, s, i);
  }
}

DM_AVX2 static void strip(const gemm_strip *s) {
  size_t vectors = (s->n + WIDE - 1) / WIDE;
  __m256i tail = lanes(s->n - (vectors - 1) * WIDE);
  bool whole = s->n % WIDE == 0;
  switch (vectors) {
  case 1: whole ? tiles(1, true, tail, s) : tiles(1, false, tail, s); break;
  case 2: whole ? tiles(2, true, tail, s) : tiles(2, false, tail, s); break;
  case 3: tile(1, 3, false, tail, s, 0); break; /* of one row alone */
  case 4: tile(1, 4, false, tail, s, 0); break;
  case 5: tile(1, 5, false, tail, s, 0); break;
  case 6: tile(1, 6, false, tail, s, 0); break;
  case 7: tile(1, 7, false, tail, s, 0); break;
  default: tile(1, 8, false, tail, s, 0); break;
  }
}

/* One row of 64 columns by a layer's weights: what scoring does when rows come alone, without the detour over blocks and strips. */
DM_AVX2 static void row_of_64(const dm_gemm *g) {
  const gemm_strip s = {.m = 1, .k = g->k, .a = g->a, .a_col = g->a_col, .b = g->b, .b_row = g->b_row, .c = g->c, .start = g->bias, .relu = g->relu};
  tile(1, 8, true, _mm256_setzero_si256(), &s, 0);
}

/* Lanes l + half to l, down to one. */
DM_AVX2 DM_INLINE float tree(__m256 low, __m256 high) {
  __m256 eight = _mm256_add_ps(low, high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

DM_AVX2 DM_INLINE __m256 fma_first(const float *a, const float *b, __m256 z, size_t n) {
  __m256i mask = lanes(n);
  return _mm256_blendv_ps(z, _mm256_fmadd_ps(_mm256_maskload_ps(a, mask), _mm256_maskload_ps(b, mask), z), _mm256_castsi256_ps(mask));
}

DM_AVX2 static void dots(const dm_gemm *g) {
  for (size_t i = 0; i < g->m; i++) {
    const float *a = g->a + i * g->a_row, *b = g->b, *start = g->accumulate ? g->c + i * g->c_row : g->bias;
    __m256 low = start ? _mm256_maskload_ps(start, lanes(1)) : _mm256_setzero_ps(), high = _mm256_setzero_ps();
    size_t l = 0;
    for (; l + GEMM_LANES <= g->k; l += GEMM_LANES) {
      low = _mm256_fmadd_ps(_mm256_loadu_ps(a + l), _mm256_loadu_ps(b + l), low);
      high = _mm256_fmadd_ps(_mm256_loadu_ps(a + l + WIDE), _mm256_loadu_ps(b + l + WIDE), high);
    }
    size_t rest = g->k - l;
    low = fma_first(a + l, b + l, low, rest < WIDE ? rest : WIDE);
    if (rest > WIDE) high = fma_first(a + l + WIDE, b + l + WIDE, high, rest - WIDE);
    float y = tree(low, high);
    g->c[i * g->c_row] = (g->relu && 0 > y ? 0 : y) + 0;
  }
}

const gemm_level gemm_avx2 = {2 * WIDE, 8 * WIDE, strip, dots, row_of_64};

#endif
