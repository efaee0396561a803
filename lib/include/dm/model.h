/**
 * model: learners and their parameter tables, models, scoring, metrics, the
 * composite model that is stored and scored (inputs -> encoder -> learner).
 */
#ifndef DM_MODEL_H
#define DM_MODEL_H

#include <dm/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters --------------------------------------------------------- */

typedef enum dm_param_type { DM_PARAM_INT, DM_PARAM_DOUBLE, DM_PARAM_CHOICE, DM_PARAM_BOOL, DM_PARAM_TEXT } dm_param_type;

/**
 * One parameter of a learner. The table drives options (`max_depth` is
 * `--max-depth`), --help, SQL arguments, stored headers and the report.
 */
typedef struct dm_param {
  const char *name; /* as scikit-learn spells it, with '_' */
  dm_param_type type;
  const char *otherwise; /* default as text; "auto" = the learner chooses (allowed as a value then) */
  double min, max;       /* inclusive, for numbers, and for the length of a text in bytes; min_open: > min */
  bool min_open;
  const char *choices; /* "gini|entropy"; of a text an example: "256,128" */
  const char *help;    /* one line */
} dm_param;

typedef struct dm_params dm_params;
/** All defaults of table (ended by name NULL). table is borrowed and must outlive the params. */
DM_API dm_status dm_params_new(dm_ctx *ctx, const char *owner, const dm_param *table, dm_params **out, dm_error *err);
DM_API void dm_params_free(dm_params *p);
/** Name with '-' or '_'. DM_EUSAGE: unknown name with "did you mean", or `tree: max-depth = -1, want an integer >= 1 or auto`. */
DM_API dm_status dm_params_set(dm_params *p, const char *name, const char *value, dm_error *err);
DM_API bool dm_params_is_auto(const dm_params *p, const char *name);
DM_API bool dm_params_is_set(const dm_params *p, const char *name); /* by the user */
DM_API int64_t dm_params_int(const dm_params *p, const char *name);
DM_API double dm_params_double(const dm_params *p, const char *name);
DM_API const char *dm_params_choice(const dm_params *p, const char *name);
DM_API bool dm_params_bool(const dm_params *p, const char *name);
/** The number, or `otherwise` where "auto" is in force. */
DM_API size_t dm_params_size_or(const dm_params *p, const char *name, size_t otherwise);
DM_API double dm_params_double_or(const dm_params *p, const char *name, double otherwise);
DM_API const char *dm_params_text(const dm_params *p, const char *name); /* "auto" where that is in force */
DM_API void dm_params_json(const dm_params *p, dm_json_out *json); /* one object of all values in force */
DM_API const dm_param *dm_params_table(const dm_params *p);

/* ---- learners ------------------------------------------------------------- */

enum { /* dm_learner.tasks */
  DM_CLASSIFY = 1,
  DM_REGRESS = 2,
  DM_ENCODE = 4 /* learns features; has no target */
};
enum { /* dm_learner.takes */
  DM_TAKES_MISSING = 1,
  DM_TAKES_CATEGORIES = 2,
  DM_TAKES_WEIGHTS = 4,
  DM_NEEDS_TARGET = 8,
  DM_SCALES = 16,  /* has --scale; input is imputed and one-hot encoded */
  DM_PREDICTS_CHEAPLY = 32, /* metrics on the training rows cost little beside training */
  DM_HAS_EPOCHS = 64 /* trains by epochs and heeds dm_training_hooks: time limit, figures, checkpoints */
};

/** What predict is asked for; outputs are written only for the bits set. */
enum {
  DM_OUT_VALUE = 1,  /* value[n]: regression value, code of the class with the largest probability (lowest code at ties), or reconstruction
                        error (mean of the parts of the cells that are not missing) */
  DM_OUT_PROBA = 2,  /* proba[n * n_classes], row-major */
  DM_OUT_LEAF = 4,   /* leaf[n]: node reached, for trees */
  DM_OUT_CODE = 8,   /* code[n * n_code]: learned features; only where n_code > 0 */
  DM_OUT_PARTS = 16  /* parts[n * d]: what each encoded column adds to the reconstruction error; NaN = missing; only for encoding models */
};

/** Rows in and results out; all borrowed, nothing is allocated while predicting. */
typedef struct dm_batch {
  size_t n, d;
  const double *x; /* [n, d] row-major: encoded row, or raw (NaN missing, level codes, -1 unseen) where the learner takes it */
  double *value, *proba;
  uint32_t *leaf;
  float *code;
  double *parts;
  void *work; /* dm_model.work bytes for this call alone, 64-byte aligned; NULL allowed when that is 0 */
} dm_batch;

