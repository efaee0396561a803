/* nn: steps of training: the same bits for any thread count, slots, batch sums, random numbers, losses, cancelling, memory. */
#include "cmocka_all.h"
#include "nn/run.h"

#include <stdlib.h>

enum { D = 24, MOST_ROWS = 700, MOST_BATCH = 5000 };

/* ---- rows and loss --------------------------------------------------------------- */

static double number(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return (double)((i ^ i >> 32) >> 11) / 4503599627370496.0 - 1;
}

static void plain_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  (void)user;
  (void)training;
  (void)rng;
  for (size_t i = 0; i < n * D; i++) out[i] = (dm_real)number(rows[i / D] * D + i % D);
}

static void noisy_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  plain_rows(user, rows, n, training, rng, out);
  for (size_t i = 0; training && i < n * D; i++) out[i] += (dm_real)(0.1 * dm_rng_uniform(rng));
}

static void same_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  (void)user;
  (void)rows;
  (void)training;
  (void)rng;
  for (size_t i = 0; i < n * D; i++) out[i] = 1;
}

static double weight_of(size_t row) { return row % 5 == 0 ? 0 : 1 + (double)(row % 3); }

/* Half the squares of the outputs; @param user size of the output */
static double squares(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  size_t size = *(const size_t *)user;
  double sum = 0;
  *weight = 0;
  for (size_t i = 0; i < n; i++) {
    double w = weight_of(rows[i]);
    *weight += w;
    for (size_t j = 0; j < size; j++) {
      double o = (double)out[i * size + j];
      sum += w * o * o / 2;
      if (g_out) g_out[i * size + j] = (dm_real)(scale * w * o);
    }
  }
  return sum;
}

/* ---- an op with sums over the batch: out = in - mean of the batch; its state is the last mean -------- */

static dm_status center_shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)err;
  node->shape = g->nodes[node->in[0]].shape;
  node->size = node->n_state = g->nodes[node->in[0]].size;
  node->partial = 2 * node->size;
  return DM_OK;
}

static void add_rows(const nn_call *call, const dm_real *x, size_t d, double *sum) {
  memset(sum, 0, d * sizeof *sum);
  for (size_t i = 0; i < call->n * d; i++) sum[i % d] += (double)x[i];
}

static double mean_of(const nn_call *call, size_t column) {
  double sum = 0;
  for (size_t s = 0; s < call->slots; s++) sum += call->partials[s][column];
  return sum / (double)call->batch;
}

static void center_gather(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  add_rows(call, call->in[0], node->size, call->partial);
}

static void center_forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  for (size_t i = 0; i < call->n * node->size; i++) {
    size_t j = i % node->size;
    call->out[i] = (dm_real)((double)call->in[0][i] - (call->training ? mean_of(call, j) : (double)call->state[j]));
  }
}

static void center_gather_back(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  add_rows(call, call->g_out, node->size, call->partial + node->size);
}

static void center_backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  for (size_t i = 0; i < call->n * node->size; i++) call->g_in[0][i] = (dm_real)((double)call->g_out[i] - mean_of(call, node->size + i % node->size));
}

static void center_settle(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  for (size_t j = 0; j < node->size; j++) call->state[j] = (dm_real)mean_of(call, j);
}

static const nn_op op_center = {.name = "center",
                                .shape = center_shape,
                                .gather = center_gather,
                                .forward = center_forward,
                                .gather_back = center_gather_back,
                                .backward = center_backward,
                                .settle = center_settle};

/* ---- an op that draws: out = in + noise; what it drew is kept in its output ---------------------------- */

static dm_status noise_shape(const nn_graph *g, nn_node *node, dm_error *err) {
  (void)err;
  node->shape = g->nodes[node->in[0]].shape;
  node->size = g->nodes[node->in[0]].size;
  return DM_OK;
}

static void noise_forward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  dm_rng rng = call->rng;
  for (size_t i = 0; i < call->n * node->size; i++) call->out[i] = call->in[0][i] + (call->training ? (dm_real)dm_rng_uniform(&rng) : 0);
}

static void noise_backward(const nn_graph *g, const nn_node *node, const nn_call *call) {
  (void)g;
  memcpy(call->g_in[0], call->g_out, call->n * node->size * sizeof(dm_real));
}

static const nn_op op_noise = {.name = "noise", .shape = noise_shape, .forward = noise_forward, .backward = noise_backward};

/* ---- nets ------------------------------------------------------------------------------ */

static dm_ctx *new_ctx(unsigned threads, uint64_t seed) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .seed = seed}, &ctx, NULL), DM_OK);
  return ctx;
}

