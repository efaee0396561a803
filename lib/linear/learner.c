/* Logistic and linear regression in the table of methods: parameters, checks, and training by L-BFGS. */
#include "linear/model.h"
#include "linear/problem.h"
#include "model/target.h"

#include <float.h>
#include <math.h>

static const dm_param logistic_parameters[] = {
    {"C", DM_PARAM_DOUBLE, "1", 0, DBL_MAX, true, NULL, "weight of the loss against the penalty: smaller is smoother"},
    {"max_iter", DM_PARAM_INT, "1000", 1, INT32_MAX, false, NULL, "iterations of L-BFGS"},
    {"tol", DM_PARAM_DOUBLE, "1e-9", 0, 1, true, NULL, "largest component of the mean loss's gradient that ends training"},
    {"scale", DM_PARAM_CHOICE, "standard", 0, 0, false, "none|standard|minmax|robust|quantile", "what numbers are brought to before training"},
    {NULL},
};

static const dm_param linear_parameters[] = {
    {"alpha", DM_PARAM_DOUBLE, "1", 0, DBL_MAX, false, NULL, "weight of the penalty; 0: least squares"},
    {"max_iter", DM_PARAM_INT, "10000", 1, INT32_MAX, false, NULL, "iterations of L-BFGS"},
    {"tol", DM_PARAM_DOUBLE, "1e-10", 0, 1, true, NULL, "largest component of the mean loss's gradient, by the target's deviation, that ends training"},
    {"scale", DM_PARAM_CHOICE, "standard", 0, 0, false, "none|standard|minmax|robust|quantile", "what numbers are brought to before training"},
    {NULL},
};

/* One training: what it learns from, and what comes of it. */
typedef struct job {
  dm_ctx *ctx;
  const dm_learner *learner;
  const dm_params *params;
  const dm_dataset *data;
  const dm_dense *x;
  dm_learned target;
} job;

/* ---- what can be learned from ------------------------------------------------------ */

static dm_status check_cells(const job *j, dm_error *err) {
  for (size_t i = 0; i < j->x->n; i++)
    for (size_t c = 0; c < j->x->d; c++)
      if (!isfinite(j->x->x[i * j->x->stride + c])) {
        (void)dm_fail(err, DM_EINPUT, "%s: row %zu holds a number beyond 3.4e38 in encoded column %zu", j->learner->name, i + 1, c + 1);
        dm_error_hint(err, "--scale standard brings columns near 1");
        return DM_EINPUT;
      }
  return DM_OK;
}

static dm_status read_data(job *j, dm_error *err) {
  const dm_block *block = dm_dataset_block(j->data, DM_BLOCK_DENSE);
  if (!block || block->d == 0) return dm_fail(err, DM_EINPUT, "%s: there is no column to learn from", j->learner->name);
  j->x = block->dense;
  dm_status s = check_cells(j, err);
  return s == DM_OK ? dm_learned_read(j->ctx, j->learner->name, j->data, LINEAR_MAX_CLASSES, &j->target, err) : s;
}

/* ---- training ------------------------------------------------------------------------- */

static dm_status solve(const job *j, linear_problem *problem, double *parameters, dm_lbfgs_result *result, dm_error *err) {
  dm_objective f = linear_objective(problem);
  dm_lbfgs_options o = {.max_iterations = (size_t)dm_params_int(j->params, "max_iter"), .gradient_tolerance = dm_params_double(j->params, "tol"),
                        .what = j->learner->name};
  dm_status s = dm_lbfgs(j->ctx, &f, &o, parameters, result, err);
  if (s == DM_OK && !result->converged && result->iterations == o.max_iterations)
    dm_log(j->ctx, DM_LOG_WARNING, "%s: stopped after %zu iterations with a gradient of %.2g, tol is %.2g; raise --max-iter or the penalty",
           j->learner->name, result->iterations, result->gradient, o.gradient_tolerance);
  return s;
}

static void unscale_target(const job *j, linear_model *m) {
  for (size_t c = 0; c < m->base.d; c++) m->coef[c] *= j->target.scale;
  m->intercept[0] = m->intercept[0] * j->target.scale + j->target.mean;
}

