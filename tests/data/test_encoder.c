/* data: encoders against scikit-learn's numbers (golden/make_encoder.py), saved and loaded, forged. */
#include "cmocka_all.h"
#include "data/encoder.h"
#include "golden/encoder.h"

#include <stdlib.h>

enum { CATEGORY = GOLDEN_NUMBERS };

typedef struct table {
  dm_ctx *ctx;
  dm_frame *frame;
  size_t train[GOLDEN_TRAIN];
} table;

static int setup(void **state) {
  static table t;
  static const char *const names[] = {"x0", "x1", "x2", "x3", "x4", "letter"};
  dm_frame_builder *b = NULL;
  assert_int_equal(dm_ctx_new(NULL, &t.ctx, NULL), DM_OK);
  assert_int_equal(dm_frame_builder_new(t.ctx, GOLDEN_NUMBERS + 1, names, false, GOLDEN_ROWS, &b, NULL), DM_OK);
  for (size_t i = 0; i < GOLDEN_ROWS; i++) {
    for (size_t c = 0; c < GOLDEN_NUMBERS; c++)
      if (!isnan(golden_numbers[i][c])) assert_int_equal(dm_frame_builder_real(b, c, golden_numbers[i][c], NULL), DM_OK);
    if (golden_text[i]) assert_int_equal(dm_frame_builder_text(b, CATEGORY, golden_text[i], 1, NULL), DM_OK);
    assert_int_equal(dm_frame_builder_end_row(b, 0, NULL), DM_OK);
  }
  assert_int_equal(dm_frame_builder_finish(b, &t.frame, NULL), DM_OK);
  for (size_t i = 0; i < GOLDEN_TRAIN; i++) t.train[i] = i;
  *state = &t;
  return 0;
}

static int teardown(void **state) {
  table *t = *state;
  dm_frame_free(t->frame);
  assert_int_equal(dm_ctx_memory(t->ctx), 0);
  dm_ctx_free(t->ctx);
  return 0;
}

static dm_encoder *fit(const table *t, size_t first, size_t d, dm_encode_options options) {
  size_t columns[GOLDEN_NUMBERS + 1];
  dm_encoder *e = NULL;
  dm_error err = {0};
  for (size_t c = 0; c < d; c++) columns[c] = first + c;
  assert_int_equal(dm_encoder_fit(t->ctx, t->frame, columns, d, t->train, GOLDEN_TRAIN, &options, &e, &err), DM_OK);
  assert_int_equal(dm_encoder_n_inputs(e), d);
  return e;
}

static void encode(const table *t, const dm_encoder *e, size_t first, size_t row, double *out) {
  double raw[GOLDEN_NUMBERS + 1];
  for (size_t c = 0; c < dm_encoder_n_inputs(e); c++) raw[c] = t->frame->columns[first + c].values[row];
  dm_encoder_row(e, raw, out);
}

