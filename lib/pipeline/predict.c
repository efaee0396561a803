/*
 * Prediction: rows scored in batches (the same bits as the SQL functions),
 * into a table or a file.
 *
 *   dm_id | prediction | score | p_<class> …          with a target
 *   dm_id | prediction | score | e_<input> …          without: 1 = unusual, reconstruction error, what each input adds to it
 */
#include "pipeline/scored.h"

#include <math.h>

enum { HEAD = 2 }; /* prediction and score */

static dm_value number(double v) { return isnan(v) ? (dm_value){.type = DM_NULL} : (dm_value){.type = DM_REAL, .real = v}; }

static void cells(const dm_scored_table *t, size_t r, dm_value *out) {
  size_t n = t->n - HEAD;
  const double *more = t->scored.proba ? t->scored.proba : t->scored.parts;
  out[0] = dm_scorer_value(t->scorer, t->scored.value[r]);
  out[1] = number(t->scored.score[r]);
  for (size_t c = 0; c < n; c++) out[HEAD + c] = number(more[r * n + c]);
}

/* Columns of probabilities, or of parts; too many of those for a table are left out. */
static dm_status name_columns(dm_scored_table *t, dm_arena *arena, dm_error *err) {
  const dm_scorer *s = t->scorer;
  size_t k = s->model->n_classes, parts = s->target.name ? 0 : dm_encoder_n_inputs(s->encoder);
  if (parts + HEAD + 1 > DM_COLUMNS_MAX) {
    dm_log(s->ctx, DM_LOG_NOTICE, "the %zu columns e_<input> are left out: a table has at most %d", parts, DM_COLUMNS_MAX);
    parts = 0;
  }
  dm_status status = dm_scored_columns(t, HEAD + k + parts, arena, err);
  const char *type = !s->target.name ? "INTEGER" : k ? dm_type_name(s->target.type) : "REAL";
  if (status == DM_OK) status = dm_scored_name(t, 0, "", dm_str_of("prediction"), type, arena, err);
  if (status == DM_OK) status = dm_scored_name(t, 1, "", dm_str_of("score"), "REAL", arena, err);
  for (size_t c = 0; status == DM_OK && c < k; c++) status = dm_scored_name(t, HEAD + c, "p_", s->target.levels.names[c], "REAL", arena, err);
  for (size_t c = 0; status == DM_OK && c < parts; c++)
    status = dm_scored_name(t, HEAD + c, "e_", dm_str_of(dm_scorer_feature_name(s, c)), "REAL", arena, err);
  return status;
}

static dm_status make_room(dm_scored_table *t, dm_arena *arena, dm_error *err) {
  size_t more = t->n - HEAD;
  double *block = dm_arena_alloc(arena, DM_ROWS_BATCH, (HEAD + more) * sizeof *block, err);
  if (!block) return DM_EBUDGET;
  t->scored = (dm_scored){.value = block, .score = block + DM_ROWS_BATCH};
  if (more) *(t->scorer->target.name ? &t->scored.proba : &t->scored.parts) = block + HEAD * DM_ROWS_BATCH;
  return DM_OK;
}

dm_status dm_predict(dm_store *store, const char *model, const dm_src *src, const dm_predict_options *options, dm_arena *arena,
                     dm_predict_result *out, dm_error *err) {
  dm_scorer *scorer = NULL;
  dm_arena *work = NULL;
  dm_predict_result result = {0};
  dm_scored_table t = {.verb = "predict", .cells = cells};
  double from = dm_seconds();
  dm_status s = dm_registry_load(store, model, arena, &scorer, &result.meta, err);
  t.scorer = scorer;
  if (s == DM_OK) s = dm_arena_new(dm_store_ctx(store), 0, &work, err);
  if (s == DM_OK) s = name_columns(&t, work, err);
  if (s == DM_OK) s = make_room(&t, work, err);
  if (s == DM_OK) s = dm_scored_write(store, &t, model, src, options, &result, err);
  dm_arena_free(work);
  dm_scorer_free(scorer);
  result.seconds = dm_seconds() - from;
  if (s == DM_OK) *out = result;
  return s;
}