static dm_status check_result(const linear_model *m, dm_error *err) {
  bool finite = true;
  for (size_t i = 0; i < m->outputs * m->base.d; i++) finite &= isfinite(m->coef[i]) != 0;
  for (size_t i = 0; i < m->outputs; i++) finite &= isfinite(m->intercept[i]) != 0;
  return finite ? DM_OK : dm_fail(err, DM_EINPUT, "%s: a coefficient is beyond what double holds", m->base.learner->name);
}

static dm_status fit(const job *j, linear_model *m, dm_error *err) {
  const dm_loss *loss = dm_loss_find(!j->data->n_classes ? "squared" : m->outputs > 1 ? "softmax" : "logistic", err);
  double strength, given;
  if (!loss) return DM_EINTERNAL;
  if (j->data->n_classes) {
    given = dm_params_double(j->params, "C");
    strength = 1 / given / j->target.total;
  } else {
    given = dm_params_double(j->params, "alpha");
    strength = given / j->target.total;
  }
  if (!isfinite(strength)) return dm_fail(err, DM_EUSAGE, "%s: %s = %g is too small", j->learner->name, linear_penalty_name(m), given);
  linear_problem problem;
  dm_lbfgs_result result;
  dm_status s = linear_problem_init(j->ctx, j->x, j->target.y, j->data->weights, loss, m->outputs, strength, j->data->n_classes ? 0.25 : 1, &problem, err);
  if (s != DM_OK) return s;
  double *parameters = dm_alloc(j->ctx, problem.parameters, sizeof *parameters, "coefficients", err);
  s = parameters ? solve(j, &problem, parameters, &result, err) : DM_EBUDGET;
  if (s == DM_OK) {
    linear_problem_coefficients(&problem, parameters, m->coef, m->intercept);
    if (!j->data->n_classes) unscale_target(j, m);
    m->penalty = given;
    m->iterations = (int64_t)result.iterations;
    s = check_result(m, err);
  }
  dm_free(j->ctx, parameters);
  linear_problem_clear(&problem);
  return s;
}

static dm_status train(dm_ctx *ctx, const dm_learner *learner, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  job j = {.ctx = ctx, .learner = learner, .params = params, .data = training->train};
  linear_model *m = NULL;
  dm_status s = read_data(&j, err);
  if (s == DM_OK) s = linear_model_new(ctx, learner, j.x->d, j.data->n_classes, j.target.fitted, &m, err);
  for (size_t c = 0; s == DM_OK && c < j.target.fitted; c++) m->classes[c] = j.target.classes[c];
  if (s == DM_OK) s = fit(&j, m, err);
  dm_learned_clear(ctx, &j.target);
  if (s != DM_OK) {
    linear_free(m ? &m->base : NULL);
    return s;
  }
  linear_model_finish(m);
  *out = &m->base;
  return DM_OK;
}

static dm_status train_logistic(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  return train(ctx, &dm_learner_logistic, training, params, out, err);
}

static dm_status train_linear(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  return train(ctx, &dm_learner_linear, training, params, out, err);
}

const dm_learner dm_learner_logistic = {
    .name = "logistic",
    .summary = "logistic regression (L2)",
    .tasks = DM_CLASSIFY,
    .takes = DM_SCALES | DM_TAKES_WEIGHTS | DM_NEEDS_TARGET | DM_PREDICTS_CHEAPLY,
    .params = logistic_parameters,
    .block = DM_BLOCK_DENSE,
    .train = train_logistic,
    .predict = linear_predict,
    .save = linear_save,
    .load = logistic_load,
    .free = linear_free,
    .describe = linear_describe,
    .trace = linear_trace,
};

const dm_learner dm_learner_linear = {
    .name = "linear",
    .summary = "linear regression (L2)",
    .tasks = DM_REGRESS,
    .takes = DM_SCALES | DM_TAKES_WEIGHTS | DM_NEEDS_TARGET | DM_PREDICTS_CHEAPLY,
    .params = linear_parameters,
    .block = DM_BLOCK_DENSE,
    .train = train_linear,
    .predict = linear_predict,
    .save = linear_save,
    .load = linear_load,
    .free = linear_free,
    .describe = linear_describe,
    .trace = linear_trace,
};
