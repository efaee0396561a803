/* What tests of whole pages share: a database in memory, imports of the project's own datasets, trained trees, the page and what it must hold. */
#ifndef TESTS_REPORT_PAGES_H
#define TESTS_REPORT_PAGES_H

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

static inline void *allocate(void *user, size_t size, size_t alignment) {
  fixture *f = user;
  if (++f->requests == f->fail_at) return NULL;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static inline void release(void *user, void *block) {
  (void)user;
  free(block);
}

static inline int set_up(void **state) {
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

static inline int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  free(f);
  return held == 0 ? 0 : -1;
}

static inline void import(fixture *f, const char *file) {
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
static inline dm_dataset rows_of(fixture *f, const dm_frame *frame, size_t target, const size_t *rows, size_t n,
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
static inline void train(fixture *f, const char *table, const char *target_name, const char *depth) {
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

static inline void make(fixture *f, const char *name, dm_buf *out) {
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

static inline void expect(const dm_buf *page, const char *text) {
  if (!strstr(page->p, text)) fail_msg("the page lacks: %s", text);
}

#endif
