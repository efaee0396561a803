/* tree: the same trees, predictions and pruning paths as scikit-learn's on real data. */
#include "cmocka_all.h"
#include "golden/tree.h"
#include "tree/grow.h"
#include "tree/model.h"
#include "tree/table.h"

enum { MAX_ROWS = 2000, MAX_NODES = 400, MAX_CLASSES = 16 };

typedef struct tree_case tree_case;

/* Code of a class name: the place in order of names, found after all were seen. */
typedef struct classes {
  char names[MAX_CLASSES][32];
  size_t n;
} classes;

static size_t class_of(classes *c, const char *name) {
  for (size_t i = 0; i < c->n; i++)
    if (strcmp(c->names[i], name) == 0) return i;
  assert_true(c->n < MAX_CLASSES);
  (void)snprintf(c->names[c->n], sizeof c->names[0], "%s", name);
  return c->n++;
}

/* Class codes of first appearance to places in sorted order, as the golden numbers have them. */
static void sort_classes(const classes *c, double *target, size_t n) {
  for (size_t i = 0; i < n; i++) {
    size_t place = 0;
    for (size_t j = 0; j < c->n; j++) place += strcmp(c->names[j], c->names[(size_t)target[i]]) < 0;
    target[i] = (double)place;
  }
}

static void read_line(char *line, const tree_case *c, table *t, size_t row, classes *seen) {
  char *cells[TABLE_COLUMNS] = {line};
  size_t n = 1;
  for (char *p = line; *p; p++) {
    if (*p == ',' && n < TABLE_COLUMNS) cells[n++] = p + 1;
    if (*p == ',' || *p == '\n' || *p == '\r') *p = 0;
  }
  for (size_t j = 0; j < c->d; j++) t->columns[j][row] = strtod(cells[c->columns[j]], NULL);
  t->target[row] = c->classify ? (double)class_of(seen, cells[c->target]) : strtod(cells[c->target], NULL);
  if (t->weights) t->weights[row] = 1 + (double)(row % 3);
}

static void read_table(dm_ctx *ctx, const tree_case *c, table *t) {
  char path[512], line[4096];
  const char *source = getenv("DM_SOURCE");
  (void)snprintf(path, sizeof path, "%s/datasets/%s.csv", source ? source : "../..", c->data);
  FILE *f = fopen(path, "r");
  if (!f) fail_msg("%s is not there", path);
  classes seen = {0};
  table_init(t, ctx, MAX_ROWS, c->d, 0);
  if (c->weights) t->weights = dm_alloc(ctx, MAX_ROWS, sizeof(double), "table", NULL);
  t->n = 0;
  assert_non_null(fgets(line, sizeof line, f));
  while (fgets(line, sizeof line, f)) read_line(line, c, t, t->n++, &seen);
  (void)fclose(f);
  t->k = seen.n;
  if (c->classify) sort_classes(&seen, t->target, t->n);
}

static dm_model *train_case(dm_ctx *ctx, const tree_case *c, const table *t) {
  char depth[16], leaf[16];
  (void)snprintf(depth, sizeof depth, "%d", c->max_depth);
  (void)snprintf(leaf, sizeof leaf, "%d", c->min_leaf);
  const char *const set[] = {"criterion", c->criterion, "max_depth", depth, "min_samples_leaf", leaf, "ccp_alpha", "0", NULL};
  return train(ctx, t, set);
}

static void check_node(const tree_case *c, const tree_model *m, size_t i) {
  const tree_cell *cell = &m->cells[i];
  size_t k = m->base.n_classes ? m->base.n_classes : 1;
  assert_int_equal(cell->kind == TREE_LEAF ? -1 : (int)cell->feature, c->feature[i]);
  if (cell->kind != TREE_LEAF) {
    assert_int_equal(cell->left, c->left[i]);
    assert_int_equal(cell->right, c->right[i]);
    assert_near(cell->threshold, c->threshold[i], 1e-6 * fabs(c->threshold[i])); /* there cut in float */
  }
  assert_near(m->count[i], c->count[i], 0);
  assert_near(m->impurity[i], c->impurity[i], 1e-9 * (1 + c->impurity[0]));
  for (size_t j = 0; j < k; j++) assert_near(m->value[i * k + j], c->value[i * k + j], 1e-10 * (1 + fabs(c->value[i * k + j])));
}

