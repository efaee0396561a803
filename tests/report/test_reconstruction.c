/* report: errors and codes are made small as promised, come back as written, and what is damaged is refused. */
#include "cmocka_all.h"
#include "report/reconstruction.h"

#include <math.h>
#include <stdlib.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
  size_t asked_parts, asked_codes;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(f->ctx, ":memory:", DM_STORE_WRITE | DM_STORE_CREATE, &f->store, NULL), DM_OK);
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  dm_error err = {0};
  if (dm_store_exec(f->store, &err,
                    "INSERT INTO dm_model(id, name, version, method, task, target, status, params, inputs, transform, rows, seed,"
                    " lib_version, started, seconds, sha256) VALUES(7, 'm', 1, 'toy', 'encode', 'y', 'done', '{}', '{}', '{}', 3, 0,"
                    " '0', '2026-01-01', 1.0, '')") != DM_OK)
    fail_msg("%s", err.message);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  free(f);
  return held == 0 ? 0 : -1;
}

/* Column c of row i adds c + 1; column 4 is missing. */
static dm_status toy_parts(void *user, size_t i, double *out, dm_error *err) {
  (void)i;
  (void)err;
  ((fixture *)user)->asked_parts++;
  for (size_t c = 0; c < 5; c++) out[c] = c == 4 ? (double)NAN : (double)(c + 1);
  return DM_OK;
}

/* Codes on a line with a little across: (i, -i, parity). */
static dm_status toy_codes(void *user, const size_t *rows, size_t n, float *out, dm_error *err) {
  (void)err;
  ((fixture *)user)->asked_codes += n;
  for (size_t i = 0; i < n; i++) {
    out[3 * i] = (float)rows[i];
    out[3 * i + 1] = -(float)rows[i];
    out[3 * i + 2] = (float)(rows[i] % 2);
  }
  return DM_OK;
}

static dm_report_codes toy(fixture *f, size_t n, const double *error, double threshold) {
  return (dm_report_codes){.n = n, .error = error, .threshold = threshold, .d = 5, .m = 3, .user = f, .parts = toy_parts, .codes = toy_codes};
}