static size_t add(nn_graph *g, const nn_op *op, size_t in, nn_attributes a) {
  size_t node = 0;
  assert_int_equal(nn_graph_add(g, op, &in, 1, &a, 0, &node, NULL), DM_OK);
  return node;
}

/* A net with a branch, sums over the batch and noise. */
static nn_graph *mixed_graph(dm_ctx *ctx, size_t *output) {
  nn_graph *g = NULL;
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  size_t a = add(g, &nn_op_dense, 0, (nn_attributes){.units = 96, .activation = DM_ACT_GELU}), b = add(g, &op_center, a, (nn_attributes){0});
  size_t c = add(g, &op_noise, b, (nn_attributes){0}), d = add(g, &nn_op_dense, c, (nn_attributes){.units = 96, .activation = DM_ACT_RELU}), e, f;
  assert_int_equal(nn_graph_add(g, &nn_op_add, (size_t[]){d, b}, 2, NULL, 0, &e, NULL), DM_OK);
  assert_int_equal(nn_graph_add(g, &nn_op_concat, (size_t[]){e, 0}, 2, NULL, 0, &f, NULL), DM_OK);
  *output = add(g, &nn_op_dense, add(g, &op_center, f, (nn_attributes){0}), (nn_attributes){.units = 5});
  return g;
}

typedef struct trained {
  double losses[12];
  size_t n_w, n_state, n;
  dm_real w[40000], state[400];
} trained;

/* Some steps of plain descent over batches of different sizes. */
static void train(unsigned threads, trained *t) {
  dm_ctx *ctx = new_ctx(threads, 3);
  size_t output, rows[MOST_ROWS];
  nn_graph *g = mixed_graph(ctx, &output);
  nn_run *r = NULL;
  memset(t, 0, sizeof *t);
  assert_int_equal(nn_run_new(ctx, g, output, MOST_ROWS, 0, &r, NULL), DM_OK);
  nn_feed feed = {NULL, noisy_rows};
  nn_head head = {&g->nodes[output].size, squares};
  const size_t sizes[] = {MOST_ROWS, 256, 77, 31, 513};
  for (size_t i = 0; i < MOST_ROWS; i++) rows[i] = (i * 37) % MOST_ROWS;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    double weight;
    assert_int_equal(nn_run_step(r, &feed, &head, rows, sizes[s], s, &t->losses[t->n++], &weight, NULL), DM_OK);
    for (size_t i = 0; i < g->n_w; i++) r->w[i] -= (dm_real)0.05 * r->g[i];
  }
  double weight;
  assert_int_equal(nn_run_loss(r, &feed, &head, rows, MOST_ROWS - 1, &t->losses[t->n++], &weight, NULL), DM_OK);
  t->n_w = g->n_w;
  t->n_state = g->n_state;
  assert_true(g->n_w <= 40000 && g->n_state <= 400);
  memcpy(t->w, r->w, g->n_w * sizeof *t->w);
  memcpy(t->state, r->state, g->n_state * sizeof *t->state);
  nn_run_free(r);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

static void any_thread_count_gives_the_same_bits(void **state) {
  (void)state;
  trained *one = malloc(sizeof *one), *more = malloc(sizeof *more);
  assert_true(one && more);
  train(1, one);
  for (unsigned threads = 2; threads <= 9; threads += threads < 4 ? 1 : 5) {
    train(threads, more);
    assert_memory_equal(one, more, sizeof *one);
  }
  assert_true(one->losses[0] > one->losses[1] / 256 * MOST_ROWS * 0.5 && one->n == 6);
  free(one);
  free(more);
}

/* ---- what a step gives -------------------------------------------------------------------- */

typedef struct fixture {
  dm_ctx *ctx;
  nn_graph *g;
  nn_run *r;
  size_t output, rows[MOST_ROWS];
} fixture;

static void build(fixture *f, size_t batch) {
  f->ctx = new_ctx(2, 1);
  f->g = mixed_graph(f->ctx, &f->output);
  for (size_t i = 0; i < MOST_ROWS; i++) f->rows[i] = i;
  assert_int_equal(nn_run_new(f->ctx, f->g, f->output, batch, 0, &f->r, NULL), DM_OK);
}

static void drop(fixture *f) {
  nn_run_free(f->r);
  nn_graph_free(f->g);
  dm_ctx_free(f->ctx);
}

static void slots_depend_on_rows_alone_and_fit_the_plan(void **state) {
  (void)state;
  for (size_t batch = 1; batch <= MOST_BATCH; batch += batch < 40 ? 1 : 709) {
    fixture f;
    build(&f, batch);
    for (size_t n = 1; n <= batch; n++) {
      size_t slots = nn_run_slots(n);
      assert_true(slots >= 1 && slots <= f.r->slots && slots <= NN_SLOTS_MAX && slots <= n);
      assert_true((n + slots - 1) / slots <= f.r->plan->rows);
    }
    drop(&f);
  }
}

