/* nn: the autoencoder against PyTorch, what it finds, what it leaves out, the same bits, and what it refuses. */
#include "cmocka_all.h"
#include "golden/autoencoder.h"
#include "nn/autoencoder_feed.h"
#include "nn/autoencoder_rows.h"

#include <dm/optim.h>

/* ---- equal loss after equal steps ----------------------------------------------------- */

static void follow(dm_ctx *ctx, const autoencoder_shape *shape, const dm_dense *x, const float *start, const float *losses, const float *end) {
  nn_graph *g = NULL;
  nn_run *run = NULL;
  dm_optimizer *adam = NULL;
  dm_optimizer_options o;
  autoencoder_data data = {.shape = shape, .parts = {x}, .first = GOLDEN_ROWS};
  const nn_feed feed = {&data, autoencoder_feed};
  const nn_head head = {&data, autoencoder_loss};
  size_t order[GOLDEN_ROWS], code, output;
  for (size_t i = 0; i < GOLDEN_ROWS; i++) order[i] = i;
  assert_int_equal(autoencoder_graph(ctx, shape, 0, &g, &code, &output, NULL), DM_OK);
  assert_int_equal(nn_run_new(ctx, g, output, GOLDEN_ROWS, 0, &run, NULL), DM_OK);
  assert_int_equal(dm_optimizer_defaults("adam", &o, NULL), DM_OK);
  o.lr = 0.02;
  assert_int_equal(dm_optimizer_new(ctx, g->n_w, &o, &adam, NULL), DM_OK);
  memcpy(run->w, start, g->n_w * sizeof *start);
  for (size_t step = 0; step < GOLDEN_STEPS; step++) {
    double loss, weight;
    assert_int_equal(nn_run_step(run, &feed, &head, order, GOLDEN_ROWS, step, &loss, &weight, NULL), DM_OK);
    if (!(fabs(loss / weight - (double)losses[step]) < 1e-5)) fail_msg("step %zu: loss %.9g, PyTorch %.9g", step, loss / weight, (double)losses[step]);
    assert_int_equal(dm_optimizer_step(adam, run->w, run->g, NULL), DM_OK);
  }
  for (size_t i = 0; i < g->n_w; i++) assert_true(fabsf(run->w[i] - end[i]) < 1e-4f);
  dm_optimizer_free(adam);
  nn_run_free(run);
  nn_graph_free(g);
}

static void dense_of(dm_ctx *ctx, const float *x, size_t d, dm_dense *out) {
  assert_int_equal(dm_dense_new(ctx, GOLDEN_ROWS, d, out, NULL), DM_OK);
  for (size_t i = 0; i < GOLDEN_ROWS; i++) memcpy(out->x + i * out->stride, x + i * d, d * sizeof *x);
}

static void losses_are_pytorchs(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2, 0);
  dm_arena *memory = NULL;
  dm_dense x;
  const double none[8] = {0};
  assert_int_equal(dm_arena_new(ctx, 0, &memory, NULL), DM_OK);
  autoencoder_shape plain = {.hidden = {4}, .n_hidden = 1, .latent = 2, .activation = DM_ACT_TANH, .fill = none};
  assert_int_equal(nn_cells_init(&plain.cells, memory, NULL, 8, NULL), DM_OK);
  dense_of(ctx, golden_plain_rows, 8, &x);
  follow(ctx, &plain, &x, golden_plain_start, golden_plain_losses, golden_plain_end);
  dm_dense_clear(ctx, &x);

  const size_t levels[6] = {0, 0, 5, 0, 0, 0}, flagged[2] = {1, 4};
  double fill[6];
  for (size_t j = 0; j < 6; j++) fill[j] = (double)golden_mixed_fill[j];
  autoencoder_shape mixed = {.hidden = {6}, .n_hidden = 1, .latent = 2, .activation = DM_ACT_SILU, .fill = fill, .flagged = flagged, .n_flags = 2};
  assert_int_equal(nn_cells_init(&mixed.cells, memory, levels, 6, NULL), DM_OK);
  dense_of(ctx, golden_mixed_rows, 6, &x);
  follow(ctx, &mixed, &x, golden_mixed_start, golden_mixed_losses, golden_mixed_end);
  dm_dense_clear(ctx, &x);
  dm_arena_free(memory);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

/* ---- what it finds ------------------------------------------------------------------------ */

static size_t largest(const double *x, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (x[i] > x[best]) best = i; /* NaN never is */
  return best;
}

static const char *const SMALL[] = {"hidden", "32", "latent", "2", "epochs", "60", "noise", "0", "lr", "0.01", "batch_size", "32", NULL};

