/* nn: a row has the same bits in every batch, at every SIMD level, and in a training plan. */
#include "cmocka_all.h"
#include "matrix/kernels/simd.h"
#include "nn/run.h"
#include "nn/score.h"

enum { D = 13, ROWS = 192, MOST_OUT = 9 };

typedef struct fixture {
  dm_ctx *ctx;
  nn_graph *g;
  size_t hidden, output;
  double x[ROWS * D];
  dm_real *w;
} fixture;

static double number(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ i >> 29) * 0xBF58476D1CE4E5B9u;
  return (double)((i ^ i >> 32) >> 11) / 4503599627370496.0 - 1;
}

static size_t add(nn_graph *g, const nn_op *op, const size_t *in, size_t n_in, nn_attributes a) {
  size_t node = 0;
  assert_int_equal(nn_graph_add(g, op, in, n_in, &a, 0, &node, NULL), DM_OK);
  return node;
}

/* Widths that no register divides, and every activation. */
static int setup(void **state) {
  static fixture f;
  f = (fixture){0};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 2}, &f.ctx, NULL), DM_OK);
  assert_int_equal(nn_graph_new(f.ctx, D, &f.g, NULL), DM_OK);
  size_t last = 0, first = 0;
  for (dm_activation a = DM_ACT_LINEAR; a <= DM_ACT_SELU; a++) {
    last = add(f.g, &nn_op_dense, &last, 1, (nn_attributes){.units = 37, .activation = a, .rate = 0.1});
    if (a == DM_ACT_LINEAR) first = last;
  }
  size_t sum = add(f.g, &nn_op_add, (size_t[]){first, last}, 2, (nn_attributes){0});
  f.hidden = add(f.g, &nn_op_concat, (size_t[]){sum, 0}, 2, (nn_attributes){0});
  size_t acts = add(f.g, &nn_op_activation, &f.hidden, 1, (nn_attributes){.activation = DM_ACT_SILU});
  size_t logits = add(f.g, &nn_op_dense, &acts, 1, (nn_attributes){.units = MOST_OUT});
  f.output = add(f.g, &nn_op_softmax, &logits, 1, (nn_attributes){0});
  f.w = dm_alloc(f.ctx, f.g->n_w, sizeof *f.w, "test", NULL);
  nn_graph_init(f.g, 1, f.w, NULL);
  for (size_t i = 0; i < f.g->n_w; i++) f.w[i] += (dm_real)(0.1 * number(i));
  for (size_t i = 0; i < ROWS * D; i++) f.x[i] = 3 * number(7777 + i);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_free(f->ctx, f->w);
  nn_graph_free(f->g);
  dm_ctx_free(f->ctx);
  return 0;
}

/* All rows, `batch` at a time. */
static void score(const fixture *f, size_t batch, dm_real *out) {
  nn_plan *p = NULL;
  assert_int_equal(nn_plan_new(f->g, &f->output, 1, NN_SCORE_ROWS, NN_PLAN_SCORE, &p, NULL), DM_OK);
  nn_scoring s = {f->g, p, f->w, NULL};
  void *work = dm_alloc(f->ctx, nn_score_work(&s), 1, "test", NULL);
  memset(work, 0xFF, nn_score_work(&s)); /* NaN */
  for (size_t from = 0; from < ROWS; from += batch) {
    size_t n = ROWS - from < batch ? ROWS - from : batch;
    nn_score(&s, f->x + from * D, n, work);
    memcpy(out + from * MOST_OUT, nn_score_value(&s, work, f->output), n * MOST_OUT * sizeof *out);
  }
  dm_free(f->ctx, work);
  nn_plan_free(p);
}

