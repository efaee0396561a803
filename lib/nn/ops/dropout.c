/*
 * y = x m / (1 - p), m = 0 with probability p and 1 else; y = x when scoring.
 *
 * The mask is drawn again in backward instead of kept: 16 bits a number, so that
 * p is a multiple of 1/65536 and the scale belongs to that p.
 * Source: Srivastava et al., JMLR 15, 2014.
 */
#include "nn/graph.h"

#include <string.h>

static const double STEPS = 65536;

static dm_status shape(const nn_graph *g, nn_node *node, dm_error *err) {
  if (!(node->a.rate >= 0 && node->a.rate < 1)) return dm_fail(err, DM_EUSAGE, "share = %g, want 0 <= share < 1", node->a.rate);
  node->shape = g->nodes[node->in[0]].shape;
  node->size = g->nodes[node->in[0]].size;
  return DM_OK;
}

/* out = in where the mask lets it through, times the scale */
static void drop(const nn_node *node, dm_rng rng, const dm_real *in, size_t n, dm_real *out) {
  uint32_t below = (uint32_t)(node->a.rate * STEPS + 0.5);
  below = below < 65535 ? below : 65535;
  dm_real scale = (dm_real)(STEPS / (STEPS - below));
  for (size_t i = 0; i < n; i += 2) {
    uint32_t bits = dm_rng_u32(&rng);
    out[i] = (bits & 65535) >= below ? scale * in[i] : 0;
    if (i + 1 < n) out[i + 1] = bits >> 16 >= below ? scale * in[i + 1] : 0;
  }
}

static void forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  if (call->training)
    drop(node, call->rng, call->in[0], call->n * node->size, call->out);
  else
    memcpy(call->out, call->in[0], call->n * node->size * sizeof *call->out);
}

static void backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  if (call->g_in[0]) drop(node, call->rng, call->g_out, call->n * node->size, call->g_in[0]);
}

const nn_op nn_op_dropout = {.name = "dropout", .passes = true, .shape = shape, .forward = forward, .backward = backward};
