/* nn: gradients of the ops beyond the basic ones against central differences, in double. */
#include "cmocka_all.h"
#include "nn/gradcheck.h"

static dm_ctx *new_ctx(unsigned threads) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .seed = 7}, &ctx, NULL), DM_OK);
  return ctx;
}

enum { D = 5 };

/* input -> dense -> op -> dense: parameters before the op see the gradient of its input. */
static void check_between(const nn_op *op, nn_attributes a, size_t n) {
  dm_ctx *ctx = new_ctx(2);
  nn_graph *g = gradcheck_graph(ctx, D);
  size_t node = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 11, .activation = DM_ACT_TANH});
  node = gradcheck_add(g, op, node, a);
  node = gradcheck_add(g, &nn_op_dense, node, (nn_attributes){.units = 3});
  gradcheck(g, node, n, NULL);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void dropout(void **state) {
  (void)state;
  check_between(&nn_op_dropout, (nn_attributes){.rate = 0.3}, 9);
  check_between(&nn_op_dropout, (nn_attributes){.rate = 0.5}, 70);
  check_between(&nn_op_dropout, (nn_attributes){.rate = 0}, 3);
}

static void batch_norm(void **state) {
  (void)state;
  check_between(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 2);
  check_between(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 31);
  check_between(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 33);  /* two slots */
  check_between(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 131); /* four, not alike */
  check_between(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 1);   /* no variance: no gradient reaches what is below */
}

static void layer_norm(void **state) {
  (void)state;
  check_between(&nn_op_layer_norm, (nn_attributes){.rate = 1e-5}, 1);
  check_between(&nn_op_layer_norm, (nn_attributes){.rate = 1e-5}, 40);
}

static void two_norms_and_a_residual(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  nn_graph *g = gradcheck_graph(ctx, D);
  size_t last;
  assert_int_equal(nn_spec_add(g, "dense 8 | batch_norm | gelu | residual( dense 8 silu | dropout 0.2 | batch_norm | dense 8 ) | layer_norm | dense 2", 0,
                               &last, NULL),
                   DM_OK);
  gradcheck(g, last, 40, NULL);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void embedding(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  enum { N = 35 };
  double x[N * 4];
  const double bad[] = {-1, 6, (double)NAN, 1e300, -0.5, (double)INFINITY};
  for (size_t i = 0; i < N; i++) {
    for (size_t j = 0; j < 4; j++) x[i * 4 + j] = (double)((i * 7 + j * 3 + i / 5) % 6);
    if (i % 4 == 0) x[i * 4 + (i % 8 ? 1 : 3)] = bad[i / 4 % 6];
  }
  for (size_t units = 0; units < 4; units += 3) {
    nn_graph *g = gradcheck_graph(ctx, 4);
    size_t columns[] = {3, 1}, levels[] = {6, 5};
    size_t node = gradcheck_add(g, &nn_op_embedding, 0, (nn_attributes){.units = units, .columns = columns, .levels = levels, .n_columns = 2});
    assert_int_equal(g->nodes[node].size, units ? 6 : 5 + 4); /* 1.6 * 6^0.56 = 4.36, 1.6 * 5^0.56 = 3.94 */
    node = gradcheck_add(g, &nn_op_dense, node, (nn_attributes){.units = 2, .activation = DM_ACT_TANH});
    gradcheck(g, node, N, x);
    nn_graph_free(g);
  }
  dm_ctx_free(ctx);
}

/* Input and numeric embedding with and without a dense layer below. */
static void check_numbers(const nn_op *op, nn_attributes a) {
  dm_ctx *ctx = new_ctx(2);
  size_t columns[] = {4, 0, 2, 2};
  a.columns = columns;
  a.n_columns = 4;
  for (int below = 0; below < 2; below++) {
    nn_graph *g = gradcheck_graph(ctx, D);
    size_t node = below ? gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = D}) : 0;
    node = gradcheck_add(g, op, node, a);
    node = gradcheck_add(g, &nn_op_dense, node, (nn_attributes){.units = 2});
    gradcheck(g, node, 37, NULL);
    nn_graph_free(g);
  }
  dm_ctx_free(ctx);
}

static void periodic(void **state) {
  (void)state;
  check_numbers(&nn_op_periodic, (nn_attributes){.count = 3, .units = 4, .sigma = 0.5, .activation = DM_ACT_LINEAR});
  check_numbers(&nn_op_periodic, (nn_attributes){.count = 6, .units = 2, .activation = DM_ACT_LINEAR});
  check_numbers(&nn_op_periodic, (nn_attributes){.count = 3, .units = 4, .sigma = 0.5, .activation = DM_ACT_RELU});
}

static void piecewise(void **state) {
  (void)state;
  const double edges[] = {-0.4, -0.1, 0.3, 1.1, -1, -1, 0.2, 0.2, -3, -2, 2, 3, 0.5, 0.5, 0.5, 0.5};
  check_numbers(&nn_op_piecewise, (nn_attributes){.count = 3, .units = 4, .numbers = edges, .n_numbers = 16});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dropout),  cmocka_unit_test(batch_norm), cmocka_unit_test(layer_norm), cmocka_unit_test(two_norms_and_a_residual),
      cmocka_unit_test(embedding), cmocka_unit_test(periodic),   cmocka_unit_test(piecewise),
  };
  return cmocka_run_group_tests_name("gradcheck_ops", tests, NULL, NULL);
}
