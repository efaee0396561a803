/* store: transactions that are kept come back as they were read, and never when anything may have changed them; damaged ones are read anew. */
#include "store/packed.h"

#include "transactions_test.h"

#include <sys/wait.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  char path[128];
  char warning[800]; /* the last one */
} fixture;

static void on_log(void *user, dm_log_level level, const char *message) {
  fixture *f = user;
  if (level == DM_LOG_WARNING) (void)snprintf(f->warning, sizeof f->warning, "%s", message);
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .log = on_log, .user = f}, &f->ctx, NULL), DM_OK);
  test_path(f->path, "packed.db");
  (void)unlink(f->path);
  f->store = test_open(f->ctx, f->path, DM_STORE_CREATE);
  test_exec(f->store, "CREATE TABLE sale(dm_id INTEGER PRIMARY KEY, tid INTEGER, item TEXT, n INTEGER) STRICT");
  test_exec(f->store, "INSERT INTO sale(tid, item, n) VALUES(7, 'milk', 2), (9, 'bread, dark', 1), (7, 'a \"b\"', 2), (7, 'milk', 2), (8, NULL, 300), (9, 'é', 1)");
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_store_close(f->store);
  assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
  free(f);
  return 0;
}

static const char rows_of_sale[] = "a \"b\",milk*2;bread, dark,é; 303/300/1";
static const dm_transactions_source counted = {.count = "n"};

/* @return whether they were kept; the reading must then be cleared. */
static bool read_source(fixture *f, dm_store *store, const char *src, const char *want, dm_reading *about) {
  dm_transactions *t = NULL;
  dm_error err = {0};
  *about = (dm_reading){.pack = true};
  if (dm_store_transactions(store, src, &counted, &t, about, &err) != DM_OK) fail_msg("%s: %s", src, err.message);
  if (want) test_expect(t, src, want);
  dm_transactions_free(t);
  (void)f;
  return about->kept;
}

static bool is_kept(fixture *f, const char *src, const char *want) {
  dm_reading about;
  bool kept = read_source(f, f->store, src, want, &about);
  dm_reading_clear(&about);
  return kept;
}

/* One transaction that keeps what was read. */
static bool write_kept(dm_store *store, const dm_reading *about) {
  dm_error err = {0};
  bool kept = false;
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  if (dm_reading_keep(store, about, &kept, &err) != DM_OK || dm_store_commit(store, &err) != DM_OK) fail_msg("%s", err.message);
  return kept;
}

static bool keep(fixture *f, const char *src) {
  dm_reading about;
  (void)read_source(f, f->store, src, NULL, &about);
  bool kept = write_kept(f->store, &about);
  dm_reading_clear(&about);
  return kept;
}

/* As another program does it: another process with a connection of its own. */
static void elsewhere(const char *path, const char *sql) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    sqlite3 *db;
    int rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK) (void)fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    _exit(rc != SQLITE_OK);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void kept_ones_come_back_the_same(void **state) {
  fixture *f = *state;
  dm_reading first, second;
  assert_false(read_source(f, f->store, "sale", rows_of_sale, &first));
  assert_true(first.can_keep);
  assert_true(write_kept(f->store, &first));
  assert_true(read_source(f, f->store, "sale", rows_of_sale, &second));
  assert_string_equal(first.digest, second.digest);
  assert_int_equal(strlen(first.digest), 64);
  dm_reading_clear(&first);
  dm_reading_clear(&second);
  /* by another connection, that may only read */
  dm_store *other = test_open(f->ctx, f->path, DM_STORE_READ);
  assert_true(read_source(f, other, "sale", rows_of_sale, &second));
  dm_reading_clear(&second);
  dm_store_close(other);
  /* what is read in another way is another thing */
  dm_transactions *t = NULL;
  second = (dm_reading){.pack = true};
  assert_int_equal(dm_store_transactions(f->store, "sale", &(dm_transactions_source){0}, &t, &second, NULL), DM_OK);
  assert_false(second.kept);
  assert_true(t->total == 3);
  dm_transactions_free(t);
  dm_reading_clear(&second);
  assert_false(is_kept(f, "SELECT tid, item, n FROM sale WHERE tid = 7", "a \"b\",milk*2; 2/0/1"));
}

