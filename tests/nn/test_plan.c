/*
 * nn: the plan of the arena. Random graphs are played through on an arena of
 * tags: each step writes its buffers' tags into every real of them and looks
 * whether the tags of all that it reads still stand.
 */
#include "cmocka_all.h"
#include "nn/plan.h"

/* An op that says of itself whatever its numbers tell: units, and saved, work, back, fixed, parameters, keeps. */
enum { SAVED, WORK, BACK, FIXED, PARAMETERS, KEEPS, N_NUMBERS };

static dm_status any_shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)g;
  (void)err;
  const double *v = node->a.numbers;
  node->shape = (nn_shape){.rank = 1, .dim = {node->a.units}};
  node->size = node->a.units;
  node->saved = (size_t)v[SAVED];
  node->work = (size_t)v[WORK];
  node->work_back = (size_t)v[BACK];
  node->work_fixed = (size_t)v[FIXED];
  node->n_w = (size_t)v[PARAMETERS];
  node->keeps_in = (int)v[KEEPS] & 1;
  node->keeps_out = (int)v[KEEPS] & 2;
  return DM_OK;
}

static const nn_op op_any = {.name = "any", .shape = any_shape};

static dm_ctx *new_ctx(size_t budget) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.budget = budget}, &ctx, NULL), DM_OK);
  return ctx;
}

static nn_graph *random_graph(dm_ctx *ctx, dm_rng *rng) {
  nn_graph *g = NULL;
  size_t n = 2 + (size_t)dm_rng_below(rng, 14), node;
  assert_int_equal(nn_graph_new(ctx, 1 + (size_t)dm_rng_below(rng, 40), &g, NULL), DM_OK);
  while (g->n < n) {
    size_t in[3], n_in = 1 + (size_t)dm_rng_below(rng, 3);
    for (size_t k = 0; k < n_in; k++) in[k] = dm_rng_below(rng, 2) ? g->n - 1 : (size_t)dm_rng_below(rng, g->n);
    double v[N_NUMBERS];
    for (size_t i = 0; i < N_NUMBERS; i++) v[i] = (double)(dm_rng_below(rng, 2) ? dm_rng_below(rng, 50) : 0);
    nn_attributes a = {.units = 1 + (size_t)dm_rng_below(rng, 60), .numbers = v, .n_numbers = N_NUMBERS};
    assert_int_equal(nn_graph_add(g, &op_any, in, n_in, &a, 0, &node, NULL), DM_OK);
  }
  return g;
}

/* ---- the play ------------------------------------------------------------------- */

typedef struct play {
  const nn_graph *g;
  const nn_plan *p;
  unsigned *tags; /* [reals] */
} play;

enum { OUT = 1, SAVE, SCRATCH, GRAD, TEMP }; /* kinds of buffers; tag = node * 8 + kind */

static void put(const play *y, size_t node, unsigned kind, size_t at, size_t reals) {
  if (at == NN_NONE) return;
  assert_int_equal(at % (64 / sizeof(dm_real)), 0);
  assert_true(at + reals <= y->p->reals);
  for (size_t i = 0; i < reals; i++) y->tags[at + i] = (unsigned)node * 8 + kind;
}

