/* Making and freeing the tree that is scored. */
#include "tree/model.h"

dm_status tree_model_new(dm_ctx *ctx, const dm_learner *learner, size_t d, size_t n_classes, size_t m, size_t n_subset, tree_model **out,
                         dm_error *err) {
  tree_model *t = dm_alloc(ctx, 1, sizeof *t, "tree", err);
  if (!t) return DM_EBUDGET;
  *t = (tree_model){.base = {learner, ctx, d, n_classes}, .m = m, .n_subset = n_subset, .criterion = ""};
  size_t values, k = n_classes ? n_classes : 1;
  dm_status s = dm_size_mul(m, k, &values) ? dm_arena_new(ctx, 0, &t->memory, err)
                                           : dm_fail(err, DM_EBUDGET, "tree: its values are more than memory can hold");
  if (s == DM_OK && (!(t->cells = dm_arena_alloc(t->memory, m, sizeof *t->cells, err)) ||
                     !(t->value = dm_arena_alloc(t->memory, values, sizeof *t->value, err)) ||
                     !(t->best = dm_arena_alloc(t->memory, m, sizeof *t->best, err)) ||
                     !(t->count = dm_arena_alloc(t->memory, m, sizeof *t->count, err)) ||
                     !(t->impurity = dm_arena_alloc(t->memory, m, sizeof *t->impurity, err)) ||
                     !(t->level = dm_arena_alloc(t->memory, m, sizeof *t->level, err)) ||
                     !(t->subset = dm_arena_alloc(t->memory, n_subset, sizeof *t->subset, err))))
    s = DM_EBUDGET;
  if (s != DM_OK) {
    tree_free(&t->base);
    return s;
  }
  *out = t;
  return DM_OK;
}

void tree_model_finish(tree_model *t) {
  size_t k = t->base.n_classes;
  t->leaves = t->depth = 0;
  for (size_t i = 0; i < t->m; i++) {
    const tree_cell *c = &t->cells[i];
    if (c->kind != TREE_LEAF) t->level[c->left] = t->level[c->right] = t->level[i] + 1;
    if (t->level[i] > t->depth) t->depth = t->level[i];
    const double *value = t->value + i * (k ? k : 1);
    size_t best = 0;
    for (size_t j = 1; j < k; j++)
      if (value[j] > value[best]) best = j;
    t->best[i] = k ? (double)best : value[0];
    t->leaves += c->kind == TREE_LEAF;
  }
}

void tree_free(dm_model *model) {
  if (!model) return;
  tree_model *t = (tree_model *)model;
  dm_arena_free(t->memory);
  dm_free(model->ctx, t);
}
