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
  dm_frame *frame;      /* what is learned from: the source's, or codes of its rows with target and group */
  dm_frame *source;     /* the source's, where frame is another */
  dm_scorer *encoder;   /* of --features-from, until it becomes part of the new model */
  const char *features_sha256; /* of that model, or NULL */
  char digest[DM_SHA256_HEX];
  size_t *columns, d; /* features */
  size_t target, group; /* SIZE_MAX = none */
  bool classify, encodes; /* encodes: learns features and has no target */
  size_t *rows, n; /* rows with a target, or all */
  dm_arena *memory;
} dm_job;

/** Truth and predictions of some rows, kept for metrics and the report; without a target each row's error is its score. */
typedef struct dm_outcome {
  const char *split;  /* "test", of the training part "train" */
  const size_t *rows; /* [n] of the frame, borrowed */
  size_t n, k;
  double *truth, *value, *score, *proba;
  size_t n_known; /* metrics that came with the errors */
  dm_metric known[DM_METRICS_MAX];
} dm_outcome;

/** The course of a training by epochs; for other methods only what unfinished trainings there are is looked at. */
typedef struct dm_course {
  dm_store *store;
  dm_arena *memory, *arena;    /* the job's; the caller's, for what the result points to */
  dm_train_result *result;
  dm_model_meta meta;          /* of the row 'training'; id 0 until there is one */
  const char *same;            /* JSON of what must be the same to go on, beside what meta says */
  bool by_epochs, keeps, resumes;
  bool starved;                /* the learner could not fill the last checkpoint */
  int64_t every;               /* as dm_train_options.checkpoint */
  double began, spent, last;   /* of this call; seconds of calls before; time of the last checkpoint */
  dm_checkpoint *open, *kept;  /* being filled; of the last whole epoch */
  uint64_t open_epoch, kept_epoch, written_epoch;
  dm_model_epoch *figures;
  size_t n_figures, capacity, n_written;
  dm_model_reader reader;
  dm_training_hooks hooks, fold; /* of the model's fit; of a fold's */
} dm_course;

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

/* train_features.c: --features-from */
/** Loads the model and checks what goes with it. */
dm_status dm_job_encoder(dm_job *j, dm_store *store, dm_arena *arena, dm_train_result *out, dm_error *err);
/** After dm_job_columns: frame becomes codes of all rows of the source, columns all of them. */
dm_status dm_job_codes(dm_job *j, dm_error *err);
/** The model as it is saved: scorer with the encoder before it. */
dm_status dm_job_compose(dm_job *j, dm_scorer **scorer, dm_error *err);

/* train_fit.c */
/** Trains on the given rows and wraps the model for scoring. @param hooks NULL for methods without epochs */
dm_status dm_job_fit(const dm_job *j, const size_t *rows, size_t n, const dm_training_hooks *hooks, dm_scorer **out, dm_error *err);

/* train_course.c */
/** After dm_job_describe. What --resume goes on from is found and checked. */
dm_status dm_course_begin(dm_course *c, dm_store *store, const dm_job *j, dm_arena *arena, dm_train_result *result, dm_error *err);
void dm_course_clear(dm_course *c);
double dm_course_seconds(const dm_course *c); /* of training, those of broken calls included */
/** Figures of the epochs of model id; part of the open transaction. */
dm_status dm_course_end(dm_course *c, int64_t id, dm_error *err);
/** After a failure: on Ctrl-C the last whole epoch is written; err says how to go on. */
void dm_course_broken(dm_course *c, dm_status s, dm_error *err);

/* train_resume.c */
dm_status dm_course_resume(dm_course *c, const dm_job *j, dm_error *err);

/* train_measure.c */
dm_status dm_job_score(const dm_job *j, const dm_scorer *scorer, const size_t *rows, size_t n, dm_arena *memory, dm_outcome *out, dm_error *err);
dm_status dm_job_measure(const dm_job *j, const dm_outcome *o, dm_metric metrics[DM_METRICS_MAX], size_t *n, dm_error *err);
/** Cross-validation: one model a fold, mean and standard deviation of its metrics in out. */
dm_status dm_job_folds(const dm_job *j, const dm_training_hooks *hooks, dm_train_result *out, dm_error *err);

/* train_report.c */
/** What the report draws of a saved model's outcome: evaluation, errors, map of its codes; part of the open transaction. */
dm_status dm_job_report(dm_store *store, const dm_job *j, const dm_scorer *scorer, int64_t model, const dm_outcome *o, dm_error *err);

/* train_save.c */
/** What dm_model says of the training, before it begins. */
dm_status dm_job_describe(const dm_job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err);
/** Everything that is written at the end, in one transaction. @param shown what the report draws */
dm_status dm_job_save(dm_store *store, const dm_job *j, const dm_scorer *scorer, const dm_outcome *shown, dm_course *course, dm_arena *arena,
                      dm_train_result *out, dm_error *err);

#endif
