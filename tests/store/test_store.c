/* store: opening, what cannot be opened, transactions, runs, cancel. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "store/store.h"
#include "store_test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_open_fails(dm_ctx *ctx, const char *path, unsigned mode, const char *part) {
  dm_store *store = NULL;
  dm_error err = {0};
  assert_int_equal(dm_store_open(ctx, path, mode, &store, &err), DM_EIO);
  assert_null(store);
  assert_int_equal(err.code, DM_EIO);
  if (!strstr(err.message, part)) fail_msg("%s: %s", path, err.message);
  assert_string_equal(err.file, path);
}

static void what_cannot_be_opened_says_why(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "open.db");
  expect_open_fails(ctx, path, DM_STORE_READ, "no such database");
  expect_open_fails(ctx, path, DM_STORE_WRITE, "no such database");
  assert_int_equal(access(path, F_OK), -1);
  expect_open_fails(ctx, "/", DM_STORE_CREATE, "is a directory");
  expect_open_fails(ctx, "/dev/null", DM_STORE_CREATE, "not a regular file");
  test_path(path, "no-such-directory/x.db");
  expect_open_fails(ctx, path, DM_STORE_CREATE, "cannot be opened: No such file");
  test_path(path, "text.db");
  const char *const texts[] = {
      "x", "name,age\nAnn,3\nBob,4\nand more bytes than the header of a database has: one hundred, so that one could be here\n"};
  for (size_t i = 0; i < 2; i++) {
    test_write(path, texts[i], strlen(texts[i]));
    expect_open_fails(ctx, path, DM_STORE_READ, "not an SQLite database");
    expect_open_fails(ctx, path, DM_STORE_CREATE, "not an SQLite database");
  }
  dm_store *store;
  assert_int_equal(dm_store_open(ctx, "", DM_STORE_CREATE, &store, NULL), DM_EUSAGE);
}

static void a_file_that_was_not_written_to_is_not_left_behind(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "unused.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  dm_store_close(store);
  assert_int_equal(access(path, F_OK), -1);
  store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  dm_store_close(store); /* rolls back */
  assert_int_equal(access(path, F_OK), -1);
}

