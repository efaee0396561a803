/*
 * report: learning curves, errors of reconstruction and latent maps on the page, with ordinary and with ugly figures.
 * With DM_DRAW_TO=DIR the pages are written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/pages.h"

/* A model to hang figures on. */
static void some_model(fixture *f) {
  import(f, "iris.csv");
  train(f, "iris", "species", "3");
}

static void add_epochs(fixture *f, const char *name, size_t n, double scale, double fall, double rise) {
  dm_model_epoch e = {.name = name};
  for (size_t i = 1; i <= n; i++) {
    double t = (double)i / (double)n;
    e.epoch = (int64_t)i;
    e.value = scale * (exp(-fall * t) + rise * t * t);
    assert_int_equal(dm_registry_add_epochs(f->store, 1, &e, 1, NULL), DM_OK);
  }
}

static void learning_curves(void **state) {
  fixture *f = *state;
  dm_buf page;
  some_model(f);
  add_epochs(f, "train_loss", 57, 0.9, 4, 0);
  add_epochs(f, "valid_loss", 57, 0.9, 4, 0.1);
  add_epochs(f, "lr", 57, 0.001, 0, 0);
  make(f, "curves", &page);
  expect(&page, "<figcaption>Learning curves");
  expect(&page, "57 epochs. The best validation loss, ");
  expect(&page, ">best: epoch ");
  expect(&page, "Learning rate 0.001 throughout.");
  dm_buf_clear(&page);
  add_epochs(f, "lr", 57, 0.001, 3, 0);
  add_epochs(f, "valid_accuracy", 57, 1, 0, 0);
  make(f, "curves-rate", &page);
  expect(&page, "<figcaption>Learning rate");
  expect(&page, "Table dm_epoch has 1 further figure.");
  dm_buf_clear(&page);
}

static void long_training_is_thinned(void **state) {
  fixture *f = *state;
  dm_buf page;
  some_model(f);
  add_epochs(f, "train_loss", 3000, 3, 8, 0);
  add_epochs(f, "valid_loss", 3000, 3, 8, 0.01);
  make(f, "curves-long", &page);
  expect(&page, "3000 epochs.");
  expect(&page, "One of 13 epochs is drawn, with the best and the last.");
  dm_buf_clear(&page);
}

static void odd_trainings(void **state) {
  fixture *f = *state;
  dm_buf page;
  some_model(f);
  add_epochs(f, "train_loss", 1, 3, 8, 0);
  make(f, "curves-one", &page);
  expect(&page, "1 epoch. There was no validation part");
  dm_buf_clear(&page);
  for (int i = 0; i < 9; i++) {
    char name[32];
    (void)snprintf(name, sizeof name, "a<%d>_loss", i);
    add_epochs(f, name, 3, 1e306, 500, 0);
  }
  make(f, "curves-huge", &page);
  expect(&page, "4 further losses are not drawn.");
  dm_buf_clear(&page);
  assert_int_equal(dm_store_exec(f->store, NULL, "UPDATE dm_epoch SET value = 9e999 WHERE epoch = 1"), DM_OK);
  make(f, "curves-damaged", &page);
  expect(&page, "<p class=\"bad\">dm_epoch holds a row");
  dm_buf_clear(&page);
}

/* Codes in three clouds, one for each class of iris; parts that fall from column to column. */
static dm_status cloud_codes(void *user, const size_t *rows, size_t n, float *out, dm_error *err) {
  (void)user;
  (void)err;
  for (size_t i = 0; i < n; i++) {
    dm_rng rng;
    dm_rng_init(&rng, rows[i], 9);
    for (size_t c = 0; c < 8; c++) {
      double v = dm_rng_uniform(&rng) + dm_rng_uniform(&rng) - dm_rng_uniform(&rng);
      out[8 * i + c] = (float)(v / (double)(c + 1) + 3 * sin((double)(rows[i] % 3 * 2 + c)));
    }
  }
  return DM_OK;
}

static dm_status falling_parts(void *user, size_t i, double *out, dm_error *err) {
  (void)user;
  (void)err;
  for (size_t c = 0; c < 4; c++) out[c] = 1.0 / (double)((c + i) % 4 + 1);
  return DM_OK;
}

