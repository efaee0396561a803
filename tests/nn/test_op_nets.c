/* nn: nets of all ops: the same bits for one thread and two, for every batch that is scored, and what scoring sees of training. */
#include "cmocka_all.h"
#include "nn/run.h"
#include "nn/score.h"

#include <dm/optim.h>
#include <stdlib.h>

enum { D = 6, N = 600, STEPS = 3 };

static double number(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return (double)((i ^ i >> 32) >> 11) / 4503599627370496.0 - 1;
}

/* Columns 0 to 3 are numbers, 4 and 5 codes, some of them unknown. */
static double cell(size_t row, size_t column) {
  double v = number(row * D + column);
  return column < 4 ? 2 * v : floor(4 * v + 3.5);
}

static void feed(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  (void)user, (void)training, (void)rng;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < D; j++) out[i * D + j] = (dm_real)cell(rows[i], j);
}

/* Squares of (output - a number of the row). */
static double loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  size_t k = *(const size_t *)user;
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) {
      double off = (double)out[i * k + j] - number(100000 + rows[i] * k + j);
      sum += off * off;
      if (g_out) g_out[i * k + j] = (dm_real)(2 * scale * off);
    }
  *weight = (double)n;
  return sum;
}

static dm_ctx *new_ctx(unsigned threads) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .seed = 3}, &ctx, NULL), DM_OK);
  return ctx;
}