static bool near(double a, double b, double tolerance) {
  return isnan(b) ? isnan(a) : fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* Fits columns first … first+d-1 and compares all rows with want[rows][m]. Column 1 is where scikit-learn's arithmetic loses digits. */
static void compare(const table *t, size_t first, size_t d, dm_encode_options options, const double *want, size_t m) {
  double out[16];
  dm_encoder *e = fit(t, first, d, options);
  assert_int_equal(dm_encoder_n_outputs(e), m);
  for (size_t i = 0; i < GOLDEN_ROWS; i++) {
    encode(t, e, first, i, out);
    for (size_t k = 0; k < m; k++) {
      double tolerance = first == 0 && k == 1 && options.scale != DM_SCALE_NONE ? 1e-3 : 1e-12;
      assert_true(near(out[k], want[i * m + k], tolerance));
    }
  }
  dm_encoder_free(e);
}

static void numbers_are_scikit_learns(void **state) {
  const struct {
    dm_impute impute;
    dm_scale scale;
    double constant;
    const double *want;
  } cases[] = {
      {DM_IMPUTE_MEAN, DM_SCALE_STANDARD, 0, golden_mean_standard[0]},
      {DM_IMPUTE_MEDIAN, DM_SCALE_MINMAX, 0, golden_median_minmax[0]},
      {DM_IMPUTE_MODE, DM_SCALE_NONE, 0, golden_mode[0]},
      {DM_IMPUTE_CONSTANT, DM_SCALE_STANDARD, -1.5, golden_constant_standard[0]},
      {DM_IMPUTE_NONE, DM_SCALE_STANDARD, 0, golden_standard[0]},
      {DM_IMPUTE_MEDIAN, DM_SCALE_ROBUST, 0, golden_median_robust[0]},
  };
  for (size_t i = 0; i < 6; i++) {
    dm_encode_options o = {.impute_numeric = cases[i].impute, .scale = cases[i].scale, .constant = cases[i].constant};
    compare(*state, 0, GOLDEN_NUMBERS, o, cases[i].want, GOLDEN_NUMBERS);
  }
  dm_encode_options bins = {.impute_numeric = DM_IMPUTE_MEDIAN, .quantile_bins = 5};
  compare(*state, 0, 4, bins, golden_median_bins[0], 4);
}

/* At the knots, where both interpolate nothing; scikit-learn puts the ends' scores at 5.2 whatever the number of rows. */
static void quantile_scores_are_scikit_learns(void **state) {
  const table *t = *state;
  dm_encoder *e = fit(t, 0, GOLDEN_NUMBERS, (dm_encode_options){.impute_numeric = DM_IMPUTE_MEDIAN, .scale = DM_SCALE_QUANTILE});
  double out[GOLDEN_NUMBERS], most = 2.2871; /* the normal score of 1 - 1/90 */
  size_t compared = 0;
  for (size_t i = 0; i < GOLDEN_ROWS; i++) {
    encode(t, e, 0, i, out);
    for (size_t c = 0; c < GOLDEN_NUMBERS; c++) {
      assert_true(fabs(out[c]) < most);
      if (i >= GOLDEN_TRAIN || fabs(golden_median_quantile[i][c]) > 5) continue;
      assert_true(near(out[c], golden_median_quantile[i][c], 1e-9));
      compared++;
    }
    assert_true(out[2] == 0); /* constant */
  }
  assert_true(compared > 120);
  dm_encoder_free(e);
}

static void categories_are_scikit_learns(void **state) {
  dm_encode_options o = {.impute_category = DM_IMPUTE_MODE};
  compare(*state, CATEGORY, 1, o, golden_one_hot[0], 4);
  o.impute_category = DM_IMPUTE_CONSTANT;
  compare(*state, CATEGORY, 1, o, golden_one_hot_missing[0], 5);
  o = (dm_encode_options){.impute_category = DM_IMPUTE_MODE, .categories = DM_CODE_ORDINAL};
  compare(*state, CATEGORY, 1, o, golden_ordinal[0], 1);
}

static void mean_and_deviation_are_right_to_the_last_digit_but_one(void **state) {
  dm_encoder *e = fit(*state, 0, GOLDEN_NUMBERS, (dm_encode_options){.scale = DM_SCALE_STANDARD});
  for (size_t c = 0; c < GOLDEN_NUMBERS; c++) {
    double center = golden_exact_moments[c][0], scale = golden_exact_moments[c][1];
    assert_true(fabs(e->steps[c].center - center) <= 2.3e-16 * fabs(center));
    assert_true(scale == 0 ? e->steps[c].scale == 1 : fabs(e->steps[c].scale - scale) <= 4.5e-16 * scale);
  }
  dm_encoder_free(e);
}

static void what_was_not_in_training_is_nothing(void **state) {
  const table *t = *state;
  double out[5];
  dm_encoder *e = fit(t, CATEGORY, 1, (dm_encode_options){0});
  const double raw[] = {-1, 4 /* 'e' */, 1e300, -7, 2.0, (double)NAN};
  const double want[] = {0, 0, 0, 0, 1, 0};
  assert_int_equal(dm_encoder_n_outputs(e), 4);
  for (size_t i = 0; i < 6; i++) {
    dm_encoder_row(e, &raw[i], out);
    assert_true(out[0] + out[1] + out[2] + out[3] == want[i]);
  }
  assert_string_equal(dm_encoder_output_name(e, 2), "letter=c");
  assert_int_equal(dm_encoder_source(e, 2), 0);
  dm_encoder_free(e);
  e = fit(t, CATEGORY, 1, (dm_encode_options){.categories = DM_CODE_ORDINAL});
  for (size_t i = 0; i < 6; i++) {
    dm_encoder_row(e, &raw[i], out);
    assert_true(i == 5 ? isnan(out[0]) : out[0] == (i == 4 ? 2 : -1));
  }
  assert_string_equal(dm_encoder_output_name(e, 0), "letter");
  dm_encoder_free(e);
}

static void rows_outside_training_change_nothing(void **state) {
  const table *t = *state;
  size_t columns[] = {0, 3, CATEGORY}, backwards[GOLDEN_TRAIN];
  double before[8], after[8], raw[] = {21.0, (double)NAN, 1}, kept[GOLDEN_ROWS];
  dm_encoder *e = NULL;
  dm_encode_options o = {.impute_numeric = DM_IMPUTE_MEDIAN, .scale = DM_SCALE_MINMAX};
  memcpy(kept, t->frame->columns[0].values, sizeof kept);
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < GOLDEN_TRAIN; i++) backwards[i] = round ? GOLDEN_TRAIN - 1 - i : i;
    for (size_t i = GOLDEN_TRAIN; round && i < GOLDEN_ROWS; i++) t->frame->columns[0].values[i] = 1e6;
    assert_int_equal(dm_encoder_fit(t->ctx, t->frame, columns, 3, backwards, GOLDEN_TRAIN, &o, &e, NULL), DM_OK);
    assert_int_equal(dm_encoder_n_outputs(e), 6);
    dm_encoder_row(e, raw, round ? after : before);
    dm_encoder_free(e);
  }
  assert_memory_equal(before, after, 6 * sizeof *before);
  memcpy(t->frame->columns[0].values, kept, sizeof kept);
}

