/* nn: shapes that fit and shapes that do not, with the words that say so; first parameters. */
#include "cmocka_all.h"
#include "nn/graph.h"

typedef struct fixture {
  dm_ctx *ctx;
  nn_graph *g;
} fixture;

static int setup(void **state) {
  static fixture f;
  f = (fixture){0};
  assert_int_equal(dm_ctx_new(NULL, &f.ctx, NULL), DM_OK);
  assert_int_equal(nn_graph_new(f.ctx, 64, &f.g, NULL), DM_OK);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  nn_graph_free(f->g);
  dm_ctx_free(f->ctx);
  return 0;
}

static size_t add(nn_graph *g, const nn_op *op, size_t in, nn_attributes a) {
  size_t node = 0;
  dm_error err = {0};
  if (nn_graph_add(g, op, &in, 1, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  return node;
}

static void refused(nn_graph *g, const nn_op *op, const size_t *in, size_t n_in, nn_attributes a, size_t line_at, const char *want) {
  dm_error err = {0};
  size_t node = 77, n = g->n, n_w = g->n_w;
  assert_int_equal(nn_graph_add(g, op, in, n_in, &a, line_at, &node, &err), DM_EUSAGE);
  assert_string_equal(err.message, want);
  assert_int_equal(node, 77);
  assert_true(g->n == n && g->n_w == n_w);
}

static dm_status image_shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)g;
  (void)err;
  node->shape = (nn_shape){.rank = 3, .dim = {28, 28, node->a.units}};
  node->size = nn_shape_size(&node->shape);
  return DM_OK;
}

/* What comes later than this version: a node with images. */
static const nn_op op_image = {.name = "image", .shape = image_shape};

static void shapes_of_a_net(void **state) {
  nn_graph *g = ((fixture *)*state)->g;
  size_t pick[] = {3, 60, 3};
  size_t a = add(g, &nn_op_columns, 0, (nn_attributes){.columns = pick, .n_columns = 3});
  size_t b = add(g, &nn_op_dense, a, (nn_attributes){.units = 7, .activation = DM_ACT_TANH});
  size_t in[] = {0, b, a}, c, d;
  assert_int_equal(nn_graph_add(g, &nn_op_concat, in, 3, NULL, 0, &c, NULL), DM_OK);
  size_t e = add(g, &nn_op_dense, c, (nn_attributes){.units = 7});
  assert_int_equal(nn_graph_add(g, &nn_op_add, (size_t[]){e, b}, 2, NULL, 0, &d, NULL), DM_OK);
  pick[0] = 9; /* the graph has a copy */
  assert_int_equal(g->nodes[a].a.columns[0], 3);
  assert_int_equal(g->nodes[c].size, 64 + 7 + 3);
  assert_int_equal(g->nodes[d].shape.rank, 1);
  assert_int_equal(g->nodes[d].shape.dim[0], 7);
  assert_int_equal(g->n_w, 3 * 7 + 7 + 74 * 7 + 7);
  assert_int_equal(g->nodes[e].w, 28);
}

static void what_does_not_fit_is_named(void **state) {
  nn_graph *g = ((fixture *)*state)->g;
  size_t narrow = add(g, &nn_op_dense, 0, (nn_attributes){.units = 32}), zero = 0, columns[] = {1, 64};
  size_t image = add(g, &op_image, 0, (nn_attributes){.units = 1}), other = add(g, &op_image, 0, (nn_attributes){.units = 4});
  refused(g, &nn_op_dense, &image, 1, (nn_attributes){.units = 10}, 14, "net: dense at 14: want rank 1, got 28x28x1");
  refused(g, &nn_op_concat, (size_t[]){0, image}, 2, (nn_attributes){0}, 0, "net: concat: want rank 1, got 28x28x1");
  refused(g, &nn_op_add, (size_t[]){0, narrow}, 2, (nn_attributes){0}, 5, "net: add at 5: 64 and 32 features cannot be added");
  refused(g, &nn_op_add, (size_t[]){image, other}, 2, (nn_attributes){0}, 0, "net: add: 28x28x1 and 28x28x4 features cannot be added");
  refused(g, &nn_op_add, &zero, 1, (nn_attributes){0}, 0, "net: add: 1 inputs, want 2 or more");
  refused(g, &nn_op_dense, &zero, 1, (nn_attributes){0}, 1, "net: dense at 1: units = 0, want 1 to 268435456");
  refused(g, &nn_op_dense, &zero, 1, (nn_attributes){.units = SIZE_MAX}, 1,
          "net: dense at 1: units = 18446744073709551615, want 1 to 268435456");
  refused(g, &nn_op_dense, &zero, 1, (nn_attributes){.units = 5000000}, 1,
          "net: dense at 1: 64 x 5000000 weights and 5000000 biases, want at most 268435456");
  refused(g, &nn_op_columns, &zero, 1, (nn_attributes){.columns = columns, .n_columns = 2}, 0, "net: columns: column 65 of 64");
  refused(g, &nn_op_columns, &zero, 1, (nn_attributes){.columns = columns}, 0, "net: columns: 0 columns, want 1 to 268435456");
  refused(g, &nn_op_concat, &zero, 0, (nn_attributes){0}, 0, "net: concat: no input, want 1 or more");
  refused(g, &nn_op_add, (size_t[9]){0}, 9, (nn_attributes){0}, 0, "net: add: 9 inputs, want at most 8");
}