static void encodings(void **state) {
  fixture *f = *state;
  enum { N = 4000 };
  double error[N], label[N];
  dm_rng rng;
  dm_rng_init(&rng, 5, 0);
  for (size_t i = 0; i < N; i++) {
    error[i] = 0.02 * exp(3 * (dm_rng_uniform(&rng) + dm_rng_uniform(&rng) - 1)) * (i % 100 ? 1 : 12);
    label[i] = (double)(i % 3);
  }
  dm_report_codes codes = {.n = N, .error = error, .threshold = 0.25, .d = 4, .m = 8, .parts = falling_parts, .codes = cloud_codes};
  dm_buf page;
  dm_error err = {0};
  some_model(f);
  if (dm_report_reconstruction_save(f->store, 1, "test", &codes, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_report_latent_save(f->store, 1, "test", &codes, 3, &err) != DM_OK) fail_msg("%s", err.message);
  make(f, "encoding", &page);
  expect(&page, "<figcaption>Errors of reconstruction, 4000 test rows");
  expect(&page, " of 4000 test rows (");
  expect(&page, "have an error above the threshold 0.25");
  expect(&page, "The 10 largest errors of the test rows");
  expect(&page, "<td>sepal_length 48 %, sepal_width 24 %, petal_length 16 %</td>");
  expect(&page, "<figcaption>Latent map, 2000 of 4000 test rows");
  expect(&page, "first component, ");
  expect(&page, "The sample is drawn at random");
  dm_buf_clear(&page);
  codes.label = label;
  codes.n_labels = 3;
  codes.n = 900;
  for (size_t i = 0; i < N; i++) error[i] = 3;
  if (dm_report_reconstruction_save(f->store, 1, "test", &codes, &err) != DM_OK) fail_msg("%s", err.message);
  if (dm_report_latent_save(f->store, 1, "test", &codes, 3, &err) != DM_OK) fail_msg("%s", err.message);
  make(f, "encoding-classes", &page);
  expect(&page, "Latent map, 900 test rows");
  expect(&page, "coloured by the true class");
  expect(&page, ">virginica</text>");
  dm_buf_clear(&page);
}

static void training_rows_stand_in_and_damage_is_told(void **state) {
  fixture *f = *state;
  const double error[] = {0.5, 1, 2};
  dm_report_codes codes = {.n = 3, .error = error, .threshold = (double)NAN, .d = 4, .m = 8, .parts = falling_parts, .codes = cloud_codes};
  dm_buf page;
  some_model(f);
  assert_int_equal(dm_report_reconstruction_save(f->store, 1, "train", &codes, NULL), DM_OK);
  assert_int_equal(dm_report_latent_save(f->store, 1, "train", &codes, 3, NULL), DM_OK);
  make(f, "encoding-few", &page);
  expect(&page, "Errors of reconstruction, 3 training rows");
  expect(&page, "The model has no threshold");
  dm_buf_clear(&page);
  assert_int_equal(dm_store_exec(f->store, NULL, "DELETE FROM dm_tensor WHERE name = 'eval/train/latent/group'"), DM_OK);
  make(f, "encoding-damaged", &page);
  expect(&page, "tensor &#39;eval/train/latent/group&#39; is damaged");
  expect(&page, "Errors of reconstruction, 3 training rows");
  dm_buf_clear(&page);
}

/* @param step which: errors, map, page */
static dm_status one_step(fixture *f, int step, const dm_report_codes *codes, dm_error *err) {
  if (step == 0) return dm_report_reconstruction_save(f->store, 1, "test", codes, err);
  if (step == 1) return dm_report_latent_save(f->store, 1, "test", codes, 3, err);
  dm_buf page;
  dm_buf_init(&page, f->ctx, err);
  dm_status s = dm_report_html(f->store, NULL, &page, err);
  dm_buf_clear(&page);
  return s;
}

static void failed_allocations_are_errors(void **state) {
  fixture *f = *state;
  const double error[] = {0.5, 1, 2, 30}, label[] = {0, 1, 2, 1};
  dm_report_codes codes = {.n = 4, .error = error, .threshold = 3, .d = 4, .m = 8, .parts = falling_parts, .codes = cloud_codes,
                           .label = label, .n_labels = 3};
  some_model(f);
  add_epochs(f, "train_loss", 5, 3, 8, 0);
  add_epochs(f, "lr", 5, 3, 8, 0);
  for (int step = 0; step < 3; step++) {
    bool whole = false;
    for (size_t at = 1; !whole; at += step == 2 ? 5 : 1) {
      dm_error err = {0};
      size_t held = dm_ctx_memory(f->ctx);
      f->requests = 0;
      f->fail_at = at;
      dm_status s = one_step(f, step, &codes, &err);
      whole = f->requests < at;
      f->fail_at = 0;
      if (s != (whole ? DM_OK : DM_EBUDGET)) fail_msg("step %d, request %zu: status %d, %s", step, at, (int)s, err.message);
      assert_int_equal(dm_ctx_memory(f->ctx), held);
      assert_true(at < 100000);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(learning_curves, set_up, tear_down),
      cmocka_unit_test_setup_teardown(long_training_is_thinned, set_up, tear_down),
      cmocka_unit_test_setup_teardown(odd_trainings, set_up, tear_down),
      cmocka_unit_test_setup_teardown(encodings, set_up, tear_down),
      cmocka_unit_test_setup_teardown(training_rows_stand_in_and_damage_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(failed_allocations_are_errors, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
