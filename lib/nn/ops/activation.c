/* activation: out = f(in), element by element, for any shape. */
#include "nn/graph.h"

#include <string.h>

static const char *const names[] = {"linear", "relu", "leaky", "gelu", "tanh", "sigmoid", "silu", "selu"}; /* as DM_ACT_* count */
enum { N_NAMES = sizeof names / sizeof *names };

const char *nn_activation_name(dm_activation f) { return (size_t)f < N_NAMES ? names[f] : "unknown"; }

bool nn_activation_parse(const char *name, dm_activation *out) {
  for (size_t i = 0; i < N_NAMES; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (dm_activation)i;
      return true;
    }
  return false;
}

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
