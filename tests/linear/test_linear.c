/* linear: properties of what is learned; bits, weights, odd targets and columns, failing memory. */
#include "cmocka_all.h"
#include "linear/model.h"
#include "linear/problem.h"
#include "linear/rows.h"

static void near(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, want %.17g", got, want);
}

static const linear_model *linear_of(const dm_model *m) { return (const linear_model *)m; }

static void same_bits(const dm_model *a, const dm_model *b) {
  const linear_model *x = linear_of(a), *y = linear_of(b);
  assert_int_equal(x->outputs, y->outputs);
  assert_memory_equal(x->coef, y->coef, x->outputs * a->d * sizeof *x->coef);
  assert_memory_equal(x->intercept, y->intercept, x->outputs * sizeof *x->intercept);
}

static void near_models(const dm_model *a, const dm_model *b, double tolerance) {
  const linear_model *x = linear_of(a), *y = linear_of(b);
  for (size_t i = 0; i < x->outputs * a->d; i++) near(x->coef[i], y->coef[i], tolerance * fmax(1, fabs(y->coef[i])));
  for (size_t i = 0; i < x->outputs; i++) near(x->intercept[i], y->intercept[i], tolerance * fmax(1, fabs(y->intercept[i])));
}

/* ---- derivatives ------------------------------------------------------------------------- */

static void objectives_agree_with_differences(void **state) {
  (void)state;
  static const struct {
    const char *loss;
    size_t k, outputs;
  } cases[] = {{"squared", 0, 1}, {"logistic", 2, 1}, {"softmax", 3, 3}, {"huber", 0, 1}, {"squared_hinge", 2, 1}};
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t c = 0; c < 5; c++) {
    rows t;
    linear_problem p;
    dm_gradient_report report;
    double w[3 * 6], v[3 * 6];
    rows_fill(&t, ctx, 60, 5, cases[c].k);
    t.weights = dm_alloc(ctx, t.n, sizeof(double), "weights", NULL);
    for (size_t i = 0; i < t.n; i++) t.weights[i] = (double)(i % 4);
    if (!cases[c].k)
      for (size_t i = 0; i < t.n; i++) t.target[i] = (t.target[i] - 100) / 7;
    assert_int_equal(linear_problem_init(ctx, &t.x, t.target, t.weights, dm_loss_find(cases[c].loss, NULL), cases[c].outputs, 0.03, 0.25, &p, NULL), DM_OK);
    dm_objective f = linear_objective(&p);
    assert_int_equal(f.n, cases[c].outputs * 6);
    for (size_t i = 0; i < f.n; i++) w[i] = uniform(i) - 0.5, v[i] = uniform(i + 100) - 0.5;
    assert_int_equal(dm_gradient_check(ctx, &f, w, &report, NULL), DM_OK);
    if (!(report.error < 1e-6)) fail_msg("%s: %g for %g", cases[c].loss, report.analytic, report.numeric);
    assert_int_equal(dm_product_check(ctx, &f, w, v, &report, NULL), DM_OK);
    if (!(report.error < 1e-6)) fail_msg("%s: product %g for %g", cases[c].loss, report.analytic, report.numeric);
    linear_problem_clear(&p);
    rows_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

/* ---- what does not change a model ------------------------------------------------------------ */

static void one_two_and_five_threads_give_the_same_bits(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  static const unsigned threads[] = {1, 2, 5};
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx[3];
    rows t[3];
    dm_model *m[3];
    for (size_t i = 0; i < 3; i++) {
      ctx[i] = new_ctx(threads[i], NULL);
      rows_fill(&t[i], ctx[i], 4096 * 19 / (c + 1) + 77, 3, classes[c]); /* more chunks than a wave has */
      m[i] = train(ctx[i], &t[i], NULL);
      if (i) same_bits(m[i], m[0]);
    }
    for (size_t i = 0; i < 3; i++) {
      linear_free(m[i]);
      rows_clear(&t[i], ctx[i]);
      dm_ctx_free(ctx[i]);
    }
  }
}

