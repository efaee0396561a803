/* nn: the learner `net`: learns, stored and loaded, forged, the same bits in every batch, bad input. */
#include "cmocka_all.h"
#include "nn/net_model.h"
#include "nn/shelf.h"

#include <dm/nn.h>

/* ---- tables ------------------------------------------------------------------------------ */

/* Numbers a and b, codes c (of 3) and, where wanted, d (of 200); the class or number follows from a, b and c. */
typedef struct table {
  dm_ctx *ctx;
  size_t n, d, k; /* k = 0: regression */
  dm_dense x;
  size_t levels[4];
  double *target, *weights;
} table;

static uint64_t mix(uint64_t i) {
  i = (i + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
  i = (i ^ i >> 27) * 0x94D049BB133111EBu;
  return i ^ i >> 31;
}
static double uniform(uint64_t i) { return (double)(mix(i) >> 11) / 9007199254740992.0; }

static dm_ctx *new_ctx(unsigned threads, uint64_t seed) {
  static const dm_learner *const learners[] = {&dm_learner_net, NULL};
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = threads, .seed = seed, .learners = learners}, &ctx, NULL), DM_OK);
  return ctx;
}

static float *cell(table *t, size_t i, size_t j) { return &t->x.x[i * t->x.stride + j]; }

static table new_table(dm_ctx *ctx, size_t n, size_t d, size_t k) {
  table t = {.ctx = ctx, .n = n, .d = d, .k = k, .levels = {0, 0, d > 2 ? 3 : 0, d > 3 ? 200 : 0}};
  assert_int_equal(dm_dense_new(ctx, n, d, &t.x, NULL), DM_OK);
  t.target = dm_alloc(ctx, n, sizeof *t.target, "target", NULL);
  for (size_t i = 0; i < n; i++) {
    double a = 4 * uniform(5 * i) - 2, b = 4 * uniform(5 * i + 1) - 2, c = (double)(mix(5 * i + 2) % 3);
    *cell(&t, i, 0) = (float)a;
    *cell(&t, i, 1) = (float)b;
    if (d > 2) *cell(&t, i, 2) = (float)c;
    if (d > 3) *cell(&t, i, 3) = (float)(mix(5 * i + 3) % 200);
    double z = a * b + (d > 2 ? c - 1 : 0);
    t.target[i] = k == 0 ? 100 + 10 * z : k == 2 ? z > 0 : z < -0.7 ? 0 : z < 0.7 ? 1 : 2;
  }
  return t;
}

static void free_table(table *t) {
  dm_dense_clear(t->ctx, &t->x);
  dm_free(t->ctx, t->target);
  dm_free(t->ctx, t->weights);
}

static dm_status train_status(const table *t, const char *const *set, dm_model **out, dm_error *err) {
  dm_block block = {.kind = DM_BLOCK_DENSE, .d = t->d, .dense = &t->x, .levels = t->d > 2 ? t->levels : NULL};
  dm_dataset data = {.n = t->n, .n_blocks = 1, .blocks = &block, .target = t->target, .n_classes = t->k, .weights = t->weights};
  dm_params *params = NULL;
  dm_status s = dm_params_new(t->ctx, "net", dm_learner_net.params, &params, err);
  for (size_t i = 0; s == DM_OK && set && set[i]; i += 2) s = dm_params_set(params, set[i], set[i + 1], err);
  if (s == DM_OK) s = dm_learner_net.train(t->ctx, &(dm_training){.train = &data}, params, out, err);
  dm_params_free(params);
  return s;
}

static dm_model *train(const table *t, const char *const *set) {
  dm_model *m = NULL;
  dm_error err = {0};
  if (train_status(t, set, &m, &err) != DM_OK) fail_msg("%s", err.message);
  return m;
}

