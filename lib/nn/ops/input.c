/* input: the rows that the net is given, (d). */
#include "nn/graph.h"

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)g;
  if (node->a.units < 1 || node->a.units > NN_SIZE_MAX)
    return dm_fail(err, DM_EUSAGE, "%zu columns, want 1 to %zu", node->a.units, NN_SIZE_MAX);
  node->shape = (nn_shape){.rank = 1, .dim = {node->a.units}};
  node->size = node->a.units;
  return DM_OK;
}

const nn_op nn_op_input = {.name = "input", .shape = shape};
