/* nn: ops called one by one: PyTorch's numbers, slots, scoring against training, bad codes, large numbers. */
#include "cmocka_all.h"
#include "golden/nn.h"
#include "nn/draw.h"
#include "nn/score.h"

#include <dm/optim.h>
#include <float.h>
#include <stdlib.h>

enum { ROWS = 11, D = 5, LEVELS = 4, UNITS = 3 };

/* The formula of make_nn.py. */
static float number(uint64_t i) {
  uint32_t mixed = (uint32_t)((i + 1) * 2654435761u);
  return (float)((int)((mixed >> 8) % 257) - 128) / 64.0f;
}

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

/* ---- one op, called as nn_run calls it ----------------------------------------------------- */

enum { SLOTS_MAX = 4, ROWS_MAX = 64, SIZE_MAX_HERE = 4096 };

typedef struct bench {
  dm_ctx *ctx;
  nn_graph *g;
  const nn_node *node;
  size_t d, slots, n[SLOTS_MAX], batch; /* rows of each slot */
  float w[SIZE_MAX_HERE], state[SIZE_MAX_HERE], work[SIZE_MAX_HERE];
  float in[SIZE_MAX_HERE], out[SIZE_MAX_HERE], g_out[SIZE_MAX_HERE], g_in[SIZE_MAX_HERE], g_w[SLOTS_MAX][SIZE_MAX_HERE];
  double partials[SLOTS_MAX][SIZE_MAX_HERE];
  const double *pointers[SLOTS_MAX];
} bench;

/* A bench of one op that reads rows of d. */
static bench *new_bench(const nn_op *op, nn_attributes a, size_t d) {
  bench *b = calloc(1, sizeof *b);
  assert_non_null(b);
  size_t in = 0, node;
  dm_error err = {0};
  b->ctx = new_ctx();
  b->d = d;
  assert_int_equal(nn_graph_new(b->ctx, d, &b->g, NULL), DM_OK);
  if (nn_graph_add(b->g, op, &in, 1, &a, 0, &node, &err) != DM_OK) fail_msg("%s", err.message);
  b->node = &b->g->nodes[node];
  assert_true(b->node->n_w <= SIZE_MAX_HERE && b->node->size * ROWS_MAX <= SIZE_MAX_HERE && b->node->partial <= SIZE_MAX_HERE);
  nn_graph_init(b->g, 3, b->w, b->state);
  return b;
}

static void free_bench(bench *b) {
  nn_graph_free(b->g);
  dm_ctx_free(b->ctx);
  free(b);
}

static void set_slots(bench *b, size_t slots, const size_t *n) {
  b->slots = slots;
  b->batch = 0;
  for (size_t s = 0; s < slots; s++) b->batch += b->n[s] = n[s];
}

static nn_call call_of(bench *b, size_t slot, bool training) {
  size_t from = 0;
  for (size_t s = 0; s < slot; s++) from += b->n[s];
  nn_call call = {.n = b->n[slot], .training = training, .out = b->out + from * b->node->size, .w = b->w, .state = b->state, .work = b->work,
                  .slots = b->slots, .batch = b->batch, .g_out = b->g_out + from * b->node->size, .g_w = b->g_w[slot], .gemm = dm_k_gemm};
  call.in[0] = b->in + from * b->d;
  call.g_in[0] = b->g_in + from * b->d;
  for (size_t s = 0; s < SLOTS_MAX; s++) b->pointers[s] = b->partials[s];
  call.partial = b->partials[slot];
  call.partials = b->pointers;
  dm_rng_init(&call.rng, 5, slot);
  return call;
}

typedef void function_of_op(const nn_graph *g, const nn_node *node, const nn_call *call);

static void run_slots(bench *b, function_of_op *f, size_t slots, bool training) {
  for (size_t s = 0; f && s < slots; s++) {
    nn_call call = call_of(b, s, training);
    f(b->g, b->node, &call);
  }
}

/* Forward, settle and backward of all slots; g_w[0] is the sum in the end. */
static void step(bench *b) {
  const nn_op *op = b->node->op;
  run_slots(b, op->gather, b->slots, true);
  run_slots(b, op->forward, b->slots, true);
  run_slots(b, op->settle, 1, true);
  run_slots(b, op->gather_back, b->slots, true);
  run_slots(b, op->backward, b->slots, true);
  for (size_t s = 1; s < b->slots; s++) dm_k_add(b->g_w[s], b->node->n_w, b->g_w[0]);
}

