/* cba: cuts and a classifier by hand, the same rules as a search written the slow way, forged models. */
#include "data.h"

#include "patterns/cba.h"

#include <dm/patterns.h>
#include <math.h>

enum { MAX_D = 5, MAX_N = 200, MAX_TENSORS = 8, MAX_RULES = 3000 };

/* ---- tables ---------------------------------------------------------------------------------- */

typedef struct table {
  size_t n, d, k;
  double x[MAX_D][MAX_N], y[MAX_N];
  size_t levels[MAX_D];
} table;

static dm_ctx *new_cba_ctx(void) {
  static const dm_learner *const learners[] = {&dm_learner_cba, NULL};
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1, .learners = learners}, &ctx, NULL), DM_OK);
  return ctx;
}

/* Trains with parameters given as name, value, …, NULL. */
static dm_status try_train(dm_ctx *ctx, const table *t, const char *const *set, dm_model **out, dm_error *err) {
  const double *raw[MAX_D];
  dm_params *params = NULL;
  for (size_t j = 0; j < t->d; j++) raw[j] = t->x[j];
  const dm_block block = {.kind = DM_BLOCK_RAW, .d = t->d, .raw = raw, .levels = t->levels};
  const dm_dataset data = {.n = t->n, .n_blocks = 1, .blocks = &block, .target = t->y, .n_classes = t->k};
  assert_int_equal(dm_params_new(ctx, "cba", dm_learner_cba.params, &params, NULL), DM_OK);
  for (; set && *set; set += 2) assert_int_equal(dm_params_set(params, set[0], set[1], NULL), DM_OK);
  dm_status s = dm_learner_cba.train(ctx, &(dm_training){.train = &data}, params, out, err);
  dm_params_free(params);
  return s;
}

static dm_model *train(dm_ctx *ctx, const table *t, const char *const *set) {
  dm_model *m = NULL;
  dm_error err = {0};
  if (try_train(ctx, t, set, &m, &err) != DM_OK) fail_msg("%s", err.message);
  return m;
}

static double predict(const dm_model *m, const double *x, double *proba, uint32_t *rule) {
  double value = -1;
  uint32_t work[MAX_D];
  assert_true(m->work <= sizeof work);
  dm_batch batch = {.n = 1, .d = m->d, .x = x, .value = &value, .proba = proba, .leaf = rule, .work = work};
  assert_int_equal(m->learner->predict(m, DM_OUT_VALUE | (proba ? DM_OUT_PROBA : 0) | (rule ? DM_OUT_LEAF : 0), &batch, NULL), DM_OK);
  return value;
}

/* ---- cuts ---------------------------------------------------------------------------------------- */

static void are_cuts(const double *x, const uint32_t *y, size_t n, size_t k, size_t bins, const double *want, size_t n_want) {
  dm_ctx *ctx = new_cba_ctx();
  double *cuts;
  size_t m;
  assert_int_equal(cba_cuts(ctx, x, y, n, k, bins, &cuts, &m, NULL), DM_OK);
  assert_int_equal(m, n_want);
  for (size_t i = 0; i < m; i++) assert_true(cuts[i] == want[i]);
  dm_free(ctx, cuts);
  dm_ctx_free(ctx);
}

/*
 * 8 rows, half of each class, cut where they change: the gain is 1 bit, a cut
 * costs (log2 7 + log2 7 - 2) / 8 = 0.45. With 2 rows there is nothing to gain:
 * 1 < (log2 1 + log2 7 - 2) / 2 = 0.40 is wrong, so even these are cut.
 */
static void test_cuts(void **state) {
  (void)state;
  const double x[] = {8, 1, 2, (double)NAN, 3, 4, 7, 6, 5};
  const uint32_t y[] = {1, 0, 0, 0, 0, 0, 1, 1, 1};
  are_cuts(x, y, 9, 2, 0, (const double[]){4.5}, 1);
  are_cuts((const double[]){1, 2}, (const uint32_t[]){0, 1}, 2, 2, 0, (const double[]){1.5}, 1);
  /* three blocks of 20: the first cut gains .25 bits and costs .15; of three blocks of 10 it would cost .26, which leaves quarters */
  double z[60];
  uint32_t c[60];
  for (size_t i = 0; i < 60; i++) {
    z[i] = (double)i;
    c[i] = i / 20 == 1;
  }
  are_cuts(z, c, 60, 2, 0, (const double[]){19.5, 39.5}, 2);
  for (size_t i = 0; i < 30; i++) c[i] = i / 10 == 1;
  are_cuts(z, c, 30, 2, 0, (const double[]){6.5, 14.5, 21.5}, 3);
  /* classes that change at every value tell nothing: quarters */
  for (size_t i = 0; i < 30; i++) c[i] = i % 2;
  are_cuts(z, c, 16, 2, 0, (const double[]){3.5, 7.5, 11.5}, 3);
  are_cuts(z, c, 30, 2, 3, (const double[]){9.5, 19.5}, 2);
  /* one value, none, two that are neighbours in double, two that are far apart */
  are_cuts((const double[]){3, 3, 3}, c, 3, 2, 0, NULL, 0);
  are_cuts((const double[]){(double)NAN}, c, 1, 2, 0, NULL, 0);
  const double next = nextafter(1, 2);
  are_cuts((const double[]){1, next}, c, 2, 2, 0, (const double[]){1}, 1);
  are_cuts((const double[]){-1.5e308, 1.5e308}, c, 2, 2, 0, (const double[]){-1.5e308}, 1);
}