static void a_planted_anomaly_is_the_largest_error_in_its_column(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2, 0);
  rows t;
  rows_mixed(&t, ctx, 500);
  autoencoder *m = train(ctx, &t, SMALL);
  *cell(&t, 123, 2) += 1.5f;                                     /* within its column's range, not within its row */
  *cell(&t, 321, 6) = 1 - *cell(&t, 321, 6);                      /* the other sign */
  *cell(&t, 321, 0) = *cell(&t, 321, 0) > 0 ? 0.8f : -0.8f;       /* far from where the sign changes */
  *cell(&t, 321, 1) = -*cell(&t, 321, 0);
  *cell(&t, 321, 2) = *cell(&t, 321, 0) + *cell(&t, 321, 4);
  *cell(&t, 321, 3) = *cell(&t, 321, 0) - *cell(&t, 321, 4);
  scored s = score(m, &t, 500);
  size_t over = 0, worst = largest(s.value, 500);
  assert_true(worst == 123 || worst == 321);
  for (size_t i = 0; i < 500; i++) over += s.value[i] > m->base.threshold;
  assert_true(s.value[123] > m->base.threshold && s.value[321] > m->base.threshold);
  assert_true(over >= 2 && over < 40); /* about a hundredth of the usual rows, too */
  assert_int_equal(largest(s.parts + 321 * 8, 8), 6);
  assert_int_equal(largest(s.parts + 123 * 8, 8), 2);
  s.value[worst] = 0;
  worst = largest(s.value, 500);
  assert_true(worst == 123 || worst == 321);
  scored_clear(&s);
  autoencoder_free(&m->base);
  dm_dense_clear(ctx, &t.x);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

/* Mean squared distance of what the net makes of corrupted rows from the true ones, numbers only. */
static double restoring_error(const autoencoder *m, rows *t) {
  double sum = 0, *x = dm_alloc(m->base.ctx, NN_SCORE_ROWS * t->d, sizeof *x, "test", NULL);
  char *work = dm_alloc(m->base.ctx, m->base.work + 64, 1, "test", NULL), *aligned = work + (64 - (uintptr_t)work % 64) % 64;
  for (size_t i = 0; i < NN_SCORE_ROWS; i++)
    for (size_t j = 0; j < t->d; j++) x[i * t->d + j] = uniform(9000 + i * t->d + j) < 0.3 ? m->shape.fill[j] : (double)*cell(t, i, j);
  nn_score(&m->rebuilding, x, NN_SCORE_ROWS, aligned);
  const dm_real *out = nn_score_value(&m->rebuilding, aligned, m->output);
  for (size_t i = 0; i < NN_SCORE_ROWS; i++)
    for (size_t j = 0; j < t->d; j++) {
      double r = (double)out[i * t->d + j] - (double)*cell(t, i, j);
      sum += r * r / (double)(NN_SCORE_ROWS * t->d);
    }
  dm_free(m->base.ctx, x);
  dm_free(m->base.ctx, work);
  return sum;
}

static void learning_to_restore_restores(void **state) {
  (void)state;
  static const char *const kinds[] = {"mask", "swap", "gaussian"};
  dm_ctx *ctx = new_ctx(2, 0);
  rows t;
  rows_init(&t, ctx, 600, 12, NULL);
  for (size_t i = 0; i < 600; i++)
    for (size_t j = 0; j < 12; j++) {
      double a = uniform(3 * i) * 6.28, b = uniform(3 * i + 1) * 2 - 1;
      *cell(&t, i, j) = (float)(sin(a + (double)j) + 0.5 * b * (double)(j % 3));
    }
  const char *set[] = {"hidden", "48", "latent", "6", "epochs", "40", "batch_size", "32", "lr", "0.005", "noise", "0", "noise_kind", "mask", NULL};
  autoencoder *plain = train(ctx, &t, set);
  double without = restoring_error(plain, &t);
  autoencoder_free(&plain->base);
  set[11] = "0.3";
  for (size_t k = 0; k < 3; k++) {
    set[13] = kinds[k];
    autoencoder *m = train(ctx, &t, set);
    double with = restoring_error(m, &t);
    if (!(with < without * (k == 2 ? 0.95 : 0.7))) fail_msg("%s: %.4f against %.4f without noise in training", kinds[k], with, without);
    autoencoder_free(&m->base);
  }
  dm_dense_clear(ctx, &t.x);
  dm_ctx_free(ctx);
}

/* ---- missing cells -------------------------------------------------------------------------- */

