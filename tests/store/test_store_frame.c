/* frame: rows in the order of SRC, chosen columns, digest, what is refused. */
#include "cmocka_all.h"
#include "store/store.h"
#include "store_test.h"

#include <math.h>

static dm_frame *read_all(dm_store *store, const char *src, char *digest) {
  dm_frame *f = NULL;
  dm_error err = {0};
  if (dm_store_frame(store, src, NULL, 0, &f, digest, &err) != DM_OK) fail_msg("%s: %s", src, err.message);
  return f;
}

static void a_table_becomes_typed_columns(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, n INTEGER, r REAL, c TEXT)");
  test_exec(store, "INSERT INTO t VALUES(5, 1, 0.5, 'b'), (7, NULL, 2.0, NULL), (9, 3, NULL, 'a'), (2, 4, -1.5, 'b')");
  dm_frame *f = read_all(store, "t", NULL);
  assert_int_equal(f->n, 4);
  assert_int_equal(f->d, 3);
  const int64_t ids[] = {2, 5, 7, 9};
  assert_memory_equal(f->row_ids, ids, sizeof ids);
  assert_string_equal(f->columns[0].name, "n");
  assert_int_equal(f->columns[0].type, DM_INTEGER);
  assert_true(f->columns[0].values[0] == 4 && f->columns[0].values[1] == 1 && isnan(f->columns[0].values[2]));
  assert_int_equal(f->columns[1].type, DM_REAL);
  assert_true(f->columns[1].values[0] == -1.5 && isnan(f->columns[1].values[3]));
  assert_int_equal(f->columns[2].kind, DM_CATEGORY);
  assert_int_equal(f->columns[2].levels.n, 2);
  assert_true(f->columns[2].values[0] == 1 && f->columns[2].values[3] == 0);
  assert_int_equal(f->columns[2].n_missing, 1);
  dm_frame_free(f);
  dm_store_close(store);
}

/* The rows go through a function: a sorter, a filter and a join must come before it. */
static void the_order_of_the_source_is_kept(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, x INTEGER, y TEXT)");
  test_exec(store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                   " INSERT INTO t SELECT i, i * 7919 % 3001, 'k' || (i % 13) FROM n");
  test_exec(store, "CREATE INDEX t_all ON t(y, x, dm_id)");
  test_exec(store, "CREATE VIEW sorted AS SELECT x, y FROM t ORDER BY x DESC");
  test_exec(store, "CREATE VIEW above AS SELECT x FROM sorted WHERE y <> 'k1'");
  const char *const sources[] = {
      "t",
      "SELECT x FROM t ORDER BY x",
      "SELECT * FROM t ORDER BY x DESC LIMIT 500",
      "SELECT x, y FROM t WHERE x > 10 ORDER BY y, x DESC LIMIT 100 OFFSET 7",
      "WITH q AS (SELECT x, y FROM t) SELECT * FROM q ORDER BY y, x",
      "SELECT a.x, b.x AS z FROM t a JOIN t b ON a.x = b.dm_id ORDER BY b.x DESC, a.x -- end",
      "SELECT y, sum(x) AS s FROM t GROUP BY y ORDER BY s DESC",
      "SELECT x FROM t WHERE x < 100 UNION ALL SELECT -x FROM t WHERE x < 50 ORDER BY 1",
      "SELECT x, row_number() OVER (ORDER BY x) AS r FROM t ORDER BY r DESC",
      "VALUES (3), (1), (2)",
      "sorted",
      "SELECT x FROM sorted",
      "above",
      "SELECT x FROM above WHERE x % 2",
      "SELECT a.x FROM t a JOIN t b ON a.x < b.x WHERE b.x < 20",
      "SELECT a.x FROM t a LEFT JOIN t b ON a.x = b.x AND b.x < 5 WHERE (SELECT count(*) FROM t c WHERE c.x = a.x + b.x) = 1",
      "SELECT DISTINCT y, length(y) AS x FROM t",
      "SELECT y, max(x) AS x FROM t GROUP BY y",
      "SELECT x FROM t WHERE y = 'k3'",
  };
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    dm_frame *f = read_all(store, sources[i], NULL);
    dm_stmt *s;
    bool row;
    const char *sql = sources[i];
    if (strcmp(sql, "t") == 0) sql = "SELECT x FROM t ORDER BY dm_id";
    if (strcmp(sql, "sorted") == 0) sql = "SELECT x FROM t ORDER BY x DESC";
    if (strcmp(sql, "above") == 0) sql = "SELECT x FROM t WHERE y <> 'k1' ORDER BY x DESC";
    assert_int_equal(dm_stmt_prepare(store, sql, &s, NULL), DM_OK);
    size_t column = dm_frame_find(f, "x");
    if (column == SIZE_MAX) column = f->d - 1;
    int at = 0;
    while (strcmp(dm_stmt_column_name(s, at), f->columns[column].name) != 0) at++;
    for (size_t r = 0; r < f->n; r++) {
      assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
      assert_true(row);
      if (f->columns[column].values[r] != (double)dm_stmt_int(s, at)) fail_msg("%s: row %zu", sources[i], r);
    }
    assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
    assert_false(row);
    dm_stmt_free(s);
    dm_frame_free(f);
  }
  dm_store_close(store);
}