static void passthrough_copies_bits(void **state) {
  const table *t = *state;
  dm_encoder *e = NULL;
  const double raw[] = {1.5, (double)NAN, -1};
  double out[3];
  assert_int_equal(dm_encoder_passthrough(t->ctx, 3, &e, NULL), DM_OK);
  assert_int_equal(dm_encoder_n_inputs(e), 3);
  assert_int_equal(dm_encoder_n_outputs(e), 3);
  dm_encoder_row(e, raw, out);
  assert_memory_equal(raw, out, sizeof raw);
  assert_int_equal(dm_encoder_source(e, 2), 2);
  assert_null(dm_encoder_output_name(e, 2));
  dm_encoder_free(e);
}

/* Save, parse, load: every row gets the same bits, and the second save is the first. */
static void loaded_encoders_give_the_same_bits(void **state) {
  const table *t = *state;
  const dm_encode_options cases[] = {
      {.impute_numeric = DM_IMPUTE_MEAN, .impute_category = DM_IMPUTE_MODE, .scale = DM_SCALE_STANDARD},
      {.impute_category = DM_IMPUTE_CONSTANT, .scale = DM_SCALE_MINMAX},
      {.impute_numeric = DM_IMPUTE_MEDIAN, .categories = DM_CODE_ORDINAL, .quantile_bins = 7},
      {0},
      {.impute_numeric = DM_IMPUTE_MEDIAN, .scale = DM_SCALE_ROBUST, .indicators = true, .categories = DM_CODE_ORDINAL, .other = true},
      {.scale = DM_SCALE_QUANTILE, .indicators = true, .impute_category = DM_IMPUTE_CONSTANT, .categories = DM_CODE_ORDINAL, .other = true,
       .max_levels = 2},
  };
  for (size_t i = 0; i < 6; i++) {
    dm_encoder *e = fit(t, 0, GOLDEN_NUMBERS + 1, cases[i]), *loaded = NULL;
    dm_arena *memory = NULL;
    const dm_json *json = NULL;
    dm_buf text[2];
    dm_json_out writer;
    double a[16], b[16];
    assert_int_equal(dm_arena_new(t->ctx, 0, &memory, NULL), DM_OK);
    dm_buf_init(&text[0], t->ctx, NULL);
    dm_buf_init(&text[1], t->ctx, NULL);
    dm_json_out_init(&writer, &text[0], false);
    dm_encoder_save(e, &writer);
    assert_int_equal(dm_json_parse(memory, text[0].p, text[0].n, &json, NULL), DM_OK);
    assert_int_equal(dm_encoder_load(t->ctx, json, GOLDEN_NUMBERS + 1, &loaded, NULL), DM_OK);
    assert_int_equal(dm_encoder_n_outputs(loaded), dm_encoder_n_outputs(e));
    for (size_t row = 0; row < GOLDEN_ROWS; row++) {
      encode(t, e, 0, row, a);
      encode(t, loaded, 0, row, b);
      assert_memory_equal(a, b, dm_encoder_n_outputs(e) * sizeof *a);
    }
    dm_json_out_init(&writer, &text[1], false);
    dm_encoder_save(loaded, &writer);
    assert_string_equal(text[0].p, text[1].p);
    dm_buf_clear(&text[0]);
    dm_buf_clear(&text[1]);
    dm_arena_free(memory);
    dm_encoder_free(e);
    dm_encoder_free(loaded);
  }
}