/* Scores all rows in batches. @param value [n], proba [n, k], code [n, n_code], any NULL */
static void score(const dm_model *m, const table *t, size_t rows, double *value, double *proba, float *code) {
  double *x = malloc(rows * t->d * sizeof *x);
  void *work = aligned_alloc(64, (m->work + 63) / 64 * 64);
  assert_true(x && work);
  for (size_t from = 0; from < t->n; from += rows) {
    size_t n = t->n - from < rows ? t->n - from : rows;
    for (size_t i = 0; i < n * t->d; i++) x[i] = (double)t->x.x[(from + i / t->d) * t->x.stride + i % t->d];
    dm_batch batch = {.n = n, .d = t->d, .x = x, .value = value ? value + from : NULL, .proba = proba ? proba + from * t->k : NULL,
                      .code = code ? code + from * m->n_code : NULL, .work = work};
    dm_error err = {0};
    unsigned what = (value ? DM_OUT_VALUE : 0u) | (proba ? DM_OUT_PROBA : 0u) | (code ? DM_OUT_CODE : 0u);
    if (m->learner->predict(m, what, &batch, &err) != DM_OK) fail_msg("%s", err.message);
  }
  free(work);
  free(x);
}

/* Share of right classes, or share of the variance explained. */
static double quality(const dm_model *m, const table *t) {
  double *value = malloc(t->n * sizeof *value), right = 0, mean = 0, rest = 0, all = 0;
  assert_non_null(value);
  score(m, t, 100, value, NULL, NULL);
  for (size_t i = 0; i < t->n; i++) right += value[i] == t->target[i], mean += t->target[i] / (double)t->n;
  for (size_t i = 0; i < t->n; i++) {
    rest += (value[i] - t->target[i]) * (value[i] - t->target[i]);
    all += (t->target[i] - mean) * (t->target[i] - mean);
  }
  free(value);
  return t->k ? right / (double)t->n : 1 - rest / all;
}

static const char *const QUICK[] = {"hidden", "16", "epochs", "3", NULL};

/* ---- learning ------------------------------------------------------------------------------- */

static void nets_learn_classes_and_numbers(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3};
  static const char *const kinds[] = {"none", "periodic", "piecewise"};
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx = new_ctx(1, 1);
    table t = new_table(ctx, 600, 3, classes[c]);
    const char *set[] = {"epochs", "30", "hidden", "64,32", "numeric_embedding", kinds[c], "patience", "0", NULL};
    dm_model *m = train(&t, set);
    double q = quality(m, &t);
    if (!(q > 0.93)) fail_msg("%zu classes: %g", classes[c], q);
    assert_int_equal(m->n_classes, classes[c]);
    assert_int_equal(m->n_code, 32);
    net_free(m);
    free_table(&t);
    dm_ctx_free(ctx);
  }
}

static void every_parameter_is_taken(void **state) {
  (void)state;
  static const char *const sets[][5] = {
      {"activation", "selu", "normalization", "batch", NULL},  {"activation", "gelu", "normalization", "layer", NULL},
      {"optimizer", "sgd", "schedule", "plateau", NULL},       {"optimizer", "momentum", "schedule", "constant", NULL},
      {"optimizer", "rmsprop", "schedule", "exponential", NULL}, {"batch_size", "7", "validation", "0.3", NULL},
      {"batch_size", "600", "validation", "0", NULL},          {"label_smoothing", "0.1", "embedding_dim", "5", NULL},
      {"weight_decay", "0", "clip", "0", NULL},                {"dropout", "0.5", "warmup", "0", NULL},
      {"net", "dense 8 relu | residual(dense 8 tanh) | dense 3 softmax", "lr", "0.01", NULL}, {"hidden", " 8 , 4", "patience", "1", NULL}};
  dm_ctx *ctx = new_ctx(2, 1);
  table t = new_table(ctx, 600, 4, 3);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    const char *set[9] = {"epochs", "2"};
    size_t n = 2;
    for (size_t j = 0; sets[i][j]; j++) set[n++] = sets[i][j];
    if (strcmp(sets[i][0], "net") != 0 && strcmp(sets[i][0], "hidden") != 0) set[n++] = "hidden", set[n++] = "16";
    dm_model *m = train(&t, set);
    assert_true(isfinite(((net_model *)m)->train_loss));
    net_free(m);
  }
  free_table(&t);
  t = new_table(ctx, 300, 4, 0);
  static const char *const losses[] = {"squared", "absolute", "huber", "quantile"};
  for (size_t i = 0; i < 4; i++) {
    const char *set[] = {"epochs", "2", "hidden", "8", "loss", losses[i], i == 3 ? "quantile" : NULL, "0.9", NULL};
    net_free(train(&t, set));
  }
  free_table(&t);
  dm_ctx_free(ctx);
}

