/*
 * Embeddings of numbers by waves whose frequencies c are learned, `count` for
 * each column; two kinds, chosen by the activation:
 *
 *   relu     y = relu([cos 2 pi c x, sin 2 pi c x] W + bias)            (units)       "PLR"
 *   linear   y = [cos 2 pi (c x + b) W + bias, x]                       (units - 1, 1) "PBLD"
 *
 * The second has half the waves, and x itself for what is plainly linear.
 *
 *   w: c (columns, count) | b (columns, count), PBLD alone | W (columns, waves, units of it) | bias (columns, units of it)
 *
 * With t = c x + b:  dt = -2 pi sin(2 pi t) (g W_cos^T) + 2 pi cos(2 pi t) (g W_sin^T)
 * Sources: Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022, eq. 2;
 * Holzmüller, Grinsztajn & Steinwart, "Better by default", NeurIPS 2024, appendix A (PBLD, sigma 0.1).
 */
#include "nn/draw.h"
#include "nn/ops/per_column.h"

#include <math.h>
#include <string.h>

enum { COUNT_MAX = 1 << 12 };
static const double SIGMA = 0.1;
#define TURN ((dm_real)6.283185307179586)

/* Where things lie in the block of parameters, or of their gradient. */
typedef struct parts {
  bool plr;
  size_t count, waves, units; /* of the linear map */
  size_t c, b, w, bias;       /* begin */
} parts;

static parts parts_of(const nn_attributes *a) {
  parts p = {.plr = a->activation == DM_ACT_RELU, .count = a->count};
  p.waves = p.plr ? 2 * p.count : p.count;
  p.units = p.plr ? a->units : a->units - 1;
  p.b = a->n_columns * p.count;
  p.w = p.plr ? p.b : 2 * p.b;
  p.bias = p.w + a->n_columns * p.waves * p.units;
  return p;
}

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_attributes *a = &node->a;
  dm_status s = per_column_check(g, node, err);
  if (s != DM_OK) return s;
  if (a->activation != DM_ACT_RELU && a->activation != DM_ACT_LINEAR) return dm_fail(err, DM_EUSAGE, "want relu or linear for its activation");
  if (a->count < 1 || a->count > COUNT_MAX) return dm_fail(err, DM_EUSAGE, "%zu frequencies, want 1 to %d", a->count, COUNT_MAX);
  if (a->units < 2 || a->units > COUNT_MAX) return dm_fail(err, DM_EUSAGE, "units = %zu, want 2 to %d", a->units, COUNT_MAX);
  if (!(a->sigma >= 0 && a->sigma < 1e6)) return dm_fail(err, DM_EUSAGE, "sigma = %g, want 0 to 1e6", a->sigma);
  parts p = parts_of(a);
  size_t of_column = p.bias / a->n_columns + p.units;
  if (a->n_columns > NN_SIZE_MAX / of_column) return dm_fail(err, DM_EUSAGE, "%zu columns of %zu parameters", a->n_columns, of_column);
  node->size = a->n_columns * a->units;
  node->shape = (nn_shape){.rank = 1, .dim = {node->size}};
  node->n_w = a->n_columns * of_column;
  node->work = 3 * p.count;
  node->work_back = 4 * p.count + (p.plr ? p.units : 0);
  node->work_fixed = p.count * p.units;
  node->keeps_in = true;
  node->keeps_out = p.plr;
  return DM_OK;
}

static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  (void)state;
  parts p = parts_of(&node->a);
  double spread = 1 / sqrt((double)p.waves); /* that of a linear layer of so many inputs in PyTorch */
  nn_draw_normal(rng, node->a.sigma > 0 ? node->a.sigma : SIGMA, node->a.n_columns * p.count, w + p.c);
  if (!p.plr) nn_draw_uniform(rng, 0.5, node->a.n_columns * p.count, w + p.b);
  nn_draw_uniform(rng, spread, node->n_w - p.w, w + p.w);
}

/* One column of one call. */
typedef struct column {
  size_t d, at;                /* reals of an input row; the column's place in it */
  const dm_real *c, *b;        /* [count]; b NULL: 0 */
  per_column cosines, sines;   /* sines of PLR alone */
  dm_real *cosine, *sine, *t, *g_sine; /* [n, count] */
  dm_real *g, *turned;         /* [n, units], [count, units] */
} column;