static void codes_are_never_beside_their_levels(void **state) {
  const table *t = *state;
  const double raw[] = {-1, 4 /* 'e' */, 1e300, (double)NAN, 0, 1, 2, 3};
  const struct {
    dm_encode_options o;
    size_t levels;
    double want[8]; /* letters by how often they are: a b c d */
  } cases[] = {
      {{.other = true}, 5, {4, 4, 4, 4, 0, 1, 2, 3}},
      {{.other = true, .impute_category = DM_IMPUTE_CONSTANT}, 6, {5, 5, 5, 4, 0, 1, 2, 3}},
      {{.other = true, .impute_category = DM_IMPUTE_MODE, .max_levels = 2}, 3, {2, 2, 2, 0, 0, 1, 2, 2}},
      {{.other = true, .impute_category = DM_IMPUTE_CONSTANT, .max_levels = 1}, 3, {2, 2, 2, 1, 0, 2, 2, 2}},
      {{.max_levels = 2, .impute_category = DM_IMPUTE_CONSTANT}, 0, {-1, -1, -1, 2, 0, 1, -1, -1}},
  };
  for (size_t i = 0; i < 5; i++) {
    dm_encode_options o = cases[i].o;
    o.categories = DM_CODE_ORDINAL;
    dm_encoder *e = fit(t, CATEGORY, 1, o);
    assert_int_equal(dm_encoder_output_levels(e, 0), cases[i].levels);
    for (size_t k = 0; k < 8; k++) {
      double out;
      dm_encoder_row(e, &raw[k], &out);
      assert_true(out == cases[i].want[k]);
    }
    dm_encoder_free(e);
  }
  dm_encoder *e = fit(t, 0, 2, (dm_encode_options){.indicators = true, .impute_numeric = DM_IMPUTE_MEAN});
  assert_int_equal(dm_encoder_n_outputs(e), 3); /* column 1 has no missing cell */
  assert_string_equal(dm_encoder_output_name(e, 1), "x0 missing");
  assert_int_equal(dm_encoder_source(e, 1), 0);
  assert_int_equal(dm_encoder_output_levels(e, 1), 0);
  for (size_t i = 0; i < GOLDEN_ROWS; i++) {
    double out[3];
    encode(t, e, 0, i, out);
    assert_true(out[1] == (isnan(golden_numbers[i][0]) ? 1 : 0) && !isnan(out[0]));
  }
  dm_encoder_free(e);
}

