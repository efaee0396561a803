/* matrix: principal components against scikit-learn's (golden/pca.h), and where there is nothing to find. */
#include "cmocka_all.h"
#include "golden/pca.h"

#include <dm/matrix.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>

static dm_ctx *new_ctx(unsigned threads, size_t budget) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .budget = budget}, &ctx, NULL), DM_OK);
  return ctx;
}

static void free_ctx(dm_ctx *ctx) {
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

/* Entries differ by at most 1e-8 of the largest of them. */
static void near(const char *name, const char *what, size_t n, const double *got, const double *want) {
  double scale = 0;
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs(want[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs(got[i] - want[i]) <= 1e-8 * scale)) fail_msg("%s: %s[%zu] = %.17g, want %.17g", name, what, i, got[i], want[i]);
}

static void scikit_learn_agrees(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  for (size_t i = 0; i < sizeof pca_cases / sizeof *pca_cases; i++) {
    size_t n = pca_cases[i].n, d = pca_cases[i].d, k = pca_cases[i].k;
    dm_pca p;
    assert_int_equal(dm_pca_fit(ctx, n, d, pca_cases[i].x, k, &p, NULL), DM_OK);
    double projected[256];
    assert_true(n * k <= 256);
    dm_pca_project(&p, n, pca_cases[i].x, projected);
    near(pca_cases[i].name, "mean", d, p.mean, pca_cases[i].mean);
    near(pca_cases[i].name, "components", k * d, p.components, pca_cases[i].components);
    near(pca_cases[i].name, "variance", k, p.variance, pca_cases[i].variance);
    near(pca_cases[i].name, "share", k, p.share, pca_cases[i].share);
    near(pca_cases[i].name, "projected", n * k, projected, pca_cases[i].projected);
    dm_pca_clear(&p);
  }
  free_ctx(ctx);
}

static double *random_rows(size_t n, size_t d) {
  double *x = malloc(n * d * sizeof *x);
  assert_non_null(x);
  dm_rng rng;
  dm_rng_init(&rng, 1, 0);
  for (size_t i = 0; i < n * d; i++) x[i] = dm_rng_uniform(&rng) * (double)(1 + i % d);
  return x;
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  enum { N = 1300, D = 70 };
  double *x = random_rows(N, D);
  dm_ctx *one = new_ctx(1, 0), *many = new_ctx(3, 0);
  dm_pca a, b;
  assert_int_equal(dm_pca_fit(one, N, D, x, D, &a, NULL), DM_OK);
  assert_int_equal(dm_pca_fit(many, N, D, x, D, &b, NULL), DM_OK);
  assert_memory_equal(a.components, b.components, D * D * sizeof(double));
  assert_memory_equal(a.variance, b.variance, D * sizeof(double));
  double total = 0;
  for (size_t i = 0; i < D; i++) {
    total += a.share[i];
    for (size_t j = 0; j <= i; j++) {
      double product = 0;
      for (size_t c = 0; c < D; c++) product += a.components[i * D + c] * a.components[j * D + c];
      assert_true(fabs(product - (i == j)) < 1e-10);
    }
  }
  assert_true(fabs(total - 1) < 1e-12);
  dm_pca_clear(&a);
  dm_pca_clear(&b);
  free_ctx(one);
  free_ctx(many);
  free(x);
}

/* Where rows do not vary there is no direction: zeros, never NaN. */
static void beyond_the_rank_all_is_zero(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  const double rows[] = {0.1, 3, 0.1, 3, 0.1, 3, 0.1, 3}, line[] = {1, 2, 3, 2, 4, 6, 3, 6, 9, 4, 8, 12};
  dm_pca p;
  for (size_t n = 1; n <= 4; n++) {
    assert_int_equal(dm_pca_fit(ctx, n, 2, rows, 2, &p, NULL), DM_OK);
    for (size_t i = 0; i < 2; i++)
      assert_true(p.variance[i] == 0 && p.share[i] == 0 && p.components[2 * i] == 0 && p.components[2 * i + 1] == 0);
    dm_pca_clear(&p);
  }
  assert_int_equal(dm_pca_fit(ctx, 4, 3, line, 3, &p, NULL), DM_OK);
  assert_true(fabs(p.share[0] - 1) < 1e-14 && p.variance[1] == 0 && p.variance[2] == 0);
  for (size_t c = 0; c < 3; c++) assert_true(fabs(p.components[c] - (double)(c + 1) / sqrt(14)) < 1e-14);
  dm_pca_clear(&p);
  free_ctx(ctx);
}

static void extreme_scales_keep_their_directions(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  const double factors[] = {1e149, 1e-200, 5e-324};
  for (size_t f = 0; f < 3; f++) {
    double x[] = {3, 1, -3, -1, 6, 2, -6, -2};
    for (size_t i = 0; i < 8; i++) x[i] *= factors[f];
    dm_pca p;
    assert_int_equal(dm_pca_fit(ctx, 4, 2, x, 1, &p, NULL), DM_OK);
    assert_true(fabs(p.share[0] - 1) < 1e-14 && fabs(p.components[0] - 3 / sqrt(10)) < 1e-14);
    assert_true(isfinite(p.variance[0]));
    dm_pca_clear(&p);
  }
  free_ctx(ctx);
}

static void bad_input_is_named(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0), *poor = new_ctx(1, 1 << 16);
  double x[6] = {1, 2, 3, 4, (double)NAN, 6};
  dm_pca p = {.d = 99};
  dm_error err = {0};
  assert_int_equal(dm_pca_fit(ctx, 3, 2, x, 1, &p, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "row 2, column 0"));
  x[4] = -1e150;
  assert_int_equal(dm_pca_fit(ctx, 3, 2, x, 1, &p, &err), DM_EINPUT);
  x[4] = 5;
  assert_int_equal(dm_pca_fit(ctx, 0, 2, x, 1, &p, &err), DM_EINPUT);
  assert_int_equal(dm_pca_fit(ctx, 3, 2, x, 0, &p, &err), DM_EUSAGE);
  assert_int_equal(dm_pca_fit(ctx, 3, 2, x, 3, &p, &err), DM_EUSAGE);
  double *many = random_rows(200, 200);
  assert_int_equal(dm_pca_fit(poor, 200, 200, many, 1, &p, &err), DM_EBUDGET);
  assert_int_equal(p.d, 99); /* untouched */
  free(many);
  free_ctx(ctx);
  free_ctx(poor);
}

static void caller(const char *reason, const char *file, int line, int code) {
  (void)reason;
  (void)file;
  (void)line;
  (void)code;
}

static void the_callers_error_handler_comes_back(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 0);
  const double x[] = {1, 2, 3, 5};
  dm_pca p;
  gsl_error_handler_t *before = gsl_set_error_handler(caller);
  assert_int_equal(dm_pca_fit(ctx, 2, 2, x, 1, &p, NULL), DM_OK);
  assert_ptr_equal(gsl_set_error_handler(before), caller);
  dm_pca_clear(&p);
  free_ctx(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scikit_learn_agrees),
      cmocka_unit_test(threads_do_not_change_a_bit),
      cmocka_unit_test(beyond_the_rank_all_is_zero),
      cmocka_unit_test(extreme_scales_keep_their_directions),
      cmocka_unit_test(bad_input_is_named),
      cmocka_unit_test(the_callers_error_handler_comes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
