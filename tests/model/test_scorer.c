/* model: scorer. Binding of cells, rows against frames, inputs stored and forged. */
#include "cmocka_all.h"

#include <dm/tree.h>

enum { ROWS = 3000 };

static const dm_learner *const learners[] = {&dm_learner_tree, NULL};

typedef struct fixture {
  dm_ctx *ctx;
  dm_frame *frame;
  dm_scorer *scorer;
} fixture;

static dm_value integer(int64_t v) { return (dm_value){.type = DM_INTEGER, .integer = v}; }
static dm_value real(double v) { return (dm_value){.type = DM_REAL, .real = v}; }
static dm_value text(const char *s) { return (dm_value){.type = DM_TEXT, .text = dm_str_of(s)}; }

/* Columns age (INTEGER), grade (category of numbers), city (TEXT), y (TEXT); some cells missing. */
static dm_frame *new_frame(dm_ctx *ctx, bool reversed, const char *const *cities, size_t n_cities, size_t n) {
  static const char *const names[] = {"age", "grade", "city", "y"}, *const backwards[] = {"y", "CITY", "grade", "age"};
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 4, reversed ? backwards : names, false, n, &b, NULL), DM_OK);
  for (size_t i = 0; i < n; i++) {
    dm_value v[4] = {integer((int64_t)(i * 7 % 90)), integer((int64_t)(i % 5)), text(cities[i / 3 % n_cities]), text(i * 7 % 90 > 40 ? "old" : "young")};
    if (i % 11 == 0) v[0] = (dm_value){DM_NULL};
    if (i % 13 == 0) v[2] = (dm_value){DM_NULL};
    if (reversed) {
      dm_value swap = v[0];
      v[0] = v[3], v[3] = swap, swap = v[1], v[1] = v[2], v[2] = swap;
    }
    assert_int_equal(dm_frame_builder_add(b, v, 0, NULL), DM_OK);
  }
  assert_int_equal(dm_frame_builder_finish(b, &frame, NULL), DM_OK);
  return frame;
}