static void score(bench *b) { run_slots(b, b->node->op->forward, 1, false); }

static void assert_all_near(const float *got, const double *want, size_t n, double relative, const char *what) {
  double scale = 0;
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs(want[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)got[i] - want[i]) <= relative * fmax(fabs(want[i]), scale / 10)))
      fail_msg("%s: number %zu is %.9g, want %.9g", what, i, (double)got[i], want[i]);
}

static void assert_finite(const float *x, size_t n, const char *what) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i])) fail_msg("%s: number %zu is %g", what, i, (double)x[i]);
}

/* ---- PyTorch ---------------------------------------------------------------------------------- */

static void fill_norm(bench *b, size_t number_of_step) {
  static const float scale[D] = {1, 64, 1.0f / 64, 1, 0}, shift[D] = {0, 8192, 0, -3, 7};
  for (size_t i = 0; i < ROWS * D; i++) {
    b->in[i] = number(1000 * number_of_step + i) * scale[i % D] + shift[i % D];
    b->g_out[i] = number(2000 + i);
  }
  for (size_t j = 0; j < D; j++) b->w[j] = number(3000 + j), b->w[D + j] = number(4000 + j);
}

static void batch_norm_is_pytorchs(void **state) {
  (void)state;
  static const size_t cuts[][SLOTS_MAX] = {{11}, {6, 5}, {3, 3, 3, 2}, {1, 0, 9, 1}};
  static const size_t slots[] = {1, 2, 4, 4};
  static const double *const want[2][4] = {
      {golden_batch_norm0, golden_batch_norm0_g_x, golden_batch_norm0_g_gamma, golden_batch_norm0_g_beta},
      {golden_batch_norm1, golden_batch_norm1_g_x, golden_batch_norm1_g_gamma, golden_batch_norm1_g_beta}};
  for (size_t c = 0; c < 4; c++) {
    bench *b = new_bench(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, D);
    set_slots(b, slots[c], cuts[c]);
    for (size_t s = 0; s < 2; s++) {
      fill_norm(b, s);
      step(b);
      assert_all_near(b->out, want[s][0], ROWS * D, 2e-6, "output");
      for (size_t j = 0; j < D; j++) { /* columns are of very different sizes */
        float got[ROWS];
        double g_x[ROWS];
        for (size_t i = 0; i < ROWS; i++) got[i] = b->g_in[i * D + j], g_x[i] = want[s][1][i * D + j];
        if (j < 4) assert_all_near(got, g_x, ROWS, 2e-6, "gradient of x");
      }
      assert_all_near(b->g_w[0], want[s][2], D - 1, 2e-6, "gradient of gamma");
      assert_near((double)b->g_w[0][D - 1], 0, 1e-6); /* a constant column: nothing but rounding in PyTorch */
      assert_all_near(b->g_w[0] + D, want[s][3], D, 1e-6, "gradient of beta");
    }
    for (size_t j = 0; j < D; j++) {
      assert_near((double)b->state[j], golden_batch_norm_mean[j], 1e-6 * fmax(1, fabs(golden_batch_norm_mean[j])));
      assert_near((double)b->state[D + j], golden_batch_norm_variance[j], 1e-6 * fmax(1, golden_batch_norm_variance[j]));
    }
    set_slots(b, 1, (size_t[]){ROWS});
    for (size_t i = 0; i < ROWS * D; i++) b->in[i] = number(500 + i);
    score(b);
    assert_all_near(b->out, golden_batch_norm_scoring, ROWS * D, 3e-6, "scoring");
    free_bench(b);
  }
}

static void layer_norm_is_pytorchs(void **state) {
  (void)state;
  bench *b = new_bench(&nn_op_layer_norm, (nn_attributes){.rate = 1e-5}, D);
  set_slots(b, 2, (size_t[]){4, 7});
  for (size_t s = 0; s < 2; s++) {
    fill_norm(b, s);
    step(b);
    assert_all_near(b->out, s ? golden_layer_norm1 : golden_layer_norm0, ROWS * D, 2e-6, "output");
    assert_all_near(b->g_in, s ? golden_layer_norm1_g_x : golden_layer_norm0_g_x, ROWS * D, 1e-5, "gradient of x");
    assert_all_near(b->g_w[0], s ? golden_layer_norm1_g_gamma : golden_layer_norm0_g_gamma, D, 1e-5, "gradient of gamma");
    assert_all_near(b->g_w[0] + D, s ? golden_layer_norm1_g_beta : golden_layer_norm0_g_beta, D, 1e-6, "gradient of beta");
  }
  float trained[ROWS * D];
  memcpy(trained, b->out, sizeof trained);
  set_slots(b, 1, (size_t[]){ROWS});
  score(b);
  assert_memory_equal(trained, b->out, sizeof trained);
  free_bench(b);
}