/* A table may have a dm_id that is not its rowid. */
static void a_table_is_read_by_dm_id_whatever_it_is(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  const char *const tables[] = {
      "t(x, dm_id INTEGER PRIMARY KEY)", "t(x, dm_id INTEGER PRIMARY KEY DESC)", "t(x, dm_id INT UNIQUE)", "t(x, dm_id)",
      "t(x, dm_id INTEGER PRIMARY KEY) WITHOUT ROWID", "t(x, rowid, oid, DM_ID INTEGER, _rowid_)",
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    char digest[DM_SHA256_HEX];
    assert_int_equal(dm_store_exec(store, NULL, "CREATE TABLE %s", tables[i]), DM_OK);
    test_exec(store, "INSERT INTO t(dm_id, x) VALUES(3, 30), (1, 10), (2, 20)");
    dm_frame *f = read_all(store, "t", digest);
    assert_int_equal(f->n, 3);
    for (size_t r = 0; r < 3; r++) {
      assert_int_equal(f->row_ids[r], r + 1);
      assert_true(f->columns[0].values[r] == 10 * (double)(r + 1));
    }
    dm_frame_free(f);
    test_exec(store, "DROP TABLE t");
  }
  dm_store_close(store);
}

static void columns_are_chosen_by_name(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(a, b, image BLOB, c)");
  test_exec(store, "INSERT INTO t VALUES(1, 2, x'00', 3)");
  const char *const names[] = {"C", "a"}, *const wrong[] = {"a", "imag"};
  dm_frame *f = NULL;
  dm_error err = {0};
  assert_int_equal(dm_store_frame(store, "t", names, 2, &f, NULL, &err), DM_OK);
  assert_int_equal(f->d, 2);
  assert_string_equal(f->columns[0].name, "c");
  assert_true(f->columns[0].values[0] == 3 && f->columns[1].values[0] == 1);
  assert_null(f->row_ids);
  dm_frame_free(f);
  f = NULL;
  assert_int_equal(dm_store_frame(store, "t", wrong, 2, &f, NULL, &err), DM_EUSAGE);
  assert_string_equal(err.message, "SRC has no column 'imag'");
  assert_string_equal(err.hint, "did you mean 'image'?");
  assert_null(f);
  dm_store_close(store);
}

/* More columns than one call of a function may have arguments. */
static void hundreds_of_columns_arrive(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  for (size_t d = 118; d <= 368; d += d < 124 ? 1 : 61) {
    dm_buf sql;
    dm_buf_init(&sql, ctx, NULL);
    dm_buf_adds(&sql, "WITH n(dm_id) AS (VALUES (11), (22), (33)) SELECT 0 AS c0");
    for (size_t i = 1; i < d; i++) dm_buf_printf(&sql, ", dm_id * 1000 + %zu AS c%zu", i, i);
    dm_buf_adds(&sql, ", dm_id FROM n");
    dm_frame *f = read_all(store, sql.p, NULL);
    assert_int_equal(f->d, d);
    assert_int_equal(f->n, 3);
    for (size_t r = 0; r < 3; r++) {
      assert_int_equal(f->row_ids[r], 11 * (r + 1));
      for (size_t c = 1; c < d; c++) assert_true(f->columns[c].values[r] == (double)(11000 * (r + 1) + c));
    }
    dm_frame_free(f);
    dm_buf_clear(&sql);
  }
  dm_store_close(store);
}

