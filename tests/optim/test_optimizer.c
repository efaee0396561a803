/* optim: 100 steps of every optimizer end where PyTorch's do; what is refused, kept and restored. */
#include "cmocka_all.h"
#include "golden/optim.h"

#include "matrix/kernels/simd.h"

#include <dm/optim.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 8, STEPS = 100 };

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

/* The formula of make_optim.py. */
static float number(uint64_t i) {
  uint32_t mixed = (uint32_t)((i + 1) * 2654435761u);
  return (float)((int)((mixed >> 8) % 257) - 128) / 64.0f;
}

static void gradient(uint64_t t, float *g) {
  for (uint64_t i = 0; i < N; i++) g[i] = number(1000 + t * N + i) * (i % 4 ? 1.0f : 1.0f / 64);
}

static const char *const names[] = {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"};
enum { METHODS = sizeof names / sizeof *names };

static dm_optimizer *make(dm_ctx *ctx, const char *name, double decay) {
  dm_optimizer_options o;
  dm_optimizer *optimizer = NULL;
  assert_int_equal(dm_optimizer_defaults(name, &o, NULL), DM_OK);
  if (decay >= 0) o.weight_decay = decay;
  assert_int_equal(dm_optimizer_new(ctx, N, &o, &optimizer, NULL), DM_OK);
  return optimizer;
}

static void walk(dm_optimizer *o, float *w, uint64_t from, uint64_t to) {
  float g[N];
  for (uint64_t t = from; t < to; t++) {
    gradient(t, g);
    assert_int_equal(dm_optimizer_step(o, w, g, NULL), DM_OK);
  }
}

static void a_hundred_steps_end_where_pytorch_does(void **state) {
  (void)state;
  const struct {
    const char *name;
    double decay;
    const double *want;
  } cases[] = {
      {"sgd", -1, golden_sgd},           {"sgd", 0.1, golden_sgd_decay},           {"momentum", -1, golden_momentum},
      {"momentum", 0.1, golden_momentum_decay}, {"nesterov", -1, golden_nesterov}, {"nesterov", 0.1, golden_nesterov_decay},
      {"adagrad", -1, golden_adagrad},   {"adagrad", 0.1, golden_adagrad_decay},   {"rmsprop", -1, golden_rmsprop},
      {"rmsprop", 0.1, golden_rmsprop_decay},   {"adam", -1, golden_adam},         {"adam", 0.1, golden_adam_decay},
      {"adamw", -1, golden_adamw},       {"adamw", 0.1, golden_adamw_decay},
  };
  dm_ctx *ctx = new_ctx();
  double worst = 0;
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    float w[N];
    dm_optimizer *o = make(ctx, cases[c].name, cases[c].decay);
    for (uint64_t i = 0; i < N; i++) w[i] = number(i);
    walk(o, w, 0, STEPS);
    assert_int_equal(dm_optimizer_t(o), STEPS);
    for (size_t i = 0; i < N; i++) {
      double off = fabs((double)w[i] - cases[c].want[i]);
      worst = fmax(worst, off);
      if (!(off < 1e-5)) fail_msg("%s, decay %g: parameter %zu is %.9g, want %.9g", cases[c].name, cases[c].decay, i, (double)w[i], cases[c].want[i]);
    }
    dm_optimizer_free(o);
  }
  print_message("largest difference %.3g\n", worst);
  dm_ctx_free(ctx);
}

static void bad_gradients_change_nothing(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  dm_ctx *ctx = new_ctx();
  for (size_t m = 0; m < METHODS; m++) {
    float w[N], before[N], g[N], kept[2 * N];
    size_t n;
    dm_optimizer *o = make(ctx, names[m], 0);
    for (uint64_t i = 0; i < N; i++) w[i] = number(i);
    walk(o, w, 0, 3);
    memcpy(before, w, sizeof w);
    const float *state_now = dm_optimizer_state(o, &n);
    if (n) memcpy(kept, state_now, n * sizeof *kept);
    for (size_t b = 0; b < 3; b++) {
      dm_error err = {0};
      gradient(3, g);
      g[5] = bad[b];
      g[7] = bad[b];
      assert_int_equal(dm_optimizer_step(o, w, g, &err), DM_EINPUT);
      assert_non_null(strstr(err.message, "the gradient of parameter 5 is"));
      assert_memory_equal(w, before, sizeof w);
      assert_int_equal(dm_optimizer_t(o), 3);
      if (n) assert_memory_equal(dm_optimizer_state(o, &n), kept, n * sizeof *kept);
    }
    dm_optimizer_free(o);
  }
  dm_ctx_free(ctx);
}

static void a_parameter_that_overflows_is_reported(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_error err = {0};
  float w[N] = {0}, g[N] = {0};
  dm_optimizer *o = make(ctx, "sgd", 0);
  assert_int_equal(dm_optimizer_set_lr(o, 1e30, NULL), DM_OK);
  g[2] = 1e30f;
  assert_int_equal(dm_optimizer_step(o, w, g, &err), DM_EINPUT);
  assert_string_equal(err.message, "sgd: parameter 2 became -inf in step 1");
  dm_optimizer_free(o);
  dm_ctx_free(ctx);
}

