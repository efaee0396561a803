/* Tiles of dm_k_gemm in registers of 16 floats, 32 of them: up to 24 hold outputs. */
#include "matrix/kernels/gemm.h"
#include "matrix/kernels/simd.h"

#if DM_HAS_SIMD

#include <immintrin.h>
#include <stdint.h>

enum { WIDE = 16, VECTORS = 8, ROWS = 8 };

DM_AVX512 DM_INLINE __m512 load(const float *p, bool whole, __mmask16 tail) { return whole ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(tail, p); }

/* As it is stored: no zero has a sign. Of two numbers max gives the second when one is NaN. */
DM_AVX512 DM_INLINE __m512 finished(__m512 z, bool relu) {
  return _mm512_add_ps(relu ? _mm512_max_ps(_mm512_setzero_ps(), z) : z, _mm512_setzero_ps());
}

/*
 * rows x vectors outputs, of the last vector only the columns of `tail` unless it is full. Sizes are constants where this is inlined, so
 * that z is registers.
 */
DM_AVX512 DM_INLINE void tile(size_t rows, size_t vectors, bool full, __mmask16 tail, const gemm_strip *s, size_t i0) {
  __m512 z[ROWS][VECTORS], v[VECTORS];
  const size_t a_row = s->a_row, a_col = s->a_col, b_row = s->b_row;
  const float *a = s->a + i0 * a_row, *b = s->b, *start = s->start ? s->start + i0 * s->start_row : NULL;
  float *c = s->c + i0 * s->c_row;
  DM_UNROLL
  for (size_t i = 0; i < rows; i++)
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++)
      z[i][j] = start ? load(start + i * s->start_row + j * WIDE, full || j + 1 < vectors, tail) : _mm512_setzero_ps();
  for (size_t l = 0; l < s->k; l++, a += a_col, b += b_row) {
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++) v[j] = load(b + j * WIDE, full || j + 1 < vectors, tail);
    DM_UNROLL
    for (size_t i = 0; i < rows; i++)
      DM_UNROLL
      for (size_t j = 0; j < vectors; j++) z[i][j] = _mm512_fmadd_ps(_mm512_set1_ps(a[i * a_row]), v[j], z[i][j]);
  }
  DM_UNROLL
  for (size_t i = 0; i < rows; i++)
    DM_UNROLL
    for (size_t j = 0; j < vectors; j++) {
      __m512 y = finished(z[i][j], s->relu);
      if (full || j + 1 < vectors)
        _mm512_storeu_ps(c + i * s->c_row + j * WIDE, y);
      else
        _mm512_mask_storeu_ps(c + i * s->c_row + j * WIDE, tail, y);
    }
}

/* Rows in tiles of about equal heights: a last one of a single row would be slow. */
DM_AVX512 DM_INLINE void tiles(size_t vectors, size_t most, __mmask16 tail, const gemm_strip *s) {
  size_t blocks = (s->m + most - 1) / most;
  for (size_t i = 0, t = 0, rows; t < blocks; t++, i += rows) {
    rows = (s->m - i) / (blocks - t);
    if (rows == 1) tile(1, vectors, false, tail, s, i);
    if (rows == 2) tile(2, vectors, false, tail, s, i);
    if (rows == 3) tile(3, vectors, false, tail, s, i);
    if (rows == 4) tile(4, vectors, false, tail, s, i);
    if (rows == 5) tile(5, vectors, false, tail, s, i);
    if (rows == 6) tile(6, vectors, false, tail, s, i);
    if (most > 6 && rows == 7) tile(7, vectors, false, tail, s, i);
    if (most > 6 && rows == 8) tile(8, vectors, false, tail, s, i);
  }
}

DM_AVX512 static void strip(const gemm_strip *s) {
  size_t vectors = (s->n + WIDE - 1) / WIDE;
  __mmask16 tail = (__mmask16)(0xffff >> (vectors * WIDE - s->n));
  switch (vectors) {
  case 1: tiles(1, 8, tail, s); break;
  case 2: tiles(2, 8, tail, s); break;
  case 3: tiles(3, 8, tail, s); break;
  case 4: tiles(4, 6, tail, s); break;
  case 5: tile(1, 5, false, tail, s, 0); break; /* of one row alone */
  case 6: tile(1, 6, false, tail, s, 0); break;
  case 7: tile(1, 7, false, tail, s, 0); break;
  default: tile(1, 8, false, tail, s, 0); break;
  }
}

/* z += x b, a row of 64 */
DM_AVX512 DM_INLINE void add_row(__m512 x, const float *b, __m512 z[4]) {
  DM_UNROLL
  for (size_t j = 0; j < 4; j++) z[j] = _mm512_fmadd_ps(x, _mm512_loadu_ps(b + j * WIDE), z[j]);
}