static void weights_and_losses_are_added(void **state) {
  (void)state;
  fixture f;
  build(&f, 300);
  nn_feed feed = {NULL, plain_rows};
  nn_head head = {&f.g->nodes[f.output].size, squares};
  double loss, weight, whole = 0, parts = 0, want = 0, part;
  for (size_t i = 0; i < 300; i++) want += weight_of(i);
  assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, 300, 0, &loss, &weight, NULL), DM_OK);
  assert_true(weight == want && loss > 0);
  assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows, MOST_ROWS, &whole, &weight, NULL), DM_OK);
  for (size_t i = 0; i < MOST_ROWS; i++) {
    assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows + i, 1, &part, &weight, NULL), DM_OK);
    parts += part;
  }
  assert_near(parts, whole, 1e-9 * whole);
  assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows, 0, &whole, &weight, NULL), DM_OK);
  assert_true(whole == 0 && weight == 0);
  drop(&f);
}

/* Rows without weight give no gradient, and no NaN. */
static void rows_without_weight_leave_no_gradient(void **state) {
  (void)state;
  fixture f;
  build(&f, 4);
  nn_feed feed = {NULL, plain_rows};
  nn_head head = {&f.g->nodes[f.output].size, squares};
  double loss, weight;
  assert_int_equal(nn_run_step(f.r, &feed, &head, (size_t[]){0, 5, 10}, 3, 0, &loss, &weight, NULL), DM_OK);
  assert_true(loss == 0 && weight == 0);
  for (size_t i = 0; i < f.g->n_w; i++) assert_true(f.r->g[i] == 0);
  drop(&f);
}

static void noise_is_of_the_step_and_the_seed(void **state) {
  (void)state;
  double loss[5], weight;
  for (size_t i = 0; i < 5; i++) {
    const uint64_t steps[] = {4, 4, 5, 4, 4};
    fixture f;
    f.ctx = new_ctx(1, i == 3 ? 2 : 1);
    assert_int_equal(nn_graph_new(f.ctx, D, &f.g, NULL), DM_OK);
    f.output = add(f.g, &op_noise, 0, (nn_attributes){0});
    if (i == 4) f.output = add(f.g, &op_noise, f.output, (nn_attributes){0});
    for (size_t j = 0; j < 8; j++) f.rows[j] = j + 1;
    assert_int_equal(nn_run_new(f.ctx, f.g, f.output, 8, 0, &f.r, NULL), DM_OK);
    nn_feed feed = {NULL, plain_rows};
    nn_head head = {&f.g->nodes[f.output].size, squares};
    assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, 8, steps[i], &loss[i], &weight, NULL), DM_OK);
    drop(&f);
  }
  assert_true(loss[0] == loss[1]);
  for (size_t i = 2; i < 5; i++) assert_true(loss[i] != loss[0]);
}

/* Every slot draws numbers of its own: here all rows hold the same. */
static double keep_first(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  dm_real *const *firsts = user;
  (void)scale;
  (void)g_out;
  *weight = (double)n;
  (*firsts)[rows[0]] = out[0];
  return 0;
}

static void every_slot_draws_its_own_numbers(void **state) {
  (void)state;
  fixture f;
  dm_real drawn[MOST_ROWS] = {0}, *firsts = drawn;
  f.ctx = new_ctx(2, 1);
  assert_int_equal(nn_graph_new(f.ctx, D, &f.g, NULL), DM_OK);
  f.output = add(f.g, &op_noise, 0, (nn_attributes){0});
  for (size_t i = 0; i < MOST_ROWS; i++) f.rows[i] = i;
  assert_int_equal(nn_run_new(f.ctx, f.g, f.output, MOST_ROWS, 0, &f.r, NULL), DM_OK);
  nn_feed feed = {NULL, same_rows};
  nn_head head = {&firsts, keep_first};
  double loss, weight;
  size_t seen = 0;
  assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, MOST_ROWS, 0, &loss, &weight, NULL), DM_OK);
  for (size_t i = 0; i < MOST_ROWS; i++) {
    seen += drawn[i] != 0;
    for (size_t j = 0; j < i; j++) assert_true(drawn[i] == 0 || drawn[i] != drawn[j]);
  }
  assert_int_equal(seen, nn_run_slots(MOST_ROWS));
  assert_true(seen > 1);
  drop(&f);
}

