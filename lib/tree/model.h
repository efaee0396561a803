/* The tree that is scored, saved and described. */
#ifndef DM_TREE_MODEL_H
#define DM_TREE_MODEL_H

#include <dm/tree.h>

enum { TREE_DEPTH_LIMIT = 1024 }; /* deeper trees are refused at load and never grown */

typedef enum tree_kind { TREE_LEAF, TREE_NUMERIC, TREE_CATEGORY } tree_kind;

/** What predict reads of a node: half a cache line. */
typedef struct tree_cell {
  double threshold;      /* numeric: x <= threshold goes left */
  uint32_t feature;
  uint32_t left, right;
  uint32_t subset;       /* category: first word of the left-going levels */
  uint32_t n_levels;     /* category: of the input */
  uint8_t kind;          /* tree_kind */
  bool missing_left;     /* missing and unseen values */
  bool missing_seen;     /* that direction was learned; else it is that of the larger child */
} tree_cell;

typedef struct tree_model {
  dm_model base;
  dm_arena *memory;
  size_t m, n_subset, depth, leaves;
  tree_cell *cells;   /* [m] preorder */
  double *value;      /* [m, max(k, 1)] */
  double *best;       /* [m] class with the largest share, or the value */
  double *count;      /* [m] */
  double *impurity;   /* [m] */
  uint32_t *level;    /* [m] tests above the node */
  uint32_t *subset;   /* [n_subset] */
  double alpha;       /* ccp_alpha in force */
  const char *criterion;
} tree_model;

/** An empty model with room for m nodes, to be filled and then given to tree_model_finish. */
dm_status tree_model_new(dm_ctx *ctx, const dm_learner *learner, size_t d, size_t n_classes, size_t m, size_t n_subset, tree_model **out,
                         dm_error *err);
/** Fills what follows from the rest: best, level, depth, leaves. */
void tree_model_finish(tree_model *t);
void tree_free(dm_model *model);

/** Child of a cell for a value. */
static inline uint32_t tree_walk(const tree_model *t, const tree_cell *c, double x) {
  bool left;
  if (c->kind == TREE_NUMERIC) {
    left = (x <= c->threshold) | ((x != x) & c->missing_left);
  } else if (x >= 0 && x < (double)c->n_levels) {
    uint32_t level = (uint32_t)x;
    left = t->subset[c->subset + level / 32] >> level % 32 & 1;
  } else {
    left = c->missing_left;
  }
  return left ? c->left : c->right;
}

dm_status tree_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
dm_status tree_save(const dm_model *model, dm_model_writer *w, dm_error *err);
dm_status tree_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status tree_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err);
dm_status tree_draw(const dm_model *model, const dm_scorer *scorer, dm_json_out *out, dm_error *err);
dm_status tree_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err);

/** Appends the test on the way to a child: "age <= 30.5", "sex in {Female}". */
void tree_print_test(const tree_model *t, const dm_scorer *scorer, size_t node, bool left, dm_buf *out);
/** Appends the name of a feature, "x3" when there is no scorer. */
void tree_print_feature(const dm_scorer *scorer, size_t feature, dm_buf *out);

#endif
