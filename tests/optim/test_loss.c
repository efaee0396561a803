/* optim: every loss by hand-made numbers, far from zero, and against differences. */
#include "cmocka_all.h"

#include <dm/optim.h>
#include <math.h>
#include <string.h>

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

static const dm_loss *loss_of(const char *name) {
  const dm_loss *loss = dm_loss_find(name, NULL);
  assert_non_null(loss);
  return loss;
}

static void near(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, want %.17g", got, want);
}

/* ---- known values ------------------------------------------------------------------ */

static void values_are_those_of_the_formulas(void **state) {
  (void)state;
  const struct {
    const char *name;
    double s, y, p, value, gradient, hessian; /* hessian NaN = there is none */
  } cases[] = {
      {"squared", 3, 1, 0, 2, 2, 1},
      {"absolute", 3, 1, 0, 2, 1, (double)NAN},
      {"absolute", -3, 1, 0, 4, -1, (double)NAN},
      {"absolute", 1, 1, 0, 0, 0, (double)NAN},
      {"huber", 1.5, 1, 1, 0.125, 0.5, 1},
      {"huber", 4, 1, 1, 2.5, 1, 0},
      {"huber", -4, 1, 2, 8, -2, 0},
      {"quantile", 0, 2, 0.9, 1.8, -0.9, (double)NAN},
      {"quantile", 4, 2, 0.9, 0.2, 0.1, (double)NAN},
      {"epsilon_insensitive", 1.05, 1, 0.1, 0, 0, (double)NAN},
      {"epsilon_insensitive", 2, 1, 0.25, 0.75, 1, (double)NAN},
      {"epsilon_insensitive", 0, 1, 0.25, 0.75, -1, (double)NAN},
      {"logistic", 0, 1, 0, 0.6931471805599453, -0.5, 0.25},
      {"logistic", 2, 0, 0, 2.1269280110429727, 0.8807970779778823, 0.10499358540350652},
      {"hinge", 0.25, 1, 0, 0.75, -1, (double)NAN},
      {"hinge", 0.25, 0, 0, 1.25, 1, (double)NAN},
      {"hinge", 2, 1, 0, 0, 0, (double)NAN},
      {"squared_hinge", 0.5, 1, 0, 0.25, -1, 2},
      {"squared_hinge", 0.5, 0, 0, 2.25, 3, 2},
      {"squared_hinge", 2, 1, 0, 0, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const dm_loss *loss = loss_of(cases[i].name);
    double g = 99, h = 99, v = 3, hv = 99;
    near(loss->value(1, &cases[i].s, cases[i].y, cases[i].p), cases[i].value, 1e-15);
    loss->gradient(1, &cases[i].s, cases[i].y, cases[i].p, &g);
    near(g, cases[i].gradient, 1e-15);
    assert_int_equal(loss->diagonal == NULL, isnan(cases[i].hessian) != 0);
    assert_int_equal(loss->product == NULL, isnan(cases[i].hessian) != 0);
    if (!loss->diagonal) continue;
    loss->diagonal(1, &cases[i].s, cases[i].y, cases[i].p, &h);
    loss->product(1, &cases[i].s, cases[i].y, cases[i].p, &v, &hv);
    near(h, cases[i].hessian, 1e-15);
    near(hv, 3 * cases[i].hessian, 1e-15);
  }
}

static void softmax_of_two_is_logistic(void **state) {
  (void)state;
  const dm_loss *many = loss_of("softmax"), *two = loss_of("logistic");
  for (double z = -30; z <= 30; z += 0.37) {
    const double s[] = {0.5, 0.5 + z};
    for (int y = 0; y < 2; y++) {
      double g[2], one;
      near(many->value(2, s, y, 0), two->value(1, &z, y, 0), 1e-13);
      many->gradient(2, s, y, 0, g);
      two->gradient(1, &z, y, 0, &one);
      near(g[1], one, 1e-15);
      near(g[0], -one, 1e-15);
    }
  }
}

/* Cross-entropy against q = (1 - p) of the class + p/k of each. */
static void labels_are_smoothed(void **state) {
  (void)state;
  const dm_loss *many = loss_of("softmax"), *two = loss_of("logistic");
  const double s[] = {0.4, -1.3, 2.1}, p = 0.3;
  double want = 0, g[3], one;
  for (size_t y = 0; y < 3; y++) want += (y == 2 ? 1 - p + p / 3 : p / 3) * many->value(3, s, (double)y, 0);
  near(many->value(3, s, 2, p), want, 1e-15);
  many->gradient(3, s, 2, p, g);
  near(g[0] + g[1] + g[2], 0, 1e-15);
  for (int y = 0; y < 2; y++) {
    const double pair[] = {0, 1.7};
    near(two->value(1, &pair[1], y, p), many->value(2, pair, y, p), 1e-15);
    two->gradient(1, &pair[1], y, p, &one);
    many->gradient(2, pair, y, p, g);
    near(one, g[1], 1e-15);
  }
}

/* ---- batches -------------------------------------------------------------------------- */

/* Rows of floats 5 apart, with weights, against the functions of each loss. */
static void a_batch_is_the_sum_of_its_rows(void **state) {
  (void)state;
  enum { ROWS = 13, APART = 5, MOST = 4 };
  for (const dm_loss *loss = dm_losses; loss->name; loss++)
    for (int weighted = 0; weighted < 2; weighted++)
      for (int step = 0; step < 2; step++) {
        size_t k = loss->many ? MOST : 1, apart = step ? APART : k;
        double p = isnan(loss->otherwise) ? 0 : loss->zero ? 0.25 : loss->otherwise, want = 0;
        float s[ROWS * APART], g[ROWS * APART], y[ROWS], weights[ROWS];
        for (size_t i = 0; i < ROWS * APART; i++) s[i] = (float)((double)(i * 37 % 23) / 6 - 2), g[i] = 7;
        for (size_t i = 0; i < ROWS; i++) y[i] = (float)(i * 5 % (loss->many ? 4 : 2)), weights[i] = (float)(i % 4) / 2;
        double got = dm_loss_rows(loss, p, ROWS, k, s, apart, y, weighted ? weights : NULL, 0.125, g, apart);
        near(dm_loss_rows(loss, p, ROWS, k, s, apart, y, weighted ? weights : NULL, 0.125, NULL, 0), got, 0);
        for (size_t i = 0; i < ROWS; i++) {
          double z[MOST], d[MOST], w = weighted ? (double)weights[i] : 1;
          for (size_t c = 0; c < k; c++) z[c] = (double)s[i * apart + c];
          want += w * loss->value(k, z, (double)y[i], p);
          loss->gradient(k, z, (double)y[i], p, d);
          for (size_t c = 0; c < k; c++) near((double)g[i * apart + c], 0.125 * w * d[c], 1e-7);
          for (size_t c = k; c < apart; c++) assert_true(g[i * apart + c] == 7);
        }
        near(got, want, 1e-13 * (1 + want));
      }
}

/* ---- far from zero ------------------------------------------------------------------- */

static void large_scores_lose_nothing(void **state) {
  (void)state;
  const dm_loss *two = loss_of("logistic"), *many = loss_of("softmax");
  double g, h;
  const double high = 800, low = -800, mid = 40;
  near(two->value(1, &high, 0, 0), 800, 0);
  near(two->value(1, &low, 1, 0), 800, 0);
  near(two->value(1, &mid, 1, 0) / 4.248354255291589e-18, 1, 1e-14); /* exp(-40) */
  two->gradient(1, &mid, 1, 0, &g);
  near(g / -4.248354255291589e-18, 1, 1e-14);
  two->diagonal(1, &mid, 1, 0, &h);
  near(h / 4.248354255291589e-18, 1, 1e-14);
  const double s[] = {1000, -1000, 0};
  double gs[3], hs[3];
  near(many->value(3, s, 0, 0), 0, 0);
  near(many->value(3, s, 1, 0), 2000, 0);
  many->gradient(3, s, 2, 0, gs);
  near(gs[0], 1, 0);
  near(gs[1], 0, 0);
  near(gs[2], -1, 0);
  many->diagonal(3, s, 2, 0, hs);
  for (size_t c = 0; c < 3; c++) near(hs[c], 0, 0);
}

/* ---- against differences ----------------------------------------------------------------- */

typedef struct point {
  const dm_loss *loss;
  double y;
} point;

static dm_status evaluate(void *user, const double *w, double *value, double *gradient, dm_error *err) {
  const point *p = user;
  size_t k = p->loss->many ? 4 : 1;
  (void)err;
  *value = p->loss->value(k, w, p->y, p->loss->otherwise);
  if (gradient) p->loss->gradient(k, w, p->y, p->loss->otherwise, gradient);
  return DM_OK;
}

static dm_status product(void *user, const double *w, const double *v, double *hv, dm_error *err) {
  const point *p = user;
  (void)err;
  p->loss->product(p->loss->many ? 4 : 1, w, p->y, p->loss->otherwise, v, hv);
  return DM_OK;
}

static void derivatives_agree_with_differences(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  static const double scores[][4] = {{0.3, -1.2, 0.8, 2}, {-2.3, 0.4, 0.1, -0.7}, {0.93, 5, -4, 0.2}, {3.1, 3, 2.9, 3.05}};
  static const double v[] = {1, -0.5, 0.25, 2};
  size_t checked = 0;
  for (const dm_loss *loss = dm_losses; loss->name; loss++)
    for (size_t i = 0; i < 4; i++)
      for (int y = 0; y < (loss->many ? 4 : 2); y++) {
        point p = {loss, y};
        dm_objective f = {.n = loss->many ? 4 : 1, .user = &p, .evaluate = evaluate, .product = loss->product ? product : NULL};
        dm_gradient_report report;
        assert_int_equal(dm_gradient_check(ctx, &f, scores[i], &report, NULL), DM_OK);
        if (!(report.error < 1e-6)) fail_msg("%s: %g for %g", loss->name, report.analytic, report.numeric);
        checked++;
        if (!loss->product) continue;
        assert_int_equal(dm_product_check(ctx, &f, scores[i], v, &report, NULL), DM_OK);
        if (!(report.error < 1e-6)) fail_msg("%s: product %g for %g", loss->name, report.analytic, report.numeric);
        double h[4], e[4] = {0}, he[4];
        loss->diagonal(f.n, scores[i], y, loss->otherwise, h);
        for (size_t c = 0; c < f.n; c++) {
          e[c] = 1;
          loss->product(f.n, scores[i], y, loss->otherwise, e, he);
          near(he[c], h[c], 1e-15);
          e[c] = 0;
        }
      }
  assert_int_equal(checked, 8 * 4 * 2 + 4 * 4);
  dm_ctx_free(ctx);
}

static dm_status wrong_gradient(void *user, const double *w, double *value, double *gradient, dm_error *err) {
  (void)user, (void)err;
  *value = w[0] * w[0] + w[1] * w[1] * w[1];
  if (gradient) gradient[0] = 2 * w[0], gradient[1] = 3.001 * w[1] * w[1];
  return DM_OK;
}

static dm_status endless(void *user, const double *w, double *value, double *gradient, dm_error *err) {
  (void)user, (void)err;
  *value = w[0];
  if (gradient) gradient[0] = 1, gradient[1] = (double)INFINITY;
  return DM_OK;
}

static void wrong_gradients_are_found(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_gradient_report report;
  dm_error err = {0};
  const double w[] = {1, 2};
  dm_objective f = {.n = 2, .evaluate = wrong_gradient};
  assert_int_equal(dm_gradient_check(ctx, &f, w, &report, NULL), DM_OK);
  assert_int_equal(report.index, 1);
  assert_true(report.error > 1e-4 && report.error < 1e-3);
  assert_int_equal(dm_product_check(ctx, &f, w, w, &report, &err), DM_EUSAGE);
  f.evaluate = endless;
  assert_int_equal(dm_gradient_check(ctx, &f, w, &report, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "the gradient of parameter 1 is inf"));
  dm_ctx_free(ctx);
}

static void wrong_words_and_parameters_are_refused(void **state) {
  (void)state;
  dm_error err = {0};
  assert_null(dm_loss_find("hubber", &err));
  assert_int_equal(err.code, DM_EUSAGE);
  assert_non_null(strstr(err.hint, "huber"));
  assert_int_equal(dm_loss_check(loss_of("huber"), 0, &err), DM_EUSAGE);
  assert_string_equal(err.message, "huber: parameter = 0, want > 0");
  assert_int_equal(dm_loss_check(loss_of("quantile"), 1, &err), DM_EUSAGE);
  assert_string_equal(err.message, "quantile: parameter = 1, want > 0 and < 1");
  assert_int_equal(dm_loss_check(loss_of("quantile"), (double)NAN, &err), DM_EUSAGE);
  assert_int_equal(dm_loss_check(loss_of("epsilon_insensitive"), 0, NULL), DM_OK);
  assert_int_equal(dm_loss_check(loss_of("epsilon_insensitive"), -1, NULL), DM_EUSAGE);
  assert_int_equal(dm_loss_check(loss_of("squared"), -1, NULL), DM_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_those_of_the_formulas), cmocka_unit_test(softmax_of_two_is_logistic), cmocka_unit_test(labels_are_smoothed),
      cmocka_unit_test(a_batch_is_the_sum_of_its_rows),
      cmocka_unit_test(large_scores_lose_nothing),        cmocka_unit_test(derivatives_agree_with_differences),
      cmocka_unit_test(wrong_gradients_are_found),        cmocka_unit_test(wrong_words_and_parameters_are_refused),
  };
  return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
