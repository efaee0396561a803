/*
 * report: pages with models over the project's own datasets: classes of two,
 * three and ten, a regression, levels of a category, a damaged model. With
 * DM_DRAW_TO=DIR the pages are written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/markup.h"

#include <dm/report.h>
#include <dm/tree.h>
#include <math.h>
#include <stdlib.h>

static const dm_learner *const learners[] = {&dm_learner_tree, NULL};

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
  size_t requests, fail_at; /* of memory; 0 = never */
} fixture;

static void *allocate(void *user, size_t size, size_t alignment) {
  fixture *f = user;
  if (++f->requests == f->fail_at) return NULL;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  dm_ctx_options options = {
      .threads = 1, .learners = learners, .allocate = allocate, .release = release, .user = f};
  assert_int_equal(dm_ctx_new(&options, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(f->ctx, ":memory:", DM_STORE_WRITE | DM_STORE_CREATE, &f->store, NULL),
                   DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  free(f);
  return held == 0 ? 0 : -1;
}

static void import(fixture *f, const char *file) {
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/datasets/%s", getenv("DM_SOURCE"), file);
  dm_import_result result;
  dm_error err = {0};
  static const char *const nulls[] = {"NA"};
  dm_import_options options = {.csv = {.nulls = nulls, .n_nulls = 1}};
  if (dm_store_import(f->store, path, &options, f->arena, &result, &err) != DM_OK)
    fail_msg("%s: %s", file, err.message);
}

/* A part of a frame's rows as a dataset of raw columns; freed with the arena. */
static dm_dataset rows_of(fixture *f, const dm_frame *frame, size_t target, const size_t *rows, size_t n,
                          dm_block *block) {
  size_t d = frame->d - 1, at = 0;
  double **raw = dm_arena_alloc(f->arena, d, sizeof *raw, NULL);
  size_t *levels = dm_arena_alloc(f->arena, d, sizeof *levels, NULL);
  double *truth = dm_arena_alloc(f->arena, n, sizeof *truth, NULL);
  for (size_t j = 0; j < frame->d; j++) {
    const dm_frame_column *c = &frame->columns[j];
    double *out = truth;
    if (j != target) {
      raw[at] = out = dm_arena_alloc(f->arena, n, sizeof *out, NULL);
      levels[at++] = c->kind == DM_CATEGORY ? c->levels.n : 0;
    }
    for (size_t i = 0; i < n; i++) out[i] = c->values[rows[i]];
  }
  *block = (dm_block){.kind = DM_BLOCK_RAW, .d = d, .raw = (const double *const *)raw, .levels = levels};
  return (dm_dataset){
      .n = n, .n_blocks = 1, .blocks = block, .target = truth, .n_classes = frame->columns[target].levels.n};
}

/* Trains on two thirds of the rows with a known target, stores the model with metrics and evaluation of the
 * rest. */
static void train(fixture *f, const char *table, const char *target_name, const char *depth) {
  dm_error err = {0};
  dm_frame *frame = NULL;
  char sql[512];
  (void)snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" WHERE \"%s\" IS NOT NULL ORDER BY dm_id", table,
                 target_name);
  assert_int_equal(dm_store_frame(f->store, sql, NULL, 0, &frame, NULL, &err), DM_OK);
  size_t target = dm_frame_find(frame, target_name), columns[128], d = 0, n_train = 0, n_test = 0;
  if (frame->columns[target].kind == DM_NUMERIC && dm_frame_n_distinct(frame, target, 20, NULL) < 20)
    assert_int_equal(dm_frame_make_category(frame, target, NULL), DM_OK);
  for (size_t j = 0; j < frame->d; j++)
    if (j != target) columns[d++] = j;
  size_t *train_rows = dm_arena_alloc(f->arena, frame->n, sizeof *train_rows, NULL);
  size_t *test_rows = dm_arena_alloc(f->arena, frame->n, sizeof *test_rows, NULL);
  const dm_frame_column *y = &frame->columns[target];
  assert_int_equal(dm_split(f->ctx, frame->n, 1.0 / 3, 0, y->levels.n ? y->values : NULL, NULL, train_rows,
                            &n_train, test_rows, &n_test, NULL),
                   DM_OK);
  dm_block block, test_block;
  dm_dataset data = rows_of(f, frame, target, train_rows, n_train, &block);
  dm_params *params = NULL;
  dm_model *model = NULL;
  assert_int_equal(dm_params_new(f->ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  if (depth) assert_int_equal(dm_params_set(params, "max_depth", depth, NULL), DM_OK);
  if (dm_learner_tree.train(f->ctx, &(dm_training){.train = &data}, params, &model, &err) != DM_OK)
    fail_msg("%s", err.message);
  dm_encoder *encoder = NULL;
  dm_scorer *scorer = NULL;
  assert_int_equal(dm_encoder_passthrough(f->ctx, d, &encoder, NULL), DM_OK);
  assert_int_equal(dm_scorer_new(f->ctx, frame, columns, d, target, encoder, model, &scorer, NULL), DM_OK);
  size_t k = y->levels.n;
  double *value = dm_arena_alloc(f->arena, n_test, sizeof *value, NULL);
  double *proba = k ? dm_arena_alloc(f->arena, n_test * k, sizeof *proba, NULL) : NULL;
  assert_int_equal(dm_scorer_frame(scorer, frame, test_rows, n_test, value, NULL, proba, NULL), DM_OK);
  dm_dataset test = rows_of(f, frame, target, test_rows, n_test, &test_block);
  dm_metric metrics[DM_METRICS_MAX];
  dm_model_metric stored[DM_METRICS_MAX];
  size_t n_metrics = dm_metrics(f->ctx, n_test, k, test.target, value, proba, metrics, NULL);
  for (size_t i = 0; i < n_metrics; i++)
    stored[i] = (dm_model_metric){"test", metrics[i].name, metrics[i].value};
  dm_buf json;
  dm_json_out out;
  dm_buf_init(&json, f->ctx, NULL);
  dm_json_out_init(&out, &json, false);
  dm_params_json(params, &out);
  dm_model_meta meta = {
      .name = table, .params_json = json.p, .source_sql = sql, .rows = (int64_t)n_train, .seconds = 0.0123};
  if (dm_registry_save(f->store, scorer, &meta, stored, n_metrics, f->arena, &err) != DM_OK)
    fail_msg("%s", err.message);
  if (dm_report_evaluation_save(f->store, meta.id, "test", n_test, k, test.target, value, proba, &err) !=
      DM_OK)
    fail_msg("%s", err.message);
  dm_buf_clear(&json);
  dm_params_free(params);
  dm_scorer_free(scorer);
  dm_frame_free(frame);
}

static void make(fixture *f, const char *name, dm_buf *out) {
  dm_error err = {0};
  dm_buf_init(out, f->ctx, &err);
  if (dm_report_html(f->store, NULL, out, &err) != DM_OK) fail_msg("%s: %s", name, err.message);
  const char *folder = getenv("DM_DRAW_TO");
  if (folder) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.html", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(out->p, 1, out->n, file), out->n);
    assert_int_equal(fclose(file), 0);
  }
  const char *problem = markup_problem(out->p);
  if (problem) fail_msg("%s: malformed at: %.80s", name, problem);
  assert_false(has_nan(out->p));
  assert_true(out->n <= 300 * 1000);
}

static void expect(const dm_buf *page, const char *text) {
  if (!strstr(page->p, text)) fail_msg("the page lacks: %s", text);
}

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
