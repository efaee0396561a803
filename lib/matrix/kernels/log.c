/*
 * log(x) = k ln 2 + log(m), x = 2^k m, sqrt(1/2) <= m < sqrt(2), by the odd
 * series in s = (m - 1) / (m + 1):
 *
 *   log(m) = 2 (s + s^3/3 + s^5/5 + …)         |s| <= 0.1716, truncated below 1e-17
 *
 * Only fused multiply-adds and divisions in a fixed order: libm's log differs
 * from machine to machine.
 * Source: Cody & Waite, 1980, ch. 5 (the reduction, and ln 2 in two parts).
 */
#include "matrix/kernels/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const double LN2_HIGH = 0x1.62e42fefa3800p-1, LN2_LOW = 0x1.ef35793c76730p-45; /* k LN2_HIGH is exact */

double dm_k_log(double x) {
  if (!(x > 0)) return x == 0 ? -(double)INFINITY : (double)NAN;
  if (isinf(x)) return x;
  int64_t k = 0;
  if (x < 0x1p-1022) { /* subnormal */
    x *= 0x1p54;
    k = -54;
  }
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  k += (int64_t)(bits >> 52) - 1023;
  bits = (bits & 0xfffffffffffff) | (uint64_t)1023 << 52;
  double m; /* 1 <= m < 2 */
  memcpy(&m, &bits, sizeof m);
  if (m > 0x1.6a09e667f3bcdp+0) {
    m /= 2;
    k++;
  }
  double f = m - 1, s = f / (m + 1), z = s * s, q = 1.0 / 21, n = (double)k;
  for (int i = 19; i >= 3; i -= 2) q = fma(q, z, 1.0 / i);
  /* 2 s = f - s f exactly, so that f keeps all its digits */
  double tail = fma(n, LN2_LOW, fma(2 * s * z, q, -s * f));
  return fma(n, LN2_HIGH, f + tail);
}