static void going_on_from_a_checkpoint_gives_the_same_bits(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  for (size_t m = 0; m < METHODS; m++) {
    float w[N], again[N];
    size_t n;
    dm_optimizer *o = make(ctx, names[m], 0.05), *second = make(ctx, names[m], 0.05);
    for (uint64_t i = 0; i < N; i++) w[i] = number(i);
    walk(o, w, 0, 40);
    memcpy(again, w, sizeof w);
    const float *saved = dm_optimizer_state(o, &n);
    assert_int_equal(dm_optimizer_restore(second, dm_optimizer_t(o), saved, n, NULL), DM_OK);
    walk(o, w, 40, 60);
    walk(second, again, 40, 60);
    assert_memory_equal(w, again, sizeof w);
    dm_optimizer_free(o);
    dm_optimizer_free(second);
  }
  dm_ctx_free(ctx);
}

static void forged_states_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_error err = {0};
  float forged[2 * N] = {0};
  dm_optimizer *adam = make(ctx, "adam", 0), *rms = make(ctx, "rmsprop", 0);
  assert_int_equal(dm_optimizer_restore(adam, 1, forged, N, &err), DM_EINPUT);
  assert_string_equal(err.message, "adam: a state of 8 numbers, want 16");
  forged[3] = -1;
  assert_int_equal(dm_optimizer_restore(adam, 1, forged, (size_t)2 * N, NULL), DM_OK);
  assert_int_equal(dm_optimizer_restore(rms, 1, forged, N, &err), DM_EINPUT);
  forged[9] = -1;
  assert_int_equal(dm_optimizer_restore(adam, 1, forged, (size_t)2 * N, &err), DM_EINPUT);
  assert_string_equal(err.message, "adam: number 9 of the state is -1, want >= 0");
  forged[9] = NAN;
  assert_int_equal(dm_optimizer_restore(adam, 1, forged, (size_t)2 * N, NULL), DM_EINPUT);
  dm_optimizer_free(adam);
  dm_optimizer_free(rms);
  dm_ctx_free(ctx);
}

static void options_out_of_range_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_optimizer *out = NULL;
  dm_error err = {0};
  dm_optimizer_options good, o;
  assert_int_equal(dm_optimizer_defaults("adm", &good, &err), DM_EUSAGE);
  assert_non_null(strstr(err.hint, "adam"));
  assert_int_equal(dm_optimizer_defaults("adam", &good, NULL), DM_OK);
  static const double lrs[] = {0, -0.1, (double)INFINITY, (double)NAN, 1e300};
  for (size_t i = 0; i < 5; i++) {
    o = good;
    o.lr = lrs[i];
    assert_int_equal(dm_optimizer_new(ctx, N, &o, &out, &err), DM_EUSAGE);
    assert_non_null(strstr(err.message, "adam: lr = "));
  }
  o = good, o.beta1 = 1;
  assert_int_equal(dm_optimizer_new(ctx, N, &o, &out, &err), DM_EUSAGE);
  o = good, o.beta2 = -0.1;
  assert_int_equal(dm_optimizer_new(ctx, N, &o, &out, &err), DM_EUSAGE);
  o = good, o.epsilon = 0;
  assert_int_equal(dm_optimizer_new(ctx, N, &o, &out, &err), DM_EUSAGE);
  o = good, o.weight_decay = -1;
  assert_int_equal(dm_optimizer_new(ctx, N, &o, &out, &err), DM_EUSAGE);
  assert_string_equal(err.message, "adam: weight-decay = -1, want a number >= 0");
  assert_int_equal(dm_optimizer_new(ctx, SIZE_MAX / 2, &good, &out, &err), DM_EBUDGET);
  assert_null(out);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

/* Enough parameters for several threads, and a rest that fills no register. */
static void levels_and_threads_give_the_same_bits(void **state) {
  (void)state;
  enum { MANY = 70003, ROUNDS = 2 };
  float *w = malloc(MANY * sizeof *w), *g = malloc(MANY * sizeof *g), *first = malloc(MANY * sizeof *first);
  for (size_t m = 0; m < METHODS; m++)
    for (int run = 0; run < 4; run++) {
      dm_ctx *ctx = NULL;
      dm_optimizer *o = NULL;
      dm_optimizer_options options;
      (void)dm_k_simd_set(run < 3 ? (dm_simd)run : DM_SIMD_AVX512);
      assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = run == 3 ? 2 : 1}, &ctx, NULL), DM_OK);
      assert_int_equal(dm_optimizer_defaults(names[m], &options, NULL), DM_OK);
      options.weight_decay = 0.01;
      assert_int_equal(dm_optimizer_new(ctx, MANY, &options, &o, NULL), DM_OK);
      for (uint64_t i = 0; i < MANY; i++) w[i] = number(i);
      for (uint64_t t = 0; t < ROUNDS; t++) {
        for (uint64_t i = 0; i < MANY; i++) g[i] = number(i * 3 + t);
        assert_int_equal(dm_optimizer_step(o, w, g, NULL), DM_OK);
      }
      if (run == 0) memcpy(first, w, MANY * sizeof *w);
      assert_memory_equal(w, first, MANY * sizeof *w);
      g[MANY - 1] = NAN;
      assert_int_equal(dm_optimizer_step(o, w, g, NULL), DM_EINPUT);
      assert_memory_equal(w, first, MANY * sizeof *w);
      dm_optimizer_free(o);
      dm_ctx_free(ctx);
    }
  free(w);
  free(g);
  free(first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(levels_and_threads_give_the_same_bits),
      cmocka_unit_test(a_hundred_steps_end_where_pytorch_does),
      cmocka_unit_test(bad_gradients_change_nothing),
      cmocka_unit_test(a_parameter_that_overflows_is_reported),
      cmocka_unit_test(going_on_from_a_checkpoint_gives_the_same_bits),
      cmocka_unit_test(forged_states_are_refused),
      cmocka_unit_test(options_out_of_range_are_refused),
  };
  return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