static void any_commit_makes_them_worthless(void **state) {
  fixture *f = *state;
  static const char *const writes[] = {
      "UPDATE sale SET item = 'soda' WHERE dm_id = 1",
      "UPDATE sale SET item = 'milk' WHERE dm_id = 1",
      "CREATE TABLE other(a)",
      "BEGIN EXCLUSIVE; INSERT INTO other VALUES(1); COMMIT",
      "VACUUM",
      "PRAGMA journal_mode=TRUNCATE; INSERT INTO other VALUES(2)",
      "PRAGMA journal_mode=OFF; INSERT INTO other VALUES(3)",
      "PRAGMA locking_mode=EXCLUSIVE; INSERT INTO other VALUES(4); INSERT INTO other VALUES(5)",
      "PRAGMA journal_mode=WAL; INSERT INTO other VALUES(6); PRAGMA journal_mode=DELETE",
  };
  for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
    assert_true(keep(f, "sale"));
    assert_true(is_kept(f, "sale", i == 1 ? "a \"b\",milk,soda*2;bread, dark,é; 303/300/0" : rows_of_sale));
    elsewhere(f->path, writes[i]);
    if (is_kept(f, "sale", i == 0 ? "a \"b\",milk,soda*2;bread, dark,é; 303/300/0" : rows_of_sale)) fail_msg("%s", writes[i]);
  }
  /* our own, too */
  assert_true(keep(f, "sale"));
  test_exec(f->store, "DELETE FROM sale WHERE dm_id = 1");
  assert_false(is_kept(f, "sale", "bread, dark,é;a \"b\",milk*2; 303/300/0"));
}

static void they_stay_through_our_own_writing(void **state) {
  fixture *f = *state;
  assert_true(keep(f, "sale"));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(dm_store_begin(f->store, NULL), DM_OK);
    test_exec(f->store, "INSERT INTO dm_meta VALUES(hex(randomblob(9)), '')");
    assert_int_equal(dm_reading_renew(f->store, NULL), DM_OK);
    assert_int_equal(dm_store_commit(f->store, NULL), DM_OK);
    assert_true(is_kept(f, "sale", rows_of_sale));
  }
  /* keeping another keeps the first */
  assert_true(keep(f, "SELECT * FROM sale WHERE tid = 7"));
  assert_true(is_kept(f, "sale", rows_of_sale));
  assert_true(is_kept(f, "SELECT * FROM sale WHERE tid = 7", "a \"b\",milk*2; 2/0/1"));
  assert_int_equal(test_int(f->store, "SELECT count(*) FROM dm_packed"), 2);
  /* a rollback leaves them */
  assert_int_equal(dm_store_begin(f->store, NULL), DM_OK);
  test_exec(f->store, "DELETE FROM sale");
  assert_int_equal(dm_reading_renew(f->store, NULL), DM_OK);
  dm_store_rollback(f->store);
  assert_true(is_kept(f, "sale", rows_of_sale));
  /* what was worthless before is not made true again, and goes */
  elsewhere(f->path, "UPDATE sale SET item = 'soda' WHERE dm_id = 1");
  assert_int_equal(dm_store_begin(f->store, NULL), DM_OK);
  assert_int_equal(dm_reading_renew(f->store, NULL), DM_OK);
  assert_int_equal(dm_store_commit(f->store, NULL), DM_OK);
  assert_false(is_kept(f, "sale", NULL));
  assert_int_equal(test_int(f->store, "SELECT (SELECT count(*) FROM dm_packed) + (SELECT count(*) FROM dm_packed_part)"), 0);
}

static void what_was_read_before_a_commit_is_not_kept(void **state) {
  fixture *f = *state;
  dm_reading about;
  bool kept = true;
  assert_false(read_source(f, f->store, "sale", rows_of_sale, &about));
  assert_int_equal(dm_reading_keep(f->store, &about, &kept, NULL), DM_EINTERNAL); /* no transaction */
  elsewhere(f->path, "UPDATE sale SET item = 'soda' WHERE dm_id = 1");
  assert_false(write_kept(f->store, &about));
  assert_false(is_kept(f, "sale", NULL));
  dm_reading_clear(&about);
}

/* The same file elsewhere, where commits are counted anew. */
static void copies_do_not_use_them(void **state) {
  fixture *f = *state;
  char copy[128], sql[300];
  dm_reading about;
  test_path(copy, "copy.db");
  (void)unlink(copy);
  assert_true(keep(f, "sale"));
  (void)snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
  elsewhere(f->path, sql);
  assert_true(is_kept(f, "sale", rows_of_sale));
  dm_store *store = test_open(f->ctx, copy, DM_STORE_WRITE);
  int64_t goal = test_int(f->store, "SELECT file_change FROM dm_packed");
  for (int i = 0; i < 2 * goal + 2; i++) {
    assert_false(read_source(f, store, "sale", NULL, &about));
    dm_reading_clear(&about);
    test_exec(store, "UPDATE sale SET item = item || '+'");
  }
  dm_store_close(store);
  /* put in the place of the first, whose inode it takes over */
  dm_store_close(f->store);
  (void)unlink(copy);
  elsewhere(f->path, sql);
  (void)snprintf(sql, sizeof sql, "cat '%s' > '%s'", copy, f->path);
  assert_int_equal(system(sql), 0);
  f->store = test_open(f->ctx, f->path, DM_STORE_WRITE);
  for (int i = 0; i < 2 * goal + 2; i++) {
    assert_false(is_kept(f, "sale", NULL));
    test_exec(f->store, "UPDATE sale SET item = item || '+'");
  }
}

