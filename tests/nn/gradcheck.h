/*
 * Gradients of ops against central differences, in double, through whole
 * training steps: build a graph, call gradcheck. The derivative by an op's
 * inputs is seen when a dense layer stands in front of it.
 *
 * Loss: sum over rows i and outputs j of weight_i (c_ij o_ij + q_ij o_ij^2 / 2), all of them random.
 */
#ifndef DM_TESTS_NN_GRADCHECK_H
#define DM_TESTS_NN_GRADCHECK_H

#include "nn/run.h"

#include <dm/optim.h>
#include <string.h>

/* A number in [-1, 1) that looks random, the same everywhere. */
static inline double gradcheck_number(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return (double)((i ^ i >> 32) >> 11) / 4503599627370496.0 - 1;
}

typedef struct gradcheck_job {
  nn_run *run;
  size_t d, size;  /* of the input and the output node */
  const double *x; /* [n, d], NULL = random */
  size_t *rows, n;
  double *from;    /* [n] losses of rows that theirs are counted from, so that differences by one row are not lost in the sum; NULL = 0 */
  bool begins;     /* they are written */
} gradcheck_job;

static inline void gradcheck_feed(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  const gradcheck_job *j = user;
  (void)training;
  (void)rng;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < j->d; c++) {
      size_t cell = rows[i] * j->d + c;
      out[i * j->d + c] = (dm_real)(j->x ? j->x[cell] : 1.5 * gradcheck_number(cell));
    }
}

static inline double gradcheck_loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out,
                                    double *weight) {
  const gradcheck_job *j = user;
  double loss = 0;
  *weight = 0;
  for (size_t i = 0; i < n; i++) {
    double w = 1 + 0.5 * gradcheck_number(1000000 + rows[i]);
    *weight += w;
    double of_row = 0;
    for (size_t c = 0; c < j->size; c++) {
      size_t cell = rows[i] * j->size + c;
      double o = (double)out[i * j->size + c], a = gradcheck_number(2000000 + cell), q = gradcheck_number(3000000 + cell);
      of_row += w * (a * o + q * o * o / 2);
      if (g_out) g_out[i * j->size + c] = (dm_real)(scale * w * (a + q * o));
    }
    if (j->from && j->begins) j->from[rows[i]] = of_row;
    loss += j->from ? of_row - j->from[rows[i]] : of_row;
  }
  return loss;
}

static inline dm_status gradcheck_evaluate(void *user, const double *w, double *value, double *gradient, dm_error *err) {
  gradcheck_job *j = user;
  nn_feed feed = {j, gradcheck_feed};
  nn_head head = {j, gradcheck_loss};
  double loss, weight;
  for (size_t i = 0; i < j->run->graph->n_w; i++) j->run->w[i] = (dm_real)w[i];
  dm_status s = nn_run_step(j->run, &feed, &head, j->rows, j->n, 3, &loss, &weight, err); /* one step: one draw of random numbers */
  if (s != DM_OK) return s;
  *value = loss / weight;
  for (size_t i = 0; gradient && i < j->run->graph->n_w; i++) gradient[i] = (double)j->run->g[i];
  return DM_OK;
}

/* As gradcheck_evaluate, by the rows. */
static inline dm_status gradcheck_evaluate_input(void *user, const double *x, double *value, double *gradient, dm_error *err) {
  gradcheck_job *j = user;
  nn_feed feed = {j, gradcheck_feed};
  nn_head head = {j, gradcheck_loss};
  double loss, weight;
  j->x = x;
  j->begins = gradient != NULL; /* at the point itself, before the steps to its sides */
  dm_status s = nn_run_step(j->run, &feed, &head, j->rows, j->n, 3, &loss, &weight, err);
  if (s != DM_OK) return s;
  *value = loss / weight;
  if (gradient) nn_run_input_gradient(j->run, (dm_real *)gradient);
  return DM_OK;
}

static inline nn_graph *gradcheck_graph(dm_ctx *ctx, size_t d) {
  nn_graph *g = NULL;
  assert_int_equal(nn_graph_new(ctx, d, &g, NULL), DM_OK);
  return g;
}

/* Adds a node with one input; fails the test when its shape is refused. */
static inline size_t gradcheck_add(nn_graph *g, const nn_op *op, size_t in, nn_attributes a) {
  size_t node = 0;
  dm_error err = {0};
  if (nn_graph_add(g, op, &in, 1, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  return node;
}

/* As gradcheck_add with two inputs. */
static inline size_t gradcheck_add2(nn_graph *g, const nn_op *op, size_t in0, size_t in1, nn_attributes a) {
  size_t node = 0, in[2] = {in0, in1};
  dm_error err = {0};
  if (nn_graph_add(g, op, in, 2, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  return node;
}

/**
 * Checks all parameters of a graph on n rows; n >= 16 are several slots. And the gradient of the input when its rows are random: given ones
 * are codes, or lie where a derivative does not exist.
 * @param x [n, d] rows, NULL = random in [-1.5, 1.5)
 */
static inline void gradcheck(nn_graph *g, size_t output, size_t n, const double *x) {
  gradcheck_job j = {.d = g->nodes[0].size, .size = g->nodes[output].size, .x = x, .n = n};
  dm_objective f = {.n = g->n_w, .user = &j, .evaluate = gradcheck_evaluate}, f_input = {.n = n * j.d, .user = &j, .evaluate = gradcheck_evaluate_input};
  dm_gradient_report report, report_input = {0};
  dm_error err = {0};
  assert_int_equal(sizeof(dm_real), sizeof(double));
  if (nn_run_new(g->ctx, g, output, n, NN_PLAN_INPUT_GRADIENT, &j.run, &err) != DM_OK) fail_msg("%s", err.message);
  double *w = dm_alloc(g->ctx, g->n_w, sizeof *w, "test", NULL), *rows = dm_alloc(g->ctx, n * j.d, sizeof *rows, "test", NULL);
  double *from = dm_alloc(g->ctx, n, sizeof *from, "test", NULL);
  j.rows = dm_alloc(g->ctx, n, sizeof *j.rows, "test", NULL);
  for (size_t i = 0; i < n; i++) j.rows[i] = i;
  for (size_t i = 0; i < g->n_w; i++) w[i] = (double)j.run->w[i] + 0.2 * gradcheck_number(4000000 + i); /* off 0, where biases begin */
  for (size_t i = 0; i < n * j.d; i++) rows[i] = 1.5 * gradcheck_number(i);
  dm_status s = dm_gradient_check(g->ctx, &f, w, &report, &err);
  j.from = from;
  if (s == DM_OK && !x) s = dm_gradient_check(g->ctx, &f_input, rows, &report_input, &err);
  nn_run_free(j.run);
  dm_free(g->ctx, from);
  dm_free(g->ctx, rows);
  dm_free(g->ctx, j.rows);
  dm_free(g->ctx, w);
  if (s != DM_OK) fail_msg("%s", err.message);
  if (!(report.error < 1e-6))
    fail_msg("%s: parameter %zu of %zu: gradient %.12g, by differences %.12g", g->nodes[output].op->name, report.index, g->n_w, report.analytic,
             report.numeric);
  if (!(report_input.error < 1e-6))
    fail_msg("%s: input %zu of %zu: gradient %.12g, by differences %.12g", g->nodes[output].op->name, report_input.index, n * j.d,
             report_input.analytic, report_input.numeric);
}

#endif
