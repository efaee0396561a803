/* text: numbers to text and back; strtod and snprintf with 17 digits are the judges. */
#include "cmocka_all.h"
#include "text/powers10.h"

#include <dm/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(double v) {
  uint64_t b;
  memcpy(&b, &v, sizeof b);
  return b;
}

static double of_bits(uint64_t b) {
  double v;
  memcpy(&v, &b, sizeof v);
  return v;
}

static double read_ok(const char *text) {
  double v = (double)NAN;
  if (!dm_text_to_double(text, strlen(text), &v)) fail_msg("'%s' was refused", text);
  return v;
}

static void assert_reads(const char *text, double want) {
  double got = read_ok(text);
  if (bits_of(got) != bits_of(want)) fail_msg("'%s' gave %.17g, want %.17g", text, got, want);
}

static void assert_prints(double v, bool with_point, const char *want) {
  char text[DM_NUMBER_MAX];
  size_t n = dm_text_of_double(v, with_point, text);
  assert_string_equal(text, want);
  assert_int_equal(n, strlen(want));
}

/* ---- the table --------------------------------------------------------- */

enum { WORDS = 64 }; /* 2048 bits, lowest word first */

static void times_small(uint32_t *x, uint32_t m) {
  uint64_t carry = 0;
  for (size_t i = 0; i < WORDS; i++) {
    carry += (uint64_t)x[i] * m;
    x[i] = (uint32_t)carry;
    carry >>= 32;
  }
  assert_int_equal(carry, 0);
}

static int top_bit(const uint32_t *x) {
  for (int i = WORDS - 1; i >= 0; i--)
    if (x[i]) return i * 32 + 31 - __builtin_clz(x[i]);
  return -1;
}

static int bit(const uint32_t *x, int i) { return i >= 0 ? (int)(x[i / 32] >> (i % 32) & 1) : 0; }

/* The highest 128 bits of 5^k (10^k has the same), rounded up. */
static void table_holds_powers_of_ten(void **state) {
  (void)state;
  uint32_t x[WORDS] = {1};
  for (int k = 0; k <= DM_POW10_MAX; k++, times_small(x, 5)) {
    int top = top_bit(x);
    assert_int_equal(dm_pow10_log2(k), top + k);
    unsigned __int128 want = 0;
    for (int i = 0; i < 128; i++) want = want << 1 | (unsigned)bit(x, top - i);
    bool rest = false;
    for (int i = 0; i <= top - 128; i++) rest |= bit(x, i);
    want += rest;
    dm_pow10 got = dm_pow10_table[k - DM_POW10_MIN];
    assert_true(got.high == (uint64_t)(want >> 64) && got.low == (uint64_t)want);
    assert_int_equal(rest, k > DM_POW10_EXACT);
  }
}

/* For 10^-k the entry g is the least with g * 5^k >= 2^e: checked by multiplying. */
static void table_holds_negative_powers_of_ten(void **state) {
  (void)state;
  uint32_t power[WORDS] = {5};
  for (int k = 1; k <= -DM_POW10_MIN; k++, times_small(power, 5)) {
    dm_pow10 g = dm_pow10_table[-k - DM_POW10_MIN];
    assert_true(g.high >> 63);
    uint32_t product[WORDS] = {0}, parts[4] = {(uint32_t)g.low, (uint32_t)(g.low >> 32), (uint32_t)g.high, (uint32_t)(g.high >> 32)};
    for (size_t j = 0; j < 4; j++) {
      uint64_t carry = 0;
      for (size_t i = 0; i + j < WORDS; i++) {
        carry += product[i + j] + (uint64_t)parts[j] * power[i];
        product[i + j] = (uint32_t)carry;
        carry >>= 32;
      }
    }
    /* 10^-k = g * 2^(log2 - 127), so g * 5^k is 2^(127 - k - log2) and less than one 5^k more */
    int e = 127 - k - dm_pow10_log2(-k);
    assert_int_equal(top_bit(product), e);
    product[e / 32] &= ~((uint32_t)1 << (e % 32));
    bool less = false;
    for (int i = WORDS - 1; i >= 0 && !less; i--) {
      assert_true(product[i] <= power[i]);
      less = product[i] < power[i];
    }
    assert_true(less);
  }
}