/* A file that was not written when the row was has another history. */
static void a_row_of_another_time_is_not_used(void **state) {
  fixture *f = *state;
  assert_true(keep(f, "sale"));
  char command[300];
  (void)snprintf(command, sizeof command, "touch -d '3 minutes' '%s'", f->path);
  assert_int_equal(system(command), 0);
  assert_false(is_kept(f, "sale", rows_of_sale));
}

static void only_what_commits_alone_can_change_is_kept(void **state) {
  fixture *f = *state;
  static const struct {
    const char *src;
    bool can;
  } sources[] = {
      {"sale", true},
      {"SELECT s.tid, upper(s.item) || '!' AS item, max(s.n, 1) AS n FROM sale AS s JOIN (SELECT DISTINCT tid FROM Sale) AS t USING (tid)", true},
      {"few", true},
      {"WITH RECURSIVE k(tid) AS (SELECT 7 UNION ALL SELECT tid + 1 FROM k WHERE tid < 9) SELECT tid, item, n FROM k JOIN sale USING (tid)", true},
      {"SELECT tid, j.value AS item, n FROM sale, json_each('[1,2]') AS j", true},
      {"SELECT tid, item, n, row_number() OVER (ORDER BY tid) FROM sale", true},
      {"SELECT tid, item, n FROM sale WHERE random() <> 0", false},
      {"SELECT tid, item || date('now') AS item, n FROM sale", false},
      {"SELECT tid, item || CURRENT_TIMESTAMP AS item, n FROM sale", false},
      {"today", false},
      {"SELECT tid, item, n, sqlite_version() FROM sale", false},
      {"SELECT tid, item, n, changes(), last_insert_rowid() FROM sale", false},
      {"SELECT id AS tid, command AS item, 1 AS n FROM dm_run", false},
      {"SELECT 1 AS tid, name AS item, 1 AS n FROM sqlite_schema", false},
      {"SELECT 1 AS tid, name AS item, 1 AS n FROM pragma_table_info('sale')", false},
      {"SELECT tid, item, 1 AS n FROM other.t", false},
      {"SELECT tid, item, 1 AS n FROM passing", false},
      {"SELECT rowid AS tid, word AS item, 1 AS n FROM words", false},
  };
  char sql[300], attached[128];
  test_path(attached, "attached.db");
  (void)unlink(attached);
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  test_exec(f->store, "INSERT INTO dm_run VALUES(1, 'x', '{}', NULL, 0, '', '', '', 'done')");
  test_exec(f->store, "CREATE VIEW few AS SELECT * FROM sale WHERE item GLOB 'm*'");
  test_exec(f->store, "CREATE VIEW today AS SELECT tid, strftime('%Y', 'now') AS item, n FROM sale");
  (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS other", attached);
  test_exec(f->store, sql);
  test_exec(f->store, "CREATE TABLE other.t AS SELECT * FROM sale");
  test_exec(f->store, "CREATE TEMP TABLE passing AS SELECT * FROM sale");
  test_exec(f->store, "CREATE VIRTUAL TABLE words USING fts5(word)");
  test_exec(f->store, "INSERT INTO words VALUES('a')");
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    dm_reading about;
    (void)read_source(f, f->store, sources[i].src, NULL, &about);
    if (about.can_keep != sources[i].can || (about.packed.n > 0) != sources[i].can) fail_msg("%s: %d", sources[i].src, about.can_keep);
    assert_int_equal(strlen(about.digest), 64);
    if (write_kept(f->store, &about) != sources[i].can) fail_msg("%s", sources[i].src);
    dm_reading_clear(&about);
    if (is_kept(f, sources[i].src, NULL) != sources[i].can) fail_msg("%s: kept or not", sources[i].src);
  }
}

static void memory_and_wal_keep_nothing(void **state) {
  fixture *f = *state;
  dm_reading about;
  elsewhere(f->path, "PRAGMA journal_mode=WAL");
  assert_false(read_source(f, f->store, "sale", rows_of_sale, &about));
  assert_false(about.can_keep);
  assert_false(write_kept(f->store, &about));
  dm_reading_clear(&about);
  dm_store *store = test_open(f->ctx, ":memory:", DM_STORE_CREATE);
  assert_false(read_source(f, store, "SELECT 1 AS tid, 'a' AS item, 1 AS n", "a; 1/0/0", &about));
  assert_false(about.can_keep);
  assert_false(write_kept(store, &about));
  dm_reading_clear(&about);
  dm_store_close(store);
}