static size_t add(nn_graph *g, const nn_op *op, const size_t *in, size_t n_in, nn_attributes a) {
  size_t node = 0;
  dm_error err = {0};
  if (nn_graph_add(g, op, in, n_in, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  return node;
}

/* Embeddings of all kinds side by side, then a line with all layers. */
static size_t build(dm_ctx *ctx, nn_graph **out) {
  static const size_t numbers[] = {0, 1, 2, 3}, codes[] = {4, 5}, levels[] = {7, 6};
  static const double edges[] = {-2, -0.5, 0, 1, -1, -1, 0, 0, -2, 0, 1, 2, -1, 0, 0.25, 2};
  const size_t input = 0;
  nn_graph *g = NULL;
  size_t parts[4], last;
  dm_error err = {0};
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  parts[0] = add(g, &nn_op_embedding, &input, 1, (nn_attributes){.columns = codes, .levels = levels, .n_columns = 2});
  parts[1] = add(g, &nn_op_periodic, &input, 1, (nn_attributes){.count = 8, .units = 4, .columns = numbers, .n_columns = 4});
  parts[2] = add(g, &nn_op_periodic, &input, 1, (nn_attributes){.count = 5, .units = 3, .activation = DM_ACT_RELU, .columns = numbers, .n_columns = 4});
  parts[3] = add(g, &nn_op_piecewise, &input, 1, (nn_attributes){.count = 3, .units = 3, .columns = numbers, .n_columns = 4, .numbers = edges, .n_numbers = 16});
  size_t all = add(g, &nn_op_concat, parts, 4, (nn_attributes){0});
  if (nn_spec_add(g,
                  "dropout 0.1 | dense 40 | batch_norm | silu | residual( dense 40 gelu | dropout 0.3 | layer_norm ) | "
                  "concat( ; dense 8 selu | batch_norm ; dense 4 softmax ) | dense 24 leaky 0.1 | concat( tanh ; sigmoid ) | dense 3",
                  all, &last, &err) != DM_OK)
    fail_msg("%s", err.message);
  *out = g;
  return last;
}

/* A few steps of gradient descent. @return what is to be freed */
static nn_run *train(dm_ctx *ctx, const nn_graph *g, size_t output, size_t batch) {
  nn_run *r = NULL;
  dm_error err = {0};
  size_t rows[N], k = g->nodes[output].size;
  nn_feed from = {NULL, feed};
  nn_head head = {&k, loss};
  for (size_t i = 0; i < N; i++) rows[i] = (i * 7) % N;
  if (nn_run_new(ctx, g, output, batch, 0, &r, &err) != DM_OK) fail_msg("%s", err.message);
  for (uint64_t t = 0; t < STEPS; t++) {
    double sum, weight;
    assert_int_equal(nn_run_step(r, &from, &head, rows + t * 10, batch, t, &sum, &weight, NULL), DM_OK);
    assert_true(isfinite(sum) && weight == (double)batch);
    for (size_t i = 0; i < g->n_w; i++) r->w[i] -= (dm_real)0.05 * r->g[i];
  }
  return r;
}

static void one_thread_and_two_train_to_the_same_bits(void **state) {
  (void)state;
  for (size_t batch = 1; batch < N - 30; batch += batch < 40 ? 13 : 170) {
    dm_ctx *ctx[2];
    nn_graph *g[2];
    nn_run *r[2];
    for (size_t k = 0; k < 2; k++) {
      ctx[k] = new_ctx(k ? 2 : 1);
      size_t output = build(ctx[k], &g[k]);
      r[k] = train(ctx[k], g[k], output, batch);
    }
    assert_memory_equal(r[0]->w, r[1]->w, g[0]->n_w * sizeof *r[0]->w);
    assert_memory_equal(r[0]->g, r[1]->g, g[0]->n_w * sizeof *r[0]->g);
    assert_memory_equal(r[0]->state, r[1]->state, g[0]->n_state * sizeof *r[0]->state);
    for (size_t k = 0; k < 2; k++) {
      nn_run_free(r[k]);
      nn_graph_free(g[k]);
      dm_ctx_free(ctx[k]);
    }
  }
}

/* Scores rows in blocks of `block`. */
static void score_all(dm_ctx *ctx, const nn_scoring *s, size_t output, size_t block, dm_real *out) {
  size_t k = s->graph->nodes[output].size;
  double *x = dm_alloc(ctx, NN_SCORE_ROWS * D, sizeof *x, "test", NULL);
  void *work = dm_alloc(ctx, nn_score_work(s), 1, "test", NULL);
  memset(work, 0x7f, nn_score_work(s)); /* nothing may be expected there */
  for (size_t from = 0; from < N; from += block) {
    size_t n = N - from < block ? N - from : block;
    for (size_t i = 0; i < n * D; i++) x[i] = cell(from + i / D, i % D);
    nn_score(s, x, n, work);
    memcpy(out + from * k, nn_score_value(s, work, output), n * k * sizeof *out);
  }
  dm_free(ctx, work);
  dm_free(ctx, x);
}

static void every_batch_scores_to_the_same_bits_and_to_the_loss_of_training(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  nn_graph *g;
  size_t output = build(ctx, &g), k = g->nodes[output].size, rows[N];
  nn_run *r = train(ctx, g, output, 200);
  nn_scoring s = {.graph = g, .w = r->w, .state = r->state};
  dm_real *want = dm_alloc(ctx, N * k, sizeof *want, "test", NULL), *got = dm_alloc(ctx, N * k, sizeof *got, "test", NULL);
  assert_int_equal(nn_plan_new(g, &output, 1, NN_SCORE_ROWS, NN_PLAN_SCORE, &s.plan, NULL), DM_OK);
  score_all(ctx, &s, output, 1, want);
  static const size_t blocks[] = {2, 7, 33, 64};
  for (size_t b = 0; b < 4; b++) {
    score_all(ctx, &s, output, blocks[b], got);
    assert_memory_equal(got, want, N * k * sizeof *got);
  }
  double sum, weight, weight_here;
  for (size_t i = 0; i < N; i++) rows[i] = i;
  assert_int_equal(nn_run_loss(r, &(nn_feed){NULL, feed}, &(nn_head){&k, loss}, rows, N, &sum, &weight, NULL), DM_OK);
  assert_near(sum, loss(&k, rows, N, want, 1, NULL, &weight_here), 1e-6 * sum); /* products of training may go to BLAS */
  assert_true(weight == weight_here);
  dm_free(ctx, want);
  dm_free(ctx, got);
  nn_plan_free(s.plan);
  nn_run_free(r);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

/* With figures of many equal batches the running ones become the batch's: scoring is training without dropout. */
static void running_figures_come_to_those_of_the_batch(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  nn_graph *g = NULL;
  nn_run *r = NULL;
  size_t last, rows[N], k = 4;
  nn_feed from = {NULL, feed};
  nn_head head = {&k, loss};
  double trained, scored, weight;
  for (size_t i = 0; i < N; i++) rows[i] = i;
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  assert_int_equal(nn_spec_add(g, "batch_norm | dense 9 tanh | batch_norm | dense 4", 0, &last, NULL), DM_OK);
  assert_int_equal(nn_run_new(ctx, g, last, N, 0, &r, NULL), DM_OK);
  for (uint64_t t = 0; t < 300; t++) assert_int_equal(nn_run_step(r, &from, &head, rows, N, t, &trained, &weight, NULL), DM_OK);
  assert_int_equal(nn_run_loss(r, &from, &head, rows, N, &scored, &weight, NULL), DM_OK);
  assert_near(scored, trained, 2e-3 * trained); /* variances differ by n / (n - 1) */
  nn_run_free(r);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_thread_and_two_train_to_the_same_bits),
      cmocka_unit_test(every_batch_scores_to_the_same_bits_and_to_the_loss_of_training),
      cmocka_unit_test(running_figures_come_to_those_of_the_batch),
  };
  return cmocka_run_group_tests_name("op_nets", tests, NULL, NULL);
}
