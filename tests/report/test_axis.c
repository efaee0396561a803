/* report: ticks, labels and numbers for people. */
#include "cmocka_all.h"
#include "report/axis.h"
#include "report/svg.h"

#include <dm/text.h>
#include <float.h>
#include <math.h>

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

/* Ticks strictly increase, are at most `most`, lie in the domain, and labels are all different. */
static void check_ticks(const dm_axis *s, size_t most, double lo, double hi, bool cover) {
  assert_true(s->n >= 1 && s->n <= most);
  assert_true(s->lo < s->hi && isfinite(s->lo) && isfinite(s->hi) && isfinite(s->hi - s->lo));
  double slack = (s->hi - s->lo) * 1e-6;
  for (size_t i = 0; i < s->n; i++) {
    assert_true(s->ticks[i] >= s->lo - slack && s->ticks[i] <= s->hi + slack);
    if (i) assert_true(s->ticks[i] > s->ticks[i - 1]);
    char a[DM_LABEL_MAX], b[DM_LABEL_MAX];
    dm_axis_label(s, i, a);
    assert_true(strlen(a) > 0 && !strstr(a, "nan") && !strstr(a, "inf"));
    if (i) {
      dm_axis_label(s, i - 1, b);
      if (strcmp(a, b) == 0)
        fail_msg("ticks %.17g and %.17g are both \"%s\"", s->ticks[i - 1], s->ticks[i], a);
    }
    double at = dm_axis_at(s, s->ticks[i]);
    assert_true(at >= s->from - 0.01 && at <= s->to + 0.01);
  }
  if (!cover) return;
  double least = fmax(fabs(lo), fabs(hi)) < DBL_MAX / 32 ? slack : HUGE_VAL; /* larger ones are clamped */
  assert_true(s->ticks[0] <= lo + least && s->ticks[s->n - 1] >= hi - least);
}

static void linear_ticks_cover_any_range(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 7, 1);
  for (int round = 0; round < 20000; round++) {
    double magnitude = pow(10, dm_rng_uniform(&rng) * 600 - 300);
    double lo = (dm_rng_uniform(&rng) - 0.5) * magnitude;
    double width = magnitude * pow(10, -dm_rng_uniform(&rng) * 14);
    double hi = round % 10 == 0 ? lo : lo + width;
    bool cover = round & 1;
    size_t most = 3 + (size_t)dm_rng_below(&rng, DM_TICKS_MAX - 2);
    dm_axis s;
    dm_axis_linear(&s, lo, hi, 10, 400, most, cover);
    if (cover)
      check_ticks(&s, most, lo, hi, true);
    else if (s.n)
      check_ticks(&s, most, lo, hi, false);
    dm_axis_fit_labels(&s, 11, 8);
    check_ticks(&s, most, lo, hi, false);
  }
}

static void odd_bounds_give_a_range(void **state) {
  (void)state;
  const double bounds[][2] = {
      {0, 0},         {5, 5},   {-3, -3},        {1e300, -1e300},  {-DBL_MAX, DBL_MAX},
      {(double)NAN, (double)NAN}, {0, (double)NAN}, {0, (double)INFINITY}, {1e16, 1e16 + 4}, {5e-324, 1e-323},
      {-(double)INFINITY, 1}, {2, 1}, {1e-300, 1e-300}};
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    dm_axis s;
    dm_axis_linear(&s, bounds[i][0], bounds[i][1], 0, 300, 6, true);
    check_ticks(&s, 6, 0, 0, false);
  }
}

static void ticks_are_round(void **state) {
  (void)state;
  dm_axis s;
  dm_axis_linear(&s, 0, 97, 0, 300, 6, true);
  assert_int_equal(s.n, 6);
  for (size_t i = 0; i < s.n; i++) assert_true(fabs(s.ticks[i] - 20.0 * (double)i) < 1e-9);
  dm_axis_linear(&s, 0.13, 0.88, 0, 300, 9, false);
  assert_true(fabs(s.step - 0.1) < 1e-12);
  assert_true(fabs(s.ticks[0] - 0.2) < 1e-12);
}

