/* The decision tree in the table of methods: its parameters, and training from data to model. */
#include "tree/grow.h"
#include "tree/model.h"

#include <math.h>
#include <string.h>

#define UNBOUNDED ((double)INFINITY)

static const dm_param parameters[] = {
    {"criterion", DM_PARAM_CHOICE, "auto", 0, 0, false, "gini|entropy|squared_error",
     "what a split makes small; auto: gini for classes, squared_error for numbers"},
    {"max_depth", DM_PARAM_INT, "auto", 1, TREE_DEPTH_LIMIT, false, NULL, "levels of tests; auto: no limit, pruned by validation"},
    {"min_samples_split", DM_PARAM_INT, "2", 2, INT32_MAX, false, NULL, "rows that a node must have to be split"},
    {"min_samples_leaf", DM_PARAM_INT, "1", 1, INT32_MAX, false, NULL, "rows that a leaf must have"},
    {"min_impurity_decrease", DM_PARAM_DOUBLE, "0", 0, UNBOUNDED, false, NULL, "impurity, by share of the rows, that a split must remove"},
    {"ccp_alpha", DM_PARAM_DOUBLE, "auto", 0, UNBOUNDED, false, NULL,
     "impurity that each leaf must be worth; auto: by cross-validation unless max-depth is set, then 0"},
    {NULL},
};

/* ---- limits ------------------------------------------------------------------- */

static dm_status read_limits(const dm_params *p, bool classes, tree_limits *out, dm_error *err) {
  const char *criterion = dm_params_choice(p, "criterion");
  tree_criterion c = classes ? TREE_GINI : TREE_SQUARED_ERROR;
  if (strcmp(criterion, "entropy") == 0)
    c = TREE_ENTROPY;
  else if (strcmp(criterion, "gini") == 0)
    c = TREE_GINI;
  else if (strcmp(criterion, "squared_error") == 0)
    c = TREE_SQUARED_ERROR;
  if ((c == TREE_SQUARED_ERROR) == classes)
    return dm_fail(err, DM_EUSAGE, "tree: criterion = %s, want %s for this target", criterion, classes ? "gini, entropy or auto" : "squared_error or auto");
  *out = (tree_limits){
      .criterion = c,
      .max_depth = dm_params_size_or(p, "max_depth", TREE_DEPTH_LIMIT),
      .min_samples_split = (size_t)dm_params_int(p, "min_samples_split"),
      .min_samples_leaf = (size_t)dm_params_int(p, "min_samples_leaf"),
      .min_impurity_decrease = dm_params_double(p, "min_impurity_decrease"),
  };
  return DM_OK;
}

/* ---- from the tree that was grown to the one that is scored ----------------------- */

typedef struct copier {
  const tree_data *data;
  const tree_grown *grown;
  const double *cut_at; /* NULL: keep all */
  double alpha;
  tree_model *model;
} copier;

static bool is_leaf(const copier *c, size_t i) {
  return c->grown->nodes[i].feature < 0 || (c->cut_at && c->cut_at[i] <= c->alpha);
}

static size_t subset_words(const copier *c, size_t i) { return (c->data->columns[c->grown->nodes[i].feature].n_levels + 31) / 32; }

/* Numbers the nodes that stay, in preorder, and counts their subset words. @param place [m] new index, UINT32_MAX = gone */
static size_t number_nodes(const copier *c, uint32_t *place, size_t *words) {
  size_t n = 0;
  *words = 0;
  for (size_t i = 0; i < c->grown->m; i++) place[i] = UINT32_MAX;
  place[0] = 0;
  for (size_t i = 0; i < c->grown->m; i++) {
    if (place[i] == UINT32_MAX) continue;
    place[i] = (uint32_t)n++;
    if (is_leaf(c, i)) continue;
    place[c->grown->nodes[i].left] = place[c->grown->nodes[i].right] = 0; /* stays; numbered when it is reached */
    *words += subset_words(c, i);
  }
  return n;
}

static void copy_values(const copier *c, size_t i, size_t at) {
  size_t k = c->data->k;
  const double *stat = c->grown->stat + i * c->grown->q;
  if (k == 0)
    c->model->value[at] = c->data->centre + stat[1] / stat[0];
  for (size_t j = 0; j < k; j++) c->model->value[at * k + j] = stat[j] / c->grown->nodes[i].weight;
  c->model->count[at] = c->grown->nodes[i].weight;
  c->model->impurity[at] = c->grown->nodes[i].impurity;
}

static void copy_test(const copier *c, size_t i, const uint32_t *place, tree_cell *cell, uint32_t *words) {
  const tree_node *node = &c->grown->nodes[i];
  const tree_column *column = &c->data->columns[node->feature];
  *cell = (tree_cell){.feature = (uint32_t)node->feature, .left = place[node->left], .right = place[node->right],
                      .kind = column->category ? TREE_CATEGORY : TREE_NUMERIC, .missing_left = node->missing_left,
                      .missing_seen = node->missing_seen, .threshold = node->threshold};
  if (!column->category) return;
  cell->n_levels = (uint32_t)column->n_levels;
  cell->subset = *words;
  const uint32_t *bins = c->grown->subset + node->subset;
  for (uint32_t level = 0; level < column->n_levels; level++) { /* rare levels go with the missing */
    uint32_t bin = column->bin_of[level];
    bool left = bin < column->n_bins ? bins[bin / 32] >> bin % 32 & 1 : node->missing_left;
    c->model->subset[*words + level / 32] |= (uint32_t)left << level % 32;
  }
  *words += (uint32_t)subset_words(c, i);
}

