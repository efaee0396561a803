/*
 * cos(2 pi t) and sin(2 pi t) by full turns: the part f of t beyond the nearest
 * whole number is exact, and a quarter turn brings both to one polynomial:
 *
 *   cos(2 pi f) = sin(2 pi (1/4 - |f|))        sin(2 pi f) = sin(2 pi (±1/2 - f)) where |f| > 1/4
 *   sin(2 pi h) = h P(h^2), |h| <= 1/4, Taylor to degree 21 (truncation below 1e-17)
 *
 * In double and rounded once, as phases of float lose what they have beyond a turn.
 */
#include "matrix/kernels/net.h"
#include "matrix/kernels/simd.h"

#include <math.h>

DM_INLINE double sine(double h) {
  static const double c[] = {/* ±(2 pi)^k / k!, k = 21, 19 … 1 */
                             0x1.2877020d52cf0p-10, -0x1.8a404211f9547p-7, 0x1.aaec32af93359p-4, -0x1.6fadb9f155744p-1,
                             0x1.e8f434d018d63p+1,  -0x1.e3074fde8871fp+3, 0x1.50783487ee782p+5, -0x1.32d2cce62bd86p+6,
                             0x1.466bc6775aae2p+6,  -0x1.4abbce625be53p+5, 0x1.921fb54442d18p+2};
  double square = h * h, p = c[0];
#pragma GCC unroll 10
  for (int i = 1; i < 11; i++) p = fma(p, square, c[i]);
  return h * p;
}

/* From 2^51 on a double taken as phase is whole; an infinite one has none, and NaN stays. */
DM_INLINE double beyond_whole(double t) {
  const double round = 0x1.8p52;
  double whole = (t + round) - round;
  return fabs(t) < 0x1p51 ? t - whole : t - t;
}

DM_INLINE void cos_turns(const dm_real *restrict t, size_t n, dm_real *restrict y) {
  for (size_t i = 0; i < n; i++) y[i] = (dm_real)sine(0.25 - fabs(beyond_whole((double)t[i])));
}

DM_INLINE void sin_turns(const dm_real *restrict t, size_t n, dm_real *restrict y) {
  for (size_t i = 0; i < n; i++) {
    double f = beyond_whole((double)t[i]), folded = copysign(0.5, f) - f;
    y[i] = (dm_real)sine(fabs(f) > 0.25 ? folded : f);
  }
}

#if DM_HAS_SIMD
DM_AVX2 static void cos_avx2(const dm_real *t, size_t n, dm_real *y) { cos_turns(t, n, y); }
DM_AVX512 static void cos_avx512(const dm_real *t, size_t n, dm_real *y) { cos_turns(t, n, y); }
DM_AVX2 static void sin_avx2(const dm_real *t, size_t n, dm_real *y) { sin_turns(t, n, y); }
DM_AVX512 static void sin_avx512(const dm_real *t, size_t n, dm_real *y) { sin_turns(t, n, y); }
#endif

void dm_k_cos_turns(const dm_real *t, size_t n, dm_real *y) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    cos_avx512(t, n, y);
  else if (level == DM_SIMD_AVX2)
    cos_avx2(t, n, y);
  else
#endif
    cos_turns(t, n, y);
}

void dm_k_sin_turns(const dm_real *t, size_t n, dm_real *y) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512)
    sin_avx512(t, n, y);
  else if (level == DM_SIMD_AVX2)
    sin_avx2(t, n, y);
  else
#endif
    sin_turns(t, n, y);
}
