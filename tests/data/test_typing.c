/* data: column types, and the one format that prints every cell back. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdio.h>

static dm_typing seen(const char *const *cells, size_t n) {
  dm_typing t;
  dm_typing_init(&t);
  for (size_t i = 0; i < n; i++) dm_typing_see(&t, cells[i], strlen(cells[i]), false);
  return t;
}

/* cells in one text, parted by blanks; want: "INTEGER integer" … */
static void typed(const char *cells, const char *want) {
  char copy[512], *word[64], got[64], name[32];
  size_t n = 0;
  (void)snprintf(copy, sizeof copy, "%s", cells);
  for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) word[n++] = p;
  dm_typing t = seen((const char *const *)word, n);
  dm_format_name(dm_typing_format(&t), name);
  (void)snprintf(got, sizeof got, "%s %s", dm_type_name(dm_typing_type(&t)), name);
  if (strcmp(got, want) != 0) print_error("cells: %s\n", cells);
  assert_string_equal(got, want);
}

static void columns_get_the_type_that_prints_back(void **state) {
  (void)state;
  typed("1 -5 0 9223372036854775807 -9223372036854775808", "INTEGER integer");
  typed("9223372036854775808", "TEXT text");
  typed("01 2", "TEXT text");
  typed("+1", "TEXT text");
  typed("-0", "TEXT text");
  typed("-0.0 1.5", "TEXT text");
  typed("1,5", "TEXT text");
  typed("", "TEXT text");
  typed("- 1", "TEXT text");
  typed(". 1", "TEXT text");
  typed("1. 2", "TEXT text");
  typed("0x10 nan inf", "TEXT text");
  typed("nan", "TEXT text");
  typed("1.0 2.5", "REAL shortest");
  typed("1 2.5", "REAL shortest-int");
  typed("1.50 2.25", "REAL decimals:2");
  typed("1.5 2.25 3.0", "REAL shortest");
  typed("1.5 2.50", "TEXT text");
  typed("1 2.50", "TEXT text");
  typed("9007199254740992 0.5", "REAL shortest-int");
  typed("9007199254740993 0.5", "TEXT text");
  typed("9007199254740994 0.5", "TEXT text");
  typed("0.1234567890123456", "REAL shortest");
  typed("0.12345678901234567890", "TEXT text");
  typed("0.1000000000000000055511151231257827 1.5", "TEXT text");
  typed("0.000001 1.25", "TEXT text"); /* shortest writes 1e-6 */
  typed("0.000001 1.250000", "REAL decimals:6");
  typed("1e-6 1.25", "REAL shortest");
  typed("1e-05 1.25", "REAL repr");
  typed("1e-05 1.0", "REAL repr");
  typed("1e+16 1.0", "REAL shortest");
  typed("1e+05 12 0.5", "REAL compact");
  typed("1e+06 123456 0.0001 1e-05", "REAL general:6");
  typed("1.23457e+06 0.3 12", "REAL general:6");
  typed("0.10000000000000001 0.29999999999999999 0.5 3", "REAL general:17");
  typed("1.500e+00 2.250e-10", "REAL exponent:3");
  typed("1.000000000000000000e+00 5.099999999999999645e+00", "REAL exponent:18");
  typed(".5 -.25 3", "REAL shortest-int,bare");
  typed(".50 1.25", "REAL decimals:2,bare");
  typed(".5 0.5", "TEXT text");
  typed("1e400", "TEXT text");
  typed("1E5", "TEXT text");
}

static void nothing_seen_is_text(void **state) {
  (void)state;
  dm_typing t;
  dm_typing_init(&t);
  dm_typing_see_missing(&t);
  assert_int_equal(dm_typing_type(&t), DM_TEXT);
  assert_int_equal(t.n_missing, 1);
  assert_int_equal(t.n, 0);
}

static void quotes_are_kept_when_all_cells_have_them(void **state) {
  (void)state;
  dm_typing t;
  dm_typing_init(&t);
  dm_typing_see(&t, "1", 1, true);
  dm_typing_see(&t, "22", 2, true);
  assert_true(dm_typing_format(&t).quoted);
  dm_typing_see(&t, "3", 1, false);
  assert_false(dm_typing_format(&t).quoted);
  assert_int_equal(dm_typing_type(&t), DM_INTEGER);
}

