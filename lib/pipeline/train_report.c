/* What the report draws of a new model: its test part, or the training part of a model that learns features and was not tested. */
#include "pipeline/train.h"

/* Where the report's few rows are scored again for their codes and parts. */
typedef struct view {
  const dm_scorer *scorer;
  const dm_frame *frame;
  const dm_outcome *outcome;
  dm_ctx *ctx;
} view;

static dm_status row_parts(void *user, size_t i, double *out, dm_error *err) {
  const view *v = user;
  return dm_scorer_frame_rows(v->scorer, v->frame, &v->outcome->rows[i], 1, &(dm_scored){.parts = out}, err);
}

static dm_status row_codes(void *user, const size_t *rows, size_t n, float *out, dm_error *err) {
  const view *v = user;
  size_t *places = dm_alloc(v->ctx, n, sizeof *places, "rows of the map", err);
  if (!places) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) places[i] = v->outcome->rows[rows[i]];
  dm_status s = dm_scorer_frame_rows(v->scorer, v->frame, places, n, &(dm_scored){.code = out}, err);
  dm_free(v->ctx, places);
  return s;
}

static int64_t *row_ids(const dm_job *j, const dm_frame *frame, const dm_outcome *o, dm_error *err) {
  int64_t *ids = dm_arena_alloc(j->memory, o->n, sizeof *ids, err);
  for (size_t i = 0; ids && i < o->n; i++) ids[i] = frame->row_ids ? frame->row_ids[o->rows[i]] : (int64_t)o->rows[i] + 1;
  return ids;
}

dm_status dm_job_report(dm_store *store, const dm_job *j, const dm_scorer *scorer, int64_t model, const dm_outcome *o, dm_error *err) {
  const dm_frame *frame = j->source ? j->source : j->frame; /* a model with an encoder takes what the encoder takes */
  view v = {.scorer = scorer, .frame = frame, .outcome = o, .ctx = j->ctx};
  dm_report_codes codes = {.n = o->n, .m = scorer->model->n_code, .user = &v, .codes = row_codes, .parts = row_parts};
  dm_status s = DM_OK;
  if (o->n == 0) return DM_OK;
  if (o->truth) s = dm_report_evaluation_save(store, model, o->split, o->n, o->k, o->truth, o->value, o->k ? o->proba : NULL, err);
  if (j->encodes) {
    codes.error = o->score;
    codes.threshold = scorer->model->threshold;
    codes.d = dm_encoder_n_inputs(scorer->encoder);
    codes.ids = row_ids(j, frame, o, err);
    s = codes.ids ? dm_report_reconstruction_save(store, model, o->split, &codes, err) : DM_EBUDGET;
  } else {
    codes.label = o->truth;
    codes.n_labels = o->k;
  }
  return s == DM_OK && (j->encodes || o->k) ? dm_report_latent_save(store, model, o->split, &codes, dm_ctx_seed(j->ctx), err) : s;
}