static void missing_cells_are_no_part_of_any_error(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2, 0);
  rows t;
  rows_mixed(&t, ctx, 300);
  for (size_t i = 0; i < 300; i++) {
    if (uniform(70000 + i) < 0.2) *cell(&t, i, 1) = (float)NAN;
    if (uniform(80000 + i) < 0.2) *cell(&t, i, 6) = 2; /* missing of 4 codes */
  }
  autoencoder *m = train(ctx, &t, SMALL);
  assert_int_equal(m->shape.n_flags, 1);
  assert_int_equal(m->graph->nodes[0].size, 9);
  *cell(&t, 7, 4) = (float)NAN; /* of a column that training had whole */
  for (size_t j = 0; j < 8; j++) *cell(&t, 9, j) = j == 6 ? 2 : j == 7 ? 4 : (float)NAN;
  *cell(&t, 11, 6) = -1; /* no code at all */
  scored s = score(m, &t, 64);
  for (size_t i = 0; i < 300; i++) {
    double sum = 0, n = 0;
    for (size_t j = 0; j < 8; j++) {
      double x = s.x[i * 8 + j], part = s.parts[i * 8 + j];
      bool missing = isnan(x) || (j == 6 && (x == 2 || x == -1)) || (j == 7 && x == 4);
      assert_true(missing ? isnan(part) : part >= 0);
      if (missing) continue;
      sum += part;
      n++;
    }
    assert_true(fabs(s.value[i] - (n > 0 ? sum / n : 0)) < 1e-12);
  }
  scored_clear(&s);
  /* a missing cell says nothing of what stands in its place */
  double row[8] = {0.3, (double)NAN, 0.5, 0.1, 0.2, -0.9, 1, 2};
  float code[2], other[2];
  double value[2], parts[8];
  scored one = {.ctx = ctx, .value = value, .parts = parts, .code = code};
  score_rows(m, row, 1, 1, &one);
  row[1] = m->shape.fill[1];
  one.code = other;
  score_rows(m, row, 1, 1, &one);
  assert_true(code[0] != other[0] || code[1] != other[1]); /* the net is told that it is missing */
  autoencoder_free(&m->base);
  dm_dense_clear(ctx, &t.x);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

/* ---- the same bits --------------------------------------------------------------------------- */

static void batches_and_threads_give_the_same_bits(void **state) {
  (void)state;
  static const size_t batches[] = {1, 7, 64, 65, 256, 1024};
  static const char *const set[] = {"hidden", "16,8", "latent", "3", "epochs", "8", "noise", "0.25", "noise_kind", "swap", "dropout", "0.1",
                                    "activation", "gelu", NULL};
  scored first = {0};
  autoencoder *models[2];
  dm_ctx *ctx[2];
  rows t;
  for (unsigned threads = 1; threads <= 2; threads++) {
    dm_ctx *c = ctx[threads - 1] = new_ctx(threads, 0);
    rows_mixed(&t, c, 1030);
    autoencoder *m = models[threads - 1] = train(c, &t, set);
    for (size_t i = 0; i < 6; i++) {
      scored s = score(m, &t, batches[i]);
      if (!first.value) {
        first = s;
        continue;
      }
      assert_memory_equal(s.value, first.value, t.n * sizeof *s.value);
      assert_memory_equal(s.parts, first.parts, t.n * t.d * sizeof *s.parts);
      assert_memory_equal(s.code, first.code, t.n * m->base.n_code * sizeof *s.code);
      scored_clear(&s);
    }
    dm_dense_clear(c, &t.x);
  }
  assert_memory_equal(models[0]->w, models[1]->w, models[0]->graph->n_w * sizeof *models[0]->w);
  assert_true(models[0]->base.threshold == models[1]->base.threshold);
  scored_clear(&first);
  for (size_t i = 0; i < 2; i++) {
    autoencoder_free(&models[i]->base);
    assert_int_equal(dm_ctx_memory(ctx[i]), 0);
    dm_ctx_free(ctx[i]);
  }
}

/* ---- what it refuses ---------------------------------------------------------------------------- */

