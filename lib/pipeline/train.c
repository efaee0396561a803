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

/* The first thing asked for that only training by epochs has, or NULL. */
static const char *epochs_option(const dm_train_options *o) {
  return o->time_limit != 0 ? "a time limit" : o->checkpoint != 0 ? "checkpoints" : o->resume == DM_RESUME_YES ? "resume" : NULL;
}

static dm_status check_epochs(const dm_job *j, dm_store *store, dm_error *err) {
  const dm_train_options *o = j->options;
  const char *what = epochs_option(o);
  if (!what) return DM_OK;
  if (!(j->learner->takes & DM_HAS_EPOCHS)) {
    (void)dm_fail(err, DM_EUSAGE, "%s does not train by epochs: %s is not for it", o->method, what);
    const dm_learner *const *l = dm_ctx_learners(j->ctx);
    while (*l && !((*l)->takes & DM_HAS_EPOCHS)) l++;
    if (*l) dm_error_hint(err, "it is for %s%s", (*l)->name, l[1] ? " and others like it" : "");
    return DM_EUSAGE;
  }
  if (!(o->time_limit >= 0 && o->time_limit < 1e9)) return dm_fail(err, DM_EUSAGE, "time limit = %g, want seconds above 0", o->time_limit);
  if (o->checkpoint < DM_CHECKPOINT_NEVER) return dm_fail(err, DM_EUSAGE, "checkpoint = %lld, want a number of epochs", (long long)o->checkpoint);
  if (strcmp(dm_store_path(store), ":memory:") == 0 && (o->checkpoint > 0 || o->resume == DM_RESUME_YES))
    return dm_fail(err, DM_EUSAGE, "a database in memory keeps no checkpoints: %s is not for it", o->checkpoint > 0 ? "checkpoint" : "resume");
  return DM_OK;
}

/* Methods that learn features have no target, others may need one. */
static dm_status check_target(const dm_job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  if (j->encodes && (o->target || o->task != DM_TASK_AUTO)) {
    (void)dm_fail(err, DM_EUSAGE, "%s learns features and has no %s", o->method, o->target ? "target" : "task");
    if (o->target) dm_error_hint(err, "--ignore %s keeps that column out of the features", o->target);
    return DM_EUSAGE;
  }
  if (!o->target && !j->encodes) {
    (void)dm_fail(err, DM_EUSAGE, "%s needs a target", o->method);
    dm_error_hint(err, "name the column to predict with --target");
    return DM_EUSAGE;
  }
  return DM_OK;
}

static dm_status check_options(const dm_job *j, dm_store *store, dm_error *err) {
  const dm_train_options *o = j->options;
  dm_status s = check_target(j, err);
  if (s != DM_OK) return s;
  if (!(o->test >= 0 && o->test < 1)) return dm_fail(err, DM_EUSAGE, "test = %g, want a share from 0 up to, not including, 1", o->test);
  if (o->folds == 1) return dm_fail(err, DM_EUSAGE, "folds = 1, want at least 2");
  if (o->test > 0 && o->folds) return dm_fail(err, DM_EUSAGE, "test and folds exclude each other");
  return check_epochs(j, store, err);
}

static dm_status prepare(dm_store *store, dm_job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err) {
  dm_status s = check_options(j, store, err);
  if (s == DM_OK) s = dm_job_encoder(j, store, arena, out, err);
  if (s == DM_OK) s = dm_src_frame(store, src, NULL, 0, &j->frame, j->digest, err);
  if (s == DM_OK) s = dm_job_columns(j, err);
  if (s == DM_OK) s = dm_job_codes(j, err);
  if (s == DM_OK) s = dm_job_task(j, err);
  if (s == DM_OK) s = dm_job_target(j, err);
  if (s == DM_OK) s = dm_job_rows(j, err);
  return s == DM_OK ? dm_job_describe(j, src, arena, out, err) : s;
}

/* The model and what it is worth. @param shown what the report draws: the test part; of features that were not tested the training part */
static dm_status learn(const dm_job *j, const dm_course *course, dm_scorer **scorer, dm_outcome *shown, dm_train_result *out, dm_error *err) {
  size_t *train = dm_arena_alloc(j->memory, j->n, sizeof *train, err), *test = dm_arena_alloc(j->memory, j->n, sizeof *test, err);
  size_t n_train = 0, n_test = 0;
  dm_outcome on_train;
  dm_status s = train && test ? DM_OK : DM_EBUDGET;
  if (s == DM_OK && j->options->folds && !course->resumes) s = dm_job_folds(j, course->by_epochs ? &course->fold : NULL, out, err);
  if (s == DM_OK) s = dm_job_split(j, train, &n_train, test, &n_test, err);
  if (s == DM_OK) s = dm_job_fit(j, train, n_train, course->by_epochs ? &course->hooks : NULL, scorer, err);
  out->seconds = dm_course_seconds(course);
  bool show_train = j->encodes && !n_test;
  if (s == DM_OK && (j->options->train_metrics || show_train || (j->learner->takes & DM_PREDICTS_CHEAPLY))) {
    s = dm_job_score(j, *scorer, train, n_train, j->memory, &on_train, err);
    on_train.split = "train";
    if (s == DM_OK) s = dm_job_measure(j, &on_train, out->train, &out->n_train, err);
    if (s == DM_OK && show_train) *shown = on_train;
  }
  if (s == DM_OK && n_test) {
    s = dm_job_score(j, *scorer, test, n_test, j->memory, shown, err);
    if (s == DM_OK) s = dm_job_measure(j, shown, out->test, &out->n_test, err);
  }
  out->rows = n_train + n_test;
  out->test_rows = n_test;
  return s;
}

static dm_status run(dm_store *store, dm_job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err) {
  dm_course course = {0};
  dm_scorer *scorer = NULL;
  dm_outcome shown = {0};
  dm_status s = prepare(store, j, src, arena, out, err);
  if (s != DM_OK) return s;
  s = dm_course_begin(&course, store, j, arena, out, err);
  if (s == DM_OK) {
    s = learn(j, &course, &scorer, &shown, out, err);
    if (s == DM_OK) s = dm_job_compose(j, &scorer, err);
    if (s == DM_OK) s = dm_job_save(store, j, scorer, &shown, &course, arena, out, err);
    if (s != DM_OK) dm_course_broken(&course, s, err);
  }
  dm_scorer_free(scorer);
  dm_course_clear(&course);
  return s;
}

dm_status dm_train(dm_store *store, const dm_src *src, const dm_train_options *options, dm_arena *arena, dm_train_result *out,
                   dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_job j = {.ctx = ctx, .options = options, .params = options->params, .target = SIZE_MAX, .group = SIZE_MAX};
  dm_train_result result = {0};
  if (!(j.learner = dm_learner_find(ctx, options->method, err))) return DM_EUSAGE;
  j.encodes = !(j.learner->tasks & (DM_CLASSIFY | DM_REGRESS));
  dm_status s = dm_arena_new(ctx, 0, &j.memory, err);
  if (s == DM_OK) s = run(store, &j, src, arena, &result, err);
  dm_scorer_free(j.encoder);
  dm_frame_free(j.frame);
  dm_frame_free(j.source);
  dm_arena_free(j.memory);
  if (s == DM_OK) *out = result;
  return s;
}
