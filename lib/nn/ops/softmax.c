/*
 * softmax: each row of the last dimension to probabilities,
 *   y_j = exp(x_j) / sum_l exp(x_l)        g_x_j = y_j (g_y_j - sum_l g_y_l y_l)
 */
#include "nn/graph.h"

#include <math.h>

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)err;
  const nn_node *in = &g->nodes[node->in[0]];
  node->shape = in->shape;
  node->size = in->size;
  node->keeps_out = true;
  return DM_OK;
}

static size_t columns_of(const nn_node *node) { return node->shape.dim[node->shape.rank - 1]; }

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t k = columns_of(node);
  dm_k_softmax(call->in[0], call->n * (node->size / k), k, call->out);
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t k = columns_of(node), rows = call->n * (node->size / k);
  if (!call->g_in[0]) return;
  for (size_t i = 0; i < rows; i++) {
    const dm_real *y = call->out + i * k, *g_y = call->g_out + i * k;
    double sum = 0;
    for (size_t j = 0; j < k; j++) sum = fma((double)g_y[j], (double)y[j], sum);
    for (size_t j = 0; j < k; j++) call->g_in[0][i * k + j] = (dm_real)((double)y[j] * ((double)g_y[j] - sum));
  }
}

const nn_op nn_op_softmax = {.name = "softmax", .shape = shape, .forward = forward, .backward = backward};
