/* How good a model is: predictions of a part of the rows, their metrics, cross-validation. */
#include "pipeline/train.h"

#include <math.h>
#include <string.h>

dm_status dm_job_score(const dm_job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, dm_outcome *out,
                            dm_error *err) {
  size_t k = scorer->model->n_classes;
  *out = (dm_outcome){.n = n, .k = k};
  out->truth = dm_job_gather(memory, j->frame->columns[j->target].values, rows, n, err);
  out->value = dm_arena_alloc(memory, n, sizeof(double), err);
  out->score = dm_arena_alloc(memory, n, sizeof(double), err);
  out->proba = dm_arena_alloc(memory, n, (k ? k : 1) * sizeof(double), err);
  if (!out->truth || !out->value || !out->score || !out->proba) return DM_EBUDGET;
  return dm_scorer_frame(scorer, j->frame, rows, n, out->value, out->score, k ? out->proba : NULL, err);
}

dm_status dm_job_measure(const dm_job *j, const dm_outcome *o, dm_metric metrics[DM_METRICS_MAX], size_t *n, dm_error *err) {
  *n = dm_metrics(j->ctx, o->n, o->k, o->truth, o->value, o->k ? o->proba : NULL, metrics, err);
  return *n ? DM_OK : DM_EBUDGET;
}

/* Mean and standard deviation of each metric over the folds. */
static void summarise_folds(dm_metric (*folds)[DM_METRICS_MAX], size_t k, dm_train_result *out) {
  out->n_cv = out->n_cv_sd = 0;
  for (size_t m = 0; m < DM_METRICS_MAX && folds[0][m].name; m++) {
    double mean = 0, square = 0;
    for (size_t f = 0; f < k; f++) mean += folds[f][m].value / (double)k;
    for (size_t f = 0; f < k; f++) square += (folds[f][m].value - mean) * (folds[f][m].value - mean);
    out->cv[out->n_cv++] = (dm_metric){folds[0][m].name, mean};
    out->cv_sd[out->n_cv_sd++] = (dm_metric){folds[0][m].name, sqrt(square / (double)(k - 1))};
  }
}

dm_status dm_job_folds(const dm_job *j, const dm_training_hooks *hooks, dm_train_result *out, dm_error *err) {
  size_t k = j->options->folds;
  dm_arena *memory = NULL;
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s != DM_OK) return s;
  const double *target = j->frame->columns[j->target].values;
  double *classes = j->classify ? dm_job_gather(memory, target, j->rows, j->n, err) : NULL;
  double *groups = j->group == SIZE_MAX ? NULL : dm_job_gather(memory, j->frame->columns[j->group].values, j->rows, j->n, err);
  uint32_t *fold = dm_arena_alloc(memory, j->n, sizeof *fold, err);
  size_t *part = dm_arena_alloc(memory, j->n, sizeof *part, err);
  dm_metric(*metrics)[DM_METRICS_MAX] = dm_arena_alloc(memory, k, sizeof *metrics, err);
  if (!fold || !part || !metrics || (j->classify && !classes) || (j->group != SIZE_MAX && !groups)) s = DM_EBUDGET;
  if (s == DM_OK) s = dm_split_folds(j->ctx, j->n, k, dm_ctx_seed(j->ctx), classes, groups, fold, err);
  for (size_t f = 0; s == DM_OK && f < k; f++) {
    size_t n_train = 0, at = j->n, n_metrics;
    dm_scorer *scorer = NULL;
    dm_outcome o;
    for (size_t i = 0; i < j->n; i++)
      if (fold[i] != f) part[n_train++] = j->rows[i];
    for (size_t i = j->n; i-- > 0;)
      if (fold[i] == f) part[--at] = j->rows[i];
    s = dm_job_fit(j, part, n_train, hooks, &scorer, err);
    if (s == DM_OK) s = dm_job_score(j, scorer, part + at, j->n - at, memory, &o, err);
    if (s == DM_OK) s = dm_job_measure(j, &o, metrics[f], &n_metrics, err);
    dm_scorer_free(scorer);
    dm_progress(j->ctx, "cross-validation", (double)(f + 1), (double)k, "folds");
  }
  if (s == DM_OK) summarise_folds(metrics, k, out);
  dm_arena_free(memory);
  return s;
}
