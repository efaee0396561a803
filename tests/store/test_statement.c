/* statement: values both ways, one statement only, places of errors. */
#include "cmocka_all.h"
#include "store/store.h"
#include "store_test.h"

static void values_come_back_as_they_were_bound(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  const dm_value values[] = {
      {DM_NULL},
      {DM_INTEGER, .integer = INT64_MIN},
      {DM_REAL, .real = 0.1},
      {DM_TEXT, .text = {"a\0b", 3}},
      {DM_TEXT, .text = {NULL, 0}},
      {DM_BLOB, .text = {"\xFF\0", 2}},
      {DM_BLOB, .text = {NULL, 0}},
  };
  dm_stmt *s;
  bool row;
  assert_int_equal(dm_stmt_prepare(store, "SELECT ?1 AS v", &s, NULL), DM_OK);
  assert_int_equal(dm_stmt_n_columns(s), 1);
  assert_string_equal(dm_stmt_column_name(s, 0), "v");
  assert_true(dm_stmt_is_read_only(s));
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    assert_int_equal(dm_stmt_reset(s, NULL), DM_OK);
    assert_int_equal(dm_stmt_bind(s, 1, values[i], NULL), DM_OK);
    assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
    assert_true(row);
    dm_value v = dm_stmt_value(s, 0);
    assert_int_equal(v.type, values[i].type);
    assert_int_equal(v.integer, values[i].integer);
    assert_true(v.real == values[i].real);
    assert_true(dm_str_equal(v.text, values[i].text));
    assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
    assert_false(row);
  }
  assert_int_equal(dm_stmt_bind_int(s, 2, 1, NULL), DM_EINPUT); /* there is no ?2 */
  dm_stmt_free(s);
  dm_stmt_free(NULL);
  dm_store_close(store);
}

static void one_statement_and_no_more(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  dm_stmt *s = NULL;
  dm_error err = {0};
  assert_int_equal(dm_stmt_prepare(store, "SELECT 1 ; -- a comment\n /* and one more */ ; ", &s, &err), DM_OK);
  dm_stmt_free(s);
  s = NULL;
  assert_int_equal(dm_stmt_prepare(store, "SELECT 1;\n DROP TABLE t", &s, &err), DM_EINPUT);
  assert_null(s);
  assert_non_null(strstr(err.message, "one statement"));
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 2);
  assert_int_equal(dm_stmt_prepare(store, " -- nothing", &s, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "empty"));
  dm_store_close(store);
}

static void a_mistake_has_its_line_and_column(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  dm_stmt *s = NULL;
  dm_error err = {0};
  assert_int_equal(dm_stmt_prepare(store, "SELECT 1,\n  agee\nFROM (SELECT 2 AS age)", &s, &err), DM_EINPUT);
  assert_string_equal(err.message, "SQL: no such column: agee");
#if SQLITE_VERSION_NUMBER >= 3038000
  assert_string_equal(err.file, "SQL");
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 3);
  assert_string_equal(err.excerpt, "  agee");
  assert_int_equal(err.caret, 3);
#endif
  dm_store_close(store);
}

static void a_failed_step_leaves_the_statement_usable(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(a UNIQUE)");
  dm_stmt *s;
  bool row;
  dm_error err = {0};
  assert_int_equal(dm_stmt_prepare(store, "INSERT INTO t VALUES(?1)", &s, NULL), DM_OK);
  assert_false(dm_stmt_is_read_only(s));
  assert_int_equal(dm_stmt_bind_text(s, 1, "x", NULL), DM_OK);
  assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
  assert_int_equal(dm_stmt_reset(s, NULL), DM_OK);
  assert_int_equal(dm_stmt_step(s, &row, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "UNIQUE constraint failed"));
  assert_int_equal(dm_stmt_bind_text(s, 1, NULL, NULL), DM_OK);
  assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
  dm_stmt_free(s);
  assert_int_equal(test_int(store, "SELECT count(*) FROM t WHERE a IS NULL"), 1);
  dm_store_close(store);
}

static void names_and_texts_are_quoted(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  const char *name = "a \"b\" '; DROP TABLE x; --";
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE \"%w\"(c)", name), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO \"%w\" VALUES(%Q)", name, name), DM_OK);
  dm_buf buf;
  dm_error err = {0};
  dm_buf_init(&buf, ctx, &err);
  assert_int_equal(dm_sql_append(&buf, &err, "SELECT c = %Q", name), DM_OK);
  assert_int_equal(dm_sql_append(&buf, &err, " FROM \"%w\"", name), DM_OK);
  assert_int_equal(test_int(store, buf.p), 1);
  dm_buf_clear(&buf);
  dm_store_close(store);
}

static void a_result_column_knows_its_origin(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE people(name, age)");
  dm_stmt *s;
  const char *table = NULL, *name = NULL;
  assert_int_equal(dm_stmt_prepare(store, "SELECT age AS a, age + 1 FROM (SELECT * FROM people)", &s, NULL), DM_OK);
  if (sqlite3_compileoption_used("ENABLE_COLUMN_METADATA")) {
    assert_true(dm_stmt_column_origin(s, 0, &table, &name));
    assert_string_equal(table, "people");
    assert_string_equal(name, "age");
  }
  assert_false(dm_stmt_column_origin(s, 1, &table, &name));
  dm_stmt_free(s);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(values_come_back_as_they_were_bound),
      test_with_ctx(one_statement_and_no_more),
      test_with_ctx(a_mistake_has_its_line_and_column),
      test_with_ctx(a_failed_step_leaves_the_statement_usable),
      test_with_ctx(names_and_texts_are_quoted),
      test_with_ctx(a_result_column_knows_its_origin),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