/* The leaf that scikit-learn's tree, walked with its own thresholds, gives row i. */
static size_t their_leaf(const tree_case *c, const table *t, size_t i) {
  size_t at = 0;
  while (c->feature[at] >= 0) {
    float x = (float)t->columns[c->feature[at]][i]; /* scikit-learn reads float */
    at = (size_t)((double)x <= c->threshold[at] ? c->left[at] : c->right[at]);
  }
  return at;
}

static void check_predictions(const tree_case *c, const tree_model *m, const table *t) {
  for (size_t i = 0; i < t->n; i++) assert_near(predict(&m->base, t, i), m->best[their_leaf(c, t, i)], 0);
}

static void trees_are_those_of_scikit_learn(void **state) {
  (void)state;
  for (size_t i = 0; i < N(tree_cases); i++) {
    const tree_case *c = &tree_cases[i];
    dm_ctx *ctx = new_ctx(1 + (unsigned)(i % 2));
    table t;
    read_table(ctx, c, &t);
    dm_model *model = train_case(ctx, c, &t);
    const tree_model *m = (const tree_model *)model;
    assert_int_equal(m->m, c->m);
    for (size_t j = 0; j < m->m; j++) check_node(c, m, j);
    check_predictions(c, m, &t);
    model->learner->free(model);
    table_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

/* Alphas of the whole path, equal ones once. */
static size_t path_alphas(const tree_grown *grown, double *alphas) {
  static tree_step steps[MAX_NODES];
  size_t n_steps, n = 0;
  assert_true(grown->m <= MAX_NODES);
  assert_int_equal(tree_path(grown, NULL, NULL, steps, &n_steps, NULL), DM_OK);
  for (size_t i = 0; i < n_steps; i++)
    if (n == 0 || steps[i].alpha > alphas[n - 1] + 1e-9) alphas[n++] = steps[i].alpha;
  return n;
}

static void paths_are_those_of_scikit_learn(void **state) {
  (void)state;
  for (size_t i = 0; i < N(tree_cases); i++) {
    const tree_case *c = &tree_cases[i];
    dm_ctx *ctx = new_ctx(1);
    table t;
    read_table(ctx, c, &t);
    const double *raw[TABLE_COLUMNS];
    static uint32_t rows[MAX_ROWS];
    static double alphas[MAX_NODES];
    for (size_t j = 0; j < t.d; j++) raw[j] = t.columns[j];
    for (uint32_t r = 0; r < t.n; r++) rows[r] = r;
    dm_block block = {.kind = DM_BLOCK_RAW, .d = t.d, .raw = raw, .levels = t.levels};
    dm_dataset set = {.n = t.n, .n_blocks = 1, .blocks = &block, .target = t.target, .n_classes = t.k, .weights = t.weights};
    tree_data data;
    tree_grown grown;
    tree_limits limits = {.criterion = strcmp(c->criterion, "entropy") == 0 ? TREE_ENTROPY : c->classify ? TREE_GINI : TREE_SQUARED_ERROR,
                          .max_depth = (size_t)c->max_depth, .min_samples_split = 2, .min_samples_leaf = (size_t)c->min_leaf};
    assert_int_equal(tree_data_init(ctx, &(dm_training){.train = &set}, &data, NULL), DM_OK);
    assert_int_equal(tree_grow(&data, &limits, rows, t.n, 1, &grown, NULL), DM_OK);
    size_t n = path_alphas(&grown, alphas);
    assert_int_equal(n, c->n_alphas);
    for (size_t j = 0; j < n; j++) assert_near(alphas[j], c->alphas[j], 1e-10 * (1 + c->impurity[0]));
    tree_grown_clear(&grown);
    tree_data_clear(&data);
    table_clear(&t, ctx);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_are_those_of_scikit_learn),
      cmocka_unit_test(paths_are_those_of_scikit_learn),
  };
  return cmocka_run_group_tests_name("tree_golden", tests, NULL, NULL);
}