static void a_new_file_has_our_settings_and_keeps_a_users_wal(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "settings.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  assert_int_equal(test_int(store, "PRAGMA page_size"), 16384);
  assert_int_equal(test_int(store, "PRAGMA application_id"), 0x646d4442);
  assert_int_equal(test_int(store, "PRAGMA synchronous"), 2);
  assert_int_equal(test_int(store, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
  dm_store_close(store);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(2)"), DM_OK);
  assert_int_equal(test_int(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
  dm_store_close(store);
  store = test_open(ctx, path, DM_STORE_READ);
  assert_int_equal(test_int(store, "SELECT sum(a) FROM t"), 3);
  dm_store_close(store);
}

static void reading_changes_no_byte(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "plain.db");
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  size_t n, m;
  char *before = test_read(path, &n);
  dm_store *store = test_open(ctx, path, DM_STORE_READ);
  assert_false(test_has_schema(store));
  assert_int_equal(test_int(store, "SELECT a FROM t"), 1);
  dm_error err = {0};
  assert_int_equal(dm_store_begin(store, &err), DM_EIO);
  assert_non_null(strstr(err.message, "read-only"));
  assert_int_equal(dm_store_ensure_schema(store, &err), DM_EIO);
  dm_store_close(store);
  char *after = test_read(path, &m);
  assert_int_equal(n, m);
  assert_memory_equal(before, after, n);
  free(before);
  free(after);
}

static void a_read_only_file_is_refused_for_writing(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "readonly.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE t(a)"), DM_OK);
  dm_store_close(store);
  assert_int_equal(chmod(path, 0444), 0);
  bool root = geteuid() == 0; /* who may write everything */
  if (root) assert_int_equal(seteuid(65534), 0);
  dm_error err = {0};
  dm_status s = dm_store_open(ctx, path, DM_STORE_WRITE, &store, &err);
  if (root) assert_int_equal(seteuid(0), 0);
  assert_int_equal(s, DM_EIO);
  assert_non_null(strstr(err.message, "read-only"));
  assert_non_null(strstr(err.hint, "permission"));
}

static void a_corrupt_file_is_named(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "corrupt.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE t(a)"), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL,
                                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                                 " INSERT INTO t SELECT hex(randomblob(20)) FROM n"),
                   DM_OK);
  dm_store_close(store);
  FILE *f = fopen(path, "r+b");
  assert_non_null(f);
  for (long page = 1; page < 12; page++) {
    assert_int_equal(fseek(f, page * 16384, SEEK_SET), 0);
    assert_int_equal(fwrite("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 1, 12, f), 12);
  }
  fclose(f);
  store = test_open(ctx, path, DM_STORE_READ);
  dm_error err = {0};
  assert_int_equal(dm_store_exec(store, &err, "SELECT count(*), max(a) FROM t"), DM_EIO);
  assert_non_null(strstr(err.message, "corrupt"));
  assert_string_equal(err.file, path);
  dm_store_close(store);
}

static void a_lock_is_waited_for_and_then_reported(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "locked.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE t(a)"), DM_OK);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
  dm_ctx_cancel(ctx); /* a cancelled wait ends at once, which the test wants as well as the user */
  dm_error err = {0};
  assert_int_equal(dm_store_begin(store, &err), DM_ECANCEL);
  dm_store_close(store);
  sqlite3_close(db);
  dm_ctx *other;
  assert_int_equal(dm_ctx_new(NULL, &other, NULL), DM_OK);
  store = test_open(other, path, DM_STORE_WRITE);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_busy_timeout(store->db, 20); /* instead of our five seconds */
  assert_int_equal(dm_store_begin(store, &err), DM_EIO);
  assert_non_null(strstr(err.message, "locked"));
  assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(dm_store_begin(store, &err), DM_OK);
  assert_int_equal(dm_store_commit(store, &err), DM_OK);
  sqlite3_close(db);
  dm_store_close(store);
  dm_ctx_free(other);
}

static void cancel_ends_a_running_statement(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_ctx_cancel(ctx);
  dm_error err = {0};
  dm_status s = dm_store_exec(store, &err,
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n");
  assert_int_equal(s, DM_ECANCEL);
  assert_string_equal(err.message, "interrupted");
  dm_store_close(store);
}

/* The journal of a writer that was killed is rolled back by the next reader. */
static void a_killed_writer_leaves_the_old_state(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "killed.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE t(a)"), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(7)"), DM_OK);
  dm_store_close(store);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "PRAGMA cache_size=5; BEGIN; UPDATE t SET a = 8;"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                     " INSERT INTO t SELECT hex(zeroblob(500)) FROM n", NULL, NULL, NULL);
    _exit(0); /* without closing: as if killed */
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  char journal[160];
  (void)snprintf(journal, sizeof journal, "%s-journal", path);
  assert_int_equal(access(journal, F_OK), 0);
  store = test_open(ctx, path, DM_STORE_READ);
  assert_int_equal(test_int(store, "SELECT sum(a) FROM t"), 7);
  dm_store_close(store);
}

static void transactions_commit_and_roll_back(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE t(a)"), DM_OK);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_store_begin(store, NULL), DM_EINTERNAL);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(1)"), DM_OK);
  assert_int_equal(dm_store_changes(store), 1);
  dm_store_rollback(store);
  dm_store_rollback(store);
  assert_int_equal(dm_store_commit(store, NULL), DM_EINTERNAL);
  assert_int_equal(test_int(store, "SELECT count(*) FROM t"), 0);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(1)"), DM_OK);
  assert_int_equal(dm_store_commit(store, NULL), DM_OK);
  assert_int_equal(test_int(store, "SELECT count(*) FROM t"), 1);
  dm_store_close(store);
}

