/* optim: schedules and clipping as PyTorch's, early stopping. */
#include "cmocka_all.h"
#include "golden/optim.h"

#include <dm/optim.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void near(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, want %.17g", got, want);
}

static void rates_are_those_of_pytorch(void **state) {
  (void)state;
  const struct {
    dm_schedule schedule;
    const double *want;
  } cases[] = {
      {{.kind = DM_SCHEDULE_STEP, .lr = 0.5, .every = 7, .factor = 0.3}, golden_step},
      {{.kind = DM_SCHEDULE_EXPONENTIAL, .lr = 0.5, .factor = 0.9}, golden_exponential},
      {{.kind = DM_SCHEDULE_COSINE, .lr = 0.5, .min_lr = 0.01, .total = 40}, golden_cosine},
      {{.kind = DM_SCHEDULE_PLATEAU, .lr = 0.5, .min_lr = 1e-4, .factor = 0.1, .patience = 3, .threshold = 1e-4}, golden_plateau},
  };
  for (size_t c = 0; c < COUNT(cases); c++) {
    dm_schedule s = cases[c].schedule;
    assert_int_equal(dm_schedule_init(&s, NULL), DM_OK);
    for (uint64_t t = 0; t < COUNT(golden_losses); t++) {
      near(dm_schedule_rate(&s, t), cases[c].want[t], 1e-14);
      dm_schedule_observe(&s, golden_losses[t]);
    }
  }
}

static void warm_up_rises_to_the_rate(void **state) {
  (void)state;
  dm_schedule s = {.kind = DM_SCHEDULE_COSINE, .lr = 1, .warmup = 4, .total = 12};
  assert_int_equal(dm_schedule_init(&s, NULL), DM_OK);
  for (uint64_t t = 0; t < 4; t++) near(dm_schedule_rate(&s, t), (double)(t + 1) / 4, 0);
  near(dm_schedule_rate(&s, 4), 1, 0);
  near(dm_schedule_rate(&s, 8), 0.5, 1e-15);
  near(dm_schedule_rate(&s, 12), 0, 0);
  near(dm_schedule_rate(&s, 1000), 0, 0);
  s = (dm_schedule){.kind = DM_SCHEDULE_CONSTANT, .lr = 0.25, .warmup = 2};
  assert_int_equal(dm_schedule_init(&s, NULL), DM_OK);
  near(dm_schedule_rate(&s, 0), 0.125, 0);
  near(dm_schedule_rate(&s, 2), 0.25, 0);
}

static void a_loss_that_is_not_a_number_is_no_improvement(void **state) {
  (void)state;
  dm_schedule s = {.kind = DM_SCHEDULE_PLATEAU, .lr = 1, .factor = 0.5, .patience = 1};
  assert_int_equal(dm_schedule_init(&s, NULL), DM_OK);
  dm_schedule_observe(&s, 3);
  dm_schedule_observe(&s, (double)NAN);
  near(dm_schedule_rate(&s, 2), 1, 0);
  dm_schedule_observe(&s, (double)NAN);
  near(dm_schedule_rate(&s, 3), 0.5, 0);
}

static void schedules_have_names(void **state) {
  (void)state;
  const struct {
    const char *name;
    dm_schedule_kind kind;
  } cases[] = {{"constant", DM_SCHEDULE_CONSTANT}, {"step", DM_SCHEDULE_STEP}, {"exponential", DM_SCHEDULE_EXPONENTIAL},
               {"cosine", DM_SCHEDULE_COSINE},     {"plateau", DM_SCHEDULE_PLATEAU}};
  dm_schedule_kind kind = DM_SCHEDULE_COSINE;
  assert_false(dm_schedule_parse("cosin", &kind));
  assert_int_equal(kind, DM_SCHEDULE_COSINE);
  for (size_t c = 0; c < COUNT(cases); c++) {
    assert_true(dm_schedule_parse(cases[c].name, &kind));
    assert_int_equal(kind, cases[c].kind);
  }
}

static void schedules_out_of_range_are_refused(void **state) {
  (void)state;
  const struct {
    dm_schedule schedule;
    const char *message;
  } cases[] = {
      {{.kind = DM_SCHEDULE_CONSTANT}, "schedule: lr = 0, want a number > 0"},
      {{.kind = DM_SCHEDULE_CONSTANT, .lr = (double)NAN}, "schedule: lr = "},
      {{.kind = DM_SCHEDULE_STEP, .lr = 1, .factor = 0.5}, "schedule: every = 0, want >= 1"},
      {{.kind = DM_SCHEDULE_EXPONENTIAL, .lr = 1, .factor = 1.5}, "schedule: factor = 1.5, want > 0 and <= 1"},
      {{.kind = DM_SCHEDULE_COSINE, .lr = 1, .warmup = 5, .total = 5}, "schedule: total = 5, want more than warmup"},
      {{.kind = DM_SCHEDULE_COSINE, .lr = 1, .min_lr = 2, .total = 5}, "schedule: min-lr = 2"},
      {{.kind = DM_SCHEDULE_PLATEAU, .lr = 1, .factor = 0.5, .warmup = 1}, "schedule: warmup = 1"},
      {{.kind = DM_SCHEDULE_PLATEAU, .lr = 1, .factor = 0.5, .threshold = 1}, "schedule: threshold = 1"},
  };
  for (size_t c = 0; c < COUNT(cases); c++) {
    dm_error err = {0};
    dm_schedule s = cases[c].schedule;
    assert_int_equal(dm_schedule_init(&s, &err), DM_EUSAGE);
    if (!strstr(err.message, cases[c].message)) fail_msg("'%s' is not in '%s'", cases[c].message, err.message);
  }
}