/* ---- by hand ----------------------------------------------------------------------------------------- */

/*
 * colour (red, blue), size 1 … 10 and a class. Nine red ones are all yes; of eleven blue ones those above 5 are yes.
 *   size    red   1 2 3 4 5 6 7 8 9      blue  1 2 3 4 5 5 6 7 8 9 10
 * The colour decides nine rows and size > 5.5 the rest, all of them right.
 */
static void fill_by_hand(table *t) {
  static const double blue[] = {1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10};
  *t = (table){.n = 20, .d = 2, .k = 2, .levels = {2, 0}};
  for (size_t i = 0; i < 20; i++) {
    t->x[0][i] = i < 9 ? 1 : 0;
    t->x[1][i] = i < 9 ? (double)i + 1 : blue[i - 9];
    t->y[i] = i < 9 || blue[i - 9] > 5;
  }
}

static void test_by_hand(void **state) {
  (void)state;
  dm_ctx *ctx = new_cba_ctx();
  table t;
  dm_buf text;
  double proba[2];
  uint32_t rule;
  fill_by_hand(&t);
  dm_model *m = train(ctx, &t, (const char *const[]){"bins", "2", NULL});
  dm_buf_init(&text, ctx, NULL);
  assert_int_equal(dm_learner_cba.describe(m, NULL, &text, NULL), DM_OK);
  /* 9 rows each are red, and above 5.5: the support of both rules is 9, and columns decide the order; blue and at most 5.5 are 6 */
  assert_string_equal(text.p, "rules of classes (CBA): 2 rules and a default\n"
                              "1. x1 = 1: class 1 (9 rows, 1.000)\n"
                              "2. x2 > 5.5: class 1 (9 rows, 1.000)\n"
                              "otherwise: class 0 (6 rows, 1.000)\n");
  assert_true(predict(m, (const double[]){1, 2}, proba, &rule) == 1 && rule == 0);
  assert_true(proba[0] == 1 / 11.0 && proba[1] == 10 / 11.0);
  assert_true(predict(m, (const double[]){0, 5.6}, proba, &rule) == 1 && rule == 1);
  assert_true(predict(m, (const double[]){0, 5.5}, proba, &rule) == 0 && rule == 2);
  assert_true(proba[0] == 7 / 8.0 && proba[1] == 1 / 8.0);
  assert_true(predict(m, (const double[]){-1, (double)NAN}, NULL, &rule) == 0 && rule == 2); /* unseen, missing: no rule */
  assert_true(predict(m, (const double[]){(double)NAN, 99}, NULL, &rule) == 1 && rule == 1);
  dm_json_out json;
  dm_buf_reset(&text);
  dm_json_out_init(&json, &text, false);
  assert_int_equal(dm_learner_cba.trace(m, NULL, (const double[]){0, 7}, &json, NULL), DM_OK);
  assert_string_equal(text.p, "[{\"feature\":\"x2\",\"test\":\"x2 > 5.5\",\"value\":7.0},"
                              "{\"rule\":2,\"default\":false,\"class\":\"class 1\",\"rows\":9.0,\"confidence\":1.0}]");
  dm_buf_clear(&text);
  cba_free(m);
  dm_ctx_free(ctx);
}

/* ---- the slow way ----------------------------------------------------------------------------------------- */

typedef struct slow_rule {
  int code[MAX_D]; /* -1: any */
  size_t n, y, both, body;
} slow_rule;

static bool holds(const slow_rule *r, const table *t, size_t i) {
  for (size_t j = 0; j < t->d; j++)
    if (r->code[j] >= 0 && !(t->x[j][i] == (double)r->code[j])) return false;
  return true;
}

