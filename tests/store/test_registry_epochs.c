/* store: figures of epochs come back in order, travel with their model and go with it; what is no figure is refused. */
#include "store_test.h"

#include <math.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &f->ctx, NULL), DM_OK);
  char path[128];
  test_path(path, "epochs.db");
  (void)unlink(path);
  f->store = test_open(f->ctx, path, DM_STORE_CREATE);
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  test_exec(f->store, "INSERT INTO dm_model(id, name, version, method, task, target, status, params, inputs, transform, rows, seed,"
                      " lib_version, started, seconds, sha256) VALUES"
                      " (7, 'm', 1, 'net', 'classify', 'y', 'done', '{}', '{}', '{}', 3, 0, '0', '2026-01-01', 1.0, '')");
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
  free(f);
  return 0;
}

static void figures_come_back_by_name_and_epoch(void **state) {
  fixture *f = *state;
  const dm_model_epoch epochs[] = {{2, "valid_loss", 0.5}, {1, "valid_loss", 0.75},        {1, "train_loss", 1e300},
                                   {2, "train_loss", 0.1}, {3, "train_loss", (double)NAN}, {3, "valid_loss", (double)INFINITY}};
  dm_model_epoch *list = NULL;
  size_t n = 99;
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, NULL), DM_OK);
  assert_int_equal(n, 0);
  assert_int_equal(dm_registry_add_epochs(f->store, 7, epochs, 6, NULL), DM_OK);
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, NULL), DM_OK);
  assert_int_equal(n, 4); /* the undefined ones have no row */
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(list[i].name, i < 2 ? "train_loss" : "valid_loss");
    assert_int_equal(list[i].epoch, 1 + i % 2);
  }
  assert_true(list[0].value == 1e300 && list[1].value == 0.1 && list[2].value == 0.75 && list[3].value == 0.5);
}

static void an_epoch_written_again_is_replaced(void **state) {
  fixture *f = *state;
  dm_model_epoch *list = NULL;
  size_t n = 0;
  assert_int_equal(dm_registry_add_epochs(f->store, 7, &(dm_model_epoch){4, "lr", 0.5}, 1, NULL), DM_OK);
  assert_int_equal(dm_registry_add_epochs(f->store, 7, &(dm_model_epoch){4, "lr", 0.25}, 1, NULL), DM_OK);
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, NULL), DM_OK);
  assert_int_equal(n, 1);
  assert_true(list[0].value == 0.25);
}

static void what_is_no_figure_is_refused(void **state) {
  fixture *f = *state;
  dm_model_epoch *list = NULL;
  size_t n = 99;
  dm_error err = {0};
  test_exec(f->store, "INSERT INTO dm_epoch VALUES(7, 1, 'loss', 9e999)"); /* infinity */
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, &err), DM_EINPUT);
  assert_int_equal(n, 99);
  assert_non_null(strstr(err.message, "dm_epoch"));
  test_exec(f->store, "DROP TABLE dm_epoch");
  test_exec(f->store, "CREATE TABLE dm_epoch(model_id, epoch, name, value)");
  test_exec(f->store, "INSERT INTO dm_epoch VALUES(7, 'one', 'loss', 1.0)");
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, &err), DM_EINPUT);
  test_exec(f->store, "UPDATE dm_epoch SET epoch = 1, name = x'00'");
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, &err), DM_EINPUT);
  test_exec(f->store, "UPDATE dm_epoch SET name = 'loss'");
  assert_int_equal(dm_registry_epochs(f->store, 7, f->arena, &list, &n, &err), DM_OK);
  assert_int_equal(n, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(figures_come_back_by_name_and_epoch, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_epoch_written_again_is_replaced, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_no_figure_is_refused, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
