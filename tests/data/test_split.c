/* data: training and test parts, folds; stratified, grouped, the same for the same seed. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdlib.h>

enum { MAX = 5000 };
static size_t train[MAX], test[MAX];
static uint32_t fold[MAX], fold2[MAX];
static double classes[MAX], groups[MAX];

static int setup(void **state) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  *state = ctx;
  return 0;
}

static int teardown(void **state) {
  assert_int_equal(dm_ctx_memory(*state), 0);
  dm_ctx_free(*state);
  return 0;
}

/* Both parts ascending, together every row once. */
static void assert_partition(size_t n, size_t n_train, size_t n_test) {
  assert_int_equal(n_train + n_test, n);
  assert_true(n_train > 0 && n_test > 0);
  size_t a = 0, b = 0;
  for (size_t i = 0; i < n; i++) {
    bool in_train = a < n_train && train[a] == i, in_test = b < n_test && test[b] == i;
    assert_true(in_train != in_test);
    a += in_train;
    b += in_test;
  }
}

static void plain_splits_have_their_share_for_every_size(void **state) {
  const double shares[] = {0.01, 0.2, 0.25, 0.5, 0.99};
  for (size_t n = 2; n < 300; n++)
    for (size_t s = 0; s < 5; s++) {
      size_t n_train, n_test, want = (size_t)(shares[s] * (double)n + 0.5);
      assert_int_equal(dm_split(*state, n, shares[s], n, NULL, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
      assert_partition(n, n_train, n_test);
      assert_int_equal(n_test, want < 1 ? 1 : want > n - 1 ? n - 1 : want);
    }
}

static void the_seed_decides_and_nothing_else(void **state) {
  size_t first[100], n_train, n_test;
  assert_int_equal(dm_split(*state, 500, 0.2, 42, NULL, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
  memcpy(first, test, sizeof first);
  assert_int_equal(dm_split(*state, 500, 0.2, 42, NULL, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
  assert_memory_equal(first, test, sizeof first);
  assert_int_equal(dm_split(*state, 500, 0.2, 43, NULL, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
  assert_true(memcmp(first, test, sizeof first) != 0);
  assert_int_equal(dm_split_folds(*state, 500, 5, 42, NULL, NULL, fold, NULL), DM_OK);
  assert_int_equal(dm_split_folds(*state, 500, 5, 42, NULL, NULL, fold2, NULL), DM_OK);
  assert_memory_equal(fold, fold2, 500 * sizeof *fold);
}

/* Every row is as likely as any other to be held out. */
static void rows_are_drawn_evenly(void **state) {
  size_t held[40] = {0}, n_train, n_test;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    assert_int_equal(dm_split(*state, 40, 0.25, seed, NULL, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
    for (size_t i = 0; i < n_test; i++) held[test[i]]++;
  }
  for (size_t i = 0; i < 40; i++) assert_in_range(held[i], 400, 600); /* mean 500, sd 19 */
}

static void strata_keep_their_share(void **state) {
  const size_t n = 1003;
  size_t counts[4] = {0}, in_test[4] = {0}, n_train, n_test;
  for (size_t i = 0; i < n; i++) { /* the last class is "no class known" */
    classes[i] = i % 100 < 60 ? 0 : i % 100 < 90 ? 7 : i % 100 < 99 ? 2.5 : (double)NAN;
    counts[i % 100 < 60 ? 0 : i % 100 < 90 ? 1 : i % 100 < 99 ? 2 : 3]++;
  }
  for (uint64_t seed = 0; seed < 20; seed++) {
    memset(in_test, 0, sizeof in_test);
    assert_int_equal(dm_split(*state, n, 0.3, seed, classes, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
    assert_partition(n, n_train, n_test);
    assert_int_equal(n_test, 301);
    for (size_t i = 0; i < n_test; i++) {
      double c = classes[test[i]];
      in_test[isnan(c) ? 3 : c == 0 ? 0 : c == 7 ? 1 : 2]++;
    }
    for (size_t c = 0; c < 4; c++) assert_true(fabs((double)in_test[c] - 0.3 * (double)counts[c]) < 1);
  }
}

static void every_class_stays_in_training(void **state) {
  size_t n_train, n_test;
  for (size_t n = 3; n < 60; n++)
    for (size_t k = 1; k < n; k++) {
      size_t kept[60] = {0};
      for (size_t i = 0; i < n; i++) classes[i] = (double)(i % k);
      assert_int_equal(dm_split(*state, n, 0.9, n * k, classes, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
      assert_partition(n, n_train, n_test);
      for (size_t i = 0; i < n_train; i++) kept[(size_t)classes[train[i]]]++;
      for (size_t c = 0; c < k; c++) assert_true(kept[c] >= 1);
    }
}

/* Rows in another order: other rows, the same numbers of each class. */
static void order_of_rows_does_not_change_the_counts(void **state) {
  size_t sizes[2][3] = {{0}}, n_train, n_test;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < 700; i++) classes[i] = (double)((round ? 699 - i : i) % 7 % 3);
    assert_int_equal(dm_split(*state, 700, 0.2, 5, classes, NULL, train, &n_train, test, &n_test, NULL), DM_OK);
    for (size_t i = 0; i < n_test; i++) sizes[round][(size_t)classes[test[i]]]++;
  }
  assert_memory_equal(sizes[0], sizes[1], sizeof sizes[0]);
}

static void folds_differ_by_at_most_one_row(void **state) {
  for (size_t n = 10; n < 200; n += 7)
    for (size_t k = 2; k <= 10; k++) {
      size_t all[10] = {0}, of_class[3][10] = {{0}};
      for (size_t i = 0; i < n; i++) classes[i] = (double)(i * i % 3 % 2 + (i % 11 == 0));
      assert_int_equal(dm_split_folds(*state, n, k, n, classes, NULL, fold, NULL), DM_OK);
      for (size_t i = 0; i < n; i++) {
        assert_true(fold[i] < k);
        all[fold[i]]++;
        of_class[(size_t)classes[i]][fold[i]]++;
      }
      for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++) {
          assert_true(all[a] <= all[b] + 1);
          for (size_t c = 0; c < 3; c++) assert_true(of_class[c][a] <= of_class[c][b] + 1);
        }
    }
}

static void no_group_stands_on_both_sides(void **state) {
  dm_rng rng;
  dm_rng_init(&rng, 11, DM_STREAM_SAMPLE);
  for (size_t round = 0; round < 50; round++) {
    size_t n = 2000, n_groups = 20 + round * 10, n_train, n_test;
    for (size_t i = 0; i < n; i++) {
      double u = dm_rng_uniform(&rng);
      groups[i] = floor(u * u * (double)n_groups) * 3 - 10; /* of uneven sizes */
      classes[i] = dm_rng_uniform(&rng) < 0.3;
    }
    assert_int_equal(dm_split(*state, n, 0.25, round, classes, groups, train, &n_train, test, &n_test, NULL), DM_OK);
    assert_partition(n, n_train, n_test);
    assert_true(fabs((double)n_test / (double)n - 0.25) < 0.03);
    double share = 0;
    for (size_t i = 0; i < n_test; i++) share += classes[test[i]];
    assert_true(fabs(share / (double)n_test - 0.3) < 0.06);
    bool *held = calloc(4000, 1);
    for (size_t i = 0; i < n_test; i++) held[(size_t)(groups[test[i]] + 10)] = true;
    for (size_t i = 0; i < n_train; i++) assert_false(held[(size_t)(groups[train[i]] + 10)]);
    free(held);
    /* folds: one for each group, none empty, about even */
    size_t rows[5] = {0};
    uint32_t fold_of[4000];
    memset(fold_of, 0xFF, sizeof fold_of);
    assert_int_equal(dm_split_folds(*state, n, 5, round, classes, groups, fold, NULL), DM_OK);
    for (size_t i = 0; i < n; i++) {
      uint32_t *f = &fold_of[(size_t)(groups[i] + 10)];
      assert_true(*f == UINT32_MAX || *f == fold[i]);
      *f = fold[i];
      rows[fold[i]]++;
    }
    for (size_t f = 0; f < 5; f++) assert_in_range(rows[f], 300, 700);
  }
}

/* Two groups without a common class look equally good in either fold. */
static void no_fold_is_empty(void **state) {
  for (size_t k = 2; k <= 20; k++) {
    size_t rows[20] = {0};
    for (size_t i = 0; i < 200; i++) groups[i] = classes[i] = (double)(i % k);
    assert_int_equal(dm_split_folds(*state, 200, k, k, classes, groups, fold, NULL), DM_OK);
    for (size_t i = 0; i < 200; i++) rows[fold[i]]++;
    for (size_t f = 0; f < k; f++) assert_true(rows[f] > 0);
  }
}

static void groups_leave_every_class_in_training_or_say_why_not(void **state) {
  size_t n_train, n_test;
  dm_error err = {0};
  for (size_t i = 0; i < 100; i++) groups[i] = classes[i] = (double)(i % 4);
  assert_int_equal(dm_split(*state, 100, 0.2, 1, classes, groups, train, &n_train, test, &n_test, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "no group can be spared"));
  for (size_t i = 0; i < 100; i++) groups[i] = (double)(i % 2); /* two equal groups: one must go */
  assert_int_equal(dm_split(*state, 100, 0.2, 1, NULL, groups, train, &n_train, test, &n_test, &err), DM_OK);
  assert_partition(100, n_train, n_test);
  /* large groups of class 0 first, the only holders of class 1 last */
  for (size_t i = 0; i < 100; i++) {
    groups[i] = i < 45 ? 0 : i < 90 ? 1 : 2;
    classes[i] = i >= 90;
  }
  assert_int_equal(dm_split(*state, 100, 0.05, 1, classes, groups, train, &n_train, test, &n_test, &err), DM_OK);
  assert_partition(100, n_train, n_test);
  assert_int_equal(n_test, 45);
}

static void what_cannot_be_split_is_refused(void **state) {
  size_t n_train = 77, n_test = 77;
  dm_error err = {0};
  const double shares[] = {0, 1, -0.1, 1.5, (double)NAN};
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(dm_split(*state, 10, shares[i], 0, NULL, NULL, train, &n_train, test, &n_test, &err), DM_EUSAGE);
  assert_int_equal(dm_split(*state, 1, 0.2, 0, NULL, NULL, train, &n_train, test, &n_test, &err), DM_EINPUT);
  for (size_t i = 0; i < 5; i++) classes[i] = (double)i;
  assert_int_equal(dm_split(*state, 5, 0.2, 0, classes, NULL, train, &n_train, test, &n_test, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "each of the 5 classes has one row"));
  for (size_t i = 0; i < 5; i++) groups[i] = 1;
  assert_int_equal(dm_split(*state, 5, 0.2, 0, NULL, groups, train, &n_train, test, &n_test, &err), DM_EINPUT);
  assert_int_equal(dm_split_folds(*state, 5, 2, 0, NULL, groups, fold, &err), DM_EINPUT);
  groups[3] = (double)NAN;
  assert_int_equal(dm_split(*state, 5, 0.2, 0, NULL, groups, train, &n_train, test, &n_test, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "row 4 has no group"));
  assert_int_equal(dm_split_folds(*state, 5, 1, 0, NULL, NULL, fold, &err), DM_EUSAGE);
  assert_int_equal(dm_split_folds(*state, 5, 6, 0, NULL, NULL, fold, &err), DM_EINPUT);
  assert_int_equal(n_train, 77); /* outputs untouched */
  assert_int_equal(n_test, 77);
}

static void a_small_budget_is_an_error_not_a_leak(void **state) {
  (void)state;
  for (size_t i = 0; i < 500; i++) {
    classes[i] = (double)(i % 3);
    groups[i] = (double)(i % 40);
  }
  size_t failures = 0;
  bool done = false;
  for (size_t budget = 500; !done && budget < 400000; budget += 997) {
    dm_ctx *ctx = NULL;
    dm_ctx_options o = {.budget = budget};
    size_t n_train, n_test;
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    done = true;
    for (int grouped = 0; grouped < 2; grouped++) {
      dm_status s = dm_split(ctx, 500, 0.2, 0, classes, grouped ? groups : NULL, train, &n_train, test, &n_test, NULL);
      dm_status f = dm_split_folds(ctx, 500, 5, 0, classes, grouped ? groups : NULL, fold, NULL);
      assert_true((s == DM_OK || s == DM_EBUDGET) && (f == DM_OK || f == DM_EBUDGET));
      failures += s != DM_OK;
      done = done && s == DM_OK && f == DM_OK;
    }
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_true(done && failures > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_splits_have_their_share_for_every_size),
      cmocka_unit_test(the_seed_decides_and_nothing_else),
      cmocka_unit_test(rows_are_drawn_evenly),
      cmocka_unit_test(strata_keep_their_share),
      cmocka_unit_test(every_class_stays_in_training),
      cmocka_unit_test(order_of_rows_does_not_change_the_counts),
      cmocka_unit_test(folds_differ_by_at_most_one_row),
      cmocka_unit_test(no_group_stands_on_both_sides),
      cmocka_unit_test(no_fold_is_empty),
      cmocka_unit_test(groups_leave_every_class_in_training_or_say_why_not),
      cmocka_unit_test(what_cannot_be_split_is_refused),
      cmocka_unit_test(a_small_budget_is_an_error_not_a_leak),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