typedef struct dm_model dm_model;
typedef struct dm_learner dm_learner;
struct dm_scorer;

/** First member of every learner's model. */
struct dm_model {
  const dm_learner *learner;
  dm_ctx *ctx;
  size_t d;         /* width of the rows it takes */
  size_t n_classes; /* 0 = regression or encoding */
  size_t n_code;    /* width of its learned features, 0 = it has none */
  double threshold; /* encoding: rows with a larger reconstruction error are unusual */
  size_t work;      /* bytes that predict needs in dm_batch.work, whatever the number of rows */
};

/* What a long training tells its caller, and what it goes on from. Any call may be NULL. */
struct dm_model_writer;
struct dm_model_reader;
typedef struct dm_training_hooks {
  void *user;
  double time_limit; /* seconds from the start of this call after which training ends with the best it has; 0 = none */
  /** One figure of a finished epoch, from 1: "train_loss", "valid_loss", "lr", … */
  dm_status (*epoch)(void *user, uint64_t epoch, const char *name, double value, dm_error *err);
  /** Asked after each epoch: whether a checkpoint should be written now. */
  bool (*is_due)(void *user, uint64_t epoch);
  /** Opens a checkpoint to be filled with scalars and tensors; close stores it whole, or drops it unless ok. */
  dm_status (*checkpoint)(void *user, uint64_t epoch, struct dm_model_writer **out, dm_error *err);
  dm_status (*close)(void *user, bool ok, dm_error *err);
  /** The checkpoint to go on from, as it was written: the rest of the training has the same bits as without the break. NULL: from the start. */
  const struct dm_model_reader *resume;
} dm_training_hooks;

typedef struct dm_training {
  const dm_dataset *train;
  const dm_dataset *valid; /* part for early choices, or NULL: the learner cuts its own when it needs one */
  const char *const *names; /* [d] feature names for texts, borrowed */
  const dm_training_hooks *hooks; /* NULL: nobody listens */
} dm_training;

/** Named tensors of one model, little-endian, as the registry keeps them. */
typedef enum dm_dtype { DM_F32, DM_F64, DM_I8, DM_U8, DM_I32, DM_I64, DM_UTF8 } dm_dtype;
DM_API size_t dm_dtype_size(dm_dtype t);
DM_API const char *dm_dtype_name(dm_dtype t); /* "f32" … */
DM_API bool dm_dtype_parse(const char *name, dm_dtype *out);

typedef struct dm_model_writer dm_model_writer;
struct dm_model_writer {
  void *user;
  dm_json_out *json; /* an open object for scalars of the learner */
  /** @param shape [rank]; data has the product of shape elements. Copied. */
  dm_status (*tensor)(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data, dm_error *err);
};

typedef struct dm_model_reader dm_model_reader;
struct dm_model_reader {
  void *user;
  const dm_json *json; /* the learner's scalars */
  size_t d, n_classes; /* checked by the caller against inputs and target */
  const size_t *levels; /* [d] 0 = numeric, else number of levels: codes of the encoder, or of the input where categories pass through */
  /**
   * Tensor of exactly that type and rank; *shape filled; borrowed until the load returns.
   * DM_EINPUT when absent, of another type or rank, or when its bytes do not match its shape.
   */
  dm_status (*tensor)(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data, dm_error *err);
};

