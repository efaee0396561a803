/* Gradients kept within bounds. */
#include "matrix/kernels/simd.h"

#include <dm/optim.h>

#include <math.h>

enum { CHUNK = 4096, LANES = 8 };

/* Sum of squares in lanes, then of the lanes in their order. */
DM_INLINE double squares(const float *g, size_t n) {
  double s[LANES] = {0}, sum = 0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t l = 0; l < LANES; l++) s[l] += (double)g[i + l] * (double)g[i + l];
  for (size_t l = 0; i + l < n; l++) s[l] += (double)g[i + l] * (double)g[i + l];
  for (size_t l = 0; l < LANES; l++) sum += s[l];
  return sum;
}

#if DM_HAS_SIMD
DM_AVX2 static double squares_avx2(const float *g, size_t n) { return squares(g, n); }
DM_AVX512 static double squares_avx512(const float *g, size_t n) { return squares(g, n); }
#endif

static double chunk_squares(const float *g, size_t n) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512) return squares_avx512(g, n);
  if (level == DM_SIMD_AVX2) return squares_avx2(g, n);
#endif
  return squares(g, n);
}

double dm_clip_norm(float *g, size_t n, double max) {
  double sum = 0;
  for (size_t from = 0; from < n; from += CHUNK) {
    sum += chunk_squares(g + from, n - from < CHUNK ? n - from : CHUNK);
  }
  double norm = sqrt(sum), scale = max / (norm + 1e-6);
  if (isfinite(norm) && scale < 1)
    for (size_t i = 0; i < n; i++) g[i] *= (float)scale;
  return norm;
}

void dm_clip_value(float *g, size_t n, double max) {
  float high = (float)max, low = -high;
  for (size_t i = 0; i < n; i++) g[i] = g[i] > high ? high : g[i] < low ? low : g[i];
}