/* Whatever a REAL or INTEGER column was typed from, its format gives back the bytes. */
static void check_prints_back(const dm_typing *t, char (*cells)[DM_NUMBER_MAX * 2], size_t n) {
  dm_type type = dm_typing_type(t);
  if (type == DM_TEXT) return;
  dm_format f = dm_typing_format(t);
  for (size_t i = 0; i < n; i++) {
    dm_value v = {.type = type};
    if (type == DM_INTEGER)
      assert_true(dm_text_to_int(cells[i], strlen(cells[i]), &v.integer));
    else
      assert_true(dm_text_to_double(cells[i], strlen(cells[i]), &v.real));
    char out[400];
    (void)dm_format_print(f, v, out, sizeof out);
    assert_string_equal(out, cells[i]);
  }
}

/* Columns written by each format are typed as numbers and print back. */
static void random_columns_print_back(void **state) {
  (void)state;
  static const char *const formats[] = {"shortest", "shortest-int", "decimals:0",  "decimals:2", "decimals:6",   "decimals:17",
                                        "repr",     "compact",      "general:6",   "general:15", "general:17",   "exponent:6",
                                        "exponent:18", "decimals:3,bare", "shortest-int,bare"};
  dm_rng rng;
  dm_rng_init(&rng, 11, 2);
  for (size_t round = 0; round < 3000; round++) {
    dm_format f;
    assert_true(dm_format_parse(formats[round % (sizeof formats / sizeof *formats)], &f));
    char cells[20][DM_NUMBER_MAX * 2];
    dm_typing t;
    dm_typing_init(&t);
    size_t n = 1 + dm_rng_below(&rng, 20);
    double scale = pow(10, (double)dm_rng_below(&rng, 16) - 8);
    bool negative_zero = false;
    for (size_t i = 0; i < n; i++) {
      double v = (dm_rng_uniform(&rng) - 0.3) * scale;
      if (round & 1) v = rint(v * 64) / 64;
      char out[400];
      size_t length = dm_format_print(f, (dm_value){.type = DM_REAL, .real = v}, out, sizeof out);
      assert_in_range(length, 1, sizeof cells[i] - 1);
      memcpy(cells[i], out, length + 1);
      if (out[0] == '-' && strspn(out, "-0.e+") == length) negative_zero = true;
      dm_typing_see(&t, out, length, false);
    }
    if (negative_zero) {
      assert_int_equal(dm_typing_type(&t), DM_TEXT);
      continue;
    }
    if (dm_typing_type(&t) == DM_TEXT) print_error("format %s, first cell %s\n", formats[round % 15], cells[0]);
    assert_int_not_equal(dm_typing_type(&t), DM_TEXT);
    check_prints_back(&t, cells, n);
  }
}

/* Any text that passes for a number prints back; most pass for none. */
static void random_texts_never_lose(void **state) {
  (void)state;
  static const char alphabet[] = "0001234567899..--e++";
  dm_rng rng;
  dm_rng_init(&rng, 12, 2);
  size_t numbers = 0;
  for (size_t round = 0; round < 200000; round++) {
    char cells[2][DM_NUMBER_MAX * 2];
    dm_typing t;
    dm_typing_init(&t);
    for (size_t i = 0; i < 2; i++) {
      size_t n = 1 + dm_rng_below(&rng, round % 20 == 0 ? 24 : 6);
      for (size_t j = 0; j < n; j++) cells[i][j] = alphabet[dm_rng_below(&rng, sizeof alphabet - 1)];
      cells[i][n] = 0;
      dm_typing_see(&t, cells[i], n, false);
    }
    numbers += dm_typing_type(&t) != DM_TEXT;
    check_prints_back(&t, cells, 2);
  }
  assert_in_range(numbers, 1000, 200000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_get_the_type_that_prints_back),
      cmocka_unit_test(nothing_seen_is_text),
      cmocka_unit_test(quotes_are_kept_when_all_cells_have_them),
      cmocka_unit_test(random_columns_print_back),
      cmocka_unit_test(random_texts_never_lose),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
