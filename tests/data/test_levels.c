/* data: a value finds its level, and no other does. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdio.h>

static dm_value integer(int64_t v) { return (dm_value){.type = DM_INTEGER, .integer = v}; }
static dm_value real(double v) { return (dm_value){.type = DM_REAL, .real = v}; }
static dm_value text(const char *s) { return (dm_value){.type = DM_TEXT, .text = dm_str_of(s)}; }

static void every_text_is_found_in_every_number_of_levels(void **state) {
  (void)state;
  static char bytes[200][8];
  dm_str names[200];
  for (size_t i = 0; i < 200; i++) {
    (void)snprintf(bytes[i], sizeof bytes[i], "k%03zu", 2 * i + 1);
    names[i] = dm_str_of(bytes[i]);
  }
  for (size_t n = 0; n <= 200; n++) {
    const dm_levels levels = {.n = n, .type = DM_TEXT, .names = names};
    for (size_t i = 0; i < n; i++) assert_int_equal(dm_levels_find(&levels, text(bytes[i])), i);
    for (size_t i = 0; i <= 2 * n + 2; i += 2) {
      char absent[8];
      (void)snprintf(absent, sizeof absent, "k%03zu", i);
      assert_true(dm_levels_find(&levels, text(absent)) == SIZE_MAX);
    }
  }
}

static void bytes_decide_not_letters(void **state) {
  (void)state;
  const dm_str names[] = {{"", 0}, {"\0", 1}, {"A", 1}, {"a", 1}, {"a\0b", 3}, {"a ", 2}, {"\xC3\xA9", 2}};
  const dm_levels levels = {.n = 7, .type = DM_TEXT, .names = names};
  for (size_t i = 0; i < 7; i++)
    assert_int_equal(dm_levels_find(&levels, (dm_value){.type = DM_TEXT, .text = names[i]}), i);
  assert_true(dm_levels_find(&levels, text("e")) == SIZE_MAX);
  assert_true(dm_levels_find(&levels, (dm_value){.type = DM_BLOB, .text = names[3]}) == SIZE_MAX);
  assert_true(dm_levels_find(&levels, (dm_value){.type = DM_NULL}) == SIZE_MAX);
}

static void numbers_find_their_value_or_their_text(void **state) {
  (void)state;
  const double numbers[] = {-1.5, 0, 3, 1e300};
  const dm_str printed[] = {{"-1.5", 4}, {"0.0", 3}, {"3.0", 3}, {"1e+300", 6}};
  const dm_levels by_value = {.n = 4, .type = DM_REAL, .names = printed, .numbers = numbers};
  assert_int_equal(dm_levels_find(&by_value, real(-1.5)), 0);
  assert_int_equal(dm_levels_find(&by_value, real(-0.0)), 1);
  assert_int_equal(dm_levels_find(&by_value, integer(3)), 2);
  assert_int_equal(dm_levels_find(&by_value, text("1e300")), 3);
  assert_int_equal(dm_levels_find(&by_value, text("3")), 2);
  assert_true(dm_levels_find(&by_value, text("three")) == SIZE_MAX);
  assert_true(dm_levels_find(&by_value, text("")) == SIZE_MAX);
  assert_true(dm_levels_find(&by_value, real((double)NAN)) == SIZE_MAX);
  assert_true(dm_levels_find(&by_value, integer(4)) == SIZE_MAX);
  const dm_str names[] = {{"1", 1}, {"1.0", 3}, {"2.5", 3}};
  const dm_levels by_text = {.n = 3, .type = DM_TEXT, .names = names};
  assert_int_equal(dm_levels_find(&by_text, integer(1)), 0);
  assert_int_equal(dm_levels_find(&by_text, real(1)), 1);
  assert_int_equal(dm_levels_find(&by_text, real(2.5)), 2);
  assert_true(dm_levels_find(&by_text, integer(2)) == SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_text_is_found_in_every_number_of_levels),
      cmocka_unit_test(bytes_decide_not_letters),
      cmocka_unit_test(numbers_find_their_value_or_their_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
