/*
 * A tree to named tensors and back. What is read may be forged: it is bounded
 * here, so that a loaded tree can be walked without further checks.
 */
#include "tree/model.h"

#include <math.h>
#include <string.h>

/* ---- save ------------------------------------------------------------------------ */

/* The integers of all nodes, as they are stored. */
typedef struct columns {
  int32_t *feature, *left, *right;
  double *threshold;
  uint8_t *missing_left;
} columns;

static void fill_columns(const tree_model *t, columns *c) {
  for (size_t i = 0; i < t->m; i++) {
    const tree_cell *cell = &t->cells[i];
    bool leaf = cell->kind == TREE_LEAF;
    c->feature[i] = leaf ? -1 : (int32_t)cell->feature;
    c->left[i] = leaf ? -1 : (int32_t)cell->left;
    c->right[i] = leaf ? -1 : (int32_t)cell->right;
    c->threshold[i] = leaf ? 0 : cell->kind == TREE_CATEGORY ? (double)cell->subset : cell->threshold;
    c->missing_left[i] = (uint8_t)(cell->missing_left | cell->missing_seen << 1);
  }
}

static dm_status write_tensors(const tree_model *t, const columns *c, dm_model_writer *w, dm_error *err) {
  size_t k = t->base.n_classes ? t->base.n_classes : 1, nodes[1] = {t->m}, values[2] = {t->m, k}, words[1] = {t->n_subset};
  const struct {
    const char *name;
    dm_dtype type;
    const size_t *shape;
    size_t rank;
    const void *data;
  } tensors[] = {
      {"feature", DM_I32, nodes, 1, c->feature},   {"threshold", DM_F64, nodes, 1, c->threshold},
      {"left", DM_I32, nodes, 1, c->left},         {"right", DM_I32, nodes, 1, c->right},
      {"missing_left", DM_U8, nodes, 1, c->missing_left}, {"value", DM_F64, values, 2, t->value},
      {"count", DM_F64, nodes, 1, t->count},       {"impurity", DM_F64, nodes, 1, t->impurity},
      {"subset", DM_I32, words, 1, t->subset},
  };
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    dm_status s = w->tensor(w, tensors[i].name, tensors[i].type, tensors[i].shape, tensors[i].rank, tensors[i].data, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

dm_status tree_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const tree_model *t = (const tree_model *)model;
  dm_arena *memory = NULL;
  columns c;
  dm_status s = dm_arena_new(model->ctx, 0, &memory, err);
  if (s != DM_OK) return s;
  if (!(c.feature = dm_arena_alloc(memory, t->m, sizeof *c.feature, err)) || !(c.left = dm_arena_alloc(memory, t->m, sizeof *c.left, err)) ||
      !(c.right = dm_arena_alloc(memory, t->m, sizeof *c.right, err)) ||
      !(c.threshold = dm_arena_alloc(memory, t->m, sizeof *c.threshold, err)) ||
      !(c.missing_left = dm_arena_alloc(memory, t->m, sizeof *c.missing_left, err)))
    s = DM_EBUDGET;
  if (s == DM_OK) {
    fill_columns(t, &c);
    dm_json_put_string(w->json, "criterion", t->criterion);
    dm_json_put_double(w->json, "ccp_alpha", t->alpha);
    dm_json_put_int(w->json, "leaves", (int64_t)t->leaves);
    dm_json_put_int(w->json, "depth", (int64_t)t->depth);
    s = write_tensors(t, &c, w, err);
  }
  dm_arena_free(memory);
  return s;
}

/* ---- load ------------------------------------------------------------------------- */

/* The tensors as they came. */
typedef struct stored {
  size_t m, n_subset;
  const int32_t *feature, *left, *right;
  const double *threshold, *value, *count, *impurity;
  const uint8_t *missing_left;
  const uint32_t *subset;
} stored;

static dm_status bad(dm_error *err, size_t node, const char *what) {
  return dm_fail(err, DM_EINPUT, "tree: the model is damaged: node %zu: %s", node, what);
}

/* One tensor of one number for each node. */
static dm_status read_nodes(dm_model_reader *r, const char *name, dm_dtype type, size_t m, const void **data, dm_error *err) {
  size_t shape[1];
  dm_status s = r->tensor(r, name, type, 1, shape, data, err);
  if (s == DM_OK && shape[0] != m)
    s = dm_fail(err, DM_EINPUT, "tree: the model is damaged: tensor '%s' has %zu elements, want %zu", name, shape[0], m);
  return s;
}

static dm_status read_tensors(dm_model_reader *r, stored *in, dm_error *err) {
  size_t shape[2], k = r->n_classes ? r->n_classes : 1;
  dm_status s = r->tensor(r, "value", DM_F64, 2, shape, (const void **)&in->value, err);
  if (s != DM_OK) return s;
  in->m = shape[0];
  if (in->m < 1 || in->m > INT32_MAX || shape[1] != k)
    return dm_fail(err, DM_EINPUT, "tree: the model is damaged: tensor 'value' is %zu x %zu, want 1 or more nodes x %zu", shape[0], shape[1], k);
  const struct {
    const char *name;
    dm_dtype type;
    const void **to;
  } tensors[] = {
      {"feature", DM_I32, (const void **)&in->feature}, {"threshold", DM_F64, (const void **)&in->threshold},
      {"left", DM_I32, (const void **)&in->left},       {"right", DM_I32, (const void **)&in->right},
      {"count", DM_F64, (const void **)&in->count},     {"impurity", DM_F64, (const void **)&in->impurity},
      {"missing_left", DM_U8, (const void **)&in->missing_left},
  };
  for (size_t i = 0; s == DM_OK && i < sizeof tensors / sizeof *tensors; i++)
    s = read_nodes(r, tensors[i].name, tensors[i].type, in->m, tensors[i].to, err);
  if (s == DM_OK) s = r->tensor(r, "subset", DM_I32, 1, shape, (const void **)&in->subset, err);
  in->n_subset = shape[0];
  if (s == DM_OK && in->n_subset > INT32_MAX) s = dm_fail(err, DM_EINPUT, "tree: the model is damaged: %zu words of subsets", in->n_subset);
  return s;
}

/* Class shares in [0, 1] with sum 1, or a finite number; count and impurity. */
static dm_status check_values(const stored *in, size_t i, size_t k, dm_error *err) {
  const double *value = in->value + i * (k ? k : 1);
  double sum = 0;
  for (size_t c = 0; c < k; c++) {
    if (!(value[c] >= 0 && value[c] <= 1)) return bad(err, i, "a class share is not within 0 and 1");
    sum += value[c];
  }
  if (k && !(fabs(sum - 1) < 1e-6)) return bad(err, i, "class shares do not add up to 1");
  if (!k && !isfinite(value[0])) return bad(err, i, "its value is not finite");
  if (!(in->count[i] >= 0) || !isfinite(in->count[i])) return bad(err, i, "its count is no number >= 0");
  if (!isfinite(in->impurity[i])) return bad(err, i, "its impurity is not finite");
  return in->missing_left[i] <= 3 ? DM_OK : bad(err, i, "missing_left is not within 0 and 3");
}

/* A test: children behind it and not yet taken, a threshold or a subset that is there. */
static dm_status load_test(const stored *in, size_t i, const dm_model_reader *r, tree_model *t, dm_error *err) {
  int32_t left = in->left[i], right = in->right[i];
  if ((size_t)in->feature[i] >= r->d) return bad(err, i, "its feature is out of range");
  if (left <= (int64_t)i || right <= (int64_t)i || (size_t)left >= in->m || (size_t)right >= in->m || left == right)
    return bad(err, i, "its children are out of range");
  if (t->level[left] || t->level[right]) return bad(err, i, "its child has two parents");
  if (t->level[i] + 1 > TREE_DEPTH_LIMIT) return bad(err, i, "the tree is too deep");
  t->level[left] = t->level[right] = t->level[i] + 1;
  tree_cell cell = {.feature = (uint32_t)in->feature[i], .left = (uint32_t)left, .right = (uint32_t)right, .kind = TREE_NUMERIC,
                    .missing_left = in->missing_left[i] & 1, .missing_seen = in->missing_left[i] >> 1, .threshold = in->threshold[i]};
  if (!isfinite(cell.threshold)) return bad(err, i, "its threshold is not finite");
  size_t levels = r->levels[in->feature[i]], words = (levels + 31) / 32;
  if (levels) {
    if (!(cell.threshold >= 0 && cell.threshold <= (double)in->n_subset) || cell.threshold != floor(cell.threshold) ||
        words > in->n_subset - (size_t)cell.threshold || levels > UINT32_MAX)
      return bad(err, i, "its subset is out of range");
    cell.kind = TREE_CATEGORY;
    cell.subset = (uint32_t)cell.threshold;
    cell.n_levels = (uint32_t)levels;
    cell.threshold = 0;
  }
  t->cells[i] = cell;
  return DM_OK;
}

static dm_status load_nodes(const stored *in, const dm_model_reader *r, tree_model *t, dm_error *err) {
  for (size_t i = 0; i < in->m; i++) {
    dm_status s = check_values(in, i, r->n_classes, err);
    if (s != DM_OK) return s;
    if (i && !t->level[i]) return bad(err, i, "it has no parent");
    if (in->feature[i] < -1) return bad(err, i, "its feature is out of range");
    if (in->feature[i] >= 0) s = load_test(in, i, r, t, err);
    if (s != DM_OK) return s;
  }
  memcpy(t->value, in->value, in->m * (r->n_classes ? r->n_classes : 1) * sizeof *t->value);
  memcpy(t->count, in->count, in->m * sizeof *t->count);
  memcpy(t->impurity, in->impurity, in->m * sizeof *t->impurity);
  if (in->n_subset) memcpy(t->subset, in->subset, in->n_subset * sizeof *t->subset);
  return DM_OK;
}

dm_status tree_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) {
  static const char *const criteria[] = {"gini", "entropy", "squared_error"};
  dm_model_reader reader = *r; /* its tensor call takes it unqualified */
  const dm_learner *learner = dm_learner_find(ctx, "tree", err);
  if (!learner) return DM_EUSAGE;
  stored in = {0};
  dm_status s = read_tensors(&reader, &in, err);
  if (s != DM_OK) return s;
  tree_model *t = NULL;
  s = tree_model_new(ctx, learner, r->d, r->n_classes, in.m, in.n_subset, &t, err);
  if (s != DM_OK) return s;
  s = load_nodes(&in, r, t, err);
  if (s != DM_OK) {
    tree_free(&t->base);
    return s;
  }
  const char *criterion = dm_json_get_string(r->json, "criterion", "");
  for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++)
    if (strcmp(criterion, criteria[i]) == 0) t->criterion = criteria[i];
  t->alpha = dm_json_get_double(r->json, "ccp_alpha", 0);
  tree_model_finish(t);
  *out = &t->base;
  return DM_OK;
}
