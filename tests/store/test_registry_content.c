/* registry: models that score no rows come back as they were, travel and go with their sets and rules, and are not taken for scorers. */
#include "cmocka_all.h"
#include "store/registry.h"
#include "store/store.h"
#include "store_test.h"

typedef struct fixture {
  dm_ctx *ctx;
  dm_arena *arena;
  dm_store *store;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  char path[128];
  test_path(path, "content.db");
  (void)unlink(path);
  f->store = test_open(f->ctx, path, DM_STORE_CREATE);
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

static const int32_t numbers[6] = {5, -4, 3, -2, 1, 0};

static dm_model_meta save(fixture *f, const char *name, int64_t total) {
  dm_checkpoint *c = NULL;
  dm_error err = {0};
  assert_int_equal(dm_checkpoint_new(f->ctx, &c, NULL), DM_OK);
  dm_model_writer *w = dm_checkpoint_open(c);
  dm_json_key(w->json, "total");
  dm_json_int(w->json, total);
  assert_int_equal(w->tensor(w, "numbers", DM_I32, (size_t[]){2, 3}, 2, numbers, NULL), DM_OK);
  assert_int_equal(w->tensor(w, "items", DM_UTF8, (size_t[]){5}, 1, "a\nb,c", NULL), DM_OK);
  dm_model_meta meta = {.name = name, .method = "rules", .task = "rules", .rows = total, .params_json = "{\"min_support\":2}"};
  assert_int_equal(dm_registry_save_content(f->store, c, &meta, NULL, 0, f->arena, &err), DM_EINTERNAL); /* not closed */
  assert_int_equal(dm_checkpoint_close(c, NULL), DM_OK);
  if (dm_registry_save_content(f->store, c, &meta, &(dm_model_metric){"all", "rules", 2}, 1, f->arena, &err) != DM_OK)
    fail_msg("%s", err.message);
  dm_checkpoint_free(c);
  return meta;
}

static void add_patterns(fixture *f, int64_t id) {
  dm_error err = {0};
  if (dm_store_exec(f->store, &err, "INSERT INTO dm_itemset(model_id, id, size, items, support) VALUES(%lld, 1, 1, '[\"a\"]', 9)", (long long)id) != DM_OK ||
      dm_store_exec(f->store, &err,
                    "INSERT INTO dm_rule(model_id, id, antecedent, consequent, support, share, coverage, confidence, lift, leverage, conviction,"
                    " cosine, jaccard, kulczynski, imbalance, zhang, added_value, chi_square, fisher_p, q_value) VALUES"
                    " (%lld, 1, '[\"a\"]', '[\"b\"]', 3, 0.1, 0.2, 0.3, 0.4, 0.5, 9e999, 0.7, 0.8, 0.9, 1.0, NULL, 1.2, 1.3, 1.4, NULL)",
                    (long long)id) != DM_OK)
    fail_msg("%s", err.message);
}

static void content_comes_back(void **state) {
  fixture *f = *state;
  dm_model_meta saved = save(f, "m", 100), meta;
  dm_model_reader r;
  dm_error err = {0};
  size_t shape[2];
  const void *data;
  if (dm_registry_load_content(f->store, "m", "rules", f->arena, &r, &meta, &err) != DM_OK) fail_msg("%s", err.message);
  assert_string_equal(meta.sha256, saved.sha256);
  assert_true(meta.active && meta.version == 1 && meta.rows == 100);
  assert_int_equal(dm_json_get(r.json, "total")->integer, 100);
  assert_int_equal(r.tensor(&r, "numbers", DM_I32, 2, shape, &data, NULL), DM_OK);
  assert_true(shape[0] == 2 && shape[1] == 3);
  assert_memory_equal(data, numbers, sizeof numbers);
  assert_int_equal(r.tensor(&r, "items", DM_UTF8, 1, shape, &data, NULL), DM_OK);
  assert_memory_equal(data, "a\nb,c", 5);
  assert_int_equal(r.tensor(&r, "absent", DM_UTF8, 1, shape, &data, NULL), DM_EINPUT);
  assert_int_equal(dm_registry_load_content(f->store, "m@1", NULL, f->arena, &r, &meta, NULL), DM_OK);
  assert_string_not_equal(save(f, "m", 101).sha256, saved.sha256);
  assert_int_equal(dm_registry_find(f->store, "m", f->arena, &meta, NULL), DM_OK);
  assert_int_equal(meta.version, 2);
  assert_int_equal(dm_registry_activate(f->store, "m@1", NULL), DM_OK);
}

static void it_is_not_taken_for_another(void **state) {
  fixture *f = *state;
  dm_model_meta meta = save(f, "m", 100);
  dm_scorer *scorer = NULL;
  dm_model_reader r;
  dm_error err = {0};
  bool scores = true;
  assert_int_equal(dm_registry_load(f->store, "m", f->arena, &scorer, &meta, &err), DM_EUSAGE);
  assert_null(scorer);
  assert_string_equal(err.message, "model 'm@1': it is a model by 'rules', which does not score rows");
  assert_non_null(strstr(err.hint, "SELECT * FROM dm_rules('m')"));
  assert_int_equal(dm_registry_scores(f->store, meta.id, &scores, NULL), DM_OK);
  assert_false(scores);
  assert_int_equal(dm_registry_load_content(f->store, "m", "codes", f->arena, &r, &meta, &err), DM_EUSAGE);
  assert_string_equal(err.message, "model 'm@1': it is a model by 'rules', want one by codes");
  test_exec(f->store, "UPDATE dm_model SET transform = '{\"stages\":[]}'");
  assert_int_equal(dm_registry_scores(f->store, meta.id, &scores, NULL), DM_OK);
  assert_true(scores);
  assert_int_equal(dm_registry_load_content(f->store, "m", NULL, f->arena, &r, &meta, NULL), DM_EUSAGE);
  assert_int_equal(dm_registry_load_content(f->store, "n", NULL, f->arena, &r, &meta, NULL), DM_EUSAGE);
}

static void a_changed_row_is_seen(void **state) {
  fixture *f = *state;
  static const char *const changes[] = {
      "UPDATE dm_tensor SET data = zeroblob(24) WHERE name = 'content/numbers'",
      "UPDATE dm_tensor SET name = 'content/x' WHERE name = 'content/items'",
      "UPDATE dm_model SET transform = '{\"content\":{\"scalars\":{\"total\":7}}}'",
      "UPDATE dm_model SET transform = '{\"content\":{}}'",
      "UPDATE dm_model SET params = '[]'",
  };
  dm_model_meta meta;
  dm_model_reader r;
  (void)save(f, "m", 100);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    dm_error err = {0};
    assert_int_equal(dm_store_begin(f->store, NULL), DM_OK);
    test_exec(f->store, changes[i]);
    assert_int_equal(dm_registry_load_content(f->store, "m", "rules", f->arena, &r, &meta, &err), DM_EINPUT);
    assert_non_null(strstr(err.message, "model 'm@1': its rows were changed"));
    dm_store_rollback(f->store);
  }
  assert_int_equal(dm_registry_load_content(f->store, "m", "rules", f->arena, &r, &meta, NULL), DM_OK);
}

