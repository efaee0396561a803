/* nn: autoencoders stored and loaded with the same bits, forged, described, encoded as they ask for. */
#include "cmocka_all.h"
#include "nn/autoencoder_rows.h"
#include "nn/shelf.h"

static const char *const SET[] = {"hidden", "12,6", "latent", "3", "epochs", "5", "activation", "leaky", NULL};

typedef struct stored {
  dm_ctx *ctx;
  rows t;
  autoencoder *m;
  shelf s;
} stored;

static int setup(void **state) {
  static stored st;
  st = (stored){.ctx = new_ctx(2, 0)};
  rows_mixed(&st.t, st.ctx, 200);
  for (size_t i = 0; i < 200; i += 7) *cell(&st.t, i, 3) = (float)NAN;
  st.m = train(st.ctx, &st.t, SET);
  shelf_open(&st.s, st.ctx);
  assert_int_equal(dm_learner_autoencoder.save(&st.m->base, &st.s.writer, NULL), DM_OK);
  shelf_close(&st.s, 8, 0, MIXED_LEVELS);
  *state = &st;
  return 0;
}

static int teardown(void **state) {
  stored *st = *state;
  shelf_clear(&st->s);
  autoencoder_free(&st->m->base);
  dm_dense_clear(st->ctx, &st->t.x);
  assert_int_equal(dm_ctx_memory(st->ctx), 0);
  dm_ctx_free(st->ctx);
  return 0;
}

static void loaded_models_give_the_same_bits(void **state) {
  stored *st = *state;
  dm_model *loaded = NULL;
  assert_int_equal(dm_learner_autoencoder.load(st->ctx, &st->s.reader, &loaded, NULL), DM_OK);
  assert_true(loaded->threshold == st->m->base.threshold && loaded->n_code == 3 && loaded->d == 8 && loaded->n_classes == 0);
  assert_true(loaded->work == st->m->base.work);
  scored a = score(st->m, &st->t, 200), b = score((autoencoder *)loaded, &st->t, 33);
  assert_memory_equal(a.value, b.value, 200 * sizeof *a.value);
  assert_memory_equal(a.parts, b.parts, 1600 * sizeof *a.parts);
  assert_memory_equal(a.code, b.code, 600 * sizeof *a.code);
  scored_clear(&a);
  scored_clear(&b);
  shelf again;
  shelf_open(&again, st->ctx);
  assert_int_equal(dm_learner_autoencoder.save(loaded, &again.writer, NULL), DM_OK);
  shelf_close(&again, 8, 0, MIXED_LEVELS);
  assert_string_equal(again.text.p, st->s.text.p);
  shelf_clear(&again);
  autoencoder_free(loaded);
}

static void refused(stored *st, const char *what) {
  dm_model *m = NULL;
  dm_error err = {0};
  size_t before = dm_ctx_memory(st->ctx);
  if (dm_learner_autoencoder.load(st->ctx, &st->s.reader, &m, &err) != DM_EINPUT) fail_msg("%s was taken", what);
  assert_null(m);
  assert_true(err.message[0] != 0);
  assert_int_equal(dm_ctx_memory(st->ctx), before);
}

static void forged_scalars_are_refused(void **state) {
  stored *st = *state;
  static const char *const forged[] = {
      "{}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3]}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":-1}",
      "{\"hidden\":12,\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,0],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,-6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,6.5],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,65537],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[8192,8192],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}", /* half a gigabyte, that is not there */
      "{\"hidden\":[65536,65536],\"latent\":65536,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[1,1,1,1,1,1,1,1,1],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":0,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":4,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"magic\",\"flags\":[3],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[8],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[-1],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[6],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3,3],\"threshold\":1}",
      "{\"hidden\":[12,6],\"latent\":3,\"activation\":\"leaky\",\"flags\":[3,1],\"threshold\":1}",
  };
  const dm_json *honest = st->s.doc;
  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
    shelf_scalars(&st->s, forged[i]);
    refused(st, forged[i]);
  }
  assert_true(dm_ctx_memory_peak(st->ctx) < (size_t)64 << 20); /* room is made for what is stored, not for what is said */
  st->s.reader.json = honest;
}

