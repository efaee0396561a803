/* nn: outputs, loss and gradients of a net of three layers are PyTorch's, to 1e-5. */
#include "cmocka_all.h"
#include "golden/net.h"
#include "nn/run.h"

#include <dm/optim.h>

enum { ROWS = 40, D = 5, CLASSES = 3 };
static const size_t UNITS[] = {9, 6, CLASSES};

/* The formula of make_net.py. */
static double number(size_t i) {
  uint32_t v = (uint32_t)(i + 1) * 2654435761u;
  return ((double)((v >> 8) % 257) - 128) / 256;
}

static void feed_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  (void)user;
  (void)training;
  (void)rng;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < D; j++) out[i * D + j] = (dm_real)(4 * number(rows[i] * D + j));
}

/* Weighted softmax cross-entropy; @param user [ROWS, CLASSES] where outputs are kept */
static double head_loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const dm_loss *loss = dm_loss_find("softmax", NULL);
  float *const *kept = user;
  double sum = 0, s[CLASSES], g[CLASSES];
  *weight = 0;
  for (size_t i = 0; i < n; i++) {
    double w = 1 + number(9000 + rows[i]), y = (double)((rows[i] * 7 + rows[i] / 5) % CLASSES);
    for (size_t c = 0; c < CLASSES; c++) {
      s[c] = (double)out[i * CLASSES + c];
      (*kept)[rows[i] * CLASSES + c] = (float)out[i * CLASSES + c];
    }
    sum += w * loss->value(CLASSES, s, y, 0);
    loss->gradient(CLASSES, s, y, 0, g);
    for (size_t c = 0; c < CLASSES && g_out; c++) g_out[i * CLASSES + c] = (dm_real)(scale * w * g[c]);
    *weight += w;
  }
  return sum;
}

static void check(dm_activation f, const double *want_out, double want_loss, const double *want_gradient) {
  dm_ctx *ctx = NULL;
  nn_graph *g = NULL;
  nn_run *r = NULL;
  size_t at = 0, rows[ROWS];
  float out[ROWS * CLASSES], *kept = out;
  double loss, weight;
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  for (size_t l = 0; l < 3; l++)
    assert_int_equal(nn_graph_add(g, &nn_op_dense, &at, 1, &(nn_attributes){.units = UNITS[l], .activation = l < 2 ? f : DM_ACT_LINEAR}, 0, &at, NULL), DM_OK);
  assert_int_equal(nn_run_new(ctx, g, at, ROWS, 0, &r, NULL), DM_OK);
  for (size_t i = 0; i < g->n_w; i++) r->w[i] = (dm_real)number(100000 + i);
  for (size_t i = 0; i < ROWS; i++) rows[i] = i;
  nn_feed feed = {NULL, feed_rows};
  nn_head head = {&kept, head_loss};
  assert_int_equal(nn_run_step(r, &feed, &head, rows, ROWS, 0, &loss, &weight, NULL), DM_OK);
  for (size_t i = 0; i < ROWS * CLASSES; i++) assert_near((double)out[i], want_out[i], 1e-5);
  assert_near(loss / weight, want_loss, 1e-5);
  for (size_t i = 0; i < g->n_w; i++) assert_near((double)r->g[i], want_gradient[i], 1e-5);
  memset(out, 0, sizeof out);
  assert_int_equal(nn_run_loss(r, &feed, &head, rows, ROWS, &loss, &weight, NULL), DM_OK);
  for (size_t i = 0; i < ROWS * CLASSES; i++) assert_near((double)out[i], want_out[i], 1e-5);
  assert_near(loss / weight, want_loss, 1e-5);
  nn_run_free(r);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void relu(void **state) {
  (void)state;
  check(DM_ACT_RELU, golden_relu_out, golden_relu_loss[0], golden_relu_gradient);
}

static void tanh_(void **state) {
  (void)state;
  check(DM_ACT_TANH, golden_tanh_out, golden_tanh_loss[0], golden_tanh_gradient);
}

static void gelu(void **state) {
  (void)state;
  check(DM_ACT_GELU, golden_gelu_out, golden_gelu_loss[0], golden_gelu_gradient);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(relu), cmocka_unit_test(tanh_), cmocka_unit_test(gelu)};
  return cmocka_run_group_tests_name("nn/net_golden", tests, NULL, NULL);
}
