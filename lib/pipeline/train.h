/*
 * State of one training: train.c has the order of its steps, each step its
 * own file.
 */
#ifndef DM_PIPELINE_TRAIN_H
#define DM_PIPELINE_TRAIN_H

#include <dm/pipeline.h>

typedef struct dm_job {
  dm_ctx *ctx;
  const dm_learner *learner;
  const dm_train_options *options;
  const dm_params *params;
  dm_frame *frame;
  char digest[DM_SHA256_HEX];
  size_t *columns, d; /* features */
  size_t target, group; /* SIZE_MAX = none */
  bool classify;
  size_t *rows, n; /* rows with a target */
  dm_arena *memory;
} dm_job;

/** Truth and predictions of some rows, kept for metrics and the report. */
typedef struct dm_outcome {
  size_t n, k;
  double *truth, *value, *score, *proba;
} dm_outcome;

/* train_columns.c */
/** Features: those asked for, or all but target, group, ignored and identifying ones. */
dm_status dm_job_columns(dm_job *j, dm_error *err);
/** TEXT, or INTEGER with at most 50 distinct values, classifies; else regresses. */
dm_status dm_job_task(dm_job *j, dm_error *err);
/** DM_EINPUT for targets whose model could be written but never read. */
dm_status dm_job_target(const dm_job *j, dm_error *err);
/** Rows with a value of the target. */
dm_status dm_job_rows(dm_job *j, dm_error *err);
/** Values of one frame column at rows, in memory; NULL after filling err. */
double *dm_job_gather(dm_arena *memory, const double *values, const size_t *rows, size_t n, dm_error *err);
/** @param train,test capacity j->n */
dm_status dm_job_split(const dm_job *j, size_t *train, size_t *n_train, size_t *test, size_t *n_test, dm_error *err);

/* train_fit.c */
/** Trains on the given rows and wraps the model for scoring. */
dm_status dm_job_fit(const dm_job *j, const size_t *rows, size_t n, dm_scorer **out, dm_error *err);

/* train_measure.c */
dm_status dm_job_score(const dm_job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, dm_outcome *out, dm_error *err);
dm_status dm_job_measure(const dm_job *j, const dm_outcome *o, dm_metric metrics[DM_METRICS_MAX], size_t *n, dm_error *err);
/** Cross-validation: one model a fold, mean and standard deviation of its metrics in out. */
dm_status dm_job_folds(const dm_job *j, dm_train_result *out, dm_error *err);

/* train_save.c */
/** Everything that is written, in one transaction. */
dm_status dm_job_save(dm_store *store, const dm_job *j, const dm_src *src, const dm_scorer *scorer, const dm_outcome *test, dm_arena *arena,
                      dm_train_result *out, dm_error *err);

#endif
