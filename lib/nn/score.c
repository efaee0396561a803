/* Forward pass for scoring. */
#include "nn/score.h"

size_t nn_score_work(const nn_scoring *s) { return s->plan->reals * sizeof(dm_real); }

void nn_score(const nn_scoring *s, const double *x, size_t n, void *work) {
  const nn_graph *g = s->graph;
  dm_real *arena = work, *rows = arena + s->plan->places[0].out;
  for (size_t i = 0; i < n * g->nodes[0].size; i++) rows[i] = (dm_real)x[i];
  nn_call call = {.gemm = dm_k_gemm};
  for (size_t i = 1; i < g->n; i++) {
    const nn_node *node = &g->nodes[i];
    if (!nn_plan_runs(s->plan, i)) continue;
    nn_plan_call(s->plan, g, i, n, arena, false, &call);
    call.w = node->n_w ? s->w + node->w : NULL;
    call.state = node->n_state ? s->state + node->state : NULL;
    node->op->forward(g, node, &call);
  }
}

const dm_real *nn_score_value(const nn_scoring *s, const void *work, size_t node) {
  return (const dm_real *)work + s->plan->places[node].out;
}