static void wrong_words_are_told(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  static const char *const wrong[][3] = {
      {"hidden", "0", "hidden = '0'"},        {"hidden", "64,", "hidden = '64,'"},       {"hidden", "64,,8", "hidden = '64,,8'"},
      {"hidden", "wide", "hidden = 'wide'"},  {"hidden", "-3", "hidden = '-3'"},         {"hidden", "99999999999999999999", "hidden = '9"},
      {"hidden", "1,2,3,4,5,6,7,8,9", "8 layers"}, {"latent", "0", "latent = 0"},        {"noise", "1", "noise = 1"},
      {"lr", "0", "lr = 0"},                  {"lr", "-1", "lr = -1"},                   {"batch_size", "2000000000", "want at most the 90 rows"},
      {"threshold", "1.5", "threshold = 1.5"}, {"activation", "swish", "activation"},    {"validation", "1", "validation = 1"},
  };
  rows t;
  rows_mixed(&t, ctx, 100);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    dm_error err = {0};
    dm_model *m = NULL;
    const char *const set[] = {wrong[i][0], wrong[i][1], NULL};
    assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EUSAGE);
    if (!strstr(err.message, wrong[i][2])) fail_msg("%s %s: %s", wrong[i][0], wrong[i][1], err.message);
    assert_null(m);
  }
  dm_dense_clear(ctx, &t.x);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void odd_tables_are_told_or_learned(void **state) {
  (void)state;
  static const char *const set[] = {"hidden", "8", "epochs", "3", NULL}, *const none[] = {"hidden", "none", "epochs", "3", "validation", "0", NULL};
  dm_ctx *ctx = new_ctx(1, 0);
  dm_error err = {0};
  dm_model *m = NULL;
  rows t;
  rows_init(&t, ctx, 4, 2, NULL);
  for (size_t i = 0; i < 8; i++) *cell(&t, i / 2, i % 2) = (float)NAN;
  assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "all cells are missing"));
  *cell(&t, 0, 0) = 1e20f;
  assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "beyond 1e15"));
  *cell(&t, 0, 0) = 5; /* one cell of all */
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; round && i < 8; i++) *cell(&t, i / 2, i % 2) = 3; /* constant columns */
    assert_int_equal(train_status(ctx, &t, round < 2 ? set : none, &m, &err), DM_OK);
    assert_true(m->threshold >= 0 && isfinite(m->threshold));
    autoencoder_free(m);
  }
  t.n = 1;
  m = NULL;
  assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "want 2 or more"));
  t.n = 4;
  t.d = 0;
  assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EINPUT);
  const size_t one_code[2] = {1, 0};
  t.d = 2;
  t.levels = one_code;
  assert_int_equal(train_status(ctx, &t, set, &m, &err), DM_EINPUT);
  assert_null(m);
  dm_dense_clear(ctx, &t.x);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void far_numbers_are_unusual_not_an_error(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  rows t;
  rows_mixed(&t, ctx, 100);
  autoencoder *m = train(ctx, &t, SMALL);
  double row[8] = {1e300, 0, -1e300, 0, 0, 0, 1, 2}, value, parts[8];
  float code[2];
  scored s = {.ctx = ctx, .value = &value, .parts = parts, .code = code};
  score_rows(m, row, 1, 1, &s);
  assert_true(isfinite(value) && value > 1e20 && isfinite(code[0]));
  autoencoder_free(&m->base);
  dm_dense_clear(ctx, &t.x);
  dm_ctx_free(ctx);
}

static void a_small_budget_is_an_error_not_a_leak(void **state) {
  (void)state;
  static const char *const set[] = {"hidden", "8", "latent", "2", "epochs", "1", NULL};
  size_t failures = 0;
  bool done = false;
  for (size_t budget = 20000; !done && budget < 4000000; budget = budget * 13 / 12) {
    dm_ctx *ctx = new_ctx(1, budget);
    rows t;
    dm_model *m = NULL;
    dm_error err = {0};
    if (dm_dense_new(ctx, 50, 8, &t.x, NULL) == DM_OK) {
      t.n = 50;
      t.d = 8;
      t.levels = NULL;
      dm_status s = train_status(ctx, &t, set, &m, &err);
      assert_true(s == DM_OK || s == DM_EBUDGET);
      failures += s != DM_OK;
      done = s == DM_OK;
      if (done) autoencoder_free(m);
      dm_dense_clear(ctx, &t.x);
    }
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_true(done && failures > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(losses_are_pytorchs),
      cmocka_unit_test(a_planted_anomaly_is_the_largest_error_in_its_column),
      cmocka_unit_test(learning_to_restore_restores),
      cmocka_unit_test(missing_cells_are_no_part_of_any_error),
      cmocka_unit_test(batches_and_threads_give_the_same_bits),
      cmocka_unit_test(wrong_words_are_told),
      cmocka_unit_test(odd_tables_are_told_or_learned),
      cmocka_unit_test(far_numbers_are_unusual_not_an_error),
      cmocka_unit_test(a_small_budget_is_an_error_not_a_leak),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