static dm_report_reconstruction saved(fixture *f, const dm_report_codes *codes) {
  dm_report_reconstruction r;
  dm_error err = {0};
  bool found = false;
  if (dm_report_reconstruction_save(f->store, 7, "test", codes, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_report_reconstruction_load(f->store, 7, "test", f->arena, &r, &found, &err) != DM_OK) fail_msg("%s", err.message);
  assert_true(found);
  uint64_t sum = 0;
  for (size_t i = 0; i < r.n_bins; i++) sum += r.counts[i];
  assert_int_equal(sum, r.n);
  return r;
}

/* Rows above the threshold are those of the bars beyond it. */
static void check_threshold(const dm_report_reconstruction *r) {
  uint64_t beyond = 0;
  bool edge = false;
  for (size_t i = 0; i < r->n_bins; i++) {
    edge = edge || !(fabs(r->edges[i] - r->threshold) > 0);
    if (r->edges[i] >= r->threshold) beyond += r->counts[i];
  }
  assert_true(edge);
  assert_int_equal(beyond, r->above);
}

static void ordinary_errors(void **state) {
  fixture *f = *state;
  enum { N = 500 };
  double error[N];
  for (size_t i = 0; i < N; i++) error[i] = 1 + (double)((i * 7) % N) / N;
  dm_report_codes codes = toy(f, N, error, 1.9);
  dm_report_reconstruction r = saved(f, &codes);
  assert_true(!r.log && r.n == N && r.above == 49 && r.below == 0);
  check_threshold(&r);
  assert_int_equal(f->asked_parts, DM_REPORT_LARGEST);
  assert_int_equal(r.n_largest, DM_REPORT_LARGEST);
  for (size_t i = 0; i < r.n_largest; i++) {
    assert_true(r.errors[i] == error[r.ids[i] - 1] && r.errors[i] == 1 + (double)(N - 1 - i) / N);
    assert_true(r.columns[3 * i] == 3 && r.columns[3 * i + 1] == 2 && r.columns[3 * i + 2] == 1);
    assert_true(fabs(r.parts[3 * i] - 0.4) < 1e-15 && fabs(r.parts[3 * i + 2] - 0.2) < 1e-15);
  }
}

static void skewed_errors_get_logarithmic_bins(void **state) {
  fixture *f = *state;
  enum { N = 400 };
  double error[N];
  for (size_t i = 0; i < N; i++) error[i] = pow(10, -3 + 5 * (double)i / N);
  error[17] = 0;
  error[18] = (double)NAN;
  error[19] = (double)INFINITY;
  const int64_t ids[N] = {[399] = -5};
  dm_report_codes codes = toy(f, N, error, 50);
  codes.ids = ids;
  dm_report_reconstruction r = saved(f, &codes);
  assert_true(r.log && r.n == N - 2 && r.below >= 1 && r.edges[0] > 0);
  check_threshold(&r);
  assert_int_equal(r.ids[0], -5);
  for (size_t i = 1; i < r.n_bins; i++) /* equal steps */
    assert_true(fabs(log(r.edges[i + 1] / r.edges[i]) - log(r.edges[1] / r.edges[0])) < 1e-9 || i + 1 == r.n_bins);
}

static void few_and_odd_errors(void **state) {
  fixture *f = *state;
  const double one[] = {0.25}, zeros[] = {0, 0, 0}, equal[] = {3, 3, 3, 3}, huge[] = {1, 1e308, 1.7e308}, tiny[] = {5e-324, 1e-320, 1e-300};
  const struct {
    const double *error;
    size_t n;
    double threshold;
  } cases[] = {{one, 1, 0.5},   {one, 1, (double)NAN}, {zeros, 3, 0}, {equal, 4, 3},   {equal, 4, 1e-9},
               {huge, 3, 1e-3}, {huge, 3, 1e307},      {tiny, 3, 1},  {tiny, 3, 1e-310}, {equal, 4, (double)INFINITY}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dm_report_codes codes = toy(f, cases[i].n, cases[i].error, cases[i].threshold);
    dm_report_reconstruction r = saved(f, &codes);
    assert_int_equal(r.n_largest, cases[i].n);
    if (!isfinite(cases[i].threshold)) assert_true(isnan(r.threshold) && r.above == 0);
  }
}

static void without_errors_nothing_is_kept(void **state) {
  fixture *f = *state;
  const double some[] = {1, 2}, none[] = {(double)NAN, (double)NAN};
  dm_report_codes codes = toy(f, 2, some, 1.5);
  dm_report_reconstruction r = saved(f, &codes);
  bool found = true;
  codes.error = none;
  assert_int_equal(dm_report_reconstruction_save(f->store, 7, "test", &codes, NULL), DM_OK);
  assert_int_equal(dm_report_reconstruction_load(f->store, 7, "test", f->arena, &r, &found, NULL), DM_OK);
  assert_false(found);
  assert_int_equal(dm_report_reconstruction_save(f->store, 7, "a'b", &codes, NULL), DM_EUSAGE);
}

static dm_report_latent mapped(fixture *f, const dm_report_codes *codes, uint64_t seed) {
  dm_report_latent l;
  dm_error err = {0};
  bool found = false;
  if (dm_report_latent_save(f->store, 7, "test", codes, seed, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_report_latent_load(f->store, 7, "test", f->arena, &l, &found, &err) != DM_OK) fail_msg("%s", err.message);
  assert_true(found);
  return l;
}

static void a_map_is_drawn_from_a_sample(void **state) {
  fixture *f = *state;
  enum { N = 9000 };
  double *error = dm_arena_alloc(f->arena, N, sizeof *error, NULL);
  for (size_t i = 0; i < N; i++) error[i] = (double)i;
  error[5] = (double)NAN;
  dm_report_codes codes = toy(f, N, error, 1);
  dm_report_latent l = mapped(f, &codes, 1), again = mapped(f, &codes, 1), other = mapped(f, &codes, 2);
  assert_true(l.of == N - 1 && l.n == DM_REPORT_MAP_ROWS && l.m == 3 && !l.by_class && l.n_groups == 5);
  assert_int_equal(f->asked_codes, 3 * DM_REPORT_MAP_ROWS);
  assert_memory_equal(l.xy, again.xy, l.n * 2 * sizeof(double));
  assert_memory_not_equal(l.xy, other.xy, l.n * 2 * sizeof(double));
  assert_true(l.share[0] > 0.999 && l.share[1] < 0.001);
  double last = -(double)INFINITY, size[5] = {0};
  for (size_t i = 0; i < l.n; i++) { /* rows in order: the first axis rises, and the groups with it */
    assert_true(l.xy[2 * i] > last);
    last = l.xy[2 * i];
    size[l.group[i]] += 1.0 / (double)l.n;
    assert_true(i == 0 || l.group[i] >= l.group[i - 1]);
  }
  const double want[] = {0.5, 0.25, 0.15, 0.09, 0.01};
  for (size_t g = 0; g < 5; g++) assert_true(fabs(size[g] - want[g]) < 0.04);
}

static void a_map_by_class_keeps_the_most_frequent(void **state) {
  fixture *f = *state;
  enum { N = 300, K = 40 };
  double label[N];
  for (size_t i = 0; i < N; i++) label[i] = i < 250 ? (double)(i % 10 + 3) : (double)(i % 20 + 20);
  label[0] = (double)NAN;
  dm_report_codes codes = toy(f, N, NULL, 0);
  codes.label = label;
  codes.n_labels = K;
  dm_report_latent l = mapped(f, &codes, 0);
  assert_true(l.by_class && l.n == N - 1 && l.of == N - 1 && l.n_groups == 11);
  for (size_t g = 0; g < 10; g++) assert_int_equal(l.groups[g], g + 3);
  assert_int_equal(l.groups[10], -1);
  for (size_t i = 0; i < l.n; i++) assert_int_equal(l.group[i], i < 249 ? (i + 1) % 10 : 10);
}

static dm_status odd_codes(void *user, const size_t *rows, size_t n, float *out, dm_error *err) {
  (void)user;
  (void)err;
  for (size_t i = 0; i < n; i++) out[i] = rows[i] == 1 ? NAN : rows[i] == 2 ? 3e38f : 0;
  return DM_OK;
}

static void small_and_odd_maps(void **state) {
  fixture *f = *state;
  const double error[] = {1, 1, 1};
  dm_report_codes codes = toy(f, 1, error, 1);
  dm_report_latent l = mapped(f, &codes, 0); /* one row */
  assert_true(l.n == 1 && l.share[0] == 0 && l.share[1] == 0 && l.xy[0] == 0 && l.xy[1] == 0 && l.n_groups == 1);
  codes = toy(f, 3, error, 1);
  codes.m = 1;
  codes.codes = odd_codes;
  l = mapped(f, &codes, 0); /* one number a code, one of them NaN */
  assert_true(l.n == 2 && fabs(l.share[0] - 1) < 1e-12 && l.xy[1] == 0 && l.xy[3] == 0);
  codes.m = 0;
  bool found = true;
  assert_int_equal(dm_report_latent_save(f->store, 7, "test", &codes, 0, NULL), DM_OK);
  assert_int_equal(dm_report_latent_load(f->store, 7, "test", f->arena, &l, &found, NULL), DM_OK);
  assert_false(found);
}

static dm_status failing_codes(void *user, const size_t *rows, size_t n, float *out, dm_error *err) {
  (void)user;
  (void)rows;
  (void)n;
  (void)out;
  return dm_fail(err, DM_EINPUT, "codes: no");
}

static void what_the_caller_cannot_do_is_an_error(void **state) {
  fixture *f = *state;
  const double error[] = {1, 2, 3};
  dm_report_codes codes = toy(f, 3, error, 1);
  codes.codes = failing_codes;
  dm_error err = {0};
  assert_int_equal(dm_report_latent_save(f->store, 7, "test", &codes, 0, &err), DM_EINPUT);
  assert_string_equal(err.message, "codes: no");
}

/* One harm after the other; whatever is wrong with a tensor, nothing is loaded. */
static void damage_is_refused(void **state) {
  fixture *f = *state;
  const double error[] = {1, 2, 3, 4, 50, 6, 7};
  dm_report_codes codes = toy(f, 7, error, 2.5);
  const char *const harm[] = {
      "UPDATE dm_tensor SET shape = '[9]' WHERE name = 'eval/test/reconstruction/rows'",
      "UPDATE dm_tensor SET data = CAST(substr(data, 1, 8) || zeroblob(16) || x'0200000000000000' AS BLOB) WHERE name = 'eval/test/reconstruction/rows'",
      "UPDATE dm_tensor SET data = CAST(zeroblob(8) || substr(data, 9) AS BLOB) WHERE name = 'eval/test/reconstruction/rows'",
      "UPDATE dm_tensor SET dtype = 'f32' WHERE name = 'eval/test/reconstruction/edges'",
      "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name = 'eval/test/reconstruction/edges'",
      "UPDATE dm_tensor SET data = CAST(x'000000000000f07f' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/reconstruction/edges'",
      "UPDATE dm_tensor SET data = CAST(x'ffffffffffffffff' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/reconstruction/counts'",
      "UPDATE dm_tensor SET data = CAST(x'feffffffffffffff' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/reconstruction/columns'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/reconstruction/threshold'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/reconstruction/errors'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/reconstruction/parts'",
      "UPDATE dm_tensor SET shape = '[2]' WHERE name = 'eval/test/latent/rows'",
      "UPDATE dm_tensor SET data = CAST(zeroblob(8) || substr(data, 9) AS BLOB) WHERE name = 'eval/test/latent/rows'",
      "UPDATE dm_tensor SET data = CAST(x'000000000000f87f' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/latent/xy'",
      "UPDATE dm_tensor SET data = CAST(x'000000000000f8bf' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/latent/share'",
      "UPDATE dm_tensor SET data = CAST(x'0500000000000000' || substr(data, 9) AS BLOB) WHERE name = 'eval/test/latent/group'",
      "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name = 'eval/test/latent/cuts'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/latent/group'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/latent/xy'",
  };
  for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
    saved(f, &codes);
    mapped(f, &codes, 0);
    dm_error err = {0};
    if (dm_store_exec(f->store, &err, "%s", harm[i]) != DM_OK) fail_msg("%s", err.message);
    assert_int_equal(dm_store_changes(f->store), 1);
    dm_report_reconstruction r;
    dm_report_latent l;
    bool errors = true, map = true;
    dm_status a = dm_report_reconstruction_load(f->store, 7, "test", f->arena, &r, &errors, &err);
    dm_status b = dm_report_latent_load(f->store, 7, "test", f->arena, &l, &map, &err);
    if ((a == DM_EINPUT) == (b == DM_EINPUT)) fail_msg("harm %zu gives %d and %d", i, (int)a, (int)b);
    assert_true(errors == (a == DM_OK) && map == (b == DM_OK));
    assert_non_null(strstr(err.message, "is damaged"));
  }
}

static void evaluations_and_encodings_stand_beside_each_other(void **state) {
  fixture *f = *state;
  const double error[] = {1, 2, 3};
  dm_report_codes codes = toy(f, 3, error, 2);
  saved(f, &codes);
  mapped(f, &codes, 0);
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 3, 0, error, error, NULL, NULL), DM_OK);
  mapped(f, &codes, 0);
  saved(f, &codes);
  dm_report_evaluation e;
  dm_report_latent l;
  bool found = false;
  assert_int_equal(dm_report_evaluation_load(f->store, 7, "test", f->arena, &e, &found, NULL), DM_OK);
  assert_true(found);
  assert_int_equal(dm_report_latent_load(f->store, 7, "test", f->arena, &l, &found, NULL), DM_OK);
  assert_true(found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(ordinary_errors, set_up, tear_down),
      cmocka_unit_test_setup_teardown(skewed_errors_get_logarithmic_bins, set_up, tear_down),
      cmocka_unit_test_setup_teardown(few_and_odd_errors, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_errors_nothing_is_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_map_is_drawn_from_a_sample, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_map_by_class_keeps_the_most_frequent, set_up, tear_down),
      cmocka_unit_test_setup_teardown(small_and_odd_maps, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_the_caller_cannot_do_is_an_error, set_up, tear_down),
      cmocka_unit_test_setup_teardown(damage_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(evaluations_and_encodings_stand_beside_each_other, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