/* The order of the rules; what decides last are the columns and their levels. */
static int compare_rules(const void *a, const void *b) {
  const slow_rule *x = a, *y = b;
  size_t left = x->both * y->body, right = y->both * x->body;
  if (left != right) return left > right ? -1 : 1;
  if (x->both != y->both) return x->both > y->both ? -1 : 1;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  for (size_t j = 0; j < MAX_D; j++) {
    if (x->code[j] == y->code[j]) continue;
    if (x->code[j] < 0 || y->code[j] < 0) return x->code[j] < 0 ? 1 : -1;
    return x->code[j] < y->code[j] ? -1 : 1;
  }
  return (x->y > y->y) - (x->y < y->y);
}

static size_t all_rules(const table *t, size_t min_support, double min_confidence, slow_rule *rules) {
  size_t n = 0, combinations = 1;
  for (size_t j = 0; j < t->d; j++) combinations *= t->levels[j] + 1;
  for (size_t c = 1; c < combinations; c++) {
    slow_rule r = {.n = 0};
    size_t rest = c, count[4] = {0};
    for (size_t j = 0; j < MAX_D; j++) {
      r.code[j] = -1;
      if (j >= t->d) continue;
      r.code[j] = (int)(rest % (t->levels[j] + 1)) - 1;
      rest /= t->levels[j] + 1;
      r.n += r.code[j] >= 0;
    }
    for (size_t i = 0; i < t->n; i++)
      if (holds(&r, t, i)) {
        r.body++;
        count[(size_t)t->y[i]]++;
      }
    for (size_t y = 0; y < t->k; y++) {
      r.y = y;
      r.both = count[y];
      if (r.both >= min_support && (double)r.both / (double)r.body >= min_confidence) rules[n++] = r;
    }
  }
  qsort(rules, n, sizeof *rules, compare_rules);
  return n;
}

static size_t most_frequent(const table *t, const bool *done, size_t *rows, size_t *most) {
  size_t count[4] = {0}, best = 0;
  *rows = 0;
  for (size_t i = 0; i < t->n; i++)
    if (!done[i]) {
      count[(size_t)t->y[i]]++;
      ++*rows;
    }
  for (size_t y = 1; y < t->k; y++)
    if (count[y] > count[best]) best = y;
  *most = count[best];
  return best;
}

/* M1: kept rules, in place, up to the fewest errors. @param otherwise out: the default class */
static size_t slow_cover(const table *t, slow_rule *rules, size_t n, size_t *otherwise) {
  bool done[MAX_N] = {false};
  size_t kept = 0, errors = 0, rows, most, best = 0;
  *otherwise = most_frequent(t, done, &rows, &most);
  size_t least = rows - most;
  for (size_t r = 0; r < n; r++) {
    bool right = false;
    for (size_t i = 0; i < t->n; i++) right |= !done[i] && holds(&rules[r], t, i) && (size_t)t->y[i] == rules[r].y;
    if (!right) continue;
    for (size_t i = 0; i < t->n; i++) {
      if (done[i] || !holds(&rules[r], t, i)) continue;
      done[i] = true;
      errors += (size_t)t->y[i] != rules[r].y;
    }
    rules[kept++] = rules[r];
    size_t class_left = most_frequent(t, done, &rows, &most);
    if (errors + rows - most >= least) continue;
    least = errors + rows - most;
    best = kept;
    *otherwise = class_left;
    if (rows == 0) *otherwise = most_frequent(t, (const bool[MAX_N]){false}, &rows, &most);
  }
  return best;
}

static void fill_at_random(table *t, uint64_t seed) {
  static const size_t levels[] = {2, 3, 4, 2};
  dm_rng rng;
  dm_rng_init(&rng, seed, 0);
  *t = (table){.n = 150, .d = 4, .k = 3};
  for (size_t j = 0; j < 4; j++) t->levels[j] = levels[j];
  for (size_t i = 0; i < t->n; i++) {
    for (size_t j = 0; j < 4; j++) t->x[j][i] = dm_rng_below(&rng, 12) ? (double)dm_rng_below(&rng, levels[j]) : (double)NAN;
    bool known = t->x[1][i] == 2 || (t->x[0][i] == 1 && t->x[2][i] == 3);
    t->y[i] = known && dm_rng_below(&rng, 8) ? 1 : (double)dm_rng_below(&rng, 3);
  }
}

