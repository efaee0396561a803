/* change log: values are kept with their types; a change that cannot be written is reported. */
#include "cmocka_all.h"
#include "store/store.h"
#include "store_test.h"

static void changes_keep_types_and_order(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  int64_t run;
  dm_change_log *log;
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  assert_int_equal(dm_run_start(store, "apply", NULL, NULL, &run, NULL), DM_OK);
  assert_int_equal(dm_change_log_open(store, run, "people", &log, NULL), DM_OK);
  dm_value text = {DM_TEXT, .text = {" Ann ", 5}}, trimmed = {DM_TEXT, .text = {"Ann", 3}}, null = {DM_NULL};
  dm_value three = {DM_INTEGER, .integer = 3}, half = {DM_REAL, .real = 0.5};
  assert_int_equal(dm_change_log_add(log, 7, "name", text, trimmed, "trim", 1.0, NULL), DM_OK);
  assert_int_equal(dm_change_log_add(log, 8, "age", null, three, "fill mean", 0.25, NULL), DM_OK);
  assert_int_equal(dm_change_log_add(log, 9, "x", half, null, "cast", 1.0, NULL), DM_OK);
  dm_change_log_close(log);
  assert_int_equal(dm_store_commit(store, NULL), DM_OK);
  assert_int_equal(test_int(store, "SELECT count(*) FROM dm_change WHERE run_id = 1 AND table_name = 'People'"), 3);
  assert_int_equal(test_int(store, "SELECT old = ' Ann ' AND new = 'Ann' AND typeof(new) = 'text' FROM dm_change WHERE row_id = 7"), 1);
  assert_int_equal(test_int(store, "SELECT old IS NULL AND new = 3 AND typeof(new) = 'integer' AND confidence = 0.25"
                                   " FROM dm_change WHERE id = 2"),
                   1);
  assert_int_equal(test_int(store, "SELECT old = 0.5 AND typeof(old) = 'real' AND new IS NULL FROM dm_change WHERE column = 'X'"), 1);
  dm_store_close(store);
}

static void a_failed_change_is_reported(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  dm_change_log *log;
  dm_error err = {0};
  dm_value null = {DM_NULL};
  assert_int_equal(dm_change_log_open(store, 1, "t", &log, NULL), DM_OK);
  assert_int_equal(dm_change_log_add(log, 1, "c", null, null, NULL, 1.0, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "dm_change.rule"));
  assert_int_equal(dm_change_log_add(log, 1, "c", null, null, "rule", 1.0, &err), DM_OK);
  dm_change_log_close(log);
  dm_change_log_close(NULL);
  dm_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(changes_keep_types_and_order),
      test_with_ctx(a_failed_change_is_reported),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