static void counts_have_whole_ticks(void **state) {
  (void)state;
  for (uint64_t most = 0; most < 3000; most++)
    for (size_t ticks = 3; ticks <= 8; ticks++) {
      dm_axis s;
      dm_axis_count(&s, most, ticks);
      check_ticks(&s, ticks > 2 ? ticks + 1 : 3, 0, (double)most, false);
      assert_true(s.hi >= (double)most && s.n >= 2);
      for (size_t i = 0; i < s.n; i++) assert_false(fabs(s.ticks[i] - round(s.ticks[i])) > 0);
    }
}

static void log_ticks_are_powers(void **state) {
  (void)state;
  dm_axis s;
  dm_axis_log(&s, 3, 40000, 0, 100, 8);
  assert_int_equal(s.n, 6);
  assert_true(fabs(dm_axis_at(&s, 1) - 0) < 1e-9 && fabs(dm_axis_at(&s, 1e5) - 100) < 1e-9);
  assert_true(fabs(dm_axis_at(&s, 10) - 20) < 1e-9);
  for (int e = -300; e < 300; e += 7)
    for (size_t most = 2; most <= DM_TICKS_MAX; most++) {
      dm_axis_log(&s, pow(10, e), pow(10, e + 40 < 300 ? e + 40 : 300), 0, 100, most);
      check_ticks(&s, most, 0, 0, false);
    }
  dm_axis_log(&s, 0, 10, 0, 100, 5);
  assert_false(s.log);
}

static void near_ticks_fill_short_ranges(void **state) {
  (void)state;
  dm_axis s;
  const double want[] = {0.02, 0.05, 0.1, 0.2, 0.5, 1};
  dm_axis_log_near(&s, 0.03, 0.9, 0, 100, 8, true);
  assert_int_equal(s.n, 6);
  for (size_t i = 0; i < 6; i++) assert_true(fabs(s.ticks[i] / want[i] - 1) < 1e-12);
  assert_true(fabs(dm_axis_at(&s, 0.02)) < 1e-9 && fabs(dm_axis_at(&s, 1) - 100) < 1e-9);
  dm_axis_log_near(&s, 0.03, 0.9, 0, 100, 8, false);
  assert_int_equal(s.n, 4); /* 0.05 … 0.5 */
  assert_true(fabs(dm_axis_at(&s, 0.03)) < 1e-9 && fabs(dm_axis_at(&s, 0.9) - 100) < 1e-9);
  dm_axis_log_near(&s, 1, 1.5, 0, 100, 8, false);
  assert_true(s.log && s.n >= 2);
  dm_axis_log_near(&s, -1, 5, 0, 100, 8, true);
  assert_false(s.log);
  for (int e = -299; e < 290; e += 3)
    for (int wide = 1; wide < 300 - e; wide = wide * 2 + 1)
      for (size_t most = 2; most <= DM_TICKS_MAX; most++)
        for (int cover = 0; cover < 2; cover++) {
          double lo = 3.3 * pow(10, e), hi = 4 * pow(10, e + wide);
          dm_axis_log_near(&s, lo, hi, 0, 100, most, cover);
          assert_true(s.n >= 1 && s.n <= most);
          for (size_t i = 1; i < s.n; i++) assert_true(s.ticks[i] > s.ticks[i - 1]);
          if (cover)
            assert_true(s.ticks[0] <= lo * (1 + 1e-9) && s.ticks[s.n - 1] >= hi * (1 - 1e-9) && s.lo <= lo && s.hi >= hi);
          else
            assert_true(s.ticks[0] >= lo * (1 - 1e-9) && s.ticks[s.n - 1] <= hi * (1 + 1e-9));
        }
}