static void embedding_is_pytorchs(void **state) {
  (void)state;
  size_t column = 1, levels = LEVELS;
  bench *b = new_bench(&nn_op_embedding, (nn_attributes){.units = UNITS, .columns = &column, .levels = &levels, .n_columns = 1}, 2);
  set_slots(b, 2, (size_t[]){5, 6});
  for (size_t i = 0; i < LEVELS * UNITS; i++) b->w[i] = number(3000 + i);
  for (size_t i = 0; i < ROWS; i++) b->in[2 * i + 1] = (float)((i * i + 1) % LEVELS), b->in[2 * i] = 1e30f;
  for (size_t i = 0; i < ROWS * UNITS; i++) b->g_out[i] = number(2000 + i);
  memset(b->g_w, 0x7f, sizeof b->g_w);
  step(b);
  assert_all_near(b->out, golden_embedding, ROWS * UNITS, 0, "output");
  assert_all_near(b->g_w[0], golden_embedding_g_table, LEVELS * UNITS, 1e-6, "gradient of the table");
  for (size_t i = 0; i < 2 * ROWS; i++) assert_true(b->g_in[i] == 0);
  free_bench(b);
}

static void gelu_is_pytorchs(void **state) {
  (void)state;
  bench *b = new_bench(&nn_op_activation, (nn_attributes){.activation = DM_ACT_GELU}, D);
  set_slots(b, 1, (size_t[]){ROWS});
  for (size_t i = 0; i < ROWS * D; i++) b->in[i] = 4 * number(i), b->g_out[i] = number(2000 + i);
  step(b);
  for (size_t i = 0; i < ROWS * D; i++) {
    assert_near((double)b->out[i], golden_gelu[i], 1e-6 * fmax(0.1, fabs(golden_gelu[i])));
    assert_near((double)b->g_in[i], golden_gelu_g_x[i], 2e-6 * fmax(0.5, fabs(golden_gelu_g_x[i])));
  }
  free_bench(b);
}

/* ---- numbers at the edges ------------------------------------------------------------------------ */

static void batch_norm_holds_a_large_mean(void **state) {
  (void)state;
  bench *b = new_bench(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 1);
  set_slots(b, 3, (size_t[]){4, 4, 2});
  for (size_t i = 0; i < 10; i++) b->in[i] = 1e6f + (float)i; /* variance 8.25, lost by sums of squares in float */
  step(b);
  for (size_t i = 0; i < 10; i++) assert_near((double)b->out[i], ((double)i - 4.5) / sqrt(8.25 + 1e-5), 1e-6);
  assert_near((double)b->state[1], 0.9 + 0.1 * 82.5 / 9, 1e-6);
  free_bench(b);
}

static void batch_norm_of_one_row_and_of_a_constant(void **state) {
  (void)state;
  bench *b = new_bench(&nn_op_batch_norm, (nn_attributes){.rate = 1e-5}, 2);
  set_slots(b, 1, (size_t[]){1});
  b->in[0] = 3, b->in[1] = -1e30f, b->g_out[0] = b->g_out[1] = 1, b->w[2] = 0.5f, b->w[3] = -2;
  step(b);
  assert_true(b->out[0] == 0.5f && b->out[1] == -2);
  assert_true(b->g_in[0] == 0 && b->g_in[1] == 0 && b->g_w[0][0] == 0 && b->g_w[0][2] == 1);
  assert_true(b->state[0] == 0 && b->state[2] == 1); /* one row has no variance */
  set_slots(b, 2, (size_t[]){5, 4});
  for (size_t i = 0; i < 18; i++) b->in[i] = i % 2 ? 1e30f : 0.1f;
  step(b);
  for (size_t i = 0; i < 18; i++) assert_true(b->out[i] == (i % 2 ? -2 : 0.5f));
  assert_near((double)b->state[0], 0.1 * (double)0.1f, 1e-9);
  assert_near((double)b->state[2], 0.9, 1e-7);
  free_bench(b);
}

