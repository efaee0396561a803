/* Forward pass for scoring. */
#include "nn/score.h"

size_t nn_score_work(const nn_scoring *s) { return s->plan->reals * sizeof(dm_real); }

/* A dense layer of one row, as ops/dense.c has it, without filling a call: rows that come alone cost little else. */
static bool run_row(const nn_scoring *s, size_t i, dm_real *arena) {
  const nn_node *node = &s->graph->nodes[i];
  const dm_real *in = arena + s->plan->places[node->in[0]].out, *w = s->w + node->w;
  dm_real *out = arena + s->plan->places[i].out;
  size_t units = node->size, d = s->graph->nodes[node->in[0]].size;
  if (node->op != &nn_op_dense) return false;
  dm_activation f = node->a.activation;
  dm_k_gemm(&(dm_gemm){.m = 1, .n = units, .k = d, .a = in, .a_row = d, .a_col = 1, .b = w, .b_row = units, .c = out, .c_row = units,
                       .bias = w + d * units, .relu = f == DM_ACT_RELU});
  if (f != DM_ACT_LINEAR && f != DM_ACT_RELU) dm_k_activate(f, (dm_real)node->a.rate, out, units, out);
  return true;
}

void nn_score(const nn_scoring *s, const double *x, size_t n, void *work) {
  const nn_graph *g = s->graph;
  dm_real *arena = work, *rows = arena + s->plan->places[0].out;
  for (size_t i = 0; i < n * g->nodes[0].size; i++) rows[i] = (dm_real)x[i];
  nn_call call;
  bool cleared = false;
  for (size_t i = 1; i < g->n; i++) {
    const nn_node *node = &g->nodes[i];
    if (!nn_plan_runs(s->plan, i)) continue;
    if (n == 1 && run_row(s, i, arena)) continue;
    if (!cleared) call = (nn_call){.gemm = dm_k_gemm};
    cleared = true;
    nn_plan_call(s->plan, g, i, n, arena, false, &call);
    call.w = node->n_w ? s->w + node->w : NULL;
    call.state = node->n_state ? s->state + node->state : NULL;
    node->op->forward(g, node, &call);
  }
}

const dm_real *nn_score_value(const nn_scoring *s, const void *work, size_t node) {
  return (const dm_real *)work + s->plan->places[node].out;
}
