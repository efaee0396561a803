/*
 * dense: out (n, units) = f(in (n, d) W (d, units) + bias (units)).
 *
 *   w:  W row by row, then bias
 *   z = in W + bias          out = f(z)
 *   g_z = g_out f'(z)        g_W = in^T g_z      g_bias = sum over rows of g_z
 *   g_in = g_z W^T           as (W g_z^T)^T: the activations are turned, not the larger W
 */
#include "nn/draw.h"
#include "nn/graph.h"

#include <math.h>
#include <string.h>

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_node *in = &g->nodes[node->in[0]];
  size_t d = in->size, units = node->a.units;
  if (in->shape.rank != 1) return nn_fail_rank(&in->shape, 1, err);
  if (units < 1 || units > NN_SIZE_MAX) return dm_fail(err, DM_EUSAGE, "units = %zu, want 1 to %zu", units, NN_SIZE_MAX);
  if (units > NN_SIZE_MAX / (d + 1))
    return dm_fail(err, DM_EUSAGE, "%zu x %zu weights and %zu biases, want at most %zu", d, units, units, NN_SIZE_MAX);
  node->shape = (nn_shape){.rank = 1, .dim = {units}};
  node->size = units;
  node->n_w = d * units + units;
  node->saved = dm_k_activation_needs_x(node->a.activation) ? units : 0;
  node->work_back = 2 * units + d;
  node->keeps_in = true;
  node->keeps_out = node->a.activation != DM_ACT_LINEAR && !node->saved;
  return DM_OK;
}

/*
 * The spread that keeps the size of values from layer to layer.
 * Source: He et al., ICCV 2015, eq. 10 (relu and its like); Glorot & Bengio, AISTATS 2010, eq. 16 (tanh, sigmoid, linear);
 * Klambauer et al., NeurIPS 2017 with LeCun et al., 1998 (selu: normal with variance 1/d).
 */
static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  (void)state;
  size_t units = node->size, n = node->n_w - units, d = n / units;
  dm_activation f = node->a.activation;
  double slope = f == DM_ACT_LEAKY ? node->a.rate : 0;
  bool both = f == DM_ACT_LINEAR || f == DM_ACT_TANH || f == DM_ACT_SIGMOID;
  if (f == DM_ACT_SELU)
    nn_draw_normal(rng, 1 / sqrt((double)d), n, w);
  else
    nn_draw_uniform(rng, both ? sqrt(6.0 / (double)(d + units)) : sqrt(6.0 / ((1 + slope * slope) * (double)d)), n, w);
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t d = g->nodes[node->in[0]].size, units = node->size;
  dm_activation f = node->a.activation;
  dm_real *z = call->saved ? call->saved : call->out;
  call->gemm(&(dm_gemm){.m = call->n, .n = units, .k = d, .a = call->in[0], .a_row = d, .a_col = 1, .b = call->w, .b_row = units, .c = z,
                        .c_row = units, .bias = call->w + d * units, .relu = f == DM_ACT_RELU});
  if (f != DM_ACT_LINEAR && f != DM_ACT_RELU) dm_k_activate(f, (dm_real)node->a.rate, z, call->n * units, call->out);
}

/* @param work [n (units + d)] */
static void input_gradient(const nn_call *call, const dm_real *g_z, size_t d, size_t units, dm_real *work) {
  dm_real *turned = work, *g_turned = work + call->n * units;
  dm_k_transpose(g_z, call->n, units, units, turned, call->n);
  call->gemm(&(dm_gemm){.m = d, .n = call->n, .k = units, .a = call->w, .a_row = units, .a_col = 1, .b = turned, .b_row = call->n,
                        .c = g_turned, .c_row = call->n});
  dm_k_transpose(g_turned, d, call->n, call->n, call->g_in[0], d);
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t n = call->n, d = g->nodes[node->in[0]].size, units = node->size;
  const dm_real *g_z = call->g_out;
  if (node->a.activation != DM_ACT_LINEAR) {
    dm_k_activate_back(node->a.activation, (dm_real)node->a.rate, call->saved, call->out, call->g_out, n * units, call->work);
    g_z = call->work;
  }
  call->gemm(&(dm_gemm){.m = d, .n = units, .k = n, .a = call->in[0], .a_row = 1, .a_col = d, .b = g_z, .b_row = units, .c = call->g_w,
                        .c_row = units});
  dm_real *g_bias = call->g_w + d * units;
  memset(g_bias, 0, units * sizeof *g_bias);
  dm_k_add_columns(g_z, n, units, g_bias);
  if (call->g_in[0]) input_gradient(call, g_z, d, units, call->work + n * units);
}

const nn_op nn_op_dense = {.name = "dense", .shape = shape, .init = init, .forward = forward, .backward = backward};
