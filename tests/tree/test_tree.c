/* tree: properties of what is grown; limits, missing values, categories, bad targets, failing memory. */
#include "cmocka_all.h"
#include "tree/table.h"
#include "tree/grow.h"
#include "tree/model.h"

#include <float.h>

static const char *const depth_5[] = {"max_depth", "5", NULL};
static const char *const stump[] = {"max_depth", "1", NULL};

static const tree_model *inside(const dm_model *m) { return (const tree_model *)m; }

/* n rows: two numbers, one of few and one of many values, and a category; the target follows them with noise. */
static void fill_mixed(table *t, dm_ctx *ctx, size_t n, size_t k, bool missing) {
  table_init(t, ctx, n, 3, k);
  t->levels[2] = 6;
  for (size_t i = 0; i < n; i++) {
    t->columns[0][i] = (double)(mix(i) % 20);
    t->columns[1][i] = (double)(mix(i + n) % 100000) / 7;
    t->columns[2][i] = (double)(mix(i + 2 * n) % 6);
    uint64_t signal = (uint64_t)(t->columns[0][i] > 8) + (t->columns[1][i] > 5000) + (uint64_t)t->columns[2][i] % 2;
    if (mix(i + 3 * n) % 5 == 0) signal = mix(i + 4 * n) % 4;
    t->target[i] = (double)(k ? signal % k : signal * 3);
    for (size_t j = 0; missing && j < 3; j++)
      if (mix(i + (5 + j) * n) % 9 == 0) t->columns[j][i] = (double)NAN;
  }
}

static void same_trees(const dm_model *a, const dm_model *b) {
  const tree_model *x = inside(a), *y = inside(b);
  size_t k = a->n_classes ? a->n_classes : 1;
  assert_int_equal(x->m, y->m);
  assert_int_equal(x->n_subset, y->n_subset);
  assert_memory_equal(x->value, y->value, x->m * k * sizeof(double));
  assert_memory_equal(x->count, y->count, x->m * sizeof(double));
  for (size_t i = 0; i < x->m; i++) assert_near(x->impurity[i], y->impurity[i], a->n_classes ? 0 : 1e-13); /* sums of squares round */
  for (size_t i = 0; i < x->m; i++) {
    const tree_cell *c = &x->cells[i], *e = &y->cells[i];
    assert_true(c->kind == e->kind && c->feature == e->feature && c->left == e->left && c->right == e->right && c->subset == e->subset);
    assert_true(c->threshold == e->threshold && c->missing_left == e->missing_left && c->missing_seen == e->missing_seen);
  }
  if (x->n_subset) assert_memory_equal(x->subset, y->subset, x->n_subset * sizeof(uint32_t));
}

static void reverse(double *x, size_t n) {
  for (size_t i = 0; i < n / 2; i++) {
    double swap = x[i];
    x[i] = x[n - 1 - i];
    x[n - 1 - i] = swap;
  }
}