static void a_quantile_is_above_its_share_of_targets(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 1000, 2, 0);
  for (size_t i = 0; i < t.n; i++) t.target[i] = 50 + 20 * uniform(7 * i + 100);
  const char *set[] = {"epochs", "30", "hidden", "8", "loss", "quantile", "quantile", "0.8", "numeric_embedding", "none", NULL};
  dm_model *m = train(&t, set);
  double value[1000], below = 0;
  score(m, &t, 64, value, NULL, NULL);
  for (size_t i = 0; i < t.n; i++) below += t.target[i] <= value[i];
  assert_near(below / 1000, 0.8, 0.06);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

static void the_order_of_rows_and_duplicates_matter_little(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 400, 3, 2), turned = new_table(ctx, 400, 3, 2), twice = new_table(ctx, 800, 3, 2);
  for (size_t i = 0; i < 400; i++) {
    memcpy(cell(&turned, i, 0), cell(&t, 399 - i, 0), 3 * sizeof(float));
    turned.target[i] = t.target[399 - i];
  }
  for (size_t i = 0; i < 800; i++) {
    memcpy(cell(&twice, i, 0), cell(&t, i % 400, 0), 3 * sizeof(float));
    twice.target[i] = t.target[i % 400];
  }
  const char *set[] = {"epochs", "30", "hidden", "64", NULL};
  table *const all[] = {&t, &turned, &twice};
  for (size_t i = 0; i < 3; i++) {
    dm_model *m = train(all[i], set);
    assert_true(quality(m, &t) > 0.9);
    net_free(m);
  }
  for (size_t i = 0; i < 3; i++) free_table(all[i]);
  dm_ctx_free(ctx);
}

/* Rows of weight 0 are as if they were not there; weights move what is learned. */
static void weights_count(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 400, 2, 2), part = new_table(ctx, 200, 2, 2);
  t.weights = dm_alloc(ctx, 400, sizeof *t.weights, "weights", NULL);
  for (size_t i = 0; i < 400; i++) t.weights[i] = i < 200 ? 2 : 0;
  for (size_t i = 200; i < 400; i++) t.target[i] = 1 - t.target[i];
  const char *set[] = {"epochs", "5", "hidden", "16", "batch_size", "20", "normalization", "none", NULL};
  dm_model *a = train(&t, set), *b = train(&part, set);
  assert_memory_equal(((net_model *)a)->w, ((net_model *)b)->w, ((net_model *)a)->graph->n_w * sizeof(float));
  net_free(a);
  net_free(b);
  for (size_t i = 0; i < 400; i++) t.target[i] = (double)(i % 2), t.weights[i] = i % 2 ? 9 : 1;
  a = train(&t, set);
  double proba[800], mean = 0;
  score(a, &t, 64, NULL, proba, NULL);
  for (size_t i = 0; i < 400; i++) mean += proba[2 * i + 1] / 400;
  assert_true(mean > 0.75); /* half of the rows, nine tenths of the weight */
  net_free(a);
  t.weights[7] = -1;
  dm_error err = {0};
  dm_model *m = NULL;
  assert_int_equal(train_status(&t, QUICK, &m, &err), DM_EINPUT);
  assert_string_equal(err.message, "net: the weight of row 8 is -1, want >= 0");
  free_table(&t);
  free_table(&part);
  dm_ctx_free(ctx);
}