static void a_row_has_the_same_bits_in_every_batch_and_at_every_level(void **state) {
  const fixture *f = *state;
  dm_real want[ROWS * MOST_OUT], got[ROWS * MOST_OUT];
  dm_simd level = dm_k_simd();
  dm_k_simd_set(DM_SIMD_SCALAR);
  score(f, 64, want);
  for (size_t i = 0; i < ROWS; i++) {
    double sum = 0;
    for (size_t j = 0; j < MOST_OUT; j++) sum += (double)want[i * MOST_OUT + j];
    assert_near(sum, 1, 1e-5);
  }
  for (dm_simd to = DM_SIMD_SCALAR; to <= DM_SIMD_AVX512; to++) {
    const size_t batches[] = {1, 2, 7, 16, 33, 63, 64};
    if (dm_k_simd_set(to) != to) continue;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
      memset(got, 0, sizeof got);
      score(f, batches[b], got);
      assert_memory_equal(got, want, sizeof want);
    }
  }
  dm_k_simd_set(level);
}

static void feed_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  const fixture *f = user;
  (void)training;
  (void)rng;
  for (size_t i = 0; i < n * D; i++) out[i] = (dm_real)f->x[rows[i / D] * D + i % D];
}

static double keep(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  dm_real *const *kept = user;
  (void)scale;
  (void)g_out;
  for (size_t i = 0; i < n; i++) memcpy(*kept + rows[i] * MOST_OUT, out + i * MOST_OUT, MOST_OUT * sizeof *out);
  *weight = (double)n;
  return 0;
}

static void losses_see_what_scoring_gives(void **state) {
  fixture *f = *state;
  dm_real want[ROWS * MOST_OUT], got[ROWS * MOST_OUT] = {0}, *kept = got;
  size_t rows[ROWS];
  double loss, weight;
  nn_run *r = NULL;
  for (size_t i = 0; i < ROWS; i++) rows[i] = i;
  score(f, 64, want);
  assert_int_equal(nn_run_new(f->ctx, f->g, f->output, 50, 0, &r, NULL), DM_OK);
  memcpy(r->w, f->w, f->g->n_w * sizeof *r->w);
  nn_feed feed = {f, feed_rows};
  nn_head head = {&kept, keep};
  assert_int_equal(nn_run_loss(r, &feed, &head, rows, ROWS, &loss, &weight, NULL), DM_OK);
  assert_true(weight == ROWS);
  assert_memory_equal(got, want, sizeof want);
  nn_run_free(r);
}

/* A second output, and one in the middle alone: encoding. */
static void several_outputs_stay(void **state) {
  const fixture *f = *state;
  nn_plan *both = NULL, *middle = NULL;
  size_t outputs[] = {f->output, f->hidden};
  assert_int_equal(nn_plan_new(f->g, outputs, 2, NN_SCORE_ROWS, NN_PLAN_SCORE, &both, NULL), DM_OK);
  assert_int_equal(nn_plan_new(f->g, outputs + 1, 1, NN_SCORE_ROWS, NN_PLAN_SCORE, &middle, NULL), DM_OK);
  nn_scoring a = {f->g, both, f->w, NULL}, b = {f->g, middle, f->w, NULL};
  void *work_a = dm_alloc(f->ctx, nn_score_work(&a), 1, "test", NULL), *work_b = dm_alloc(f->ctx, nn_score_work(&b), 1, "test", NULL);
  dm_real want[ROWS * MOST_OUT];
  score(f, 64, want);
  nn_score(&a, f->x, 64, work_a);
  nn_score(&b, f->x, 64, work_b);
  assert_memory_equal(nn_score_value(&a, work_a, f->output), want, 64 * MOST_OUT * sizeof *want);
  assert_memory_equal(nn_score_value(&a, work_a, f->hidden), nn_score_value(&b, work_b, f->hidden), 64 * (37 + D) * sizeof *want);
  assert_true(nn_score_value(&b, work_b, f->hidden)[37] == (dm_real)f->x[0]);
  dm_free(f->ctx, work_a);
  dm_free(f->ctx, work_b);
  nn_plan_free(both);
  nn_plan_free(middle);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_row_has_the_same_bits_in_every_batch_and_at_every_level, setup, teardown),
      cmocka_unit_test_setup_teardown(losses_see_what_scoring_gives, setup, teardown),
      cmocka_unit_test_setup_teardown(several_outputs_stay, setup, teardown),
  };
  return cmocka_run_group_tests_name("nn/score", tests, NULL, NULL);
}
