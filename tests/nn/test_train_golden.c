/* nn: the losses of 60 steps (net, clipping, optimizer together) are PyTorch's. */
#include "cmocka_all.h"
#include "golden/net_steps.h"
#include "nn/run.h"

#include <dm/optim.h>

enum { ROWS = 40, D = 5, CLASSES = 3, BATCH = 8, STEPS = 60 };
static const size_t UNITS[] = {9, 6, CLASSES};

/* The formula of make_net_steps.py. */
static double number(size_t i) {
  uint32_t v = (uint32_t)(i + 1) * 2654435761u;
  return ((double)((v >> 8) % 257) - 128) / 256;
}

static void feed_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  (void)user, (void)training, (void)rng;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < D; j++) out[i * D + j] = (dm_real)(4 * number(rows[i] * D + j));
}

static double loss_of_rows(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  float y[BATCH];
  for (size_t i = 0; i < n; i++) y[i] = (float)((rows[i] * 7 + rows[i] / 5) % CLASSES);
  *weight = (double)n;
  return dm_loss_rows(user, 0, n, CLASSES, out, CLASSES, y, NULL, scale, g_out, CLASSES);
}

static nn_graph *make_graph(dm_ctx *ctx, size_t *last) {
  nn_graph *g = NULL;
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  *last = 0;
  for (size_t i = 0; i < 3; i++) {
    nn_attributes a = {.units = UNITS[i], .activation = i < 2 ? DM_ACT_TANH : DM_ACT_LINEAR};
    assert_int_equal(nn_graph_add(g, &nn_op_dense, last, 1, &a, 0, last, NULL), DM_OK);
  }
  return g;
}

static void losses_after_equal_steps_are_those_of_pytorch(void **state) {
  (void)state;
  const struct {
    const char *method;
    double lr, decay;
    const double *losses;
  } cases[] = {{"adam", 0.01, 0, golden_steps_adam}, {"adamw", 0.01, 0.1, golden_steps_adamw}, {"momentum", 0.05, 0, golden_steps_momentum}};
  const dm_loss *softmax = dm_loss_find("softmax", NULL);
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx = NULL;
    nn_run *run = NULL;
    dm_optimizer *optimizer = NULL;
    dm_optimizer_options o;
    size_t last;
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 2}, &ctx, NULL), DM_OK);
    nn_graph *g = make_graph(ctx, &last);
    assert_int_equal(nn_run_new(ctx, g, last, BATCH, 0, &run, NULL), DM_OK);
    assert_int_equal(dm_optimizer_defaults(cases[c].method, &o, NULL), DM_OK);
    o.lr = cases[c].lr;
    o.weight_decay = cases[c].decay;
    assert_int_equal(dm_optimizer_new(ctx, g->n_w, &o, &optimizer, NULL), DM_OK);
    for (size_t i = 0; i < g->n_w; i++) run->w[i] = (dm_real)number(i);
    for (size_t step = 0; step < STEPS; step++) {
      size_t rows[BATCH];
      double loss, weight;
      for (size_t i = 0; i < BATCH; i++) rows[i] = (step * 11 + i * 3) % ROWS;
      const nn_feed feed = {NULL, feed_rows};
      const nn_head head = {(void *)(uintptr_t)softmax, loss_of_rows};
      assert_int_equal(nn_run_step(run, &feed, &head, rows, BATCH, step, &loss, &weight, NULL), DM_OK);
      assert_near(loss / weight, cases[c].losses[step], 2e-5);
      (void)dm_clip_norm(run->g, g->n_w, 1);
      assert_int_equal(dm_optimizer_step(optimizer, run->w, run->g, NULL), DM_OK);
    }
    dm_optimizer_free(optimizer);
    nn_run_free(run);
    nn_graph_free(g);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(losses_after_equal_steps_are_those_of_pytorch)};
  return cmocka_run_group_tests_name("train_golden", tests, NULL, NULL);
}
