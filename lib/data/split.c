/*
 * Training and test parts, and folds: seeded, stratified, grouped.
 *
 * Rows are taken in the order of one random permutation, so that a part is a
 * random sample; the parts themselves are written in ascending order.
 */
#include "data/split.h"
#include "matrix/distinct.h"

#include <math.h>
#include <stdlib.h>

/* Codes of values; NaN is a code of its own, the last. x NULL: one code for all. */
static dm_status code_rows(dm_ctx *ctx, size_t n, const double *x, dm_strata *out, dm_error *err) {
  if (!x) {
    out->code = dm_alloc(ctx, n, sizeof *out->code, "split", err);
    out->k = 1;
    return out->code ? DM_OK : DM_EBUDGET;
  }
  dm_distinct work;
  dm_status s = dm_distinct_init(&work, ctx, n, err);
  if (s != DM_OK) return s;
  dm_distinct_run(&work, n, x);
  *out = (dm_strata){.code = work.code, .k = work.k + (work.n_missing > 0)};
  work.code = NULL; /* taken over */
  dm_distinct_clear(&work);
  return DM_OK;
}

static dm_status check_groups(size_t n, const double *groups, const char *what, dm_error *err) {
  for (size_t i = 0; groups && i < n; i++)
    if (isnan(groups[i])) {
      (void)dm_fail(err, DM_EINPUT, "%s: row %zu has no group", what, i + 1);
      dm_error_hint(err, "leave such rows out, or give each a group of its own");
      return DM_EINPUT;
    }
  return DM_OK;
}

/* 0 … n-1 in random order. */
static size_t *permutation(dm_ctx *ctx, size_t n, dm_rng *rng, dm_error *err) {
  size_t *p = dm_alloc(ctx, n, sizeof *p, "split", err);
  for (size_t i = 0; p && i < n; i++) p[i] = i;
  if (p) dm_rng_shuffle(rng, p, n);
  return p;
}

static void count_codes(size_t n, const dm_strata *s, size_t *counts) {
  for (size_t i = 0; i < n; i++) counts[s->code[i]]++;
}

/* ---- training and test ---------------------------------------------------- */

/* What a class still claims after whole rows were given. */
typedef struct claim {
  double rest;
  size_t code;
} claim;

static int by_rest(const void *a, const void *b) {
  const claim *x = a, *y = b;
  if (x->rest != y->rest) return x->rest < y->rest ? 1 : -1;
  return (x->code > y->code) - (x->code < y->code);
}

/*
 * Test rows of each class by largest remainder, one row of every class left
 * for training.  @return rows given
 */
static size_t share_out(size_t k, const size_t *counts, double share, size_t total, claim *claims, size_t *take) {
  size_t given = 0;
  for (size_t c = 0; c < k; c++) {
    double quota = share * (double)counts[c];
    take[c] = (size_t)quota;
    if (counts[c] && take[c] > counts[c] - 1) take[c] = counts[c] - 1;
    claims[c] = (claim){quota - (double)take[c], c};
    given += take[c];
  }
  qsort(claims, k, sizeof *claims, by_rest);
  for (bool any = true; any && given < total;) { /* more than one round only where classes were held back */
    any = false;
    for (size_t i = 0; i < k && given < total; i++) {
      size_t c = claims[i].code;
      if (take[c] + 1 >= counts[c]) continue;
      take[c]++;
      given++;
      any = true;
    }
  }
  return given;
}

/* part[i] = 1 for test rows. */
static dm_status split_rows(dm_ctx *ctx, size_t n, double share, const dm_strata *classes, dm_rng *rng, uint32_t *part,
                            dm_error *err) {
  size_t total = (size_t)(share * (double)n + 0.5), given = 0;
  dm_status s = DM_EBUDGET;
  size_t *take = NULL, *order = NULL;
  claim *claims = NULL;
  size_t *counts = dm_alloc(ctx, classes->k, sizeof *counts, "split", err);
  if (!counts || !(take = dm_alloc(ctx, classes->k, sizeof *take, "split", err)) ||
      !(claims = dm_alloc(ctx, classes->k, sizeof *claims, "split", err)) || !(order = permutation(ctx, n, rng, err)))
    goto done;
  if (total < 1) total = 1;
  if (total > n - 1) total = n - 1;
  count_codes(n, classes, counts);
  given = share_out(classes->k, counts, share, total, claims, take);
  for (size_t i = 0; i < n; i++) {
    size_t *left = &take[classes->code[order[i]]];
    if (*left == 0) continue;
    (*left)--;
    part[order[i]] = 1;
  }
  s = given ? DM_OK : dm_fail(err, DM_EINPUT, "split: each of the %zu classes has one row, none can be spared for a test", classes->k);
done:
  dm_free(ctx, counts);
  dm_free(ctx, take);
  dm_free(ctx, claims);
  dm_free(ctx, order);
  return s;
}