/* Which of 64 numbers are not 0. */
DM_AVX512 DM_INLINE uint64_t not_zero(const float *a) {
  uint64_t mask = 0;
  DM_UNROLL
  for (size_t l = 0; l < 64; l += WIDE) mask |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(a + l), _mm512_setzero_ps(), _CMP_NEQ_UQ) << l;
  return mask;
}

/* All of n numbers of A. Loads are what it waits for: four come with one, and are spread by shuffles. */
DM_AVX512 DM_INLINE void add_rows(const float *a, size_t n, const float *b, size_t b_row, __m512 z[4]) {
  size_t l = 0;
  for (; l + 4 <= n; l += 4, b += 4 * b_row) {
    __m512 x = _mm512_broadcast_f32x4(_mm_loadu_ps(a + l));
    add_row(_mm512_permute_ps(x, 0x00), b, z);
    add_row(_mm512_permute_ps(x, 0x55), b + b_row, z);
    add_row(_mm512_permute_ps(x, 0xaa), b + 2 * b_row, z);
    add_row(_mm512_permute_ps(x, 0xff), b + 3 * b_row, z);
  }
  for (; l < n; l++, b += b_row) add_row(_mm512_set1_ps(a[l]), b, z);
}

/*
 * One row of 64 columns by a layer's weights, what scoring does when rows come alone. Zeros, about half of what comes out of relu, are
 * passed over: they change no number but the sign of a zero, which is given up when it is stored.
 */
DM_AVX512 static void row_of_64(const dm_gemm *g) {
  enum { PART = 64, FEW = 48 };
  const float *a = g->a, *b = g->b;
  __m512 z[4];
  DM_UNROLL
  for (size_t j = 0; j < 4; j++) z[j] = g->bias ? _mm512_loadu_ps(g->bias + j * WIDE) : _mm512_setzero_ps();
  for (size_t l = 0; l < g->k; l += PART, a += PART, b += PART * g->b_row) {
    size_t n = g->k - l < PART ? g->k - l : PART;
    uint64_t mask = n == PART ? not_zero(a) : UINT64_MAX;
    if (__builtin_popcountll(mask) > FEW)
      add_rows(a, n, b, g->b_row, z);
    else
      for (; mask; mask &= mask - 1) {
        size_t at = (size_t)__builtin_ctzll(mask);
        add_row(_mm512_set1_ps(a[at]), b + at * g->b_row, z);
      }
  }
  DM_UNROLL
  for (size_t j = 0; j < 4; j++) _mm512_storeu_ps(g->c + j * WIDE, finished(z[j], g->relu));
}

/* Lanes l + half to l, down to one. */
DM_AVX512 DM_INLINE float tree(__m512 z) {
  __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(z), _mm512_extractf32x8_ps(z, 1));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

DM_AVX512 DM_INLINE void dots_of(size_t rows, const dm_gemm *g, size_t i0) {
  __m512 z[4];
  const float *a = g->a + i0 * g->a_row, *b = g->b, *start = g->accumulate ? g->c + i0 * g->c_row : g->bias;
  const size_t start_row = g->accumulate ? g->c_row : 0;
  DM_UNROLL
  for (size_t i = 0; i < rows; i++) z[i] = start ? _mm512_maskz_loadu_ps(1, start + i * start_row) : _mm512_setzero_ps();
  size_t l = 0;
  for (; l + WIDE <= g->k; l += WIDE) {
    __m512 v = _mm512_loadu_ps(b + l);
    DM_UNROLL
    for (size_t i = 0; i < rows; i++) z[i] = _mm512_fmadd_ps(_mm512_loadu_ps(a + i * g->a_row + l), v, z[i]);
  }
  if (l < g->k) {
    __mmask16 rest = (__mmask16)((1u << (g->k - l)) - 1);
    __m512 v = _mm512_maskz_loadu_ps(rest, b + l);
    DM_UNROLL
    for (size_t i = 0; i < rows; i++) z[i] = _mm512_mask3_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + i * g->a_row + l), v, z[i], rest);
  }
  DM_UNROLL
  for (size_t i = 0; i < rows; i++) {
    float y = tree(z[i]);
    g->c[(i0 + i) * g->c_row] = (g->relu && 0 > y ? 0 : y) + 0;
  }
}

DM_AVX512 static void dots(const dm_gemm *g) {
  size_t i = 0;
  for (; i + 4 <= g->m; i += 4) dots_of(4, g, i);
  for (; i < g->m; i++) dots_of(1, g, i);
}

const gemm_level gemm_avx512 = {4 * WIDE, 8 * WIDE, strip, dots, row_of_64};

#endif
