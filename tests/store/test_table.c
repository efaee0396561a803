/* table: columns with what import learned, names, SRC of the commands. */
#include "cmocka_all.h"
#include "store/store.h"
#include "store_test.h"

static dm_arena *new_arena(dm_ctx *ctx) {
  dm_arena *a = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, &a, NULL), DM_OK);
  return a;
}

static void columns_have_types_and_formats(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_arena *arena = new_arena(ctx);
  test_exec(store, "CREATE TABLE \"Big 'T'\"(dm_id INTEGER PRIMARY KEY, a INTEGER, b REAL, c TEXT, d, e BLOB, f ANY, g VARCHAR(3),"
                   " h AS (a + 1))");
  dm_table t;
  assert_int_equal(dm_store_table(store, "big 't'", arena, &t, NULL), DM_OK);
  assert_string_equal(t.name, "Big 'T'");
  assert_true(t.has_dm_id);
  assert_int_equal(t.n_columns, 8);
  const dm_type types[] = {DM_INTEGER, DM_REAL, DM_TEXT, DM_NULL, DM_BLOB, DM_NULL, DM_TEXT, DM_NULL};
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(t.columns[i].type, types[i]);
    assert_int_equal(t.columns[i].name[0], 'a' + (int)i);
    assert_string_equal(t.columns[i].null_text, "");
  }
  assert_int_equal(t.columns[0].format.kind, DM_FORMAT_INTEGER);
  assert_int_equal(t.columns[1].format.kind, DM_FORMAT_SHORTEST);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  test_exec(store, "INSERT INTO dm_column(table_name, name, type, format, missing_markers)"
                   " VALUES('big ''t''', 'B', 'REAL', 'decimals:2', '[\"NA\",\"?\"]')");
  assert_int_equal(dm_store_table(store, "Big 'T'", arena, &t, NULL), DM_OK);
  assert_int_equal(t.columns[1].format.kind, DM_FORMAT_DECIMALS);
  assert_int_equal(t.columns[1].format.decimals, 2);
  assert_string_equal(t.columns[1].null_text, "NA");
  assert_string_equal(t.columns[0].null_text, "");
  assert_int_equal(dm_table_find(&t, "B"), 1);
  assert_true(dm_table_find(&t, "zz") == SIZE_MAX);
  dm_arena_free(arena);
  dm_store_close(store);
}

static void only_tables_of_the_user_are_listed(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_arena *arena = new_arena(ctx);
  const char *const *names;
  size_t n = 9;
  assert_int_equal(dm_store_tables(store, arena, &names, &n, NULL), DM_OK);
  assert_int_equal(n, 0);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  test_exec(store, "CREATE TABLE zebra(a)");
  test_exec(store, "CREATE TABLE dmx(a)"); /* not ours: no underscore */
  test_exec(store, "CREATE VIEW v AS SELECT 1");
  assert_int_equal(dm_store_tables(store, arena, &names, &n, NULL), DM_OK);
  assert_int_equal(n, 2);
  assert_string_equal(names[0], "zebra");
  assert_string_equal(names[1], "dmx");
  dm_arena_free(arena);
  dm_store_close(store);
}

static void an_unknown_table_gets_a_suggestion(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_arena *arena = new_arena(ctx);
  dm_table t;
  dm_error err = {0};
  assert_int_equal(dm_store_table(store, "peple", arena, &t, &err), DM_EUSAGE);
  assert_non_null(strstr(err.hint, "no tables yet"));
  test_exec(store, "CREATE TABLE people(a)");
  assert_int_equal(dm_store_table(store, "peple", arena, &t, &err), DM_EUSAGE);
  assert_string_equal(err.message, "no such table: 'peple'");
  assert_string_equal(err.hint, "did you mean 'people'?");
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  assert_int_equal(dm_store_table(store, "dm_run", arena, &t, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "not a table of yours"));
  dm_arena_free(arena);
  dm_store_close(store);
}

static void expect_sql(dm_store *store, dm_arena *arena, const char *src, const char *want) {
  const char *sql = NULL;
  dm_error err = {0};
  if (dm_source_sql(store, src, arena, &sql, &err) != DM_OK) fail_msg("%s: %s", src, err.message);
  assert_string_equal(sql, want);
}

static void a_source_is_a_table_or_one_select(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_arena *arena = new_arena(ctx);
  test_exec(store, "CREATE TABLE \"a \"\"b\"(dm_id INTEGER PRIMARY KEY, x)");
  test_exec(store, "CREATE TABLE plain(rowid, x)");
  test_exec(store, "CREATE TABLE keyed(x PRIMARY KEY) WITHOUT ROWID");
  test_exec(store, "CREATE TABLE \"select\"(x)");
  test_exec(store, "CREATE VIEW v AS SELECT * FROM plain");
  expect_sql(store, arena, "A \"b", "SELECT * FROM main.\"a \"\"b\" ORDER BY dm_id");
  expect_sql(store, arena, "plain", "SELECT * FROM main.\"plain\" ORDER BY _rowid_");
  expect_sql(store, arena, "keyed", "SELECT * FROM main.\"keyed\"");
  expect_sql(store, arena, "v", "SELECT * FROM main.\"v\"");
  expect_sql(store, arena, "select", "SELECT * FROM main.\"select\" ORDER BY rowid");
  expect_sql(store, arena, "SELECT 1 ; ", "SELECT 1");
  expect_sql(store, arena, "-- c\n/* d */ values(1)", "-- c\n/* d */ values(1)");
  expect_sql(store, arena, "with q as (select 1) select * from q;", "with q as (select 1) select * from q");
  const struct {
    const char *src, *part;
    dm_status status;
  } bad[] = {
      {"plane", "no such table", DM_EUSAGE},
      {"", "no such table", DM_EUSAGE},
      {"DELETE FROM plain", "no such table", DM_EUSAGE},
      {"WITH q AS (SELECT 1) DELETE FROM plain RETURNING x", "writes", DM_EUSAGE},
      {"SELECT 1; SELECT 2", "one statement", DM_EINPUT},
      {"SELECT ?", "parameters", DM_EUSAGE},
      {"SELECT :x", ":x", DM_EUSAGE},
      {"SELECT nope FROM plain", "no such column: nope", DM_EINPUT},
      {"selection", "no such table", DM_EUSAGE},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *sql = NULL;
    dm_error err = {0};
    assert_int_equal(dm_source_sql(store, bad[i].src, arena, &sql, &err), bad[i].status);
    if (!strstr(err.message, bad[i].part)) fail_msg("%s: %s", bad[i].src, err.message);
    assert_null(sql);
  }
  dm_arena_free(arena);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(columns_have_types_and_formats),
      test_with_ctx(only_tables_of_the_user_are_listed),
      test_with_ctx(an_unknown_table_gets_a_suggestion),
      test_with_ctx(a_source_is_a_table_or_one_select),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
