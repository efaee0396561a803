/* activation: out = f(in), element by element, for any shape. */
#include "nn/graph.h"

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)err;
  const nn_node *in = &g->nodes[node->in[0]];
  node->shape = in->shape;
  node->size = in->size;
  node->keeps_in = dm_k_activation_needs_x(node->a.activation);
  node->keeps_out = !node->keeps_in;
  return DM_OK;
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  dm_k_activate(node->a.activation, (dm_real)node->a.rate, call->in[0], call->n * node->size, call->out);
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  if (!call->g_in[0]) return;
  dm_k_activate_back(node->a.activation, (dm_real)node->a.rate, call->in[0], call->out, call->g_out, call->n * node->size, call->g_in[0]);
}

const nn_op nn_op_activation = {.name = "activation", .shape = shape, .forward = forward, .backward = backward};
