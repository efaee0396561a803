/* report: evaluations are computed right, come back as written, and what is damaged is refused. */
#include "cmocka_all.h"
#include "report/evaluation.h"

#include <math.h>
#include <stdlib.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(f->ctx, ":memory:", DM_STORE_WRITE | DM_STORE_CREATE, &f->store, NULL),
                   DM_OK);
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f->ctx, 0, &f->arena, NULL), DM_OK);
  dm_error err = {0};
  dm_status s = dm_store_exec(f->store, &err,
                              "INSERT INTO dm_model(id, name, version, method, task, target, status, params, "
                              "inputs, transform, rows, seed,"
                              " lib_version, started, seconds, sha256) VALUES(7, 'm', 1, 'tree', 'classify', "
                              "'y', 'done', '{}', '{}', '{}',"
                              " 3, 0, '0', '2026-01-01', 1.0, '')");
  if (s != DM_OK) fail_msg("%s", err.message);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  dm_store_close(f->store);
  dm_ctx_free(f->ctx);
  free(f);
  return 0;
}

static dm_report_evaluation load(fixture *f) {
  dm_report_evaluation e;
  dm_error err = {0};
  bool found = false;
  dm_status s = dm_report_evaluation_load(f->store, 7, "test", f->arena, &e, &found, &err);
  if (s != DM_OK) fail_msg("%s", err.message);
  assert_true(found);
  return e;
}

static void classes_come_back(void **state) {
  fixture *f = *state;
  const double truth[] = {0, 0, 1, 1, (double)NAN, 2, 2, 2}, value[] = {0, 1, 1, 1, 0, 2, 0, 2};
  double proba[8 * 3];
  for (size_t i = 0; i < 8; i++)
    for (size_t c = 0; c < 3; c++) proba[i * 3 + c] = value[i] == (double)c ? 0.8 : 0.1;
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 8, 3, truth, value, proba, NULL), DM_OK);
  dm_report_evaluation e = load(f);
  const uint64_t want[] = {1, 1, 0, 0, 2, 0, 1, 0, 2};
  assert_int_equal(e.n, 7);
  assert_int_equal(e.k, 3);
  assert_memory_equal(e.confusion, want, sizeof want);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(e.classes[i], i);
    double auc = 0, fpr[9], tpr[9], threshold[9];
    size_t n = dm_roc(f->ctx, 8, truth, proba + i, 3, (double)i, fpr, tpr, threshold, &auc, NULL);
    assert_true(n > 0 && fabs(e.roc[i].auc - auc) < 1e-15);
    assert_int_equal(e.roc[i].n, n);
    assert_memory_equal(e.roc[i].fpr, fpr, n * sizeof *fpr);
    assert_memory_equal(e.roc[i].tpr, tpr, n * sizeof *tpr);
  }
}

static void saving_again_replaces(void **state) {
  fixture *f = *state;
  const double truth[] = {1, 2, 3}, value[] = {1.5, 2, 2};
  const double classes[] = {0, 1, 1};
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 3, 2, classes, classes, NULL, NULL), DM_OK);
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 3, 0, truth, value, NULL, NULL), DM_OK);
  dm_report_evaluation e = load(f);
  assert_int_equal(e.k, 0);
  uint64_t residuals = 0, scatter = 0;
  for (size_t i = 0; i < e.n_bins; i++) residuals += e.residuals[i];
  for (size_t i = 0; i < e.grid * e.grid; i++) scatter += e.scatter[i];
  assert_int_equal(residuals, 3);
  assert_int_equal(scatter, 3);
  assert_true(e.edges[0] <= -1 && e.edges[e.n_bins] >= 0.5);
}

static void nothing_known_writes_nothing(void **state) {
  fixture *f = *state;
  const double truth[] = {(double)NAN, (double)NAN}, value[] = {0, 1};
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 2, 2, truth, value, NULL, NULL), DM_OK);
  bool found = true;
  dm_report_evaluation e;
  assert_int_equal(dm_report_evaluation_load(f->store, 7, "test", f->arena, &e, &found, NULL), DM_OK);
  assert_false(found);
  dm_error err = {0};
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "a'b", 2, 2, truth, value, NULL, &err), DM_EUSAGE);
}

