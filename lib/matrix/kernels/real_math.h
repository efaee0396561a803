/*
 * Functions of one dm_real, to be inlined into loops: no branches, so that the
 * loops are vectorised, and one order of operations, so that they have the
 * same bits on every CPU.
 *
 *   exp(x) = 2^n (1 + p), n = x / ln 2 rounded, p = exp(r) - 1 by its Taylor polynomial, |r| <= ln 2 / 2
 *
 * Source: Cody & Waite, 1980, ch. 6 (reduction by two constants).
 */
#ifndef DM_MATRIX_REAL_MATH_H
#define DM_MATRIX_REAL_MATH_H

#include "matrix/kernels/simd.h"
#include "matrix/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef DM_REAL_IS_DOUBLE
typedef int64_t real_bits;
typedef uint64_t real_word;
enum { REAL_MANTISSA = 52, REAL_BIAS = 1023, REAL_TERMS = 12 };
#define REAL_ROUND 0x1.8p52
#define REAL_LN2_HIGH 0x1.62e42fefa39efp-1
#define REAL_LN2_LOW 0x1.abc9e3b39803fp-56
#define REAL_LOWEST (-746.0) /* exp is 0 below, */
#define REAL_HIGHEST 710.0   /* infinite above */
#define REAL_NORMAL (-700.0) /* and a normal number from here on */
#else
typedef int32_t real_bits;
typedef uint32_t real_word;
enum { REAL_MANTISSA = 23, REAL_BIAS = 127, REAL_TERMS = 6 };
#define REAL_ROUND 0x1.8p23f
#define REAL_LN2_HIGH 0x1.62e43p-1f
#define REAL_LN2_LOW (-0x1.05c61p-29f)
#define REAL_LOWEST (-104.0f)
#define REAL_HIGHEST 89.0f
#define REAL_NORMAL (-86.0f)
#endif

DM_INLINE dm_real real_fma(dm_real a, dm_real b, dm_real c) {
#ifdef DM_REAL_IS_DOUBLE
  return fma(a, b, c);
#else
  return fmaf(a, b, c);
#endif
}

DM_INLINE dm_real real_abs(dm_real x) {
#ifdef DM_REAL_IS_DOUBLE
  return fabs(x);
#else
  return fabsf(x);
#endif
}

DM_INLINE dm_real real_sign_of(dm_real size, dm_real sign) {
#ifdef DM_REAL_IS_DOUBLE
  return copysign(size, sign);
#else
  return copysignf(size, sign);
#endif
}

/* 2^n for a normal result; any n is allowed, as that of a NaN has no meaning. */
DM_INLINE dm_real real_power_of_two(real_bits n) {
  real_word bits = (real_word)(n + REAL_BIAS) << REAL_MANTISSA;
  dm_real v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* n and p of the formula above. A NaN stays one in p. */
DM_INLINE dm_real real_reduce(dm_real x, real_bits *n) {
  static const double c[] = {/* 1/13! … 1/2! */
                             0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26, 0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19,
                             0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13, 0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7, 0x1.5555555555555p-5,
                             0x1.5555555555555p-3,  0x1p-1};
  const dm_real round = (dm_real)REAL_ROUND;
  dm_real shifted = real_fma(x, (dm_real)0x1.71547652b82fep0, round), whole = shifted - round;
  real_bits bits, zero;
  memcpy(&bits, &shifted, sizeof bits);
  memcpy(&zero, &round, sizeof zero);
  *n = bits - zero; /* the low bits of `shifted` are the integer */
  dm_real r = real_fma(-whole, (dm_real)REAL_LN2_LOW, real_fma(-whole, (dm_real)REAL_LN2_HIGH, x)), q = (dm_real)c[12 - REAL_TERMS];
  DM_UNROLL
  for (size_t i = 13 - REAL_TERMS; i < 12; i++) q = real_fma(q, r, (dm_real)c[i]);
  return real_fma(r * r, q, r);
}

/* 0 and infinity beyond what dm_real holds, NaN of NaN. */
DM_INLINE dm_real real_exp(dm_real x) {
  real_bits n;
  x = x < (dm_real)REAL_LOWEST ? (dm_real)REAL_LOWEST : x;
  x = x > (dm_real)REAL_HIGHEST ? (dm_real)REAL_HIGHEST : x;
  dm_real y = 1 + real_reduce(x, &n);
  real_bits half = n >> 1; /* in two steps: 2^n alone may be too large or too small */
  return y * real_power_of_two(half) * real_power_of_two((real_bits)(n - half));
}

/* exp(x) - 1 without loss near 0. @param x <= 40 */
DM_INLINE dm_real real_expm1(dm_real x) {
  real_bits n;
  x = x < (dm_real)REAL_NORMAL ? (dm_real)REAL_NORMAL : x;
  dm_real p = real_reduce(x, &n), scale = real_power_of_two(n);
  return real_fma(scale, p, scale - 1);
}

/* e / (e + 2) with e = exp(2|x|) - 1, and the sign of x */
DM_INLINE dm_real real_tanh(dm_real x) {
  dm_real a = 2 * real_abs(x);
  a = a > 40 ? 40 : a;
  dm_real e = real_expm1(a);
  return real_sign_of(e / (e + 2), x);
}

/* 1 / (1 + exp(-x)); by exp(-|x|), which never overflows */
DM_INLINE dm_real real_sigmoid(dm_real x) {
  dm_real e = real_exp(-real_abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

#endif
