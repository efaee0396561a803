/* matrix: distinct values and binned columns. */
#include "cmocka_all.h"
#include "matrix/distinct.h"

#include <dm/matrix.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

static dm_ctx *new_ctx(size_t budget, unsigned threads) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.budget = budget, .threads = threads};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

static uint32_t bin_at(const dm_bin_column *c, size_t i) {
  if (c->width == 1) return ((const uint8_t *)c->bins)[i];
  return c->width == 2 ? ((const uint16_t *)c->bins)[i] : ((const uint32_t *)c->bins)[i];
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Values of one kind of column: few or many distinct, ties, huge, tiny, negative, missing. */
static void fill(double *x, size_t n, unsigned kind, dm_rng *rng) {
  for (size_t i = 0; i < n; i++) {
    double u = dm_rng_uniform(rng);
    switch (kind) {
    case 0: x[i] = floor(u * 7) - 3; break;
    case 1: x[i] = (u - 0.5) * 1e6; break;
    case 2: x[i] = u < 0.2 ? (double)NAN : u < 0.6 ? 0.0 : exp(200 * (u - 0.8)); break;
    case 3: x[i] = 1.0 + floor(u * 5000) * DBL_EPSILON; break;
    case 4: x[i] = u < 0.5 ? DBL_MAX * (2 * u) : -DBL_MAX * (2 * u - 1); break;
    case 5: x[i] = floor(u * 5000) * 5e-324; break;
    case 6: x[i] = (double)NAN; break;
    case 7: x[i] = u < 0.5 ? -0.0 : 0.0; break;
    default: x[i] = floor(u * 3000); break;
    }
  }
}
enum { KINDS = 9 };

static void distinct_values_are_sorted_and_counted(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 1);
  dm_distinct w;
  dm_rng rng;
  dm_rng_init(&rng, 1, DM_STREAM_SAMPLE);
  enum { N = 20000 };
  double *x = dm_alloc(ctx, N, sizeof *x, "x", NULL), *sorted = dm_alloc(ctx, N, sizeof *x, "x", NULL);
  assert_int_equal(dm_distinct_init(&w, ctx, N, NULL), DM_OK);
  const size_t sizes[] = {0, 1, 2, 1000, N};
  for (unsigned kind = 0; kind < KINDS; kind++)
    for (size_t s = 0; s < 5; s++) {
      size_t n = sizes[s], m = 0, k = 0;
      fill(x, n, kind, &rng);
      dm_distinct_run(&w, n, x);
      for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) sorted[m++] = x[i];
      qsort(sorted, m, sizeof *sorted, by_value);
      for (size_t i = 0, from = 0; i < m; i++)
        if (i + 1 == m || sorted[i + 1] != sorted[i]) {
          assert_true(w.values[k] == sorted[i]);
          assert_int_equal(w.counts[k], i + 1 - from);
          from = i + 1;
          k++;
        }
      assert_int_equal(w.k, k);
      assert_int_equal(w.n_missing, n - m);
      for (size_t i = 0; i < n; i++) assert_true(isnan(x[i]) ? w.code[i] == k : w.values[w.code[i]] == x[i]);
    }
  dm_distinct_clear(&w);
  dm_free(ctx, x);
  dm_free(ctx, sorted);
  dm_ctx_free(ctx);
}

/* The contract of a numeric column: bin b holds cut[b-1] < v ≤ cut[b]. */
static void check_numeric(const dm_bin_column *c, const double *x, size_t n, size_t max_bins) {
  bool missing = false;
  assert_false(c->category);
  assert_true(max_bins == 0 || c->n_bins <= max_bins);
  for (size_t b = 2; b < c->n_bins; b++) assert_true(c->cuts[b - 2] < c->cuts[b - 1]);
  for (size_t i = 0; i < n; i++) {
    uint32_t b = bin_at(c, i);
    missing |= isnan(x[i]);
    if (isnan(x[i])) {
      assert_int_equal(b, c->n_bins);
      continue;
    }
    assert_true(b < c->n_bins);
    assert_true(b == 0 || c->cuts[b - 1] < x[i]);
    assert_true(b + 1 == c->n_bins || x[i] <= c->cuts[b]);
  }
  assert_int_equal(c->has_missing, missing);
  assert_int_equal(c->width, c->n_bins + missing <= 256 ? 1 : c->n_bins + missing <= 65536 ? 2 : 4);
}

