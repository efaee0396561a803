/*
 * exp(x) = 2^n exp(r), n = x / ln 2 rounded, |r| <= ln 2 / 2, exp(r) by its
 * Taylor polynomial of degree 13 (truncation below 1e-17).
 *
 * Only fused multiply-adds and products in a fixed order: libm's exp differs
 * from machine to machine.
 * Source: Cody & Waite, 1980, ch. 6 (reduction by two constants).
 */
#include "matrix/kernels/kernels.h"
#include "matrix/kernels/simd.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const double LOG2E = 0x1.71547652b82fep0, LN2_HIGH = 0x1.62e42fefa39efp-1, LN2_LOW = 0x1.abc9e3b39803fp-56;
static const double ROUND = 0x1.8p52; /* added and taken away, it rounds to an integer */

/* 2^n for a normal result. */
static inline double power_of_two(int64_t n) {
  uint64_t bits = (uint64_t)(n + 1023) << 52;
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

DM_INLINE double exponential(double x) {
  static const double c[] = {/* 1/13! … 1/2! */
                             0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26, 0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19,
                             0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13, 0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7, 0x1.5555555555555p-5,
                             0x1.5555555555555p-3,  0x1p-1};
  if (!(x >= -746)) return x < -746 ? 0 : x; /* NaN stays */
  if (x > 710) return (double)INFINITY;
  double n = fma(x, LOG2E, ROUND) - ROUND, r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)), q = c[0];
  for (size_t i = 1; i < sizeof c / sizeof *c; i++) q = fma(q, r, c[i]);
  double y = 1 + fma(r * r, q, r);
  int64_t half = (int64_t)n / 2; /* in two steps: 2^n alone may be too large or too small */
  return y * power_of_two(half) * power_of_two((int64_t)n - half);
}

#if DM_HAS_SIMD
DM_AVX2 static double exp_fma(double x) { return exponential(x); }
#endif

double dm_k_exp(double x) {
#if DM_HAS_SIMD
  if (dm_k_simd() != DM_SIMD_SCALAR) return exp_fma(x);
#endif
  return exponential(x);
}
