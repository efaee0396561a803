/* data: frames from rows of values, their levels, numbers as classes. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const dm_value MISSING = {.type = DM_NULL};
static dm_value integer(int64_t v) { return (dm_value){.type = DM_INTEGER, .integer = v}; }
static dm_value real(double v) { return (dm_value){.type = DM_REAL, .real = v}; }
static dm_value text(const char *s) { return (dm_value){.type = DM_TEXT, .text = dm_str_of(s)}; }

typedef struct diary {
  int warnings;
  char last[512];
} diary;

static void write_down(void *user, dm_log_level level, const char *message) {
  diary *d = user;
  if (level != DM_LOG_WARNING) return;
  d->warnings++;
  (void)snprintf(d->last, sizeof d->last, "%s", message);
}

static dm_ctx *new_ctx(size_t budget, diary *d) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.budget = budget, .threads = 1, .user = d, .log = d ? write_down : NULL};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

/* A frame of one column from its cells. */
static dm_frame *column_of(dm_ctx *ctx, const dm_value *cells, size_t n) {
  static const char *const names[] = {"x"};
  dm_frame_builder *b = NULL;
  dm_frame *f = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 1, names, false, 0, &b, NULL), DM_OK);
  for (size_t i = 0; i < n; i++) assert_int_equal(dm_frame_builder_add(b, &cells[i], 0, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_finish(b, &f, NULL), DM_OK);
  assert_int_equal(f->n, n);
  return f;
}

static void assert_level(const dm_frame *f, size_t row, const char *want) {
  const dm_frame_column *c = &f->columns[0];
  double code = c->values[row];
  assert_true(code >= 0 && code < (double)c->levels.n);
  assert_string_equal(c->levels.names[(size_t)code].p, want);
  assert_int_equal(c->levels.names[(size_t)code].n, strlen(want));
}