static void every_value_lies_between_its_cuts(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 2);
  enum { N = 12000 };
  double *x[KINDS];
  size_t levels[KINDS] = {0};
  dm_rng rng;
  dm_rng_init(&rng, 7, DM_STREAM_SAMPLE);
  for (unsigned k = 0; k < KINDS; k++) {
    x[k] = dm_alloc(ctx, N, sizeof **x, "x", NULL);
    fill(x[k], N, k, &rng);
  }
  const size_t limits[] = {0, 1, 2, 16, 255, 256, 1000}, sizes[] = {0, 1, 2, 300, N};
  for (size_t l = 0; l < 7; l++)
    for (size_t s = 0; s < 5; s++) {
      dm_binned m = {0};
      assert_int_equal(dm_binned_new(ctx, sizes[s], KINDS, (const double *const *)x, levels, limits[l], &m, NULL), DM_OK);
      for (unsigned k = 0; k < KINDS; k++) {
        check_numeric(&m.columns[k], x[k], sizes[s], limits[l]);
        if (limits[l] == 0) assert_true(m.columns[k].exact);
      }
      dm_binned_clear(&m);
    }
  for (unsigned k = 0; k < KINDS; k++) dm_free(ctx, x[k]);
  dm_ctx_free(ctx);
}

static void the_picture_in_the_header_is_true(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 1);
  const double x[] = {12.5, 3.0, (double)NAN, 7.1}, *columns[] = {x};
  const size_t levels[] = {0};
  dm_binned m = {0};
  assert_int_equal(dm_binned_new(ctx, 4, 1, columns, levels, 0, &m, NULL), DM_OK);
  const dm_bin_column *c = &m.columns[0];
  assert_int_equal(c->n_bins, 3);
  assert_true(fabs(c->cuts[0] - 5.05) < 1e-12 && fabs(c->cuts[1] - 9.8) < 1e-12);
  const uint32_t want[] = {2, 0, 3, 1};
  for (size_t i = 0; i < 4; i++) assert_int_equal(bin_at(c, i), want[i]);
  assert_true(c->exact && c->has_missing && c->width == 1);
  dm_binned_clear(&m);
  dm_ctx_free(ctx);
}

/* Midpoints that round to the upper neighbour would put it on the wrong side. */
static void neighbours_in_double_are_still_parted(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 1);
  double x[] = {1.0, 0, 2.0, 0, 3.0 * 5e-324, 4.0 * 5e-324, -DBL_MAX, DBL_MAX};
  x[1] = nextafter(1.0, 2.0), x[3] = nextafter(2.0, 3.0);
  const double *columns[] = {x};
  const size_t levels[] = {0};
  dm_binned m = {0};
  assert_int_equal(dm_binned_new(ctx, 8, 1, columns, levels, 0, &m, NULL), DM_OK);
  assert_int_equal(m.columns[0].n_bins, 8);
  check_numeric(&m.columns[0], x, 8, 0);
  dm_binned_clear(&m);
  dm_ctx_free(ctx);
}

static void categories_keep_their_codes(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 1);
  double x[1000], y[1000];
  for (size_t i = 0; i < 1000; i++) {
    x[i] = (double)(i % 256);
    y[i] = i % 10 == 3 ? (double)NAN : i % 10 == 4 ? -1 : (double)(i % 256);
  }
  const double *columns[] = {x, y};
  const size_t levels[] = {256, 256};
  dm_binned m = {0};
  assert_int_equal(dm_binned_new(ctx, 1000, 2, columns, levels, 4, &m, NULL), DM_OK);
  assert_true(m.columns[0].category && !m.columns[0].has_missing && m.columns[0].width == 1 && m.columns[0].cuts == NULL);
  assert_true(m.columns[1].category && m.columns[1].has_missing && m.columns[1].width == 2);
  assert_int_equal(m.columns[1].n_bins, 256);
  for (size_t i = 0; i < 1000; i++) {
    assert_int_equal(bin_at(&m.columns[0], i), i % 256);
    assert_int_equal(bin_at(&m.columns[1], i), y[i] >= 0 ? i % 256 : 256);
  }
  dm_binned_clear(&m);
  dm_ctx_free(ctx);
}

