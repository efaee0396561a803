/* Scoring: one walk down the tree for each row. */
#include "tree/model.h"

#include <string.h>

static inline size_t leaf_of(const tree_model *t, const double *x) {
  size_t at = 0;
  const tree_cell *c = t->cells;
  while (c->kind != TREE_LEAF) {
    at = tree_walk(t, c, x[c->feature]);
    c = t->cells + at;
  }
  return at;
}

dm_status tree_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err) {
  const tree_model *t = (const tree_model *)model;
  size_t k = model->n_classes;
  (void)err;
  for (size_t i = 0; i < batch->n; i++) {
    size_t leaf = leaf_of(t, batch->x + i * batch->d);
    if (what & DM_OUT_VALUE) batch->value[i] = t->best[leaf];
    if (what & DM_OUT_PROBA && k) memcpy(batch->proba + i * k, t->value + leaf * k, k * sizeof *batch->proba);
    if (what & DM_OUT_LEAF) batch->leaf[i] = (uint32_t)leaf;
  }
  return DM_OK;
}