static void numbers_stay_numbers(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  const dm_value ints[] = {integer(3), MISSING, integer(-7)};
  dm_frame *f = column_of(ctx, ints, 3);
  assert_int_equal(f->columns[0].kind, DM_NUMERIC);
  assert_int_equal(f->columns[0].type, DM_INTEGER);
  assert_int_equal(f->columns[0].n_missing, 1);
  assert_true(f->columns[0].values[0] == 3 && isnan(f->columns[0].values[1]) && f->columns[0].values[2] == -7);
  dm_frame_free(f);
  const dm_value mixed[] = {integer(3), real(0.5), MISSING};
  f = column_of(ctx, mixed, 3);
  assert_int_equal(f->columns[0].type, DM_REAL);
  assert_true(f->columns[0].values[0] == 3 && f->columns[0].values[1] == 0.5);
  dm_frame_free(f);
  const dm_value nothing[] = {MISSING, MISSING};
  f = column_of(ctx, nothing, 2);
  assert_int_equal(f->columns[0].kind, DM_NUMERIC);
  assert_int_equal(f->columns[0].n_missing, 2);
  dm_frame_free(f);
  f = column_of(ctx, NULL, 0);
  assert_int_equal(f->n, 0);
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void a_text_cell_turns_numbers_into_their_text(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  const dm_value cells[] = {integer(3),      MISSING, real(3.0),   real(0.1),  integer(-20), integer(9007199254740993),
                            integer(INT64_MIN), text("b"), text("\xC3\xA9"), integer(3), real(3.0),    text(""), text("a")};
  const char *want[] = {"3", NULL, "3.0", "0.1", "-20", "9007199254740993", "-9223372036854775808", "b", "\xC3\xA9", "3", "3.0", "", "a"};
  dm_frame *f = column_of(ctx, cells, 13);
  const dm_frame_column *c = &f->columns[0];
  assert_int_equal(c->kind, DM_CATEGORY);
  assert_int_equal(c->type, DM_TEXT);
  assert_int_equal(c->levels.n, 10);
  assert_int_equal(c->n_missing, 1);
  assert_true(isnan(c->values[1]));
  for (size_t i = 0; i < 13; i++)
    if (want[i]) assert_level(f, i, want[i]);
  for (size_t i = 1; i < c->levels.n; i++) assert_true(dm_str_compare(c->levels.names[i - 1], c->levels.names[i]) < 0);
  for (size_t i = 0; i < 13; i++) /* a value finds the code its row got */
    if (want[i]) assert_true((double)dm_levels_find(&c->levels, cells[i]) == c->values[i]);
  assert_true(dm_levels_find(&c->levels, text("c")) == SIZE_MAX);
  assert_true(dm_levels_find(&c->levels, integer(4)) == SIZE_MAX);
  assert_true(dm_levels_find(&c->levels, MISSING) == SIZE_MAX);
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

/* Levels alike in their first eight bytes, prefixes of each other, with NUL and bytes beyond ASCII. */
static void levels_are_sorted_by_bytes(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  const dm_str sorted[] = {{"", 0},          {"\0", 1},        {"12345678", 8}, {"12345678\0", 9}, {"123456781", 9}, {"12345678a", 9},
                           {"12345678b", 9}, {"a", 1},         {"a\0", 2},      {"ab", 2},         {"z", 1},         {"\xC3\xA9", 2}};
  dm_value cells[12];
  for (size_t i = 0; i < 12; i++) cells[i] = (dm_value){.type = DM_TEXT, .text = sorted[i * 5 % 12]};
  dm_frame *f = column_of(ctx, cells, 12);
  assert_int_equal(f->columns[0].levels.n, 12);
  for (size_t i = 0; i < 12; i++) {
    assert_true(dm_str_equal(f->columns[0].levels.names[i], sorted[i]));
    assert_true(f->columns[0].values[i] == (double)(i * 5 % 12));
  }
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void reals_before_a_text_print_as_reals(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  const dm_value cells[] = {real(2.0), integer(2), text("x")}, only_real[] = {real(2.0), real(1e22), text("x")};
  dm_frame *f = column_of(ctx, cells, 3);
  assert_level(f, 0, "2.0");
  assert_level(f, 1, "2");
  dm_frame_free(f);
  f = column_of(ctx, only_real, 3);
  assert_level(f, 0, "2.0");
  assert_level(f, 1, "1e+22");
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void nan_infinity_and_blobs_are_refused_with_their_place(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  static const char *const names[] = {"id", "price"};
  const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  for (size_t i = 0; i < 4; i++) {
    dm_frame_builder *b = NULL;
    dm_error err = {0};
    assert_int_equal(dm_frame_builder_new(ctx, 2, names, false, 0, &b, NULL), DM_OK);
    dm_value row[] = {integer(1), real(1)};
    assert_int_equal(dm_frame_builder_add(b, row, 0, &err), DM_OK);
    row[1] = i < 3 ? real(bad[i]) : (dm_value){.type = DM_BLOB, .text = {"\1", 1}};
    assert_int_equal(dm_frame_builder_add(b, row, 0, &err), DM_EINPUT);
    assert_non_null(strstr(err.message, "column 'price', row 2: "));
    assert_non_null(strstr(err.message, i == 0 ? "NaN" : i < 3 ? "infinity" : "BLOB"));
    assert_true(err.hint[0] != 0);
    dm_frame_builder_free(b);
  }
  dm_ctx_free(ctx);
}

static void integers_that_double_cannot_hold_are_told_once(void **state) {
  (void)state;
  diary d = {0};
  dm_ctx *ctx = new_ctx(0, &d);
  const dm_value cells[] = {integer(9007199254740992), integer(9007199254740994), integer(9007199254740993), integer(INT64_MAX)};
  dm_frame *f = column_of(ctx, cells, 2);
  assert_int_equal(d.warnings, 0); /* large, yet exact */
  dm_frame_free(f);
  f = column_of(ctx, cells, 4);
  assert_int_equal(d.warnings, 1);
  assert_non_null(strstr(d.last, "column 'x', row 3: 9007199254740993"));
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void cells_and_rows_give_the_same_frame(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  static const char *const names[] = {"a", "b", "c"};
  dm_frame_builder *rows = NULL, *cells = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 3, names, true, 5000, &rows, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_new(ctx, 3, names, true, 0, &cells, NULL), DM_OK);
  for (size_t i = 0; i < 5000; i++) {
    char level[8];
    size_t n = (size_t)snprintf(level, sizeof level, "l%zu", i * 7 % 13);
    dm_value v[] = {i % 5 ? integer((int64_t)i) : MISSING, real((double)i / 3), i % 7 ? text(level) : MISSING};
    assert_int_equal(dm_frame_builder_add(rows, v, (int64_t)i * 2, NULL), DM_OK);
    if (i % 5) assert_int_equal(dm_frame_builder_integer(cells, 0, (int64_t)i, NULL), DM_OK);
    assert_int_equal(dm_frame_builder_real(cells, 1, (double)i / 3, NULL), DM_OK);
    if (i % 7) assert_int_equal(dm_frame_builder_text(cells, 2, level, n, NULL), DM_OK);
    assert_int_equal(dm_frame_builder_end_row(cells, (int64_t)i * 2, NULL), DM_OK);
  }
  dm_frame *f = NULL, *g = NULL;
  assert_int_equal(dm_frame_builder_finish(rows, &f, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_finish(cells, &g, NULL), DM_OK);
  assert_int_equal(f->n, 5000);
  assert_memory_equal(f->row_ids, g->row_ids, 5000 * sizeof *f->row_ids);
  assert_int_equal(f->row_ids[4999], 9998);
  for (size_t c = 0; c < 3; c++) {
    assert_memory_equal(f->columns[c].values, g->columns[c].values, 5000 * sizeof(double));
    assert_int_equal(f->columns[c].n_missing, g->columns[c].n_missing);
  }
  assert_int_equal(f->columns[0].n_missing, 1000);
  assert_int_equal(f->columns[2].levels.n, 13);
  dm_frame_free(f);
  dm_frame_free(g);
  dm_ctx_free(ctx);
}

static void columns_are_found_exactly_then_in_any_case(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  static const char *const names[] = {"Age", "age", "Sex"};
  dm_frame_builder *b = NULL;
  dm_frame *f = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 3, names, false, 0, &b, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_finish(b, &f, NULL), DM_OK);
  assert_int_equal(dm_frame_find(f, "age"), 1);
  assert_int_equal(dm_frame_find(f, "AGE"), 0);
  assert_int_equal(dm_frame_find(f, "sex"), 2);
  assert_true(dm_frame_find(f, "height") == SIZE_MAX);
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void numbers_become_classes_in_their_order(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  const dm_value ints[] = {integer(10), integer(-1), MISSING, integer(2), integer(10)};
  dm_frame *f = column_of(ctx, ints, 5);
  assert_int_equal(dm_frame_n_distinct(f, 0, 50, NULL), 3);
  assert_int_equal(dm_frame_n_distinct(f, 0, 2, NULL), 2);
  assert_int_equal(dm_frame_n_distinct(f, 0, 0, NULL), 3);
  assert_int_equal(dm_frame_make_category(f, 0, NULL), DM_OK);
  const dm_frame_column *c = &f->columns[0];
  assert_int_equal(c->kind, DM_CATEGORY);
  assert_int_equal(c->levels.type, DM_INTEGER);
  assert_int_equal(c->levels.n, 3);
  const double want[] = {2, 0, (double)NAN, 1, 2};
  for (size_t i = 0; i < 5; i++) assert_true(isnan(want[i]) ? isnan(c->values[i]) : c->values[i] == want[i]);
  assert_level(f, 1, "-1"); /* by value: -1 < 2 < 10 */
  assert_level(f, 0, "10");
  assert_int_equal(dm_levels_find(&c->levels, integer(10)), 2);
  assert_int_equal(dm_levels_find(&c->levels, real(2.0)), 1);
  assert_int_equal(dm_levels_find(&c->levels, text("-1")), 0);
  assert_true(dm_levels_find(&c->levels, text("x")) == SIZE_MAX);
  assert_true(dm_levels_find(&c->levels, real(2.5)) == SIZE_MAX);
  assert_int_equal(dm_frame_n_distinct(f, 0, 50, NULL), 3);
  assert_int_equal(dm_frame_make_category(f, 0, NULL), DM_OK); /* again: nothing */
  dm_frame_free(f);
  const dm_value reals[] = {real(0.5), real(1.0), real(-0.0), real(0.0)};
  f = column_of(ctx, reals, 4);
  assert_int_equal(dm_frame_n_distinct(f, 0, 50, NULL), 3);
  assert_int_equal(dm_frame_make_category(f, 0, NULL), DM_OK);
  assert_int_equal(f->columns[0].levels.n, 3);
  assert_level(f, 0, "0.5");
  assert_level(f, 1, "1.0");
  assert_level(f, 2, "0.0");
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void many_distinct_values_are_counted(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, NULL);
  static dm_value cells[6000];
  for (size_t i = 0; i < 6000; i++) cells[i] = real((double)(i * 7919 % 3000) - 1500.5);
  dm_frame *f = column_of(ctx, cells, 6000);
  assert_int_equal(dm_frame_n_distinct(f, 0, 0, NULL), 3000);
  assert_int_equal(dm_frame_n_distinct(f, 0, 2000, NULL), 2000);
  assert_int_equal(dm_frame_make_category(f, 0, NULL), DM_OK);
  for (size_t i = 0; i < 6000; i++) assert_true(f->columns[0].values[i] == (double)(i * 7919 % 3000));
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

/* Every allocation refused in turn: a clear error, nothing held. */
static void a_small_budget_is_an_error_not_a_leak(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b"};
  bool built = false;
  size_t failures = 0;
  for (size_t budget = 200; budget < 400000 && !built; budget += 1777) {
    dm_ctx *ctx = new_ctx(budget, NULL);
    dm_error err = {0};
    dm_frame_builder *b = NULL;
    dm_frame *f = NULL;
    dm_status s = dm_frame_builder_new(ctx, 2, names, true, 0, &b, &err);
    for (size_t i = 0; s == DM_OK && i < 3000; i++) {
      char level[24];
      (void)snprintf(level, sizeof level, "level %zu", i % 200);
      const dm_value v[] = {i % 2 ? integer((int64_t)1 << 60) : real(1), i < 100 ? integer((int64_t)i) : text(level)};
      s = dm_frame_builder_add(b, v, (int64_t)i, &err);
    }
    if (s == DM_OK) {
      s = dm_frame_builder_finish(b, &f, &err);
    } else {
      dm_frame_builder_free(b);
    }
    if (s == DM_OK) s = dm_frame_make_category(f, 0, &err);
    if (s != DM_OK) {
      assert_int_equal(s, DM_EBUDGET);
      assert_int_equal(err.code, DM_EBUDGET);
      failures++;
    }
    built = s == DM_OK;
    dm_frame_free(f);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_true(built);
  assert_true(failures > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_stay_numbers),
      cmocka_unit_test(a_text_cell_turns_numbers_into_their_text),
      cmocka_unit_test(levels_are_sorted_by_bytes),
      cmocka_unit_test(reals_before_a_text_print_as_reals),
      cmocka_unit_test(nan_infinity_and_blobs_are_refused_with_their_place),
      cmocka_unit_test(integers_that_double_cannot_hold_are_told_once),
      cmocka_unit_test(cells_and_rows_give_the_same_frame),
      cmocka_unit_test(columns_are_found_exactly_then_in_any_case),
      cmocka_unit_test(numbers_become_classes_in_their_order),
      cmocka_unit_test(many_distinct_values_are_counted),
      cmocka_unit_test(a_small_budget_is_an_error_not_a_leak),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
