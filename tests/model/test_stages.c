/* model: stages. Learned features through the scorer, models without a target, composites against their parts. */
#include "cmocka_all.h"

#include "model/code_learner.h"

#include <dm/tree.h>
#include <stdio.h>

enum { ROWS = 2500, UNITS = 5 };

static const dm_learner *const learners[] = {&dm_learner_tree, &codes_learner, NULL};

typedef struct fixture {
  dm_ctx *ctx;
  dm_frame *frame;
} fixture;

/* Columns a, b (numbers), c (text), y (text); some cells missing. */
static int setup(void **state) {
  static const char *const names[] = {"a", "b", "c", "y"}, *const texts[] = {"red", "green", "blue"};
  static fixture f;
  dm_frame_builder *builder = NULL;
  f = (fixture){0};
  *state = &f;
  if (dm_ctx_new(&(dm_ctx_options){.learners = learners, .threads = 2}, &f.ctx, NULL) != DM_OK) return -1;
  if (dm_frame_builder_new(f.ctx, 4, names, false, ROWS, &builder, NULL) != DM_OK) return -1;
  for (size_t i = 0; i < ROWS; i++) {
    double a = (double)(i * 37 % 101) / 7, b = (double)(i * 11 % 59) / 3;
    dm_value v[4] = {{.type = DM_REAL, .real = a},
                     {.type = DM_REAL, .real = b},
                     {.type = DM_TEXT, .text = dm_str_of(texts[i % 3])},
                     {.type = DM_TEXT, .text = dm_str_of(a > b ? "up" : "down")}};
    if (i % 17 == 3) v[i % 3].type = DM_NULL;
    if (dm_frame_builder_add(builder, v, 0, NULL) != DM_OK) return -1;
  }
  return dm_frame_builder_finish(builder, &f.frame, NULL) == DM_OK ? 0 : -1;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_frame_free(f->frame);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  return held == 0 ? 0 : -1;
}

