/*
 * y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the figures of
 * each row over its features.
 *
 *   dx = (g gamma - mean(g gamma) - xhat mean(g gamma xhat)) / deviation
 *
 * The figures are in double, over LANES sums in a fixed order, and computed
 * again in backward from the row.
 * Source: Ba, Kiros & Hinton, 2016, eq. 4.
 */
#include "nn/graph.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_shape *in = &g->nodes[node->in[0]].shape;
  if (in->rank != 1) return nn_fail_rank(in, 1, err);
  if (!(node->a.rate > 0)) return dm_fail(err, DM_EUSAGE, "epsilon = %g, want > 0", node->a.rate);
  node->shape = *in;
  node->size = in->dim[0];
  node->n_w = 2 * in->dim[0];
  node->keeps_in = true;
  return DM_OK;
}

/* w: gamma, beta */
static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  (void)state, (void)rng;
  for (size_t j = 0; j < node->size; j++) w[j] = 1;
}

static double total(const double s[LANES]) { return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])); }

/* @param rate 1 / sqrt(variance + epsilon) */
static void row_figures(const nn_node *node, const dm_real *x, double *mean, double *rate) {
  size_t d = node->size, whole = d - d % LANES;
  double s[LANES] = {0}, m2[LANES] = {0};
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++) s[l] += (double)x[j + l];
  for (size_t j = whole; j < d; j++) s[j - whole] += (double)x[j];
  double m = total(s) / (double)d;
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++) m2[l] += ((double)x[j + l] - m) * ((double)x[j + l] - m);
  for (size_t j = whole; j < d; j++) m2[j - whole] += ((double)x[j] - m) * ((double)x[j] - m);
  *mean = m;
  *rate = 1 / sqrt(total(m2) / (double)d + node->a.rate);
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t d = node->size;
  const dm_real *gamma = call->w, *beta = call->w + d;
  for (size_t i = 0; i < call->n; i++) {
    const dm_real *x = call->in[0] + i * d;
    dm_real *y = call->out + i * d;
    double mean, rate;
    row_figures(node, x, &mean, &rate);
    for (size_t j = 0; j < d; j++) y[j] = gamma[j] * (dm_real)(((double)x[j] - mean) * rate) + beta[j];
  }
}

static void backward_row(const nn_node *node, const nn_call *call, size_t i) {
  size_t d = node->size;
  const dm_real *gamma = call->w, *x = call->in[0] + i * d, *gy = call->g_out + i * d;
  dm_real *g_gamma = call->g_w, *g_beta = call->g_w + d, *gx = call->g_in[0] ? call->g_in[0] + i * d : NULL;
  double mean, rate, s[LANES] = {0}, s_x[LANES] = {0};
  row_figures(node, x, &mean, &rate);
  for (size_t j = 0; j < d; j++) {
    double xhat = ((double)x[j] - mean) * rate, v = (double)gy[j] * (double)gamma[j];
    s[j % LANES] += v;
    s_x[j % LANES] += v * xhat;
    g_gamma[j] += gy[j] * (dm_real)xhat;
    g_beta[j] += gy[j];
  }
  if (!gx) return;
  double mean_g = total(s) / (double)d, mean_gx = total(s_x) / (double)d;
  for (size_t j = 0; j < d; j++) {
    double xhat = ((double)x[j] - mean) * rate;
    gx[j] = (dm_real)(rate * ((double)gy[j] * (double)gamma[j] - mean_g - xhat * mean_gx));
  }
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  memset(call->g_w, 0, node->n_w * sizeof *call->g_w);
  for (size_t i = 0; i < call->n; i++) backward_row(node, call, i);
}

const nn_op nn_op_layer_norm = {.name = "layer_norm", .shape = shape, .init = init, .forward = forward, .backward = backward};
