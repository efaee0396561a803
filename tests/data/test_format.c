/* data: column formats print what was read, parse their own names. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdio.h>

static void printed(const char *name, double v, const char *want) {
  dm_format f;
  char out[400];
  assert_true(dm_format_parse(name, &f));
  size_t n = dm_format_print(f, (dm_value){.type = DM_REAL, .real = v}, out, sizeof out);
  assert_string_equal(out, want);
  assert_int_equal(n, strlen(want));
}

static void each_format_prints_its_way(void **state) {
  (void)state;
  printed("shortest", 1, "1.0");
  printed("shortest", 0.25, "0.25");
  printed("shortest-int", 1, "1");
  printed("shortest-int", 0.1, "0.1");
  printed("decimals:2", 12.5, "12.50");
  printed("decimals:0", 12, "12");
  printed("decimals:3", -0.0625, "-0.062");
  printed("decimals:2,bare", 0.5, ".50");
  printed("shortest-int,bare", -0.25, "-.25");
  printed("shortest-int,bare", 0, "0");
  printed("repr", 0.00001, "1e-05");
  printed("repr", 1.5e16, "1.5e+16");
  printed("repr", 0.0001, "0.0001");
  printed("repr", 1e100, "1e+100");
  printed("compact", 100000, "1e+05");
  printed("compact", 123456, "123456");
  printed("compact", 0.0001, "1e-04");
  printed("compact", -0.00012, "-0.00012");
  printed("compact", 0.1234567, "0.1234567");
  printed("general:6", 0.1 + 0.2, "0.3");
  printed("general:6", 1234567, "1.23457e+06");
  printed("general:17", 0.1, "0.10000000000000001");
  printed("exponent:3", 1234.5678, "1.235e+03");
  printed("exponent:18", 0.5, "5.000000000000000000e-01");
}

static void decimals_agree_with_printf(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 7, 1);
  for (int i = 0; i < 200000; i++) {
    double v = (dm_rng_uniform(&rng) - 0.5) * pow(10, (double)dm_rng_below(&rng, 20));
    unsigned k = (unsigned)dm_rng_below(&rng, 18);
    if (i % 3 == 0) v = rint(v * 8) / 8; /* ties */
    if (i % 5 == 0) v = rint(v * 100) / 100;
    char want[400], got[400];
    (void)snprintf(want, sizeof want, "%.*f", (int)k, v);
    size_t n = dm_format_print((dm_format){DM_FORMAT_DECIMALS, k, false, false}, (dm_value){.type = DM_REAL, .real = v}, got, sizeof got);
    assert_string_equal(got, want);
    assert_int_equal(n, strlen(want));
  }
}

static void integers_and_others(void **state) {
  (void)state;
  char out[400];
  dm_format f = {DM_FORMAT_INTEGER, 0, false, false};
  assert_int_equal(dm_format_print(f, (dm_value){.type = DM_INTEGER, .integer = INT64_MIN}, out, sizeof out), 20);
  assert_string_equal(out, "-9223372036854775808");
  f.kind = DM_FORMAT_DECIMALS, f.decimals = 2;
  assert_int_equal(dm_format_print(f, (dm_value){.type = DM_INTEGER, .integer = 3}, out, sizeof out), 4);
  assert_string_equal(out, "3.00");
  assert_int_equal(dm_format_print(f, (dm_value){.type = DM_TEXT, .text = {"x", 1}}, out, sizeof out), 0);
  assert_int_equal(dm_format_print(f, (dm_value){.type = DM_REAL, .real = 1e300}, out, 40), 0);
  f.decimals = 17;
  assert_int_equal(dm_format_print(f, (dm_value){.type = DM_REAL, .real = -1.7976931348623157e308}, out, sizeof out), 328);
}

static void names_go_both_ways(void **state) {
  (void)state;
  static const char *const good[] = {"text",       "integer",     "shortest",        "shortest-int",
                                     "decimals:0", "decimals:17", "decimals:2,bare", "shortest-int,bare,quoted",
                                     "repr",       "compact",     "general:17",      "exponent:18,quoted",
                                     "text,quoted"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    dm_format f;
    char out[32];
    assert_true(dm_format_parse(good[i], &f));
    dm_format_name(f, out);
    assert_string_equal(out, good[i]);
  }
  static const char *const bad[] = {"",           "decimals",     "decimals:",      "decimals:21",      "decimals:-1", "general:0",
                                    "shortest:1", "integer,bold", "integerx",       "repr,quoted,bare", "decimals:2 ", "decimals:002"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_format f = {.decimals = 99};
    assert_false(dm_format_parse(bad[i], &f));
    assert_int_equal(f.decimals, 99);
  }
}

static void types_have_names(void **state) {
  (void)state;
  assert_string_equal(dm_type_name(DM_INTEGER), "INTEGER");
  assert_string_equal(dm_type_name(DM_REAL), "REAL");
  assert_string_equal(dm_type_name(DM_TEXT), "TEXT");
  assert_string_equal(dm_type_name(DM_BLOB), "BLOB");
  assert_string_equal(dm_type_name(DM_NULL), "NULL");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_format_prints_its_way), cmocka_unit_test(decimals_agree_with_printf),
      cmocka_unit_test(integers_and_others),        cmocka_unit_test(names_go_both_ways),
      cmocka_unit_test(types_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
