/* store: itemsets become rows, sorted, with their names as JSON. */
#include "store/store.h"
#include "store_test.h"

static const dm_str names[] = {{"milk", 4}, {"a \"b\"", 5}, {"x,y\n", 4}, {"\xc3\xa9", 2}, {"", 0}, {"f", 1},
                                {"g", 1},    {"h", 1},          {"i", 1},     {"j", 1},        {"k", 1}, {"l", 1}};

static dm_itemset_writer *open_writer(dm_store *store) {
  dm_itemset_writer *w = NULL;
  dm_error err = {0};
  if (dm_itemset_writer_open(store, names, 12, &w, &err) != DM_OK) fail_msg("%s", err.message);
  return w;
}

static void add(dm_itemset_writer *w, uint64_t support, size_t n, const uint32_t *items) {
  assert_int_equal(dm_itemset_writer_add(w, items, n, support, NULL), DM_OK);
}

static void sets_become_rows(void **state) {
  dm_ctx *ctx = *state;
  char path[128];
  uint64_t written = 0;
  dm_error err = {0};
  test_path(path, "sets.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  dm_itemset_writer *w = open_writer(store);
  add(w, 3, 3, (const uint32_t[]){4, 0, 1});
  add(w, 5, 1, (const uint32_t[]){3});
  add(w, 5, 1, (const uint32_t[]){0});
  add(w, 9, 1, (const uint32_t[]){2});
  add(w, INT64_MAX, 0, NULL);
  assert_int_equal(dm_itemset_writer_add(w, (const uint32_t[]){12}, 1, 1, NULL), DM_EINTERNAL);
  assert_int_equal(dm_itemset_writer_add(w, (const uint32_t[]){1}, 1, UINT64_MAX, NULL), DM_EINPUT);
  if (dm_itemset_writer_finish(w, 7, &written, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(written, 5);
  dm_stmt *s = NULL;
  bool row;
  static const char *const want[] = {"1|0|[]|9223372036854775807", "2|1|[\"x,y\\n\"]|9", "3|1|[\"milk\"]|5", "4|1|[\"\xc3\xa9\"]|5",
                                     "5|3|[\"milk\",\"a \\\"b\\\"\",\"\"]|3"};
  assert_int_equal(dm_stmt_prepare(store, "SELECT id || '|' || size || '|' || items || '|' || support FROM dm_itemset WHERE model_id = 7 ORDER BY id", &s, NULL), DM_OK);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
    assert_true(row);
    assert_string_equal(dm_stmt_value(s, 0).text.p, want[i]);
  }
  dm_stmt_free(s);
  assert_int_equal(test_int(store, "SELECT count(*) FROM dm_itemset WHERE json_array_length(items) = size"), 5);
  assert_int_equal(dm_store_exec(store, NULL, "INSERT INTO dm_itemset VALUES(8, 1, 1, 'x', 1)"), DM_EINPUT); /* the table's test is back */
  dm_store_close(store);
}

/* More than the writer keeps in memory, as part of a transaction that is taken back, and then of one that is not. */
static void many_sets(void **state) {
  enum { N = 300000 };
  dm_ctx *ctx = *state;
  char path[128];
  test_path(path, "many.db");
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  for (int keep = 0; keep < 2; keep++) {
    uint64_t written = 0;
    dm_itemset_writer *w = open_writer(store);
    for (uint32_t i = 0; i < N; i++) add(w, 1 + (uint64_t)i * 7919 % N, 12, (const uint32_t[]){11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
    assert_int_equal(dm_store_begin(store, NULL), DM_OK);
    assert_int_equal(dm_itemset_writer_finish(w, 7, &written, NULL), DM_OK);
    assert_int_equal(written, N);
    if (keep)
      assert_int_equal(dm_store_commit(store, NULL), DM_OK);
    else
      dm_store_rollback(store);
  }
  assert_int_equal(test_int(store, "SELECT count(*) FROM dm_itemset WHERE id + support = 300001"), N);
  assert_true(dm_ctx_memory_peak(ctx) < 64 << 20);
  dm_store_close(store);
}

static void what_is_not_finished_leaves_nothing(void **state) {
  dm_ctx *ctx = *state;
  uint64_t written = 77;
  dm_store *store = test_open(ctx, ":memory:", DM_STORE_CREATE);
  dm_itemset_writer *w = open_writer(store);
  add(w, 3, 1, (const uint32_t[]){1});
  dm_itemset_writer_free(w);
  assert_int_equal(dm_store_ensure_schema(store, NULL), DM_OK);
  test_exec(store, "CREATE TRIGGER t AFTER INSERT ON dm_itemset BEGIN SELECT 1; END");
  w = open_writer(store);
  add(w, 3, 1, (const uint32_t[]){1});
  assert_int_equal(dm_itemset_writer_finish(w, 7, &written, NULL), DM_EINPUT);
  test_exec(store, "DROP TRIGGER t");
  w = open_writer(store);
  for (uint32_t i = 0; i < 20000; i++) add(w, i, 1, (const uint32_t[]){i % 5});
  dm_ctx_cancel(ctx);
  assert_int_equal(dm_itemset_writer_finish(w, 7, &written, NULL), DM_ECANCEL);
  assert_int_equal(written, 77);
  dm_store_close(store);
}

static void memory_that_ends_is_said(void **state) {
  (void)state;
  char path[128];
  test_path(path, "budget.db");
  for (size_t budget = 16 << 20, failures = 0;; budget += budget / 50) {
    dm_ctx *ctx = NULL;
    dm_store *store = NULL;
    dm_itemset_writer *w = NULL;
    dm_error err = {0};
    uint64_t written;
    (void)unlink(path);
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .budget = budget}, &ctx, NULL), DM_OK);
    dm_status s = dm_store_open(ctx, path, DM_STORE_CREATE, &store, &err);
    if (s == DM_OK) s = dm_itemset_writer_open(store, names, 12, &w, &err);
    for (uint32_t i = 0; s == DM_OK && i < 30000; i++) s = dm_itemset_writer_add(w, (const uint32_t[]){i % 5}, 1, i, &err);
    if (s == DM_OK)
      s = dm_itemset_writer_finish(w, 7, &written, &err);
    else
      dm_itemset_writer_free(w);
    if (s != DM_OK && store) assert_int_equal(test_int(store, "SELECT count(*) FROM sqlite_schema"), 0);
    dm_store_close(store);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    if (s == DM_OK) {
      assert_true(failures > 1);
      break;
    }
    assert_int_equal(s, DM_EBUDGET);
    failures++;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(sets_become_rows),
      test_with_ctx(many_sets),
      test_with_ctx(what_is_not_finished_leaves_nothing),
      cmocka_unit_test(memory_that_ends_is_said),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