/* ---- small and strange data -------------------------------------------------------------------- */

static void tiny_tables_can_be_learned(void **state) {
  (void)state;
  for (size_t n = 2; n <= 12; n++)
    for (size_t k = 0; k <= 3; k++) {
      if (k == 1) continue;
      dm_ctx *ctx = new_ctx(1, 1);
      table t = new_table(ctx, n, 2, k);
      for (size_t i = 0; k && i < n; i++) t.target[i] = (double)(i % k);
      static const char *const set[] = {"epochs", "3", "hidden", "8", "normalization", "batch", NULL};
      dm_model *m = train(&t, set);
      assert_true(isfinite(quality(m, &t)));
      net_free(m);
      free_table(&t);
      dm_ctx_free(ctx);
    }
}

static void a_constant_target_comes_back_as_it_was(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 50, 3, 0);
  for (size_t i = 0; i < 50; i++) t.target[i] = 0.1;
  dm_model *m = train(&t, QUICK);
  double value[50];
  score(m, &t, 7, value, NULL, NULL);
  for (size_t i = 0; i < 50; i++) assert_near(value[i], 0.1, 0);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

static void constant_columns_do_no_harm(void **state) {
  (void)state;
  static const char *const kinds[] = {"none", "periodic", "piecewise"};
  for (size_t e = 0; e < 3; e++) {
    dm_ctx *ctx = new_ctx(1, 1);
    table t = new_table(ctx, 60, 3, 2);
    for (size_t i = 0; i < 60; i++) *cell(&t, i, 0) = *cell(&t, i, 1) = 0, *cell(&t, i, 2) = 1;
    const char *set[] = {"epochs", "3", "numeric_embedding", kinds[e], NULL};
    net_free(train(&t, set));
    free_table(&t);
    dm_ctx_free(ctx);
  }
}

/* A class without rows keeps its place, with probability 0. */
static void classes_without_rows_have_no_probability(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 60, 2, 2);
  t.k = 5;
  for (size_t i = 0; i < 60; i++) t.target[i] = t.target[i] > 0 ? 3 : 1;
  dm_model *m = train(&t, QUICK);
  double value[60], proba[300];
  score(m, &t, 13, value, proba, NULL);
  for (size_t i = 0; i < 60; i++) {
    assert_true(value[i] == 1 || value[i] == 3);
    assert_true(proba[5 * i] == 0 && proba[5 * i + 2] == 0 && proba[5 * i + 4] == 0);
    assert_near(proba[5 * i + 1] + proba[5 * i + 3], 1, 1e-15);
  }
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

/* A code that training never met is scored as the mean of the others. */
static void unseen_codes_are_like_the_mean_of_the_others(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 200, 3, 2);
  t.levels[2] = 5; /* 3 and 4 do not occur */
  dm_model *m = train(&t, QUICK);
  const net_model *net = (const net_model *)m;
  const float *w = NULL;
  for (size_t i = 0; i < net->graph->n; i++)
    if (net->graph->nodes[i].op == &nn_op_embedding) w = net->w + net->graph->nodes[i].w;
  assert_non_null(w);
  double low = (double)fminf(w[0], fminf(w[4], w[8])), high = (double)fmaxf(w[0], fmaxf(w[4], w[8]));
  assert_true((double)w[12] > low && (double)w[12] < high);
  assert_memory_equal(w + 12, w + 16, 4 * sizeof *w);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