dm_status dm_split(dm_ctx *ctx, size_t n, double test_share, uint64_t seed, const double *classes, const double *groups,
                   size_t *train, size_t *n_train, size_t *test, size_t *n_test, dm_error *err) {
  if (!(test_share > 0 && test_share < 1))
    return dm_fail(err, DM_EUSAGE, "split: test share = %g, want a share between 0 and 1", test_share);
  if (n < 2) return dm_fail(err, DM_EINPUT, "split: %zu row%s, a training and a test part want 2 or more", n, n == 1 ? "" : "s");
  dm_rng rng;
  dm_rng_init(&rng, seed, DM_STREAM_SPLIT);
  dm_strata by_class = {0}, by_group = {0};
  uint32_t *part = NULL;
  dm_status s = check_groups(n, groups, "split", err);
  if (s == DM_OK) s = code_rows(ctx, n, classes, &by_class, err);
  if (s == DM_OK && groups) s = code_rows(ctx, n, groups, &by_group, err);
  if (s == DM_OK && !(part = dm_alloc(ctx, n, sizeof *part, "split", err))) s = DM_EBUDGET;
  if (s == DM_OK && groups)
    s = dm_split_groups(ctx, n, &by_class, &by_group, 2, (double[]){1 - test_share, test_share}, true, &rng, part, err);
  else if (s == DM_OK)
    s = split_rows(ctx, n, test_share, &by_class, &rng, part, err);
  if (s == DM_OK) {
    *n_train = *n_test = 0;
    for (size_t i = 0; i < n; i++) {
      if (part[i])
        test[(*n_test)++] = i;
      else
        train[(*n_train)++] = i;
    }
  }
  dm_free(ctx, by_class.code);
  dm_free(ctx, by_group.code);
  dm_free(ctx, part);
  return s;
}

/* ---- folds ------------------------------------------------------------------ */

/*
 * Deals the rows of one class after the other like cards, each class where the
 * last one ended: folds differ by at most one row, in each class and in all.
 */
static dm_status deal_rows(dm_ctx *ctx, size_t n, size_t k, const dm_strata *classes, dm_rng *rng, uint32_t *fold, dm_error *err) {
  dm_status s = DM_EBUDGET;
  size_t *next = dm_alloc(ctx, classes->k, sizeof *next, "folds", err);
  size_t *order = next ? permutation(ctx, n, rng, err) : NULL;
  if (!order) goto done;
  count_codes(n, classes, next);
  size_t start = 0, smallest = n;
  for (size_t c = 0; c < classes->k; c++) {
    size_t count = next[c];
    if (count && count < smallest) smallest = count;
    next[c] = start;
    start = (start + count) % k;
  }
  if (smallest < k)
    dm_log(ctx, DM_LOG_NOTICE, "folds: the smallest class has %zu row%s for %zu folds; some folds lack it", smallest,
           smallest == 1 ? "" : "s", k);
  for (size_t i = 0; i < n; i++) {
    size_t *at = &next[classes->code[order[i]]];
    fold[order[i]] = (uint32_t)*at;
    *at = (*at + 1) % k;
  }
  s = DM_OK;
done:
  dm_free(ctx, next);
  dm_free(ctx, order);
  return s;
}

static dm_status deal_groups(dm_ctx *ctx, size_t n, size_t k, const dm_strata *classes, const dm_strata *groups, dm_rng *rng,
                             uint32_t *fold, dm_error *err) {
  if (groups->k < k)
    return dm_fail(err, DM_EINPUT, "folds: k = %zu, but there are only %zu groups", k, groups->k);
  double *share = dm_alloc(ctx, k, sizeof *share, "folds", err);
  if (!share) return DM_EBUDGET;
  for (size_t f = 0; f < k; f++) share[f] = 1.0 / (double)k;
  dm_status s = dm_split_groups(ctx, n, classes, groups, k, share, false, rng, fold, err);
  dm_free(ctx, share);
  return s;
}

dm_status dm_split_folds(dm_ctx *ctx, size_t n, size_t k, uint64_t seed, const double *classes, const double *groups,
                         uint32_t *fold, dm_error *err) {
  if (k < 2 || k > UINT32_MAX) return dm_fail(err, DM_EUSAGE, "folds: k = %zu, want 2 or more", k);
  if (k > n) return dm_fail(err, DM_EINPUT, "folds: k = %zu, but there are only %zu rows", k, n);
  dm_rng rng;
  dm_rng_init(&rng, seed, DM_STREAM_FOLDS);
  dm_strata by_class = {0}, by_group = {0};
  dm_status s = check_groups(n, groups, "folds", err);
  if (s == DM_OK) s = code_rows(ctx, n, classes, &by_class, err);
  if (s == DM_OK && groups) s = code_rows(ctx, n, groups, &by_group, err);
  if (s == DM_OK)
    s = groups ? deal_groups(ctx, n, k, &by_class, &by_group, &rng, fold, err) : deal_rows(ctx, n, k, &by_class, &rng, fold, err);
  dm_free(ctx, by_class.code);
  dm_free(ctx, by_group.code);
  return s;
}
