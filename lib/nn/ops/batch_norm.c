/*
 * y = gamma (x - mean) / sqrt(variance + epsilon) + beta, feature by feature.
 *
 * In training mean and variance are those of the whole batch. Each slot gathers
 * its rows, in double and in two passes; all slots combine the figures in the
 * order of slots, so that each finds the same bits:
 *
 *   partial   | n | mean, m2 of this slot | mean, 1/deviation of the batch | sum g, sum g xhat of this slot |
 *             0   1                       1 + 2d                           1 + 4d                           1 + 6d
 *
 * dx = gamma / deviation (g - (sum g + xhat sum g xhat) / n)
 *
 * Scoring takes running figures, moved by a tenth towards each batch's (mean,
 * unbiased variance); a batch of one row has no variance and moves nothing.
 * Sources: Ioffe & Szegedy, ICML 2015, Alg. 1 and 2; Chan, Golub & LeVeque, 1983, eq. 2.1 (combining).
 */
#include "nn/graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double MOMENTUM = 0.1; /* PyTorch's */

typedef struct figures {
  double *n, *mean, *m2;       /* this slot's */
  double *all_mean, *all_rate; /* the batch's; rate is 1 / deviation */
  double *g, *g_x;             /* this slot's sums of gradients */
} figures;

static figures figures_of(double *p, size_t d) {
  return (figures){p, p + 1, p + 1 + d, p + 1 + 2 * d, p + 1 + 3 * d, p + 1 + 4 * d, p + 1 + 5 * d};
}

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  const nn_shape *in = &g->nodes[node->in[0]].shape;
  if (in->rank != 1) return nn_fail_rank(in, 1, err);
  if (!(node->a.rate > 0)) return dm_fail(err, DM_EUSAGE, "epsilon = %g, want > 0", node->a.rate);
  size_t d = in->dim[0];
  node->shape = *in;
  node->size = d;
  node->n_w = node->n_state = 2 * d;
  node->work_fixed = d;
  node->partial = 1 + 6 * d;
  node->keeps_in = true;
  return DM_OK;
}

/* w: gamma, beta. state: mean, variance. */
static void init(const nn_node *node, dm_real *w, dm_real *state, dm_rng *rng) {
  size_t d = node->size;
  (void)rng;
  for (size_t j = 0; j < d; j++) w[j] = state[d + j] = 1;
}

static void gather(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t d = node->size;
  figures f = figures_of(call->partial, d);
  memset(call->partial, 0, (1 + 2 * d) * sizeof *call->partial);
  *f.n = (double)call->n;
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < d; j++) f.mean[j] += (double)call->in[0][i * d + j];
  for (size_t j = 0; call->n > 0 && j < d; j++) f.mean[j] /= *f.n;
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < d; j++) {
      double off = (double)call->in[0][i * d + j] - f.mean[j];
      f.m2[j] += off * off;
    }
}

/* Mean and sum of squared distances from it of feature j over all slots. */
static void combine(const nn_call *call, size_t d, size_t j, double *mean, double *m2) {
  double n = 0;
  *mean = *m2 = 0;
  for (size_t s = 0; s < call->slots; s++) {
    const double *p = call->partials[s];
    double here = p[0], total = n + here, off = p[1 + j] - *mean;
    if (!(here > 0)) continue;
    *mean += off * (here / total);
    *m2 += p[1 + d + j] + off * off * (n * (here / total));
    n = total;
  }
}

static void forward_scoring(const nn_node *node, const nn_call *call) {
  size_t d = node->size;
  const dm_real *gamma = call->w, *beta = call->w + d, *mean = call->state, *variance = call->state + d;
  dm_real *rate = call->work;
  for (size_t j = 0; j < d; j++) rate[j] = (dm_real)(1 / sqrt((double)variance[j] + node->a.rate));
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < d; j++) {
      dm_real x = (dm_real)(((double)call->in[0][i * d + j] - (double)mean[j]) * (double)rate[j]);
      call->out[i * d + j] = gamma[j] * x + beta[j];
    }
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  if (!call->training) {
    forward_scoring(node, call);
    return;
  }
  size_t d = node->size;
  const dm_real *gamma = call->w, *beta = call->w + d;
  figures f = figures_of(call->partial, d);
  for (size_t j = 0; j < d; j++) {
    double m2;
    combine(call, d, j, &f.all_mean[j], &m2);
    f.all_rate[j] = 1 / sqrt(m2 / (double)call->batch + node->a.rate);
  }
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < d; j++) {
      dm_real x = (dm_real)(((double)call->in[0][i * d + j] - f.all_mean[j]) * f.all_rate[j]);
      call->out[i * d + j] = gamma[j] * x + beta[j];
    }
}

static void gather_back(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t d = node->size;
  figures f = figures_of(call->partial, d);
  memset(f.g, 0, 2 * d * sizeof *f.g);
  for (size_t i = 0; i < call->n; i++)
    for (size_t j = 0; j < d; j++) {
      double gy = (double)call->g_out[i * d + j];
      f.g[j] += gy;
      f.g_x[j] += gy * (((double)call->in[0][i * d + j] - f.all_mean[j]) * f.all_rate[j]);
    }
}

/* The parameters' gradient is of this slot's rows, that of the input needs the sums of all slots. */
static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t d = node->size;
  figures f = figures_of(call->partial, d);
  for (size_t j = 0; j < d; j++) {
    call->g_w[j] = (dm_real)f.g_x[j];
    call->g_w[d + j] = (dm_real)f.g[j];
  }
  if (!call->g_in[0]) return;
  for (size_t j = 0; j < d; j++) {
    double sum = 0, sum_x = 0;
    for (size_t s = 0; s < call->slots; s++) {
      sum += call->partials[s][1 + 4 * d + j];
      sum_x += call->partials[s][1 + 5 * d + j];
    }
    double scale = (double)call->w[j] * f.all_rate[j], mean_g = sum / (double)call->batch, mean_gx = sum_x / (double)call->batch;
    for (size_t i = 0; i < call->n; i++) {
      double x = ((double)call->in[0][i * d + j] - f.all_mean[j]) * f.all_rate[j];
      call->g_in[0][i * d + j] = (dm_real)(scale * ((double)call->g_out[i * d + j] - mean_g - x * mean_gx));
    }
  }
}

/* A variance beyond float would make a model that cannot be stored. */
static dm_real moved(dm_real from, double to) {
  double v = (double)from + MOMENTUM * (to - (double)from);
  v = v > (double)FLT_MAX ? (double)FLT_MAX : v;
  return (dm_real)v;
}

static void settle(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  size_t d = node->size;
  if (call->batch < 2) return;
  for (size_t j = 0; j < d; j++) {
    double mean, m2;
    combine(call, d, j, &mean, &m2);
    call->state[j] = moved(call->state[j], mean);
    call->state[d + j] = moved(call->state[d + j], m2 / (double)(call->batch - 1));
  }
}

const nn_op nn_op_batch_norm = {.name = "batch_norm",
                                .shape = shape,
                                .init = init,
                                .gather = gather,
                                .forward = forward,
                                .gather_back = gather_back,
                                .backward = backward,
                                .settle = settle};
