/* store: transactions from tables and queries, whatever their ids and items are; what cannot be one is named by its row. */
#include "transactions_test.h"

static void expect(dm_store *store, const char *src, const dm_transactions_source *how, const char *want) {
  dm_transactions *t = NULL;
  dm_error err = {0};
  if (dm_store_transactions(store, src, how, &t, NULL, &err) != DM_OK) fail_msg("%s: %s", src, err.message);
  test_expect(t, src, want);
  dm_transactions_free(t);
}

static void refuse(dm_store *store, const char *src, const dm_transactions_source *how, dm_status status, const char *part) {
  dm_transactions *t = NULL;
  dm_error err = {0};
  assert_int_equal(dm_store_transactions(store, src, how, &t, NULL, &err), status);
  assert_null(t);
  if (!strstr(err.message, part)) fail_msg("%s: %s", src, err.message);
}

static const dm_transactions_source plain = {0};

static void rows_of_a_tid_stand_anywhere(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, item TEXT, tid INTEGER)");
  test_exec(store, "INSERT INTO t VALUES(1, 'milk', 7), (2, 'bread', 7), (3, NULL, 9), (4, 'bread', 8), (5, 'milk', 7), (6, 'beer', 7), (7, '', 8)");
  expect(store, "t", &plain, "beer,bread,milk;,bread; 3/1/1");
  expect(store, "SELECT tid, item FROM t ORDER BY dm_id DESC", &plain, ",bread;beer,bread,milk; 3/1/1");
  expect(store, "SELECT item AS tid, tid AS item FROM t WHERE item <> ''", &plain, "7;7,8;7; 3/0/1");
  expect(store, "t", &(dm_transactions_source){.tid = "TID", .item = "dm_id"}, "1,2,5,6;3;4,7; 3/0/0");
  test_exec(store, "CREATE TABLE w(tid INTEGER, item TEXT, PRIMARY KEY(tid, item)) WITHOUT ROWID");
  test_exec(store, "INSERT INTO w SELECT tid, item FROM t WHERE item IS NOT NULL GROUP BY 1, 2");
  expect(store, "w", &plain, "beer,bread,milk;,bread; 2/0/0");
  test_exec(store, "CREATE TABLE s(dm_id INTEGER, tid INTEGER, item TEXT)"); /* dm_id is no rowid: sorted on the way */
  test_exec(store, "INSERT INTO s VALUES(2, 1, 'a'), (1, 2, 'b'), (3, 1, 'b')");
  expect(store, "s", &plain, "b;a,b; 2/0/0");
  dm_store_close(store);
}

static void ids_are_of_any_type(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  expect(store, "SELECT column1 AS tid, column2 AS item FROM (VALUES (-9223372036854775808, 'a'), (9223372036854775807, 'b'),"
                " (-9223372036854775808, 'c'))", &plain, "a,c;b; 2/0/0");
  expect(store, "SELECT column1 AS tid, column2 AS item FROM (VALUES ('x', 'a'), ('y', 'b'), ('x', 'c'), ('', 'd'))", &plain, "a,c;b;d; 3/0/0");
  /* 3 and 3.0 are one; '3' and x'33' are others; seen when integers have been read already */
  expect(store, "SELECT column1 AS tid, column2 AS item FROM (VALUES (3, 'a'), (4, 'z'), (3.0, 'b'), ('3', 'c'), (x'33', 'd'), (3, 'e'),"
                " (x'33', 'f'), (3.5, 'g'), (x'', 'h'), (3.5, 'i'), (9e999, 'j'))", &plain, "a,b,e;z;c;d,f;g,i;h;j; 7/0/0");
  expect(store, "SELECT column1 AS tid, column2 AS item FROM (VALUES (1, 'a'), (0, 'b'), ('k', 'c'), (1, 'd'))", &plain, "a,d;b;c; 3/0/0");
  refuse(store, "SELECT 1 AS tid, 2 AS item UNION ALL SELECT NULL, 3", &plain, DM_EINPUT, "column 'tid', row 2: NULL");
  refuse(store, "SELECT 'x' AS tid, 2 AS item UNION ALL SELECT NULL, 3", &plain, DM_EINPUT, "column 'tid', row 2: NULL");
  dm_store_close(store);
}