/* ---- reading ----------------------------------------------------------- */

static void ints_fit_or_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
    int64_t v;
  } cases[] = {
    {"0", true, 0}, {"-0", true, 0}, {"+1", true, 1}, {"007", true, 7}, {"-12345678", true, -12345678},
    {"123456789012345678", true, 123456789012345678}, {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0}, {"-9223372036854775808", true, INT64_MIN}, {"-9223372036854775809", false, 0},
    {"99999999999999999999", false, 0}, {"18446744073709551617", false, 0}, {"0000000000000000000000000042", true, 42},
    {"", false, 0}, {"-", false, 0}, {"+", false, 0}, {" 1", false, 0}, {"1 ", false, 0}, {"1.0", false, 0}, {"1e3", false, 0},
    {"+-1", false, 0}, {"12345678x", false, 0}, {"1234567:", false, 0}, {"1234567/", false, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t v = 77;
    bool ok = dm_text_to_int(cases[i].text, strlen(cases[i].text), &v);
    if (ok != cases[i].ok || v != (ok ? cases[i].v : 77)) fail_msg("'%s': %d, %lld", cases[i].text, ok, (long long)v);
  }
}

static void ints_come_back(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  char text[DM_NUMBER_MAX], want[DM_NUMBER_MAX];
  for (int i = 0; i < 100000; i++) {
    int64_t v = (int64_t)((uint64_t)dm_rng_u32(&rng) << 32 | dm_rng_u32(&rng)) >> (i % 64), back;
    if (i == 0) v = INT64_MIN;
    size_t n = dm_text_of_int(v, text);
    (void)snprintf(want, sizeof want, "%lld", (long long)v);
    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
    assert_true(dm_text_to_int(text, n, &back) && back == v);
  }
}

static void doubles_are_refused_unless_decimal(void **state) {
  (void)state;
  static const char *const refused[] = {"",     ".",    "+",     "-",      "e5",   ".e5",  "1e",       "1e+",       "1e-",  " 1",   "1 ",
                                        "nan",  "NaN",  "inf",   "-inf",   "infinity",     "0x10",     "0x1p3",     "1,5",  "1.2.3", "--1",
                                        "+-1",  "1e5.", "1e 5",  "1d5",    "1_000", "1f",  "1e309",    "-1e309",    "1.8e308",
                                        "1.7976931348623159e308", "1e99999999999999999999", "1e999999999", "12345678901234567890123x"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    double v = 77;
    if (dm_text_to_double(refused[i], strlen(refused[i]), &v) || v != 77) fail_msg("'%s' was taken", refused[i]);
  }
  double v = 77;
  assert_false(dm_text_to_double("1\0", 2, &v));
}

static void doubles_read_at_the_edges(void **state) {
  (void)state;
  assert_reads("0", 0.0);
  assert_reads("-0", -0.0);
  assert_reads("-0.0e5", -0.0);
  assert_reads("+1", 1);
  assert_reads(".5", 0.5);
  assert_reads("5.", 5);
  assert_reads("1E5", 1e5);
  assert_reads("1e+05", 1e5);
  assert_reads("9007199254740991", 9007199254740991.0);
  assert_reads("9007199254740992", 9007199254740992.0);
  assert_reads("9007199254740993", 9007199254740992.0);
  assert_reads("9007199254740993.0", 9007199254740992.0);
  assert_reads("9007199254740993.00000000000000000000000000000000000000001", 9007199254740994.0);
  assert_reads("9007199254740995", 9007199254740996.0);
  assert_reads("1e308", 1e308);
  assert_reads("1.7976931348623157e308", 1.7976931348623157e308);
  assert_reads("1.7976931348623158e308", 1.7976931348623157e308);
  assert_reads("5e-324", 5e-324);
  assert_reads("4.9406564584124654e-324", 5e-324);
  assert_reads("2.4703282292062327e-324", 0.0);
  assert_reads("2.4703282292062328e-324", 5e-324);
  assert_reads("-1e-400", -0.0);
  assert_reads("1e-99999999999999999999999", 0.0);
  assert_reads("0e99999999999999999999999", 0.0);
  assert_reads("2.2250738585072014e-308", 2.2250738585072014e-308);
  assert_reads("2.2250738585072011e-308", 2.2250738585072011e-308); /* the largest subnormal's neighbourhood */
  assert_reads("2.22507385850720113605740979670913197593481954635164564e-308", 2.2250738585072011e-308);
  assert_reads("0.000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001e90", 1);
  assert_reads("100000000000000000000000000000000000000000000000000e-50", 1);
}

