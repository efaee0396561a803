/* columns: out[j] = in[columns[j]]; a column may be picked more than once. */
#include "nn/graph.h"

#include <string.h>

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_node *in = &g->nodes[node->in[0]];
  if (in->shape.rank != 1) return nn_fail_rank(&in->shape, 1, err);
  if (node->a.n_columns < 1 || node->a.n_columns > NN_SIZE_MAX)
    return dm_fail(err, DM_EUSAGE, "%zu columns, want 1 to %zu", node->a.n_columns, NN_SIZE_MAX);
  for (size_t j = 0; j < node->a.n_columns; j++)
    if (node->a.columns[j] >= in->size) return dm_fail(err, DM_EUSAGE, "column %zu of %zu", node->a.columns[j] + 1, in->size);
  node->shape = (nn_shape){.rank = 1, .dim = {node->a.n_columns}};
  node->size = node->a.n_columns;
  return DM_OK;
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t d = g->nodes[node->in[0]].size;
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < node->size; j++) call->out[i * node->size + j] = call->in[0][i * d + node->a.columns[j]];
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t d = g->nodes[node->in[0]].size;
  if (!call->g_in[0]) return;
  memset(call->g_in[0], 0, call->n * d * sizeof(dm_real));
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < node->size; j++) call->g_in[0][i * d + node->a.columns[j]] += call->g_out[i * node->size + j];
}

const nn_op nn_op_columns = {.name = "columns", .shape = shape, .forward = forward, .backward = backward};
