/*
 * First-order optimizers: one table; the loops are in update.c.
 *
 * State is one block of floats, a part of n for each moment:
 *
 *   momentum, nesterov  | b |          adagrad, rmsprop  | a |          adam, adamw  | m | v |
 *
 * Scalars are made in double and rounded to float where PyTorch does so.
 */
#include "optim/update.h"

#include <dm/optim.h>
#include <dm/text.h>

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct method {
  const char *name;
  size_t moments;
  dm_optimizer_options otherwise;
  update_rule rule;
  bool decoupled; /* weight decay beside the gradient, not in it */
} method;

struct dm_optimizer {
  dm_ctx *ctx;
  const method *method;
  dm_optimizer_options options;
  size_t n;
  uint64_t t;
  float *state; /* [moments * n] */
};

/* ---- scalars of a step: o->t is already that of this step -------------------------- */

/* Both Adams: `decay` goes into the gradient, `shrink` multiplies the weights. */
static update_scalars adam_scalars(const dm_optimizer *o) {
  const dm_optimizer_options *p = &o->options;
  double t = (double)o->t;
  bool decoupled = o->method->decoupled;
  return (update_scalars){.lr = (float)(p->lr / (1 - pow(p->beta1, t))),
                          .epsilon = (float)p->epsilon,
                          .decay = decoupled ? 0 : (float)p->weight_decay,
                          .keep1 = (float)p->beta1,
                          .take1 = (float)(1 - p->beta1),
                          .keep2 = (float)p->beta2,
                          .take2 = (float)(1 - p->beta2),
                          .unbias = (float)(1 / sqrt(1 - pow(p->beta2, t))),
                          .shrink = decoupled ? (float)(1 - p->lr * p->weight_decay) : 1};
}

static update_scalars scalars(const dm_optimizer *o) {
  const dm_optimizer_options *p = &o->options;
  if (o->method->rule == UPDATE_ADAM) return adam_scalars(o);
  return (update_scalars){.lr = (float)p->lr,
                          .epsilon = (float)p->epsilon,
                          .decay = (float)p->weight_decay,
                          .momentum = (float)p->momentum,
                          .keep2 = (float)p->rho,
                          .take2 = (float)(1 - p->rho)};
}

/* ---- the table ---------------------------------------------------------------------- */

