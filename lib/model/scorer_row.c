/*
 * Scoring of raw rows: encoded into the caller's scratch, through the stages
 * that learn features, predicted. Nothing is allocated.
 *
 *   raw -> encoded -> code -> encoded -> … -> encoded -> value, score, probabilities | code | parts
 *            stage 0            stage 1         last
 */
#include "model/scorer.h"

#include <math.h>
#include <string.h>

/* Codes of the stages become what the last encoder gives, in scratch->encoded. */
static dm_status run_before(const dm_scorer *s, size_t n, const dm_scratch *scratch, dm_error *err) {
  for (size_t i = 0; i < s->n_before; i++) {
    const dm_model *model = s->before[i].model;
    const dm_encoder *next = i + 1 < s->n_before ? s->before[i + 1].encoder : s->encoder;
    size_t width = model->n_code, m = dm_encoder_n_outputs(next);
    dm_batch batch = {.n = n, .d = model->d, .x = scratch->encoded, .code = scratch->code, .work = scratch->work};
    dm_status status = model->learner->predict(model, DM_OUT_CODE, &batch, err);
    if (status != DM_OK) return status;
    for (size_t r = 0; r < n; r++) {
      for (size_t j = 0; j < width; j++) scratch->raw[j] = (double)scratch->code[r * width + j];
      dm_encoder_row(next, scratch->raw, scratch->encoded + r * m);
    }
  }
  return DM_OK;
}

static dm_status check_wanted(const dm_scorer *s, const dm_scored *out, dm_error *err) {
  if (out->code && s->model->n_code == 0) {
    (void)dm_fail(err, DM_EUSAGE, "a model by '%s' has no learned features", s->model->learner->name);
    dm_error_hint(err, "features are learned by autoencoders and nets");
    return DM_EUSAGE;
  }
  if (out->parts && s->target.name) return dm_fail(err, DM_EUSAGE, "a model that predicts '%s' has no reconstruction error", s->target.name);
  return DM_OK;
}

/* A predicted class is a place in probabilities and class names; a forged model may give NaN. */
static dm_status check_class(const dm_scorer *s, double value, dm_error *err) {
  size_t k = s->model->n_classes;
  if (k == 0 || (value >= 0 && value < (double)k)) return DM_OK;
  return dm_fail(err, DM_EINPUT, "model: its prediction for a row is no class");
}

/* Parts of encoded columns summed by the feature they come from; a feature none of whose columns has one is missing. */
static void sum_parts(const dm_scorer *s, const double *encoded, double *parts) {
  size_t features = dm_encoder_n_inputs(s->encoder), m = dm_encoder_n_outputs(s->encoder);
  for (size_t j = 0; j < features; j++) parts[j] = (double)NAN;
  for (size_t o = 0; o < m; o++) {
    double *part = &parts[dm_encoder_source(s->encoder, o)];
    if (!isnan(encoded[o])) *part = isnan(*part) ? encoded[o] : *part + encoded[o];
  }
}

static dm_status give_row(const dm_scorer *s, size_t r, double value, const double *proba, const dm_scored *out, dm_error *err) {
  size_t k = s->model->n_classes;
  double score = k ? 0 : value;
  dm_status status = check_class(s, value, err);
  if (status != DM_OK) return status;
  if (k) score = proba[r * k + (size_t)value];
  if (!s->target.name) value = value <= s->model->threshold ? 0 : 1;
  if (out->value) out->value[r] = value;
  if (out->score) out->score[r] = score;
  return DM_OK;
}

dm_status dm_scorer_run(const dm_scorer *s, size_t n, const dm_scratch *scratch, const dm_scored *out, dm_error *err) {
  size_t k = s->model->n_classes;
  bool valued = out->value || out->score;
  double *proba = k && out->proba ? out->proba : scratch->proba;
  unsigned what = (valued ? DM_OUT_VALUE : 0) | (k && (valued || out->proba) ? DM_OUT_PROBA : 0) | (out->code ? DM_OUT_CODE : 0) |
                  (out->parts ? DM_OUT_PARTS : 0);
  dm_status status = check_wanted(s, out, err);
  if (status == DM_OK) status = run_before(s, n, scratch, err);
  if (status != DM_OK) return status;
  dm_batch batch = {.n = n, .d = s->model->d, .x = scratch->encoded, .value = scratch->value, .proba = proba, .code = out->code,
                    .parts = scratch->parts, .work = scratch->work};
  if ((status = s->model->learner->predict(s->model, what, &batch, err)) != DM_OK) return status;
  for (size_t r = 0; valued && r < n; r++)
    if ((status = give_row(s, r, scratch->value[r], proba, out, err)) != DM_OK) return status;
  size_t features = out->parts ? dm_encoder_n_inputs(s->encoder) : 0;
  for (size_t r = 0; out->parts && r < n; r++) sum_parts(s, scratch->parts + r * s->model->d, out->parts + r * features);
  return DM_OK;
}

dm_scored dm_scored_from(const dm_scorer *s, const dm_scored *out, size_t n) {
  return (dm_scored){.value = out->value ? out->value + n : NULL,
                     .score = out->score ? out->score + n : NULL,
                     .proba = out->proba ? out->proba + n * s->model->n_classes : NULL,
                     .code = out->code ? out->code + n * s->model->n_code : NULL,
                     .parts = out->parts ? out->parts + n * dm_encoder_n_inputs(s->encoder) : NULL};
}

dm_status dm_scorer_rows(const dm_scorer *s, const double *raw, size_t n, const dm_scratch *scratch, const dm_scored *out, dm_error *err) {
  const dm_encoder *first = dm_scorer_first(s);
  size_t m = dm_encoder_n_outputs(first);
  dm_status status = DM_OK;
  for (size_t at = 0; status == DM_OK && at < n; at += scratch->rows) {
    size_t count = n - at < scratch->rows ? n - at : scratch->rows;
    dm_scored part = dm_scored_from(s, out, at);
    for (size_t r = 0; r < count; r++) dm_encoder_row(first, raw + (at + r) * s->d, scratch->encoded + r * m);
    status = dm_scorer_run(s, count, scratch, &part, err);
  }
  return status;
}

dm_status dm_scorer_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, double *value, double *score, double *proba,
                        dm_error *err) {
  dm_scored out = {.value = value, .score = score, .proba = proba};
  return dm_scorer_rows(s, raw, 1, scratch, &out, err);
}

dm_status dm_scorer_code_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, float *code, dm_error *err) {
  dm_scored out = {.code = code};
  return dm_scorer_rows(s, raw, 1, scratch, &out, err);
}

dm_status dm_scorer_parts_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, double *value, double *score, double *parts,
                              dm_error *err) {
  dm_scored out = {.value = value, .score = score, .parts = parts};
  return dm_scorer_rows(s, raw, 1, scratch, &out, err);
}