static void many_classes_share_a_place(void **state) {
  fixture *f = *state;
  enum { N = 5000, K = 100 };
  double *truth = dm_alloc(f->ctx, N, sizeof *truth, "t", NULL),
         *value = dm_alloc(f->ctx, N, sizeof *value, "v", NULL);
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  for (size_t i = 0; i < N; i++) {
    double u = dm_rng_uniform(&rng);
    truth[i] = floor(u * u * K); /* low codes are frequent */
    value[i] = dm_rng_uniform(&rng) < 0.7 ? truth[i] : (double)dm_rng_below(&rng, K);
  }
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", N, K, truth, value, NULL, NULL), DM_OK);
  dm_report_evaluation e = load(f);
  assert_int_equal(e.k, DM_EVALUATION_CLASSES + 1);
  assert_int_equal(e.classes[0], 0);
  assert_int_equal(e.classes[DM_EVALUATION_CLASSES], -1);
  uint64_t sum = 0;
  for (size_t i = 0; i < e.k * e.k; i++) sum += e.confusion[i];
  assert_int_equal(sum, N);
  for (size_t i = 0; i < e.k; i++) assert_true(isnan(e.roc[i].auc) && e.roc[i].n == 0);
  dm_free(f->ctx, truth);
  dm_free(f->ctx, value);
}

static void long_curves_are_thinned_little(void **state) {
  fixture *f = *state;
  enum { N = 20000 };
  double *truth = dm_alloc(f->ctx, N, sizeof *truth, "t", NULL),
         *value = dm_alloc(f->ctx, N, sizeof *value, "v", NULL);
  double *proba = dm_alloc(f->ctx, 2 * N, sizeof *proba, "p", NULL);
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  for (size_t i = 0; i < N; i++) {
    truth[i] = dm_rng_uniform(&rng) < 0.3 ? 1 : 0;
    proba[2 * i + 1] = 0.3 * truth[i] + 0.7 * dm_rng_uniform(&rng);
    proba[2 * i] = 1 - proba[2 * i + 1];
    value[i] = proba[2 * i + 1] > 0.5;
  }
  assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", N, 2, truth, value, proba, NULL), DM_OK);
  dm_report_evaluation e = load(f);
  const dm_report_roc *roc = &e.roc[1];
  assert_true(roc->n > 100 && roc->n <= DM_EVALUATION_POINTS);
  double area = 0;
  for (size_t i = 1; i < roc->n; i++)
    area += (roc->fpr[i] - roc->fpr[i - 1]) * (roc->tpr[i] + roc->tpr[i - 1]) / 2;
  assert_true(fabs(area - roc->auc) < 0.002);
  assert_true(roc->fpr[roc->n - 1] >= 1 && roc->tpr[roc->n - 1] >= 1);
  dm_free(f->ctx, truth);
  dm_free(f->ctx, value);
  dm_free(f->ctx, proba);
}

static void damage_is_refused(void **state) {
  fixture *f = *state;
  const double truth[] = {0, 1, 0, 1}, value[] = {0, 1, 1, 1},
               proba[] = {0.9, 0.1, 0.2, 0.8, 0.4, 0.6, 0.3, 0.7};
  const char *const harm[] = {
      "UPDATE dm_tensor SET shape = '[9,9]' WHERE name = 'eval/test/confusion'",
      "UPDATE dm_tensor SET data = x'00' WHERE name = 'eval/test/confusion'",
      "UPDATE dm_tensor SET data = zeroblob(0) WHERE name = 'eval/test/rows'",
      "UPDATE dm_tensor SET dtype = 'f32' WHERE name = 'eval/test/classes'",
      "UPDATE dm_tensor SET data = x'ffffffffffffff7f' || substr(data, 9) WHERE name = 'eval/test/confusion'",
      "UPDATE dm_tensor SET data = CAST(x'000000000000f87f' || substr(data, 9) AS BLOB) WHERE name = "
      "'eval/test/roc/1'",
      "UPDATE dm_tensor SET data = zeroblob(1000000), shape = '[62500,2]' WHERE name = 'eval/test/roc/1'",
      "UPDATE dm_tensor SET data = CAST(x'feffffffffffffff' || substr(data, 9) AS BLOB) WHERE name = "
      "'eval/test/classes'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/confusion'",
      "DELETE FROM dm_tensor WHERE name = 'eval/test/auc'",
  };
  for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
    assert_int_equal(dm_report_evaluation_save(f->store, 7, "test", 4, 2, truth, value, proba, NULL), DM_OK);
    dm_error err = {0};
    dm_status s = dm_store_exec(f->store, &err, "%s", harm[i]);
    if (s != DM_OK) continue; /* STRICT refused it already */
    assert_int_equal(dm_store_changes(f->store), 1);
    dm_report_evaluation e = {0};
    bool found = false;
    s = dm_report_evaluation_load(f->store, 7, "test", f->arena, &e, &found, &err);
    if (s == DM_OK && found && e.roc && e.roc[1].n == 0)
      continue; /* a tensor too large is as good as absent */
    if (s != DM_EINPUT) fail_msg("damage %zu gives %d", i, (int)s);
    assert_false(found);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(classes_come_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(saving_again_replaces, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nothing_known_writes_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(many_classes_share_a_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(long_curves_are_thinned_little, set_up, tear_down),
      cmocka_unit_test_setup_teardown(damage_is_refused, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
