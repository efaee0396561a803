/*
 * Embeddings of numbers by pieces between fixed edges e_0 <= e_1 <= … <= e_T of each column:
 *
 *   z_t = (x - e_t-1) / (e_t - e_t-1), held at 0 below the piece and at 1 above     y = z W + bias, a W for each column
 *
 *   x in piece 3 of 4:  z = | 1 | 1 | 0.4 | 0 |
 *
 * The first piece goes on below its edge and the last one above, so that the
 * order of outliers is kept. A piece without width is 0: equal edges, as
 * quantiles of a column with few values have, make no step.
 *
 *   numbers: edges (columns, count + 1)        w: W (columns, count, units) | bias (columns, units)
 *
 * Source: Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022, eq. 1.
 */
#include "nn/draw.h"
#include "nn/ops/per_column.h"

#include <math.h>
#include <string.h>

enum { COUNT_MAX = 1 << 12 };

static dm_status check_edges(const nn_attributes *a, dm_error *err) {
  if (a->n_numbers != a->n_columns * (a->count + 1))
    return dm_fail(err, DM_EUSAGE, "%zu edges, want %zu for each of %zu columns", a->n_numbers, a->count + 1, a->n_columns);
  for (size_t j = 0; j < a->n_columns; j++) {
    const double *e = a->numbers + j * (a->count + 1);
    for (size_t t = 0; t <= a->count; t++)
      if (!isfinite(e[t]) || (t > 0 && e[t] < e[t - 1]))
        return dm_fail(err, DM_EUSAGE, "edge %zu of column %zu is %g, want finite numbers that rise", t + 1, a->columns[j] + 1, e[t]);
  }
  return DM_OK;
}

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_attributes *a = &node->a;
  dm_status s = per_column_check(g, node, err);
  if (s != DM_OK) return s;
  if (a->count < 1 || a->count > COUNT_MAX) return dm_fail(err, DM_EUSAGE, "%zu pieces, want 1 to %d", a->count, COUNT_MAX);
  if (a->units < 1 || a->units > COUNT_MAX) return dm_fail(err, DM_EUSAGE, "units = %zu, want 1 to %d", a->units, COUNT_MAX);
  size_t of_column = (a->count + 1) * a->units;
  if (a->n_columns > NN_SIZE_MAX / of_column) return dm_fail(err, DM_EUSAGE, "%zu columns of %zu parameters", a->n_columns, of_column);
  if ((s = check_edges(a, err)) != DM_OK) return s;
  node->size = a->n_columns * a->units;
  node->shape = (nn_shape){.rank = 1, .dim = {node->size}};
  node->n_w = a->n_columns * of_column;
  node->work = a->count;
  node->work_back = 2 * a->count;
  node->work_fixed = a->count * a->units;
  node->keeps_in = true;
  return DM_OK;
}

static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  (void)state;
  nn_draw_uniform(rng, 1 / sqrt((double)node->a.count), node->n_w, w); /* that of a linear layer of so many inputs in PyTorch */
}

/* One column of one call. */
typedef struct column {
  size_t d, at;           /* reals of an input row; the column's place in it */
  const double *edges;    /* [count + 1] */
  size_t first, last;     /* pieces with a width; first > last: none has */
  per_column map;
  dm_real *turned, *z, *g_z; /* [count, units], [n, count] */
} column;

static column column_of(const nn_graph *g, const nn_node *node, const nn_call *call, size_t j) {
  size_t count = node->a.count, units = node->a.units;
  const dm_real *bias = call->w + node->a.n_columns * count * units;
  column k = {.d = g->nodes[node->in[0]].size, .at = node->a.columns[j], .edges = node->a.numbers + j * (count + 1), .first = count,
              .map = {count, units, call->w + j * count * units, bias + j * units}};
  for (size_t t = 0; t < count; t++)
    if (k.edges[t + 1] > k.edges[t]) {
      if (k.first == count) k.first = t;
      k.last = t;
    }
  k.turned = call->work;
  k.z = k.turned + count * units;
  k.g_z = k.z + call->n * count;
  return k;
}

/* Place of x in piece t, and whether it is held at neither end. */
static double in_piece(const column *k, size_t t, double x, bool *moves) {
  double low = k->edges[t], width = k->edges[t + 1] - low;
  *moves = false;
  if (!(width > 0)) return 0;
  if (x < low && t > k->first) return 0;
  if (x >= k->edges[t + 1] && t < k->last) return 1;
  *moves = true;
  return (x - low) / width;
}

static void pieces(const nn_call *call, const column *k) {
  size_t count = k->map.features;
  bool moves;
  for (size_t i = 0; i < call->n; i++) {
    double x = (double)call->in[0][i * k->d + k->at];
    for (size_t t = 0; t < count; t++) k->z[i * count + t] = (dm_real)in_piece(k, t, x, &moves);
  }
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  for (size_t j = 0; j < node->a.n_columns; j++) {
    column k = column_of(g, node, call, j);
    pieces(call, &k);
    per_column_forward(call, &k.map, k.z, call->out + j * node->a.units, node->size);
  }
}

static void backward_input(const nn_call *call, const column *k) {
  size_t count = k->map.features;
  for (size_t i = 0; i < call->n; i++) {
    double x = (double)call->in[0][i * k->d + k->at], g_x = 0;
    bool moves;
    for (size_t t = 0; t < count; t++) {
      (void)in_piece(k, t, x, &moves);
      if (moves) g_x += (double)k->g_z[i * count + t] / (k->edges[t + 1] - k->edges[t]);
    }
    call->g_in[0][i * k->d + k->at] += (dm_real)g_x;
  }
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  size_t block = node->a.count * node->a.units;
  dm_real *g_bias = call->g_w + node->a.n_columns * block;
  if (call->g_in[0]) memset(call->g_in[0], 0, call->n * g->nodes[node->in[0]].size * sizeof *call->g_in[0]);
  for (size_t j = 0; j < node->a.n_columns; j++) {
    column k = column_of(g, node, call, j);
    const dm_real *g_y = call->g_out + j * node->a.units;
    pieces(call, &k);
    per_column_g_w(call, &k.map, k.z, g_y, node->size, call->g_w + j * block);
    per_column_g_bias(call, &k.map, g_y, node->size, g_bias + j * node->a.units);
    if (!call->g_in[0]) continue;
    per_column_g_z(call, &k.map, g_y, node->size, k.turned, k.g_z);
    backward_input(call, &k);
  }
}

const nn_op nn_op_piecewise = {.name = "piecewise", .shape = shape, .init = init, .forward = forward, .backward = backward};