static void parameters_of_the_whole_net_are_bounded(void **state) {
  nn_graph *g = ((fixture *)*state)->g;
  size_t a = add(g, &nn_op_dense, 0, (nn_attributes){.units = 16000}), b = add(g, &nn_op_dense, a, (nn_attributes){.units = 16000});
  refused(g, &nn_op_dense, &b, 1, (nn_attributes){.units = 16000}, 9, "net: dense at 9: 513072000 parameters in the whole net, want at most 268435456");
}

static void a_net_has_at_most_so_many_layers(void **state) {
  nn_graph *g = ((fixture *)*state)->g;
  size_t last = 0;
  while (g->n < NN_NODES_MAX) last = add(g, &nn_op_activation, last, (nn_attributes){.activation = DM_ACT_RELU});
  refused(g, &nn_op_activation, &last, 1, (nn_attributes){0}, 0, "net: activation: more than 4096 layers");
}

static void rows_have_columns(void **state) {
  dm_error err = {0};
  nn_graph *g = NULL;
  assert_int_equal(nn_graph_new(((fixture *)*state)->ctx, 0, &g, &err), DM_EUSAGE);
  assert_string_equal(err.message, "net: input: 0 columns, want 1 to 268435456");
  assert_null(g);
}

static void square_mean(const dm_real *w, size_t n, double *mean, double *square) {
  *mean = *square = 0;
  for (size_t i = 0; i < n; i++) *mean += (double)w[i] / (double)n;
  for (size_t i = 0; i < n; i++) *square += (double)w[i] * (double)w[i] / (double)n;
}

/* Variance of the weights as the sources want it; biases 0; the same at every call, and for a node whatever stands after it. */
static void first_parameters(void **state) {
  fixture *f = *state;
  const struct {
    dm_activation activation;
    double rate, variance;
  } cases[] = {{DM_ACT_RELU, 0, 2. / 64},          {DM_ACT_GELU, 0, 2. / 64},           {DM_ACT_LEAKY, 0.5, 2. / 1.25 / 64},
               {DM_ACT_TANH, 0, 2. / (64 + 1000)}, {DM_ACT_LINEAR, 0, 2. / (64 + 1000)}, {DM_ACT_SELU, 0, 1. / 64}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    nn_graph *g = NULL;
    assert_int_equal(nn_graph_new(f->ctx, 64, &g, NULL), DM_OK);
    size_t node = add(g, &nn_op_dense, 0, (nn_attributes){.units = 1000, .activation = cases[c].activation, .rate = cases[c].rate}), n = 64000;
    dm_real *w = dm_alloc(f->ctx, 2 * n + 200000, sizeof *w, "test", NULL), *again = w + n + 1000;
    double mean, square;
    nn_graph_init(g, 7, w, NULL);
    square_mean(w, n, &mean, &square);
    assert_near(mean, 0, 5 * sqrt(cases[c].variance / (double)n));
    assert_near(square / cases[c].variance, 1, 0.03);
    for (size_t i = 0; i < 1000; i++) assert_true(w[n + i] == 0);
    (void)add(g, &nn_op_dense, node, (nn_attributes){.units = 2});
    nn_graph_init(g, 7, again, NULL);
    assert_memory_equal(w, again, n * sizeof *w);
    nn_graph_init(g, 8, again, NULL);
    assert_true(memcmp(w, again, n * sizeof *w) != 0);
    dm_free(f->ctx, w);
    nn_graph_free(g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(shapes_of_a_net, setup, teardown),
      cmocka_unit_test_setup_teardown(what_does_not_fit_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(parameters_of_the_whole_net_are_bounded, setup, teardown),
      cmocka_unit_test_setup_teardown(a_net_has_at_most_so_many_layers, setup, teardown),
      cmocka_unit_test_setup_teardown(rows_have_columns, setup, teardown),
      cmocka_unit_test_setup_teardown(first_parameters, setup, teardown),
  };
  return cmocka_run_group_tests_name("nn/graph", tests, NULL, NULL);
}