static void stands(const play *y, size_t node, unsigned kind, size_t at, size_t reals) {
  assert_true(at != NN_NONE || reals == 0);
  for (size_t i = 0; i < reals; i++)
    if (y->tags[at + i] != (unsigned)node * 8 + kind)
      fail_msg("node %zu kind %u was overwritten by node %u kind %u", node, kind, y->tags[at + i] / 8, y->tags[at + i] % 8);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void play_forward(const play *y, size_t i) {
  const nn_node *node = &y->g->nodes[i];
  const nn_place *place = &y->p->places[i];
  size_t rows = y->p->rows, scratch = node->work || node->work_fixed ? rows * node->work + node->work_fixed : 0;
  put(y, i, OUT, place->out, rows * node->size);
  put(y, i, SCRATCH, scratch ? place->work : NN_NONE, scratch);
  put(y, i, SAVE, place->saved, rows * node->saved);
  for (size_t k = 0; k < node->n_in; k++) stands(y, node->in[k], OUT, y->p->places[node->in[k]].out, rows * y->g->nodes[node->in[k]].size);
  stands(y, i, OUT, place->out, rows * node->size);
  stands(y, i, SCRATCH, place->work, scratch);
}

/* @param written [n] whether a node's gradient holds something yet */
static void play_backward(const play *y, size_t i, bool *written) {
  const nn_node *node = &y->g->nodes[i];
  const nn_place *place = &y->p->places[i];
  size_t rows = y->p->rows, scratch = rows * larger(node->work, node->work_back) + node->work_fixed;
  assert_true(written[i]);
  put(y, i, SCRATCH, place->work, scratch);
  for (size_t k = 0; k < node->n_in; k++) {
    size_t in = node->in[k], reals = rows * y->g->nodes[in].size;
    if (y->p->places[in].grad == NN_NONE) continue;
    if (place->temp[k] != NN_NONE)
      put(y, i * 8 + k, TEMP, place->temp[k], reals);
    else
      put(y, in, GRAD, y->p->places[in].grad, reals);
    assert_true(written[in] == (place->temp[k] != NN_NONE)); /* only the first may write without adding */
    written[in] = true;
  }
  stands(y, i, GRAD, place->grad, rows * node->size);
  stands(y, i, SCRATCH, place->work, scratch);
  stands(y, i, SAVE, place->saved, rows * node->saved);
  if (node->keeps_out) stands(y, i, OUT, place->out, rows * node->size);
  for (size_t k = 0; k < node->n_in; k++) {
    size_t in = node->in[k], reals = rows * y->g->nodes[in].size;
    if (node->keeps_in) stands(y, in, OUT, y->p->places[in].out, reals);
    if (place->temp[k] != NN_NONE) stands(y, i * 8 + k, TEMP, place->temp[k], reals);
    if (y->p->places[in].grad != NN_NONE) stands(y, in, GRAD, y->p->places[in].grad, reals);
  }
}

static void play_plan(const nn_graph *g, const nn_plan *p, const size_t *outputs, size_t n_outputs, bool input_gradient) {
  play y = {g, p, dm_alloc(g->ctx, p->reals + 1, sizeof(unsigned), "test", NULL)};
  bool written[32] = {false};
  for (size_t i = 0; i < g->n; i++)
    if (nn_plan_runs(p, i)) play_forward(&y, i);
  for (size_t o = 0; o < n_outputs; o++) stands(&y, outputs[o], OUT, p->places[outputs[o]].out, p->rows * g->nodes[outputs[o]].size);
  if (p->training) {
    put(&y, outputs[0], GRAD, p->places[outputs[0]].grad, p->rows * g->nodes[outputs[0]].size);
    written[outputs[0]] = true;
    for (size_t i = g->n; i-- > 1;)
      if (p->places[i].grad != NN_NONE) play_backward(&y, i, written);
    if (input_gradient) stands(&y, 0, GRAD, p->places[0].grad, p->rows * g->nodes[0].size);
    assert_int_equal(input_gradient, p->places[0].grad != NN_NONE);
  }
  dm_free(g->ctx, y.tags);
}

/* Whether a node leads to another. */
static bool leads(const nn_graph *g, size_t from, size_t to) {
  bool reached[32] = {false};
  reached[from] = true;
  for (size_t i = from + 1; i <= to; i++)
    for (size_t k = 0; k < g->nodes[i].n_in; k++) reached[i] |= reached[g->nodes[i].in[k]];
  return reached[to];
}

/* Gradients reach exactly the nodes at or after parameters that lead to the output. */
static void check_learners(const nn_graph *g, const nn_plan *p, size_t output) {
  for (size_t i = 1; i < g->n; i++) {
    bool use = false;
    for (size_t j = 1; j <= i; j++) use |= g->nodes[j].n_w && leads(g, j, i);
    if (i <= output && leads(g, i, output) && use)
      assert_true(p->places[i].grad != NN_NONE);
    else if (p->places[0].grad == NN_NONE)
      assert_true(p->places[i].grad == NN_NONE);
  }
}

static void no_buffer_is_overwritten_while_it_is_needed(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  dm_rng rng;
  dm_rng_init(&rng, 11, 1);
  for (size_t turn = 0; turn < 1500; turn++) {
    nn_graph *g = random_graph(ctx, &rng);
    nn_plan *p = NULL;
    size_t outputs[] = {1 + (size_t)dm_rng_below(&rng, g->n - 1), (size_t)dm_rng_below(&rng, g->n)};
    size_t n_outputs = 1 + turn % 2, rows = 1 + (size_t)dm_rng_below(&rng, 9);
    unsigned what = turn % 3 == 0 ? NN_PLAN_SCORE : turn % 3 == 1 ? NN_PLAN_TRAIN : NN_PLAN_TRAIN | NN_PLAN_INPUT_GRADIENT;
    bool input_gradient = what & NN_PLAN_INPUT_GRADIENT && leads(g, 0, outputs[0]);
    assert_int_equal(nn_plan_new(g, outputs, n_outputs, rows, what, &p, NULL), DM_OK);
    play_plan(g, p, outputs, n_outputs, input_gradient);
    if (p->training) check_learners(g, p, outputs[0]);
    nn_plan_free(p);
    nn_graph_free(g);
  }
  dm_ctx_free(ctx);
}

static nn_graph *deep_graph(dm_ctx *ctx, size_t layers, size_t units) {
  nn_graph *g = NULL;
  size_t last = 0;
  assert_int_equal(nn_graph_new(ctx, units, &g, NULL), DM_OK);
  for (size_t i = 0; i < layers; i++)
    assert_int_equal(nn_graph_add(g, &nn_op_dense, &last, 1, &(nn_attributes){.units = units, .activation = DM_ACT_RELU}, 0, &last, NULL), DM_OK);
  return g;
}

static void memory_is_used_again(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  enum { LAYERS = 40, UNITS = 16, ROWS = 64 };
  nn_graph *g = deep_graph(ctx, LAYERS, UNITS);
  size_t last = LAYERS, one = (size_t)UNITS * ROWS;
  nn_plan *score = NULL, *train = NULL;
  assert_int_equal(nn_plan_new(g, &last, 1, ROWS, NN_PLAN_SCORE, &score, NULL), DM_OK);
  assert_int_equal(nn_plan_new(g, &last, 1, ROWS, NN_PLAN_TRAIN, &train, NULL), DM_OK);
  assert_int_equal(score->reals, 2 * one);          /* a layer reads one and writes the other */
  assert_true(train->reals <= (LAYERS + 1 + 5) * one); /* all outputs, but scratch (3) and gradients (2) of one layer only */
  nn_plan_free(score);
  nn_plan_free(train);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void nodes_that_no_output_needs_are_not_run(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0);
  nn_graph *g = deep_graph(ctx, 5, 8);
  size_t middle = 2;
  nn_plan *p = NULL;
  assert_int_equal(nn_plan_new(g, &middle, 1, 4, NN_PLAN_SCORE, &p, NULL), DM_OK);
  for (size_t i = 0; i < g->n; i++) assert_int_equal(nn_plan_runs(p, i), i <= 2);
  nn_plan_free(p);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void what_is_too_large_is_said(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx((size_t)8 << 20);
  nn_graph *g = deep_graph(ctx, 2, 256);
  nn_plan *p = NULL;
  dm_error err = {0};
  size_t last = 2, held = dm_ctx_memory(ctx);
  assert_int_equal(nn_plan_new(g, &last, 1, 16384, NN_PLAN_SCORE, &p, &err), DM_EBUDGET);
  assert_string_equal(err.message, "net: one slot of 16384 rows needs 32 MB, limit 8 MB");
  assert_true(err.hint[0]);
  assert_int_equal(nn_plan_new(g, &last, 1, SIZE_MAX / 512, NN_PLAN_SCORE, &p, &err), DM_EBUDGET);
  assert_non_null(strstr(err.message, "more than memory can hold"));
  assert_null(p);
  assert_int_equal(dm_ctx_memory(ctx), held);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_buffer_is_overwritten_while_it_is_needed),
      cmocka_unit_test(memory_is_used_again),
      cmocka_unit_test(nodes_that_no_output_needs_are_not_run),
      cmocka_unit_test(what_is_too_large_is_said),
  };
  return cmocka_run_group_tests_name("nn/plan", tests, NULL, NULL);
}