static void test_slow_way(void **state) {
  (void)state;
  dm_ctx *ctx = new_cba_ctx();
  static table t;
  static slow_rule rules[MAX_RULES];
  for (uint64_t seed = 0; seed < 20; seed++) {
    size_t otherwise;
    fill_at_random(&t, seed);
    size_t n = all_rules(&t, 3, 0.5, rules);
    n = slow_cover(&t, rules, n, &otherwise);
    dm_model *m = train(ctx, &t, (const char *const[]){"min_support", "3", "pruning", "none", NULL});
    const cba_model *c = (const cba_model *)m;
    assert_int_equal(c->n_rules, n);
    for (size_t r = 0; r < n; r++) {
      size_t conditions = 0;
      for (uint32_t i = c->start[r]; i < c->start[r + 1]; i++, conditions++) assert_int_equal(rules[r].code[c->feature[i]], (int)c->code[i]);
      assert_int_equal(conditions, rules[r].n);
      assert_true(c->best[r] == (double)rules[r].y && c->count[r * 3 + rules[r].y] == (double)rules[r].both);
    }
    assert_true(c->best[n] == (double)otherwise);
    cba_free(m);
  }
  dm_ctx_free(ctx);
}

/* Pruning leaves out rules, never what their parts say alone; a limit of size is kept. */
static void test_fewer_rules(void **state) {
  (void)state;
  dm_ctx *ctx = new_cba_ctx();
  static table t;
  size_t longest = 0;
  fill_at_random(&t, 3);
  dm_model *pruned = train(ctx, &t, (const char *const[]){"min_support", "3", NULL});
  dm_model *whole = train(ctx, &t, (const char *const[]){"min_support", "3", "pruning", "none", NULL});
  dm_model *small = train(ctx, &t, (const char *const[]){"min_support", "3", "pruning", "none", "max_size", "1", NULL});
  const cba_model *p = (const cba_model *)pruned, *w = (const cba_model *)whole, *s = (const cba_model *)small;
  assert_true(p->n_rules < w->n_rules);
  for (size_t r = 0; r < s->n_rules; r++) assert_int_equal(s->start[r + 1] - s->start[r], 1);
  for (size_t r = 0; r < w->n_rules; r++)
    if (w->start[r + 1] - w->start[r] > longest) longest = w->start[r + 1] - w->start[r];
  assert_true(longest > 1);
  cba_free(pruned);
  cba_free(whole);
  cba_free(small);
  dm_ctx_free(ctx);
}

/* ---- saved, loaded, forged ------------------------------------------------------------------------------ */

typedef struct tensor {
  char name[16];
  dm_dtype type;
  size_t shape[2], rank, bytes;
  void *data;
} tensor;

typedef struct shelf {
  dm_ctx *ctx;
  tensor tensors[MAX_TENSORS];
  size_t n;
} shelf;

static dm_status put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data, dm_error *err) {
  shelf *s = w->user;
  tensor *t = &s->tensors[s->n++];
  *t = (tensor){.type = type, .rank = rank, .shape = {shape[0], rank > 1 ? shape[1] : 1}};
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  t->bytes = t->shape[0] * t->shape[1] * dm_dtype_size(type);
  t->data = dm_alloc(s->ctx, t->bytes + 1, 1, "tensor", err);
  assert_non_null(t->data);
  if (t->bytes) memcpy(t->data, data, t->bytes);
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
  dm_buf text;
  dm_json_out json;
  *s = (shelf){.ctx = ctx};
  dm_buf_init(&text, ctx, NULL);
  dm_json_out_init(&json, &text, false);
  dm_json_object(&json);
  dm_model_writer w = {.user = s, .json = &json, .tensor = put};
  assert_int_equal(m->learner->save(m, &w, NULL), DM_OK);
  dm_json_end_object(&json);
  dm_buf_clear(&text);
}

static tensor *find_tensor(shelf *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->tensors[i].name, name) == 0) return &s->tensors[i];
  fail_msg("no tensor %s", name);
  return NULL;
}

static void clear(shelf *s) {
  for (size_t i = 0; i < s->n; i++) dm_free(s->ctx, s->tensors[i].data);
}

static dm_status load(shelf *s, const table *t, dm_model **out, dm_error *err) {
  const dm_model_reader r = {.user = s, .d = t->d, .n_classes = t->k, .levels = t->levels, .tensor = get};
  return dm_learner_cba.load(s->ctx, &r, out, err);
}