static void an_attached_store_works_inside_its_owners_transaction(void **state) {
  dm_ctx *ctx = *state;
  sqlite3 *db;
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_OK);
  dm_store *store;
  assert_int_equal(dm_store_attach(ctx, db, &store, NULL), DM_OK);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(2)"), DM_OK);
  dm_store_rollback(store);
  assert_int_equal(test_int(store, "SELECT sum(a) FROM t"), 1);
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO t VALUES(4)"), DM_OK);
  assert_int_equal(dm_store_commit(store, NULL), DM_OK);
  assert_int_equal(sqlite3_get_autocommit(db), 0);
  dm_store_close(store);
  assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static void a_snapshot_is_of_one_state(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "snapshot.db");
  dm_store *writer = test_open(ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_exec(writer, NULL, "PRAGMA journal_mode=WAL"), DM_OK);
  assert_int_equal(dm_store_exec(writer, NULL, "CREATE TABLE t(a)"), DM_OK);
  dm_store *reader = test_open(ctx, path, DM_STORE_READ);
  assert_int_equal(dm_store_snapshot(reader, NULL), DM_OK);
  assert_int_equal(dm_store_exec(writer, NULL, "INSERT INTO t VALUES(1)"), DM_OK);
  assert_int_equal(dm_store_snapshot(reader, NULL), DM_OK); /* one inside the other */
  assert_int_equal(test_int(reader, "SELECT count(*) FROM t"), 0);
  dm_store_snapshot_end(reader);
  assert_int_equal(test_int(reader, "SELECT count(*) FROM t"), 0);
  dm_store_snapshot_end(reader);
  assert_int_equal(test_int(reader, "SELECT count(*) FROM t"), 1);
  dm_store_close(reader);
  dm_store_close(writer);
}

static void a_run_has_its_times_and_status(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  int64_t id = 0;
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_run_start(store, "apply", "{\"recipe\":\"r.yaml\"}", "steps: []", &id, NULL), DM_OK);
  assert_int_equal(id, 1);
  assert_int_equal(test_int(store, "SELECT status = 'running' AND ended IS NULL FROM dm_run"), 1);
  assert_int_equal(dm_run_end(store, id, "done", NULL), DM_OK);
  assert_int_equal(dm_store_commit(store, NULL), DM_OK);
  assert_int_equal(test_int(store, "SELECT status = 'done' AND ended >= started AND length(started) = 24"
                                   " AND abs(julianday('now') - julianday(started)) < 0.01 FROM dm_run"),
                   1);
  dm_error err = {0};
  assert_int_equal(dm_run_end(store, 99, "done", &err), DM_EINTERNAL);
  assert_int_equal(dm_run_start(store, "apply", "not json", NULL, &id, &err), DM_EINPUT);
  dm_store_close(store);
}

/* The cache is counted in bytes whatever the page size: an import needs no more memory than this. */
static void the_cache_stays_small(void **state) {
  char path[128];
  test_path(path, "big.db");
  dm_store *store = test_open(*state, path, DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(b BLOB)");
  test_exec(store, "INSERT INTO t WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT zeroblob(16000) FROM n");
  int now, peak;
  assert_int_equal(sqlite3_db_status(store->db, SQLITE_DBSTATUS_CACHE_USED, &now, &peak, 0), SQLITE_OK);
  assert_in_range(now, 1, 20 << 20);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(what_cannot_be_opened_says_why),
      test_with_ctx(a_file_that_was_not_written_to_is_not_left_behind),
      test_with_ctx(a_new_file_has_our_settings_and_keeps_a_users_wal),
      test_with_ctx(reading_changes_no_byte),
      test_with_ctx(a_read_only_file_is_refused_for_writing),
      test_with_ctx(a_corrupt_file_is_named),
      test_with_ctx(a_lock_is_waited_for_and_then_reported),
      test_with_ctx(cancel_ends_a_running_statement),
      test_with_ctx(a_killed_writer_leaves_the_old_state),
      test_with_ctx(transactions_commit_and_roll_back),
      test_with_ctx(an_attached_store_works_inside_its_owners_transaction),
      test_with_ctx(a_snapshot_is_of_one_state),
      test_with_ctx(a_run_has_its_times_and_status),
      test_with_ctx(the_cache_stays_small),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
