/* linear: stored and loaded, forged, described and traced, the same bits in every batch. */
#include "cmocka_all.h"
#include "linear/model.h"
#include "linear/rows.h"

enum { MAX_TENSORS = 4 };

/* ---- a store of tensors in memory ------------------------------------------------------ */

typedef struct tensor {
  char name[32];
  dm_dtype type;
  size_t shape[2], rank, bytes;
  void *data;
} tensor;

typedef struct shelf {
  dm_ctx *ctx;
  tensor tensors[MAX_TENSORS];
  size_t n;
  dm_buf json;
  dm_arena *memory;
  const dm_json *doc;
} shelf;

static dm_status put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data, dm_error *err) {
  shelf *s = w->user;
  assert_true(s->n < MAX_TENSORS);
  tensor *t = &s->tensors[s->n++];
  *t = (tensor){.type = type, .rank = rank, .shape = {shape[0], rank > 1 ? shape[1] : 1}};
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  t->bytes = t->shape[0] * t->shape[1] * dm_dtype_size(type);
  t->data = dm_alloc(s->ctx, t->bytes + 1, 1, "tensor", err);
  if (!t->data) return DM_EBUDGET;
  memcpy(t->data, data, t->bytes);
  return DM_OK;
}

static dm_status get(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data, dm_error *err) {
  const shelf *s = r->user;
  for (size_t i = 0; i < s->n; i++) {
    const tensor *t = &s->tensors[i];
    if (strcmp(t->name, name) != 0) continue;
    if (t->type != type || t->rank != rank) return dm_fail(err, DM_EINPUT, "tensor '%s' is of another type", name);
    for (size_t j = 0; j < rank; j++) shape[j] = t->shape[j];
    *data = t->data;
    return DM_OK;
  }
  return dm_fail(err, DM_EINPUT, "tensor '%s' is not there", name);
}

static void save(dm_ctx *ctx, const dm_model *m, shelf *s) {
  *s = (shelf){.ctx = ctx};
  dm_json_out json;
  dm_buf_init(&s->json, ctx, NULL);
  dm_json_out_init(&json, &s->json, false);
  dm_json_object(&json);
  dm_model_writer w = {.user = s, .json = &json, .tensor = put};
  assert_int_equal(m->learner->save(m, &w, NULL), DM_OK);
  dm_json_end_object(&json);
  assert_int_equal(dm_arena_new(ctx, 0, &s->memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(s->memory, s->json.p, s->json.n, &s->doc, NULL), DM_OK);
}

static void clear(shelf *s) {
  for (size_t i = 0; i < s->n; i++) dm_free(s->ctx, s->tensors[i].data);
  dm_buf_clear(&s->json);
  dm_arena_free(s->memory);
}

static tensor *find(shelf *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->tensors[i].name, name) == 0) return &s->tensors[i];
  fail_msg("no tensor %s", name);
  return NULL;
}

static dm_status load(const shelf *s, const dm_learner *learner, size_t d, size_t k, dm_model **out, dm_error *err) {
  size_t levels[16] = {0};
  dm_model_reader r = {.user = (void *)(uintptr_t)s, .json = s->doc, .d = d, .n_classes = k, .levels = levels, .tensor = get};
  return learner->load(s->ctx, &r, out, err);
}

/* ---- stored and loaded --------------------------------------------------------------------- */

static void score_all(const dm_model *m, const rows *t, size_t batch_rows, double *value, double *proba) {
  double *x = malloc(batch_rows * t->d * sizeof *x);
  assert_non_null(x);
  for (size_t from = 0; from < t->n; from += batch_rows) {
    size_t n = t->n - from < batch_rows ? t->n - from : batch_rows;
    for (size_t i = 0; i < n * t->d; i++) x[i] = (double)t->x.x[(from + i / t->d) * t->x.stride + i % t->d];
    dm_batch batch = {.n = n, .d = t->d, .x = x, .value = value + from, .proba = proba + from * t->k};
    assert_int_equal(m->learner->predict(m, t->k ? DM_OUT_VALUE | DM_OUT_PROBA : DM_OUT_VALUE, &batch, NULL), DM_OK);
  }
  free(x);
}

