/*
 * Limited-memory BFGS.
 *
 * The last m pairs s = w' - w, y = g' - g stand in rings of rows; the
 * direction is -H g by the two-loop recursion, H0 = (s'y / y'y) I.
 *
 * Source: Nocedal & Wright, 2006, Alg. 7.4 and 7.5.
 */
#include "optim/line_search.h"

#include <math.h>
#include <string.h>

enum { MEMORY = 10, MAX_ITERATIONS = 15000, MAX_STALLED = 10 };

typedef struct solver {
  dm_ctx *ctx;
  const dm_objective *f;
  dm_lbfgs_options o;
  size_t n, pairs, next;     /* pairs kept, place of the next one */
  double *w, *g, *direction; /* [n] */
  double *at, *at_g;         /* [n] point of the line search */
  double *s, *y;             /* [m, n] */
  double *rho, *alpha;       /* [m] */
  double value;
  double lowest, flattest;   /* value and gradient so far */
  size_t stalled;            /* iterations since either fell */
  dm_lbfgs_result result;
} solver;

static double dot(size_t n, const double *a, const double *b) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static double largest(size_t n, const double *x) {
  double m = 0;
  for (size_t i = 0; i < n; i++) m = fmax(m, fabs(x[i]));
  return m;
}

/* Pair i back from the newest, 0 … pairs - 1. */
static size_t pair_at(const solver *v, size_t i) { return (v->next + v->o.memory - 1 - i) % v->o.memory; }

/* Alg. 7.4: direction = -H g. */
static void find_direction(solver *v) {
  double *q = v->direction;
  size_t n = v->n;
  for (size_t i = 0; i < n; i++) q[i] = -v->g[i];
  for (size_t i = 0; i < v->pairs; i++) {
    size_t p = pair_at(v, i);
    v->alpha[p] = v->rho[p] * dot(n, v->s + p * n, q);
    for (size_t j = 0; j < n; j++) q[j] -= v->alpha[p] * v->y[p * n + j];
  }
  if (v->pairs) {
    const double *y = v->y + pair_at(v, 0) * n;
    double scale = 1 / (v->rho[pair_at(v, 0)] * dot(n, y, y));
    for (size_t j = 0; j < n; j++) q[j] *= scale;
  }
  for (size_t i = v->pairs; i-- > 0;) {
    size_t p = pair_at(v, i);
    double beta = v->rho[p] * dot(n, v->y + p * n, q);
    for (size_t j = 0; j < n; j++) q[j] += (v->alpha[p] - beta) * v->s[p * n + j];
  }
}

/* Keeps the pair of the step to (at, at_g) when it curves upwards, and goes there. */
static void take_step(solver *v, const line_point *p) {
  size_t n = v->n;
  double *s = v->s + v->next * n, *y = v->y + v->next * n;
  for (size_t i = 0; i < n; i++) s[i] = v->at[i] - v->w[i];
  for (size_t i = 0; i < n; i++) y[i] = v->at_g[i] - v->g[i];
  double curvature = dot(n, s, y), squares = dot(n, y, y);
  if (curvature > 1e-16 * squares && squares > 0) { /* else H would lose its definiteness */
    v->rho[v->next] = 1 / curvature;
    v->next = (v->next + 1) % v->o.memory;
    if (v->pairs < v->o.memory) v->pairs++;
  }
  memcpy(v->w, v->at, n * sizeof *v->w);
  memcpy(v->g, v->at_g, n * sizeof *v->g);
  v->value = p->value;
}

/* Counts iterations that only walk about in the noise of rounding. */
static bool is_stalled(solver *v) {
  double gradient = largest(v->n, v->g);
  bool better = v->value < v->lowest || gradient < v->flattest;
  v->lowest = fmin(v->value, v->lowest);
  v->flattest = fmin(gradient, v->flattest);
  v->stalled = better ? 0 : v->stalled + 1;
  return v->stalled >= MAX_STALLED;
}