/* Kept while the mode is DELETE, then read in WAL mode, and back. */
static void a_change_of_the_journal_is_seen(void **state) {
  fixture *f = *state;
  assert_true(keep(f, "sale"));
  elsewhere(f->path, "PRAGMA journal_mode=WAL");
  assert_false(is_kept(f, "sale", rows_of_sale));
  elsewhere(f->path, "UPDATE sale SET item = 'soda' WHERE dm_id = 1");
  assert_false(is_kept(f, "sale", NULL));
  dm_store_close(f->store);
  elsewhere(f->path, "PRAGMA journal_mode=DELETE");
  f->store = test_open(f->ctx, f->path, DM_STORE_WRITE);
  assert_false(is_kept(f, "sale", NULL));
}

static void damaged_ones_are_read_anew(void **state) {
  fixture *f = *state;
  static const char *const damages[] = {
      "UPDATE dm_packed_part SET data = zeroblob(length(data))",
      "UPDATE dm_packed_part SET data = substr(data, 1, length(data) - 1)",
      "UPDATE dm_packed_part SET data = CAST('x' || data AS BLOB)",
      "UPDATE dm_packed_part SET part = 1",
      "DELETE FROM dm_packed_part",
      "UPDATE dm_packed SET bytes = 9e15",
      "UPDATE dm_packed SET bytes = -1",
      "BEGIN; UPDATE dm_packed SET bytes = bytes + 5; INSERT INTO dm_packed_part SELECT id, 2, zeroblob(5) FROM dm_packed; COMMIT",
      "UPDATE dm_packed SET sha256 = 'x'",
      "UPDATE dm_packed SET sha256 = replace(replace(sha256, '0', '1'), '2', '1')",
  };
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    assert_true(keep(f, "sale"));
    f->warning[0] = 0;
    elsewhere(f->path, damages[i]);
    /* as if the commit that damaged it had been the one that kept it */
    elsewhere(f->path, "UPDATE dm_packed SET file_change = file_change + 2");
    assert_false(is_kept(f, "sale", rows_of_sale));
    if (!strstr(f->warning, "packed transactions")) fail_msg("%s: '%s'", damages[i], f->warning);
    elsewhere(f->path, "DELETE FROM dm_packed; DELETE FROM dm_packed_part");
  }
  assert_true(keep(f, "sale"));
  elsewhere(f->path, "CREATE TRIGGER t AFTER INSERT ON dm_packed BEGIN SELECT 1; END");
  assert_false(is_kept(f, "sale", rows_of_sale));
  assert_non_null(strstr(f->warning, "dm_packed is a table with triggers"));
}

/* Memory ends anywhere while reading, keeping and reading what is kept: it is said, nothing is lost, and nothing half is kept. */
static void memory_that_ends_is_said(void **state) {
  fixture *f = *state;
  test_exec(f->store, "WITH RECURSIVE k(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM k WHERE x < 4999)"
                      " INSERT INTO sale(tid, item, n) SELECT x / 3 + 10, x % 700, 1 FROM k");
  bool seen[2] = {false, false};
  for (size_t budget = 8 << 10;; budget += budget / 10) {
    dm_ctx *ctx = NULL;
    dm_store *store = NULL;
    dm_transactions *t = NULL;
    dm_reading about = {.pack = true};
    dm_error err = {0};
    bool kept = false;
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .budget = budget}, &ctx, NULL), DM_OK);
    dm_status s = dm_store_open(ctx, f->path, DM_STORE_WRITE, &store, &err);
    if (s == DM_OK) s = dm_store_transactions(store, "sale", &counted, &t, &about, &err);
    if (s == DM_OK) s = dm_store_begin(store, &err);
    if (s == DM_OK) s = dm_reading_keep(store, &about, &kept, &err);
    if (s == DM_OK) s = dm_store_commit(store, &err);
    bool done = s == DM_OK && about.kept;
    if (s == DM_OK) assert_true(kept);
    seen[s != DM_OK] = true;
    if (s != DM_OK) assert_int_equal(s, DM_EBUDGET);
    dm_transactions_free(t);
    dm_reading_clear(&about);
    dm_store_close(store);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    if (done) break;
  }
  assert_true(seen[0] && seen[1]);
  assert_true(is_kept(f, "sale", NULL));
}

#define test_packed(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      test_packed(kept_ones_come_back_the_same),
      test_packed(any_commit_makes_them_worthless),
      test_packed(they_stay_through_our_own_writing),
      test_packed(what_was_read_before_a_commit_is_not_kept),
      test_packed(copies_do_not_use_them),
      test_packed(a_row_of_another_time_is_not_used),
      test_packed(only_what_commits_alone_can_change_is_kept),
      test_packed(memory_and_wal_keep_nothing),
      test_packed(a_change_of_the_journal_is_seen),
      test_packed(damaged_ones_are_read_anew),
      test_packed(memory_that_ends_is_said),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
