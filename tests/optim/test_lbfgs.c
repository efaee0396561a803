/* optim: L-BFGS finds the minima that SciPy finds, in about as many iterations; failures, cancel, memory. */
#include "cmocka_all.h"
#include "golden/optim.h"

#include <dm/optim.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_N = 16 };

/* ---- standard functions --------------------------------------------------------------- */

static dm_status rosenbrock(void *user, const double *x, double *value, double *g, dm_error *err) {
  size_t n = *(const size_t *)user;
  (void)err;
  *value = 0;
  if (g) memset(g, 0, n * sizeof *g);
  for (size_t i = 0; i + 1 < n; i++) {
    double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    *value += 100 * a * a + b * b;
    if (!g) continue;
    g[i] += -400 * a * x[i] - 2 * b;
    g[i + 1] += 200 * a;
  }
  return DM_OK;
}

static dm_status beale(void *user, const double *x, double *value, double *g, dm_error *err) {
  (void)user, (void)err;
  double y = x[1], a = 1.5 - x[0] + x[0] * y, b = 2.25 - x[0] + x[0] * y * y, c = 2.625 - x[0] + x[0] * y * y * y;
  *value = a * a + b * b + c * c;
  if (!g) return DM_OK;
  g[0] = 2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1);
  g[1] = 2 * a * x[0] + 4 * b * x[0] * y + 6 * c * x[0] * y * y;
  return DM_OK;
}

static dm_status booth(void *user, const double *x, double *value, double *g, dm_error *err) {
  (void)user, (void)err;
  double a = x[0] + 2 * x[1] - 7, b = 2 * x[0] + x[1] - 5;
  *value = a * a + b * b;
  if (g) g[0] = 2 * a + 4 * b, g[1] = 4 * a + 2 * b;
  return DM_OK;
}

static dm_status himmelblau(void *user, const double *x, double *value, double *g, dm_error *err) {
  (void)user, (void)err;
  double a = x[0] * x[0] + x[1] - 11, b = x[0] + x[1] * x[1] - 7;
  *value = a * a + b * b;
  if (g) g[0] = 4 * a * x[0] + 2 * b, g[1] = 2 * a + 4 * b * x[1];
  return DM_OK;
}

/* Curvatures from 1 to 1e5. */
static dm_status quadratic(void *user, const double *x, double *value, double *g, dm_error *err) {
  size_t n = *(const size_t *)user;
  (void)err;
  *value = 0;
  for (size_t i = 0; i < n; i++) {
    double c = pow(10, (double)i * 5 / 9);
    *value += c * (x[i] - 1) * (x[i] - 1) / 2;
    if (g) g[i] = c * (x[i] - 1);
  }
  return DM_OK;
}

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

static void minima_are_those_of_scipy(void **state) {
  (void)state;
  const struct {
    const char *name;
    dm_status (*f)(void *, const double *, double *, double *, dm_error *);
    size_t n;
    double even, odd; /* start */
    const double *want, *iterations;
  } cases[] = {
      {"rosenbrock2", rosenbrock, 2, -1.2, 1, golden_rosenbrock2, golden_rosenbrock2_iterations},
      {"rosenbrock10", rosenbrock, 10, -1.2, 1, golden_rosenbrock10, golden_rosenbrock10_iterations},
      {"beale", beale, 2, 1, 1, golden_beale, golden_beale_iterations},
      {"booth", booth, 2, 0, 0, golden_booth, golden_booth_iterations},
      {"himmelblau", himmelblau, 2, 0, 0, golden_himmelblau, golden_himmelblau_iterations},
      {"quadratic", quadratic, 10, -2, -2, golden_quadratic, golden_quadratic_iterations},
  };
  dm_ctx *ctx = new_ctx();
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    size_t n = cases[c].n;
    double w[MAX_N], again[MAX_N];
    dm_objective f = {.n = n, .user = &n, .evaluate = cases[c].f};
    dm_lbfgs_options o = {.gradient_tolerance = 1e-8};
    dm_lbfgs_result r, second;
    for (size_t i = 0; i < n; i++) again[i] = w[i] = i % 2 ? cases[c].odd : cases[c].even;
    dm_gradient_report report;
    assert_int_equal(dm_gradient_check(ctx, &f, w, &report, NULL), DM_OK);
    assert_true(report.error < 1e-6);
    assert_int_equal(dm_lbfgs(ctx, &f, &o, w, &r, NULL), DM_OK);
    print_message("%s: %zu iterations, %zu evaluations (SciPy %g)\n", cases[c].name, r.iterations, r.evaluations, *cases[c].iterations);
    if (!r.converged) fail_msg("%s: %s, gradient %g", cases[c].name, r.reason, r.gradient);
    assert_true(r.gradient <= 1e-8);
    assert_true((double)r.iterations <= 1.5 * *cases[c].iterations + 5);
    assert_true(r.evaluations <= 2 * r.iterations + 10);
    for (size_t i = 0; i < n; i++)
      if (!(fabs(w[i] - cases[c].want[i]) < 1e-6)) fail_msg("%s: parameter %zu is %.12g, want %.12g", cases[c].name, i, w[i], cases[c].want[i]);
    assert_int_equal(dm_lbfgs(ctx, &f, &o, again, &second, NULL), DM_OK);
    assert_memory_equal(w, again, n * sizeof *w);
    assert_int_equal(second.evaluations, r.evaluations);
  }
  dm_ctx_free(ctx);
}

