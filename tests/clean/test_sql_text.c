/* SQL text: where a column's type stands in CREATE TABLE, which expressions stay inside their brackets. */
#include "clean/sql_text.h"
#include "cmocka_all.h"

#include <dm/core.h>

static void type_of_is(const char *sql, const char *column, const char *want) {
  size_t from = 0, to = 0;
  assert_true(dm_clean_column_type(sql, column, &from, &to));
  assert_int_equal(to - from, strlen(want));
  assert_memory_equal(sql + from, want, to - from);
}

static void types_are_found_in_any_spelling(void **state) {
  (void)state;
  const char *sql = "CREATE TABLE \"a,(b\" (dm_id INTEGER PRIMARY KEY, \"x \"\"y\" TEXT, [z)] VARCHAR( 10 , 2 ) NOT NULL,\n"
                    "  `w` /* a, b TEXT */ DOUBLE PRECISION DEFAULT (1 + (2)), bare, last BLOB COLLATE nocase, UNIQUE (bare, last)) STRICT";
  type_of_is(sql, "DM_ID", " INTEGER");
  type_of_is(sql, "x \"y", " TEXT");
  type_of_is(sql, "z)", " VARCHAR( 10 , 2 )");
  type_of_is(sql, "w", " /* a, b TEXT */ DOUBLE PRECISION");
  type_of_is(sql, "bare", "");
  type_of_is(sql, "last", " BLOB");
  size_t from, to;
  assert_false(dm_clean_column_type(sql, "nobody", &from, &to));
  assert_false(dm_clean_column_type(sql, "DEFAULT", &from, &to));
}

static void expressions_stay_inside(void **state) {
  (void)state;
  static const char *const good[] = {"a + 1", "(a) IN (1, 2)", "a = ');' OR \"b)\" > 1 -- note", "/* x */ a", "a -> '$.b'"};
  static const char *const bad[] = {"", " -- nothing", "a); DROP TABLE t", "1) FROM t WHERE (1", "(a", "a = 'x", "a /* x", "a; b", "a = ?1", "\"a"};
  size_t at;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_null(dm_clean_expression_problem(good[i], &at));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_non_null(dm_clean_expression_problem(bad[i], &at));
  assert_non_null(dm_clean_expression_problem("abc ) d", &at));
  assert_int_equal(at, 4);
}

static void names_are_quoted(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_arena *arena = NULL;
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  assert_string_equal(dm_clean_quote(arena, "a\"; DROP TABLE t; --", NULL), "\"a\"\"; DROP TABLE t; --\"");
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_are_found_in_any_spelling),
      cmocka_unit_test(expressions_stay_inside),
      cmocka_unit_test(names_are_quoted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
