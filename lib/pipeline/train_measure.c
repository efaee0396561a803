/* How good a model is: predictions of a part of the rows, their metrics, cross-validation. */
#include "pipeline/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Without a target the metrics come with the errors. */
static dm_status score_errors(const dm_job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, dm_outcome *out,
                              dm_error *err) {
  dm_error own = {0};
  if (!(out->score = dm_arena_alloc(memory, n, sizeof *out->score, err))) return DM_EBUDGET;
  out->n_known = dm_encoder_metrics(scorer, j->frame, rows, n, out->score, out->known, &own);
  if (out->n_known) return DM_OK;
  if (err) *err = own;
  return own.code;
}

dm_status dm_job_score(const dm_job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, dm_outcome *out,
                            dm_error *err) {
  size_t k = scorer->model->n_classes;
  *out = (dm_outcome){.split = "test", .rows = rows, .n = n, .k = k};
  if (j->encodes) return score_errors(j, scorer, rows, n, memory, out, err);
  out->truth = dm_job_gather(memory, j->frame->columns[j->target].values, rows, n, err);
  out->value = dm_arena_alloc(memory, n, sizeof(double), err);
  out->score = dm_arena_alloc(memory, n, sizeof(double), err);
  out->proba = dm_arena_alloc(memory, n, (k ? k : 1) * sizeof(double), err);
  if (!out->truth || !out->value || !out->score || !out->proba) return DM_EBUDGET;
  return dm_scorer_frame(scorer, j->frame, rows, n, out->value, out->score, k ? out->proba : NULL, err);
}

dm_status dm_job_measure(const dm_job *j, const dm_outcome *o, dm_metric metrics[DM_METRICS_MAX], size_t *n, dm_error *err) {
  if (j->encodes) {
    memcpy(metrics, o->known, sizeof o->known);
    *n = o->n_known;
    return DM_OK;
  }
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

/* One fold: the rows that train, ascending, then from the end those that are held out. */
typedef struct fold_part {
  size_t number, of; /* from 1 */
  size_t *rows, n, n_train;
} fold_part;

static void fill_part(const dm_job *j, const uint32_t *fold, fold_part *p) {
  size_t at = p->n = j->n;
  p->n_train = 0;
  for (size_t i = 0; i < j->n; i++)
    if (fold[i] + 1 != p->number) p->rows[p->n_train++] = j->rows[i];
  for (size_t i = j->n; i-- > 0;)
    if (fold[i] + 1 == p->number) p->rows[--at] = j->rows[i];
}

/* Classes whose rows are all held out: the fold's model cannot know them, and with one class left there is no model. */
static dm_status check_classes(const dm_job *j, const fold_part *p, dm_arena *memory, dm_error *err) {
  const dm_frame_column *target = &j->frame->columns[j->target];
  size_t k = target->levels.n, left = 0, only = 0;
  size_t *trained = dm_arena_alloc(memory, k, sizeof *trained, err), *held = dm_arena_alloc(memory, k, sizeof *held, err);
  if (!trained || !held) return DM_EBUDGET;
  for (size_t i = 0; i < p->n; i++) (i < p->n_train ? trained : held)[(size_t)target->values[p->rows[i]]]++;
  for (size_t c = 0; c < k; c++)
    if (trained[c]) left++, only = c;
  for (size_t c = 0; c < k; c++) {
    const dm_str *name = &target->levels.names[c], *other = &target->levels.names[only];
    char all[40] = "the only row";
    if (trained[c] || !held[c]) continue;
    if (held[c] > 1) (void)snprintf(all, sizeof all, "all %zu rows", held[c]);
    if (left == 1) {
      (void)dm_fail(err, DM_EINPUT, "fold %zu of %zu holds out %s of class '%.*s': only class '%.*s' is left to learn from", p->number,
                    p->of, all, (int)name->n, name->p, (int)other->n, other->p);
      dm_error_hint(err, "a class needs rows in two folds: leave '%.*s' out, or train without folds", (int)name->n, name->p);
      return DM_EINPUT;
    }
    dm_log(j->ctx, DM_LOG_NOTICE, "fold %zu of %zu holds out %s of class '%.*s': its model does not know the class", p->number, p->of, all,
           (int)name->n, name->p);
  }
  return DM_OK;
}

static dm_status measure_fold(const dm_job *j, const fold_part *p, const dm_training_hooks *hooks, dm_arena *memory, dm_metric *metrics,
                              dm_error *err) {
  dm_scorer *scorer = NULL;
  dm_outcome o;
  size_t n;
  dm_status s = j->classify ? check_classes(j, p, memory, err) : DM_OK;
  if (s == DM_OK) s = dm_job_fit(j, p->rows, p->n_train, hooks, &scorer, err);
  if (s == DM_OK) s = dm_job_score(j, scorer, p->rows + p->n_train, p->n - p->n_train, memory, &o, err);
  if (s == DM_OK) s = dm_job_measure(j, &o, metrics, &n, err);
  dm_scorer_free(scorer);
  dm_progress(j->ctx, "cross-validation", (double)p->number, (double)p->of, "folds");
  return s;
}

dm_status dm_job_folds(const dm_job *j, const dm_training_hooks *hooks, dm_train_result *out, dm_error *err) {
  size_t k = j->options->folds;
  dm_arena *memory = NULL;
  dm_status s = dm_arena_new(j->ctx, (size_t)1 << 20, &memory, err);
  if (s != DM_OK) return s;
  double *classes = j->classify ? dm_job_gather(memory, j->frame->columns[j->target].values, j->rows, j->n, err) : NULL;
  double *groups = j->group == SIZE_MAX ? NULL : dm_job_gather(memory, j->frame->columns[j->group].values, j->rows, j->n, err);
  uint32_t *fold = dm_arena_alloc(memory, j->n, sizeof *fold, err);
  fold_part part = {.of = k, .rows = dm_arena_alloc(memory, j->n, sizeof *part.rows, err)};
  dm_metric(*metrics)[DM_METRICS_MAX] = dm_arena_alloc(memory, k, sizeof *metrics, err);
  if (!fold || !part.rows || !metrics || (j->classify && !classes) || (j->group != SIZE_MAX && !groups)) s = DM_EBUDGET;
  if (s == DM_OK) s = dm_split_folds(j->ctx, j->n, k, dm_ctx_seed(j->ctx), classes, groups, fold, err);
  for (size_t f = 0; s == DM_OK && f < k; f++) {
    part.number = f + 1;
    fill_part(j, fold, &part);
    s = measure_fold(j, &part, hooks, memory, metrics[f], err);
  }
  if (s == DM_OK) summarise_folds(metrics, k, out);
  dm_arena_free(memory);
  return s;
}
