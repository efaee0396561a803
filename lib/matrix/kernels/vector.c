/* Loops over blocks of dm_real that move or add numbers. */
#include "matrix/kernels/net.h"
#include "matrix/kernels/simd.h"

#if DM_HAS_SIMD
#include <immintrin.h>
#endif

enum { TILE = 16 };

DM_INLINE void add(const dm_real *restrict x, size_t n, dm_real *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}

DM_INLINE void scaled(const dm_real *restrict x, dm_real scale, size_t n, dm_real *restrict out) {
  for (size_t i = 0; i < n; i++) out[i] = x[i] * scale;
}

/* out may be x */
DM_INLINE void scaled_sum(const dm_real *x, const dm_real *restrict y, dm_real scale, size_t n, dm_real *out) {
  for (size_t i = 0; i < n; i++) out[i] = (x[i] + y[i]) * scale;
}

/* Pass by pass, so n is best a part that stays in the nearest cache. */
DM_INLINE void sum(const dm_real *const *parts, size_t n_parts, size_t from, size_t n, dm_real scale, dm_real *out) {
  if (n_parts == 1) scaled(parts[0] + from, scale, n, out);
  for (size_t p = 1; p < n_parts; p++) scaled_sum(p == 1 ? parts[0] + from : out, parts[p] + from, p + 1 < n_parts ? 1 : scale, n, out);
}

/* Columns in strips that stay in registers or the nearest cache while the rows run. */
DM_INLINE void add_columns(const dm_real *restrict x, size_t rows, size_t columns, dm_real *restrict sum) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) sum[j] += x[i * columns + j];
}

#if DM_HAS_SIMD
DM_AVX2 static void add_avx2(const dm_real *x, size_t n, dm_real *y) { add(x, n, y); }
DM_AVX512 static void add_avx512(const dm_real *x, size_t n, dm_real *y) { add(x, n, y); }
DM_AVX2 static void sum_avx2(const dm_real *const *parts, size_t n_parts, size_t from, size_t n, dm_real scale, dm_real *out) {
  sum(parts, n_parts, from, n, scale, out);
}
DM_AVX512 static void sum_avx512(const dm_real *const *parts, size_t n_parts, size_t from, size_t n, dm_real scale, dm_real *out) {
  sum(parts, n_parts, from, n, scale, out);
}
DM_AVX2 static void add_columns_avx2(const dm_real *x, size_t rows, size_t columns, dm_real *sum) { add_columns(x, rows, columns, sum); }
DM_AVX512 static void add_columns_avx512(const dm_real *x, size_t rows, size_t columns, dm_real *sum) { add_columns(x, rows, columns, sum); }
#endif

void dm_k_add(const dm_real *x, size_t n, dm_real *y) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    add_avx512(x, n, y);
  else if (level == DM_SIMD_AVX2)
    add_avx2(x, n, y);
  else
#endif
    add(x, n, y);
}

void dm_k_sum(const dm_real *const *parts, size_t n_parts, size_t from, size_t n, dm_real scale, dm_real *out) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    sum_avx512(parts, n_parts, from, n, scale, out);
  else if (level == DM_SIMD_AVX2)
    sum_avx2(parts, n_parts, from, n, scale, out);
  else
#endif
    sum(parts, n_parts, from, n, scale, out);
}

void dm_k_add_columns(const dm_real *x, size_t rows, size_t columns, dm_real *sum) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    add_columns_avx512(x, rows, columns, sum);
  else if (level == DM_SIMD_AVX2)
    add_columns_avx2(x, rows, columns, sum);
  else
#endif
    add_columns(x, rows, columns, sum);
}

/* ---- transposes ---------------------------------------------------------------------- */

/* Square tiles, so that both sides are read and written in whole cache lines. */
static void transpose_tile(const dm_real *in, size_t rows, size_t columns, size_t in_row, dm_real *out, size_t out_row) {
  for (size_t j = 0; j < columns; j++)
    for (size_t i = 0; i < rows; i++) out[j * out_row + i] = in[i * in_row + j];
}

#if DM_HAS_SIMD && !defined(DM_REAL_IS_DOUBLE)
/* 8 x 8 in registers: neighbouring rows by ones, by twos, by fours. */
DM_AVX2 static void transpose_8x8(const float *in, size_t in_row, float *out, size_t out_row) {
  __m256 r[8], s[8];
  DM_UNROLL
  for (size_t i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(in + i * in_row);
  DM_UNROLL
  for (size_t i = 0; i < 8; i += 2) {
    s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  DM_UNROLL
  for (size_t i = 0; i < 8; i += 4)
    DM_UNROLL
    for (size_t h = 0; h < 2; h++) {
      r[i + 2 * h] = _mm256_shuffle_ps(s[i + h], s[i + h + 2], 0x44);
      r[i + 2 * h + 1] = _mm256_shuffle_ps(s[i + h], s[i + h + 2], 0xee);
    }
  DM_UNROLL
  for (size_t i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + i * out_row, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * out_row, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

DM_AVX2 static void transpose_16x16(const float *in, size_t in_row, float *out, size_t out_row) {
  for (size_t i = 0; i < TILE; i += 8)
    for (size_t j = 0; j < TILE; j += 8) transpose_8x8(in + i * in_row + j, in_row, out + j * out_row + i, out_row);
}
#else
#define transpose_16x16(in, in_row, out, out_row) transpose_tile(in, TILE, TILE, in_row, out, out_row)
#endif

void dm_k_transpose(const dm_real *in, size_t rows, size_t columns, size_t in_row, dm_real *out, size_t out_row) {
  bool wide = dm_k_simd() != DM_SIMD_SCALAR;
  for (size_t i = 0; i < rows; i += TILE)
    for (size_t j = 0; j < columns; j += TILE) {
      size_t n = rows - i < TILE ? rows - i : TILE, m = columns - j < TILE ? columns - j : TILE;
      if (wide && n == TILE && m == TILE)
        transpose_16x16(in + i * in_row + j, in_row, out + j * out_row + i, out_row);
      else
        transpose_tile(in + i * in_row + j, n, m, in_row, out + j * out_row + i, out_row);
    }
}