static void refuses(const table *t, const char *const *set, dm_status status, const char *message, const char *hint) {
  dm_error err = {0};
  dm_model *m = NULL;
  assert_int_equal(train_status(t, set, &m, &err), status);
  if (strcmp(err.message, message) != 0) fail_msg("'%s', want '%s'", err.message, message);
  if (hint && !strstr(err.hint, hint)) fail_msg("hint '%s', want '%s'", err.hint, hint);
  assert_null(m);
}

static void what_cannot_be_learned_is_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 40, 2, 3);
  static const char *const wrong[][5] = {{"net", "dense 4 relu | dense 10", NULL},
                                         {"net", "dense 3 sigmoid", NULL},
                                         {"net", "dense 3", "hidden", "4", NULL},
                                         {"hidden", "8,,4", NULL},
                                         {"hidden", "8,0", NULL},
                                         {"batch_size", "500", NULL},
                                         {"loss", "huber", NULL},
                                         {"quantile", "0.3", NULL},
                                         {"net", "dens 3", NULL},
                                         {"net", " ", NULL},
                                         {"lr", "0", NULL},
                                         {"lr", "-1", NULL},
                                         {"schedule", "plateau", "warmup", "0.1", NULL}};
  static const char *const messages[] = {"net: the last layer gives 10 values, the target has 3 classes",
                                         "net: the last layer ends in sigmoid, want scores of any size",
                                         "net: --net says all layers, --hidden cannot stand beside it",
                                         "net: hidden = 8,,4, want widths from 1 to 65536 such as 256,128",
                                         "net: hidden = 8,0, want widths from 1 to 65536 such as 256,128",
                                         "net: batch-size = 500, want at most the 34 rows to learn from",
                                         "net: --loss is for numbers, the target has classes",
                                         "net: --quantile is for --loss quantile",
                                         "net: 'dens' is no layer",
                                         "net: --net has no layer",
                                         "net: lr = 0, want a number > 0 or auto",
                                         "net: lr = -1, want a number > 0 or auto",
                                         "net: --warmup does not go with --schedule plateau"};
  static const char *const hints[] = {"end the line with 'dense 3'", "leave sigmoid out", "write it into the line", NULL, NULL, "6 rows are set aside", NULL, NULL,
                                      "did you mean 'dense'?", "for instance", NULL, NULL, NULL};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const char *set[9] = {"validation", "0.15"};
    for (size_t j = 0; wrong[i][j]; j++) set[2 + j] = wrong[i][j];
    refuses(&t, set, DM_EUSAGE, messages[i], hints[i]);
  }
  for (size_t i = 0; i < 40; i++) t.target[i] = 1;
  refuses(&t, NULL, DM_EINPUT, "net: all rows are of one class: nothing to learn", "look at the target column");
  *cell(&t, 3, 1) = (float)INFINITY;
  refuses(&t, NULL, DM_EINPUT, "net: row 4 holds a number beyond 3.4e38 in encoded column 2", "--scale robust");
  free_table(&t);
  t = new_table(ctx, 40, 2, 0);
  static const char *const smooth[] = {"label_smoothing", "0.1", NULL};
  refuses(&t, smooth, DM_EUSAGE, "net: --label_smoothing is for classes, the target is a number", NULL);
  t.target[5] = (double)NAN;
  refuses(&t, NULL, DM_EINPUT, "net: the target of row 6 is missing", NULL);
  free_table(&t);
  dm_ctx_free(ctx);
}

/* The step's memory is asked for before anything is learned, and the message has the number. */
static void a_budget_that_is_too_small_is_named(void **state) {
  (void)state;
  static const dm_learner *const learners[] = {&dm_learner_net, NULL};
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .learners = learners, .budget = 20u << 20}, &ctx, NULL), DM_OK);
  table t = new_table(ctx, 400, 2, 2);
  static const char *const wide[] = {"hidden", "4000,4000", NULL};
  dm_error err = {0};
  dm_model *m = NULL;
  size_t held = dm_ctx_memory(ctx);
  assert_int_equal(train_status(&t, wide, &m, &err), DM_EBUDGET);
  assert_non_null(strstr(err.message, "limit 20 MB"));
  assert_int_equal(dm_ctx_memory(ctx), held);
  free_table(&t);
  dm_ctx_free(ctx);
}

