/* Nodes of a net and their shapes. */
#include "nn/graph.h"

#include <stdio.h>
#include <string.h>

size_t nn_shape_size(const nn_shape *s) {
  size_t size = 1;
  for (size_t i = 0; i < s->rank; i++) size *= s->dim[i];
  return size;
}

void nn_shape_print(const nn_shape *s, char out[64]) {
  size_t at = 0;
  out[0] = 0;
  for (size_t i = 0; i < s->rank && at < 63; i++) {
    int n = snprintf(out + at, 64 - at, i ? "x%zu" : "%zu", s->dim[i]);
    at += n > 0 ? (size_t)n : 0;
  }
}

bool nn_shape_equal(const nn_shape *a, const nn_shape *b) {
  bool equal = a->rank == b->rank;
  for (size_t i = 0; equal && i < a->rank; i++) equal = a->dim[i] == b->dim[i];
  return equal;
}

dm_status nn_fail_rank(const nn_shape *got, size_t want, dm_error *err) {
  char text[64];
  nn_shape_print(got, text);
  return dm_fail(err, DM_EUSAGE, "want rank %zu, got %s", want, text);
}

/* ---- checks ---------------------------------------------------------------------- */

/* What ops say of themselves is multiplied by rows and added up later: nothing may be beyond NN_SIZE_MAX. */
static dm_status check_node(const nn_graph *g, const nn_node *node, dm_error *err) {
  const struct {
    size_t size;
    const char *what;
  } sizes[] = {{node->size, "features"}, {node->n_w, "parameters"}, {node->n_state, "running figures"}, {node->partial, "batch sums"},
               {node->saved, "kept numbers a row"}, {node->work, "numbers of scratch a row"}, {node->work_back, "numbers of scratch a row"},
               {node->work_fixed, "numbers of scratch"}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].size > NN_SIZE_MAX)
      return dm_fail(err, DM_EUSAGE, "%zu %s, want at most %zu", sizes[i].size, sizes[i].what, NN_SIZE_MAX);
  if (node->n_w > NN_SIZE_MAX - g->n_w || node->n_state > NN_SIZE_MAX - g->n_state)
    return dm_fail(err, DM_EUSAGE, "%zu parameters in the whole net, want at most %zu", g->n_w + node->n_w, NN_SIZE_MAX);
  return DM_OK;
}

/* Says where: `net: dense at 14: …`. */
static dm_status fail_at(const nn_node *node, dm_status s, dm_error *err) {
  if (node->line_at)
    dm_error_prefix(err, "net: %s at %zu", node->op->name, node->line_at);
  else
    dm_error_prefix(err, "net: %s", node->op->name);
  return s;
}

/* ---- building ---------------------------------------------------------------------- */

static dm_status copy_array(dm_arena *memory, const void *from, size_t n, size_t size, const void **out, dm_error *err) {
  *out = NULL;
  if (n == 0) return DM_OK;
  void *copy = dm_arena_alloc(memory, n, size, err);
  if (!copy) return DM_EBUDGET;
  memcpy(copy, from, n * size);
  *out = copy;
  return DM_OK;
}

static dm_status copy_attributes(dm_arena *memory, const nn_attributes *a, nn_attributes *out, dm_error *err) {
  const void *columns = NULL, *levels = NULL, *numbers = NULL;
  dm_status s = copy_array(memory, a->columns, a->columns ? a->n_columns : 0, sizeof *a->columns, &columns, err);
  if (s == DM_OK) s = copy_array(memory, a->levels, a->levels ? a->n_columns : 0, sizeof *a->levels, &levels, err);
  if (s == DM_OK) s = copy_array(memory, a->numbers, a->numbers ? a->n_numbers : 0, sizeof *a->numbers, &numbers, err);
  if (s != DM_OK) return s;
  *out = *a;
  out->columns = columns;
  out->levels = levels;
  out->numbers = numbers;
  return DM_OK;
}

static dm_status grow(nn_graph *g, dm_error *err) {
  if (g->n < g->capacity) return DM_OK;
  size_t capacity = g->capacity ? 2 * g->capacity : 16;
  nn_node *nodes = dm_realloc(g->ctx, g->nodes, capacity, sizeof *nodes, "net", err);
  if (!nodes) return DM_EBUDGET;
  g->nodes = nodes;
  g->capacity = capacity;
  return DM_OK;
}

dm_status nn_graph_add(nn_graph *g, const nn_op *op, const size_t *in, size_t n_in, const nn_attributes *a, size_t line_at, size_t *node,
                       dm_error *err) {
  nn_node new = {.op = op, .n_in = n_in, .line_at = line_at, .w = g->n_w, .state = g->n_state};
  if (n_in > NN_INPUTS_MAX) return fail_at(&new, dm_fail(err, DM_EUSAGE, "%zu inputs, want at most %d", n_in, NN_INPUTS_MAX), err);
  if (g->n == NN_NODES_MAX) return fail_at(&new, dm_fail(err, DM_EUSAGE, "more than %d layers", NN_NODES_MAX), err);
  for (size_t k = 0; k < n_in; k++) {
    if (in[k] >= g->n) return fail_at(&new, dm_fail(err, DM_EINTERNAL, "input %zu is node %zu of %zu", k, in[k], g->n), err);
    new.in[k] = in[k];
  }
  dm_status s = grow(g, err);
  if (s == DM_OK && a) s = copy_attributes(g->memory, a, &new.a, err);
  if (s != DM_OK) return s;
  s = op->shape(g, &new, err);
  if (s == DM_OK) s = check_node(g, &new, err);
  if (s != DM_OK) return fail_at(&new, s, err);
  g->n_w += new.n_w;
  g->n_state += new.n_state;
  g->nodes[g->n] = new;
  *node = g->n++;
  return DM_OK;
}

dm_status nn_graph_new(dm_ctx *ctx, size_t d, nn_graph **out, dm_error *err) {
  nn_graph *g = dm_alloc(ctx, 1, sizeof *g, "net", err);
  if (!g) return DM_EBUDGET;
  g->ctx = ctx;
  size_t input;
  dm_status s = dm_arena_new(ctx, 0, &g->memory, err);
  if (s == DM_OK) s = nn_graph_add(g, &nn_op_input, NULL, 0, &(nn_attributes){.units = d}, 0, &input, err);
  if (s != DM_OK) {
    nn_graph_free(g);
    return s;
  }
  *out = g;
  return DM_OK;
}

void nn_graph_free(nn_graph *g) {
  if (!g) return;
  dm_arena_free(g->memory);
  dm_free(g->ctx, g->nodes);
  dm_free(g->ctx, g);
}

void nn_graph_init(const nn_graph *g, uint64_t seed, dm_real *w, dm_real *state) {
  if (g->n_w) memset(w, 0, g->n_w * sizeof *w);
  if (g->n_state) memset(state, 0, g->n_state * sizeof *state);
  for (size_t i = 0; i < g->n; i++) {
    const nn_node *node = &g->nodes[i];
    if (!node->op->init) continue;
    dm_rng rng;
    dm_rng_init(&rng, seed, DM_STREAM_NET_INIT | (uint64_t)i << 16); /* a sequence for each node */
    node->op->init(node, node->n_w ? w + node->w : NULL, node->n_state ? state + node->state : NULL, &rng);
  }
}