static dm_status to_model(const tree_data *data, const tree_grown *grown, const double *cut_at, double alpha, tree_model **out,
                          dm_error *err) {
  copier c = {.data = data, .grown = grown, .cut_at = cut_at, .alpha = alpha};
  uint32_t *place = dm_alloc(data->ctx, grown->m, sizeof *place, "tree", err);
  if (!place) return DM_EBUDGET;
  size_t n_words, n = number_nodes(&c, place, &n_words);
  uint32_t words = 0;
  dm_status s = n_words > INT32_MAX ? dm_fail(err, DM_EBUDGET, "tree: subsets of %zu words, limit %d", n_words, INT32_MAX)
                                    : tree_model_new(data->ctx, &dm_learner_tree, data->d, data->k, n, n_words, &c.model, err);
  for (size_t i = 0; s == DM_OK && i < grown->m; i++) {
    if (place[i] == UINT32_MAX) continue;
    copy_values(&c, i, place[i]);
    if (!is_leaf(&c, i)) copy_test(&c, i, place, &c.model->cells[place[i]], &words);
  }
  dm_free(data->ctx, place);
  if (s == DM_OK) *out = c.model;
  return s;
}

/* ---- training -------------------------------------------------------------------- */

static dm_status pruned_model(const tree_data *data, const tree_grown *grown, double alpha, tree_model **out, dm_error *err) {
  if (!(alpha > 0)) return to_model(data, grown, NULL, 0, out, err); /* 0 keeps splits that gain nothing, as scikit-learn does */
  double *cut_at = dm_alloc(data->ctx, grown->m, sizeof *cut_at, "tree pruning", err);
  tree_step *steps = cut_at ? dm_alloc(data->ctx, grown->m, sizeof *steps, "tree pruning", err) : NULL;
  size_t n;
  dm_status s = steps ? tree_path(grown, NULL, cut_at, steps, &n, err) : DM_EBUDGET;
  if (s == DM_OK) s = to_model(data, grown, cut_at, alpha, out, err);
  dm_free(data->ctx, steps);
  dm_free(data->ctx, cut_at);
  return s;
}

/* Rows that have weight. @return how many */
static size_t weighted_rows(const tree_data *data, uint32_t *rows) {
  size_t n = 0;
  for (size_t i = 0; i < data->n; i++)
    if (!data->weights || data->weights[i] > 0) rows[n++] = (uint32_t)i;
  return n;
}

static dm_status grow_and_prune(const tree_data *data, const dm_training *training, const dm_params *params, tree_limits *limits,
                                tree_model **out, dm_error *err) {
  uint32_t *rows = dm_alloc(data->ctx, data->n, sizeof *rows, "tree", err);
  if (!rows) return DM_EBUDGET;
  size_t n = weighted_rows(data, rows);
  tree_grown grown = {0};
  bool by_validation = n > 1 && dm_params_is_auto(params, "ccp_alpha") && dm_params_is_auto(params, "max_depth");
  double alpha = dm_params_double_or(params, "ccp_alpha", 0);
  limits->floor = alpha;
  dm_status s = by_validation ? tree_grow_chosen(data, training, limits, rows, n, &grown, &alpha, err)
                              : tree_grow(data, limits, rows, n, dm_ctx_threads(data->ctx), &grown, err);
  if (s == DM_OK) {
    s = pruned_model(data, &grown, alpha, out, err);
    tree_grown_clear(&grown);
  }
  if (s == DM_OK) (*out)->alpha = alpha;
  dm_free(data->ctx, rows);
  return s;
}

static dm_status train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  static const char *const names[] = {[TREE_GINI] = "gini", [TREE_ENTROPY] = "entropy", [TREE_SQUARED_ERROR] = "squared_error"};
  tree_limits limits;
  tree_data data = {0};
  tree_model *model = NULL;
  dm_status s = read_limits(params, training->train->n_classes > 0, &limits, err);
  if (s != DM_OK) return s;
  s = tree_data_init(ctx, training, &data, err);
  if (s != DM_OK) return s;
  s = grow_and_prune(&data, training, params, &limits, &model, err);
  tree_data_clear(&data);
  if (s != DM_OK) return s;
  model->criterion = names[limits.criterion];
  tree_model_finish(model);
  *out = &model->base;
  return DM_OK;
}

const dm_learner dm_learner_tree = {
    .name = "tree",
    .summary = "decision tree (CART)",
    .tasks = DM_CLASSIFY | DM_REGRESS,
    .takes = DM_TAKES_MISSING | DM_TAKES_CATEGORIES | DM_TAKES_WEIGHTS | DM_NEEDS_TARGET | DM_PREDICTS_CHEAPLY,
    .params = parameters,
    .block = DM_BLOCK_RAW,
    .train = train,
    .predict = tree_predict,
    .save = tree_save,
    .load = tree_load,
    .free = tree_free,
    .describe = tree_describe,
    .draw = tree_draw,
    .trace = tree_trace,
};