static void items_are_named_as_they_print(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  expect(store, "SELECT 1 AS tid, column1 AS item FROM (VALUES (3), ('3'), (3.0), (0.1), (-4), (9223372036854775807), ('é'), (3))", &plain,
         "-4,0.1,3,3.0,9223372036854775807,é; 1/0/2");
  refuse(store, "SELECT 1 AS tid, 'a' AS item UNION ALL SELECT 1, x'61'", &plain, DM_EINPUT, "column 'item', row 2: a BLOB is no item");
  refuse(store, "SELECT 1 AS tid, 'a' AS item UNION ALL SELECT 1, CAST(x'e9' AS TEXT)", &plain, DM_EINPUT, "column 'item', row 2: the item is not UTF-8");
  refuse(store, "SELECT 1 AS tid, CAST(x'610062' AS TEXT) AS item", &plain, DM_EINPUT, "column 'item', row 1: the item is not UTF-8");
  dm_store_close(store);
}

/* Integers through the table of recent ones, with many that share a slot, against their texts. */
static void integers_and_their_texts_are_the_same(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  dm_transactions *a = NULL, *b = NULL;
  test_exec(store, "CREATE TABLE t(tid INTEGER, item INTEGER)");
  test_exec(store, "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 59999)"
                   " INSERT INTO t SELECT x * 7919 % 997, x * 104729 % 20011 - 5 FROM n");
  assert_int_equal(dm_store_transactions(store, "t", &plain, &a, NULL, NULL), DM_OK);
  assert_int_equal(dm_store_transactions(store, "SELECT 'id ' || tid AS tid, CAST(item AS TEXT) AS item FROM t", &plain, &b, NULL, NULL), DM_OK);
  assert_int_equal(a->rows.n, 997);
  assert_int_equal(a->n_items, test_int(store, "SELECT count(DISTINCT item) FROM t"));
  assert_int_equal(a->rows.start[997] + a->repeated, 60000);
  assert_true(a->n_items == b->n_items && a->rows.n == b->rows.n && a->total == b->total && a->repeated == b->repeated);
  assert_memory_equal(a->rows.start, b->rows.start, 998 * sizeof *a->rows.start);
  assert_memory_equal(a->rows.index, b->rows.index, a->rows.start[997] * sizeof *a->rows.index);
  for (size_t i = 0; i < a->n_items; i++) assert_true(dm_str_equal(a->names[i], b->names[i]));
  dm_transactions_free(a);
  dm_transactions_free(b);
  dm_store_close(store);
}

static void transactions_may_count_more_than_once(void **state) {
  const dm_transactions_source counted = {.count = "n"};
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  expect(store, "SELECT column1 AS tid, column2 AS item, column3 AS n FROM (VALUES (1, 'a', 2), (2, NULL, 5), (1, 'b', 2.0), (3, 'c', 1))",
         &counted, "a,b*2;c; 8/5/0");
  refuse(store, "SELECT 1 AS tid, 'a' AS item, 2 AS n UNION ALL SELECT 1, 'b', 3", &counted, DM_EINPUT, "row 2: a transaction that counts 2 times counts 3");
  static const char *const bad[] = {"0", "-1", "NULL", "1.5", "'2'", "4294967296", "9e999", "x''"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char sql[100];
    (void)snprintf(sql, sizeof sql, "SELECT 1 AS tid, 'a' AS item, %s AS n", bad[i]);
    refuse(store, sql, &counted, DM_EINPUT, "column 'n', row 1: a transaction counts 1 to 4294967295 times");
  }
  dm_store_close(store);
}