static void sets_and_rules_travel_and_go_with_it(void **state) {
  fixture *f = *state;
  char path[128];
  dm_model_meta meta = save(f, "m", 100), other = save(f, "n", 50);
  dm_error err = {0};
  size_t dropped = 0;
  add_patterns(f, meta.id);
  add_patterns(f, other.id);
  test_path(path, "exported.db");
  (void)unlink(path);
  if (dm_registry_export(f->store, "n", path, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(dm_registry_drop(f->store, "n", &dropped, NULL), DM_OK);
  assert_int_equal(dropped, 1);
  assert_int_equal(test_int(f->store, "SELECT 10 * (SELECT count(*) FROM dm_itemset) + (SELECT count(*) FROM dm_rule)"), 11);
  if (dm_registry_import(f->store, path, NULL, f->arena, &other, &err) != DM_OK) fail_msg("%s", err.message);
  assert_string_equal(other.sha256, save(f, "k", 50).sha256);
  assert_int_equal(test_int(f->store, "SELECT count(*) FROM dm_itemset AS a JOIN dm_itemset AS b USING (id, size, items, support)"
                                      " WHERE a.model_id <> b.model_id"), 2);
  assert_int_equal(test_int(f->store, "SELECT count(*) FROM dm_rule WHERE conviction = 9e999 AND zhang IS NULL AND added_value = 1.2"
                                      " AND fisher_p = 1.4 AND q_value IS NULL AND antecedent = '[\"a\"]'"), 2);
}

#define test_content(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      test_content(content_comes_back),
      test_content(it_is_not_taken_for_another),
      test_content(a_changed_row_is_seen),
      test_content(sets_and_rules_travel_and_go_with_it),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
