/* What a training learns from: features, task, target, rows, and which of the rows are held out. */
#include "pipeline/train.h"

#include <math.h>
#include <string.h>

static dm_status unknown_column(const dm_frame *frame, const char *what, const char *name, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "%s '%s' is not a column of the source", what, name);
  const char *names[512];
  size_t n = frame->d < 512 ? frame->d : 512;
  for (size_t i = 0; i < n; i++) names[i] = frame->columns[i].name;
  const char *near = dm_text_nearest(name, names, n);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

static dm_status find_column(const dm_job *j, const char *what, const char *name, size_t *out, dm_error *err) {
  *out = dm_frame_find(j->frame, name);
  return *out == SIZE_MAX ? unknown_column(j->frame, what, name, err) : DM_OK;
}

/*
 * Whether text names rows rather than describes them: more than half of the
 * given cells, and more than 50, are different. A split by such levels fits
 * the training rows and says nothing of others.
 */
static bool is_identifier(const dm_frame *frame, const dm_frame_column *column) {
  size_t given = 0;
  if (column->kind != DM_CATEGORY || column->levels.n <= 50) return false;
  for (size_t i = 0; i < frame->n; i++) given += isnan(column->values[i]) ? 0 : 1;
  return column->levels.n > given / 2;
}

static void take_column(dm_job *j, size_t at) {
  const dm_frame_column *column = &j->frame->columns[at];
  if (!is_identifier(j->frame, column)) {
    j->columns[j->d++] = at;
    return;
  }
  dm_log(j->ctx, DM_LOG_NOTICE, "column '%s' is left out: its %zu different texts name rows rather than describe them (--features takes it)",
         column->name, column->levels.n);
}

/* Features: those asked for, or all but target, group, ignored and identifying ones. */
dm_status dm_job_columns(dm_job *j, dm_error *err) {
  const dm_train_options *o = j->options;
  dm_status s = j->encodes ? DM_OK : find_column(j, "target", o->target, &j->target, err);
  j->group = SIZE_MAX;
  if (s == DM_OK && o->group) s = find_column(j, "group", o->group, &j->group, err);
  if (s != DM_OK || j->encoder) return s; /* whose inputs are the columns */
  bool *skip = dm_arena_alloc(j->memory, j->frame->d + 1, sizeof *skip, err);
  j->columns = dm_arena_alloc(j->memory, j->frame->d + o->n_features + 1, sizeof *j->columns, err);
  if (!skip || !j->columns) return DM_EBUDGET;
  if (j->target != SIZE_MAX) skip[j->target] = true;
  if (j->group != SIZE_MAX) skip[j->group] = true;
  for (size_t i = 0; i < o->n_ignored; i++) {
    size_t at;
    if ((s = find_column(j, "ignored column", o->ignored[i], &at, err)) != DM_OK) return s;
    skip[at] = true;
  }
  for (size_t i = 0; i < o->n_features; i++) {
    size_t at;
    if ((s = find_column(j, "feature", o->features[i], &at, err)) != DM_OK) return s;
    if (skip[at]) return dm_fail(err, DM_EUSAGE, "feature '%s' is the target, the group, ignored or named twice", o->features[i]);
    skip[at] = true;
    j->columns[j->d++] = at;
  }
  for (size_t i = 0; i < j->frame->d && !o->n_features; i++)
    if (!skip[i]) take_column(j, i);
  if (j->d == 0) return dm_fail(err, DM_EINPUT, "%s: no column is left to learn from", o->method);
  return DM_OK;
}