static void limited_bins_hold_about_equal_counts(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(0, 1);
  enum { N = 10000, BINS = 20 };
  double *x = dm_alloc(ctx, N, sizeof *x, "x", NULL);
  const double *columns[] = {x};
  const size_t levels[] = {0};
  for (size_t i = 0; i < N; i++) x[i] = (double)(i * 7919 % N);
  dm_binned m = {0};
  assert_int_equal(dm_binned_new(ctx, N, 1, columns, levels, BINS, &m, NULL), DM_OK);
  assert_int_equal(m.columns[0].n_bins, BINS);
  assert_false(m.columns[0].exact);
  size_t counts[BINS] = {0};
  for (size_t i = 0; i < N; i++) counts[bin_at(&m.columns[0], i)]++;
  for (size_t b = 0; b < BINS; b++) assert_int_equal(counts[b], N / BINS);
  dm_binned_clear(&m);
  /* half of the rows are one value: it gets a bin, the others share the rest evenly */
  for (size_t i = 0; i < N; i++) x[i] = i % 2 ? 5000.5 : (double)(i * 7919 % N);
  assert_int_equal(dm_binned_new(ctx, N, 1, columns, levels, BINS, &m, NULL), DM_OK);
  assert_true(m.columns[0].n_bins >= BINS - 1);
  memset(counts, 0, sizeof counts);
  for (size_t i = 0; i < N; i++) counts[bin_at(&m.columns[0], i)]++;
  size_t large = 0;
  for (size_t b = 0; b < m.columns[0].n_bins; b++) {
    large += counts[b] >= N / 2;
    assert_true(counts[b] >= N / 2 || counts[b] <= 600);
  }
  assert_int_equal(large, 1);
  dm_binned_clear(&m);
  /* values of 1 and 4 rows in turn, 11 bins: pairs of 5 are nearer to the share of 4.5 than 1 and 4 */
  for (size_t i = 0; i < 50; i++) x[i] = (double)(i / 5 * 2 + (i % 5 > 0));
  assert_int_equal(dm_binned_new(ctx, 50, 1, columns, levels, 11, &m, NULL), DM_OK);
  for (size_t i = 0; i < 45; i++) assert_int_equal(bin_at(&m.columns[0], i), i / 5);
  dm_binned_clear(&m);
  dm_free(ctx, x);
  dm_ctx_free(ctx);
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  enum { N = 3000 };
  static double x[KINDS][N];
  const double *columns[KINDS];
  size_t levels[KINDS] = {0};
  dm_rng rng;
  dm_rng_init(&rng, 3, DM_STREAM_SAMPLE);
  for (unsigned k = 0; k < KINDS; k++) {
    fill(x[k], N, k, &rng);
    columns[k] = x[k];
  }
  dm_ctx *one = new_ctx(0, 1), *four = new_ctx(0, 4);
  dm_binned a = {0}, b = {0};
  assert_int_equal(dm_binned_new(one, N, KINDS, columns, levels, 100, &a, NULL), DM_OK);
  assert_int_equal(dm_binned_new(four, N, KINDS, columns, levels, 100, &b, NULL), DM_OK);
  for (unsigned k = 0; k < KINDS; k++) {
    const dm_bin_column *p = &a.columns[k], *q = &b.columns[k];
    assert_int_equal(p->n_bins, q->n_bins);
    assert_int_equal(p->width, q->width);
    assert_memory_equal(p->bins, q->bins, N * p->width);
    if (p->n_bins > 1) assert_memory_equal(p->cuts, q->cuts, (p->n_bins - 1) * sizeof *p->cuts);
  }
  dm_binned_clear(&a);
  dm_binned_clear(&b);
  dm_ctx_free(one);
  dm_ctx_free(four);
}

static void a_small_budget_and_cancel_are_errors_not_leaks(void **state) {
  (void)state;
  static double x[4][2000];
  const double *columns[] = {x[0], x[1], x[2], x[3]};
  const size_t levels[4] = {0};
  for (size_t i = 0; i < 8000; i++) x[i / 2000][i % 2000] = (double)(i * 31 % 1999);
  bool built = false;
  size_t failures = 0;
  for (size_t budget = 200; budget < 2000000 && !built; budget += 9001) {
    dm_ctx *ctx = new_ctx(budget, 2);
    dm_binned m = {.n = 5};
    dm_error err = {0};
    dm_status s = dm_binned_new(ctx, 2000, 4, columns, levels, 0, &m, &err);
    built = s == DM_OK;
    if (built)
      dm_binned_clear(&m);
    else {
      assert_int_equal(s, DM_EBUDGET);
      assert_int_equal(err.code, DM_EBUDGET);
      assert_int_equal(m.n, 5);
      failures++;
    }
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_true(built && failures > 10);
  dm_ctx *ctx = new_ctx(0, 2);
  dm_binned m = {0};
  dm_ctx_cancel(ctx);
  assert_int_equal(dm_binned_new(ctx, 2000, 4, columns, levels, 0, &m, NULL), DM_ECANCEL);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distinct_values_are_sorted_and_counted),
      cmocka_unit_test(every_value_lies_between_its_cuts),
      cmocka_unit_test(the_picture_in_the_header_is_true),
      cmocka_unit_test(neighbours_in_double_are_still_parted),
      cmocka_unit_test(categories_keep_their_codes),
      cmocka_unit_test(limited_bins_hold_about_equal_counts),
      cmocka_unit_test(threads_do_not_change_a_bit),
      cmocka_unit_test(a_small_budget_and_cancel_are_errors_not_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