static void forged_tensors_are_refused(void **state) {
  stored *st = *state;
  static const char *const names[] = {"w", "fill"};
  for (size_t k = 0; k < 2; k++) {
    shelf_tensor *t = shelf_find(&st->s, names[k]);
    t->shape[0]--;
    refused(st, names[k]);
    t->shape[0]++;
    char kept[8];
    float nan = (float)NAN, huge = (float)INFINITY;
    double far = 1e300;
    memcpy(kept, t->data, 8);
    memcpy(t->data, k ? (void *)&far : (void *)&nan, k ? sizeof far : sizeof nan);
    refused(st, "a number that is none");
    if (!k) memcpy(t->data, &huge, sizeof huge);
    refused(st, "infinity");
    memcpy(t->data, kept, 8);
    t->name[0] = 'x';
    refused(st, "an absent tensor");
    t->name[0] = names[k][0];
  }
  const dm_model_reader honest = st->s.reader;
  const size_t other[8] = {0, 0, 0, 0, 0, 0, 4, 7}, one[8] = {0, 0, 0, 0, 0, 0, 1, 6}, all[8] = {0}, huge[8] = {0, 0, 0, 0, 0, 0, SIZE_MAX, SIZE_MAX};
  const size_t *const levels[] = {other, one, all, huge, NULL};
  for (size_t i = 0; i < 5; i++) {
    st->s.reader.levels = levels[i];
    refused(st, "other levels");
  }
  st->s.reader = honest;
  st->s.reader.n_classes = 2;
  refused(st, "classes");
  st->s.reader = honest;
  st->s.reader.d = 0;
  refused(st, "no column");
  st->s.reader = honest;
  dm_model *m = NULL;
  assert_int_equal(dm_learner_autoencoder.load(st->ctx, &st->s.reader, &m, NULL), DM_OK); /* all is as it was */
  autoencoder_free(m);
}

/* Weights that are finite and yet lead beyond float: an error, not a number. */
static void overflow_in_scoring_is_an_error(void **state) {
  stored *st = *state;
  double row[8] = {1, 1, 1, 1, 1, 1, 1, 1}, value, parts[8];
  float code[3];
  dm_error err = {0};
  float *w = (float *)st->m->w, kept[64];
  memcpy(kept, w, sizeof kept);
  for (size_t i = 0; i < 64; i++) w[i] = 3e38f;
  char *work = dm_alloc(st->ctx, st->m->base.work + 64, 1, "test", NULL), *aligned = work + (64 - (uintptr_t)work % 64) % 64;
  dm_batch b = {.n = 1, .d = 8, .x = row, .value = &value, .parts = parts, .code = code, .work = aligned};
  assert_int_equal(autoencoder_predict(&st->m->base, DM_OUT_VALUE, &b, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "row 1"));
  assert_int_equal(autoencoder_predict(&st->m->base, DM_OUT_CODE, &b, &err), DM_EINPUT);
  dm_free(st->ctx, work);
  memcpy(w, kept, sizeof kept);
}

static void it_is_described(void **state) {
  stored *st = *state;
  dm_buf text;
  dm_buf_init(&text, st->ctx, NULL);
  assert_int_equal(autoencoder_describe(&st->m->base, NULL, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "autoencoder: 8 columns (6 numbers, 2 categories) to 3 features, "));
  assert_non_null(strstr(text.p, "  9 in | 12 leaky | 6 leaky | 3 features | 6 leaky | 12 leaky | 16 out\n"));
  assert_non_null(strstr(text.p, " in validation\n"));
  assert_non_null(strstr(text.p, "reconstruction error above "));
  dm_buf_clear(&text);
}

/* What it asks of the encoder keeps missing numbers and bounds codes. */
static void its_encoding_keeps_what_is_missing(void **state) {
  stored *st = *state;
  dm_params *params = NULL;
  dm_encode_options o;
  assert_int_equal(dm_params_new(st->ctx, "autoencoder", dm_learner_autoencoder.params, &params, NULL), DM_OK);
  assert_int_equal(dm_params_set(params, "scale", "minmax", NULL), DM_OK);
  assert_int_equal(dm_params_set(params, "max-levels", "7", NULL), DM_OK);
  dm_learner_autoencoder.encoding(params, &o);
  assert_true(o.impute_numeric == DM_IMPUTE_NONE && o.impute_category == DM_IMPUTE_CONSTANT && o.categories == DM_CODE_ORDINAL && o.other);
  assert_true(o.scale == DM_SCALE_MINMAX && o.max_levels == 7 && !o.indicators);
  dm_params_free(params);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loaded_models_give_the_same_bits),
      cmocka_unit_test(forged_scalars_are_refused),
      cmocka_unit_test(forged_tensors_are_refused),
      cmocka_unit_test(overflow_in_scoring_is_an_error),
      cmocka_unit_test(it_is_described),
      cmocka_unit_test(its_encoding_keeps_what_is_missing),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