/* Decimal text exactly halfway between two doubles (and one digit beyond it), from exact arithmetic on halves. */
static void halfway_cases_go_to_even(void **state) {
  (void)state;
  volatile long double one = 1;
  if (one + 0x1p-60L == one) { /* valgrind's */
    print_message("long double is no wider than double here: halves of doubles are left out\n");
    skip();
  }
  dm_rng rng;
  dm_rng_init(&rng, 5, 1);
  char text[1200];
  for (int i = 0; i < 3000; i++) {
    uint64_t b = ((uint64_t)dm_rng_u32(&rng) << 32 | dm_rng_u32(&rng)) >> 1;
    if (i % 3 == 0) b = (uint64_t)(1023 + dm_rng_below(&rng, 62)) << 52 | (b & (((uint64_t)1 << 52) - 1));
    double v = of_bits(b), next = of_bits(b + 1);
    if (!isfinite(next)) continue;
    long double middle = ((long double)v + (long double)next) / 2;
    if (bits_of(v) >> 52 == 0) continue; /* long double cannot hold its half */
    int n = snprintf(text, sizeof text, "%.1100Lg", middle); /* all digits: the shortest exact text */
    assert_true(n > 0 && (size_t)n < sizeof text);
    double even = b & 1 ? next : v;
    assert_reads(text, even);
    if (strchr(text, 'e') || !strchr(text, '.')) continue;
    memcpy(text + n, "1", 2);
    assert_reads(text, next);
  }
}

static void random_texts_read_like_strtod(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 2, 1);
  char text[128];
  for (int i = 0; i < 100000; i++) {
    size_t n = 0;
    if (dm_rng_below(&rng, 2)) text[n++] = "+-"[dm_rng_below(&rng, 2)];
    size_t n_digits = 1 + dm_rng_below(&rng, i % 10 ? 20 : 60), point = dm_rng_below(&rng, n_digits + 5);
    for (size_t j = 0; j < n_digits; j++) {
      if (j == point) text[n++] = '.';
      text[n++] = (char)('0' + dm_rng_below(&rng, 10));
    }
    int range = i % 4 == 0 ? 400 : 30;
    if (i % 3) n += (size_t)snprintf(text + n, 8, "e%d", (int)dm_rng_below(&rng, (uint64_t)range * 2) - range);
    text[n] = 0;
    double want = strtod(text, NULL), got;
    bool ok = dm_text_to_double(text, n, &got);
    if (ok != (isfinite(want) != 0) || (ok && bits_of(got) != bits_of(want))) fail_msg("'%s'", text);
  }
}

/* ---- printing ----------------------------------------------------------- */

