/* Small encoded tables for the tests of the autoencoder, trained in one call. */
#ifndef DM_TESTS_NN_AUTOENCODER_ROWS_H
#define DM_TESTS_NN_AUTOENCODER_ROWS_H

#include "nn/autoencoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct rows {
  size_t n, d;
  dm_dense x;
  const size_t *levels; /* [d] or NULL */
} rows;

static inline dm_ctx *new_ctx(unsigned threads, size_t budget) {
  static const dm_learner *const learners[] = {&dm_learner_autoencoder, NULL};
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .budget = budget, .learners = learners, .seed = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

static inline void rows_init(rows *t, dm_ctx *ctx, size_t n, size_t d, const size_t *levels) {
  *t = (rows){.n = n, .d = d, .levels = levels};
  assert_int_equal(dm_dense_new(ctx, n, d, &t->x, NULL), DM_OK);
}

static inline float *cell(rows *t, size_t i, size_t j) { return &t->x.x[i * t->x.stride + j]; }

static inline dm_status train_status(dm_ctx *ctx, const rows *t, const char *const *set, dm_model **out, dm_error *err) {
  const dm_learner *learner = &dm_learner_autoencoder;
  dm_block block = {.kind = DM_BLOCK_DENSE, .d = t->d, .dense = &t->x, .levels = t->levels};
  dm_dataset data = {.n = t->n, .n_blocks = 1, .blocks = &block};
  dm_params *params = NULL;
  dm_status s = dm_params_new(ctx, learner->name, learner->params, &params, err);
  for (size_t i = 0; s == DM_OK && set && set[i]; i += 2) s = dm_params_set(params, set[i], set[i + 1], err);
  if (s == DM_OK) s = learner->train(ctx, &(dm_training){.train = &data}, params, out, err);
  dm_params_free(params);
  return s;
}

static inline autoencoder *train(dm_ctx *ctx, const rows *t, const char *const *set) {
  dm_model *m = NULL;
  dm_error err = {0};
  if (train_status(ctx, t, set, &m, &err) != DM_OK) fail_msg("%s", err.message);
  return (autoencoder *)m;
}

/* What predict writes of n rows; freed together. */
typedef struct scored {
  dm_ctx *ctx;
  double *x, *value, *parts;
  float *code;
} scored;

static inline void score_rows(const autoencoder *m, const double *x, size_t n, size_t batch, scored *out) {
  const dm_model *model = &m->base;
  dm_error err = {0};
  char *work = dm_alloc(model->ctx, model->work + 64, 1, "test", NULL), *aligned = work + (64 - (uintptr_t)work % 64) % 64;
  for (size_t from = 0; from < n; from += batch) {
    dm_batch b = {.n = n - from < batch ? n - from : batch, .d = model->d, .x = x + from * model->d, .value = out->value + from,
                  .parts = out->parts + from * model->d, .code = out->code + from * model->n_code, .work = aligned};
    if (model->learner->predict(model, DM_OUT_VALUE | DM_OUT_PARTS | DM_OUT_CODE, &b, &err) != DM_OK) fail_msg("%s", err.message);
  }
  dm_free(model->ctx, work);
}

static inline scored score(const autoencoder *m, const rows *t, size_t batch) {
  scored s = {.ctx = m->base.ctx};
  s.x = dm_alloc(s.ctx, t->n * t->d, sizeof(double), "test", NULL);
  s.value = dm_alloc(s.ctx, t->n, sizeof(double), "test", NULL);
  s.parts = dm_alloc(s.ctx, t->n * t->d, sizeof(double), "test", NULL);
  s.code = dm_alloc(s.ctx, t->n * m->base.n_code, sizeof(float), "test", NULL);
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = 0; j < t->d; j++) s.x[i * t->d + j] = (double)t->x.x[i * t->x.stride + j];
  score_rows(m, s.x, t->n, batch, &s);
  return s;
}

static inline void scored_clear(scored *s) {
  dm_free(s->ctx, s->x);
  dm_free(s->ctx, s->value);
  dm_free(s->ctx, s->parts);
  dm_free(s->ctx, s->code);
}

/* A number in [0, 1) that looks random, the same everywhere. */
static inline double uniform(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return (double)((i ^ i >> 32) >> 11) / 9007199254740992.0;
}

/* Two hidden causes: columns 0 … 5 are numbers, column 6 says the sign of the first (codes 0 1 of 4), column 7 of which quarter the second is (0 … 3 of 6). */
static const size_t MIXED_LEVELS[8] = {0, 0, 0, 0, 0, 0, 4, 6};
static inline void rows_mixed(rows *t, dm_ctx *ctx, size_t n) {
  rows_init(t, ctx, n, 8, MIXED_LEVELS);
  for (size_t i = 0; i < n; i++) {
    double a = 2 * uniform(2 * i) - 1, b = 2 * uniform(2 * i + 1) - 1;
    const double v[8] = {a, -a, a + b, a - b, b, 2 * b * b - 1, a > 0 ? 1 : 0, floor((b + 1) * 2)};
    for (size_t j = 0; j < 8; j++) *cell(t, i, j) = (float)v[j];
  }
}

#endif