static void norms_hold_huge_and_tiny_numbers(void **state) {
  (void)state;
  static const float sizes[] = {3e38f, 1e30f, 1e-30f, 1e-42f, 1e-45f, 0};
  static const nn_op *const ops[] = {&nn_op_batch_norm, &nn_op_layer_norm};
  for (size_t o = 0; o < 2; o++)
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
      bench *b = new_bench(ops[o], (nn_attributes){.rate = 1e-5}, 3);
      set_slots(b, 2, (size_t[]){4, 3});
      for (size_t i = 0; i < 21; i++) b->in[i] = i * 5 % 7 % 2 ? sizes[c] : -sizes[c], b->g_out[i] = number(i);
      step(b);
      assert_finite(b->out, 21, "output");
      assert_finite(b->g_in, 21, "gradient");
      assert_finite(b->g_w[0], 6, "gradient of parameters");
      assert_finite(b->state, b->node->n_state, "running figures");
      float largest = 0;
      for (size_t i = 0; i < 21; i++) largest = fmaxf(largest, fabsf(b->out[i]));
      assert_true(sizes[c] < 1 ? largest < 1e-20f : largest > 0.5f && largest < 3);
      set_slots(b, 1, (size_t[]){7});
      score(b);
      assert_finite(b->out, 21, "scores");
      free_bench(b);
    }
}

static void codes_that_are_none_give_zeros(void **state) {
  (void)state;
  size_t columns[] = {0, 1}, levels[] = {3, 2};
  bench *b = new_bench(&nn_op_embedding, (nn_attributes){.units = 2, .columns = columns, .levels = levels, .n_columns = 2}, 2);
  static const float codes[] = {-1, 3, 1e30f, -1e30f, (float)NAN, (float)INFINITY, -(float)INFINITY, 4294967296.0f, -0.1f, 3.0001f};
  enum { BAD = sizeof codes / sizeof *codes };
  set_slots(b, 1, (size_t[]){BAD});
  for (size_t i = 0; i < BAD; i++) b->in[2 * i] = codes[i], b->in[2 * i + 1] = 1;
  for (size_t i = 0; i < BAD * 4; i++) b->g_out[i] = 1;
  step(b);
  for (size_t i = 0; i < BAD; i++) {
    assert_true(b->out[4 * i] == 0 && b->out[4 * i + 1] == 0);
    assert_true(b->out[4 * i + 2] == b->w[8] && b->out[4 * i + 3] == b->w[9]);
  }
  for (size_t i = 0; i < 8; i++) assert_true(b->g_w[0][i] == 0);
  assert_true(b->g_w[0][8] == BAD);
  free_bench(b);
}

static void numeric_embeddings_of_outliers_are_finite(void **state) {
  (void)state;
  size_t column = 0;
  const double edges[] = {-1, 0, 0, 2};
  const nn_attributes kinds[] = {
      {.count = 4, .units = 3, .activation = DM_ACT_LINEAR, .columns = &column, .n_columns = 1},
      {.count = 4, .units = 3, .activation = DM_ACT_RELU, .columns = &column, .n_columns = 1},
      {.count = 3, .units = 3, .columns = &column, .n_columns = 1, .numbers = edges, .n_numbers = 4},
  };
  static const float x[] = {0, -1, 2, 1e30f, -1e30f, 1e-42f, 1e7f, 12345.678f};
  for (size_t k = 0; k < 3; k++) {
    bench *b = new_bench(k < 2 ? &nn_op_periodic : &nn_op_piecewise, kinds[k], 1);
    set_slots(b, 1, (size_t[]){8});
    memcpy(b->in, x, sizeof x);
    for (size_t i = 0; i < 24; i++) b->g_out[i] = number(i);
    step(b);
    assert_finite(b->out, 24, "output");
    assert_finite(b->g_w[0], b->node->n_w, "gradient of parameters");
    assert_finite(b->g_in, 8, "gradient of x");
    free_bench(b);
  }
}

