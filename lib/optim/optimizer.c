/*
 * First-order optimizers: one table, one step function each.
 *
 * State is one block of floats, a part of n for each moment:
 *
 *   momentum, nesterov  | b |          adagrad, rmsprop  | a |          adam, adamw  | m | v |
 *
 * Scalars are made in double and rounded to float where PyTorch does so.
 */
#include <dm/optim.h>
#include <dm/text.h>

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct method {
  const char *name;
  size_t moments;
  dm_optimizer_options otherwise;
  void (*step)(dm_optimizer *o, float *w, const float *g);
} method;

struct dm_optimizer {
  dm_ctx *ctx;
  const method *method;
  dm_optimizer_options options;
  size_t n;
  uint64_t t;
  float *state; /* [moments * n] */
};

/* ---- steps: o->t is already that of this step ---------------------------------- */

/* w -= lr (g + decay w) */
static void sgd_step(dm_optimizer *o, float *w, const float *g) {
  float lr = (float)o->options.lr, decay = (float)o->options.weight_decay;
  for (size_t i = 0; i < o->n; i++) w[i] -= lr * (g[i] + decay * w[i]);
}

/* b = m b + g; the first b is g, which m 0 + g is, too */
static void momentum_step(dm_optimizer *o, float *w, const float *g) {
  float lr = (float)o->options.lr, decay = (float)o->options.weight_decay, m = (float)o->options.momentum, *b = o->state;
  for (size_t i = 0; i < o->n; i++) {
    b[i] = m * b[i] + (g[i] + decay * w[i]);
    w[i] -= lr * b[i];
  }
}

/* w -= lr (g + m b) */
static void nesterov_step(dm_optimizer *o, float *w, const float *g) {
  float lr = (float)o->options.lr, decay = (float)o->options.weight_decay, m = (float)o->options.momentum, *b = o->state;
  for (size_t i = 0; i < o->n; i++) {
    float d = g[i] + decay * w[i];
    b[i] = m * b[i] + d;
    w[i] -= lr * (d + m * b[i]);
  }
}

/* a += g^2; w -= lr g / (sqrt(a) + eps) */
static void adagrad_step(dm_optimizer *o, float *w, const float *g) {
  float lr = (float)o->options.lr, decay = (float)o->options.weight_decay, eps = (float)o->options.epsilon, *a = o->state;
  for (size_t i = 0; i < o->n; i++) {
    float d = g[i] + decay * w[i];
    a[i] += d * d;
    w[i] -= lr * d / (sqrtf(a[i]) + eps);
  }
}

/* a = r a + (1 - r) g^2 */
static void rmsprop_step(dm_optimizer *o, float *w, const float *g) {
  float lr = (float)o->options.lr, decay = (float)o->options.weight_decay, eps = (float)o->options.epsilon, *a = o->state;
  float keep = (float)o->options.rho, take = (float)(1 - o->options.rho);
  for (size_t i = 0; i < o->n; i++) {
    float d = g[i] + decay * w[i];
    a[i] = keep * a[i] + take * d * d;
    w[i] -= lr * d / (sqrtf(a[i]) + eps);
  }
}

/* Both Adams: `decay` goes into the gradient, `shrink` multiplies the weights. */
static void adam_moments(dm_optimizer *o, float *w, const float *g, float decay, float shrink) {
  const dm_optimizer_options *p = &o->options;
  double t = (double)o->t, root = sqrt(1 - pow(p->beta2, t));
  float rate = (float)(p->lr / (1 - pow(p->beta1, t))), eps = (float)p->epsilon, unbias = (float)root;
  float keep1 = (float)p->beta1, take1 = (float)(1 - p->beta1), keep2 = (float)p->beta2, take2 = (float)(1 - p->beta2);
  float *m = o->state, *v = o->state + o->n;
  for (size_t i = 0; i < o->n; i++) {
    float d = g[i] + decay * w[i];
    m[i] = keep1 * m[i] + take1 * d;
    v[i] = keep2 * v[i] + take2 * d * d;
    w[i] = shrink * w[i] - rate * m[i] / (sqrtf(v[i]) / unbias + eps);
  }
}

static void adam_step(dm_optimizer *o, float *w, const float *g) { adam_moments(o, w, g, (float)o->options.weight_decay, 1); }

static void adamw_step(dm_optimizer *o, float *w, const float *g) {
  adam_moments(o, w, g, 0, (float)(1 - o->options.lr * o->options.weight_decay));
}

/* ---- the table ---------------------------------------------------------------------- */

static const method methods[] = {
    {"sgd", 0, {.lr = 0.01, .epsilon = 1e-8}, sgd_step},
    {"momentum", 1, {.lr = 0.01, .momentum = 0.9, .epsilon = 1e-8}, momentum_step},
    {"nesterov", 1, {.lr = 0.01, .momentum = 0.9, .epsilon = 1e-8}, nesterov_step},
    {"adagrad", 1, {.lr = 0.01, .epsilon = 1e-10}, adagrad_step},
    {"rmsprop", 1, {.lr = 0.01, .rho = 0.99, .epsilon = 1e-8}, rmsprop_step},
    {"adam", 2, {.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, adam_step},
    {"adamw", 2, {.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01}, adamw_step},
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

/* Index of the first NaN or infinity, n when there is none. The first loop has no way out, so that it is vectorised. */
static size_t first_bad(size_t n, const float *x) {
  unsigned bad = 0;
  for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= FLT_MAX);
  size_t i = 0;
  while (bad && fabsf(x[i]) <= FLT_MAX) i++;
  return bad ? i : n;
}

dm_status dm_optimizer_step(dm_optimizer *o, float *w, const float *g, dm_error *err) {
  size_t at = first_bad(o->n, g);
  if (at < o->n) return dm_fail(err, DM_EINPUT, "%s: the gradient of parameter %zu is %g, want a finite number", o->method->name, at, (double)g[at]);
  o->t++;
  o->method->step(o, w, g);
  at = first_bad(o->n, w);
  if (at == o->n) return DM_OK;
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
  bool squares = o->method->step == adagrad_step || o->method->step == rmsprop_step;
  for (size_t i = squares ? 0 : o->n; i < n; i++)
    if (state[i] < 0) return dm_fail(err, DM_EINPUT, "%s: number %zu of the state is %g, want >= 0", o->method->name, i, (double)state[i]);
  if (n) memcpy(o->state, state, n * sizeof *state);
  o->t = t;
  return DM_OK;
}