static void doubles_print_in_the_documented_forms(void **state) {
  (void)state;
  assert_prints(0.0, false, "0");
  assert_prints(0.0, true, "0.0");
  assert_prints(-0.0, false, "-0");
  assert_prints(-0.0, true, "-0.0");
  assert_prints(1, false, "1");
  assert_prints(-3, true, "-3.0");
  assert_prints(0.1, true, "0.1");
  assert_prints(100, true, "100.0");
  assert_prints(123.456, false, "123.456");
  assert_prints(0.1 + 0.2, false, "0.30000000000000004");
  assert_prints(1e-5, true, "0.00001");
  assert_prints(1.5e-5, true, "0.000015");
  assert_prints(9.999e-6, true, "9.999e-6");
  assert_prints(1e-7, true, "1e-7");
  assert_prints(1e15, true, "1000000000000000.0");
  assert_prints(9007199254740993.0, true, "9007199254740992.0");
  assert_prints(9999999999999998.0, true, "9999999999999998.0");
  assert_prints(1e16, true, "1e+16");
  assert_prints(1.5e16, false, "1.5e+16");
  assert_prints(1e21, true, "1e+21");
  assert_prints(1e23, true, "1e+23");
  assert_prints(9.5e-323, false, "9.4e-323");
  assert_prints(5e-324, true, "5e-324");
  assert_prints(2.2250738585072014e-308, true, "2.2250738585072014e-308");
  assert_prints(1.7976931348623157e308, true, "1.7976931348623157e+308");
  assert_prints(-1.2345678901234568e-300, true, "-1.2345678901234568e-300");
  assert_prints(2.0e-3, true, "0.002");
  assert_prints(9007199254740992.0 * 4, false, "3.602879701896397e+16"); /* a power of two: the near neighbour is closer */
  assert_prints((double)NAN, true, "nan");
  assert_prints(-(double)INFINITY, true, "-inf");
}

/* Reads back to the same bits; no text of fewer digits does; of those of equal length none is nearer. */
static void assert_shortest(double v) {
  char text[DM_NUMBER_MAX], other[64];
  size_t n = dm_text_of_double(v, true, text);
  double back;
  if (!dm_text_to_double(text, n, &back) || bits_of(back) != bits_of(v) || bits_of(strtod(text, NULL)) != bits_of(v))
    fail_msg("%.17g printed as %s", v, text);
  int digits = 0, zeros = 0;
  for (size_t i = 0; i < n && text[i] != 'e'; i++)
    if (text[i] >= '0' && text[i] <= '9') {
      zeros = text[i] == '0' ? zeros + 1 : 0;
      digits += digits > 0 || text[i] != '0';
    }
  digits -= zeros;
  if (digits > 1) {
    (void)snprintf(other, sizeof other, "%.*e", digits - 2, v);
    if (bits_of(strtod(other, NULL)) == bits_of(v)) fail_msg("%.17g printed as %s, %s is shorter", v, text, other);
  }
  (void)snprintf(other, sizeof other, "%.*e", digits - 1, v);
  if (bits_of(strtod(other, NULL)) == bits_of(v) && strtold(other, NULL) != strtold(text, NULL))
    fail_msg("%.17g printed as %s, %s is nearer", v, text, other);
}

static void random_doubles_come_back_shortest(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 3, 1);
  size_t n = 100000;
  const char *more = getenv("DM_TEST_DOUBLES");
  if (more) n = strtoul(more, NULL, 10);
  for (size_t i = 0; i < n; i++) {
    uint64_t b = (uint64_t)dm_rng_u32(&rng) << 32 | dm_rng_u32(&rng);
    double v = of_bits(b);
    if (i % 4 == 1) v = (double)(int64_t)(b >> (11 + i % 40)) / (double[]){1, 10, 100, 1000, 1e4, 1e6}[i % 6];
    if (i % 4 == 2) v = dm_rng_uniform(&rng) * 100;
    if (isfinite(v)) assert_shortest(v);
  }
  for (int e = 0; e < 2047; e++) /* powers of two and their neighbours */
    for (int step = -1; step <= 1; step++)
      if (e > 0 || step >= 0) assert_shortest(of_bits(((uint64_t)e << 52) + (uint64_t)(int64_t)step));
  for (uint64_t b = 1; b < 2000; b++) assert_shortest(of_bits(b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_holds_powers_of_ten),
    cmocka_unit_test(table_holds_negative_powers_of_ten),
    cmocka_unit_test(ints_fit_or_are_refused),
    cmocka_unit_test(ints_come_back),
    cmocka_unit_test(doubles_are_refused_unless_decimal),
    cmocka_unit_test(doubles_read_at_the_edges),
    cmocka_unit_test(halfway_cases_go_to_even),
    cmocka_unit_test(random_texts_read_like_strtod),
    cmocka_unit_test(doubles_print_in_the_documented_forms),
    cmocka_unit_test(random_doubles_come_back_shortest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