static void a_loaded_model_scores_the_same_bits_in_every_batch(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3, 5};
  static const size_t batches[] = {1, 7, 256, 1024};
  enum { ROWS = 300, MOST = ROWS * 5 };
  static double value[2][ROWS], proba[2][MOST];
  for (size_t c = 0; c < 4; c++) {
    dm_ctx *ctx = new_ctx(1, NULL);
    rows t;
    shelf first, second;
    dm_model *loaded = NULL;
    rows_fill(&t, ctx, ROWS, 5, classes[c]);
    dm_model *m = train(ctx, &t, NULL);
    save(ctx, m, &first);
    assert_int_equal(load(&first, m->learner, t.d, t.k, &loaded, NULL), DM_OK);
    score_all(m, &t, ROWS, value[0], proba[0]);
    for (size_t b = 0; b < 4; b++) {
      score_all(loaded, &t, batches[b], value[1], proba[1]);
      assert_memory_equal(value[0], value[1], sizeof value[0]);
      assert_memory_equal(proba[0], proba[1], ROWS * t.k * sizeof(double));
    }
    save(ctx, loaded, &second);
    assert_string_equal(first.json.p, second.json.p);
    assert_int_equal(first.n, t.k ? 3 : 2);
    for (size_t i = 0; i < first.n; i++) assert_memory_equal(first.tensors[i].data, second.tensors[i].data, first.tensors[i].bytes);
    linear_free(m);
    linear_free(loaded);
    clear(&first);
    clear(&second);
    rows_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

/* ---- forged ------------------------------------------------------------------------------------ */

static void refuses(const shelf *s, const dm_learner *learner, size_t d, size_t k, const char *message) {
  dm_error err = {0};
  dm_model *m = NULL;
  assert_int_equal(load(s, learner, d, k, &m, &err), DM_EINPUT);
  if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
  assert_null(m);
}

static void forged_models_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, NULL);
  rows t;
  shelf s;
  rows_fill(&t, ctx, 100, 4, 3);
  dm_model *m = train(ctx, &t, NULL);
  const dm_learner *logistic = &dm_learner_logistic;
  const struct {
    const char *tensor;
    size_t at;
    double value;
    const char *message;
  } forgeries[] = {
      {"coef", 0, (double)NAN, "coefficient 0 is not finite"},  {"coef", 11, (double)INFINITY, "coefficient 11 is not finite"},
      {"intercept", 2, (double)NAN, "intercept 2 is not finite"}, {"classes", 0, -1, "class 0 has the code -1"},
      {"classes", 1, 0, "class 1 has the code 0"},              {"classes", 2, 3, "class 2 has the code 3"},
      {"classes", 0, 2147483647, "class 0 has the code 2147483647"},
  };
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    save(ctx, m, &s);
    tensor *x = find(&s, forgeries[i].tensor);
    if (x->type == DM_I32)
      ((int32_t *)x->data)[forgeries[i].at] = (int32_t)forgeries[i].value;
    else
      ((double *)x->data)[forgeries[i].at] = forgeries[i].value;
    refuses(&s, logistic, 4, 3, forgeries[i].message);
    clear(&s);
  }
  static const size_t forged_shapes[] = {0, 1, 2, 4, SIZE_MAX / 8};
  for (size_t i = 0; i < 5; i++)
    for (size_t n = 0; n < 3; n++) {
      save(ctx, m, &s);
      s.tensors[n].shape[0] = forged_shapes[i];
      refuses(&s, logistic, 4, 3, "logistic: the model is damaged");
      clear(&s);
    }
  save(ctx, m, &s);
  refuses(&s, logistic, 5, 3, "3 x 4 coefficients and 3 intercepts, want 3 x 5 and 3");
  refuses(&s, logistic, 4, 2, "3 classes, want 2 to 2");
  refuses(&s, logistic, 4, 0, "its target has 0 classes");
  refuses(&s, &dm_learner_linear, 4, 3, "its target has 3 classes");
  refuses(&s, &dm_learner_linear, 4, 0, "3 x 4 coefficients and 3 intercepts, want 1 x 4 and 1");
  for (size_t n = 0; n < 3; n++) {
    char kept = s.tensors[n].name[0];
    s.tensors[n].name[0] = '?';
    refuses(&s, logistic, 4, 3, "is not there");
    s.tensors[n].name[0] = kept;
  }
  clear(&s);
  linear_free(m);
  rows_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- text and JSON ------------------------------------------------------------------------------- */

/* age and colour of 60 rows, encoded, and a scorer around what was learned. */
static dm_scorer *scorer_of(dm_ctx *ctx, size_t k) {
  static const char *const names[] = {"age", "colour", "kind"}, *const colours[] = {"blue", "green", "red"}, *const kinds[] = {"no", "yes", "zero"};
  const size_t columns[] = {0, 1};
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  dm_encoder *encoder = NULL;
  dm_scorer *s = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 3, names, false, 60, &b, NULL), DM_OK);
  for (uint64_t i = 0; i < 60; i++) {
    size_t class = (i % 10 + (mix(i) % 5)) / 5 % (k ? k : 2);
    dm_value v[3] = {{.type = DM_REAL, .real = (double)(i % 10)}, {.type = DM_TEXT, .text = dm_str_of(colours[mix(i) % 3])}, {.type = DM_REAL}};
    v[2].real = (double)(i % 10) * 2 + (double)(mix(i) % 3);
    if (k) v[2] = (dm_value){.type = DM_TEXT, .text = dm_str_of(kinds[class])};
    assert_int_equal(dm_frame_builder_add(b, v, 0, NULL), DM_OK);
  }
  assert_int_equal(dm_frame_builder_finish(b, &frame, NULL), DM_OK);
  dm_encode_options o = {.impute_numeric = DM_IMPUTE_MEAN, .impute_category = DM_IMPUTE_MODE, .scale = DM_SCALE_STANDARD};
  assert_int_equal(dm_encoder_fit(ctx, frame, columns, 2, NULL, 60, &o, &encoder, NULL), DM_OK);
  rows t;
  rows_init(&t, ctx, 60, 4, k);
  for (size_t i = 0; i < 60; i++) {
    double raw[2] = {frame->columns[0].values[i], frame->columns[1].values[i]}, x[4];
    dm_encoder_row(encoder, raw, x);
    for (size_t j = 0; j < 4; j++) *cell(&t, i, j) = (float)x[j];
    t.target[i] = frame->columns[2].values[i];
  }
  dm_model *m = train(ctx, &t, NULL);
  assert_int_equal(dm_scorer_new(ctx, frame, columns, 2, 2, encoder, m, &s, NULL), DM_OK);
  rows_clear(&t, ctx);
  dm_frame_free(frame);
  return s;
}

