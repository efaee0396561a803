/*
 * One pass over the rows for value and gradient, or for a Hessian product.
 *
 * Rows are taken in chunks of 4096. The chunks of a wave run at once, each into
 * a room of its own; the rooms are added up in the order of the chunks, so that
 * the bits do not depend on the number of threads.
 *
 *   wave   | chunk 0 | chunk 1 | … | chunk 15 |   ->   sum += room 0, room 1, …
 */
#include "linear/problem.h"
#include "matrix/kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 4096, WAVE = 16 };

/* What one chunk gives, and the row it works on. */
typedef struct linear_room {
  double value;
  double *gradient;     /* [outputs, stride] sum of residual times row */
  double *offset;       /* [outputs] sum of residuals */
  double *row;          /* [stride] */
  double *z, *r, *zv;   /* [outputs] scores, residuals, scores of the direction */
} linear_room;

/* ---- one chunk ------------------------------------------------------------------ */

/* @param product residuals are the loss's Hessian times the scores of the direction, else its gradient */
static void run_chunk(const linear_problem *p, size_t first, bool product, linear_room *room) {
  size_t k = p->outputs, last = first + CHUNK < p->n ? first + CHUNK : p->n;
  double parameter = p->loss->otherwise;
  room->value = 0;
  memset(room->gradient, 0, k * p->stride * sizeof *room->gradient);
  memset(room->offset, 0, k * sizeof *room->offset);
  for (size_t i = first; i < last; i++) {
    double weight = p->weights ? p->weights[i] : 1;
    if (weight == 0) continue;
    dm_k_widen(p->x->x + i * p->stride, p->stride, room->row);
    for (size_t c = 0; c < k; c++) room->z[c] = p->b[c] + dm_k_dot(room->row, p->w + c * p->stride, p->stride);
    if (product) {
      for (size_t c = 0; c < k; c++) room->zv[c] = p->vb[c] + dm_k_dot(room->row, p->v + c * p->stride, p->stride);
      p->loss->product(k, room->z, p->y[i], parameter, room->zv, room->r);
    } else {
      room->value += weight * p->loss->value(k, room->z, p->y[i], parameter);
      p->loss->gradient(k, room->z, p->y[i], parameter, room->r);
    }
    for (size_t c = 0; c < k; c++) {
      double r = weight * room->r[c];
      dm_k_axpy(r, room->row, room->gradient + c * p->stride, p->stride);
      room->offset[c] += r;
    }
  }
}

/* ---- all rows --------------------------------------------------------------------- */

/* Solver's parameters to weights by row and intercepts. */
static void unscale(const linear_problem *p, const double *u, double *w, double *b) {
  for (size_t c = 0; c < p->outputs; c++) {
    b[c] = u[p->outputs * p->d + c];
    for (size_t j = 0; j < p->d; j++) {
      double v = u[c * p->d + j] / p->scale[j];
      w[c * p->stride + j] = v;
      b[c] -= v * p->mean[j];
    }
  }
}

/* Adds a chunk's sums: out [parameters] still by unscaled columns. */
static void add_room(const linear_problem *p, const linear_room *room, double *out) {
  for (size_t c = 0; c < p->outputs; c++) {
    for (size_t j = 0; j < p->d; j++) out[c * p->d + j] += room->gradient[c * p->stride + j];
    out[p->outputs * p->d + c] += room->offset[c];
  }
}

/* Sums of all chunks to the derivative by the solver's parameters. @param w point or direction of the penalty */
static void finish(const linear_problem *p, const double *w, double *out) {
  for (size_t c = 0; c < p->outputs; c++) {
    double *offset = &out[p->outputs * p->d + c];
    for (size_t j = 0; j < p->d; j++) {
      double *g = &out[c * p->d + j];
      *g = ((*g - p->mean[j] * *offset) / p->total + p->penalty * w[c * p->stride + j]) / p->scale[j];
    }
    *offset /= p->total;
  }
}

/* @param out [parameters] sums, zeroed here */
static dm_status run_rows(linear_problem *p, bool product, double *value, double *out, dm_error *err) {
  size_t chunks = (p->n + CHUNK - 1) / CHUNK;
  unsigned threads = dm_ctx_threads(p->ctx);
  *value = 0;
  memset(out, 0, p->parameters * sizeof *out);
  for (size_t from = 0; from < chunks; from += p->wave) {
    size_t n = chunks - from < p->wave ? chunks - from : p->wave;
    dm_status s = dm_ctx_check(p->ctx, err);
    if (s != DM_OK) return s;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1 && n > 1)
    for (size_t i = 0; i < n; i++) run_chunk(p, (from + i) * CHUNK, product, &p->rooms[i]);
    for (size_t i = 0; i < n; i++) {
      *value += p->rooms[i].value;
      add_room(p, &p->rooms[i], out);
    }
  }
  return DM_OK;
}

static dm_status evaluate(void *user, const double *u, double *value, double *gradient, dm_error *err) {
  linear_problem *p = user;
  double *out = gradient ? gradient : p->sums, squares = 0;
  unscale(p, u, p->w, p->b);
  dm_status s = run_rows(p, false, value, out, err);
  if (s != DM_OK) return s;
  for (size_t c = 0; c < p->outputs; c++)
    for (size_t j = 0; j < p->d; j++) squares += p->w[c * p->stride + j] * p->w[c * p->stride + j];
  *value = *value / p->total + p->penalty * squares / 2;
  if (gradient) finish(p, p->w, gradient);
  return DM_OK;
}

