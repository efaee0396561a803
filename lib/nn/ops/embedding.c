/*
 * y = the row of a table that a code names, one table for each column, side by side:
 *
 *   input row   … 2 … 0 …          tables   (levels, dimension) of column 0 | of column 1 | …
 *   output row  | row 2 of table 0 | row 0 of table 1 |
 *
 * A code that is none of 0 … levels-1, NaN too, gives zeros: an unseen level.
 * A dimension of 0 stands for min(50, ceil(1.6 levels^0.56)).
 * Sources: Guo & Berkhahn, 2016 (embeddings of categories); the rule of dimension is fastai's.
 */
#include "nn/draw.h"
#include "nn/ops/per_column.h"

#include <math.h>
#include <string.h>

/* Codes are exact in float up to here. */
#define LEVELS_MAX ((size_t)1 << 24)

static size_t dimension(const nn_attributes *a, size_t j) {
  if (a->units) return a->units;
  double d = ceil(1.6 * pow((double)a->levels[j], 0.56));
  return d < 50 ? (size_t)d : 50;
}

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_attributes *a = &node->a;
  dm_status s = per_column_check(g, node, err);
  if (s != DM_OK) return s;
  for (size_t j = 0; j < a->n_columns; j++) {
    if (a->levels[j] < 1 || a->levels[j] > LEVELS_MAX)
      return dm_fail(err, DM_EUSAGE, "column %zu has %zu levels, want 1 to %zu", a->columns[j] + 1, a->levels[j], LEVELS_MAX);
    size_t units = dimension(a, j);
    if (units > (NN_SIZE_MAX - node->n_w) / a->levels[j])
      return dm_fail(err, DM_EUSAGE, "tables of more than %zu numbers", NN_SIZE_MAX);
    node->n_w += a->levels[j] * units;
    node->size += units;
  }
  node->shape = (nn_shape){.rank = 1, .dim = {node->size}};
  node->keeps_in = true;
  return DM_OK;
}

/* The variance of the uniform start in ±1/sqrt(dimension) of Gorishniy et al., NeurIPS 2021. */
static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  (void)state;
  for (size_t j = 0; j < node->a.n_columns; j++) {
    size_t units = dimension(&node->a, j), n = node->a.levels[j] * units;
    nn_draw_normal(rng, 1 / sqrt(3 * (double)units), n, w);
    w += n;
  }
}

/* @param row written: of the column's table, when the code names one */
static bool find_row(const nn_call *call, size_t i, size_t d, size_t column, size_t levels, size_t *row) {
  dm_real code = call->in[0][i * d + column];
  if (!(code >= 0 && code < (dm_real)levels)) return false;
  *row = (size_t)code;
  return true;
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t d = g->nodes[node->in[0]].size, at = 0;
  const dm_real *table = call->w;
  for (size_t j = 0; j < node->a.n_columns; j++) {
    size_t units = dimension(&node->a, j), levels = node->a.levels[j], row;
    for (size_t i = 0; i < call->n; i++) {
      dm_real *out = call->out + i * node->size + at;
      if (find_row(call, i, d, node->a.columns[j], levels, &row))
        memcpy(out, table + row * units, units * sizeof *out);
      else
        memset(out, 0, units * sizeof *out);
    }
    table += levels * units;
    at += units;
  }
}

/* Rows that do not occur get zeros: the optimizer's blocks are dense. Codes have no gradient. */
static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t d = g->nodes[node->in[0]].size, at = 0;
  dm_real *table = call->g_w;
  memset(call->g_w, 0, node->n_w * sizeof *call->g_w);
  if (call->g_in[0]) memset(call->g_in[0], 0, call->n * d * sizeof *call->g_in[0]);
  for (size_t j = 0; j < node->a.n_columns; j++) {
    size_t units = dimension(&node->a, j), levels = node->a.levels[j], row;
    for (size_t i = 0; i < call->n; i++)
      if (find_row(call, i, d, node->a.columns[j], levels, &row)) dm_k_add(call->g_out + i * node->size + at, units, table + row * units);
    table += levels * units;
    at += units;
  }
}

const nn_op nn_op_embedding = {.name = "embedding", .shape = shape, .init = init, .forward = forward, .backward = backward};