static dm_model *train(dm_ctx *ctx, const dm_frame *frame) {
  const double *raw[3] = {frame->columns[0].values, frame->columns[1].values, frame->columns[2].values};
  size_t levels[3] = {0, frame->columns[1].levels.n, frame->columns[2].levels.n};
  dm_block block = {.kind = DM_BLOCK_RAW, .d = 3, .raw = raw, .levels = levels};
  dm_dataset data = {.n = frame->n, .n_blocks = 1, .blocks = &block, .target = frame->columns[3].values, .n_classes = 2};
  dm_params *params = NULL;
  dm_model *model = NULL;
  assert_int_equal(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  assert_int_equal(dm_params_set(params, "max_depth", "6", NULL), DM_OK);
  assert_int_equal(dm_learner_tree.train(ctx, &(dm_training){.train = &data}, params, &model, NULL), DM_OK);
  dm_params_free(params);
  return model;
}

static const char *const cities[] = {"Rome", "Oslo", "Paris"};

static int setup(void **state) {
  static fixture f;
  f = (fixture){0};
  *state = &f;
  if (dm_ctx_new(&(dm_ctx_options){.learners = learners, .threads = 2}, &f.ctx, NULL) != DM_OK) return -1;
  f.frame = new_frame(f.ctx, false, cities, 3, ROWS);
  if (dm_frame_make_category(f.frame, 1, NULL) != DM_OK) return -1;
  dm_encoder *encoder = NULL;
  const size_t columns[] = {0, 1, 2};
  if (dm_encoder_passthrough(f.ctx, 3, &encoder, NULL) != DM_OK) return -1;
  return dm_scorer_new(f.ctx, f.frame, columns, 3, 3, encoder, train(f.ctx, f.frame), &f.scorer, NULL) == DM_OK ? 0 : -1;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_scorer_free(f->scorer);
  dm_frame_free(f->frame);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  return held == 0 ? 0 : -1;
}

static double bound(const dm_scorer *s, size_t input, dm_value v) {
  double raw = -99;
  assert_int_equal(dm_scorer_bind(s, input, v, &raw, NULL), DM_OK);
  return raw;
}

static void cells_become_doubles_by_value(void **state) {
  const dm_scorer *s = ((fixture *)*state)->scorer;
  assert_near(bound(s, 0, integer(41)), 41, 0);
  assert_near(bound(s, 0, real(41.5)), 41.5, 0);
  assert_true(isnan(bound(s, 0, (dm_value){DM_NULL})));
  assert_near(bound(s, 1, integer(3)), 3, 0);
  assert_near(bound(s, 1, real(3.0)), 3, 0);
  assert_near(bound(s, 1, integer(77)), -1, 0);
  assert_near(bound(s, 2, text("Oslo")), 0, 0); /* levels are sorted: Oslo, Paris, Rome */
  assert_near(bound(s, 2, text("Rome")), 2, 0);
  assert_near(bound(s, 2, text("Atlantis")), -1, 0);
  assert_true(isnan(bound(s, 2, (dm_value){DM_NULL})));
}

static void refuses(const dm_scorer *s, size_t input, dm_value v, const char *part) {
  double raw = -99;
  dm_error err = {0};
  assert_int_equal(dm_scorer_bind(s, input, v, &raw, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, part));
  assert_near(raw, -99, 0);
}

static void cells_that_do_not_fit_are_refused(void **state) {
  const dm_scorer *s = ((fixture *)*state)->scorer;
  refuses(s, 0, text("forty"), "column 'age': the text 'forty', want a number");
  refuses(s, 0, real((double)INFINITY), "infinity");
  refuses(s, 0, real((double)NAN), "NaN");
  refuses(s, 2, (dm_value){.type = DM_BLOB, .text = {"x", 1}}, "column 'city': a BLOB");
}

/* Scores row i of the fixture's frame alone. */
static void score_row(const fixture *f, size_t i, dm_scratch *scratch, double *value, double *score, double proba[2]) {
  double raw[3];
  for (size_t j = 0; j < 3; j++) raw[j] = f->frame->columns[j].values[i];
  assert_int_equal(dm_scorer_row(f->scorer, raw, scratch, value, score, proba, NULL), DM_OK);
}

static void frames_score_as_rows_do(void **state) {
  const fixture *f = *state;
  static double value[ROWS], score[ROWS], proba[2 * ROWS];
  dm_scratch scratch;
  assert_int_equal(dm_scratch_init(&scratch, f->scorer, NULL), DM_OK);
  assert_int_equal(dm_scorer_frame(f->scorer, f->frame, NULL, ROWS, value, score, proba, NULL), DM_OK);
  size_t right = 0;
  for (size_t i = 0; i < ROWS; i++) {
    double v, s, p[2];
    score_row(f, i, &scratch, &v, &s, p);
    assert_memory_equal(&v, &value[i], sizeof v);
    assert_memory_equal(&s, &score[i], sizeof s);
    assert_memory_equal(p, &proba[2 * i], sizeof p);
    assert_near(s, p[(size_t)v], 0);
    right += v == f->frame->columns[3].values[i];
  }
  assert_true(right > ROWS * 9 / 10);
  dm_value name = dm_scorer_value(f->scorer, value[0]);
  assert_int_equal(name.type, DM_TEXT);
  dm_scratch_clear(&scratch, f->scorer);
}

static void columns_are_matched_by_name_and_levels_by_value(void **state) {
  const fixture *f = *state;
  static const char *const others[] = {"Rome", "Oslo", "Zagreb", "Paris", "Bern"};
  dm_frame *frame = new_frame(f->ctx, true, others, 5, ROWS);
  static double value[ROWS];
  assert_int_equal(dm_scorer_frame(f->scorer, frame, NULL, ROWS, value, NULL, NULL, NULL), DM_OK);
  dm_scratch scratch;
  assert_int_equal(dm_scratch_init(&scratch, f->scorer, NULL), DM_OK);
  for (size_t i = 0; i < ROWS; i++) {
    double raw[3] = {frame->columns[3].values[i], bound(f->scorer, 1, integer((int64_t)(i % 5))), (double)NAN}, v, s;
    if (i % 13) raw[2] = bound(f->scorer, 2, text(others[i / 3 % 5]));
    assert_int_equal(dm_scorer_row(f->scorer, raw, &scratch, &v, &s, NULL, NULL), DM_OK);
    assert_near(v, value[i], 0);
  }
  dm_scratch_clear(&scratch, f->scorer);
  dm_frame_free(frame);
}

static void rows_that_are_asked_for_are_scored(void **state) {
  const fixture *f = *state;
  const size_t rows[] = {2999, 5, 5, 1024};
  static double all[ROWS], some[4];
  assert_int_equal(dm_scorer_frame(f->scorer, f->frame, NULL, ROWS, all, NULL, NULL, NULL), DM_OK);
  assert_int_equal(dm_scorer_frame(f->scorer, f->frame, rows, 4, some, NULL, NULL, NULL), DM_OK);
  for (size_t i = 0; i < 4; i++) assert_near(some[i], all[rows[i]], 0);
  assert_int_equal(dm_scorer_frame(f->scorer, f->frame, NULL, 0, some, NULL, NULL, NULL), DM_OK);
}

static void absent_columns_are_named(void **state) {
  const fixture *f = *state;
  static const char *const names[] = {"age", "other"};
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  dm_error err = {0};
  double value[1];
  const dm_value row[] = {integer(1), integer(2)};
  assert_int_equal(dm_frame_builder_new(f->ctx, 2, names, false, 1, &b, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_add(b, row, 0, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_finish(b, &frame, NULL), DM_OK);
  assert_int_equal(dm_scorer_frame(f->scorer, frame, NULL, 1, value, NULL, NULL, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "columns 'grade', 'city' of the model are not in the source"));
  dm_frame_free(frame);
}

static void text_in_a_numeric_column_is_refused(void **state) {
  const fixture *f = *state;
  static const char *const names[] = {"age", "grade", "city"};
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  dm_error err = {0};
  double value[1];
  const dm_value row[] = {text("ten"), integer(2), text("Rome")};
  assert_int_equal(dm_frame_builder_new(f->ctx, 3, names, false, 1, &b, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_add(b, row, 0, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_finish(b, &frame, NULL), DM_OK);
  assert_int_equal(dm_scorer_frame(f->scorer, frame, NULL, 1, value, NULL, NULL, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "column 'age': the text 'ten', want a number"));
  dm_frame_free(frame);
}

/* ---- inputs as JSON ------------------------------------------------------------ */

static dm_status load(dm_ctx *ctx, const char *json, dm_scorer **out, dm_error *err) {
  dm_arena *memory = NULL;
  const dm_json *doc = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, &memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(memory, json, strlen(json), &doc, NULL), DM_OK);
  dm_status s = dm_scorer_load_inputs(ctx, doc, out, err);
  dm_arena_free(memory);
  return s;
}

static void inputs_come_back_as_they_were(void **state) {
  const fixture *f = *state;
  dm_buf first, second;
  dm_json_out json;
  dm_scorer *again = NULL;
  dm_buf_init(&first, f->ctx, NULL);
  dm_buf_init(&second, f->ctx, NULL);
  dm_json_out_init(&json, &first, false);
  dm_scorer_save_inputs(f->scorer, &json);
  assert_int_equal(load(f->ctx, first.p, &again, NULL), DM_OK);
  dm_json_out_init(&json, &second, false);
  dm_scorer_save_inputs(again, &json);
  assert_string_equal(first.p, second.p);
  assert_int_equal(again->d, 3);
  assert_int_equal(again->target.levels.n, 2);
  assert_near(bound(again, 1, integer(4)), 4, 0);
  assert_near(bound(again, 2, text("Paris")), 1, 0);
  dm_scorer_free(again);
  dm_buf_clear(&first);
  dm_buf_clear(&second);
}

static void damaged_inputs_are_refused(void **state) {
  const fixture *f = *state;
  static const char *const documents[] = {
      "{}",
      "{\"inputs\":[],\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[1],\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"numeric\",\"type\":\"REAL\"}]}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"odd\",\"type\":\"REAL\"}],\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"category\",\"type\":\"TEXT\"}],\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"category\",\"type\":\"TEXT\",\"level_type\":\"TEXT\",\"levels\":[\"b\",\"a\"]}],"
      "\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"category\",\"type\":\"TEXT\",\"level_type\":\"TEXT\",\"levels\":[1]}],"
      "\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"category\",\"type\":\"REAL\",\"level_type\":\"REAL\",\"levels\":[\"1\",\"2\"],\"numbers\":[1]}],"
      "\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\",\"kind\":\"category\",\"type\":\"REAL\",\"level_type\":\"INTEGER\",\"levels\":[\"1\"],\"numbers\":[1e300]}],"
      "\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
      "{\"inputs\":[{\"name\":\"a\\u0000b\",\"kind\":\"numeric\",\"type\":\"REAL\"}],\"target\":{\"name\":\"y\",\"type\":\"REAL\"}}",
  };
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
    dm_error err = {0};
    dm_scorer *s = NULL;
    assert_int_equal(load(f->ctx, documents[i], &s, &err), DM_EINPUT);
    assert_non_null(strstr(err.message, "model: its inputs are damaged"));
    assert_null(s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(cells_become_doubles_by_value, setup, teardown),
      cmocka_unit_test_setup_teardown(cells_that_do_not_fit_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(frames_score_as_rows_do, setup, teardown),
      cmocka_unit_test_setup_teardown(columns_are_matched_by_name_and_levels_by_value, setup, teardown),
      cmocka_unit_test_setup_teardown(rows_that_are_asked_for_are_scored, setup, teardown),
      cmocka_unit_test_setup_teardown(absent_columns_are_named, setup, teardown),
      cmocka_unit_test_setup_teardown(text_in_a_numeric_column_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(inputs_come_back_as_they_were, setup, teardown),
      cmocka_unit_test_setup_teardown(damaged_inputs_are_refused, setup, teardown),
  };
  return cmocka_run_group_tests_name("scorer", tests, NULL, NULL);
}