static void activations_of_finite_numbers_are_finite(void **state) {
  (void)state;
  static const float sizes[] = {0, 1e-45f, 1e-38f, 1e-20f, 0.5f, 9, 30, 30.0001f, 87, 88.8f, 104.1f, 1e6f, 2e9f, 1e13f, 1e19f, 1e30f, 3.2e38f};
  enum { N = 2 * sizeof sizes / sizeof *sizes };
  for (int f = DM_ACT_LINEAR; f <= DM_ACT_SELU; f++) {
    bench *b = new_bench(&nn_op_activation, (nn_attributes){.activation = (dm_activation)f, .rate = 0.01}, N);
    set_slots(b, 1, (size_t[]){1});
    for (size_t i = 0; i < N; i++) b->in[i] = i % 2 ? -sizes[i / 2] : sizes[i / 2], b->g_out[i] = 1;
    step(b);
    assert_finite(b->out, N, "activation");
    assert_finite(b->g_in, N, "its derivative");
    for (size_t i = 0; i < N; i++) {
      assert_true(fabsf(b->out[i]) <= fmaxf(1.06f * fabsf(b->in[i]), 1) + (f == DM_ACT_SELU)); /* none grows beyond its input by more */
      assert_true(fabsf(b->g_in[i]) < (f == DM_ACT_SELU ? 1.77f : 1.13f));
    }
    free_bench(b);
  }
}

static void softmax_of_far_numbers(void **state) {
  (void)state;
  bench *b = new_bench(&nn_op_softmax, (nn_attributes){0}, 3);
  static const float rows[4][3] = {{3e38f, -3e38f, 0}, {-3e38f, -3e38f, -3e38f}, {1e-45f, -1e-45f, 0}, {90, 0, -90}};
  static const double want[4][3] = {{1, 0, 0}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {1, 0, 0}};
  set_slots(b, 1, (size_t[]){4});
  memcpy(b->in, rows, sizeof rows);
  for (size_t i = 0; i < 12; i++) b->g_out[i] = number(i);
  step(b);
  for (size_t i = 0; i < 12; i++) assert_near((double)b->out[i], want[i / 3][i % 3], 1e-7);
  assert_finite(b->g_in, 12, "gradient");
  free_bench(b);
}

/* ---- the formulas themselves ----------------------------------------------------------------------- */

static void pieces_are_those_of_the_paper(void **state) {
  (void)state;
  size_t column = 0;
  const double edges[] = {1, 1, 2, 4, 4, 8}; /* pieces 1 and 4 have no width */
  static const struct {
    float x;
    double z[5];
  } cases[] = {{1, {0, 0, 0, 0, 0}},   {1.5f, {0, 0.5, 0, 0, 0}}, {2, {0, 1, 0, 0, 0}}, {3, {0, 1, 0.5, 0, 0}},
               {4, {0, 1, 1, 0, 0}},   {6, {0, 1, 1, 0, 0.5}},    {8, {0, 1, 1, 0, 1}}, {12, {0, 1, 1, 0, 2}},
               {-1, {0, -2, 0, 0, 0}}};
  enum { N = sizeof cases / sizeof *cases };
  bench *b = new_bench(&nn_op_piecewise, (nn_attributes){.count = 5, .units = 1, .columns = &column, .n_columns = 1, .numbers = edges, .n_numbers = 6}, 1);
  set_slots(b, 1, (size_t[]){N});
  for (size_t i = 0; i < N; i++) b->in[i] = cases[i].x;
  step(b);
  for (size_t i = 0; i < N; i++) {
    double want = (double)b->w[5];
    for (size_t t = 0; t < 5; t++) want += cases[i].z[t] * (double)b->w[t];
    assert_near((double)b->out[i], want, 1e-6);
  }
  free_bench(b);
}