static void models_read_well(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, NULL);
  dm_buf text;
  dm_buf_init(&text, ctx, NULL);
  dm_scorer *s = scorer_of(ctx, 2);
  assert_int_equal(linear_describe(s->model, s, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "logistic regression (C 1): 4 columns, 2 classes, "));
  assert_non_null(strstr(text.p, "\nscore of yes\n"));
  assert_non_null(strstr(text.p, " (intercept)\n"));
  assert_non_null(strstr(text.p, " colour=green\n"));
  const char *age = strstr(text.p, " age\n"), *red = strstr(text.p, " colour=red\n");
  assert_true(age && red && age < red); /* the larger first */
  dm_scorer_free(s);
  dm_buf_reset(&text);
  s = scorer_of(ctx, 3);
  assert_int_equal(linear_describe(s->model, NULL, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "\nscore of class 2\n"));
  assert_non_null(strstr(text.p, " x4\n"));
  dm_scorer_free(s);
  dm_buf_reset(&text);
  s = scorer_of(ctx, 0);
  assert_int_equal(linear_describe(s->model, s, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "linear regression (alpha 1): 4 columns, "));
  assert_null(strstr(text.p, "score of"));
  dm_scorer_free(s);
  dm_buf_clear(&text);
  dm_ctx_free(ctx);
}

static void traces_add_up_to_the_score(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx = new_ctx(1, NULL);
    dm_scorer *s = scorer_of(ctx, classes[c]);
    const linear_model *m = (const linear_model *)s->model;
    for (int colour = -1; colour < 3; colour++) {
      const double raw[] = {7, colour};
      double x[4], sum = 0, value, proba[3];
      dm_buf buf;
      dm_json_out json;
      dm_arena *memory = NULL;
      const dm_json *doc = NULL, *term;
      dm_encoder_row(s->encoder, raw, x);
      dm_buf_init(&buf, ctx, NULL);
      dm_json_out_init(&json, &buf, false);
      assert_int_equal(linear_trace(s->model, s, x, &json, NULL), DM_OK);
      assert_int_equal(dm_arena_new(ctx, 0, &memory, NULL), DM_OK);
      assert_int_equal(dm_json_parse(memory, buf.p, buf.n, &doc, NULL), DM_OK);
      assert_int_equal(doc->n, colour < 0 ? 3 : 4); /* intercept, age, the colour when it was seen, score */
      dm_batch batch = {.n = 1, .d = 4, .x = x, .value = &value, .proba = proba};
      assert_int_equal(linear_predict(s->model, m->fitted ? DM_OUT_VALUE | DM_OUT_PROBA : DM_OUT_VALUE, &batch, NULL), DM_OK);
      const char *decides = dm_json_get_string(doc->first, "class", "");
      if (classes[c] == 2) assert_string_equal(decides, "yes");
      if (classes[c] == 3) assert_string_equal(decides, s->target.levels.names[(size_t)value].p);
      for (term = doc->first; term->next; term = term->next) {
        sum += dm_json_get_double(term, "contribution", 0);
        if (term == doc->first) continue;
        assert_true(fabs(dm_json_get_double(term, "value", 0) * dm_json_get_double(term, "weight", 0) - dm_json_get_double(term, "contribution", 9)) < 1e-12);
      }
      double score = dm_json_get_double(term, "score", 99);
      assert_true(fabs(sum - score) < 1e-12);
      if (!classes[c]) assert_true(score == value);
      if (classes[c] == 2) assert_true(fabs(1 / (1 + exp(-score)) - proba[1]) < 1e-14);
      dm_arena_free(memory);
      dm_buf_clear(&buf);
    }
    dm_scorer_free(s);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loaded_model_scores_the_same_bits_in_every_batch),
      cmocka_unit_test(forged_models_are_refused),
      cmocka_unit_test(models_read_well),
      cmocka_unit_test(traces_add_up_to_the_score),
  };
  return cmocka_run_group_tests_name("linear_model", tests, NULL, NULL);
}