static dm_status load_text(dm_ctx *ctx, const char *text, size_t d, dm_encoder **out, dm_error *err) {
  dm_arena *memory = NULL;
  const dm_json *json = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, &memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(memory, text, strlen(text), &json, NULL), DM_OK);
  dm_status s = dm_encoder_load(ctx, json, d, out, err);
  dm_arena_free(memory);
  return s;
}

static void forged_encoders_are_refused(void **state) {
  const table *t = *state;
  static const char *const forged[] = {
      "[]",
      "7",
      "{}",
      "{\"inputs\":[],\"outputs\":[]}",
      "{\"inputs\":{},\"outputs\":[]}",
      "{\"inputs\":[1],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"magic\"}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\"}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":0}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":-1}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":null,\"scale\":1}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":\"1\"}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"fill\":null,\"center\":0,\"scale\":1}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":1}]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":1}],\"outputs\":[]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":1}],\"outputs\":[\"a\",\"b\"]}",
      "{\"inputs\":[{\"kind\":\"number\",\"center\":0,\"scale\":1}],\"outputs\":[1]}",
      "{\"inputs\":[{\"kind\":\"bins\"}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"bins\",\"edges\":[1,1]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"bins\",\"edges\":[2,1]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"bins\",\"edges\":[null]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"bins\",\"edges\":[\"1\"]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":{\"a\":1}}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[0,1]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[1,0]}],\"outputs\":[\"a\",\"b\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[-1]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[0.5]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[4294967295]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[9223372036854775807]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"missing\":true,\"seen\":[0]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"one-hot\",\"other\":true,\"seen\":[0]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"ordinal\",\"indicator\":true,\"seen\":[0]}],\"outputs\":[\"a\",\"b\"]}",
      "{\"inputs\":[{\"kind\":\"robust\",\"missing\":true,\"center\":0,\"scale\":1}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"robust\",\"indicator\":true,\"center\":0,\"scale\":1}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"robust\",\"center\":0,\"scale\":0}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[1,2]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[1,2],\"scores\":[1]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[1,2],\"scores\":[1,0]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[1,2],\"scores\":[-1e308,1e308]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[1,2],\"scores\":[0,null]}],\"outputs\":[\"a\"]}",
      "{\"inputs\":[{\"kind\":\"quantile\",\"edges\":[-1.7e308,1.7e308],\"scores\":[-1,1]}],\"outputs\":[\"a\"]}",
  };
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    dm_encoder *e = NULL;
    dm_error err = {0};
    assert_int_equal(load_text(t->ctx, forged[i], 1, &e, &err), DM_EINPUT);
    assert_null(e);
    assert_non_null(strstr(err.message, "encoder: "));
  }
  dm_encoder *e = NULL; /* the same shape, honest */
  assert_int_equal(load_text(t->ctx, "{\"inputs\":[{\"kind\":\"one-hot\",\"seen\":[0,9]}],\"outputs\":[\"a\",\"b\"]}", 1, &e, NULL), DM_OK);
  double out[2], raw = 9;
  dm_encoder_row(e, &raw, out);
  assert_true(out[0] == 0 && out[1] == 1);
  dm_encoder_free(e);
}

static dm_status fit_cells(dm_ctx *ctx, const double *cells, size_t n, dm_encode_options o, dm_encoder **out, dm_error *err) {
  static const char *const names[] = {"x"};
  dm_frame_builder *b = NULL;
  dm_frame *f = NULL;
  const size_t column = 0;
  dm_status s = dm_frame_builder_new(ctx, 1, names, false, n, &b, err);
  if (s != DM_OK) return s;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(cells[i])) assert_int_equal(dm_frame_builder_real(b, 0, cells[i], NULL), DM_OK);
    assert_int_equal(dm_frame_builder_end_row(b, 0, NULL), DM_OK);
  }
  if ((s = dm_frame_builder_finish(b, &f, err)) != DM_OK) return s;
  s = dm_encoder_fit(ctx, f, &column, 1, NULL, n, &o, out, err);
  dm_frame_free(f);
  return s;
}

