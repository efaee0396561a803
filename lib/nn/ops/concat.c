/* concat: rows of all inputs side by side, (a) (b) … to (a + b + …). */
#include "nn/graph.h"

#include <string.h>

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  if (node->n_in < 1) return dm_fail(err, DM_EUSAGE, "no input, want 1 or more");
  for (size_t k = 0; k < node->n_in; k++) {
    const nn_node *in = &g->nodes[node->in[k]];
    if (in->shape.rank != 1) return nn_fail_rank(&in->shape, 1, err);
    node->size += in->size;
  }
  node->shape = (nn_shape){.rank = 1, .dim = {node->size}};
  return DM_OK;
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  for (size_t k = 0, at = 0; k < node->n_in; k++) {
    size_t d = g->nodes[node->in[k]].size;
    for (size_t i = 0; i < call->n; i++) memcpy(call->out + i * node->size + at, call->in[k] + i * d, d * sizeof(dm_real));
    at += d;
  }
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  for (size_t k = 0, at = 0; k < node->n_in; k++) {
    size_t d = g->nodes[node->in[k]].size;
    for (size_t i = 0; call->g_in[k] && i < call->n; i++)
      memcpy(call->g_in[k] + i * d, call->g_out + i * node->size + at, d * sizeof(dm_real));
    at += d;
  }
}

const nn_op nn_op_concat = {.name = "concat", .shape = shape, .forward = forward, .backward = backward};
