/*
 * The loops of the optimizers, element by element: the same bits at every SIMD
 * level and for any number of threads.
 */
#ifndef DM_OPTIM_UPDATE_H
#define DM_OPTIM_UPDATE_H

#include <dm/core.h>

typedef enum update_rule { UPDATE_SGD, UPDATE_MOMENTUM, UPDATE_NESTEROV, UPDATE_ADAGRAD, UPDATE_RMSPROP, UPDATE_ADAM } update_rule;

/* Scalars of one step, rounded to float where PyTorch does so; those a rule has no use for are not read. */
typedef struct update_scalars {
  float lr, epsilon;
  float decay;        /* times w is added to the gradient */
  float momentum;
  float keep1, take1; /* of the mean of gradients: m = keep1 m + take1 g */
  float keep2, take2; /* of the mean of their squares */
  float unbias;       /* of Adam: times sqrt(v) */
  float shrink;       /* of AdamW: the weights are multiplied by it */
} update_scalars;

/** Whether no number is NaN or infinite. */
bool dm_update_finite(dm_ctx *ctx, size_t n, const float *x);
/** One step. @param a,b [n] first and second moment, NULL where the rule has none. @return whether all of w is finite after it */
bool dm_update(dm_ctx *ctx, update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b);

#endif
