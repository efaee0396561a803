/* nn: gradients of dense, activation, softmax, columns, add and concat against differences, in double. */
#include "cmocka_all.h"
#include "nn/gradcheck.h"

static const dm_activation ACTIVATIONS[] = {DM_ACT_LINEAR, DM_ACT_RELU,    DM_ACT_LEAKY, DM_ACT_GELU,
                                            DM_ACT_TANH,   DM_ACT_SIGMOID, DM_ACT_SILU,  DM_ACT_SELU};
#define N_ACTIVATIONS (sizeof ACTIVATIONS / sizeof *ACTIVATIONS)

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 2, .seed = 5}, &ctx, NULL), DM_OK);
  return ctx;
}

static void finish(nn_graph *g, size_t output, size_t n) {
  dm_ctx *ctx = g->ctx;
  gradcheck(g, output, n, NULL);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void dense(void **state) {
  (void)state;
  for (size_t f = 0; f < N_ACTIVATIONS; f++) {
    nn_graph *g = gradcheck_graph(new_ctx(), 5);
    size_t a = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 7, .activation = ACTIVATIONS[f], .rate = 0.1});
    size_t b = gradcheck_add(g, &nn_op_dense, a, (nn_attributes){.units = 3, .activation = ACTIVATIONS[f], .rate = 0.3});
    finish(g, b, f == 0 ? 1 : 37);
  }
}

static void activation(void **state) {
  (void)state;
  for (size_t f = 0; f < N_ACTIVATIONS; f++) {
    nn_graph *g = gradcheck_graph(new_ctx(), 3);
    size_t a = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 4});
    size_t b = gradcheck_add(g, &nn_op_activation, a, (nn_attributes){.activation = ACTIVATIONS[f], .rate = 0.2});
    size_t c = gradcheck_add(g, &nn_op_dense, b, (nn_attributes){.units = 2});
    finish(g, c, 33);
  }
}

static void softmax(void **state) {
  (void)state;
  nn_graph *g = gradcheck_graph(new_ctx(), 4);
  size_t a = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 5});
  size_t b = gradcheck_add(g, &nn_op_softmax, a, (nn_attributes){0});
  size_t c = gradcheck_add(g, &nn_op_dense, b, (nn_attributes){.units = 3});
  finish(g, gradcheck_add(g, &nn_op_softmax, c, (nn_attributes){0}), 9);
}

static void columns(void **state) {
  (void)state;
  nn_graph *g = gradcheck_graph(new_ctx(), 6);
  size_t first[] = {5, 1, 2}, twice[] = {0, 3, 3, 1};
  size_t a = gradcheck_add(g, &nn_op_columns, 0, (nn_attributes){.columns = first, .n_columns = 3});
  size_t b = gradcheck_add(g, &nn_op_dense, a, (nn_attributes){.units = 4, .activation = DM_ACT_TANH});
  size_t c = gradcheck_add(g, &nn_op_columns, b, (nn_attributes){.columns = twice, .n_columns = 4});
  finish(g, c, 8);
}

/* Several consumers of a node: gradients are added; and a node that is added to itself. */
static void residual(void **state) {
  (void)state;
  nn_graph *g = gradcheck_graph(new_ctx(), 4);
  size_t a = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 5, .activation = DM_ACT_TANH});
  size_t b = gradcheck_add(g, &nn_op_dense, a, (nn_attributes){.units = 5, .activation = DM_ACT_SILU});
  size_t c = gradcheck_add2(g, &nn_op_add, a, b, (nn_attributes){0});
  size_t d = gradcheck_add(g, &nn_op_dense, c, (nn_attributes){.units = 5, .activation = DM_ACT_SIGMOID});
  size_t in[] = {d, c, a, d}, e;
  assert_int_equal(nn_graph_add(g, &nn_op_add, in, 4, NULL, 0, &e, NULL), DM_OK);
  size_t f = gradcheck_add2(g, &nn_op_add, e, e, (nn_attributes){0});
  finish(g, gradcheck_add(g, &nn_op_dense, f, (nn_attributes){.units = 2}), 40);
}

/* Branches of different widths, the input itself among them, and one that leads nowhere. */
static void concat(void **state) {
  (void)state;
  nn_graph *g = gradcheck_graph(new_ctx(), 3);
  size_t a = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 4, .activation = DM_ACT_TANH});
  size_t b = gradcheck_add(g, &nn_op_dense, a, (nn_attributes){.units = 2, .activation = DM_ACT_GELU});
  size_t nowhere = gradcheck_add(g, &nn_op_dense, a, (nn_attributes){.units = 6});
  size_t in[] = {b, 0, a, b}, c;
  assert_int_equal(nn_graph_add(g, &nn_op_concat, in, 4, NULL, 0, &c, NULL), DM_OK);
  size_t d = gradcheck_add(g, &nn_op_dense, c, (nn_attributes){.units = 3, .activation = DM_ACT_SELU});
  assert_int_equal(g->nodes[nowhere].size, 6);
  finish(g, d, 35);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(dense),   cmocka_unit_test(activation), cmocka_unit_test(softmax),
                                     cmocka_unit_test(columns), cmocka_unit_test(residual),   cmocka_unit_test(concat)};
  return cmocka_run_group_tests_name("nn/gradcheck_basic", tests, NULL, NULL);
}