struct dm_learner {
  const char *name, *summary; /* "tree", "decision tree (CART)" */
  unsigned tasks, takes;
  const dm_param *params; /* ended by name NULL */
  dm_block_kind block;    /* what it trains on: RAW, DENSE, BINNED */
  /** How columns are encoded for it; NULL: imputed by mean and mode, one-hot, scaled as its parameter `scale` says (DM_SCALES). */
  void (*encoding)(const dm_params *params, dm_encode_options *out);
  dm_status (*train)(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err);
  /** Const, thread-safe, no allocation, same bits for every batch size. */
  dm_status (*predict)(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
  dm_status (*save)(const dm_model *model, dm_model_writer *w, dm_error *err);
  /** Everything read is bounded before use: a loaded model can be scored without further checks. */
  dm_status (*load)(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
  void (*free)(dm_model *model);
  /** Readable text of the model; names [d], levels [d] and classes may be NULL. */
  dm_status (*describe)(const dm_model *model, const struct dm_scorer *scorer, dm_buf *out, dm_error *err);
  /** JSON for the report and audit: structure for drawing (see tree.h), NULL when there is none. */
  dm_status (*draw)(const dm_model *model, const struct dm_scorer *scorer, dm_json_out *out, dm_error *err);
  /** JSON array: how one row came to its score (path in a tree), x as in dm_batch. NULL when there is nothing to show. */
  dm_status (*trace)(const dm_model *model, const struct dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err);
};

/** @return learner by name from the context's table, or NULL after filling err (DM_EUSAGE, "did you mean"). */
DM_API const dm_learner *dm_learner_find(const dm_ctx *ctx, const char *name, dm_error *err);

/* ---- scorer: the composite model that is stored and scored ------------------ */

/** One input column, in the order the model was trained with. */
typedef struct dm_input {
  const char *name;
  dm_kind kind;
  dm_type type;
  dm_levels levels;
} dm_input;

/** Target: class names with their type, or a number. */
typedef struct dm_target {
  const char *name; /* NULL: the last model learns features and has no target */
  dm_type type;     /* predictions come back in this type */
  dm_levels levels; /* n = 0 for regression */
} dm_target;

/** A model whose learned features are what the next one takes. */
typedef struct dm_stage {
  dm_encoder *encoder;
  dm_model *model;
} dm_stage;
enum { DM_STAGES_MAX = 4 }; /* the last one counted */

/**
 * Inputs -> encoder -> learner's model, with any stages that learn features before it. Owns all of it. Const and thread-safe after it
 * is made; dm_scratch is per caller.
 *
 *   values (dm_value[d], by name)  ->  raw double[d]  ->  encoded double[m]  ->  value, probabilities
 *
 *   raw[d] -> before[0].encoder -> before[0].model -> code e1 … -> before[1] … -> code e1 … -> encoder -> model
 */
typedef struct dm_scorer {
  dm_ctx *ctx;
  dm_arena *memory; /* inputs, features and target */
  size_t d;
  dm_input *inputs;
  dm_target target;
  size_t n_before;
  dm_stage *before;    /* [n_before] */
  dm_input *features;  /* what encoder takes: inputs, or where stages are before it their codes e1 … em */
  dm_encoder *encoder;
  dm_model *model;
} dm_scorer;

/**
 * @param frame columns given by `columns` become inputs (copied); encoder and model are taken over on success.
 * @param target_column SIZE_MAX = none: the model learns features.
 */
DM_API dm_status dm_scorer_new(dm_ctx *ctx, const dm_frame *frame, const size_t *columns, size_t d, size_t target_column,
                               dm_encoder *encoder, dm_model *model, dm_scorer **out, dm_error *err);
DM_API void dm_scorer_free(dm_scorer *s);
/**
 * `features` and then `last`, which was trained on the code of features' model: inputs of the one, target of the other. Both are taken
 * over on success. @return DM_EUSAGE when features' model learns none, when widths differ, or with more than DM_STAGES_MAX stages.
 */
DM_API dm_status dm_scorer_compose(dm_scorer *features, dm_scorer *last, dm_scorer **out, dm_error *err);
/** "classify", "regress", or "encode" without a target. */
DM_API const char *dm_scorer_task(const dm_scorer *s);
/** Name of what the last stage's encoder takes, for texts: an input's, or e1 … em. */
DM_API const char *dm_scorer_feature_name(const dm_scorer *s, size_t feature);
/** {"inputs":[…],"target":{…}} and back; target null = none. */
DM_API void dm_scorer_save_inputs(const dm_scorer *s, dm_json_out *json);
DM_API dm_status dm_scorer_load_inputs(dm_ctx *ctx, const dm_json *json, dm_scorer **out, dm_error *err); /* encoder and model NULL yet */
/** One typed cell to its raw double: NULL -> NaN, unseen level -> -1. DM_EINPUT: text where a number is wanted, NaN, infinity, BLOB. */
DM_API dm_status dm_scorer_bind(const dm_scorer *s, size_t input, dm_value v, double *raw, dm_error *err);

/** What scoring writes on its way, for up to `rows` rows at once. */
typedef struct dm_scratch {
  size_t rows;
  double *raw;     /* one row of codes on their way into the next encoder */
  double *encoded; /* [rows, m]; after a call, of the last stage */
  double *value, *proba, *parts;
  float *code;
  void *work;      /* dm_model.work of the stage that needs most */
  void *block;     /* all of it */
} dm_scratch;
DM_API dm_status dm_scratch_init(dm_scratch *scratch, const dm_scorer *s, dm_error *err); /* for one row */
DM_API dm_status dm_scratch_init_rows(dm_scratch *scratch, const dm_scorer *s, size_t rows, dm_error *err);
DM_API void dm_scratch_clear(dm_scratch *scratch, const dm_scorer *s);

/** What is wanted of n rows; NULL = not. */
typedef struct dm_scored {
  double *value; /* [n] regression value or class code; without a target 1 = unusual (its error is above dm_model.threshold), else 0 */
  double *score; /* [n] probability of that class, or the value; without a target the reconstruction error */
  double *proba; /* [n, n_classes] */
  float *code;   /* [n, n_code] features that the last model has learned; DM_EUSAGE when it has none */
  double *parts; /* [n, features] error of each feature, whose mean is the score, NaN = missing; DM_EUSAGE with a target */
} dm_scored;
/**
 * Scores n raw rows [n, d] row-major through all stages; any n, scratch->rows at a time. Nothing is allocated, and a row has the same bits
 * in every batch.
 */
DM_API dm_status dm_scorer_rows(const dm_scorer *s, const double *raw, size_t n, const dm_scratch *scratch, const dm_scored *out,
                                dm_error *err);
/** One row: its value, score, and proba [n_classes] or NULL. */
DM_API dm_status dm_scorer_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, double *value, double *score, double *proba,
                               dm_error *err);
/** One row's learned features. @param code [n_code] */
DM_API dm_status dm_scorer_code_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, float *code, dm_error *err);
/** One row of a model without a target. @param parts [features] */
DM_API dm_status dm_scorer_parts_row(const dm_scorer *s, const double *raw, dm_scratch *scratch, double *value, double *score, double *parts,
                                     dm_error *err);