/* ---- the same bits ----------------------------------------------------------------------------- */

static void threads_change_no_bit(void **state) {
  (void)state;
  static const char *const set[] = {"epochs", "3", "batch_size", "200", "normalization", "batch", "hidden", "64,64", NULL};
  float *w = NULL;
  for (unsigned threads = 1; threads <= 2; threads++) {
    dm_ctx *ctx = new_ctx(threads, 4);
    table t = new_table(ctx, 700, 4, 3);
    dm_model *m = train(&t, set);
    const net_model *net = (const net_model *)m;
    size_t bytes = net->graph->n_w * sizeof(float);
    if (!w) {
      w = malloc(bytes);
      assert_non_null(w);
      memcpy(w, net->w, bytes);
    }
    assert_memory_equal(net->w, w, bytes);
    net_free(m);
    free_table(&t);
    dm_ctx_free(ctx);
  }
  free(w);
}

static void save(const dm_model *m, const table *t, shelf *s) {
  shelf_open(s, t->ctx);
  assert_int_equal(m->learner->save(m, &s->writer, NULL), DM_OK);
  shelf_close(s, t->d, t->k, t->levels);
}

static void a_loaded_net_scores_the_same_bits_in_every_batch(void **state) {
  (void)state;
  static const size_t classes[] = {0, 2, 3, 3}, batches[] = {1, 7, 256, 1024};
  static const char *const kinds[] = {"none", "periodic", "piecewise", "periodic"}, *const norms[] = {"batch", "none", "layer", "none"};
  enum { ROWS = 300 };
  static double value[2][ROWS], proba[2][ROWS * 3];
  static float code[2][ROWS * 8];
  for (size_t c = 0; c < 4; c++) {
    dm_ctx *ctx = new_ctx(1, 2);
    table t = new_table(ctx, ROWS, c == 3 ? 2 : 4, classes[c]);
    const char *set[] = {"epochs", "3", "hidden", "16,8", "numeric_embedding", kinds[c], "normalization", norms[c], NULL};
    dm_model *m = train(&t, set), *loaded = NULL;
    shelf first, second;
    save(m, &t, &first);
    assert_int_equal(dm_learner_net.load(ctx, &first.reader, &loaded, NULL), DM_OK);
    assert_int_equal(loaded->n_code, 8);
    score(m, &t, ROWS, value[0], t.k ? proba[0] : NULL, code[0]);
    for (size_t b = 0; b < 4; b++) {
      score(loaded, &t, batches[b], value[1], t.k ? proba[1] : NULL, code[1]);
      assert_memory_equal(value[0], value[1], sizeof value[0]);
      assert_memory_equal(proba[0], proba[1], ROWS * t.k * sizeof(double));
      assert_memory_equal(code[0], code[1], sizeof code[0]);
      score(loaded, &t, batches[b], value[1], NULL, NULL); /* the class without probabilities */
      assert_memory_equal(value[0], value[1], sizeof value[0]);
    }
    save(loaded, &t, &second);
    assert_string_equal(first.text.p, second.text.p);
    assert_int_equal(first.n, second.n);
    for (size_t i = 0; i < first.n; i++) assert_memory_equal(first.tensors[i].data, second.tensors[i].data, first.tensors[i].bytes);
    net_free(m);
    net_free(loaded);
    shelf_clear(&first);
    shelf_clear(&second);
    free_table(&t);
    dm_ctx_free(ctx);
  }
}