static void waves_are_those_of_the_papers(void **state) {
  (void)state;
  enum { COUNT = 3, U = 4, N = 6 };
  size_t column = 1;
  for (int plr = 0; plr < 2; plr++) {
    nn_attributes a = {.count = COUNT, .units = U, .sigma = 1, .columns = &column, .n_columns = 1};
    a.activation = plr ? DM_ACT_RELU : DM_ACT_LINEAR;
    bench *b = new_bench(&nn_op_periodic, a, 2);
    set_slots(b, 1, (size_t[]){N});
    for (size_t i = 0; i < 2 * N; i++) b->in[i] = number(i);
    score(b);
    const float *c = b->w, *phase = b->w + COUNT, *w = plr ? phase : phase + COUNT;
    size_t waves = plr ? 2 * COUNT : COUNT, units = plr ? U : U - 1;
    for (size_t i = 0; i < N; i++) {
      double x = (double)b->in[2 * i + 1];
      for (size_t u = 0; u < units; u++) {
        double y = (double)w[waves * units + u];
        for (size_t f = 0; f < COUNT; f++) {
          double t = 6.283185307179586 * ((double)c[f] * x + (plr ? 0 : (double)phase[f]));
          y += cos(t) * (double)w[f * units + u];
          if (plr) y += sin(t) * (double)w[(COUNT + f) * units + u];
        }
        assert_near((double)b->out[i * U + u], plr && y < 0 ? 0 : y, 3e-6);
      }
      if (!plr) assert_true(b->out[i * U + U - 1] == b->in[2 * i + 1]);
    }
    free_bench(b);
  }
}

static void dropout_drops_its_share_and_keeps_the_mean(void **state) {
  (void)state;
  static const double shares[] = {0, 0.1, 0.5, 0.9};
  for (size_t c = 0; c < 4; c++) {
    bench *b = new_bench(&nn_op_dropout, (nn_attributes){.rate = shares[c]}, 63);
    set_slots(b, 2, (size_t[]){32, 32});
    size_t n = 63 * 64, dropped = 0;
    for (size_t i = 0; i < n; i++) b->in[i] = b->g_out[i] = 1;
    step(b);
    for (size_t i = 0; i < n; i++) {
      dropped += b->out[i] == 0;
      if (b->out[i] != 0) assert_near((double)b->out[i], 1 / (1 - shares[c]), 1e-3);
      assert_true(b->g_in[i] == b->out[i]); /* the same mask */
    }
    assert_near((double)dropped / (double)n, shares[c], 4 * sqrt(0.25 / (double)n));
    if (c == 2) assert_memory_not_equal(b->out, b->out + n / 2, n / 2 * sizeof *b->out); /* each slot draws its own */
    set_slots(b, 1, (size_t[]){64});
    score(b);
    for (size_t i = 0; i < n; i++) assert_true(b->out[i] == 1);
    b->in[0] = (float)NAN; /* dropped or not, a fault is not hidden where it passes */
    score(b);
    assert_true(isnan(b->out[0]));
    free_bench(b);
  }
}

static void starts_have_their_moments(void **state) {
  (void)state;
  enum { N = 40000 };
  static float w[N];
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  nn_draw_normal(&rng, 2, N, w);
  double mean = 0, square = 0, fourth = 0, within = 0;
  for (size_t i = 0; i < N; i++) {
    double v = (double)w[i] / 2;
    mean += v / N, square += v * v / N, fourth += v * v * v * v / N, within += (fabs(v) < 1) / (double)N;
  }
  assert_near(mean, 0, 0.02);
  assert_near(square, 1, 0.03);
  assert_near(fourth, 3, 0.25);
  assert_near(within, 0.6827, 0.01);
  nn_draw_uniform(&rng, 0.5, N, w);
  mean = square = 0;
  for (size_t i = 0; i < N; i++) {
    assert_true(fabsf(w[i]) <= 0.5f);
    mean += (double)w[i] / N, square += (double)w[i] * (double)w[i] / N;
  }
  assert_near(mean, 0, 0.01);
  assert_near(square, 1.0 / 12, 0.002);
}

/* ---- what is refused ---------------------------------------------------------------------------------- */