/** Class code or value to a typed value of the target (borrowed from s). */
DM_API dm_value dm_scorer_value(const dm_scorer *s, double value);
/**
 * Scores rows of a frame by column name; every input must be there (DM_EINPUT names those that are not; extra columns are ignored).
 * Levels are matched by value, not by code. @param rows NULL = all.
 * Threads over fixed blocks of 1024 rows; same bits as dm_scorer_rows.
 */
DM_API dm_status dm_scorer_frame_rows(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, const dm_scored *out,
                                      dm_error *err);
/** @param proba [n, n_classes] or NULL. */
DM_API dm_status dm_scorer_frame(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, double *value, double *score,
                                 double *proba, dm_error *err);
/** @param code [n, n_code] */
DM_API dm_status dm_scorer_code_frame(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, float *code, dm_error *err);

/* ---- metrics ------------------------------------------------------------------- */

typedef struct dm_metric {
  const char *name; /* accuracy, balanced_accuracy, f1_macro, auc, log_loss, brier; rmse, mae, r2; reconstruction_… */
  double value;     /* NaN where undefined (AUC of one class): left out of JSON and tables */
} dm_metric;
#define DM_METRICS_MAX 12
/**
 * @param truth [n] code or value (NaN = no truth: the row is left out), @param value [n], @param proba [n, k] (classification).
 * AUC is for two classes the usual one (class code 1 positive), for more one-vs-rest, mean weighted by nothing (macro).
 * log_loss clips at 1e-15. brier: class 1 of two, the sum over all of more.
 * @param proba NULL leaves out what needs it. @return number of metrics written, 0 after filling err (DM_EBUDGET).
 */
DM_API size_t dm_metrics(dm_ctx *ctx, size_t n, size_t k, const double *truth, const double *value, const double *proba,
                         dm_metric out[DM_METRICS_MAX], dm_error *err);
/**
 * Of a model without a target: reconstruction_mse (mean part of the numbers that are given), reconstruction_log_loss (of the categories),
 * reconstruction_error (mean of the rows), unusual (share of rows above the threshold). @param rows [n], NULL = 0 … n-1.
 * @param error [n] written: that of each row; or NULL. @return number of metrics written, 0 after filling err.
 */
DM_API size_t dm_encoder_metrics(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, double *error,
                                 dm_metric out[DM_METRICS_MAX], dm_error *err);
/** counts [k, k], row = truth, column = prediction. */
DM_API void dm_confusion(size_t n, size_t k, const double *truth, const double *value, uint64_t *counts);
/** ROC of `positive` against the rest: points by falling threshold, ends included (the first threshold is infinite). @param fpr,tpr,threshold capacity n + 1. @return points, 0 when a side is empty. */
DM_API size_t dm_roc(dm_ctx *ctx, size_t n, const double *truth, const double *score, size_t stride, double positive, double *fpr, double *tpr,
                     double *threshold, double *auc, dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
