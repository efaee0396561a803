/*
 * Numbers to text. A double becomes the shortest decimal that reads back to
 * it, the nearest to it among those: Schubfach. With v = c * 2^q, the reals
 * that round to v are [c - 1/2, c + 1/2] * 2^q (the lower half is half as wide
 * at a power of two). Scaled by 10^-k so that the interval is between 1 and 10
 * wide it holds an integer, and at most one multiple of ten, which is shorter.
 * Source: Giulietti, "The Schubfach way to render doubles", 2020.
 */
#include <dm/text.h>

#include "text/powers10.h"

#include <string.h>

typedef unsigned __int128 u128;

/* digits * 10^exponent */
typedef struct decimal {
  uint64_t digits;
  int exponent;
} decimal;

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";

static size_t n_digits_of(uint64_t v) {
  static const uint64_t powers[] = {
    0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000, 10000000000000000000U};
  unsigned log10 = (unsigned)(64 - __builtin_clzll(v | 1)) * 1233 >> 12; /* one less than the digits, or just as many */
  return log10 + (v >= powers[log10]);
}

/* Writes v as exactly n digits. */
static void write_digits(uint64_t v, size_t n, char *out) {
  char *p = out + n;
  for (; n >= 2; n -= 2) {
    p -= 2;
    memcpy(p, pairs + v % 100 * 2, 2);
    v /= 100;
  }
  if (n) *--p = (char)('0' + v % 10);
}

size_t dm_text_of_int(int64_t v, char out[DM_NUMBER_MAX]) {
  char *p = out;
  uint64_t u = (uint64_t)v;
  if (v < 0) {
    *p++ = '-';
    u = 0 - u;
  }
  size_t n = n_digits_of(u);
  write_digits(u, n, p);
  p[n] = 0;
  return (size_t)(p - out) + n;
}

/* floor(g * c / 2^64), its last bit set when anything but the table's rounding was cut off. */
static uint64_t round_to_odd(dm_pow10 g, uint64_t c) {
  u128 high = (u128)g.high * c + (uint64_t)((u128)g.low * c >> 64);
  return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* All values below are four times their size, so that half units are integers. */
static decimal shortest(uint64_t c, int q, bool lower_is_closer) {
  int k = (q * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22; /* floor(log10) of the interval's width */
  int shift = q + dm_pow10_log2(-k) + 1;
  dm_pow10 g = dm_pow10_table[-k - DM_POW10_MIN];
  uint64_t odd = c & 1; /* the ends of the interval round to even: they count when c is even */
  uint64_t least = round_to_odd(g, (4 * c - 2 + lower_is_closer) << shift) + odd;
  uint64_t value = round_to_odd(g, (4 * c) << shift);
  uint64_t most = round_to_odd(g, (4 * c + 2) << shift) - odd;

  uint64_t s = value / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool down = least <= 40 * tens, up = 40 * tens + 40 <= most;
    if (down != up) return (decimal){tens + up, k + 1};
  }
  bool down = least <= 4 * s, up = 4 * s + 4 <= most;
  if (down != up) return (decimal){s + up, k};
  uint64_t middle = 4 * s + 2;
  return (decimal){s + (value > middle || (value == middle && (s & 1))), k};
}

static void drop_zeros(decimal *d) {
  while (d->digits % 10000 == 0) d->digits /= 10000, d->exponent += 4;
  while (d->digits % 10 == 0) d->digits /= 10, d->exponent++;
}

static decimal decimal_of(uint64_t bits) {
  uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
  int biased = (int)(bits >> 52 & 0x7FF);
  uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
  int q = (biased ? biased : 1) - 1075;
  if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) return (decimal){c >> -q, 0};
  decimal d = shortest(c, q, fraction == 0 && biased > 1);
  drop_zeros(&d);
  return d;
}

/* 123000.0, 12.3, 0.00123 */
static char *write_positional(decimal d, size_t n, bool with_point, char *p) {
  if (d.exponent >= 0) {
    write_digits(d.digits, n, p);
    p += n;
    memset(p, '0', (size_t)d.exponent);
    p += d.exponent;
    if (with_point) *p++ = '.', *p++ = '0';
    return p;
  }
  size_t after = (size_t)-d.exponent;
  if (after >= n) {
    memset(p, '0', 2 + after - n);
    p[1] = '.';
    write_digits(d.digits, n, p + 2 + after - n);
    return p + 2 + after;
  }
  write_digits(d.digits, n, p + 1);
  memmove(p, p + 1, n - after);
  p[n - after] = '.';
  return p + n + 1;
}

/* 1e-7, 1.5e+300 */
static char *write_scientific(decimal d, size_t n, char *p) {
  int e = d.exponent + (int)n - 1;
  write_digits(d.digits, n, p + 1);
  p[0] = p[1];
  p[1] = '.';
  p += n > 1 ? n + 1 : 1;
  *p++ = 'e';
  *p++ = e < 0 ? '-' : '+';
  uint64_t size = (uint64_t)(e < 0 ? -e : e);
  size_t n_size = n_digits_of(size);
  write_digits(size, n_size, p);
  return p + n_size;
}

size_t dm_text_of_double(double v, bool with_point, char out[DM_NUMBER_MAX]) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  char *p = out;
  if (bits >> 63) *p++ = '-';
  bits &= UINT64_MAX >> 1;
  if (bits >= (uint64_t)0x7FF << 52) {
    if (bits > (uint64_t)0x7FF << 52) p = out; /* a NaN has no sign worth showing */
    memcpy(p, bits > (uint64_t)0x7FF << 52 ? "nan" : "inf", 4);
    return (size_t)(p - out) + 3;
  }
  if (bits == 0) {
    memcpy(p, with_point ? "0.0" : "0", with_point ? 4 : 2);
    return (size_t)(p - out) + (with_point ? 3 : 1);
  }
  decimal d = decimal_of(bits);
  size_t n = n_digits_of(d.digits);
  int first = d.exponent + (int)n; /* the point stands behind this many digits */
  p = first > -5 && first <= 16 ? write_positional(d, n, with_point, p) : write_scientific(d, n, p);
  *p = 0;
  return (size_t)(p - out);
}