static dm_status product(void *user, const double *u, const double *v, double *hv, dm_error *err) {
  linear_problem *p = user;
  double value;
  unscale(p, u, p->w, p->b);
  unscale(p, v, p->v, p->vb);
  dm_status s = run_rows(p, true, &value, hv, err);
  if (s == DM_OK) finish(p, p->v, hv);
  return s;
}

dm_objective linear_objective(linear_problem *p) {
  return (dm_objective){.n = p->parameters, .user = p, .evaluate = evaluate, .product = p->loss->product ? product : NULL};
}

void linear_problem_coefficients(const linear_problem *p, const double *parameters, double *coef, double *intercept) {
  unscale(p, parameters, p->w, intercept);
  for (size_t c = 0; c < p->outputs; c++)
    if (p->d) memcpy(coef + c * p->d, p->w + c * p->stride, p->d * sizeof *coef);
}

/* ---- making ------------------------------------------------------------------------- */

/* Whether all rows that weigh hold the same: the intercept says it already. */
static bool is_constant(const linear_problem *p, size_t j) {
  size_t first = 0;
  while (p->weights && p->weights[first] == 0) first++;
  for (size_t i = first; i < p->n; i++)
    if ((!p->weights || p->weights[i] > 0) && p->x->x[i * p->stride + j] != p->x->x[first * p->stride + j]) return false;
  return true;
}

/* Weighted mean and deviation of each column, in two passes. */
static void standardise(linear_problem *p, double curvature) {
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < p->n; i++) {
      const float *row = p->x->x + i * p->stride;
      double share = (p->weights ? p->weights[i] : 1) / p->total;
      for (size_t j = 0; j < p->d; j++) {
        double v = (double)row[j];
        if (pass == 0)
          p->mean[j] += share * v;
        else
          p->scale[j] += share * (v - p->mean[j]) * (v - p->mean[j]);
      }
    }
  for (size_t j = 0; j < p->stride; j++) {
    double square = p->scale[j] + p->penalty / curvature; /* loss and penalty together curve alike in every direction */
    p->scale[j] = j >= p->d || is_constant(p, j) ? (double)INFINITY : sqrt(square); /* infinity: its weight is 0 */
  }
}

static dm_status make_room(linear_problem *p, linear_room *room, dm_error *err) {
  size_t k = p->outputs, cells = k * p->stride;
  double *block = dm_arena_alloc(p->memory, cells + p->stride + 4 * k, sizeof *block, err);
  if (!block) return DM_EBUDGET;
  *room = (linear_room){.gradient = block, .row = block + cells, .offset = block + cells + p->stride};
  room->z = room->offset + k;
  room->r = room->z + k;
  room->zv = room->r + k;
  return DM_OK;
}

static dm_status allocate(linear_problem *p, dm_error *err) {
  size_t k = p->outputs, cells = k * p->stride, chunks = (p->n + CHUNK - 1) / CHUNK;
  p->wave = chunks < WAVE ? chunks : WAVE;
  if (!(p->mean = dm_arena_alloc(p->memory, p->stride, sizeof(double), err)) ||
      !(p->scale = dm_arena_alloc(p->memory, p->stride, sizeof(double), err)) || !(p->w = dm_arena_alloc(p->memory, cells, sizeof(double), err)) ||
      !(p->v = dm_arena_alloc(p->memory, cells, sizeof(double), err)) || !(p->b = dm_arena_alloc(p->memory, k, sizeof(double), err)) ||
      !(p->vb = dm_arena_alloc(p->memory, k, sizeof(double), err)) ||
      !(p->sums = dm_arena_alloc(p->memory, p->parameters, sizeof(double), err)) ||
      !(p->rooms = dm_arena_alloc(p->memory, p->wave, sizeof *p->rooms, err)))
    return DM_EBUDGET;
  for (size_t i = 0; i < p->wave; i++)
    if (make_room(p, &p->rooms[i], err) != DM_OK) return DM_EBUDGET;
  return DM_OK;
}

dm_status linear_problem_init(dm_ctx *ctx, const dm_dense *x, const double *y, const double *weights, const dm_loss *loss, size_t outputs,
                              double penalty, double curvature, linear_problem *out, dm_error *err) {
  linear_problem p = {.ctx = ctx, .loss = loss, .n = x->n, .d = x->d, .stride = x->stride, .outputs = outputs, .x = x, .y = y, .weights = weights,
                      .penalty = penalty};
  size_t cells;
  if (!dm_size_mul(outputs, x->stride + 8, &cells)) return dm_fail(err, DM_EBUDGET, "linear model: %zu x %zu coefficients are more than memory can hold", outputs, x->d);
  p.parameters = outputs * (x->d + 1);
  for (size_t i = 0; i < p.n; i++) p.total += weights ? weights[i] : 1;
  dm_status s = dm_arena_new(ctx, (size_t)1 << 20, &p.memory, err);
  if (s == DM_OK) s = allocate(&p, err);
  if (s != DM_OK) {
    dm_arena_free(p.memory);
    return s;
  }
  standardise(&p, curvature);
  *out = p;
  return DM_OK;
}

void linear_problem_clear(linear_problem *p) {
  dm_arena_free(p->memory);
  *p = (linear_problem){0};
}