/* ---- clipping ------------------------------------------------------------------------ */

static float number(uint64_t i) {
  uint32_t mixed = (uint32_t)((i + 1) * 2654435761u);
  return (float)((int)((mixed >> 8) % 257) - 128) / 64.0f;
}

static void clipping_is_that_of_pytorch(void **state) {
  (void)state;
  float g[8], same[8];
  for (uint64_t i = 0; i < 8; i++) g[i] = same[i] = number(i);
  near(dm_clip_norm(g, 8, 0.75), golden_norm[0], 1e-6);
  for (size_t i = 0; i < 8; i++) near((double)g[i], golden_clipped[i], 1e-7);
  memcpy(g, same, sizeof g);
  (void)dm_clip_norm(g, 8, 100);
  assert_memory_equal(g, same, sizeof g);
  g[3] = NAN;
  assert_true(isnan(dm_clip_norm(g, 8, 0.75)));
  near((double)g[0], (double)same[0], 0);
  float values[] = {-3, 0.5f, 7, NAN, -INFINITY};
  dm_clip_value(values, 5, 2);
  near((double)values[0], -2, 0);
  near((double)values[1], 0.5, 0);
  near((double)values[2], 2, 0);
  assert_true(isnan(values[3]));
  near((double)values[4], -2, 0);
}

/* ---- early stopping --------------------------------------------------------------------- */

static void the_best_weights_come_back(void **state) {
  (void)state;
  static const double losses[] = {3, 2, 2.5, (double)NAN, 1.95, 1.5, 1.6, 1.7, 1.45, 1.8};
  dm_ctx *ctx = NULL;
  dm_early_stop *e = NULL;
  uint64_t at = 99;
  float w[2] = {-1, -1};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  assert_int_equal(dm_early_stop_new(ctx, 2, 2, 0.1, &e, NULL), DM_OK);
  assert_false(dm_early_stop_restore(e, w));
  near((double)w[0], -1, 0);
  size_t stopped = 0;
  for (size_t i = 0; i < COUNT(losses); i++) {
    w[0] = w[1] = (float)i;
    if (!dm_early_stop_observe(e, losses[i], w)) continue;
    stopped = i;
    break;
  }
  assert_int_equal(stopped, 4); /* 1.95 is lower by less than min-delta: the third without improvement */
  near(dm_early_stop_best(e, &at), 2, 0);
  assert_int_equal(at, 1);
  assert_false(dm_early_stop_observe(e, 1.5, w));
  assert_true(dm_early_stop_restore(e, w));
  near((double)w[1], 4, 0);
  dm_early_stop_state kept;
  dm_early_stop *other = NULL;
  dm_early_stop_state_of(e, &kept);
  assert_int_equal(dm_early_stop_new(ctx, 2, 2, 0.1, &other, NULL), DM_OK);
  assert_int_equal(dm_early_stop_resume(other, &kept, NULL), DM_OK);
  w[0] = w[1] = 9;
  for (size_t i = 0; i < 4; i++) assert_int_equal(dm_early_stop_observe(other, 7, w), dm_early_stop_observe(e, 7, w));
  assert_true(dm_early_stop_restore(other, w));
  near((double)w[1], 4, 0);
  kept.best_at = kept.seen;
  assert_int_equal(dm_early_stop_resume(other, &kept, NULL), DM_EINPUT);
  kept.best = (double)NAN;
  assert_int_equal(dm_early_stop_resume(other, &kept, NULL), DM_EINPUT);
  dm_early_stop_free(other);
  dm_early_stop_free(e);
  e = NULL;
  assert_int_equal(dm_early_stop_new(ctx, 2, 2, -1, &e, NULL), DM_EUSAGE);
  assert_int_equal(dm_early_stop_new(ctx, 2, 1, 0, &e, NULL), DM_OK);
  assert_false(dm_early_stop_observe(e, (double)NAN, w));
  assert_true(dm_early_stop_observe(e, (double)NAN, w));
  dm_early_stop_free(e);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rates_are_those_of_pytorch),         cmocka_unit_test(warm_up_rises_to_the_rate),
      cmocka_unit_test(schedules_have_names),
      cmocka_unit_test(a_loss_that_is_not_a_number_is_no_improvement), cmocka_unit_test(schedules_out_of_range_are_refused),
      cmocka_unit_test(clipping_is_that_of_pytorch),        cmocka_unit_test(the_best_weights_come_back),
  };
  return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