static void columns_at_the_edge_are_told_or_harmless(void **state) {
  const table *t = *state;
  dm_encoder *e = NULL;
  dm_error err = {0};
  double out, raw = (double)NAN;
  const double nothing[] = {(double)NAN, (double)NAN}, one[] = {5}, far[] = {-1.7e308, 1.7e308, 1.6e308, 1.6e308};
  assert_int_equal(fit_cells(t->ctx, nothing, 2, (dm_encode_options){.impute_numeric = DM_IMPUTE_MEAN, .scale = DM_SCALE_STANDARD}, &e, &err), DM_OK);
  dm_encoder_row(e, &raw, &out);
  assert_true(out == 0);
  dm_encoder_free(e);
  for (int bins = 0; bins <= 4; bins += 2) {
    assert_int_equal(fit_cells(t->ctx, one, 1, (dm_encode_options){.scale = DM_SCALE_STANDARD, .quantile_bins = (size_t)bins}, &e, &err), DM_OK);
    dm_encoder_row(e, one, &out);
    assert_true(out == 0);
    dm_encoder_row(e, &raw, &out);
    assert_true(isnan(out));
    dm_encoder_free(e);
    assert_int_equal(fit_cells(t->ctx, NULL, 0, (dm_encode_options){.quantile_bins = (size_t)bins}, &e, &err), DM_OK);
    dm_encoder_free(e);
  }
  e = NULL;
  assert_int_equal(fit_cells(t->ctx, far, 2, (dm_encode_options){.scale = DM_SCALE_STANDARD}, &e, &err), DM_EINPUT);
  assert_int_equal(fit_cells(t->ctx, far, 2, (dm_encode_options){.scale = DM_SCALE_MINMAX}, &e, &err), DM_EINPUT);
  assert_int_equal(fit_cells(t->ctx, far, 2, (dm_encode_options){.scale = DM_SCALE_QUANTILE}, &e, &err), DM_EINPUT);
  assert_int_equal(fit_cells(t->ctx, far + 1, 3, (dm_encode_options){.impute_numeric = DM_IMPUTE_MEAN}, &e, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "column 'x'"));
  const dm_encode_options wrong[] = {
      {.categories = DM_CODE_QUANTILE},
      {.impute_category = DM_IMPUTE_MEAN},
      {.impute_category = DM_IMPUTE_MEDIAN},
      {.quantile_bins = 1},
      {.other = true},
      {.impute_numeric = DM_IMPUTE_CONSTANT, .constant = (double)INFINITY},
  };
  for (size_t i = 0; i < 6; i++) assert_int_equal(fit_cells(t->ctx, one, 1, wrong[i], &e, &err), DM_EUSAGE);
  assert_null(e);
}

static void bounded_scales_take_any_number(void **state) {
  const table *t = *state;
  const double spike[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 8}, huge[] = {-1e308, -1, 0, 1, 1e308}, raw[] = {-1.7e308, -3, 0, 4, 1.7e308};
  const double want[] = {-3, -0.75 / sqrt(1 + 0.25 * 0.25), 0, 1 / sqrt(1 + 1. / 9), 3};
  dm_encoder *e = NULL;
  double out, before = -(double)INFINITY;
  assert_int_equal(fit_cells(t->ctx, spike, 10, (dm_encode_options){.scale = DM_SCALE_ROBUST}, &e, NULL), DM_OK);
  for (size_t i = 0; i < 5; i++) { /* quartiles fall together: half the range is the unit */
    dm_encoder_row(e, &raw[i], &out);
    assert_true(fabs(out - want[i]) < 1e-12);
  }
  dm_encoder_free(e);
  assert_int_equal(fit_cells(t->ctx, huge, 5, (dm_encode_options){.scale = DM_SCALE_ROBUST}, &e, NULL), DM_OK);
  for (size_t i = 0; i < 5; i++) {
    dm_encoder_row(e, &raw[i], &out);
    assert_true(out >= -3 && out <= 3 && out >= before);
    before = out;
  }
  dm_encoder_free(e);
  assert_int_equal(fit_cells(t->ctx, spike, 10, (dm_encode_options){.scale = DM_SCALE_QUANTILE}, &e, NULL), DM_OK);
  dm_encoder_row(e, &raw[0], &out); /* nine of ten share the lowest value: half of them is below it */
  assert_true(fabs(out + 0.13971029888186212) < 1e-12);
  dm_encoder_row(e, &raw[3], &out);
  assert_true(fabs(out - (1.6448536269514722 - 0.13971029888186212) / 2) < 1e-12);
  dm_encoder_row(e, &raw[4], &out);
  assert_true(fabs(out - 1.6448536269514722) < 1e-12);
  dm_encoder_free(e);
}

