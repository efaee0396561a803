/*
 * Lifetimes of a slot's buffers, and their places by first fit.
 *
 * Steps: forward of node i at i, the loss at n, backward of node i at 2n - i.
 * A buffer is alive in the steps from the one that writes it to the last one
 * that reads it, both included. Large buffers are placed first, each at the
 * lowest offset where no buffer that is alive at the same time lies.
 */
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 / sizeof(dm_real) };

typedef struct span {
  size_t from, to;
} span;

typedef struct buffer {
  size_t size;      /* reals, a multiple of ALIGN */
  size_t n_alive;
  span alive[2];    /* scratch is alive in forward and in backward, but not between */
  size_t number;    /* in the order they were made */
  size_t *place;    /* where its offset goes */
} buffer;

typedef struct planner {
  const nn_graph *g;
  nn_plan *p;
  const size_t *outputs;
  size_t n_outputs;
  bool input_gradient;
  bool *runs;      /* [n] an output needs it */
  bool *learns;    /* [n] a gradient reaches it and is of use */
  size_t *last;    /* [n] step that reads its value last */
  size_t *writer;  /* [n] node whose backward writes its gradient first; NN_NONE: the loss does */
  buffer *buffers;
  size_t n_buffers, total;
  dm_error *err;
} planner;

/* The node whose buffer holds the value: when scoring, what only passes its input on has none of its own. */
static size_t holder(const planner *q, size_t node) {
  while (!q->p->training && q->g->nodes[node].op->passes) node = q->g->nodes[node].in[0];
  return node;
}

/* ---- who runs, who learns ------------------------------------------------------------- */

static void mark(planner *q) {
  const nn_graph *g = q->g;
  for (size_t o = 0; o < q->n_outputs; o++) q->runs[q->outputs[o]] = true;
  if (q->p->training) q->learns[q->outputs[0]] = true;
  for (size_t i = g->n; i-- > 0;) /* from the outputs to what they need */
    for (size_t k = 0; k < g->nodes[i].n_in; k++) {
      q->runs[g->nodes[i].in[k]] |= q->runs[i];
      q->learns[g->nodes[i].in[k]] |= q->learns[i];
    }
  q->runs[0] = true;
  for (size_t i = 0; i < g->n; i++) { /* and back: only where something is learned at or before the node */
    bool use = g->nodes[i].n_w > 0 || (i == 0 && q->input_gradient);
    for (size_t k = 0; k < g->nodes[i].n_in; k++) use |= q->learns[g->nodes[i].in[k]];
    q->learns[i] &= use;
  }
}

static void later(size_t *step, size_t other) {
  if (other > *step) *step = other;
}

static void find_readers(planner *q) {
  const nn_graph *g = q->g;
  size_t n = g->n;
  for (size_t i = 0; i < n; i++) {
    const nn_node *node = &g->nodes[i];
    q->last[i] = i;
    q->writer[i] = NN_NONE;
    if (q->learns[i] && node->keeps_out) q->last[i] = 2 * n - i;
    for (size_t k = 0; q->runs[i] && k < node->n_in; k++) {
      size_t in = holder(q, node->in[k]);
      later(&q->last[in], q->learns[i] && node->keeps_in ? 2 * n - i : i);
      if (q->learns[i]) q->writer[in] = i; /* the last consumer is the first in backward */
    }
  }
  for (size_t o = 0; o < q->n_outputs; o++) later(&q->last[holder(q, q->outputs[o])], q->p->training ? n : 2 * n + 1);
  if (q->p->training) q->writer[q->outputs[0]] = NN_NONE;
}

/* ---- buffers ---------------------------------------------------------------------------- */

static dm_status too_much(const planner *q) {
  return dm_fail(q->err, DM_EBUDGET, "net: one slot of %zu rows needs more than memory can hold", q->p->rows);
}