static void scores_that_are_not_finite_are_errors(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 50, 2, 2);
  static const char *const set[] = {"epochs", "2", "numeric_embedding", "none", NULL};
  dm_model *m = train(&t, set);
  double x[] = {1, 1, 1e300, -1e300}, value[2];
  dm_error err = {0};
  dm_batch batch = {.n = 2, .d = 2, .x = x, .value = value, .work = aligned_alloc(64, (m->work + 63) / 64 * 64)};
  assert_int_equal(net_predict(m, DM_OUT_VALUE, &batch, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "net: the score of row 2 of the batch is "));
  free(batch.work);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

/* ---- forged -------------------------------------------------------------------------------------- */

static void refuses_load(const shelf *s, const char *message) {
  dm_error err = {0};
  dm_model *m = NULL;
  size_t held = dm_ctx_memory(s->ctx);
  assert_int_equal(dm_learner_net.load(s->ctx, &s->reader, &m, &err), DM_EINPUT);
  if (!strstr(err.message, message)) fail_msg("'%s' is not in '%s'", message, err.message);
  assert_int_equal(err.code, DM_EINPUT);
  assert_null(m);
  assert_int_equal(dm_ctx_memory(s->ctx), held);
}

/* Puts `to` for `from` in the scalars, refuses the model, and takes it back. */
static void forge_scalar(shelf *s, const char *from, const char *to, const char *message) {
  const char *at = strstr(s->text.p, from);
  if (!at) fail_msg("no %s in %s", from, s->text.p);
  char forged[8192];
  (void)snprintf(forged, sizeof forged, "%.*s%s%s", (int)(at - s->text.p), s->text.p, to, at + strlen(from));
  const dm_json *kept = s->doc;
  shelf_scalars(s, forged);
  refuses_load(s, message);
  s->doc = s->reader.json = kept;
}

static void forged_nets_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 100, 4, 3);
  static const char *const set[] = {"epochs", "2", "hidden", "8", "normalization", "batch", "numeric_embedding", "piecewise", "dropout", "0.1", NULL};
  dm_model *m = train(&t, set);
  shelf s;
  save(m, &t, &s);
  static const char *const names[] = {"weights", "state", "classes", "edges"};
  for (size_t i = 0; i < 4; i++) {
    shelf_tensor *x = shelf_find(&s, names[i]);
    static const size_t shapes[] = {0, 1, SIZE_MAX / 8, 1000};
    size_t kept = x->shape[0];
    for (size_t j = 0; j < 4; j++) {
      x->shape[0] = shapes[j];
      refuses_load(&s, "damaged");
    }
    x->shape[0] = kept - 1; /* truncated */
    refuses_load(&s, "damaged");
    x->shape[0] = kept;
    x->name[0] = '?';
    refuses_load(&s, "is not there");
    x->name[0] = names[i][0];
    x->type = DM_U8;
    refuses_load(&s, "of another type");
    x->type = i < 2 ? DM_F32 : i == 2 ? DM_I32 : DM_F64;
  }
  float *w = shelf_find(&s, "weights")->data, *running = shelf_find(&s, "state")->data, kept = w[5];
  w[5] = (float)NAN;
  refuses_load(&s, "number 5 of 'weights' is not finite");
  w[5] = -(float)INFINITY;
  refuses_load(&s, "number 5 of 'weights' is not finite");
  w[5] = kept;
  kept = running[0];
  running[0] = (float)NAN;
  refuses_load(&s, "number 0 of 'state' is not finite");
  running[0] = kept;
  int32_t *codes = shelf_find(&s, "classes")->data;
  codes[1] = 0;
  refuses_load(&s, "class 1 has the code 0");
  codes[1] = 1;
  codes[2] = 3;
  refuses_load(&s, "class 2 has the code 3");
  codes[2] = 2;
  double *edges = shelf_find(&s, "edges")->data, edge = edges[1];
  edges[1] = (double)NAN;
  refuses_load(&s, "the model is damaged");
  edges[1] = edge;
  forge_scalar(&s, "dense 8", "dense 9", "numbers in 'weights', want");
  forge_scalar(&s, "dense 8", "dense 99999999", "the model is damaged: net: dense");
  forge_scalar(&s, "dense 8", "dance 8", "the model is damaged: net: 'dance' is no layer");
  forge_scalar(&s, "| dense 3", "| dense 4", "the last layer gives 4 values");
  forge_scalar(&s, "| dense 3", "| dense 1048576 | dense 1048576 | dense 3", "the model is damaged");
  forge_scalar(&s, "\"piecewise\"", "\"none\"", "numbers in 'weights', want");
  forge_scalar(&s, "\"piecewise\"", "\"other\"", "its numeric embedding");
  forge_scalar(&s, "\"numeric_count\":", "\"numeric_count\":99", "edges of its numeric embedding");
  forge_scalar(&s, "\"numeric_count\":", "\"numeric_count\":-", "its numeric embedding");
  forge_scalar(&s, "\"numeric_units\":", "\"numeric_units\":999999", "the model is damaged");
  forge_scalar(&s, "\"embedding_dim\":", "\"embedding_dim\":99999999999", "its embedding_dim");
  /* columns and codes of another table */
  s.reader.n_classes = 2;
  refuses_load(&s, "3 classes, want 2 to 2");
  s.reader.n_classes = 0;
  refuses_load(&s, "the last layer gives 3 values, a number is wanted");
  s.reader.n_classes = 3;
  static const size_t other[] = {0, 0, 4, 200}, huge[] = {0, 0, 3, SIZE_MAX / 2};
  s.reader.levels = other;
  refuses_load(&s, "numbers in 'weights', want");
  s.reader.levels = huge;
  refuses_load(&s, "the model is damaged");
  s.reader.levels = t.levels;
  s.reader.d = 3;
  refuses_load(&s, "damaged");
  shelf_clear(&s);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

