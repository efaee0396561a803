/*
 * Text to numbers, correctly rounded.
 *
 * A decimal is w * 10^e with w of at most 19 digits. Small ones are exact in
 * double and cost one multiplication or division (Clinger). Others multiply w
 * by 10^e in 128 bits, which is at most w units too large: when both ends of
 * that interval round to the same double, it is the answer. What is left
 * (halfway cases, very long texts) goes to strtod as digits and exponent:
 * without a decimal point no locale has a say.
 * Source: Clinger, "How to read floating point numbers accurately", PLDI 1990;
 * Lemire, "Number parsing at a gigabyte per second", SPE 2021.
 */
#include <dm/text.h>

#include "text/powers10.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;

enum {
  SAFE_DIGITS = 19, /* any 19 digits fit 64 bits */
  LONG_DIGITS = 800 /* a halfway point between doubles has at most 767 */
};

static uint64_t load8(const char *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  return v;
}

static bool is_8_digits(uint64_t v) {
  return (((v + 0x4646464646464646) | (v - 0x3030303030303030)) & 0x8080808080808080) == 0;
}

/* Value of eight digits, the first in the lowest byte: pairs, then fours, then all. */
static uint64_t value_of_8(uint64_t v) {
  v -= 0x3030303030303030;
  v = v * 10 + (v >> 8);
  return (((v & 0x000000FF000000FF) * 0x000F424000000064 +
           ((v >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
          32) &
         0xFFFFFFFF;
}

/* Adds the digits at p to *w (modulo 2^64). @return where they end */
static const char *read_digits(const char *p, const char *end, uint64_t *w) {
  uint64_t v = *w;
  for (; end - p >= 8; p += 8) {
    uint64_t chunk = load8(p);
    if (!is_8_digits(chunk)) break;
    v = v * 100000000 + value_of_8(chunk);
  }
  for (; p < end; p++) {
    unsigned digit = (unsigned)(unsigned char)*p - '0';
    if (digit > 9) break;
    v = v * 10 + digit;
  }
  *w = v;
  return p;
}

bool dm_text_to_int(const char *p, size_t n, int64_t *out) {
  const char *end = p + n;
  bool negative = n > 0 && *p == '-';
  if (n > 0 && (*p == '-' || *p == '+')) p++;
  while (end - p > SAFE_DIGITS && *p == '0') p++;
  uint64_t v = 0;
  if (p == end || end - p > SAFE_DIGITS || read_digits(p, end, &v) != end) return false;
  if (v > (uint64_t)INT64_MAX + negative) return false;
  *out = negative ? (int64_t)(0 - v) : (int64_t)v;
  return true;
}

/* Nearest double to top * 2^(exponent - 127) with the top bit set, ties to even; rest: the value lies a bit
 * above. */
static double round_to_double(u128 top, bool rest, int exponent) {
  int keep = exponent < -1022 ? 53 + 1022 + exponent : 53; /* bits of the mantissa, fewer for subnormals */
  if (keep < 0) return 0;
  int drop = 127 - keep; /* bits below the half bit */
  uint64_t m = (uint64_t)(top >> drop >> 1);
  bool half = (top >> drop) & 1, below = rest || (top & (((u128)1 << drop) - 1)) != 0;
  m += half && (below || (m & 1));
  /* a mantissa that grew to the next power of two carries into the exponent */
  uint64_t bits = exponent < -1022 ? m : ((uint64_t)(exponent + 1022) << 52) + m;
  if (bits >= (uint64_t)0x7FF << 52) return HUGE_VAL;
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* w * 10^e to the nearest double. @return false when 128 bits cannot tell which. */
static bool scale(uint64_t w, int64_t e, double *out) {
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  _Static_assert(FLT_EVAL_METHOD == 0, "the short way needs arithmetic in double");
  if (w >> 53 == 0 && e >= -22 && e <= 22) {
    *out = e < 0 ? (double)w / exact[-e] : (double)w * exact[e];
    return true;
  }
  if (w == 0 || e < DM_POW10_MIN) { /* 2^64 * 10^-343 is less than half the smallest double */
    *out = 0;
    return true;
  }
  if (e > 308) {
    *out = HUGE_VAL;
    return true;
  }
  int k = (int)e, zeros = __builtin_clzll(w);
  w <<= zeros;
  dm_pow10 g = dm_pow10_table[k - DM_POW10_MIN];
  u128 low = (u128)w * g.low, high = (u128)w * g.high + (uint64_t)(low >> 64);
  uint64_t rest = (uint64_t)low; /* the product is high * 2^64 + rest */
  int exponent = dm_pow10_log2(k) + 64 - zeros;
  u128 high_least = high - (rest < w);
  uint64_t rest_least = rest - w; /* the true value is above high_least * 2^64 + rest_least */
  if (!(high >> 127)) {
    high = high << 1 | rest >> 63;
    rest <<= 1;
    exponent--;
    high_least = high_least << 1 | rest_least >> 63;
  } else if (!(high_least >> 127)) {
    return false;
  }
  *out = round_to_double(high, rest != 0, exponent);
  if (k >= 0 && k <= DM_POW10_EXACT) return true;
  return high_least >> 127 && round_to_double(high_least, true, exponent) == *out;
}

/* More than 19 digits, or a case too close to call: digits from p to end (with a point somewhere), the last
 * one times 10^e. */
static double read_long(const char *p, const char *end, int64_t e) {
  char text[LONG_DIGITS + 32] = {0};
  size_t n = 0;
  bool dropped = false;
  for (; p < end; p++) {
    if (*p == '.' || (n == 0 && *p == '0')) continue;
    if (n < LONG_DIGITS) {
      text[n++] = *p;
    } else {
      dropped |= *p != '0';
      e++;
    }
  }
  size_t head = n < SAFE_DIGITS ? n : SAFE_DIGITS;
  uint64_t w = 0;
  (void)read_digits(text, text + head, &w);
  int64_t head_e = e + (int64_t)(n - head);
  double least, most;
  if (n > head && scale(w, head_e, &least) && scale(w + 1, head_e, &most) && least == most) return least;
  if (dropped) { /* anything but zero behind the kept digits counts as a little more */
    text[n++] = '1';
    e--;
  }
  (void)snprintf(text + n, sizeof text - n, "e%lld", (long long)e);
  int saved = errno;
  double v = strtod(text, NULL);
  errno = saved;
  return v;
}

/* Reads [-+]digits into *e, cut far beyond what any text in memory can make up for. */
static const char *read_exponent(const char *p, const char *end, int64_t *e) {
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  const char *start = p;
  const int64_t limit = 100000000000000000;
  int64_t v = 0;
  for (; p < end && *p >= '0' && *p <= '9'; p++)
    if (v < limit) v = v * 10 + (*p - '0');
  *e = negative ? -v : v;
  return p == start ? NULL : p;
}

bool dm_text_to_double(const char *p, size_t n, double *out) {
  const char *end = p + n;
  bool negative = n > 0 && *p == '-';
  if (n > 0 && (*p == '-' || *p == '+')) p++;
  uint64_t w = 0;
  const char *digits = p;
  p = read_digits(p, end, &w);
  size_t n_digits = (size_t)(p - digits);
  int64_t e = 0;
  if (p < end && *p == '.') {
    const char *fraction = ++p;
    p = read_digits(p, end, &w);
    n_digits += (size_t)(p - fraction);
    e = fraction - p;
  }
  if (n_digits == 0) return false;
  const char *digits_end = p;
  if (p < end && (*p == 'e' || *p == 'E')) {
    int64_t given;
    p = read_exponent(p + 1, end, &given);
    if (!p) return false;
    e += given;
  }
  if (p != end) return false;
  if (n_digits > SAFE_DIGITS)
    for (const char *q = digits; q < digits_end && (*q == '0' || *q == '.'); q++) n_digits -= *q == '0';
  double v;
  if (n_digits > SAFE_DIGITS || !scale(w, e, &v)) v = read_long(digits, digits_end, e);
  if (isinf(v)) return false;
  *out = negative ? -v : v;
  return true;
}
