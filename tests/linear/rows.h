/* Small dense tables for the tests of linear models, trained in one call. */
#ifndef DM_TESTS_LINEAR_ROWS_H
#define DM_TESTS_LINEAR_ROWS_H

#include <dm/linear.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rows {
  size_t n, d, k; /* k = 0: regression */
  dm_dense x;
  double *target, *weights;
} rows;

static inline void take_log(void *user, dm_log_level level, const char *message) {
  if (level == DM_LOG_WARNING) (void)snprintf(user, 256, "%s", message);
}

/* @param said [256] the last warning, or NULL */
static inline dm_ctx *new_ctx(unsigned threads, char *said) {
  static const dm_learner *const learners[] = {&dm_learner_logistic, &dm_learner_linear, NULL};
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = threads, .learners = learners, .user = said, .log = said ? take_log : NULL};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

static inline void rows_init(rows *t, dm_ctx *ctx, size_t n, size_t d, size_t k) {
  *t = (rows){.n = n, .d = d, .k = k};
  assert_int_equal(dm_dense_new(ctx, n, d, &t->x, NULL), DM_OK);
  t->target = dm_alloc(ctx, n, sizeof(double), "rows", NULL);
}

static inline void rows_clear(rows *t, dm_ctx *ctx) {
  dm_dense_clear(ctx, &t->x);
  dm_free(ctx, t->target);
  dm_free(ctx, t->weights);
}

static inline float *cell(rows *t, size_t i, size_t j) { return &t->x.x[i * t->x.stride + j]; }

/* Trains with parameters given as name, value, …, NULL. */
static inline dm_status train_status(dm_ctx *ctx, const rows *t, const char *const *set, dm_model **out, dm_error *err) {
  const dm_learner *learner = t->k ? &dm_learner_logistic : &dm_learner_linear;
  dm_block block = {.kind = DM_BLOCK_DENSE, .d = t->d, .dense = &t->x};
  dm_dataset data = {.n = t->n, .n_blocks = 1, .blocks = &block, .target = t->target, .n_classes = t->k, .weights = t->weights};
  dm_params *params = NULL;
  assert_int_equal(dm_params_new(ctx, learner->name, learner->params, &params, NULL), DM_OK);
  for (size_t i = 0; set && set[i]; i += 2) assert_int_equal(dm_params_set(params, set[i], set[i + 1], NULL), DM_OK);
  dm_status s = learner->train(ctx, &(dm_training){.train = &data}, params, out, err);
  dm_params_free(params);
  return s;
}

static inline dm_model *train(dm_ctx *ctx, const rows *t, const char *const *set) {
  dm_model *m = NULL;
  dm_error err = {0};
  if (train_status(ctx, t, set, &m, &err) != DM_OK) fail_msg("%s", err.message);
  return m;
}

/* A number that looks random, the same everywhere. */
static inline uint64_t mix(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return i ^ i >> 32;
}

static inline double uniform(uint64_t i) { return (double)(mix(i) >> 11) / 9007199254740992.0; }

/* Columns of different scales; classes or a number that depend on them, with noise. */
static inline void rows_fill(rows *t, dm_ctx *ctx, size_t n, size_t d, size_t k) {
  rows_init(t, ctx, n, d, k);
  for (size_t i = 0; i < n; i++) {
    double z = 0;
    for (size_t j = 0; j < d; j++) {
      double v = uniform(i * d + j) - 0.5;
      z += v * (j % 2 ? 2 : -1);
      *cell(t, i, j) = (float)(v * pow(10, (double)(j % 4)) + (double)j);
    }
    z += uniform(77 + i * 3) - 0.5;
    double place = (z + 1.5) / 3;
    t->target[i] = k ? fmin(fmax(floor(place * (double)k), 0), (double)k - 1) : 100 + 7 * z;
  }
}

#endif