/* 5000 rows have 1000 knots: each row's score is near that of its rank. */
static void many_rows_have_knots_enough(void **state) {
  const table *t = *state;
  enum { N = 5000 };
  double *cells = dm_alloc(t->ctx, N, sizeof *cells, "test", NULL), before = -(double)INFINITY, out, middle = 0;
  dm_encoder *e = NULL;
  for (size_t i = 0; i < N; i++) cells[i] = (double)((i * 2741) % N);
  assert_int_equal(fit_cells(t->ctx, cells, N, (dm_encode_options){.scale = DM_SCALE_QUANTILE}, &e, NULL), DM_OK);
  assert_int_equal(e->steps[0].n, DM_ENCODER_KNOTS);
  for (size_t i = 0; i < N; i++) {
    double v = (double)i;
    dm_encoder_row(e, &v, &out);
    assert_true(out >= before && fabs(out) < 3.8);
    before = out;
    middle += i >= N / 2 - 1 && i <= N / 2 ? out : 0;
  }
  assert_true(fabs(middle) < 1e-12);
  const double quarter = 0.25 * (N - 1);
  dm_encoder_row(e, &quarter, &out);
  assert_true(fabs(out + 0.674489750196) < 1e-5);
  dm_encoder_free(e);
  dm_free(t->ctx, cells);
}

static void a_small_budget_is_an_error_not_a_leak(void **state) {
  (void)state;
  const double cells[] = {1, 2, (double)NAN, 4, 5, 6, 7};
  size_t failures = 0;
  bool done = false;
  for (size_t budget = 1000; !done && budget < 600000; budget += 1999) {
    dm_ctx *ctx = NULL;
    dm_ctx_options o = {.budget = budget};
    dm_encoder *e = NULL;
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    dm_status s = fit_cells(ctx, cells, 7, (dm_encode_options){.impute_numeric = DM_IMPUTE_MEDIAN, .quantile_bins = 3}, &e, NULL);
    assert_true(s == DM_OK || s == DM_EBUDGET);
    failures += s != DM_OK;
    done = s == DM_OK;
    if (done) dm_encoder_free(e);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_true(done && failures > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_scikit_learns),
      cmocka_unit_test(quantile_scores_are_scikit_learns),
      cmocka_unit_test(categories_are_scikit_learns),
      cmocka_unit_test(codes_are_never_beside_their_levels),
      cmocka_unit_test(bounded_scales_take_any_number),
      cmocka_unit_test(many_rows_have_knots_enough),
      cmocka_unit_test(mean_and_deviation_are_right_to_the_last_digit_but_one),
      cmocka_unit_test(what_was_not_in_training_is_nothing),
      cmocka_unit_test(rows_outside_training_change_nothing),
      cmocka_unit_test(passthrough_copies_bits),
      cmocka_unit_test(loaded_encoders_give_the_same_bits),
      cmocka_unit_test(forged_encoders_are_refused),
      cmocka_unit_test(columns_at_the_edge_are_told_or_harmless),
      cmocka_unit_test(a_small_budget_is_an_error_not_a_leak),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