static void attributes_that_do_not_fit_are_refused(void **state) {
  (void)state;
  size_t first = 0, far = 3, no_levels = 0, many = (size_t)1 << 25;
  const double falls[] = {0, 2, 1}, wild[] = {0, (double)INFINITY, (double)INFINITY}, good[] = {0, 1, 2};
  const struct {
    const nn_op *op;
    nn_attributes a;
    const char *message;
  } cases[] = {
      {&nn_op_dropout, {.rate = 1}, "net: dropout: share = 1, want 0 <= share < 1"},
      {&nn_op_dropout, {.rate = (double)NAN}, "net: dropout: share = nan, want 0 <= share < 1"},
      {&nn_op_batch_norm, {.rate = 0}, "net: batch_norm: epsilon = 0, want > 0"},
      {&nn_op_layer_norm, {.rate = -1}, "net: layer_norm: epsilon = -1, want > 0"},
      {&nn_op_embedding, {.units = 2}, "net: embedding: no columns, want 1 or more"},
      {&nn_op_embedding, {.units = 2, .columns = &far, .levels = &first, .n_columns = 1}, "net: embedding: column 4 of 3"},
      {&nn_op_embedding, {.units = 2, .columns = &first, .levels = &no_levels, .n_columns = 1}, "net: embedding: column 1 has 0 levels, want 1 to 16777216"},
      {&nn_op_embedding, {.units = 2, .columns = &first, .levels = &many, .n_columns = 1}, "net: embedding: column 1 has 33554432 levels, want 1 to 16777216"},
      {&nn_op_periodic, {.count = 2, .units = 3}, "net: periodic: no columns, want 1 or more"},
      {&nn_op_periodic, {.count = 2, .units = 3, .columns = &far, .n_columns = 1}, "net: periodic: column 4 of 3"},
      {&nn_op_periodic, {.count = 0, .units = 3, .columns = &first, .n_columns = 1}, "net: periodic: 0 frequencies, want 1 to 4096"},
      {&nn_op_periodic, {.count = 2, .units = 1, .columns = &first, .n_columns = 1}, "net: periodic: units = 1, want 2 to 4096"},
      {&nn_op_periodic, {.count = 2, .units = 2, .sigma = (double)NAN, .columns = &first, .n_columns = 1}, "net: periodic: sigma = nan, want 0 to 1e6"},
      {&nn_op_periodic, {.count = 2, .units = 2, .activation = DM_ACT_TANH, .columns = &first, .n_columns = 1},
       "net: periodic: want relu or linear for its activation"},
      {&nn_op_piecewise, {.count = 0, .units = 1, .columns = &first, .n_columns = 1}, "net: piecewise: 0 pieces, want 1 to 4096"},
      {&nn_op_piecewise, {.count = 2, .units = 0, .columns = &first, .n_columns = 1, .numbers = good, .n_numbers = 3},
       "net: piecewise: units = 0, want 1 to 4096"},
      {&nn_op_piecewise, {.count = 2, .units = 1, .columns = &first, .n_columns = 1, .numbers = good, .n_numbers = 2},
       "net: piecewise: 2 edges, want 3 for each of 1 columns"},
      {&nn_op_piecewise, {.count = 2, .units = 1, .columns = &first, .n_columns = 1, .numbers = falls, .n_numbers = 3},
       "net: piecewise: edge 3 of column 1 is 1, want finite numbers that rise"},
      {&nn_op_piecewise, {.count = 2, .units = 1, .columns = &first, .n_columns = 1, .numbers = wild, .n_numbers = 3},
       "net: piecewise: edge 2 of column 1 is inf, want finite numbers that rise"},
  };
  dm_ctx *ctx = new_ctx();
  nn_graph *g = NULL;
  assert_int_equal(nn_graph_new(ctx, 3, &g, NULL), DM_OK);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    dm_error err = {0};
    size_t in = 0, node;
    assert_int_equal(nn_graph_add(g, cases[c].op, &in, 1, &cases[c].a, 0, &node, &err), DM_EUSAGE);
    assert_string_equal(err.message, cases[c].message);
  }
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(batch_norm_is_pytorchs),
      cmocka_unit_test(layer_norm_is_pytorchs),
      cmocka_unit_test(embedding_is_pytorchs),
      cmocka_unit_test(gelu_is_pytorchs),
      cmocka_unit_test(batch_norm_holds_a_large_mean),
      cmocka_unit_test(batch_norm_of_one_row_and_of_a_constant),
      cmocka_unit_test(norms_hold_huge_and_tiny_numbers),
      cmocka_unit_test(codes_that_are_none_give_zeros),
      cmocka_unit_test(numeric_embeddings_of_outliers_are_finite),
      cmocka_unit_test(activations_of_finite_numbers_are_finite),
      cmocka_unit_test(softmax_of_far_numbers),
      cmocka_unit_test(pieces_are_those_of_the_paper),
      cmocka_unit_test(waves_are_those_of_the_papers),
      cmocka_unit_test(dropout_drops_its_share_and_keeps_the_mean),
      cmocka_unit_test(starts_have_their_moments),
      cmocka_unit_test(attributes_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
