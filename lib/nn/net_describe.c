/*
 * A net as text:
 *
 *   net: 14 columns, 2 classes, 8 layers, 61842 parameters
 *   20 epochs, the best the 12th: training loss 0.31, validation loss 0.294
 *     layer          from       values  parameters
 *     1 periodic     input          56        816
 *     …
 */
#include "nn/net_model.h"

#include <math.h>
#include <stdio.h>

enum { LAYERS_SHOWN = 60 };

static void print_layer(const nn_graph *g, size_t i, dm_buf *out) {
  const nn_node *node = &g->nodes[i];
  char from[64] = "", what[48], shape[64];
  size_t at = 0;
  for (size_t k = 0; k < node->n_in && at + 1 < sizeof from; k++) {
    int n = node->in[k] ? snprintf(from + at, sizeof from - at, "%s%zu", k ? ", " : "", node->in[k])
                        : snprintf(from + at, sizeof from - at, "%sinput", k ? ", " : "");
    at += n > 0 ? (size_t)n : 0;
  }
  bool acts = (node->op == &nn_op_dense || node->op == &nn_op_activation) && node->a.activation != DM_ACT_LINEAR;
  (void)snprintf(what, sizeof what, "%s%s%s", node->op->name, acts ? " " : "", acts ? nn_activation_name(node->a.activation) : "");
  nn_shape_print(&node->shape, shape);
  dm_buf_printf(out, "  %3zu %-20s %-12s %10s %12zu\n", i, what, from, shape, node->n_w);
}

dm_status net_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err) {
  const net_model *m = (const net_model *)model;
  const nn_graph *g = m->graph;
  (void)scorer, (void)err;
  dm_buf_printf(out, "net: %zu %s, ", model->d, model->d == 1 ? "column" : "columns");
  if (m->fitted) dm_buf_printf(out, "%zu classes, ", m->fitted);
  dm_buf_printf(out, "%zu layers, %zu parameters\n", g->n - 1, g->n_w);
  dm_buf_printf(out, "%lld epochs, number %lld kept: training loss %.4g", (long long)m->epochs, (long long)m->best_epoch, m->train_loss);
  if (isfinite(m->valid_loss)) dm_buf_printf(out, ", validation loss %.4g", m->valid_loss);
  dm_buf_printf(out, "\n      %-20s %-12s %10s %12s\n", "layer", "from", "values", "parameters");
  for (size_t i = 1; i < g->n && i <= LAYERS_SHOWN; i++) print_layer(g, i, out);
  if (g->n > LAYERS_SHOWN + 1) dm_buf_printf(out, "  ... %zu more layers\n", g->n - 1 - LAYERS_SHOWN);
  dm_buf_printf(out, "layers behind the columns: %s\n", m->design.line);
  return dm_buf_status(out);
}