static void what_cannot_be_learned_from_is_refused(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  const struct {
    const char *src, *part;
  } bad[] = {
      {"SELECT 1 AS a, x'00' AS b", "column 'b', row 1: a BLOB"},
      {"SELECT 1 AS a UNION ALL SELECT 9e999", "column 'a', row 2: infinity"},
      {"SELECT 1 AS a, 2 AS a", "more than one column 'a'"},
      {"SELECT 'x' AS dm_id, 2 AS a", "column 'dm_id', row 1"},
      {"SELECT NULL AS dm_id, 2 AS a", "column 'dm_id', row 1"},
      {"SELECT 1 AS dm_id", "no column besides dm_id"},
      {"SELECT abs(-9223372036854775808) AS a", "integer overflow"},
      {"SELECT dm_push(1, 2)", "own use"},
      {"SELECT dm_push()", "own use"},
      {"SELECT dm_push_row(1, 2)", "own use"},
  };
  dm_frame_free(read_all(store, "SELECT 1 AS a", NULL)); /* the sink is there now */
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_frame *f = NULL;
    dm_error err = {0};
    char digest[DM_SHA256_HEX] = "untouched";
    assert_int_equal(dm_store_frame(store, bad[i].src, NULL, 0, &f, digest, &err), DM_EINPUT);
    if (!strstr(err.message, bad[i].part)) fail_msg("%s: %s", bad[i].src, err.message);
    assert_null(f);
    assert_string_equal(digest, "untouched");
  }
  dm_error err = {0};
  assert_int_equal(dm_store_exec(store, &err, "CREATE VIEW v AS SELECT dm_push_row(1)"), DM_OK);
  assert_int_equal(dm_store_exec(store, &err, "SELECT * FROM v"), DM_EINPUT);
  dm_frame *f = NULL;
  assert_int_equal(dm_store_frame(store, "v", NULL, 0, &f, NULL, &err), DM_EINPUT);
  dm_store_close(store);
}

static void the_digest_sees_names_types_values_and_order(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  const char *const sources[] = {
      "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y'",
      "SELECT 1 AS A, 'x' AS b UNION ALL SELECT 2, 'y'",
      "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'z'",
      "SELECT 1.0 AS a, 'x' AS b UNION ALL SELECT 2, 'y'",
      "SELECT 2 AS a, 'y' AS b UNION ALL SELECT 1, 'x'",
      "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL",
      "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, ''",
      "SELECT 1 AS a, 'x' AS b",
  };
  enum { N = sizeof sources / sizeof *sources };
  char digest[N][DM_SHA256_HEX], again[DM_SHA256_HEX];
  for (size_t i = 0; i < N; i++) {
    dm_frame_free(read_all(store, sources[i], digest[i]));
    assert_int_equal(strlen(digest[i]), 64);
    for (size_t j = 0; j < i; j++) assert_string_not_equal(digest[i], digest[j]);
  }
  dm_frame_free(read_all(store, "SELECT 9 AS dm_id, 1 AS a, 'x' AS b UNION ALL SELECT 8, 2, 'y'", again));
  assert_string_equal(again, digest[0]); /* row ids are not part of it */
  dm_frame_free(read_all(store, "SELECT hex(zeroblob(70000)) AS t, 5 AS n", again)); /* longer than the buffer */
  dm_store_close(store);
}

static void empty_sources_and_cancelled_reads(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  char digest[DM_SHA256_HEX];
  dm_frame *f = read_all(store, "SELECT 1 AS a WHERE 0", digest);
  assert_int_equal(f->n, 0);
  assert_int_equal(strlen(digest), 64);
  dm_frame_free(f);
  dm_ctx_cancel(ctx);
  f = NULL;
  dm_error err = {0};
  const char *endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  dm_status s = dm_store_frame(store, endless, NULL, 0, &f, NULL, &err);
  assert_int_equal(s, DM_ECANCEL);
  assert_null(f);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(a_table_becomes_typed_columns),
      test_with_ctx(the_order_of_the_source_is_kept),
      test_with_ctx(a_table_is_read_by_dm_id_whatever_it_is),
      test_with_ctx(columns_are_chosen_by_name),
      test_with_ctx(hundreds_of_columns_arrive),
      test_with_ctx(what_cannot_be_learned_from_is_refused),
      test_with_ctx(the_digest_sees_names_types_values_and_order),
      test_with_ctx(empty_sources_and_cancelled_reads),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
