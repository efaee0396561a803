/* Scoring of one row: encoded into the caller's scratch, predicted. Nothing is allocated. */
#include "model/scorer.h"

#include <string.h>

dm_status dm_scratch_init(dm_scratch *scratch, const dm_scorer *s, dm_error *err) {
  dm_scratch fresh = {0};
  fresh.encoded = dm_alloc(s->ctx, dm_encoder_n_outputs(s->encoder), sizeof(double), "scratch", err);
  if (!fresh.encoded) return DM_EBUDGET;
  fresh.proba = dm_alloc(s->ctx, s->model->n_classes + 1, sizeof(double), "scratch", err);
  if (!fresh.proba) {
    dm_free(s->ctx, fresh.encoded);
    return DM_EBUDGET;
  }
  *scratch = fresh;
  return DM_OK;
}

void dm_scratch_clear(dm_scratch *scratch, const dm_scorer *s) {
  dm_free(s->ctx, scratch->encoded);
  dm_free(s->ctx, scratch->proba);
  *scratch = (dm_scratch){0};
}

dm_status dm_scorer_check_class(const dm_scorer *s, double value, dm_error *err) {
  size_t k = s->model->n_classes;
  if (k == 0 || (value >= 0 && value < (double)k)) return DM_OK;
  return dm_fail(err, DM_EINPUT, "model: its prediction for a row is no class");
}

dm_status dm_scorer_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, double *value, double *score, double *proba,
                        dm_error *err) {
  size_t k = s->model->n_classes;
  double got = 0;
  dm_encoder_row(s->encoder, raw, scratch->encoded);
  dm_batch batch = {.n = 1, .d = s->model->d, .x = scratch->encoded, .value = &got, .proba = scratch->proba};
  dm_status status = s->model->learner->predict(s->model, k ? DM_OUT_VALUE | DM_OUT_PROBA : DM_OUT_VALUE, &batch, err);
  if (status != DM_OK) return status;
  if ((status = dm_scorer_check_class(s, got, err)) != DM_OK) return status;
  *value = got;
  *score = k ? scratch->proba[(size_t)got] : got;
  if (k && proba) memcpy(proba, scratch->proba, k * sizeof *proba);
  return DM_OK;
}