static void test_loaded(void **state) {
  (void)state;
  dm_ctx *ctx = new_cba_ctx();
  static table t;
  shelf first, second;
  dm_model *loaded = NULL;
  fill_at_random(&t, 9);
  t.levels[2] = 0; /* a number with missing values */
  dm_model *m = train(ctx, &t, NULL);
  save(ctx, m, &first);
  assert_int_equal(load(&first, &t, &loaded, NULL), DM_OK);
  save(ctx, loaded, &second);
  assert_int_equal(first.n, second.n);
  for (size_t i = 0; i < first.n; i++) {
    assert_int_equal(first.tensors[i].bytes, second.tensors[i].bytes);
    assert_memory_equal(first.tensors[i].data, second.tensors[i].data, first.tensors[i].bytes);
  }
  for (size_t i = 0; i < t.n; i++) {
    double x[MAX_D], a[3], b[3];
    for (size_t j = 0; j < t.d; j++) x[j] = t.x[j][i];
    assert_true(predict(m, x, a, NULL) == predict(loaded, x, b, NULL));
    assert_memory_equal(a, b, sizeof a);
  }
  cba_free(m);
  cba_free(loaded);
  clear(&first);
  clear(&second);
  dm_ctx_free(ctx);
}

/* One number of a tensor changed, or its shape when at is -1, and part of what is said of it. */
static void is_refused(const char *name, int at, double value, const char *why) {
  dm_ctx *ctx = new_cba_ctx();
  table t;
  shelf s;
  dm_model *loaded = NULL;
  dm_error err = {0};
  fill_by_hand(&t);
  dm_model *m = train(ctx, &t, (const char *const[]){"bins", "3", "min_support", "2", "pruning", "none", NULL});
  assert_true(((const cba_model *)m)->n_rules >= 2);
  save(ctx, m, &s);
  tensor *changed = find_tensor(&s, name);
  if (at < 0)
    changed->shape[0] = (size_t)value;
  else if (changed->type == DM_F64)
    ((double *)changed->data)[at] = value;
  else
    ((int32_t *)changed->data)[at] = (int32_t)value;
  assert_int_equal(load(&s, &t, &loaded, &err), DM_EINPUT);
  assert_null(loaded);
  if (!strstr(err.message, why)) fail_msg("%s", err.message);
  cba_free(m);
  clear(&s);
  dm_ctx_free(ctx);
}

static void test_forged(void **state) {
  (void)state;
  is_refused("cut", 0, (double)NAN, "cuts do not rise");
  is_refused("cut", 1, -7, "cuts do not rise");
  is_refused("cut_start", 0, 1, "cuts are out of range");
  is_refused("cut_start", 1, -1, "cuts are out of range");
  is_refused("cut_start", 1, 1, "a category has cuts");
  is_refused("cut_start", 2, 99, "cuts are out of range");
  is_refused("cut_start", -1, 2, "do not fit together");
  is_refused("start", 1, 9999, "rules are out of range");
  is_refused("start", -1, 1, "do not fit together");
  is_refused("feature", 0, 2, "a column is out of range");
  is_refused("feature", 0, -1, "a column is out of range");
  is_refused("code", 0, -1, "a bin or level is out of range");
  is_refused("code", 0, 3, "a bin or level is out of range");
  is_refused("code", -1, 1, "do not fit together");
  is_refused("count", 0, -1, "a count is out of range");
  is_refused("count", 0, (double)NAN, "a count is out of range");
  is_refused("count", 0, (double)INFINITY, "a count is out of range");
  is_refused("count", -1, 0, "another shape");
}

/* ---- what cannot be learned from --------------------------------------------------------------------------- */

static void test_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_cba_ctx();
  table t;
  dm_model *m = NULL;
  dm_error err = {0};
  fill_by_hand(&t);
  assert_int_equal(try_train(ctx, &t, (const char *const[]){"min_support", "2.5", NULL}, &m, &err), DM_EUSAGE);
  assert_int_equal(try_train(ctx, &t, (const char *const[]){"min_support", "21", NULL}, &m, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "there are 20 rows"));
  t.x[1][4] = (double)INFINITY;
  assert_int_equal(try_train(ctx, &t, NULL, &m, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "infinite in row 5"));
  fill_by_hand(&t);
  for (size_t i = 0; i < t.n; i++) t.y[i] = 1;
  assert_int_equal(try_train(ctx, &t, NULL, &m, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "one class"));
  fill_by_hand(&t); /* nothing to make rules of: the most frequent class */
  for (size_t i = 0; i < t.n; i++) t.x[0][i] = t.x[1][i] = (double)NAN;
  m = train(ctx, &t, NULL);
  assert_int_equal(((const cba_model *)m)->n_rules, 0);
  double proba[2];
  assert_true(predict(m, (const double[]){0, 1}, proba, NULL) == 1 && proba[1] == 15 / 22.0);
  cba_free(m);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cuts),   cmocka_unit_test(test_by_hand), cmocka_unit_test(test_slow_way), cmocka_unit_test(test_fewer_rules),
      cmocka_unit_test(test_loaded), cmocka_unit_test(test_forged),  cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