static void baskets_stand_in_one_column(void **state) {
  const dm_transactions_source blanks = {.basket = "b"}, commas = {.basket = "B", .splitting = {","}, .count = "n"};
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(b TEXT, n INTEGER)");
  test_exec(store, "INSERT INTO t VALUES('milk bread', 1), (NULL, 2), ('  bread\tmilk bread ', 3), ('', 1), ('[\"a b\", 3, 0.5, null]', 1)");
  expect(store, "t", &blanks, "bread,milk;bread,milk;0.5,3,a b; 5/2/1");
  test_exec(store, "DELETE FROM t");
  test_exec(store, "INSERT INTO t VALUES('milk, \"1,5 l\" ,,\"a\"\"b\"', 2), (' [] ', 4), (7, 1), ('dark bread' || char(10) || ',x', 1)");
  expect(store, "t", &commas, "1,5 l,a\"b,milk*2;7;dark bread,x; 8/4/0");
  expect(store, "SELECT 7 AS b UNION ALL SELECT 7.5", &blanks, "7;7.5; 2/0/0");
  static const char *const bad[][2] = {
      {"SELECT 1 AS n, 'a' AS b UNION ALL SELECT 1, 'a,\"b'", "column 'b', row 2 has a quote that is opened"},
      {"SELECT 1 AS n, '\"a\" b' AS b", "column 'b', row 1 has text behind"},
      {"SELECT 1 AS n, '[1' AS b", "column 'b', row 1 begins with '[', but is no JSON array"},
      {"SELECT 1 AS n, '[[1]]' AS b", "row 1 holds something else than"},
      {"SELECT 1 AS n, x'61' AS b", "row 1 is a BLOB"},
      {"SELECT 1 AS n, CAST(x'e9' AS TEXT) AS b", "row 1 is not UTF-8"},
      {"SELECT 0 AS n, 'a' AS b", "column 'n', row 1: a transaction counts"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse(store, bad[i][0], &commas, DM_EINPUT, bad[i][1]);
  refuse(store, "t", &(dm_transactions_source){.basket = "b", .splitting = {"ab"}}, DM_EUSAGE, "delimiter 'ab'");
  refuse(store, "t", &(dm_transactions_source){.basket = "c"}, DM_EUSAGE, "no column 'c'");
  dm_store_close(store);
}

static void what_cannot_be_read_is_said(void **state) {
  dm_ctx *ctx = *state;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(tid INTEGER, item TEXT)");
  refuse(store, "t", &plain, DM_EINPUT, "no transaction");
  refuse(store, "t", &(dm_transactions_source){.item = "itme"}, DM_EUSAGE, "no column 'itme'");
  refuse(store, "t", &(dm_transactions_source){.count = "n"}, DM_EUSAGE, "no column 'n'");
  refuse(store, "u", &plain, DM_EUSAGE, "u");
  refuse(store, "SELECT abs(-9223372036854775808) AS tid, 1 AS item", &plain, DM_EINPUT, "integer overflow");
  test_exec(store, "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 99999) INSERT INTO t SELECT x, x FROM n");
  dm_ctx_cancel(ctx);
  refuse(store, "t", &plain, DM_ECANCEL, "interrupted");
  dm_store_close(store);
}

/* Every allocation fails once: a clear error, and nothing is lost. */
static void memory_that_ends_is_said(void **state) {
  (void)state;
  char path[128];
  test_path(path, "budget.db");
  for (size_t budget = 8 << 10, failures = 0;; budget += budget / 8) {
    dm_ctx *ctx = NULL;
    dm_store *store = NULL;
    dm_transactions *t = NULL;
    dm_error err = {0};
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .budget = budget}, &ctx, NULL), DM_OK);
    dm_status s = dm_store_open(ctx, path, DM_STORE_CREATE, &store, &err);
    if (s == DM_OK)
      s = dm_store_transactions(store, "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 3999)"
                                       " SELECT CASE WHEN x % 2 THEN x % 700 ELSE x % 700 || '' END AS tid, x % 900 AS item FROM n", &plain, &t, NULL, &err);
    dm_transactions_free(t);
    dm_store_close(store);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    if (s == DM_OK) {
      assert_true(failures > 5);
      break;
    }
    assert_int_equal(s, DM_EBUDGET);
    assert_true(err.message[0] != 0);
    failures++;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(rows_of_a_tid_stand_anywhere),
      test_with_ctx(ids_are_of_any_type),
      test_with_ctx(items_are_named_as_they_print),
      test_with_ctx(integers_and_their_texts_are_the_same),
      test_with_ctx(transactions_may_count_more_than_once),
      test_with_ctx(baskets_stand_in_one_column),
      test_with_ctx(what_cannot_be_read_is_said),
      cmocka_unit_test(memory_that_ends_is_said),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
