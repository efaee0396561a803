/* Small tables for the tree's tests: columns of double, trained in one call. */
#ifndef DM_TESTS_TREE_TABLE_H
#define DM_TESTS_TREE_TABLE_H

#include <dm/tree.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLE_COLUMNS = 80 };

typedef struct table {
  size_t n, d, k; /* k = 0: regression */
  double *columns[TABLE_COLUMNS];
  size_t levels[TABLE_COLUMNS];
  double *target, *weights;
} table;

static inline dm_ctx *new_ctx(unsigned threads) {
  static const dm_learner *const learners[] = {&dm_learner_tree, NULL};
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .learners = learners}, &ctx, NULL), DM_OK);
  return ctx;
}

static inline void table_init(table *t, dm_ctx *ctx, size_t n, size_t d, size_t k) {
  *t = (table){.n = n, .d = d, .k = k};
  for (size_t j = 0; j < d; j++) t->columns[j] = dm_alloc(ctx, n, sizeof(double), "table", NULL);
  t->target = dm_alloc(ctx, n, sizeof(double), "table", NULL);
}

static inline void table_clear(table *t, dm_ctx *ctx) {
  for (size_t j = 0; j < t->d; j++) dm_free(ctx, t->columns[j]);
  dm_free(ctx, t->target);
  dm_free(ctx, t->weights);
}

/* Trains with parameters given as name, value, …, NULL. */
static inline dm_status train_status(dm_ctx *ctx, const table *t, const char *const *set, dm_model **out, dm_error *err) {
  const double *raw[TABLE_COLUMNS];
  for (size_t j = 0; j < t->d; j++) raw[j] = t->columns[j];
  dm_block block = {.kind = DM_BLOCK_RAW, .d = t->d, .raw = raw, .levels = t->levels};
  dm_dataset data = {.n = t->n, .n_blocks = 1, .blocks = &block, .target = t->target, .n_classes = t->k, .weights = t->weights};
  dm_params *params = NULL;
  assert_int_equal(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  for (; set && *set; set += 2) assert_int_equal(dm_params_set(params, set[0], set[1], NULL), DM_OK);
  dm_status s = dm_learner_tree.train(ctx, &(dm_training){.train = &data}, params, out, err);
  dm_params_free(params);
  return s;
}

static inline dm_model *train(dm_ctx *ctx, const table *t, const char *const *set) {
  dm_model *model = NULL;
  dm_error err = {0};
  if (train_status(ctx, t, set, &model, &err) != DM_OK) fail_msg("%s", err.message);
  return model;
}

/* Value predicted for row i of t. */
static inline double predict(const dm_model *m, const table *t, size_t i) {
  double x[TABLE_COLUMNS], value = -99;
  for (size_t j = 0; j < t->d; j++) x[j] = t->columns[j][i];
  dm_batch batch = {.n = 1, .d = t->d, .x = x, .value = &value};
  assert_int_equal(m->learner->predict(m, DM_OUT_VALUE, &batch, NULL), DM_OK);
  return value;
}

/* A number that looks random, the same everywhere. */
static inline uint64_t mix(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return i ^ i >> 32;
}

#endif
