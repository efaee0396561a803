/* Profiles: exact figures (make_golden_profile.py), the same bits however little memory there is. */
#include "clean/profile_figures.h"
#include "clean_test.h"

#include <math.h>

static void close_to(double got, double want) {
  if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)))) fail_msg("%.17g, want %.17g", got, want);
}

/* Rows 1 … 1000 of the golden script, and texts. */
static void make(bench *b) {
  run_sql(b, "CREATE TABLE \"my \"\"table\"(dm_id INTEGER PRIMARY KEY, x REAL, k INTEGER, \"t'\" TEXT, \"none\" REAL) STRICT");
  run_sql(b, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO \"my \"\"table\""
             " SELECT i, iif(i % 7, ((i * 7919) % 1000) / 8.0 - 20.0, NULL), iif(i % 11, (i * i) % 97 - 40, NULL),"
             " iif(i % 3, 'v' || (i % 13), iif(i % 5, 'äöü€', NULL)), NULL FROM n");
}

static void figures_are_numpys(void **state) {
  (void)state;
  static const uint64_t bins_x[] = {68, 69, 68, 70, 68, 68, 68, 69, 70, 67, 69, 69, 35};
  static const uint64_t bins_k[] = {86, 56, 37, 38, 39, 38, 56, 37, 38, 56, 56, 0, 56, 37, 56, 36, 19, 73, 57, 39};
  static const char *const top_k[] = {"-16", "56", "-39", "-38", "-37", "-36", "-32", "-31", "-28", "-24"};
  bench b;
  dm_profile p;
  bench_open(&b);
  make(&b);
  assert_int_equal(dm_profile_table(b.store, "my \"table", "K", b.arena, &p, &b.err), DM_OK);
  assert_int_equal(p.rows, 1000);
  assert_int_equal(p.n_columns, 4);
  assert_int_equal(p.target, 1);
  const dm_profile_column *x = &p.columns[0], *k = &p.columns[1], *t = &p.columns[2], *none = &p.columns[3];
  assert_int_equal(x->missing, 142);
  assert_int_equal(x->distinct, 858);
  assert_int_equal(x->zeros, 1);
  assert_int_equal(x->negatives, 137);
  close_to(x->min, -20);
  close_to(x->max, 104.875);
  close_to(x->mean, 42.5365675990676);
  close_to(x->sd, 36.13315362541483);
  close_to(x->q01, -18.80375);
  close_to(x->q05, -13.76875);
  close_to(x->q25, 11.28125);
  close_to(x->q50, 42.6875);
  close_to(x->q75, 73.71875);
  close_to(x->q95, 98.76875);
  close_to(x->q99, 103.55375);
  assert_int_equal(x->n_bins, 13);
  close_to(x->edges[0], -20);
  close_to(x->edges[13], 110);
  assert_memory_equal(x->counts, bins_x, sizeof bins_x);
  assert_int_equal(k->distinct, 49);
  assert_int_equal(k->missing, 90);
  close_to(k->mean, 7.859340659340659);
  close_to(k->sd, 30.415132799235888);
  close_to(k->q01, -39.91);
  close_to(k->q95, 54);
  assert_int_equal(k->n_bins, 20);
  assert_memory_equal(k->counts, bins_k, sizeof bins_k);
  assert_int_equal(k->n_top, 10);
  for (size_t i = 0; i < 10; i++) assert_int_equal(k->top[i].count, i < 2 ? 20 : 19);
  for (size_t i = 0; i < 10; i++) assert_string_equal(k->top[i].text.p, top_k[i]);
  assert_false(t->numeric);
  assert_int_equal(t->missing, 66);
  assert_int_equal(t->distinct, 14);
  assert_int_equal(t->min_length, 2);
  assert_int_equal(t->max_length, 4);
  assert_string_equal(t->text_min.p, "v0");
  assert_string_equal(t->text_max.p, "äöü€");
  assert_string_equal(t->top[0].text.p, "äöü€");
  assert_int_equal(t->top[0].count, 267);
  assert_int_equal(none->missing, 1000);
  assert_int_equal(none->distinct, 0);
  assert_int_equal(none->n_bins, 0);
  assert_true(isnan(none->mean) && isnan(none->min) && isnan(none->q50));
  bench_close(&b);
}