static void the_order_of_rows_does_not_matter(void **state) {
  (void)state;
  const size_t classes[] = {2, 4, 0};
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx = new_ctx(1);
    table t;
    fill_mixed(&t, ctx, 700, classes[c], true);
    dm_model *first = train(ctx, &t, depth_5);
    for (size_t j = 0; j < t.d; j++) reverse(t.columns[j], t.n);
    reverse(t.target, t.n);
    dm_model *second = train(ctx, &t, depth_5);
    assert_true(inside(first)->leaves > 8);
    same_trees(first, second);
    tree_free(first);
    tree_free(second);
    table_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

static void a_row_of_weight_two_is_two_rows(void **state) {
  (void)state;
  const size_t classes[] = {2, 4, 0};
  for (size_t c = 0; c < 3; c++) {
    dm_ctx *ctx = new_ctx(1);
    table once, twice;
    fill_mixed(&once, ctx, 400, classes[c], true);
    table_init(&twice, ctx, 600, 3, classes[c]);
    once.weights = dm_alloc(ctx, 400, sizeof(double), "table", NULL);
    twice.levels[2] = once.levels[2];
    for (size_t i = 0; i < 600; i++) {
      size_t from = i % 400;
      for (size_t j = 0; j < 3; j++) twice.columns[j][i] = once.columns[j][from];
      twice.target[i] = once.target[from];
      once.weights[from] = from < 200 ? 2 : 1;
    }
    dm_model *a = train(ctx, &once, depth_5), *b = train(ctx, &twice, depth_5);
    same_trees(a, b);
    tree_free(a);
    tree_free(b);
    table_clear(&once, ctx);
    table_clear(&twice, ctx);
    dm_ctx_free(ctx);
  }
}

static void rows_of_weight_zero_are_not_there(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t, half;
  fill_mixed(&t, ctx, 400, 2, true);
  t.weights = dm_alloc(ctx, 400, sizeof(double), "table", NULL);
  for (size_t i = 0; i < 200; i++) t.weights[i] = 1;
  half = t;
  half.n = 200;
  half.weights = NULL;
  dm_model *a = train(ctx, &t, depth_5), *b = train(ctx, &half, depth_5);
  for (size_t i = 0; i < 400; i++) assert_near(predict(a, &t, i), predict(b, &t, i), 0);
  assert_near(inside(a)->count[0], 200, 0);
  tree_free(a);
  tree_free(b);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void one_and_two_threads_give_the_same_bits(void **state) {
  (void)state;
  static const char *const whole[] = {"ccp_alpha", "0", NULL}, *const *const sets[] = {NULL, whole};
  for (size_t c = 0; c < 4; c++) {
    dm_ctx *one = new_ctx(1), *two = new_ctx(2);
    table t;
    fill_mixed(&t, one, c < 2 ? 5000 : 70000, c % 2 ? 0 : 2, true);
    dm_model *a = train(one, &t, sets[c / 2]), *b = train(two, &t, sets[c / 2]);
    assert_true(inside(a)->leaves > 10);
    assert_near(inside(a)->alpha, inside(b)->alpha, 0);
    same_trees(a, b);
    assert_memory_equal(inside(a)->impurity, inside(b)->impurity, inside(a)->m * sizeof(double));
    tree_free(a);
    tree_free(b);
    table_clear(&t, one);
    dm_ctx_free(one);
    dm_ctx_free(two);
  }
}

/* ---- limits ---------------------------------------------------------------------- */

static void limits_are_kept(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  fill_mixed(&t, ctx, 600, 4, true);
  static const char *const leaf[] = {"min_samples_leaf", "25", "ccp_alpha", "0", NULL};
  static const char *const split[] = {"min_samples_split", "80", "ccp_alpha", "0", NULL};
  static const char *const decrease[] = {"min_impurity_decrease", "0.004", "ccp_alpha", "0", NULL};
  dm_model *by_leaf = train(ctx, &t, leaf), *by_split = train(ctx, &t, split), *by_decrease = train(ctx, &t, decrease),
           *by_depth = train(ctx, &t, depth_5);
  assert_int_equal(inside(by_depth)->depth, 5);
  for (size_t i = 0; i < inside(by_leaf)->m; i++) assert_true(inside(by_leaf)->count[i] >= 25);
  for (size_t i = 0; i < inside(by_split)->m; i++) assert_true(inside(by_split)->cells[i].kind == TREE_LEAF || inside(by_split)->count[i] >= 80);
  const tree_model *m = inside(by_decrease);
  for (size_t i = 0; i < m->m; i++) {
    const tree_cell *c = &m->cells[i];
    if (c->kind == TREE_LEAF) continue;
    double left = m->count[c->left] * m->impurity[c->left], right = m->count[c->right] * m->impurity[c->right];
    assert_true((m->count[i] * m->impurity[i] - left - right) / m->count[0] >= 0.004 - 1e-12);
  }
  assert_true(m->leaves > 2);
  tree_free(by_leaf);
  tree_free(by_split);
  tree_free(by_decrease);
  tree_free(by_depth);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* With alpha known beforehand nodes below it are not grown: the tree is that of growing all and pruning. */
static void growing_to_alpha_is_growing_and_pruning(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  fill_mixed(&t, ctx, 900, 4, true);
  const double *raw[3] = {t.columns[0], t.columns[1], t.columns[2]};
  static uint32_t rows[900];
  for (uint32_t i = 0; i < 900; i++) rows[i] = i;
  dm_block block = {.kind = DM_BLOCK_RAW, .d = 3, .raw = raw, .levels = t.levels};
  dm_dataset set = {.n = 900, .n_blocks = 1, .blocks = &block, .target = t.target, .n_classes = 4};
  tree_data data;
  tree_grown grown;
  tree_limits limits = {.criterion = TREE_GINI, .max_depth = 100, .min_samples_split = 2, .min_samples_leaf = 1};
  assert_int_equal(tree_data_init(ctx, &(dm_training){.train = &set}, &data, NULL), DM_OK);
  assert_int_equal(tree_grow(&data, &limits, rows, 900, 1, &grown, NULL), DM_OK);
  double *cut_at = dm_alloc(ctx, grown.m, sizeof *cut_at, "test", NULL);
  tree_step *steps = dm_alloc(ctx, grown.m, sizeof *steps, "test", NULL);
  size_t n;
  assert_int_equal(tree_path(&grown, NULL, cut_at, steps, &n, NULL), DM_OK);
  for (size_t s = 1; s < n; s++) assert_true(steps[s].alpha >= steps[s - 1].alpha && steps[s].impurity >= steps[s - 1].impurity - 1e-12);
  static const char *const alphas[] = {"0.0003", "0.001", "0.004", "0.02", "1"};
  for (size_t a = 0; a < 5; a++) {
    const char *const given[] = {"ccp_alpha", alphas[a], NULL};
    double alpha = strtod(alphas[a], NULL);
    dm_model *m = train(ctx, &t, given);
    size_t left = 0; /* nodes that stay: their parents are no leaves at alpha */
    for (size_t i = 0; i < grown.m; i++) left += grown.nodes[i].feature >= 0 && cut_at[i] > alpha;
    assert_int_equal(inside(m)->leaves, left + 1);
    tree_free(m);
  }
  dm_free(ctx, cut_at);
  dm_free(ctx, steps);
  tree_grown_clear(&grown);
  tree_data_clear(&data);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void validation_finds_the_signal_and_leaves_the_noise(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  table noise, signal;
  table_init(&noise, ctx, 500, 2, 2);
  table_init(&signal, ctx, 500, 2, 0);
  for (size_t i = 0; i < 500; i++) {
    for (size_t j = 0; j < 2; j++) noise.columns[j][i] = signal.columns[j][i] = (double)(mix(i + 500 * j) % 1000);
    noise.target[i] = (double)(mix(i + 1000) % 2);
    signal.target[i] = (signal.columns[0][i] > 500 ? 10 : 0) + (signal.columns[1][i] > 300 ? 4 : 0) + (double)(mix(i + 2000) % 100) / 100;
  }
  dm_model *a = train(ctx, &noise, NULL), *b = train(ctx, &signal, NULL);
  assert_true(inside(a)->leaves <= 3);
  assert_int_equal(inside(b)->leaves, 4);
  assert_true(inside(b)->alpha > 0);
  tree_free(a);
  tree_free(b);
  table_clear(&noise, ctx);
  table_clear(&signal, ctx);
  dm_ctx_free(ctx);
}

/* ---- missing values and odd columns -------------------------------------------------- */

static void missing_values_go_where_they_belong(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  table_init(&t, ctx, 90, 1, 2);
  for (size_t i = 0; i < 90; i++) { /* 0-59 in order, class 1 from 40 on; 60-89 missing */
    t.columns[0][i] = i < 60 ? (double)i : (double)NAN;
    t.target[i] = i >= 40;
  }
  dm_model *m = train(ctx, &t, stump);
  const tree_cell *root = inside(m)->cells;
  assert_near(root->threshold, 39.5, 0);
  assert_true(root->missing_seen);
  assert_false(root->missing_left);
  tree_free(m);
  for (size_t i = 60; i < 90; i++) t.target[i] = 0;
  m = train(ctx, &t, stump);
  assert_true(inside(m)->cells[0].missing_left);
  for (size_t i = 0; i < 90; i++) assert_near(predict(m, &t, i), t.target[i], 0);
  tree_free(m);
  for (size_t i = 0; i < 90; i++) t.target[i] = i >= 60; /* whether there is a value is all that counts */
  m = train(ctx, &t, NULL);
  assert_int_equal(inside(m)->leaves, 2);
  assert_near(inside(m)->cells[0].threshold, DBL_MAX, 0);
  for (size_t i = 0; i < 90; i++) assert_near(predict(m, &t, i), t.target[i], 0);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void values_never_seen_follow_the_larger_child(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  for (int larger_left = 0; larger_left < 2; larger_left++) {
    table t;
    table_init(&t, ctx, 100, 1, 2);
    t.levels[0] = 5; /* level 4 never occurs */
    for (size_t i = 0; i < 100; i++) {
      t.columns[0][i] = (double)(i % 4);
      t.target[i] = larger_left ? i % 4 == 3 : i % 4 > 0;
    }
    dm_model *m = train(ctx, &t, stump);
    assert_int_equal(inside(m)->leaves, 2);
    const double strange[] = {(double)NAN, -1, 4, 77};
    for (size_t i = 0; i < 4; i++) {
      double value = -1;
      dm_batch batch = {.n = 1, .d = 1, .x = &strange[i], .value = &value};
      assert_int_equal(m->learner->predict(m, DM_OUT_VALUE, &batch, NULL), DM_OK);
      assert_near(value, larger_left ? 0 : 1, 0);
    }
    tree_free(m);
    table_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

static void constant_and_empty_columns_are_never_chosen(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  table_init(&t, ctx, 200, 4, 2);
  t.levels[3] = 3;
  for (size_t i = 0; i < 200; i++) {
    t.columns[0][i] = 7;
    t.columns[1][i] = t.columns[3][i] = (double)NAN;
    t.columns[2][i] = (double)(mix(i) % 50);
    t.target[i] = t.columns[2][i] > 20;
  }
  dm_model *m = train(ctx, &t, NULL);
  assert_int_equal(inside(m)->leaves, 2);
  assert_int_equal(inside(m)->cells[0].feature, 2);
  tree_free(m);
  for (size_t i = 0; i < 200; i++) t.columns[2][i] = 3;
  m = train(ctx, &t, NULL);
  assert_int_equal(inside(m)->m, 1);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void neighbouring_doubles_are_told_apart(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  table_init(&t, ctx, 60, 1, 2);
  double low = 9007199254740991.0, high = 9007199254740992.0;
  for (size_t i = 0; i < 60; i++) {
    t.columns[0][i] = i % 2 ? high : low;
    t.target[i] = (double)(i % 2);
  }
  dm_model *m = train(ctx, &t, NULL);
  for (size_t i = 0; i < 60; i++) assert_near(predict(m, &t, i), t.target[i], 0);
  tree_free(m);
  for (size_t i = 0; i < 60; i++) t.columns[0][i] = i % 2 ? DBL_MAX : -DBL_MAX; /* their sum overflows */
  m = train(ctx, &t, NULL);
  for (size_t i = 0; i < 60; i++) assert_near(predict(m, &t, i), t.target[i], 0);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- categories -------------------------------------------------------------------- */

/* Weighted impurity of the two sides of a subset of levels; missing rows, of code `levels`, count as a level. */
static double cost_of(const table *t, tree_criterion criterion, size_t levels, size_t subset) {
  double stat[2][8] = {{0}}, squares[2] = {0, 0}, cost = 0;
  size_t k = t->k ? t->k : 2;
  for (size_t i = 0; i < t->n; i++) {
    size_t side = subset >> (isnan(t->columns[0][i]) ? levels : (size_t)t->columns[0][i]) & 1;
    if (t->k) {
      stat[side][(size_t)t->target[i]]++;
    } else {
      stat[side][0]++;
      stat[side][1] += t->target[i];
      squares[side] += t->target[i] * t->target[i];
    }
  }
  for (size_t s = 0; s < 2; s++) {
    double w = 0;
    for (size_t c = 0; c < (t->k ? k : 1); c++) w += stat[s][c];
    if (w == 0) return (double)INFINITY;
    cost += t->k ? w * tree_impurity(criterion, stat[s], k) : squares[s] - stat[s][1] * stat[s][1] / w;
  }
  return cost / (double)t->n;
}

static void subsets_are_the_best_of_all(void **state) {
  (void)state;
  for (size_t trial = 0; trial < 60; trial++) {
    size_t k = trial % 3 == 0 ? 0 : trial % 3 + 1, levels = 3 + trial % 6;
    bool missing = trial % 2, entropy = k && trial % 4 < 2;
    dm_ctx *ctx = new_ctx(1);
    table t;
    table_init(&t, ctx, 120, 1, k);
    t.levels[0] = levels;
    for (size_t i = 0; i < 120; i++) {
      size_t level = mix(i + 1000 * trial) % levels;
      t.columns[0][i] = missing && mix(i + 7) % 8 == 0 ? (double)NAN : (double)level;
      t.target[i] = (double)(mix(i * 31 + level * 17 + trial) % (2 + (level + trial) % 3) % (k ? k : 9));
    }
    const char *const set[] = {"max_depth", "1", "criterion", entropy ? "entropy" : "auto", NULL};
    dm_model *model = train(ctx, &t, set);
    const tree_model *m = inside(model);
    assert_int_equal(m->m, 3);
    double best = (double)INFINITY, got = 0;
    for (size_t subset = 1; subset < (size_t)1 << (levels + 1); subset++)
      best = fmin(best, cost_of(&t, entropy ? TREE_ENTROPY : TREE_GINI, levels, subset));
    for (size_t i = 1; i < 3; i++) got += m->impurity[i] * m->count[i] / m->count[0];
    assert_near(got, best, 1e-12);
    tree_free(model);
    table_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

/* Many levels and classes: levels of two kinds, told apart by their class shares. */
static void many_levels_and_classes_are_parted(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  table_init(&t, ctx, 4000, 1, 5);
  t.levels[0] = 400;
  for (size_t i = 0; i < 4000; i++) {
    size_t level = i % 400;
    t.columns[0][i] = (double)level;
    t.target[i] = (double)(mix(level) % 2 ? mix(i) % 2 : 2 + mix(i) % 3);
  }
  dm_model *m = train(ctx, &t, stump);
  for (size_t i = 0; i < 4000; i++) assert_int_equal(predict(m, &t, i) < 2, t.target[i] < 2);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* A name for every row splits the rows perfectly and says nothing of others. */
static void names_do_not_hide_the_signal(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  table t;
  table_init(&t, ctx, 600, 3, 2);
  t.levels[0] = 600;
  t.levels[2] = 290;
  for (size_t i = 0; i < 600; i++) {
    t.columns[0][i] = (double)(599 - i);
    t.columns[1][i] = (double)(mix(i) % 100);
    t.columns[2][i] = (double)(i % 290);
    t.target[i] = t.columns[1][i] > 40 ? mix(i + 600) % 8 > 0 : mix(i + 600) % 8 == 0;
  }
  dm_model *m = train(ctx, &t, NULL);
  assert_int_equal(inside(m)->leaves, 2);
  assert_int_equal(inside(m)->cells[0].feature, 1);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* Rare levels go where missing ones were learned to go, whatever they say themselves. */
static void rare_levels_count_as_missing(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t;
  table_init(&t, ctx, 300, 1, 2);
  t.levels[0] = 70; /* 0 and 35: 100 rows each; the others 1 or 2 rows */
  for (size_t i = 0; i < 300; i++) {
    t.columns[0][i] = i < 200 ? (double)(i % 2 * 35) : (double)(i % 70);
    t.target[i] = t.columns[0][i] != 35;
  }
  t.target[299] = 0;
  dm_model *m = train(ctx, &t, stump);
  for (size_t level = 0; level < 70; level++) {
    t.columns[0][0] = (double)level;
    assert_near(predict(m, &t, 0), level != 35, 0);
  }
  t.columns[0][0] = -1;
  assert_near(predict(m, &t, 0), 1, 0);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- what cannot be learned from --------------------------------------------------------- */

static void refuses(dm_ctx *ctx, const table *t, const char *const *set, dm_status status, const char *message) {
  dm_model *m = NULL;
  dm_error err = {0};
  assert_int_equal(train_status(ctx, t, set, &m, &err), status);
  assert_non_null(strstr(err.message, message));
  assert_null(m);
}

static void what_cannot_be_learned_from_is_refused(void **state) {
  (void)state;
  static const char *const wrong_for_numbers[] = {"criterion", "gini", NULL}, *const wrong_for_classes[] = {"criterion", "squared_error", NULL};
  dm_ctx *ctx = new_ctx(1);
  table t, few;
  fill_mixed(&t, ctx, 50, 2, false);
  refuses(ctx, &t, wrong_for_classes, DM_EUSAGE, "tree: criterion = squared_error, want gini, entropy or auto for this target");
  few = t;
  few.k = 0;
  refuses(ctx, &few, wrong_for_numbers, DM_EUSAGE, "tree: criterion = gini, want squared_error or auto");
  few = t;
  few.n = 1;
  refuses(ctx, &few, NULL, DM_EINPUT, "tree: 1 row to learn from, want 2 or more");
  few.n = 0;
  refuses(ctx, &few, NULL, DM_EINPUT, "tree: 0 rows to learn from");
  few = t;
  few.d = 0;
  refuses(ctx, &few, NULL, DM_EINPUT, "tree: there is no column to learn from");
  t.columns[1][7] = -(double)INFINITY;
  refuses(ctx, &t, NULL, DM_EINPUT, "is infinite in row 8");
  t.columns[1][7] = 0;
  t.target[3] = (double)NAN;
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: row 4 has no class");
  t.target[3] = 2;
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: row 4 has no class");
  for (size_t i = 0; i < t.n; i++) t.target[i] = 1;
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: all rows are of one class: nothing to learn");
  t.target[3] = 0;
  t.weights = dm_alloc(ctx, 50, sizeof(double), "table", NULL);
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: all weights are 0");
  t.weights[9] = -1;
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: the weight of row 10 is -1, want >= 0");
  t.k = 0;
  t.weights[9] = 1;
  t.target[3] = (double)INFINITY;
  refuses(ctx, &t, NULL, DM_EINPUT, "tree: the target of row 4 is infinite");
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

static void two_rows_are_enough(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  table t;
  table_init(&t, ctx, 2, 1, 2);
  t.columns[0][1] = t.target[1] = 1;
  dm_model *m = train(ctx, &t, depth_5);
  assert_int_equal(inside(m)->leaves, 2);
  tree_free(m);
  m = train(ctx, &t, NULL);
  assert_true(inside(m)->leaves <= 2);
  tree_free(m);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* Rows of one group stay together; two groups make two folds, one group none. */
static void groups_decide_the_folds(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  for (size_t n_groups = 1; n_groups < 8; n_groups += 2) {
    table t;
    fill_mixed(&t, ctx, 300, 0, false);
    double groups[300];
    for (size_t i = 0; i < 300; i++) groups[i] = (double)(i % n_groups);
    const double *raw[3] = {t.columns[0], t.columns[1], t.columns[2]};
    dm_block block = {.kind = DM_BLOCK_RAW, .d = 3, .raw = raw, .levels = t.levels};
    dm_dataset data = {.n = t.n, .n_blocks = 1, .blocks = &block, .target = t.target, .groups = groups};
    dm_params *params = NULL;
    dm_model *m = NULL;
    assert_int_equal(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
    assert_int_equal(dm_learner_tree.train(ctx, &(dm_training){.train = &data}, params, &m, NULL), DM_OK);
    assert_true(inside(m)->leaves > 2);
    tree_free(m);
    dm_params_free(params);
    table_clear(&t, ctx);
  }
  dm_ctx_free(ctx);
}

/* Rows given for validation decide instead of folds. */
static void a_validation_part_is_used(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(1);
  table t, other;
  fill_mixed(&t, ctx, 600, 2, false);
  fill_mixed(&other, ctx, 300, 2, false);
  for (size_t i = 0; i < 300; i++) other.target[i] = 1; /* says that only the class matters: no split helps */
  dm_block blocks[2];
  dm_dataset sets[2];
  const double *raw[2][3];
  const table *tables[2] = {&t, &other};
  for (size_t s = 0; s < 2; s++) {
    for (size_t j = 0; j < 3; j++) raw[s][j] = tables[s]->columns[j];
    blocks[s] = (dm_block){.kind = DM_BLOCK_RAW, .d = 3, .raw = raw[s], .levels = t.levels};
    sets[s] = (dm_dataset){.n = tables[s]->n, .n_blocks = 1, .blocks = &blocks[s], .target = tables[s]->target, .n_classes = 2};
  }
  dm_params *params = NULL;
  dm_model *self = NULL, *against = NULL;
  assert_int_equal(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  assert_int_equal(dm_learner_tree.train(ctx, &(dm_training){.train = &sets[0], .valid = &sets[0]}, params, &self, NULL), DM_OK);
  assert_int_equal(dm_learner_tree.train(ctx, &(dm_training){.train = &sets[0], .valid = &sets[1]}, params, &against, NULL), DM_OK);
  assert_true(inside(self)->leaves > 50); /* the training rows themselves never ask for pruning */
  assert_true(inside(against)->leaves < inside(self)->leaves / 2);
  tree_free(self);
  tree_free(against);
  dm_params_free(params);
  table_clear(&t, ctx);
  table_clear(&other, ctx);
  dm_ctx_free(ctx);
}

static void a_cancelled_training_stops(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2);
  table t;
  fill_mixed(&t, ctx, 500, 2, true);
  dm_ctx_cancel(ctx);
  refuses(ctx, &t, NULL, DM_ECANCEL, "interrupted");
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

/* ---- failing memory ------------------------------------------------------------------------ */

typedef struct faulty {
  size_t calls, fail_at; /* fail_at 0 = never */
} faulty;

static void *faulty_allocate(void *user, size_t size, size_t alignment) {
  faulty *f = user;
  return ++f->calls == f->fail_at ? NULL : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void faulty_release(void *user, void *block) {
  (void)user;
  free(block);
}

static void every_failing_allocation_is_an_error_without_a_leak(void **state) {
  (void)state;
  faulty f = {0, 0};
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.allocate = faulty_allocate, .release = faulty_release, .user = &f, .threads = 1};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  table t;
  fill_mixed(&t, ctx, 300, 4, true);
  size_t held = dm_ctx_memory(ctx);
  dm_model *m = train(ctx, &t, NULL);
  tree_free(m);
  f.calls = 0;
  const double *raw[3] = {t.columns[0], t.columns[1], t.columns[2]};
  dm_block block = {.kind = DM_BLOCK_RAW, .d = 3, .raw = raw, .levels = t.levels};
  dm_dataset data = {.n = t.n, .n_blocks = 1, .blocks = &block, .target = t.target, .n_classes = t.k};
  dm_params *params = NULL;
  assert_int_equal(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, NULL), DM_OK);
  size_t before = dm_ctx_memory(ctx), failed = 0;
  for (size_t at = 1;; at++) {
    dm_error err = {0};
    f = (faulty){0, at};
    m = NULL;
    dm_status s = dm_learner_tree.train(ctx, &(dm_training){.train = &data}, params, &m, &err);
    if (s == DM_OK) break;
    failed++;
    assert_int_equal(s, DM_EBUDGET);
    assert_int_equal(err.code, DM_EBUDGET);
    assert_int_equal(dm_ctx_memory(ctx), before);
  }
  assert_true(failed > 30);
  f.fail_at = 0;
  tree_free(m);
  dm_params_free(params);
  assert_int_equal(dm_ctx_memory(ctx), held);
  table_clear(&t, ctx);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_of_rows_does_not_matter),
      cmocka_unit_test(a_row_of_weight_two_is_two_rows),
      cmocka_unit_test(rows_of_weight_zero_are_not_there),
      cmocka_unit_test(one_and_two_threads_give_the_same_bits),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(growing_to_alpha_is_growing_and_pruning),
      cmocka_unit_test(validation_finds_the_signal_and_leaves_the_noise),
      cmocka_unit_test(missing_values_go_where_they_belong),
      cmocka_unit_test(values_never_seen_follow_the_larger_child),
      cmocka_unit_test(constant_and_empty_columns_are_never_chosen),
      cmocka_unit_test(neighbouring_doubles_are_told_apart),
      cmocka_unit_test(subsets_are_the_best_of_all),
      cmocka_unit_test(many_levels_and_classes_are_parted),
      cmocka_unit_test(names_do_not_hide_the_signal),
      cmocka_unit_test(rare_levels_count_as_missing),
      cmocka_unit_test(what_cannot_be_learned_from_is_refused),
      cmocka_unit_test(two_rows_are_enough),
      cmocka_unit_test(groups_decide_the_folds),
      cmocka_unit_test(a_validation_part_is_used),
      cmocka_unit_test(a_cancelled_training_stops),
      cmocka_unit_test(every_failing_allocation_is_an_error_without_a_leak),
  };
  return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
