/*
 * Any line is refused with a place and a reason, or becomes a graph whose nodes
 * read earlier ones and whose sizes are within bounds, the same each time; a
 * small one scores a row alone as among others. The first byte is the width of the input.
 */
#include "nn/score.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held) {
  if (!held) abort();
}

static void check_refusal(const dm_error *err, dm_status s, const char *line) {
  expect(s == DM_EUSAGE || s == DM_EBUDGET);
  expect(err->code == s && err->message[0]);
  if (s == DM_EUSAGE) expect(err->line > 0 && err->column > 0 && err->column <= strlen(line) + 1 && err->caret > 0);
}

static void check_graph(const nn_graph *g, size_t last) {
  size_t n_w = 0, n_state = 0;
  expect(last < g->n);
  for (size_t i = 1; i < g->n; i++) {
    const nn_node *node = &g->nodes[i];
    expect(node->n_in > 0 && node->size > 0 && node->size <= NN_SIZE_MAX && node->size == nn_shape_size(&node->shape));
    for (size_t k = 0; k < node->n_in; k++) expect(node->in[k] < i);
    expect(node->w == n_w && node->state == n_state && node->line_at > 0);
    n_w += node->n_w;
    n_state += node->n_state;
  }
  expect(n_w == g->n_w && n_state == g->n_state && n_w <= NN_SIZE_MAX);
}

static void check_same(const nn_graph *a, const nn_graph *b) {
  expect(a->n == b->n && a->n_w == b->n_w);
  for (size_t i = 0; i < a->n; i++) expect(a->nodes[i].op == b->nodes[i].op && a->nodes[i].size == b->nodes[i].size);
}

/* One row alone and the same row in a full block. */
static void check_scores(const nn_graph *g, const nn_scoring *s, size_t last, dm_real *first, double *x, void *work) {
  size_t d = g->nodes[0].size, k = g->nodes[last].size;
  for (size_t i = 0; i < NN_SCORE_ROWS * d; i++) x[i] = (double)(i % d) - 2.5;
  nn_score(s, x, 1, work);
  memcpy(first, nn_score_value(s, work, last), k * sizeof *first);
  nn_score(s, x, NN_SCORE_ROWS, work);
  const dm_real *all = nn_score_value(s, work, last);
  for (size_t i = 0; i < NN_SCORE_ROWS * k; i++) expect(all[i] == first[i % k] || (all[i] != all[i] && first[i % k] != first[i % k]));
}

static void score(dm_ctx *ctx, const nn_graph *g, size_t last) {
  nn_scoring s = {.graph = g};
  if (g->n_w > 1 << 12 || nn_plan_new(g, &last, 1, NN_SCORE_ROWS, NN_PLAN_SCORE, &s.plan, NULL) != DM_OK) return;
  if (s.plan->reals <= 1 << 18) {
    dm_real *w = dm_alloc(ctx, g->n_w + 1, sizeof *w, "fuzz", NULL), *state = dm_alloc(ctx, g->n_state + 1, sizeof *state, "fuzz", NULL);
    dm_real *first = dm_alloc(ctx, g->nodes[last].size, sizeof *first, "fuzz", NULL);
    double *x = dm_alloc(ctx, NN_SCORE_ROWS * g->nodes[0].size, sizeof *x, "fuzz", NULL);
    void *work = dm_alloc(ctx, nn_score_work(&s), 1, "fuzz", NULL);
    expect(w && state && first && x && work);
    nn_graph_init(g, 1, w, state);
    s.w = w, s.state = state;
    check_scores(g, &s, last, first, x, work);
    dm_free(ctx, w), dm_free(ctx, state), dm_free(ctx, first), dm_free(ctx, x), dm_free(ctx, work);
  }
  nn_plan_free(s.plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_ctx *ctx = NULL;
  nn_graph *g = NULL, *again = NULL;
  dm_error err = {0};
  char *line = NULL;
  size_t last = 0, last_again = 0;
  dm_ctx_options limits = {.threads = 1, .budget = (size_t)64 << 20};
  if (size < 1 || size > 1 << 16 || dm_ctx_new(&limits, &ctx, NULL) != DM_OK) return 0;
  line = dm_alloc(ctx, size, 1, "fuzz", NULL); /* zeroed: ends with a NUL */
  if (line && nn_graph_new(ctx, 1 + data[0] % 8, &g, NULL) == DM_OK && nn_graph_new(ctx, 1 + data[0] % 8, &again, NULL) == DM_OK) {
    memcpy(line, data + 1, size - 1);
    dm_status s = nn_spec_add(g, line, 0, &last, &err);
    expect(nn_spec_add(again, line, 0, &last_again, NULL) == s);
    if (s == DM_OK) {
      check_graph(g, last);
      check_same(g, again);
      expect(last == last_again);
      score(ctx, g, last);
    } else {
      check_refusal(&err, s, line);
    }
  }
  nn_graph_free(g);
  nn_graph_free(again);
  dm_free(ctx, line);
  dm_ctx_free(ctx);
  return 0;
}
