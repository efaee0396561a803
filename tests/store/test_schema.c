/* schema: databases without dm_ tables, or with those of version 1, are migrated, a future one is refused. */
#include "cmocka_all.h"
#include "store/registry.h"
#include "store/store.h"
#include "store_test.h"

/* As another program left it: no dm_ table, its own table stays as it is. */
static void version_0_is_migrated_at_the_first_write(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "v0.db");
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "PRAGMA page_size=4096; CREATE TABLE people(name TEXT, age INT);"
                                    "INSERT INTO people VALUES('Ann', 3)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  dm_store *store = test_open(ctx, path, DM_STORE_WRITE);
  assert_false(test_has_schema(store));
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  dm_error err = {0};
  if (dm_store_ensure_schema(store, &err) != DM_OK) fail_msg("%s", err.message);
  assert_true(test_has_schema(store));
  dm_store_rollback(store);
  assert_false(test_has_schema(store));
  assert_int_equal(test_int(store, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'dm\\_%' ESCAPE '\\'"), 0);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  dm_store_close(store);
  store = test_open(ctx, path, DM_STORE_READ);
  assert_true(test_has_schema(store));
  assert_int_equal(test_int(store, "SELECT value FROM dm_meta WHERE key = 'schema_version'"), DM_SCHEMA_VERSION);
  assert_int_equal(test_int(store, "SELECT age FROM people"), 3);
  assert_int_equal(test_int(store, "PRAGMA page_size"), 4096);
  assert_int_equal(test_int(store, "PRAGMA application_id"), 0); /* the file is the user's */
  assert_int_equal(test_int(store, "SELECT count(*) FROM pragma_table_list WHERE name LIKE 'dm\\_%' ESCAPE '\\' AND NOT strict"), 0);
  dm_store_close(store);
}

/* What version 1 wrote: tests/golden/schema_1.sql. */
static void make_version_1(const char *path) {
  char golden[512];
  size_t n;
  const char *source = getenv("DM_SOURCE");
  (void)snprintf(golden, sizeof golden, "%s/tests/golden/schema_1.sql", source ? source : ".");
  char *sql = test_read(golden, &n);
  sql[n] = 0;
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  free(sql);
}

static void expect_model(dm_store *store, dm_ctx *ctx) {
  dm_arena *arena;
  dm_model_meta meta;
  dm_model_rows rows;
  dm_error err = {0};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  if (dm_registry_find(store, "m", arena, &meta, &err) != DM_OK) fail_msg("%s", err.message);
  assert_string_equal(meta.method, "tree");
  if (dm_model_rows_read(store, meta.id, arena, &rows, &err) != DM_OK) fail_msg("%s", err.message);
  dm_arena_free(arena);
}

static void version_1_is_read_and_migrated_at_the_first_write(void **state) {
  dm_ctx *ctx = *state;
  char path[128], fresh[128];
  int64_t version;
  test_path(path, "v1.db");
  test_path(fresh, "v2.db");
  make_version_1(path);
  dm_store *store = test_open(ctx, path, DM_STORE_READ);
  assert_true(test_has_schema(store));
  expect_model(store, ctx);
  dm_store_close(store);
  store = test_open(ctx, path, DM_STORE_WRITE);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  dm_error err = {0};
  if (dm_store_ensure_schema(store, &err) != DM_OK) fail_msg("%s", err.message);
  dm_store_rollback(store);
  assert_int_equal(dm_schema_version(store, &version, NULL), DM_OK);
  assert_int_equal(version, 1);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  assert_int_equal(dm_schema_version(store, &version, NULL), DM_OK);
  assert_int_equal(version, 2);
  expect_model(store, ctx);
  assert_int_equal(test_int(store, "SELECT count(*) FROM people"), 5);
  assert_int_equal(test_int(store, "SELECT count(*) FROM pragma_table_info('dm_rule')"), 20);
  dm_store *other = test_open(ctx, fresh, DM_STORE_CREATE);
  assert_int_equal(dm_store_ensure_schema(other, NULL), DM_OK);
  dm_store_close(other);
  if (dm_store_exec(store, &err, "ATTACH %Q AS fresh", fresh) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(test_int(store, "SELECT count(*) FROM fresh.sqlite_schema AS f JOIN main.sqlite_schema AS m USING (name)"
                                   " WHERE f.sql IS NOT m.sql"), 0);
  assert_int_equal(test_int(store, "SELECT (SELECT count(*) FROM main.sqlite_schema) - (SELECT count(*) FROM fresh.sqlite_schema)"), 1);
  dm_store_close(store);
}

static void expect_refused(dm_ctx *ctx, const char *path, const char *version, const char *part) {
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "UPDATE dm_meta SET value = %Q WHERE key = 'schema_version'", version), DM_OK);
  dm_store_close(store);
  for (unsigned mode = DM_STORE_READ; mode <= DM_STORE_CREATE; mode *= 2) {
    dm_error err = {0};
    store = NULL;
    assert_int_equal(dm_store_open(ctx, path, mode, &store, &err), DM_EIO);
    assert_null(store);
    assert_non_null(strstr(err.message, part));
  }
}

static void a_future_or_broken_version_is_refused(void **state) {
  char path[128];
  test_path(path, "future.db");
  expect_refused(*state, path, "2147483647", "the schema has version 2147483647");
  test_path(path, "zero.db");
  expect_refused(*state, path, "0", "no schema_version");
  test_path(path, "words.db");
  expect_refused(*state, path, "one", "no schema_version");
}

static void a_users_table_of_the_same_name_is_named(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE dm_run(mine)");
  dm_error err = {0};
  assert_int_equal(dm_store_ensure_schema(store, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "dm_run"));
  assert_int_equal(test_int(store, "SELECT count(*) FROM sqlite_schema"), 1);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(version_0_is_migrated_at_the_first_write),
      test_with_ctx(version_1_is_read_and_migrated_at_the_first_write),
      test_with_ctx(a_future_or_broken_version_is_refused),
      test_with_ctx(a_users_table_of_the_same_name_is_named),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