/* Features learned from columns 0 … d-1 of frame. */
static dm_scorer *features_of(dm_ctx *ctx, const dm_frame *frame, size_t d, dm_impute impute, size_t units) {
  const size_t columns[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const dm_encode_options o = {.impute_numeric = impute, .scale = DM_SCALE_STANDARD};
  dm_encoder *encoder = NULL;
  codes_model *model = NULL;
  dm_scorer *s = NULL;
  assert_int_equal(dm_encoder_fit(ctx, frame, columns, d, NULL, frame->n, &o, &encoder, NULL), DM_OK);
  assert_int_equal(codes_new(ctx, dm_encoder_n_outputs(encoder), units, &model, NULL), DM_OK);
  for (size_t j = 0; j < model->base.d; j++) model->mean[j] = 0.125 * (double)j;
  assert_int_equal(dm_scorer_new(ctx, frame, columns, d, SIZE_MAX, encoder, &model->base, &s, NULL), DM_OK);
  return s;
}

/* A frame of s's codes and, last, the column y of frame; values are borrowed by code. */
typedef struct code_frame {
  dm_frame frame;
  dm_frame_column columns[UNITS + 1];
  double values[UNITS][ROWS];
} code_frame;

static void encode_frame(const fixture *f, const dm_scorer *s, code_frame *out) {
  static const char *const names[UNITS] = {"e1", "e2", "e3", "e4", "e5"};
  static float code[ROWS * UNITS];
  assert_int_equal(s->model->n_code, UNITS);
  assert_int_equal(dm_scorer_code_frame(s, f->frame, NULL, ROWS, code, NULL), DM_OK);
  out->frame = (dm_frame){.ctx = f->ctx, .n = ROWS, .d = UNITS + 1, .columns = out->columns};
  for (size_t k = 0; k < UNITS; k++) {
    for (size_t i = 0; i < ROWS; i++) out->values[k][i] = (double)code[i * UNITS + k];
    out->columns[k] = (dm_frame_column){.name = names[k], .kind = DM_NUMERIC, .type = DM_REAL, .values = out->values[k]};
  }
  out->columns[UNITS] = f->frame->columns[3];
}

/* A tree on the codes. */
static dm_scorer *tree_of(const fixture *f, const code_frame *codes) {
  const double *raw[UNITS];
  const size_t levels[UNITS] = {0}, columns[UNITS] = {0, 1, 2, 3, 4};
  for (size_t k = 0; k < UNITS; k++) raw[k] = codes->values[k];
  dm_block block = {.kind = DM_BLOCK_RAW, .d = UNITS, .raw = raw, .levels = levels};
  dm_dataset data = {.n = ROWS, .n_blocks = 1, .blocks = &block, .target = codes->columns[UNITS].values, .n_classes = 2};
  dm_params *params = NULL;
  dm_model *model = NULL;
  dm_encoder *encoder = NULL;
  dm_scorer *s = NULL;
  assert_int_equal(dm_params_new(f->ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  assert_int_equal(dm_params_set(params, "max_depth", "5", NULL), DM_OK);
  assert_int_equal(dm_learner_tree.train(f->ctx, &(dm_training){.train = &data}, params, &model, NULL), DM_OK);
  dm_params_free(params);
  assert_int_equal(dm_encoder_passthrough(f->ctx, UNITS, &encoder, NULL), DM_OK);
  assert_int_equal(dm_scorer_new(f->ctx, &codes->frame, columns, UNITS, UNITS, encoder, model, &s, NULL), DM_OK);
  return s;
}

static code_frame codes;
static double wanted_value[ROWS], wanted_score[ROWS], wanted_proba[2 * ROWS];

/* The composite of features and tree; what its parts say of all rows one after the other stands in wanted_…. */
static dm_scorer *composite(const fixture *f) {
  dm_scorer *features = features_of(f->ctx, f->frame, 3, DM_IMPUTE_MEAN, UNITS), *whole = NULL;
  encode_frame(f, features, &codes);
  dm_scorer *tree = tree_of(f, &codes);
  assert_int_equal(dm_scorer_frame(tree, &codes.frame, NULL, ROWS, wanted_value, wanted_score, wanted_proba, NULL), DM_OK);
  assert_int_equal(dm_scorer_compose(features, tree, &whole, NULL), DM_OK);
  return whole;
}

static double *raw_rows(const dm_frame *frame, size_t d) {
  static double raw[ROWS * 3];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < d; j++) raw[i * d + j] = frame->columns[j].values[i];
  return raw;
}

static void a_composite_is_its_parts_in_batches_of_any_size(void **state) {
  const fixture *f = *state;
  static const size_t batches[] = {1, 7, 256, 1024};
  static double value[ROWS], score[ROWS], proba[2 * ROWS];
  dm_scorer *s = composite(f);
  assert_int_equal(s->d, 3);
  assert_int_equal(s->n_before, 1);
  assert_string_equal(s->target.name, "y");
  const double *raw = raw_rows(f->frame, 3);
  for (size_t b = 0; b < 4; b++) {
    dm_scratch scratch;
    assert_int_equal(dm_scratch_init_rows(&scratch, s, batches[b], NULL), DM_OK);
    memset(value, 0xFF, sizeof value);
    const dm_scored out = {.value = value, .score = score, .proba = proba};
    assert_int_equal(dm_scorer_rows(s, raw, ROWS, &scratch, &out, NULL), DM_OK);
    assert_memory_equal(value, wanted_value, sizeof value);
    assert_memory_equal(score, wanted_score, sizeof score);
    assert_memory_equal(proba, wanted_proba, sizeof proba);
    dm_scratch_clear(&scratch, s);
  }
  memset(score, 0xFF, sizeof score);
  assert_int_equal(dm_scorer_frame(s, f->frame, NULL, ROWS, value, score, proba, NULL), DM_OK);
  assert_memory_equal(value, wanted_value, sizeof value);
  assert_memory_equal(score, wanted_score, sizeof score);
  assert_memory_equal(proba, wanted_proba, sizeof proba);
  size_t right = 0;
  for (size_t i = 0; i < ROWS; i++) right += value[i] == f->frame->columns[3].values[i];
  assert_true(right > ROWS * 3 / 4); /* codes tell of a and b: the test is of something */
  dm_scorer_free(s);
}

static void texts_of_a_composite_name_codes(void **state) {
  const fixture *f = *state;
  dm_scorer *s = composite(f);
  dm_buf text;
  dm_buf_init(&text, f->ctx, NULL);
  assert_int_equal(dm_learner_tree.describe(s->model, s, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "\ne"));
  assert_null(strstr(text.p, "\na "));
  for (size_t k = 0; k < UNITS; k++) {
    char name[8];
    (void)snprintf(name, sizeof name, "e%zu", k + 1);
    assert_string_equal(dm_scorer_feature_name(s, k), name);
  }
  dm_buf_clear(&text);
  dm_scorer_free(s);
}

static void a_model_without_a_target_scores_by_its_error(void **state) {
  const fixture *f = *state;
  dm_scorer *s = features_of(f->ctx, f->frame, 3, DM_IMPUTE_NONE, UNITS);
  dm_scratch scratch;
  const double *raw = raw_rows(f->frame, 3);
  size_t unusual = 0, missing = 0;
  assert_int_equal(dm_scratch_init(&scratch, s, NULL), DM_OK);
  for (size_t i = 0; i < ROWS; i++) {
    double value, score, parts[3], encoded[8], error = 0;
    size_t n = 0;
    assert_int_equal(dm_scorer_parts_row(s, raw + 3 * i, &scratch, &value, &score, parts, NULL), DM_OK);
    dm_encoder_row(s->encoder, raw + 3 * i, encoded);
    for (size_t o = 0; o < s->model->d; o++) {
      double part = encoded[o] - 0.125 * (double)o;
      if (isnan(part)) continue;
      error += part * part;
      n++;
    }
    assert_near(score, error / (double)n, 1e-12 * (1 + error));
    assert_true(value == (score > 1 ? 1 : 0));
    assert_true(isnan(parts[0]) == isnan(raw[3 * i]));
    double sum = 0;
    for (size_t j = 0; j < 3; j++) sum += isnan(parts[j]) ? 0 : parts[j];
    assert_near(sum, error, 1e-12 * (1 + error)); /* the three columns of c are one part */
    unusual += value > 0;
    missing += isnan(parts[0]) ? 1 : 0;
  }
  assert_true(unusual > 100 && unusual < ROWS - 100 && missing > 0);
  assert_int_equal(dm_scorer_value(s, 1).type, DM_INTEGER);
  assert_int_equal(dm_scorer_value(s, 1).integer, 1);
  dm_scratch_clear(&scratch, s);
  dm_scorer_free(s);
}

static void stages_go_up_to_four(void **state) {
  const fixture *f = *state;
  dm_scorer *whole = features_of(f->ctx, f->frame, 3, DM_IMPUTE_MEAN, UNITS);
  for (size_t n = 2; n <= DM_STAGES_MAX; n++) {
    encode_frame(f, whole, &codes);
    dm_scorer *next = features_of(f->ctx, &codes.frame, UNITS, DM_IMPUTE_MEAN, UNITS);
    static float alone[ROWS * UNITS], through[ROWS * UNITS];
    assert_int_equal(dm_scorer_code_frame(next, &codes.frame, NULL, ROWS, alone, NULL), DM_OK);
    assert_int_equal(dm_scorer_compose(whole, next, &whole, NULL), DM_OK);
    assert_int_equal(whole->n_before, n - 1);
    assert_int_equal(dm_scorer_code_frame(whole, f->frame, NULL, ROWS, through, NULL), DM_OK);
    assert_memory_equal(alone, through, sizeof alone);
  }
  dm_error err = {0};
  dm_scorer *one_more = features_of(f->ctx, &codes.frame, UNITS, DM_IMPUTE_MEAN, UNITS), *none = NULL;
  assert_int_equal(dm_scorer_compose(whole, one_more, &none, &err), DM_EUSAGE);
  assert_string_equal(err.message, "a model of 5 stages, want 1 to 4");
  assert_null(none);
  dm_scorer_free(one_more);
  dm_scorer_free(whole);
}

static void what_does_not_fit_is_refused(void **state) {
  const fixture *f = *state;
  dm_scorer *s = composite(f), *three = features_of(f->ctx, f->frame, 3, DM_IMPUTE_MEAN, 2), *out = NULL;
  dm_scratch scratch;
  dm_error err = {0};
  float code[UNITS];
  double value, score, parts[UNITS];
  assert_int_equal(dm_scratch_init(&scratch, s, NULL), DM_OK);
  assert_int_equal(dm_scorer_code_row(s, raw_rows(f->frame, 3), &scratch, code, &err), DM_EUSAGE);
  assert_string_equal(err.message, "a model by 'tree' has no learned features");
  assert_int_equal(dm_scorer_parts_row(s, raw_rows(f->frame, 3), &scratch, &value, &score, parts, &err), DM_EUSAGE);
  assert_string_equal(err.message, "a model that predicts 'y' has no reconstruction error");
  dm_scratch_clear(&scratch, s);
  assert_int_equal(dm_scorer_compose(s, three, &out, &err), DM_EUSAGE);
  assert_string_equal(err.message, "stage 1, a model by 'tree', has no learned features");
  encode_frame(f, &(dm_scorer){.ctx = s->ctx, .d = 3, .inputs = s->inputs, .features = s->inputs, .encoder = s->before[0].encoder, .model = s->before[0].model},
               &codes);
  dm_scorer *five = features_of(f->ctx, &codes.frame, UNITS, DM_IMPUTE_MEAN, 2);
  assert_int_equal(dm_scorer_compose(three, five, &out, &err), DM_EUSAGE);
  assert_string_equal(err.message, "stage 1 takes 5 columns, 2 are given");
  assert_null(out);
  dm_scorer_free(five);
  dm_scorer_free(three);
  dm_scorer_free(s);
}

static void inputs_without_a_target_come_back(void **state) {
  const fixture *f = *state;
  dm_scorer *s = features_of(f->ctx, f->frame, 3, DM_IMPUTE_MEAN, 2), *again = NULL;
  dm_buf text;
  dm_json_out json;
  dm_arena *memory = NULL;
  const dm_json *doc;
  dm_buf_init(&text, f->ctx, NULL);
  dm_json_out_init(&json, &text, false);
  dm_scorer_save_inputs(s, &json);
  assert_non_null(strstr(text.p, "\"target\":null"));
  assert_int_equal(dm_arena_new(f->ctx, 0, &memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(memory, text.p, text.n, &doc, NULL), DM_OK);
  assert_int_equal(dm_scorer_load_inputs(f->ctx, doc, &again, NULL), DM_OK);
  assert_null(again->target.name);
  assert_int_equal(again->target.levels.n, 0);
  dm_arena_free(memory);
  dm_buf_clear(&text);
  dm_scorer_free(again);
  dm_scorer_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_composite_is_its_parts_in_batches_of_any_size, setup, teardown),
      cmocka_unit_test_setup_teardown(texts_of_a_composite_name_codes, setup, teardown),
      cmocka_unit_test_setup_teardown(a_model_without_a_target_scores_by_its_error, setup, teardown),
      cmocka_unit_test_setup_teardown(stages_go_up_to_four, setup, teardown),
      cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(inputs_without_a_target_come_back, setup, teardown),
  };
  return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