/* JSON of the profile of a table that a function makes, under a budget. */
static char *json_with(size_t budget, void (*fill)(bench *)) {
  dm_ctx_options o = {.threads = 1, .budget = budget};
  bench b = {0};
  dm_profile p;
  dm_buf text;
  dm_json_out j;
  assert_int_equal(dm_ctx_new(&o, &b.ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(b.ctx, ":memory:", DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &b.store, &b.err), DM_OK);
  assert_int_equal(dm_arena_new(b.ctx, 0, &b.arena, NULL), DM_OK);
  fill(&b);
  if (dm_profile_table(b.store, "big", NULL, b.arena, &p, &b.err) != DM_OK) fail_msg("budget %zu: %s", budget, b.err.message);
  if (budget) assert_true(dm_ctx_memory_peak(b.ctx) <= budget);
  dm_buf_init(&text, b.ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_profile_json(&p, &j);
  char *copy = strdup(text.p);
  dm_buf_clear(&text);
  bench_close(&b);
  return copy;
}

static void fill_big(bench *b) {
  run_sql(b, "CREATE TABLE big(few INTEGER, many INTEGER, real REAL, wide INTEGER, text TEXT, mixed, blob BLOB)");
  run_sql(b, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) INSERT INTO big"
             " SELECT i % 50, (i * 48271) % 1999993 - 1000000, iif(i % 10, ((i * 69621) % 2147483647) / 7.0 - 1e8, NULL),"
             " 9007199254740993 + i, 'text number ' || (i * 16807 % 37501), iif(i % 4, iif(i % 3, i % 9, (i % 9) + 0.5), 'x' || (i % 5)),"
             " iif(i % 100, NULL, CAST(i % 300 AS BLOB)) FROM n");
}

static void memory_does_not_change_a_bit(void **state) {
  (void)state;
  static const size_t budgets[] = {(size_t)16 << 20, (size_t)2 << 20, (size_t)300 << 10};
  char *want = json_with(0, fill_big);
  assert_non_null(strstr(want, "\"name\":\"many\",\"type\":\"INTEGER\",\"rows\":50000,\"missing\":0,\"distinct\":50000"));
  assert_non_null(strstr(want, "\"name\":\"wide\",\"type\":\"INTEGER\",\"rows\":50000,\"missing\":0,\"distinct\":50000"));
  for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
    char *got = json_with(budgets[i], fill_big);
    assert_string_equal(got, want);
    free(got);
  }
  free(want);
}

static void empty_and_odd_tables_have_profiles(void **state) {
  (void)state;
  bench b;
  dm_profile p;
  bench_open(&b);
  run_sql(&b, "CREATE TABLE e(a TEXT, b REAL)");
  assert_int_equal(dm_profile_table(b.store, "e", NULL, b.arena, &p, &b.err), DM_OK);
  assert_int_equal(p.rows, 0);
  assert_int_equal(p.columns[1].distinct, 0);
  run_sql(&b, "CREATE TABLE only(dm_id INTEGER PRIMARY KEY)");
  run_sql(&b, "INSERT INTO only VALUES(1), (2)");
  assert_int_equal(dm_profile_table(b.store, "only", NULL, b.arena, &p, &b.err), DM_OK);
  assert_int_equal(p.rows, 2);
  run_sql(&b, "CREATE TABLE inf(v REAL)");
  run_sql(&b, "INSERT INTO inf VALUES(9e999), (1), (-0.0), (0.0)");
  assert_int_equal(dm_profile_table(b.store, "inf", NULL, b.arena, &p, &b.err), DM_OK);
  assert_int_equal(p.columns[0].distinct, 3);
  assert_int_equal(p.columns[0].zeros, 2);
  assert_int_equal(p.columns[0].n_bins, 0);
  run_sql(&b, "CREATE VIEW w AS SELECT 1.5 AS x UNION ALL SELECT NULL");
  assert_int_equal(dm_profile_table(b.store, "w", NULL, b.arena, &p, &b.err), DM_OK);
  assert_int_equal(p.columns[0].missing, 1);
  assert_int_equal(dm_profile_table(b.store, "wx", NULL, b.arena, &p, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.hint, "did you mean"));
  assert_int_equal(dm_profile_table(b.store, "e", "aa", b.arena, &p, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.hint, "'a'"));
  bench_close(&b);
}

static void edges_are_round_and_cover(void **state) {
  (void)state;
  static const struct {
    double min, max;
    bool whole;
    size_t n;
    double first, last;
  } cases[] = {
      {0, 1, true, 2, 0, 2},      {0, 1, false, 20, 0, 1},    {0, 0.3, false, 15, 0, 0.3}, {5, 5, false, 1, 5, 6},
      {5.5, 5.5, false, 1, 5, 6}, {1, 20, true, 20, 1, 21},   {-3, 17, true, 11, -4, 18},  {0, 100, true, 11, 0, 110},
      {0, 1e-7, false, 20, 0, 1e-7}, {1e15, 1e15 + 3, false, 12, 1e15, 1e15 + 3}, {-1e300, 1e300, false, 20, -1e300, 1e300},
  };
  double edges[DM_PROFILE_BINS + 1];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = dm_histogram_edges(cases[i].min, cases[i].max, cases[i].whole, edges);
    if (n != cases[i].n || edges[0] != cases[i].first || edges[n] != cases[i].last)
      fail_msg("%g … %g: %zu bins %.17g … %.17g", cases[i].min, cases[i].max, n, edges[0], n ? edges[n] : 0);
    for (size_t k = 0; k < n; k++) assert_true(edges[k] < edges[k + 1]);
  }
  assert_int_equal(dm_histogram_edges(0, 0.6, false, edges), 12);
  assert_true(edges[6] == 0.3);
  assert_int_equal(dm_histogram_edges(-1.7e308, 1.7e308, false, edges), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_are_numpys),
      cmocka_unit_test(memory_does_not_change_a_bit),
      cmocka_unit_test(empty_and_odd_tables_have_profiles),
      cmocka_unit_test(edges_are_round_and_cover),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