/* A buffer of rows * per_row + fixed reals; none where that is 0. */
static dm_status add_buffer(planner *q, size_t per_row, size_t fixed, span first, const span *second, size_t *place) {
  size_t size, sum;
  if (!dm_size_mul(per_row, q->p->rows, &size) || !dm_size_add(size, fixed, &size) || !dm_size_add(size, ALIGN - 1, &size)) return too_much(q);
  size = size / ALIGN * ALIGN;
  if (size == 0) return DM_OK;
  if (!dm_size_add(q->total, size, &sum)) return too_much(q);
  q->total = sum;
  q->buffers[q->n_buffers] = (buffer){.size = size, .n_alive = second ? 2 : 1, .alive = {first}, .number = q->n_buffers, .place = place};
  if (second) q->buffers[q->n_buffers].alive[1] = *second;
  q->n_buffers++;
  return DM_OK;
}

static dm_status add_work(planner *q, size_t i) {
  const nn_node *node = &q->g->nodes[i];
  size_t back = node->work > node->work_back ? node->work : node->work_back, *place = &q->p->places[i].work;
  span forward = {i, i}, backward = {2 * q->g->n - i, 2 * q->g->n - i};
  if (!q->learns[i]) return add_buffer(q, node->work, node->work_fixed, forward, NULL, place);
  if (node->work + node->work_fixed == 0) return add_buffer(q, back, 0, backward, NULL, place);
  return add_buffer(q, back, node->work_fixed, forward, &backward, place);
}