/* TEXT, or INTEGER with at most 50 distinct values, classifies; else regresses. */
dm_status dm_job_task(dm_job *j, dm_error *err) {
  if (j->encodes) return DM_OK;
  dm_frame_column *target = &j->frame->columns[j->target];
  dm_task task = j->options->task;
  if (task == DM_TASK_AUTO) {
    bool few = target->type == DM_INTEGER && dm_frame_n_distinct(j->frame, j->target, 51, err) <= 50;
    task = target->kind == DM_CATEGORY || few ? DM_TASK_CLASSIFY : DM_TASK_REGRESS;
  }
  j->classify = task == DM_TASK_CLASSIFY;
  if (!j->classify && target->kind == DM_CATEGORY) {
    (void)dm_fail(err, DM_EINPUT, "target '%s' holds text, regression wants numbers", target->name);
    dm_error_hint(err, "leave out --task regress to classify, or cast the column first");
    return DM_EINPUT;
  }
  if (!(j->learner->tasks & (unsigned)(j->classify ? DM_CLASSIFY : DM_REGRESS)))
    return dm_fail(err, DM_EUSAGE, "%s cannot %s", j->learner->name, j->classify ? "classify" : "regress");
  return j->classify && target->kind != DM_CATEGORY ? dm_frame_make_category(j->frame, j->target, err) : DM_OK;
}

/* Classes must come back as they are; squares of numbers must have finite sums. Else the model could be written, never read. */
dm_status dm_job_target(const dm_job *j, dm_error *err) {
  if (j->encodes) return DM_OK;
  const dm_frame_column *target = &j->frame->columns[j->target];
  const double most_class = 9007199254740992.0, most_number = 1e150;
  if (j->classify && target->levels.type != DM_INTEGER) return DM_OK;
  for (size_t i = 0; i < (j->classify ? target->levels.n : j->frame->n); i++) {
    double v = j->classify ? target->levels.numbers[i] : target->values[i];
    if (isnan(v) || fabs(v) < (j->classify ? most_class : most_number)) continue;
    (void)dm_fail(err, DM_EINPUT, "target '%s' holds %.17g, want numbers below %s", target->name, v, j->classify ? "2^53" : "1e150");
    dm_error_hint(err, j->classify ? "SELECT CAST(… AS TEXT) makes each number a class" : "SELECT the target divided by a constant");
    return DM_EINPUT;
  }
  return DM_OK;
}

dm_status dm_job_rows(dm_job *j, dm_error *err) {
  const double *target = j->encodes ? NULL : j->frame->columns[j->target].values;
  if (!(j->rows = dm_arena_alloc(j->memory, j->frame->n + 1, sizeof *j->rows, err))) return DM_EBUDGET;
  for (size_t i = 0; i < j->frame->n; i++)
    if (!target || !isnan(target[i])) j->rows[j->n++] = i;
  if (j->n < j->frame->n)
    dm_log(j->ctx, DM_LOG_NOTICE, "%zu of %zu rows have no target and are left out", j->frame->n - j->n, j->frame->n);
  if (j->n == 0 && j->encodes) return dm_fail(err, DM_EINPUT, "the source has no rows");
  if (j->n == 0) return dm_fail(err, DM_EINPUT, "the source has no row with a value of '%s'", j->options->target);
  return DM_OK;
}

/* Values of one frame column at rows, in memory. */
double *dm_job_gather(dm_arena *memory, const double *values, const size_t *rows, size_t n, dm_error *err) {
  double *out = dm_arena_alloc(memory, n, sizeof *out, err);
  if (out)
    for (size_t i = 0; i < n; i++) out[i] = values[rows[i]];
  return out;
}

dm_status dm_job_split(const dm_job *j, size_t *train, size_t *n_train, size_t *test, size_t *n_test, dm_error *err) {
  if (j->options->test <= 0) {
    memcpy(train, j->rows, j->n * sizeof *train);
    *n_train = j->n;
    *n_test = 0;
    return DM_OK;
  }
  double *classes = j->classify ? dm_job_gather(j->memory, j->frame->columns[j->target].values, j->rows, j->n, err) : NULL;
  double *groups = j->group == SIZE_MAX ? NULL : dm_job_gather(j->memory, j->frame->columns[j->group].values, j->rows, j->n, err);
  if ((j->classify && !classes) || (j->group != SIZE_MAX && !groups)) return DM_EBUDGET;
  dm_status s = dm_split(j->ctx, j->n, j->options->test, dm_ctx_seed(j->ctx), classes, groups, train, n_train, test, n_test, err);
  for (size_t i = 0; s == DM_OK && i < *n_train; i++) train[i] = j->rows[train[i]];
  for (size_t i = 0; s == DM_OK && i < *n_test; i++) test[i] = j->rows[test[i]];
  return s;
}
