/*
 * Softmax of rows. The sum of a row runs in LANES virtual lanes, element j in
 * lane j mod LANES, which are then added as a tree: as many as the widest
 * registers hold, and the same where there are none.
 */
#include "matrix/kernels/net.h"
#include "matrix/kernels/real_math.h"

enum { LANES = 16 };

DM_INLINE dm_real highest(const dm_real *x, size_t n) {
  dm_real top = x[0];
  for (size_t j = 1; j < n; j++) top = x[j] > top ? x[j] : top; /* which of several NaN is no matter: the row's sum is NaN */
  return top;
}

DM_INLINE dm_real lane_sum(const dm_real *x, size_t n) {
  dm_real s[LANES] = {0};
  size_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (size_t l = 0; l < LANES; l++) s[l] += x[j + l];
  for (size_t l = 0; j + l < n; l++) s[l] += x[j + l];
  for (size_t half = LANES / 2; half; half /= 2)
    for (size_t l = 0; l < half; l++) s[l] += s[l + half];
  return s[0];
}

DM_INLINE void softmax(const dm_real *x, size_t rows, size_t columns, dm_real *y) {
  for (size_t i = 0; i < rows; i++) {
    dm_real top = highest(x + i * columns, columns);
    for (size_t j = 0; j < columns; j++) y[i * columns + j] = x[i * columns + j] - top;
  }
  for (size_t i = 0; i < rows * columns; i++) y[i] = real_exp(y[i]); /* of all rows at once, as rows may be short */
  for (size_t i = 0; i < rows; i++) {
    dm_real sum = lane_sum(y + i * columns, columns);
    for (size_t j = 0; j < columns; j++) y[i * columns + j] /= sum;
  }
}

#if DM_HAS_SIMD
DM_AVX2 static void softmax_avx2(const dm_real *x, size_t rows, size_t columns, dm_real *y) { softmax(x, rows, columns, y); }
DM_AVX512 static void softmax_avx512(const dm_real *x, size_t rows, size_t columns, dm_real *y) { softmax(x, rows, columns, y); }
#endif

void dm_k_softmax(const dm_real *x, size_t rows, size_t columns, dm_real *y) {
  if (columns == 0) return;
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    softmax_avx512(x, rows, columns, y);
  else if (level == DM_SIMD_AVX2)
    softmax_avx2(x, rows, columns, y);
  else
#endif
    softmax(x, rows, columns, y);
}
