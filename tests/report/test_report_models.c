/*
 * report: pages with models over the project's own datasets: classes of two,
 * three and ten, a regression, levels of a category, a damaged model. With
 * DM_DRAW_TO=DIR the pages are written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/pages.h"

static void two_classes(void **state) {
  fixture *f = *state;
  dm_buf page;
  import(f, "biopsy.csv");
  train(f, "biopsy", "class", NULL);
  make(f, "model-biopsy", &page);
  expect(&page, "biopsy, version 1");
  expect(&page, "Confusion matrix, 233 test rows");
  expect(&page, "ROC, test rows<");
  expect(&page, "<td>accuracy</td>");
  expect(&page, "The tree");
  expect(&page, "decision tree (gini)");
  expect(&page, ">malignant</text>");
  expect(&page, "target\">target</span>");
  dm_buf_clear(&page);
}

static void three_classes_and_older_versions(void **state) {
  fixture *f = *state;
  dm_buf page;
  import(f, "iris.csv");
  train(f, "iris", "species", "1");
  train(f, "iris", "species", "4");
  make(f, "model-iris", &page);
  expect(&page, "iris, version 2");
  expect(&page, "ROC, test rows: each class against the others");
  expect(&page, "Other models and versions");
  expect(&page, "<td>iris@1</td>");
  expect(&page, "≤ ");
  dm_buf_clear(&page);
}

static void ten_classes_and_a_large_tree(void **state) {
  fixture *f = *state;
  dm_buf page;
  import(f, "digits.csv");
  train(f, "digits", "digit", "12");
  make(f, "model-digits", &page);
  expect(&page, "with the smallest AUC");
  expect(&page, "deeper splits are left out");
  expect(&page, "+");
  dm_buf_clear(&page);
}

static void a_regression(void **state) {
  fixture *f = *state;
  dm_buf page;
  import(f, "airquality.csv");
  train(f, "airquality", "Ozone", "4");
  make(f, "model-airquality", &page);
  expect(&page, "Predicted against true values");
  expect(&page, "predicted − true");
  expect(&page, "rmse");
  expect(&page, "mean ");
  dm_buf_clear(&page);
}

static void categories_and_missing_values(void **state) {
  fixture *f = *state;
  dm_buf page;
  import(f, "house-votes.csv");
  import(f, "survey.csv");
  train(f, "house_votes", "party", "5");
  train(f, "survey", "Sex", "5");
  make(f, "model-votes", &page);
  expect(&page, "house_votes, version 1");
  expect(&page, " or missing</text>");
  dm_buf_clear(&page);
}

static void apply(fixture *f, const char *text) {
  const dm_yaml *yaml = NULL;
  dm_recipe *recipe = NULL;
  dm_apply_result result;
  dm_error err = {0};
  assert_int_equal(dm_yaml_parse(f->arena, "clean.yaml", text, strlen(text), &yaml, &err), DM_OK);
  if (dm_recipe_from_yaml(f->ctx, "clean.yaml", yaml, &recipe, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_recipe_apply(f->store, recipe, false, f->arena, &result, &err) != DM_OK) fail_msg("%s", err.message);
  dm_recipe_free(recipe);
}

static void from_dirty_file_to_model(void **state) {
  fixture *f = *state;
  dm_buf page;
  dm_apply_result undone;
  import(f, "biopsy-dirty.csv");
  apply(f,
        "table: biopsy_dirty\n"
        "steps:\n"
        "  - trim: {columns: [class, note], collapse: true}\n"
        "  - case: {columns: class, to: lower}\n"
        "  - parse_date: {columns: sampled, formats: ['%d.%m.%Y', '%m/%d/%Y', '%Y-%m-%d'], on_error: keep}\n"
        "  - drop_duplicates: {}\n");
  apply(f, "table: biopsy_dirty\nsteps:\n  - fill: {columns: V1, with: median}\n");
  assert_int_equal(dm_undo(f->store, 3, f->arena, &undone, NULL), DM_OK);
  train(f, "biopsy_dirty", "class", "4");
  make(f, "model-dirty", &page);
  expect(&page, "Run 2: apply on biopsy_dirty");
  expect(&page, "Run 3: apply on biopsy_dirty (undone)");
  expect(&page, "1:trim");
  expect(&page, "Put back what run 3 had changed.");
  expect(&page, "Rejected records of biopsy-dirty.csv");
  expect(&page, "</code> → <code>");
  dm_buf_clear(&page);
}

static void damaged_models_do_not_stop_the_report(void **state) {
  fixture *f = *state;
  dm_buf page;
  dm_error err = {0};
  import(f, "iris.csv");
  train(f, "iris", "species", "3");
  assert_int_equal(dm_store_exec(f->store, &err,
                                 "UPDATE dm_tensor SET shape = '[1,1]' WHERE name = 'eval/test/confusion'"),
                   DM_OK);
  make(f, "model-damaged-evaluation", &page);
  expect(&page, "tensor &#39;eval/test/confusion&#39; is damaged");
  expect(&page, "The tree");
  dm_buf_clear(&page);
  assert_int_equal(dm_store_exec(f->store, &err,
                                 "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name LIKE '0/%%'"),
                   DM_OK);
  make(f, "model-damaged", &page);
  expect(&page, "This model cannot be used: ");
  dm_buf_clear(&page);
}

static void evaluations_are_outside_the_hash(void **state) {
  fixture *f = *state;
  import(f, "iris.csv");
  train(f, "iris", "species", "3");
  dm_scorer *scorer = NULL;
  dm_model_meta meta;
  dm_error err = {0};
  assert_int_equal(dm_store_exec(f->store, &err, "DELETE FROM dm_tensor WHERE name LIKE 'eval/%%'"), DM_OK);
  assert_true(dm_store_changes(f->store) > 3);
  if (dm_registry_load(f->store, "iris", f->arena, &scorer, &meta, &err) != DM_OK)
    fail_msg("%s", err.message);
  dm_scorer_free(scorer);
}

static void evaluations_travel_with_the_model(void **state) {
  fixture *f = *state;
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/test-report-model.db", getenv("DM_BUILD") ? getenv("DM_BUILD") : ".");
  (void)remove(path);
  import(f, "iris.csv");
  train(f, "iris", "species", "3");
  dm_error err = {0};
  dm_model_meta meta;
  dm_report_evaluation before, after;
  bool found = false;
  assert_int_equal(dm_report_evaluation_load(f->store, 1, "test", f->arena, &before, &found, NULL), DM_OK);
  assert_true(found);
  if (dm_registry_export(f->store, "iris", path, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_registry_import(f->store, path, "iris", f->arena, &meta, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(meta.version, 2);
  assert_int_equal(dm_report_evaluation_load(f->store, meta.id, "test", f->arena, &after, &found, NULL),
                   DM_OK);
  assert_true(found);
  assert_int_equal(after.k, before.k);
  assert_memory_equal(after.confusion, before.confusion, before.k * before.k * sizeof *before.confusion);
  assert_int_equal(remove(path), 0);
}

/* The page of a classification and a regression, with every 7th request of memory failing in turn. */
static void failed_allocations_are_errors(void **state) {
  fixture *f = *state;
  import(f, "iris.csv");
  import(f, "airquality.csv");
  train(f, "iris", "species", "3");
  train(f, "airquality", "Ozone", "3");
  bool whole = false;
  for (size_t at = 1; !whole; at += 7) {
    dm_error err = {0};
    dm_buf page;
    dm_buf_init(&page, f->ctx, &err);
    size_t held = dm_ctx_memory(f->ctx);
    f->requests = 0;
    f->fail_at = at;
    dm_status s = dm_report_html(f->store, NULL, &page, &err);
    whole = f->requests < at;
    f->fail_at = 0;
    if (s != (whole ? DM_OK : DM_EBUDGET))
      fail_msg("request %zu: status %d, error %d %s", at, (int)s, (int)err.code, err.message);
    dm_buf_clear(&page);
    assert_int_equal(dm_ctx_memory(f->ctx), held);
    assert_true(at < 100000);
  }
}

#define AS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      AS_TEST(two_classes),
      AS_TEST(three_classes_and_older_versions),
      AS_TEST(ten_classes_and_a_large_tree),
      AS_TEST(a_regression),
      AS_TEST(categories_and_missing_values),
      AS_TEST(from_dirty_file_to_model),
      AS_TEST(damaged_models_do_not_stop_the_report),
      AS_TEST(evaluations_are_outside_the_hash),
      AS_TEST(evaluations_travel_with_the_model),
      AS_TEST(failed_allocations_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