/* A batch's sums settle into the state that scoring reads: means of the first layer's outputs. */
static void batch_sums_settle(void **state) {
  (void)state;
  fixture f;
  f.ctx = new_ctx(2, 1);
  assert_int_equal(nn_graph_new(f.ctx, D, &f.g, NULL), DM_OK);
  f.output = add(f.g, &op_center, 0, (nn_attributes){0});
  for (size_t i = 0; i < 100; i++) f.rows[i] = i;
  assert_int_equal(nn_run_new(f.ctx, f.g, f.output, 100, 0, &f.r, NULL), DM_OK);
  nn_feed feed = {NULL, plain_rows};
  nn_head head = {&f.g->nodes[f.output].size, squares};
  double loss, weight, mean = 0, again;
  assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, 100, 0, &loss, &weight, NULL), DM_OK);
  for (size_t i = 0; i < 100; i++) mean += (double)(dm_real)number(i * D) / 100;
  assert_near((double)f.r->state[0], mean, 1e-6);
  assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows, 100, &again, &weight, NULL), DM_OK);
  assert_near(again, loss, 1e-4 * loss);
  drop(&f);
}

static void a_cancelled_step_says_so(void **state) {
  (void)state;
  fixture f;
  build(&f, 8);
  nn_feed feed = {NULL, plain_rows};
  nn_head head = {&f.g->nodes[f.output].size, squares};
  double loss = -1, weight = -1;
  dm_ctx_cancel(f.ctx);
  assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, 8, 0, &loss, &weight, NULL), DM_ECANCEL);
  assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows, 8, &loss, &weight, NULL), DM_ECANCEL);
  assert_true(loss == -1 && weight == -1);
  drop(&f);
}

static void *counting(void *user, size_t size, size_t alignment) {
  ++*(size_t *)user;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static void a_step_allocates_nothing(void **state) {
  (void)state;
  size_t blocks = 0;
  fixture f;
  f.ctx = NULL;
  dm_ctx_options o = {.threads = 2, .user = &blocks, .allocate = counting, .release = release};
  assert_int_equal(dm_ctx_new(&o, &f.ctx, NULL), DM_OK);
  f.g = mixed_graph(f.ctx, &f.output);
  for (size_t i = 0; i < MOST_ROWS; i++) f.rows[i] = i;
  assert_int_equal(nn_run_new(f.ctx, f.g, f.output, 64, 0, &f.r, NULL), DM_OK);
  nn_feed feed = {NULL, plain_rows};
  nn_head head = {&f.g->nodes[f.output].size, squares};
  double loss, weight;
  size_t before = blocks;
  assert_int_equal(nn_run_step(f.r, &feed, &head, f.rows, 64, 0, &loss, &weight, NULL), DM_OK);
  assert_int_equal(nn_run_loss(f.r, &feed, &head, f.rows, MOST_ROWS, &loss, &weight, NULL), DM_OK);
  assert_true(before > 0 && blocks == before);
  drop(&f);
}

static void too_little_memory_is_said(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  nn_graph *g = NULL;
  nn_run *r = NULL;
  dm_error err = {0};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.budget = (size_t)1 << 20}, &ctx, NULL), DM_OK);
  assert_int_equal(nn_graph_new(ctx, D, &g, NULL), DM_OK);
  size_t output = add(g, &nn_op_dense, 0, (nn_attributes){.units = 4000}), held = dm_ctx_memory(ctx);
  assert_int_equal(nn_run_new(ctx, g, output, 1, 0, &r, &err), DM_EBUDGET);
  assert_non_null(strstr(err.message, "100000 parameters in 1 slots of 1 rows: needs"));
  assert_non_null(strstr(err.message, "limit"));
  assert_int_equal(nn_run_new(ctx, g, output, 4096, 0, &r, &err), DM_EBUDGET);
  assert_non_null(strstr(err.message, "net: one slot of 512 rows needs"));
  assert_int_equal(nn_run_new(ctx, g, output, 0, 0, &r, &err), DM_EUSAGE);
  assert_null(r);
  assert_int_equal(dm_ctx_memory(ctx), held);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_thread_count_gives_the_same_bits),
      cmocka_unit_test(slots_depend_on_rows_alone_and_fit_the_plan),
      cmocka_unit_test(weights_and_losses_are_added),
      cmocka_unit_test(rows_without_weight_leave_no_gradient),
      cmocka_unit_test(noise_is_of_the_step_and_the_seed),
      cmocka_unit_test(every_slot_draws_its_own_numbers),
      cmocka_unit_test(batch_sums_settle),
      cmocka_unit_test(a_cancelled_step_says_so),
      cmocka_unit_test(a_step_allocates_nothing),
      cmocka_unit_test(too_little_memory_is_said),
  };
  return cmocka_run_group_tests_name("nn/run", tests, NULL, NULL);
}
