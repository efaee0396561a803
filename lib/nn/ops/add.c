/* add: out = in 0 + in 1 + …, inputs of one shape; the end of a residual branch. */
#include "nn/graph.h"

#include <string.h>

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  if (node->n_in < 2) return dm_fail(err, DM_EUSAGE, "%zu inputs, want 2 or more", node->n_in);
  const nn_shape *first = &g->nodes[node->in[0]].shape;
  for (size_t k = 1; k < node->n_in; k++) {
    const nn_shape *other = &g->nodes[node->in[k]].shape;
    char a[64], b[64];
    if (nn_shape_equal(first, other)) continue;
    nn_shape_print(first, a);
    nn_shape_print(other, b);
    return dm_fail(err, DM_EUSAGE, "%s and %s features cannot be added", a, b);
  }
  node->shape = *first;
  node->size = g->nodes[node->in[0]].size;
  return DM_OK;
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t n = call->n * node->size;
  memcpy(call->out, call->in[0], n * sizeof *call->out);
  for (size_t k = 1; k < node->n_in; k++) dm_k_add(call->in[k], n, call->out);
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  for (size_t k = 0; k < node->n_in; k++)
    if (call->g_in[k]) memcpy(call->g_in[k], call->g_out, call->n * node->size * sizeof(dm_real));
}

const nn_op nn_op_add = {.name = "add", .shape = shape, .forward = forward, .backward = backward};