/* ---- text ------------------------------------------------------------------------------------------ */

static void nets_read_well(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1, 1);
  table t = new_table(ctx, 100, 4, 3);
  static const char *const set[] = {"epochs", "2", "hidden", "8", "normalization", "none", NULL};
  dm_model *m = train(&t, set);
  dm_buf text;
  dm_buf_init(&text, ctx, NULL);
  assert_int_equal(net_describe(m, NULL, &text, NULL), DM_OK);
  assert_non_null(strstr(text.p, "net: 4 columns, 3 classes, "));
  assert_non_null(strstr(text.p, " parameters\n2 epochs, number "));
  assert_non_null(strstr(text.p, "periodic"));
  assert_non_null(strstr(text.p, "embedding"));
  assert_non_null(strstr(text.p, "dense relu"));
  assert_non_null(strstr(text.p, "dense 8 relu | "));
  dm_buf_clear(&text);
  net_free(m);
  free_table(&t);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nets_learn_classes_and_numbers),
      cmocka_unit_test(every_parameter_is_taken),
      cmocka_unit_test(a_quantile_is_above_its_share_of_targets),
      cmocka_unit_test(the_order_of_rows_and_duplicates_matter_little),
      cmocka_unit_test(weights_count),
      cmocka_unit_test(tiny_tables_can_be_learned),
      cmocka_unit_test(a_constant_target_comes_back_as_it_was),
      cmocka_unit_test(constant_columns_do_no_harm),
      cmocka_unit_test(classes_without_rows_have_no_probability),
      cmocka_unit_test(unseen_codes_are_like_the_mean_of_the_others),
      cmocka_unit_test(what_cannot_be_learned_is_refused),
      cmocka_unit_test(a_budget_that_is_too_small_is_named),
      cmocka_unit_test(threads_change_no_bit),
      cmocka_unit_test(a_loaded_net_scores_the_same_bits_in_every_batch),
      cmocka_unit_test(scores_that_are_not_finite_are_errors),
      cmocka_unit_test(forged_nets_are_refused),
      cmocka_unit_test(nets_read_well),
  };
  return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