static void a_start_at_the_minimum_stays(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  size_t n = 4;
  double w[] = {1, 1, 1, 1};
  dm_lbfgs_result r;
  dm_objective f = {.n = n, .user = &n, .evaluate = rosenbrock};
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){0}, w, &r, NULL), DM_OK);
  assert_int_equal(r.iterations, 0);
  assert_int_equal(r.evaluations, 1);
  assert_true(r.converged);
  dm_ctx_free(ctx);
}

static void limits_end_the_search(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  size_t n = 10;
  double w[10];
  dm_lbfgs_result r;
  dm_objective f = {.n = n, .user = &n, .evaluate = rosenbrock};
  for (size_t i = 0; i < n; i++) w[i] = -1;
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){.max_iterations = 5}, w, &r, NULL), DM_OK);
  assert_int_equal(r.iterations, 5);
  assert_false(r.converged);
  assert_string_equal(r.reason, "iterations");
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){.value_tolerance = 1e-3}, w, &r, NULL), DM_OK);
  assert_string_equal(r.reason, "value");
  /* no gradient is small enough: the search ends where double can go no lower */
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){.gradient_tolerance = 0}, w, &r, NULL), DM_OK);
  assert_true(strcmp(r.reason, "precision") == 0 || r.gradient == 0);
  for (size_t i = 0; i < n; i++) assert_true(fabs(w[i] - 1) < 1e-8);
  dm_ctx_free(ctx);
}

/* ---- functions that misbehave ----------------------------------------------------------- */

/* -log(x) + x: not a number left of 0. */
static dm_status barrier(void *user, const double *x, double *value, double *g, dm_error *err) {
  (void)user, (void)err;
  *value = x[0] - log(x[0]);
  if (g) g[0] = 1 - 1 / x[0];
  return DM_OK;
}

static dm_status slope(void *user, const double *x, double *value, double *g, dm_error *err) {
  (void)user, (void)err;
  *value = x[0];
  if (g) g[0] = 1;
  return DM_OK;
}

static dm_status failing(void *user, const double *x, double *value, double *g, dm_error *err) {
  size_t *left = user, n = 2;
  if ((*left)-- == 0) return dm_fail(err, DM_EIO, "the rows cannot be read");
  return rosenbrock(&n, x, value, g, err);
}

static void infinite_values_are_walked_around(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_objective f = {.n = 1, .evaluate = barrier};
  dm_lbfgs_options o = {.gradient_tolerance = 1e-9};
  dm_lbfgs_result r;
  dm_error err = {0};
  double w = 30;
  assert_int_equal(dm_lbfgs(ctx, &f, &o, &w, &r, NULL), DM_OK);
  assert_true(r.converged && fabs(w - 1) < 1e-7);
  w = -1;
  assert_int_equal(dm_lbfgs(ctx, &f, &o, &w, &r, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "the value at the start is"));
  assert_true(w == -1);
  f.evaluate = slope;
  w = 0;
  assert_int_equal(dm_lbfgs(ctx, &f, &o, &w, &r, NULL), DM_OK); /* falls without end: it stops, and says so */
  assert_false(r.converged);
  dm_ctx_free(ctx);
}

static void failures_leave_the_start(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  size_t left = 0;
  dm_objective f = {.n = 2, .user = &left, .evaluate = failing};
  dm_lbfgs_options o = {.gradient_tolerance = 1e-9};
  for (size_t at = 0; at < 20; at++) {
    double w[] = {-1.2, 1};
    dm_error err = {0};
    left = at;
    assert_int_equal(dm_lbfgs(ctx, &f, &o, w, NULL, &err), DM_EIO);
    assert_true(w[0] == -1.2 && w[1] == 1);
    assert_int_equal(dm_ctx_memory(ctx), 0);
  }
  double w[] = {-1.2, 1};
  left = SIZE_MAX;
  dm_ctx_cancel(ctx);
  assert_int_equal(dm_lbfgs(ctx, &f, &o, w, NULL, NULL), DM_ECANCEL);
  assert_true(w[0] == -1.2);
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){.gradient_tolerance = (double)NAN}, w, NULL, NULL), DM_EUSAGE);
  dm_ctx_free(ctx);
}

static void a_budget_that_is_too_small_is_said(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_error err = {0};
  size_t n = 10;
  double w[10] = {0};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .budget = 1000}, &ctx, NULL), DM_OK);
  dm_objective f = {.n = n, .user = &n, .evaluate = rosenbrock};
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){0}, w, NULL, &err), DM_EBUDGET);
  assert_non_null(strstr(err.message, "L-BFGS"));
  f.n = SIZE_MAX / 8;
  assert_int_equal(dm_lbfgs(ctx, &f, &(dm_lbfgs_options){0}, w, NULL, &err), DM_EBUDGET);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(minima_are_those_of_scipy),         cmocka_unit_test(a_start_at_the_minimum_stays),
      cmocka_unit_test(limits_end_the_search),             cmocka_unit_test(infinite_values_are_walked_around),
      cmocka_unit_test(failures_leave_the_start),          cmocka_unit_test(a_budget_that_is_too_small_is_said),
  };
  return cmocka_run_group_tests_name("lbfgs", tests, NULL, NULL);
}