/* Gradients of the node's inputs that another consumer has written before. */
static dm_status add_temps(planner *q, size_t i) {
  const nn_node *node = &q->g->nodes[i];
  span now = {2 * q->g->n - i, 2 * q->g->n - i};
  bool seen[NN_INPUTS_MAX] = {false};
  for (size_t k = 0; k < node->n_in; k++) {
    size_t in = node->in[k];
    for (size_t l = 0; l < k; l++) seen[k] |= node->in[l] == in;
    if (!q->learns[in] || (q->writer[in] == i && !seen[k])) continue;
    dm_status s = add_buffer(q, q->g->nodes[in].size, 0, now, NULL, &q->p->places[i].temp[k]);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

static dm_status add_buffers(planner *q) {
  dm_status s = DM_OK;
  size_t n = q->g->n;
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    const nn_node *node = &q->g->nodes[i];
    nn_place *place = &q->p->places[i];
    if (!q->runs[i] || holder(q, i) != i) continue;
    s = add_buffer(q, node->size, 0, (span){i, q->last[i]}, NULL, &place->out);
    if (s == DM_OK) s = add_work(q, i);
    if (s != DM_OK || !q->learns[i]) continue;
    span gradient = {q->writer[i] == NN_NONE ? n : 2 * n - q->writer[i], i == 0 ? 2 * n + 1 : 2 * n - i};
    s = add_buffer(q, node->saved, 0, (span){i, 2 * n - i}, NULL, &place->saved);
    if (s == DM_OK) s = add_buffer(q, node->size, 0, gradient, NULL, &place->grad);
    if (s == DM_OK) s = add_temps(q, i);
  }
  return s;
}

/* ---- places ------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b) {
  const buffer *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return (x->number > y->number) - (x->number < y->number);
}

static bool meet(const buffer *a, const buffer *b) {
  for (size_t i = 0; i < a->n_alive; i++)
    for (size_t j = 0; j < b->n_alive; j++)
      if (a->alive[i].from <= b->alive[j].to && b->alive[j].from <= a->alive[i].to) return true;
  return false;
}

/* @param placed [n_buffers] room: buffers by their offset */
static void place_buffers(planner *q, const buffer **placed) {
  qsort(q->buffers, q->n_buffers, sizeof *q->buffers, larger_first);
  for (size_t b = 0; b < q->n_buffers; b++) {
    const buffer *new = &q->buffers[b];
    size_t at = 0, rank = 0;
    for (size_t i = 0; i < b; i++) {
      if (!meet(new, placed[i])) continue;
      if (*placed[i]->place >= at + new->size) break;
      if (*placed[i]->place + placed[i]->size > at) at = *placed[i]->place + placed[i]->size;
    }
    while (rank < b && *placed[rank]->place <= at) rank++;
    memmove(placed + rank + 1, placed + rank, (b - rank) * sizeof *placed);
    placed[rank] = new;
    *new->place = at;
    if (at + new->size > q->p->reals) q->p->reals = at + new->size;
  }
}

static dm_status check_budget(const planner *q) {
  size_t bytes, limit = dm_ctx_budget(q->p->ctx);
  if (!dm_size_mul(q->p->reals, sizeof(dm_real), &bytes)) return too_much(q);
  if (!limit || bytes <= limit) return DM_OK;
  (void)dm_fail(q->err, DM_EBUDGET, "net: one slot of %zu rows needs %zu MB, limit %zu MB", q->p->rows, (bytes + ((size_t)1 << 20) - 1) >> 20, limit >> 20);
  dm_error_hint(q->err, "a narrower net, a smaller batch, or more with --memory");
  return DM_EBUDGET;
}

/* ---- the plan ------------------------------------------------------------------------------- */

/* Arrays of the planning itself, freed at its end. */
static dm_status make_plan(planner *q, dm_arena *memory) {
  size_t n = q->g->n, most = 0;
  for (size_t i = 0; i < n; i++) most += 4 + q->g->nodes[i].n_in;
  const buffer **placed;
  if (!(q->runs = dm_arena_alloc(memory, n, sizeof *q->runs, q->err)) || !(q->learns = dm_arena_alloc(memory, n, sizeof *q->learns, q->err)) ||
      !(q->last = dm_arena_alloc(memory, n, sizeof *q->last, q->err)) || !(q->writer = dm_arena_alloc(memory, n, sizeof *q->writer, q->err)) ||
      !(q->buffers = dm_arena_alloc(memory, most, sizeof *q->buffers, q->err)) ||
      !(placed = dm_arena_alloc(memory, most, sizeof *placed, q->err)))
    return DM_EBUDGET;
  mark(q);
  find_readers(q);
  dm_status s = add_buffers(q);
  if (s != DM_OK) return s;
  place_buffers(q, placed);
  for (size_t i = 0; i < n; i++) {
    if (!q->runs[i] || holder(q, i) == i) continue;
    q->p->places[i].out = q->p->places[holder(q, i)].out;
    q->p->places[i].passes = true;
  }
  return check_budget(q);
}

dm_status nn_plan_new(const nn_graph *g, const size_t *outputs, size_t n_outputs, size_t rows, unsigned what, nn_plan **out, dm_error *err) {
  nn_plan *p = dm_alloc(g->ctx, 1, sizeof *p, "plan of the net", err);
  if (!p) return DM_EBUDGET;
  *p = (nn_plan){.ctx = g->ctx, .rows = rows, .training = what & NN_PLAN_TRAIN, .n = g->n};
  planner q = {.g = g, .p = p, .outputs = outputs, .n_outputs = n_outputs, .input_gradient = what & NN_PLAN_INPUT_GRADIENT, .err = err};
  dm_arena *memory = NULL;
  p->places = dm_alloc(g->ctx, g->n, sizeof *p->places, "plan of the net", err);
  dm_status s = p->places ? dm_arena_new(g->ctx, 0, &memory, err) : DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < g->n; i++) {
    p->places[i] = (nn_place){.out = NN_NONE, .saved = NN_NONE, .work = NN_NONE, .grad = NN_NONE};
    for (size_t k = 0; k < NN_INPUTS_MAX; k++) p->places[i].temp[k] = NN_NONE;
  }
  if (s == DM_OK) s = make_plan(&q, memory);
  dm_arena_free(memory);
  if (s != DM_OK) {
    nn_plan_free(p);
    return s;
  }
  *out = p;
  return DM_OK;
}

void nn_plan_free(nn_plan *p) {
  if (!p) return;
  dm_free(p->ctx, p->places);
  dm_free(p->ctx, p);
}

void nn_plan_call(const nn_plan *p, const nn_graph *g, size_t node, size_t n, dm_real *arena, bool backward, nn_call *call) {
  const nn_place *place = &p->places[node];
  const nn_node *of = &g->nodes[node];
  call->n = n;
  call->out = nn_plan_at(place->out, arena);
  call->saved = nn_plan_at(place->saved, arena);
  call->work = nn_plan_at(place->work, arena);
  for (size_t k = 0; k < of->n_in; k++) call->in[k] = nn_plan_at(p->places[of->in[k]].out, arena);
  if (!backward) return;
  call->g_out = nn_plan_at(place->grad, arena);
  for (size_t k = 0; k < of->n_in; k++)
    call->g_in[k] = nn_plan_at(place->temp[k] != NN_NONE ? place->temp[k] : p->places[of->in[k]].grad, arena);
}
