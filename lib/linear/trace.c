/* What each encoded column of one row adds to its score, for the audit. */
#include "linear/model.h"
#include "matrix/kernels/kernels.h"

static void put_number(dm_json_out *out, const char *key, double v) {
  dm_json_key(out, key);
  dm_json_double(out, v);
}

/* The output whose score decides: of the predicted class, or the only one. */
static dm_status find_output(const linear_model *m, const double *x, size_t *output, dm_error *err) {
  double value;
  dm_batch batch = {.n = 1, .d = m->base.d, .x = x, .value = &value};
  *output = 0;
  dm_status s = linear_predict(&m->base, DM_OUT_VALUE, &batch, err);
  for (size_t c = 0; s == DM_OK && m->outputs > 1 && c < m->outputs; c++)
    if ((double)m->classes[c] == value) *output = c;
  return s;
}

static void put_term(const linear_model *m, const dm_scorer *scorer, size_t output, size_t j, double x, dm_buf *text, dm_json_out *out) {
  double weight = m->coef[output * m->base.d + j];
  if (weight * x == 0) return;
  dm_buf_reset(text);
  linear_print_column(scorer, j, text);
  dm_json_object(out);
  dm_json_key(out, "term");
  dm_json_string_n(out, text->p ? text->p : "", text->n);
  put_number(out, "value", x);
  put_number(out, "weight", weight);
  put_number(out, "contribution", weight * x);
  dm_json_end_object(out);
}

dm_status linear_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err) {
  const linear_model *m = (const linear_model *)model;
  size_t output;
  double score;
  dm_buf text;
  dm_status s = find_output(m, x, &output, err);
  if (s != DM_OK) return s;
  dm_k_affine(x, model->d, m->by_column + output, m->outputs, m->intercept + output, &score, 1);
  dm_buf_init(&text, model->ctx, err);
  dm_json_array(out);
  dm_json_object(out);
  dm_json_key(out, "term");
  dm_json_string(out, "intercept");
  if (m->fitted) {
    linear_print_class(m, scorer, output, &text);
    dm_json_key(out, "class");
    dm_json_string_n(out, text.p ? text.p : "", text.n);
  }
  put_number(out, "contribution", m->intercept[output]);
  dm_json_end_object(out);
  for (size_t j = 0; j < model->d; j++) put_term(m, scorer, output, j, x[j], &text, out);
  dm_json_object(out);
  put_number(out, "score", score);
  dm_json_end_object(out);
  dm_json_end_array(out);
  s = dm_buf_status(&text);
  dm_buf_clear(&text);
  return s == DM_OK ? dm_buf_status(out->buf) : s;
}
