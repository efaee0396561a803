/*
 * Training: source -> frame -> split -> encoder (training rows only) ->
 * learner -> metrics -> registry.
 *
 *   frame (all rows) --rows[]--> train part | test part        cross-validation: k such pairs,
 *        columns[d]                 |             |             then one model on all rows
 *                                   v             v
 *                              dm_dataset    dm_scorer_frame -> metrics, report tensors
 */
#include "pipeline/train.h"

#include <string.h>

static dm_status check_options(const dm_job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  if (!o->target && (j->learner->takes & DM_NEEDS_TARGET)) {
    (void)dm_fail(err, DM_EUSAGE, "%s needs a target", o->method);
    dm_error_hint(err, "name the column to predict with --target");
    return DM_EUSAGE;
  }
  if (!(o->test >= 0 && o->test < 1)) return dm_fail(err, DM_EUSAGE, "test = %g, want a share from 0 up to, not including, 1", o->test);
  if (o->folds == 1) return dm_fail(err, DM_EUSAGE, "folds = 1, want at least 2");
  return o->test > 0 && o->folds ? dm_fail(err, DM_EUSAGE, "test and folds exclude each other") : DM_OK;
}

static dm_status run(dm_store *store, dm_job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err) {
  char started[32];
  dm_status s = check_options(j, err);
  if (s == DM_OK) s = dm_src_frame(store, src, NULL, 0, &j->frame, j->digest, err);
  if (s == DM_OK) s = dm_job_columns(j, err);
  if (s == DM_OK) s = dm_job_task(j, err);
  if (s == DM_OK) s = dm_job_target(j, err);
  if (s == DM_OK) s = dm_job_rows(j, err);
  if (s != DM_OK) return s;
  dm_time_utc(started);
  double from = dm_seconds();
  size_t *train = dm_arena_alloc(j->memory, j->n, sizeof *train, err), *test = dm_arena_alloc(j->memory, j->n, sizeof *test, err);
  size_t n_train = 0, n_test = 0;
  dm_scorer *scorer = NULL;
  dm_outcome on_train = {0}, on_test = {0};
  if (!train || !test) return DM_EBUDGET;
  if (j->options->folds) s = dm_job_folds(j, out, err);
  if (s == DM_OK) s = dm_job_split(j, train, &n_train, test, &n_test, err);
  if (s == DM_OK) s = dm_job_fit(j, train, n_train, &scorer, err);
  double seconds = dm_seconds() - from;
  if (s == DM_OK && (j->options->train_metrics || (j->learner->takes & DM_PREDICTS_CHEAPLY))) {
    s = dm_job_score(j, scorer, train, n_train, j->memory, &on_train, err);
    if (s == DM_OK) s = dm_job_measure(j, &on_train, out->train, &out->n_train, err);
  }
  if (s == DM_OK && n_test) {
    s = dm_job_score(j, scorer, test, n_test, j->memory, &on_test, err);
    if (s == DM_OK) s = dm_job_measure(j, &on_test, out->test, &out->n_test, err);
  }
  if (s == DM_OK) {
    out->rows = n_train + n_test;
    out->test_rows = n_test;
    out->columns = j->d;
    out->rejects = j->frame->rejects;
    out->seconds = seconds;
    out->meta.started = dm_arena_strdup(arena, started, strlen(started), err);
    s = out->meta.started ? dm_job_save(store, j, src, scorer, &on_test, arena, out, err) : DM_EBUDGET;
  }
  dm_scorer_free(scorer);
  return s;
}

dm_status dm_train(dm_store *store, const dm_src *src, const dm_train_options *options, dm_arena *arena, dm_train_result *out,
                   dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_job j = {.ctx = ctx, .options = options, .params = options->params, .target = SIZE_MAX, .group = SIZE_MAX};
  dm_train_result result = {0};
  if (!(j.learner = dm_learner_find(ctx, options->method, err))) return DM_EUSAGE;
  dm_status s = dm_arena_new(ctx, 0, &j.memory, err);
  if (s == DM_OK) s = run(store, &j, src, arena, &result, err);
  dm_frame_free(j.frame);
  dm_arena_free(j.memory);
  if (s == DM_OK) *out = result;
  return s;
}