static void a_row_of_weight_two_is_two_rows(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 4};
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t c = 0; c < 3; c++) {
    rows once, twice;
    rows_fill(&once, ctx, 300, 4, classes[c]);
    once.weights = dm_alloc(ctx, 300, sizeof(double), "weights", NULL);
    rows_init(&twice, ctx, 300, 4, classes[c]);
    size_t at = 0;
    for (size_t i = 0; i < 300; i++) once.weights[i] = i < 50 ? 2 : i < 250 ? 1 : 0;
    for (size_t i = 0; i < 250; i++)
      for (size_t r = 0; r < (i < 50 ? 2u : 1u); r++, at++) {
        memcpy(cell(&twice, at, 0), cell(&once, i, 0), 4 * sizeof(float));
        twice.target[at] = once.target[i];
      }
    assert_int_equal(at, 300);
    dm_model *a = train(ctx, &once, NULL), *b = train(ctx, &twice, NULL);
    near_models(a, b, 1e-5);
    linear_free(a);
    linear_free(b);
    rows_clear(&once, ctx);
    rows_clear(&twice, ctx);
  }
  dm_ctx_free(ctx);
}

static void units_of_a_target_do_not_matter(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, NULL);
  rows t;
  rows_fill(&t, ctx, 200, 4, 0);
  dm_model *a = train(ctx, &t, NULL);
  for (size_t i = 0; i < t.n; i++) t.target[i] = t.target[i] * 1e9 - 5e6;
  dm_model *b = train(ctx, &t, NULL);
  for (size_t j = 0; j < 4; j++) near(linear_of(b)->coef[j] / linear_of(a)->coef[j] / 1e9, 1, 1e-9);
  linear_free(a);
  linear_free(b);
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- what is learned ---------------------------------------------------------------------------- */

