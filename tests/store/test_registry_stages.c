/* registry: models of several stages and models without a target; forged stages never harm. */
#include "cmocka_all.h"
#include "model/code_learner.h"
#include "store/registry.h"
#include "store_test.h"
#include "toy_learner.h"

enum { ROWS = 60, UNITS = 2 };

static const dm_learner *const learners[] = {&toy_learner, &codes_learner, NULL};

typedef struct fixture {
  dm_ctx *ctx;
  dm_arena *arena;
  dm_store *store;
  dm_frame *frame;
} fixture;

static void open_fixture(fixture *f) {
  dm_ctx_options o = {.threads = 1, .learners = learners};
  assert_int_equal(dm_ctx_new(&o, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  f->store = test_open(f->ctx, ":memory:", DM_STORE_CREATE);
  test_exec(f->store, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a REAL, b REAL, c TEXT, y TEXT)");
  test_exec(f->store, "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 60)"
                      " INSERT INTO t SELECT i, i * 37 % 11 / 2.0, nullif(i * 7 % 13, 5), substr('xyz', 1 + i % 3, 1),"
                      " substr('nopq', 1 + i % 4, 1) FROM r");
  assert_int_equal(dm_store_frame(f->store, "t", NULL, 0, &f->frame, NULL, NULL), DM_OK);
  assert_int_equal(f->frame->n, ROWS);
}

static void close_fixture(fixture *f) {
  dm_frame_free(f->frame);
  dm_store_close(f->store);
  dm_arena_free(f->arena);
  assert_int_equal(dm_ctx_memory(f->ctx), 0);
  dm_ctx_free(f->ctx);
}

/* Features of a, b and c. */
static dm_scorer *encoder_of(const fixture *f) {
  static const size_t columns[] = {0, 1, 2};
  const dm_encode_options o = {.impute_numeric = DM_IMPUTE_MEAN, .scale = DM_SCALE_STANDARD};
  dm_encoder *encoder = NULL;
  codes_model *model = NULL;
  dm_scorer *s = NULL;
  assert_int_equal(dm_encoder_fit(f->ctx, f->frame, columns, 3, NULL, ROWS, &o, &encoder, NULL), DM_OK);
  assert_int_equal(codes_new(f->ctx, dm_encoder_n_outputs(encoder), UNITS, &model, NULL), DM_OK);
  model->base.threshold = 0.75;
  assert_int_equal(dm_scorer_new(f->ctx, f->frame, columns, 3, SIZE_MAX, encoder, &model->base, &s, NULL), DM_OK);
  return s;
}

/* Features, and a classifier of y on them. */
static dm_scorer *composite_of(const fixture *f) {
  static const size_t columns[UNITS] = {0, 1};
  double nothing[1] = {0};
  dm_frame_column c[UNITS + 1] = {{.name = "e1", .kind = DM_NUMERIC, .type = DM_REAL, .values = nothing},
                                  {.name = "e2", .kind = DM_NUMERIC, .type = DM_REAL, .values = nothing},
                                  f->frame->columns[3]};
  dm_frame codes = {.ctx = f->ctx, .n = 1, .d = UNITS + 1, .columns = c};
  dm_encoder *encoder = NULL;
  toy *model = NULL;
  dm_scorer *last = NULL, *whole = NULL;
  assert_int_equal(dm_encoder_passthrough(f->ctx, UNITS, &encoder, NULL), DM_OK);
  assert_int_equal(toy_new(f->ctx, UNITS, 4, 0.5, (const double[]){1.5, -0.75}, &model, NULL), DM_OK);
  assert_int_equal(dm_scorer_new(f->ctx, &codes, columns, UNITS, UNITS, encoder, &model->base, &last, NULL), DM_OK);
  assert_int_equal(dm_scorer_compose(encoder_of(f), last, &whole, NULL), DM_OK);
  return whole;
}

/* Saved under a name, with another loaded from there. */
static dm_scorer *through_registry(fixture *f, const dm_scorer *s, const char *name, dm_model_meta *meta) {
  dm_scorer *loaded = NULL;
  dm_error err = {0};
  *meta = (dm_model_meta){.name = name};
  if (dm_registry_save(f->store, s, meta, NULL, 0, f->arena, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_registry_load(f->store, name, f->arena, &loaded, meta, &err) != DM_OK) fail_msg("%s", err.message);
  return loaded;
}

static void same_scores(const fixture *f, const dm_scorer *a, const dm_scorer *b) {
  double value[2][ROWS], score[2][ROWS];
  assert_int_equal(dm_scorer_frame(a, f->frame, NULL, ROWS, value[0], score[0], NULL, NULL), DM_OK);
  assert_int_equal(dm_scorer_frame(b, f->frame, NULL, ROWS, value[1], score[1], NULL, NULL), DM_OK);
  assert_memory_equal(value[0], value[1], sizeof value[0]);
  assert_memory_equal(score[0], score[1], sizeof score[0]);
  size_t zero = 0;
  for (size_t i = 0; i < ROWS; i++) zero += value[0][i] == 0;
  assert_true(zero > 0 && zero < ROWS); /* the scores tell rows apart */
}

static void models_of_stages_come_back_with_the_same_bits(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta meta;
  dm_scorer *encoder = encoder_of(&f), *composite = composite_of(&f);
  dm_scorer *encoder_again = through_registry(&f, encoder, "features", &meta);
  assert_string_equal(meta.task, "encode");
  assert_string_equal(meta.method, "codes");
  assert_null(meta.target);
  same_scores(&f, encoder, encoder_again);
  assert_near(encoder_again->model->threshold, 0.75, 0);
  dm_scorer *composite_again = through_registry(&f, composite, "whole", &meta);
  assert_string_equal(meta.task, "classify");
  assert_string_equal(meta.method, "toy");
  assert_string_equal(meta.target, "y");
  same_scores(&f, composite, composite_again);
  assert_string_equal(dm_scorer_feature_name(composite_again, 1), "e2");
  assert_int_equal(test_int(f.store, "SELECT count(*) FROM dm_tensor WHERE model_id = 2 AND name GLOB '0/*'"), 2);
  assert_int_equal(test_int(f.store, "SELECT count(*) FROM dm_tensor WHERE model_id = 2 AND name GLOB '1/*'"), 3);
  dm_scorer_free(encoder_again);
  dm_scorer_free(composite_again);
  dm_scorer_free(encoder);
  dm_scorer_free(composite);
  close_fixture(&f);
}

static void composites_live_without_the_model_they_were_made_from(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta meta;
  size_t dropped;
  dm_scorer *encoder = encoder_of(&f), *composite = composite_of(&f), *s = NULL;
  dm_scorer_free(through_registry(&f, encoder, "features", &meta));
  dm_scorer_free(through_registry(&f, composite, "whole", &meta));
  assert_int_equal(dm_registry_drop(f.store, "features", &dropped, NULL), DM_OK);
  assert_int_equal(dm_registry_load(f.store, "whole", f.arena, &s, NULL, NULL), DM_OK);
  same_scores(&f, composite, s);
  dm_scorer_free(s);
  dm_scorer_free(encoder);
  dm_scorer_free(composite);
  close_fixture(&f);
}

static void rehash(fixture *f) {
  dm_model_rows rows;
  char hash[DM_SHA256_HEX];
  assert_int_equal(dm_model_rows_collect(f->store, 1, f->arena, &rows, hash, NULL), DM_OK);
  assert_int_equal(dm_model_rows_hash(f->arena, f->ctx, &rows, hash, NULL), DM_OK);
  assert_int_equal(dm_store_exec(f->store, NULL, "UPDATE dm_model SET sha256 = %Q WHERE id = 1", hash), DM_OK);
}

static void forged_stages_are_refused(void **state) {
  (void)state;
#define SET(what) "UPDATE dm_model SET transform = json_set(transform, " what ")"
#define REMOVE(what) "UPDATE dm_model SET transform = json_remove(transform, " what ")"
  const struct {
    const char *sql, *part;
  } forged[] = {
      {"UPDATE dm_model SET transform = json_insert(transform, '$.stages[#]', json('{}'), '$.stages[#]', json('{}'),"
       " '$.stages[#]', json('{}'))", "the model has 5 stages, want at most 4"},
      {REMOVE("'$.stages[0]'"), ""},
      {REMOVE("'$.stages[1]'"), "the method of stage 0 is not 'toy'"},
      {SET("'$.stages[0].method', 'tee'"), "unknown method 'tee'"},
      {SET("'$.stages[0].method', 7"), "stage 0 has no method"},
      {SET("'$.stages[0].method', 'toy'"), "tensor '0/weight' is missing"},
      {SET("'$.stages[1].method', 'codes'"), "the method of stage 1 is not 'toy'"},
      {REMOVE("'$.stages[0].classes'"), "stage 0 does not say how many classes it has"},
      {SET("'$.stages[0].classes', -1"), "stage 0 does not say"},
      {SET("'$.stages[0].classes', 1e300"), "stage 0 does not say"},
      {SET("'$.stages[0].classes', 3"), "0 classes, its inputs are 5 and 3"},
      {REMOVE("'$.stages[0].encoder'"), "stage 0 has no encoder"},
      {REMOVE("'$.stages[1].scalars'"), "stage 1 has no scalars"},
      {SET("'$.stages[1].encoder', json_extract(transform, '$.stages[0].encoder')"), "steps for 3 inputs, the model has 2"},
      {SET("'$.stages[0].encoder', json('{\"passthrough\":true}')"), "tensors that do not fit 3 columns"},
      {"DELETE FROM dm_tensor WHERE name = '0/mix'", "tensor '0/mix' is missing"},
      {"UPDATE dm_tensor SET shape = '[0,5]', data = x'' WHERE name = '0/mix'", "tensors that do not fit"},
      {"UPDATE dm_tensor SET shape = '[1,5]', data = substr(data, 1, 20) WHERE name = '0/mix'", "2 weights for 1 columns"},
      {"UPDATE dm_tensor SET name = '2/mix' WHERE name = '0/mix'", "tensor '0/mix' is missing"},
      {"UPDATE dm_model SET task = 'encode'", "task 'encode' with 4 classes"},
      {"UPDATE dm_model SET target = NULL", "target '' in dm_model, 'y' in its inputs"},
      {"UPDATE dm_model SET inputs = json_set(inputs, '$.target', json('null'))", "task 'classify' with 0 classes"},
      {"UPDATE dm_model SET task = 'encode', target = NULL, inputs = json_set(inputs, '$.target', json('null'))", "method 'toy' does not encode"},
  };
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    fixture f;
    open_fixture(&f);
    dm_model_meta meta;
    dm_scorer *whole = composite_of(&f), *s = NULL;
    dm_scorer_free(through_registry(&f, whole, "m", &meta));
    test_exec(f.store, forged[i].sql);
    rehash(&f);
    dm_error err = {0};
    assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
    assert_int_equal(err.code, DM_EINPUT);
    if (!strstr(err.message, forged[i].part)) fail_msg("%s: %s", forged[i].sql, err.message);
    assert_null(s);
    dm_scorer_free(whole);
    close_fixture(&f);
  }
}

static void a_stage_without_features_is_refused(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  dm_model_meta meta;
  dm_error err = {0};
  dm_scorer *whole = composite_of(&f), *s = NULL;
  dm_scorer_free(through_registry(&f, whole, "m", &meta));
  /* toy, then toy */
  test_exec(f.store, "UPDATE dm_model SET transform = json_set(transform, '$.stages[0]', json('{\"encoder\":{\"passthrough\":true},"
                     "\"method\":\"toy\",\"classes\":0,\"scalars\":{\"bias\":1}}'))");
  test_exec(f.store, "DELETE FROM dm_tensor WHERE name GLOB '0/*'");
  test_exec(f.store, "INSERT INTO dm_tensor VALUES(1, '0/weight', 0, 'f64', '[3]', zeroblob(24)), (1, '0/empty', 0, 'f32', '[3,0]', x'')");
  rehash(&f);
  assert_int_equal(dm_registry_load(f.store, "m", f.arena, &s, NULL, &err), DM_EINPUT);
  assert_string_equal(err.message, "model 'm@1': stage 0, a model by 'toy', has no learned features");
  dm_scorer_free(whole);
  close_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(models_of_stages_come_back_with_the_same_bits),
      cmocka_unit_test(composites_live_without_the_model_they_were_made_from),
      cmocka_unit_test(forged_stages_are_refused),
      cmocka_unit_test(a_stage_without_features_is_refused),
  };
  return cmocka_run_group_tests_name("registry-stages", tests, NULL, NULL);
}