static column column_of(const nn_graph *g, const nn_node *node, const nn_call *call, const parts *p, size_t j) {
  size_t block = call->n * p->count;
  const dm_real *w = call->w + p->w + j * p->waves * p->units;
  column k = {.d = g->nodes[node->in[0]].size, .at = node->a.columns[j], .c = call->w + p->c + j * p->count,
              .b = p->plr ? NULL : call->w + p->b + j * p->count,
              .cosines = {p->count, p->units, w, call->w + p->bias + j * p->units},
              .sines = {p->count, p->units, w + p->count * p->units, NULL}};
  k.turned = call->work;
  k.cosine = k.turned + p->count * p->units;
  k.sine = k.cosine + block;
  k.t = k.sine + block;
  k.g_sine = k.t + block;
  k.g = k.g_sine + block;
  return k;
}

static void phases(const nn_call *call, const parts *p, const column *k) {
  for (size_t i = 0; i < call->n; i++) {
    dm_real x = call->in[0][i * k->d + k->at];
    for (size_t f = 0; f < p->count; f++) k->t[i * p->count + f] = k->c[f] * x + (k->b ? k->b[f] : 0);
  }
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  parts p = parts_of(&node->a);
  for (size_t j = 0; j < node->a.n_columns; j++) {
    column k = column_of(g, node, call, &p, j);
    dm_real *out = call->out + j * node->a.units;
    phases(call, &p, &k);
    dm_k_cos_turns(k.t, call->n * p.count, k.cosine);
    per_column_forward(call, &k.cosines, k.cosine, out, node->size);
    if (p.plr) {
      dm_k_sin_turns(k.t, call->n * p.count, k.sine);
      per_column_forward(call, &k.sines, k.sine, out, node->size);
    } else {
      for (size_t i = 0; i < call->n; i++) out[i * node->size + p.units] = call->in[0][i * k.d + k.at];
    }
  }
  if (p.plr) dm_k_activate(DM_ACT_RELU, 0, call->out, call->n * node->size, call->out);
}

/* From the gradient of the waves to that of frequencies, phases and x. Overwrites t with the gradient of t. */
static void backward_phases(const nn_call *call, const parts *p, const column *k, size_t j) {
  dm_real *g_c = call->g_w + p->c + j * p->count, *g_b = p->plr ? NULL : call->g_w + p->b + j * p->count;
  for (size_t i = 0; i < call->n; i++) {
    dm_real x = call->in[0][i * k->d + k->at], g_x = 0;
    for (size_t f = 0; f < p->count; f++) {
      size_t at = i * p->count + f;
      dm_real g_t = -TURN * k->sine[at] * k->t[at];
      if (p->plr) g_t += TURN * k->cosine[at] * k->g_sine[at];
      g_c[f] += g_t * x;
      if (g_b) g_b[f] += g_t;
      g_x += g_t * k->c[f];
    }
    if (call->g_in[0]) call->g_in[0][i * k->d + k->at] += g_x;
  }
}

static void backward_column(const nn_graph *g, const nn_node *node, const nn_call *call, const parts *p, size_t j) {
  column k = column_of(g, node, call, p, j);
  const dm_real *g_y = call->g_out + j * node->a.units;
  dm_real *g_w = call->g_w + p->w + j * p->waves * p->units;
  size_t row = node->size, n = call->n * p->count;
  phases(call, p, &k);
  dm_k_cos_turns(k.t, n, k.cosine);
  dm_k_sin_turns(k.t, n, k.sine);
  if (p->plr) {
    for (size_t i = 0; i < call->n; i++) /* through relu */
      dm_k_activate_back(DM_ACT_RELU, 0, NULL, call->out + i * row + j * node->a.units, g_y + i * row, p->units, k.g + i * p->units);
    g_y = k.g;
    row = p->units;
    per_column_g_w(call, &k.sines, k.sine, g_y, row, g_w + p->count * p->units);
    per_column_g_z(call, &k.sines, g_y, row, k.turned, k.g_sine);
  }
  per_column_g_w(call, &k.cosines, k.cosine, g_y, row, g_w);
  per_column_g_bias(call, &k.cosines, g_y, row, call->g_w + p->bias + j * p->units);
  per_column_g_z(call, &k.cosines, g_y, row, k.turned, k.t); /* the phases are not needed any more */
  backward_phases(call, p, &k, j);
  for (size_t i = 0; !p->plr && call->g_in[0] && i < call->n; i++) call->g_in[0][i * k.d + k.at] += g_y[i * row + p->units];
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  parts p = parts_of(&node->a);
  memset(call->g_w, 0, p.w * sizeof *call->g_w);
  if (call->g_in[0]) memset(call->g_in[0], 0, call->n * g->nodes[node->in[0]].size * sizeof *call->g_in[0]);
  for (size_t j = 0; j < node->a.n_columns; j++) backward_column(g, node, call, &p, j);
}

const nn_op nn_op_periodic = {.name = "periodic", .shape = shape, .init = init, .forward = forward, .backward = backward};
