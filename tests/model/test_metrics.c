/* model: metrics against scikit-learn's, ties, missing truths, undefined ones. */
#include "cmocka_all.h"
#include "golden/metrics.h"

#include <dm/model.h>
#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  return ctx;
}

static void check_all(size_t n, size_t k, const double *truth, const double *value, const double *proba, const double *wanted,
                      const char *const *names, size_t n_wanted) {
  dm_ctx *ctx = new_ctx();
  dm_metric got[DM_METRICS_MAX];
  assert_int_equal(dm_metrics(ctx, n, k, truth, value, proba, got, NULL), n_wanted);
  for (size_t i = 0; i < n_wanted; i++) {
    assert_string_equal(got[i].name, names[i]);
    assert_near(got[i].value, wanted[i], 1e-13);
  }
  dm_ctx_free(ctx);
}

static const char *const class_names[] = {"accuracy", "balanced_accuracy", "f1_macro", "auc", "log_loss", "brier"};
static const char *const number_names[] = {"rmse", "mae", "r2"};

static void metrics_are_those_of_scikit_learn(void **state) {
  (void)state;
  check_all(N(two_truth), 2, two_truth, two_value, two_proba, two_wanted, class_names, 6);
  check_all(N(four_truth), 4, four_truth, four_value, four_proba, four_wanted, class_names, 6);
  check_all(N(numbers_truth), 0, numbers_truth, numbers_value, NULL, numbers_wanted, number_names, 3);
}

static void roc_is_that_of_scikit_learn(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  double fpr[N(two_truth) + 1], tpr[N(two_truth) + 1], threshold[N(two_truth) + 1], auc = 0;
  size_t points = dm_roc(ctx, N(two_truth), two_truth, two_proba + 1, 2, 1, fpr, tpr, threshold, &auc, NULL);
  assert_int_equal(points, N(two_fpr));
  for (size_t i = 0; i < points; i++) {
    assert_near(fpr[i], two_fpr[i], 1e-15);
    assert_near(tpr[i], two_tpr[i], 1e-15);
    if (i) assert_near(threshold[i], two_threshold[i - 1], 0);
  }
  assert_near(auc, two_wanted[3], 1e-13);
  dm_ctx_free(ctx);
}

static void rows_without_truth_are_left_out(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  const double truth[] = {0, (double)NAN, 1, 1}, value[] = {0, 1, 1, 0};
  const double proba[] = {.8, .2, .1, .9, .3, .7, .6, .4};
  dm_metric got[DM_METRICS_MAX];
  assert_int_equal(dm_metrics(ctx, 4, 2, truth, value, proba, got, NULL), 6);
  assert_near(got[0].value, 2.0 / 3, 1e-15);
  assert_near(got[3].value, 1, 0);
  uint64_t counts[4];
  dm_confusion(4, 2, truth, value, counts);
  const uint64_t wanted[] = {1, 0, 1, 1};
  assert_memory_equal(counts, wanted, sizeof wanted);
  dm_ctx_free(ctx);
}

static void undefined_metrics_are_nan(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  const double truth[] = {1, 1}, value[] = {1, 1}, proba[] = {.2, .8, .4, .6};
  dm_metric got[DM_METRICS_MAX];
  double fpr[3], tpr[3], threshold[3], auc = -1;
  assert_int_equal(dm_metrics(ctx, 2, 2, truth, value, proba, got, NULL), 6);
  assert_true(isnan(got[3].value));
  assert_near(got[1].value, 1, 0);
  assert_int_equal(dm_roc(ctx, 2, truth, proba + 1, 2, 1, fpr, tpr, threshold, &auc, NULL), 0);
  assert_int_equal(dm_metrics(ctx, 2, 0, truth, value, NULL, got, NULL), 3);
  assert_true(isnan(got[2].value));
  assert_int_equal(dm_metrics(ctx, 0, 0, truth, value, NULL, got, NULL), 3);
  assert_true(isnan(got[0].value));
  dm_ctx_free(ctx);
}

static void a_sure_and_wrong_probability_is_clipped(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  const double truth[] = {0, 1}, value[] = {1, 1}, proba[] = {0, 1, 0, 1};
  dm_metric got[DM_METRICS_MAX];
  assert_int_equal(dm_metrics(ctx, 2, 2, truth, value, proba, got, NULL), 6);
  assert_near(got[4].value, -log(1e-15) / 2, 1e-9);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_are_those_of_scikit_learn),   cmocka_unit_test(roc_is_that_of_scikit_learn),
      cmocka_unit_test(rows_without_truth_are_left_out),     cmocka_unit_test(undefined_metrics_are_nan),
      cmocka_unit_test(a_sure_and_wrong_probability_is_clipped),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