/* One iteration. @param stop set with a reason when nothing lower can be found. */
static dm_status iterate(solver *v, bool *stop, dm_error *err) {
  double before = v->value;
  for (;;) {
    find_direction(v);
    double slope = dot(v->n, v->g, v->direction), first = v->pairs ? 1 : fmin(1, 1 / sqrt(dot(v->n, v->g, v->g)));
    line l = {.f = v->f, .from = v->w, .direction = v->direction, .at = v->at, .gradient = v->at_g, .start = {0, v->value, slope}};
    line_point p = l.start;
    bool found = false;
    dm_status s = slope < 0 ? dm_line_search(&l, first, &p, &found, err) : DM_OK;
    v->result.evaluations += l.evaluations;
    if (s != DM_OK) return s;
    if (found) {
      take_step(v, &p);
      break;
    }
    if (v->pairs == 0) {
      v->result.reason = "precision";
      *stop = true;
      return DM_OK;
    }
    v->pairs = v->next = 0; /* once more along the gradient */
  }
  v->result.iterations++;
  if (is_stalled(v)) {
    v->result.reason = "precision";
    *stop = true;
    return DM_OK;
  }
  double fall = (before - v->value) / fmax(fmax(fabs(before), fabs(v->value)), 1);
  if (v->o.value_tolerance > 0 && fall <= v->o.value_tolerance) {
    v->result.reason = "value";
    v->result.converged = *stop = true;
  }
  return DM_OK;
}

static dm_status solve(solver *v, dm_error *err) {
  dm_status s = v->f->evaluate(v->f->user, v->w, &v->value, v->g, err);
  v->result.evaluations = 1;
  if (s != DM_OK) return s;
  v->lowest = v->flattest = (double)INFINITY;
  if (!isfinite(v->value)) return dm_fail(err, DM_EINPUT, "L-BFGS: the value at the start is %g, want a finite number", v->value);
  for (size_t i = 0; i < v->n; i++)
    if (!isfinite(v->g[i])) return dm_fail(err, DM_EINPUT, "L-BFGS: the gradient of parameter %zu at the start is %g, want a finite number", i, v->g[i]);
  for (bool stop = false; s == DM_OK && !stop;) {
    if (largest(v->n, v->g) <= v->o.gradient_tolerance) {
      v->result.reason = "gradient";
      v->result.converged = true;
      break;
    }
    if (v->result.iterations == v->o.max_iterations) {
      v->result.reason = "iterations";
      break;
    }
    s = dm_ctx_check(v->ctx, err);
    if (s == DM_OK) s = iterate(v, &stop, err);
    if (v->o.what) dm_progress(v->ctx, v->o.what, (double)v->result.iterations, (double)v->o.max_iterations, "iterations");
  }
  return s;
}

static dm_status make_room(solver *v, double **block, dm_error *err) {
  size_t rows = 2 * v->o.memory + 5, cells, all, n = v->n, m = v->o.memory;
  if (m > 1000 || !dm_size_mul(rows, n, &cells) || !dm_size_add(cells, 2 * m, &all))
    return dm_fail(err, DM_EBUDGET, "L-BFGS: %zu pairs of %zu parameters are more than memory can hold", m, n);
  double *p = *block = dm_alloc(v->ctx, all, sizeof *p, "L-BFGS", err);
  if (!p) return DM_EBUDGET;
  v->w = p, v->g = p + n, v->direction = p + 2 * n, v->at = p + 3 * n, v->at_g = p + 4 * n;
  v->s = p + 5 * n, v->y = v->s + m * n, v->rho = v->y + m * n, v->alpha = v->rho + m;
  return DM_OK;
}

dm_status dm_lbfgs(dm_ctx *ctx, const dm_objective *f, const dm_lbfgs_options *options, double *w, dm_lbfgs_result *out, dm_error *err) {
  solver v = {.ctx = ctx, .f = f, .o = *options, .n = f->n};
  double *block = NULL;
  if (!(v.o.gradient_tolerance >= 0) || !(v.o.value_tolerance >= 0))
    return dm_fail(err, DM_EUSAGE, "L-BFGS: tolerances = %g and %g, want numbers >= 0", v.o.gradient_tolerance, v.o.value_tolerance);
  if (v.o.memory == 0) v.o.memory = MEMORY;
  if (v.o.max_iterations == 0) v.o.max_iterations = MAX_ITERATIONS;
  dm_status s = make_room(&v, &block, err);
  if (s != DM_OK) return s;
  if (v.n) memcpy(v.w, w, v.n * sizeof *w);
  s = solve(&v, err);
  if (s == DM_OK) {
    if (v.n) memcpy(w, v.w, v.n * sizeof *w);
    v.result.value = v.value;
    v.result.gradient = largest(v.n, v.g);
    if (out) *out = v.result;
  }
  dm_free(ctx, block);
  return s;
}