static void exact_lines_are_found(void **state) {
  (void)state;
  static const char *const set[] = {"alpha", "0", NULL};
  dm_ctx *ctx = new_ctx(1, NULL);
  rows t;
  rows_fill(&t, ctx, 100, 3, 0);
  for (size_t i = 0; i < t.n; i++)
    t.target[i] = 3 + 2 * (double)*cell(&t, i, 0) - 0.5 * (double)*cell(&t, i, 1) + 0.125 * (double)*cell(&t, i, 2);
  dm_model *m = train(ctx, &t, set);
  near(linear_of(m)->coef[0], 2, 1e-7);
  near(linear_of(m)->coef[1], -0.5, 1e-7);
  near(linear_of(m)->coef[2], 0.125, 1e-7);
  near(linear_of(m)->intercept[0], 3, 1e-6);
  linear_free(m);
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void constant_columns_get_no_weight(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  static const char *const least_squares[] = {"alpha", "0", NULL};
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t c = 0; c < 4; c++) {
    rows t;
    rows_fill(&t, ctx, 150, 3, c < 3 ? classes[c] : 0);
    for (size_t i = 0; i < t.n; i++) *cell(&t, i, 1) = 1e6f;
    dm_model *m = train(ctx, &t, c == 3 ? least_squares : NULL);
    for (size_t o = 0; o < linear_of(m)->outputs; o++) {
      assert_true(linear_of(m)->coef[o * 3 + 1] == 0);
      assert_true(fabs(linear_of(m)->coef[o * 3]) > 1e-3);
    }
    linear_free(m);
    rows_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

static void nothing_but_constants_gives_shares_and_means(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t k = 0; k < 4; k += 3) {
    rows t;
    rows_init(&t, ctx, 10, 1, k);
    for (size_t i = 0; i < 10; i++) t.target[i] = k ? (i < 5 ? 0 : i < 8 ? 1 : 2) : (double)i;
    dm_model *m = train(ctx, &t, NULL);
    double x = 0, value, p[3];
    dm_batch batch = {.n = 1, .d = 1, .x = &x, .value = &value, .proba = p};
    assert_int_equal(linear_predict(m, DM_OUT_VALUE | DM_OUT_PROBA, &batch, NULL), DM_OK);
    near(value, k ? 0 : 4.5, 1e-9);
    if (k) near(p[0], 0.5, 1e-6), near(p[1], 0.3, 1e-6), near(p[2], 0.2, 1e-6);
    linear_free(m);
    rows_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

static void separable_classes_stay_finite(void **state) {
  (void)state;
  static const char *const set[] = {"C", "1e12", NULL};
  char said[256] = "";
  dm_ctx *ctx = new_ctx(1, said);
  rows t;
  rows_init(&t, ctx, 40, 2, 2);
  for (size_t i = 0; i < 40; i++) {
    *cell(&t, i, 0) = (float)i;
    t.target[i] = i >= 20;
  }
  dm_model *m = train(ctx, &t, set);
  double value;
  for (size_t i = 0; i < 40; i++) {
    double x[] = {(double)i, 0};
    dm_batch batch = {.n = 1, .d = 2, .x = x, .value = &value};
    assert_int_equal(linear_predict(m, DM_OUT_VALUE, &batch, NULL), DM_OK);
    near(value, i >= 20, 0);
  }
  linear_free(m);
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* Codes 1 and 4 of six have rows: two classes. Codes 0, 2, 5: three. */
static void classes_without_rows_have_probability_zero(void **state) {
  (void)state;
  static const double codes[2][3] = {{1, 4, 4}, {0, 2, 5}};
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t c = 0; c < 2; c++) {
    rows t;
    rows_fill(&t, ctx, 120, 3, 3);
    for (size_t i = 0; i < t.n; i++) t.target[i] = codes[c][(size_t)t.target[i]];
    t.k = 6;
    dm_model *m = train(ctx, &t, NULL);
    assert_int_equal(linear_of(m)->outputs, c ? 3 : 1);
    for (size_t i = 0; i < t.n; i++) {
      double x[3], p[6], sum = 0, both, alone;
      for (size_t j = 0; j < 3; j++) x[j] = (double)*cell(&t, i, j);
      dm_batch batch = {.n = 1, .d = 3, .x = x, .value = &both, .proba = p};
      assert_int_equal(linear_predict(m, DM_OUT_VALUE | DM_OUT_PROBA, &batch, NULL), DM_OK);
      for (size_t k = 0; k < 6; k++) {
        sum += p[k];
        bool fitted = k == (size_t)codes[c][0] || k == (size_t)codes[c][1] || k == (size_t)codes[c][2];
        assert_true(fitted ? p[k] > 0 : p[k] == 0);
        assert_true(p[k] <= p[(size_t)both]);
      }
      near(sum, 1, 1e-15);
      batch.value = &alone;
      batch.proba = NULL;
      assert_int_equal(linear_predict(m, DM_OUT_VALUE, &batch, NULL), DM_OK);
      near(alone, both, 0);
    }
    linear_free(m);
    rows_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

/* ---- what is refused -------------------------------------------------------------------------------- */

static void refuses(dm_ctx *ctx, const rows *t, const char *const *set, dm_status status, const char *message) {
  dm_error err = {0};
  dm_model *m = NULL;
  size_t before = dm_ctx_memory(ctx);
  assert_int_equal(train_status(ctx, t, set, &m, &err), status);
  if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
  assert_null(m);
  assert_int_equal(dm_ctx_memory(ctx), before);
}

static void what_cannot_be_learned_from_is_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, NULL);
  rows t;
  rows_fill(&t, ctx, 20, 2, 2);
  for (size_t i = 0; i < 20; i++) t.target[i] = 1;
  refuses(ctx, &t, NULL, DM_EINPUT, "logistic: all rows are of one class");
  t.target[3] = 0;
  t.weights = dm_alloc(ctx, 20, sizeof(double), "weights", NULL);
  refuses(ctx, &t, NULL, DM_EINPUT, "logistic: all weights are 0");
  for (size_t i = 0; i < 20; i++) t.weights[i] = i != 3;
  refuses(ctx, &t, NULL, DM_EINPUT, "logistic: all rows are of one class");
  t.weights[3] = (double)NAN;
  refuses(ctx, &t, NULL, DM_EINPUT, "logistic: the weight of row 4 is nan");
  t.weights[3] = 1;
  t.target[5] = 2;
  refuses(ctx, &t, NULL, DM_EINPUT, "logistic: row 6 has no class");
  t.target[5] = 1;
  *cell(&t, 7, 1) = INFINITY;
  refuses(ctx, &t, NULL, DM_EINPUT, "row 8 holds a number beyond 3.4e38 in encoded column 2");
  *cell(&t, 7, 1) = 1;
  t.n = t.x.n = 1;
  refuses(ctx, &t, NULL, DM_EINPUT, "1 row to learn from");
  t.n = t.x.n = 20;
  t.d = 0;
  refuses(ctx, &t, NULL, DM_EINPUT, "there is no column to learn from");
  t.d = 2;
  refuses(ctx, &t, (const char *const[]){"C", "1e-320", NULL}, DM_EUSAGE, "is too small");
  t.k = 0;
  t.target[2] = (double)NAN;
  refuses(ctx, &t, NULL, DM_EINPUT, "linear: the target of row 3 is missing");
  t.target[2] = 1e308;
  t.target[3] = -1e308;
  refuses(ctx, &t, NULL, DM_EINPUT, "linear: the target reaches too far");
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void stopping_early_is_said_and_cancelling_stops(void **state) {
  (void)state;
  char said[256] = "";
  dm_ctx *ctx = new_ctx(1, said);
  rows t;
  rows_fill(&t, ctx, 500, 6, 3);
  dm_model *m = train(ctx, &t, (const char *const[]){"max_iter", "2", NULL});
  assert_non_null(strstr(said, "logistic: stopped after 2 iterations"));
  assert_int_equal(linear_of(m)->iterations, 2);
  linear_free(m);
  dm_ctx_cancel(ctx);
  refuses(ctx, &t, NULL, DM_ECANCEL, "interrupted");
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void scores_that_are_not_finite_are_errors(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  dm_ctx *ctx = new_ctx(1, NULL);
  for (size_t c = 0; c < 3; c++) {
    rows t;
    rows_fill(&t, ctx, 100, 2, classes[c]);
    dm_model *m = train(ctx, &t, NULL);
    double x[] = {0, 0, 1e308, 1e308}, value[2], p[6];
    for (size_t j = 0; j < 2; j++) /* both terms overflow, one to each side */
      for (size_t o = 0; o < linear_of(m)->outputs; o++) {
        ((linear_model *)m)->coef[o * 2 + j] = j ? -1e10 : 1e10;
        linear_model_finish((linear_model *)m);
      }
    dm_batch batch = {.n = 2, .d = 2, .x = x, .value = value, .proba = p};
    for (unsigned what = DM_OUT_VALUE; what <= (DM_OUT_VALUE | DM_OUT_PROBA); what += DM_OUT_PROBA) {
      dm_error err = {0};
      assert_int_equal(linear_predict(m, what, &batch, &err), DM_EINPUT);
      assert_non_null(strstr(err.message, "the score of row 2 of the batch is"));
    }
    linear_free(m);
    rows_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

/* ---- failing memory --------------------------------------------------------------------------------- */

typedef struct faulty {
  size_t calls, fail_at; /* fail_at 0 = never */
} faulty;

static void *faulty_allocate(void *user, size_t size, size_t alignment) {
  faulty *f = user;
  return ++f->calls == f->fail_at ? NULL : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void faulty_release(void *user, void *block) {
  (void)user;
  free(block);
}

static void every_failing_allocation_is_an_error_without_a_leak(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  for (size_t c = 0; c < 3; c++) {
    faulty f = {0, 0};
    dm_ctx *ctx = NULL;
    dm_ctx_options o = {.allocate = faulty_allocate, .release = faulty_release, .user = &f, .threads = 1};
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    rows t;
    rows_fill(&t, ctx, 100, 3, classes[c]);
    const dm_learner *learner = t.k ? &dm_learner_logistic : &dm_learner_linear;
    dm_block block = {.kind = DM_BLOCK_DENSE, .d = t.d, .dense = &t.x};
    dm_dataset data = {.n = t.n, .n_blocks = 1, .blocks = &block, .target = t.target, .n_classes = t.k};
    dm_params *params = NULL;
    dm_model *m = NULL;
    assert_int_equal(dm_params_new(ctx, learner->name, learner->params, &params, NULL), DM_OK);
    size_t before = dm_ctx_memory(ctx), failed = 0;
    for (size_t at = 1;; at++, failed++) {
      dm_error err = {0};
      f = (faulty){0, at};
      m = NULL;
      dm_status s = learner->train(ctx, &(dm_training){.train = &data}, params, &m, &err);
      if (s == DM_OK) break;
      assert_int_equal(s, DM_EBUDGET);
      assert_int_equal(err.code, DM_EBUDGET);
      assert_int_equal(dm_ctx_memory(ctx), before);
    }
    assert_true(failed > 5);
    f.fail_at = 0;
    linear_free(m);
    dm_params_free(params);
    rows_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objectives_agree_with_differences),
      cmocka_unit_test(one_two_and_five_threads_give_the_same_bits),
      cmocka_unit_test(a_row_of_weight_two_is_two_rows),
      cmocka_unit_test(units_of_a_target_do_not_matter),
      cmocka_unit_test(exact_lines_are_found),
      cmocka_unit_test(constant_columns_get_no_weight),
      cmocka_unit_test(nothing_but_constants_gives_shares_and_means),
      cmocka_unit_test(separable_classes_stay_finite),
      cmocka_unit_test(classes_without_rows_have_probability_zero),
      cmocka_unit_test(what_cannot_be_learned_from_is_refused),
      cmocka_unit_test(stopping_early_is_said_and_cancelling_stops),
      cmocka_unit_test(scores_that_are_not_finite_are_errors),
      cmocka_unit_test(every_failing_allocation_is_an_error_without_a_leak),
  };
  return cmocka_run_group_tests_name("linear", tests, NULL, NULL);
}