static const method methods[] = {
    {"sgd", 0, {.lr = 0.01, .epsilon = 1e-8}, UPDATE_SGD},
    {"momentum", 1, {.lr = 0.01, .momentum = 0.9, .epsilon = 1e-8}, UPDATE_MOMENTUM},
    {"nesterov", 1, {.lr = 0.01, .momentum = 0.9, .epsilon = 1e-8}, UPDATE_NESTEROV},
    {"adagrad", 1, {.lr = 0.01, .epsilon = 1e-10}, UPDATE_ADAGRAD},
    {"rmsprop", 1, {.lr = 0.01, .rho = 0.99, .epsilon = 1e-8}, UPDATE_RMSPROP},
    {"adam", 2, {.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, UPDATE_ADAM},
    {"adamw", 2, {.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01}, UPDATE_ADAM, true},
};
enum { METHODS = sizeof methods / sizeof *methods };

static const method *find(const char *name, dm_error *err) {
  const char *names[METHODS];
  for (size_t i = 0; i < METHODS; i++) {
    if (name && strcmp(methods[i].name, name) == 0) return &methods[i];
    names[i] = methods[i].name;
  }
  (void)dm_fail(err, DM_EUSAGE, "optimizer '%s' is not known", name ? name : "");
  const char *near = name ? dm_text_nearest(name, names, METHODS) : NULL;
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return NULL;
}

dm_status dm_optimizer_defaults(const char *name, dm_optimizer_options *out, dm_error *err) {
  const method *m = find(name, err);
  if (!m) return DM_EUSAGE;
  *out = m->otherwise;
  out->method = m->name;
  return DM_OK;
}

/* ---- making --------------------------------------------------------------------------- */

static dm_status check_options(const dm_optimizer_options *o, dm_error *err) {
  const struct {
    const char *name;
    double value;
    bool fits;
    const char *wanted;
  } fields[] = {
      {"lr", o->lr, o->lr > 0 && o->lr <= (double)FLT_MAX, "a number > 0"},
      {"momentum", o->momentum, o->momentum >= 0 && o->momentum < 1, ">= 0 and < 1"},
      {"rho", o->rho, o->rho >= 0 && o->rho < 1, ">= 0 and < 1"},
      {"beta1", o->beta1, o->beta1 >= 0 && o->beta1 < 1, ">= 0 and < 1"},
      {"beta2", o->beta2, o->beta2 >= 0 && o->beta2 < 1, ">= 0 and < 1"},
      {"epsilon", o->epsilon, o->epsilon > 0 && o->epsilon <= (double)FLT_MAX, "a number > 0"},
      {"weight-decay", o->weight_decay, o->weight_decay >= 0 && o->weight_decay <= (double)FLT_MAX, "a number >= 0"},
  };
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (!fields[i].fits) return dm_fail(err, DM_EUSAGE, "%s: %s = %g, want %s", o->method, fields[i].name, fields[i].value, fields[i].wanted);
  return DM_OK;
}

dm_status dm_optimizer_new(dm_ctx *ctx, size_t n, const dm_optimizer_options *options, dm_optimizer **out, dm_error *err) {
  const method *m = find(options->method, err);
  dm_status s = m ? check_options(options, err) : DM_EUSAGE;
  size_t floats;
  if (s != DM_OK) return s;
  if (!dm_size_mul(n, m->moments, &floats)) return dm_fail(err, DM_EBUDGET, "%s: state of %zu parameters is more than memory can hold", m->name, n);
  dm_optimizer *o = dm_alloc(ctx, 1, sizeof *o, "optimizer", err);
  if (!o) return DM_EBUDGET;
  *o = (dm_optimizer){.ctx = ctx, .method = m, .options = *options, .n = n};
  o->options.method = m->name;
  if (!(o->state = dm_alloc(ctx, floats, sizeof *o->state, "optimizer state", err))) {
    dm_free(ctx, o);
    return DM_EBUDGET;
  }
  *out = o;
  return DM_OK;
}

void dm_optimizer_free(dm_optimizer *o) {
  if (!o) return;
  dm_free(o->ctx, o->state);
  dm_free(o->ctx, o);
}

dm_status dm_optimizer_set_lr(dm_optimizer *o, double lr, dm_error *err) {
  if (!(lr >= 0 && lr <= (double)FLT_MAX)) return dm_fail(err, DM_EUSAGE, "%s: lr = %g, want a number >= 0", o->method->name, lr);
  o->options.lr = lr;
  return DM_OK;
}

/* ---- steps ------------------------------------------------------------------------------- */

/* Index of the first NaN or infinity, n when there is none. */
static size_t first_bad(size_t n, const float *x) {
  size_t i = 0;
  while (i < n && fabsf(x[i]) <= FLT_MAX) i++;
  return i;
}

dm_status dm_optimizer_step(dm_optimizer *o, float *w, const float *g, dm_error *err) {
  if (!dm_update_finite(o->ctx, o->n, g)) {
    size_t at = first_bad(o->n, g);
    return dm_fail(err, DM_EINPUT, "%s: the gradient of parameter %zu is %g, want a finite number", o->method->name, at, (double)g[at]);
  }
  o->t++;
  update_scalars s = scalars(o);
  float *first = o->method->moments > 0 ? o->state : NULL, *second = o->method->moments > 1 ? o->state + o->n : NULL;
  if (dm_update(o->ctx, o->method->rule, &s, o->n, w, g, first, second)) return DM_OK;
  size_t at = first_bad(o->n, w);
  (void)dm_fail(err, DM_EINPUT, "%s: parameter %zu became %g in step %llu", o->method->name, at, (double)w[at], (unsigned long long)o->t);
  dm_error_hint(err, "a smaller learning rate, or clipping the gradient, keeps it finite");
  return DM_EINPUT;
}

uint64_t dm_optimizer_t(const dm_optimizer *o) { return o->t; }

const float *dm_optimizer_state(const dm_optimizer *o, size_t *n) {
  *n = o->n * o->method->moments;
  return o->state;
}

dm_status dm_optimizer_restore(dm_optimizer *o, uint64_t t, const float *state, size_t n, dm_error *err) {
  size_t own = o->n * o->method->moments;
  if (n != own) return dm_fail(err, DM_EINPUT, "%s: a state of %zu numbers, want %zu", o->method->name, n, own);
  size_t at = first_bad(n, state);
  if (at < n) return dm_fail(err, DM_EINPUT, "%s: number %zu of the state is %g", o->method->name, at, (double)state[at]);
  bool squares = o->method->rule == UPDATE_ADAGRAD || o->method->rule == UPDATE_RMSPROP;
  for (size_t i = squares ? 0 : o->n; i < n; i++)
    if (state[i] < 0) return dm_fail(err, DM_EINPUT, "%s: number %zu of the state is %g, want >= 0", o->method->name, i, (double)state[i]);
  if (n) memcpy(o->state, state, n * sizeof *state);
  o->t = t;
  return DM_OK;
}
