/* Loops over blocks of dm_real that move or add numbers. */
#include "matrix/kernels/net.h"
#include "matrix/kernels/simd.h"

enum { TILE = 16 };

DM_INLINE void add(const dm_real *restrict x, size_t n, dm_real *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}

/* Columns in strips that stay in registers or the nearest cache while the rows run. */
DM_INLINE void add_columns(const dm_real *restrict x, size_t rows, size_t columns, dm_real *restrict sum) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) sum[j] += x[i * columns + j];
}

#if DM_HAS_SIMD
DM_AVX2 static void add_avx2(const dm_real *x, size_t n, dm_real *y) { add(x, n, y); }
DM_AVX512 static void add_avx512(const dm_real *x, size_t n, dm_real *y) { add(x, n, y); }
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

/* Square tiles, so that both sides are read and written in whole cache lines. */
void dm_k_transpose(const dm_real *in, size_t rows, size_t columns, size_t in_row, dm_real *out, size_t out_row) {
  for (size_t i0 = 0; i0 < rows; i0 += TILE)
    for (size_t j0 = 0; j0 < columns; j0 += TILE) {
      size_t i1 = rows - i0 < TILE ? rows : i0 + TILE, j1 = columns - j0 < TILE ? columns : j0 + TILE;
      for (size_t j = j0; j < j1; j++)
        for (size_t i = i0; i < i1; i++) out[j * out_row + i] = in[i * in_row + j];
    }
}
