/* Metrics of a stored model on the rows of a source that have its target, or on all where it has none. */
#include <dm/pipeline.h>

#include <math.h>
#include <string.h>

/* Truth in the model's terms: class codes by value, or the number. */
static dm_status read_truth(const dm_scorer *s, const dm_frame *frame, double *truth, dm_error *err) {
  size_t at = dm_frame_find(frame, s->target.name);
  if (at == SIZE_MAX) {
    (void)dm_fail(err, DM_EINPUT, "the source has no column '%s', the target of the model", s->target.name);
    dm_error_hint(err, "predict needs no target; evaluate compares with it");
    return DM_EINPUT;
  }
  const dm_frame_column *c = &frame->columns[at];
  if (!s->target.levels.n && c->kind == DM_CATEGORY)
    return dm_fail(err, DM_EINPUT, "column '%s' holds text, the model predicts numbers", c->name);
  for (size_t i = 0; i < frame->n; i++) {
    double v = c->values[i];
    truth[i] = v;
    if (!s->target.levels.n || isnan(v)) continue;
    /* whole numbers up to 2^53 are themselves in double: '1' is found among texts, as '1.0' would not be */
    bool whole = c->type == DM_INTEGER && fabs(v) <= 9007199254740992.0;
    dm_value cell = c->kind == DM_CATEGORY ? (dm_value){.type = DM_TEXT, .text = c->levels.names[(size_t)v]}
                    : whole               ? (dm_value){.type = DM_INTEGER, .integer = (int64_t)v}
                                          : (dm_value){.type = DM_REAL, .real = v};
    size_t code = dm_levels_find(&s->target.levels, cell);
    if (code == SIZE_MAX) {
      char number[DM_NUMBER_MAX];
      dm_str shown = c->kind == DM_CATEGORY ? cell.text : (dm_str){number, dm_text_of_double(v, false, number)};
      return dm_fail(err, DM_EINPUT, "row %zu: '%.*s' is not a class of the model", i + 1, (int)(shown.n > 100 ? 100 : shown.n), shown.p);
    }
    truth[i] = (double)code;
  }
  return DM_OK;
}

/* Predictions against the target's column. */
static dm_status measure_predictions(const dm_scorer *scorer, const dm_frame *frame, dm_evaluation *e, dm_error *err) {
  size_t k = scorer->model->n_classes, n = frame->n;
  double *work = dm_alloc(scorer->ctx, n, (3 + k) * sizeof *work, "evaluation", err);
  dm_status s = work ? read_truth(scorer, frame, work, err) : DM_EBUDGET;
  if (s == DM_OK) s = dm_scorer_frame(scorer, frame, NULL, n, work + n, work + 2 * n, k ? work + 3 * n : NULL, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) e->rows += isnan(work[i]) ? 0 : 1;
  if (s == DM_OK && e->rows == 0) s = dm_fail(err, DM_EINPUT, "no row of the source has a value of '%s'", scorer->target.name);
  if (s == DM_OK && !(e->n_metrics = dm_metrics(scorer->ctx, n, k, work, work + n, k ? work + 3 * n : NULL, e->metrics, err))) s = DM_EBUDGET;
  dm_free(scorer->ctx, work);
  return s;
}

/* How well rows are given back: there is no truth but themselves. */
static dm_status measure_errors(const dm_scorer *scorer, const dm_frame *frame, dm_evaluation *e, dm_error *err) {
  dm_error own = {0};
  e->rows = frame->n;
  e->n_metrics = dm_encoder_metrics(scorer, frame, NULL, frame->n, NULL, e->metrics, &own);
  if (e->n_metrics) return DM_OK;
  if (err) *err = own;
  return own.code;
}

dm_status dm_evaluate(dm_store *store, const char *model, const dm_src *src, dm_arena *arena, dm_evaluation *out, dm_error *err) {
  dm_scorer *scorer = NULL;
  dm_frame *frame = NULL;
  dm_evaluation e = {0};
  dm_status s = dm_registry_load(store, model, arena, &scorer, &e.meta, err);
  if (s == DM_OK) s = dm_src_frame(store, src, NULL, 0, &frame, NULL, err);
  if (s == DM_OK) e.rejects = frame->rejects;
  if (s == DM_OK && frame->n == 0) s = dm_fail(err, DM_EINPUT, "the source has no rows");
  if (s == DM_OK) s = scorer->target.name ? measure_predictions(scorer, frame, &e, err) : measure_errors(scorer, frame, &e, err);
  dm_frame_free(frame);
  dm_scorer_free(scorer);
  if (s == DM_OK) *out = e;
  return s;
}