static void expect_label(double lo, double hi, size_t tick, const char *want) {
  dm_axis s;
  char label[DM_LABEL_MAX];
  dm_axis_linear(&s, lo, hi, 0, 300, 6, true);
  dm_axis_label(&s, tick, label);
  assert_string_equal(label, want);
}

static void labels_are_short_and_plain(void **state) {
  (void)state;
  expect_label(0, 1, 1, "0.2");
  expect_label(0, 1, 5, "1.0");
  expect_label(1990, 2024, 1, "2000");
  expect_label(0, 50000, 5, "50,000");
  expect_label(-50000, 0, 0, "−50,000");
  expect_label(0, 5e6, 1, "1×10⁶");
  expect_label(0, 1e-7, 2, "0.4×10⁻⁷");
  expect_label(10000000000, 10000000400, 1, "10,000,000,100");
}

static void numbers_for_people(void **state) {
  (void)state;
  char t[DM_LABEL_MAX];
  const struct {
    double v;
    const char *want;
  } values[] = {{0, "0"},
                {1, "1"},
                {0.5, "0.5"},
                {1234, "1234"},
                {12345, "12,345"},
                {-12345.678, "−12,346"},
                {1e20, "1×10²⁰"},
                {1.25e-7, "1.25×10⁻⁷"},
                {(double)NAN, "–"},
                {(double)INFINITY, "–"},
                {99999.96, "100,000"},
                {0.000123456, "0.00012346"},
                {3.14159265, "3.1416"}};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    dm_number_value(values[i].v, 5, t);
    assert_string_equal(t, values[i].want);
  }
  dm_number_count(0, t);
  assert_string_equal(t, "0");
  dm_number_count(UINT64_MAX, t);
  assert_string_equal(t, "18,446,744,073,709,551,615");
  const struct {
    double v;
    const char *want;
  } shares[] = {{0, "0 %"},       {1, "100 %"},     {1e-9, "<0.1 %"}, {0.9999999, ">99.9 %"},
                {0.034, "3.4 %"}, {0.0996, "10 %"}, {0.5, "50 %"},    {0.996, "99.6 %"},
                {(double)NAN, "–"},       {1.5, "–"}};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
    dm_number_share(shares[i].v, t);
    assert_string_equal(t, shares[i].want);
  }
  dm_number_bytes(640, t);
  assert_string_equal(t, "640 B");
  dm_number_bytes(12345, t);
  assert_string_equal(t, "12 kB");
  dm_number_bytes(999999, t);
  assert_string_equal(t, "1.0 MB");
}

static void widths_and_cuts(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_buf b;
  dm_buf_init(&b, ctx, NULL);
  dm_str long_name = dm_str_of("a_very_long_column_name_that_never_ends_because_nobody_stopped_it");
  for (double room = 12; room < 500; room += 7) {
    dm_buf_reset(&b);
    bool whole = dm_text_fit(&b, long_name, 11, false, room);
    assert_int_equal(whole, dm_text_width(long_name, 11, false) <= room);
    assert_true(dm_text_width((dm_str){b.p, b.n}, 11, false) <= room);
    assert_int_equal(dm_utf8_valid(b.p, b.n), b.n);
  }
  dm_buf_reset(&b);
  (void)dm_text_fit(&b, dm_str_of("Größenänderungs-Überprüfung 日本語"), 11, false, 60);
  assert_int_equal(dm_utf8_valid(b.p, b.n), b.n);
  dm_buf_clear(&b);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linear_ticks_cover_any_range),
      cmocka_unit_test(odd_bounds_give_a_range),
      cmocka_unit_test(ticks_are_round),
      cmocka_unit_test(log_ticks_are_powers),
      cmocka_unit_test(near_ticks_fill_short_ranges),
      cmocka_unit_test(labels_are_short_and_plain),
      cmocka_unit_test(numbers_for_people),
      cmocka_unit_test(widths_and_cuts),
      cmocka_unit_test(counts_have_whole_ticks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
