/* The objective of linear models on dense rows. */
#ifndef DM_LINEAR_PROBLEM_H
#define DM_LINEAR_PROBLEM_H

#include <dm/model.h>
#include <dm/optim.h>

/**
 * Mean loss of the rows and an L2 penalty,
 *
 *   F(w, b) = sum_i v_i loss(y_i, b + W x_i) / sum_i v_i + penalty |W|^2 / 2,
 *
 * in the coordinates that the solver sees: u_cj = w_cj scale_j, a_c = b_c + w_c'mean.
 * The loss of columns that are standardised so is round, whatever the scale of
 * the data; minimum and penalty are those of w.
 *
 *   parameters  | u_0 (d) | … | u_{outputs-1} | a (outputs) |
 *
 * A constant column has an infinite scale: its weight is 0.
 */
typedef struct linear_problem {
  dm_ctx *ctx;
  dm_arena *memory;
  const dm_loss *loss;
  size_t n, d, stride, outputs, parameters;
  const dm_dense *x;
  const double *y;       /* [n] number, or place of the class */
  const double *weights; /* [n] or NULL = all 1 */
  double total;          /* sum of the weights */
  double penalty;
  double *mean, *scale;  /* [stride] */
  double *w, *b;         /* [outputs, stride], [outputs]: the point, unscaled */
  double *v, *vb;        /* the same of a direction */
  double *sums;          /* [parameters] where no gradient is wanted */
  struct linear_room *rooms; /* one for each chunk of a wave */
  size_t wave;
} linear_problem;

/** Rows, targets and weights are checked by the caller, and borrowed. @param curvature of the loss by its score: of logistic 1/4, of squared 1 */
dm_status linear_problem_init(dm_ctx *ctx, const dm_dense *x, const double *y, const double *weights, const dm_loss *loss, size_t outputs,
                              double penalty, double curvature, linear_problem *out, dm_error *err);
void linear_problem_clear(linear_problem *p);
/** As the solver wants it; borrows p. */
dm_objective linear_objective(linear_problem *p);
/** From the solver's parameters to coefficients [outputs, d] and intercepts [outputs]. */
void linear_problem_coefficients(const linear_problem *p, const double *parameters, double *coef, double *intercept);

#endif
