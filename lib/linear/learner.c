/* Logistic and linear regression in the table of methods: parameters, checks, and training by L-BFGS. */
#include "linear/model.h"
#include "linear/problem.h"

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
  double *y;          /* [n] place of the class, or the target by its deviation from the mean */
  uint32_t *classes;  /* [fitted] */
  size_t fitted;
  double total;       /* sum of the weights */
  double mean, scale; /* of a regression's target */
} job;

/* ---- what can be learned from ------------------------------------------------------ */

static dm_status refuse(const job *j, const char *what, const char *hint, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "%s: %s", j->learner->name, what);
  if (hint) dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

static double weight_of(const job *j, size_t i) { return j->data->weights ? j->data->weights[i] : 1; }

static dm_status check_weights(job *j, dm_error *err) {
  for (size_t i = 0; i < j->data->n; i++) {
    double w = weight_of(j, i);
    if (!(w >= 0) || isinf(w)) return dm_fail(err, DM_EINPUT, "%s: the weight of row %zu is %g, want >= 0", j->learner->name, i + 1, w);
    j->total += w;
  }
  if (isinf(j->total)) return refuse(j, "the weights add up to more than double holds", NULL, err);
  return j->total > 0 ? DM_OK : refuse(j, "all weights are 0", NULL, err);
}

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

/* Classes with rows that weigh get places 0, 1, … in the order of their codes. */
static dm_status read_classes(job *j, dm_error *err) {
  size_t k = j->data->n_classes;
  const double *target = j->data->target;
  if (k > LINEAR_MAX_CLASSES)
    return dm_fail(err, DM_EINPUT, "%s: the target has %zu classes, want at most %d", j->learner->name, k, LINEAR_MAX_CLASSES);
  uint32_t *place = dm_alloc(j->ctx, k, sizeof *place, "classes", err);
  j->classes = place ? dm_alloc(j->ctx, k, sizeof *j->classes, "classes", err) : NULL;
  dm_status s = j->classes ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < j->data->n; i++) {
    if (target[i] >= 0 && target[i] < (double)k)
      place[(size_t)target[i]] |= weight_of(j, i) > 0;
    else
      s = dm_fail(err, DM_EINPUT, "%s: row %zu has no class", j->learner->name, i + 1);
  }
  for (size_t c = 0; s == DM_OK && c < k; c++) {
    if (!place[c]) continue;
    place[c] = (uint32_t)j->fitted;
    j->classes[j->fitted++] = (uint32_t)c;
  }
  for (size_t i = 0; s == DM_OK && i < j->data->n; i++) j->y[i] = (double)place[(size_t)target[i]];
  dm_free(j->ctx, place);
  if (s == DM_OK && j->fitted < 2)
    s = refuse(j, "all rows are of one class: nothing to learn", "look at the target column, or at the rows that were selected", err);
  return s;
}

/* The target in units of its deviation: tolerances mean the same for every target. */
static dm_status read_numbers(job *j, dm_error *err) {
  const double *target = j->data->target;
  double mean = 0, square = 0;
  for (size_t i = 0; i < j->data->n; i++) {
    if (!isfinite(target[i]))
      return dm_fail(err, DM_EINPUT, "%s: the target of row %zu is %s", j->learner->name, i + 1, isnan(target[i]) ? "missing" : "infinite");
    mean += weight_of(j, i) / j->total * target[i];
  }
  for (size_t i = 0; i < j->data->n; i++) square += weight_of(j, i) / j->total * (target[i] - mean) * (target[i] - mean);
  if (!isfinite(mean) || !isfinite(square)) return refuse(j, "the target reaches too far for double to be averaged", "take logarithms or another unit in a recipe", err);
  j->mean = mean;
  j->scale = square > 0 ? sqrt(square) : 1;
  for (size_t i = 0; i < j->data->n; i++) j->y[i] = (target[i] - mean) / j->scale;
  return DM_OK;
}

static dm_status read_data(job *j, dm_error *err) {
  const dm_block *block = dm_dataset_block(j->data, DM_BLOCK_DENSE);
  if (!block || block->d == 0) return refuse(j, "there is no column to learn from", NULL, err);
  if (!j->data->target) return refuse(j, "there is no target", "name one with --target", err);
  if (j->data->n < 2) return dm_fail(err, DM_EINPUT, "%s: %zu row%s to learn from, want 2 or more", j->learner->name, j->data->n, j->data->n == 1 ? "" : "s");
  j->x = block->dense;
  dm_status s = check_weights(j, err);
  if (s == DM_OK) s = check_cells(j, err);
  if (s == DM_OK && !(j->y = dm_alloc(j->ctx, j->data->n, sizeof *j->y, "target", err))) s = DM_EBUDGET;
  if (s == DM_OK) s = j->data->n_classes ? read_classes(j, err) : read_numbers(j, err);
  return s;
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
  for (size_t c = 0; c < m->base.d; c++) m->coef[c] *= j->scale;
  m->intercept[0] = m->intercept[0] * j->scale + j->mean;
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
    strength = 1 / given / j->total;
  } else {
    given = dm_params_double(j->params, "alpha");
    strength = given / j->total;
  }
  if (!isfinite(strength)) return dm_fail(err, DM_EUSAGE, "%s: %s = %g is too small", j->learner->name, linear_penalty_name(m), given);
  linear_problem problem;
  dm_lbfgs_result result;
  dm_status s = linear_problem_init(j->ctx, j->x, j->y, j->data->weights, loss, m->outputs, strength, j->data->n_classes ? 0.25 : 1, &problem, err);
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
  if (s == DM_OK) s = linear_model_new(ctx, learner, j.x->d, j.data->n_classes, j.fitted, &m, err);
  for (size_t c = 0; s == DM_OK && c < j.fitted; c++) m->classes[c] = j.classes[c];
  if (s == DM_OK) s = fit(&j, m, err);
  dm_free(ctx, j.y);
  dm_free(ctx, j.classes);
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
