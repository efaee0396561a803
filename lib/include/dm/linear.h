/**
 * linear: logistic and linear regression.
 */
#ifndef DM_LINEAR_H
#define DM_LINEAR_H

#include <dm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Logistic regression with L2 penalty; the intercept is not penalised.
 *
 *   two classes   C sum_i log(1 + exp(-t_i z_i)) + |w|^2 / 2       p_1 = 1 / (1 + exp(-z))
 *   more          C sum_i -log p_{y_i} + |W|^2 / 2                  p_c = exp(z_c) / sum_j exp(z_j)
 *
 * z = intercept + w'x on encoded columns, as scikit-learn has it; L-BFGS in
 * double. Classes without a training row have probability 0.
 *
 * Stored tensors (m classes with rows, o = 1 for m = 2, else m):
 *   coef f64[o, d]  intercept f64[o]  classes i32[m] (codes, ascending; the one output is the score of classes[1])
 *
 * trace gives [{"term":"intercept","class":…,"contribution":b}, {"term","value","weight","contribution"}…, {"score":z}]: what each
 * encoded column adds to the score of the predicted class (of two classes: of the second); columns that add 0 are left out.
 * A regression has no "class".
 */
extern DM_API const dm_learner dm_learner_logistic;

/** Linear regression: sum_i (y_i - z_i)^2 + alpha |w|^2, alpha = 0 is least squares. Tensors as above, o = 1, no classes. */
extern DM_API const dm_learner dm_learner_linear;

#ifdef __cplusplus
}
#endif
#endif
