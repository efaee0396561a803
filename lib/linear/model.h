/* The linear model that is scored, saved and described. */
#ifndef DM_LINEAR_MODEL_H
#define DM_LINEAR_MODEL_H

#include <dm/linear.h>

enum { LINEAR_MAX_CLASSES = 65535 };

typedef struct linear_model {
  dm_model base;
  dm_arena *memory;
  size_t outputs;    /* 1 for a regression or two classes */
  size_t fitted;     /* classes that had rows; 0 for a regression */
  uint32_t *classes; /* [fitted] their codes, ascending */
  double *coef;      /* [outputs, d] */
  double *intercept; /* [outputs] */
  double *by_column; /* [d, outputs] coef as scoring reads it */
  double penalty;    /* C or alpha */
  int64_t iterations;
} linear_model;

/** A model with room for its numbers, to be filled and then given to linear_model_finish. */
dm_status linear_model_new(dm_ctx *ctx, const dm_learner *learner, size_t d, size_t n_classes, size_t fitted, linear_model **out,
                           dm_error *err);
void linear_model_finish(linear_model *m);
void linear_free(dm_model *model);
/** Name of the strength of the penalty: "C" or "alpha". */
const char *linear_penalty_name(const linear_model *m);

dm_status linear_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
dm_status linear_save(const dm_model *model, dm_model_writer *w, dm_error *err);
dm_status logistic_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status linear_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status linear_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err);
dm_status linear_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err);

/** Appends the name of an encoded column, "x3" when there is no scorer. */
void linear_print_column(const dm_scorer *scorer, size_t column, dm_buf *out);
/** Appends the class of an output. */
void linear_print_class(const linear_model *m, const dm_scorer *scorer, size_t output, dm_buf *out);

#endif
