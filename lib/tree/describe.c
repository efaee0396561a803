/*
 * A tree as text:
 *
 *   decision tree (gini): 3 leaves, depth 2, 150 rows
 *   petal_length <= 2.45: setosa (50 rows)
 *   petal_length > 2.45
 *   |  petal_width <= 1.75: versicolor (54 rows, 0.907)
 *   |  petal_width > 1.75: virginica (46 rows, 0.978)
 */
#include "tree/model.h"

#include <float.h>
#include <math.h>

enum { NAMES_SHOWN = 8 };

static void print_number(double v, dm_buf *out) {
  char text[DM_NUMBER_MAX];
  size_t n = dm_text_of_double(v, false, text);
  dm_buf_add(out, text, n);
}

/* At most six digits: for thresholds the exact number is in the tensors. */
static void print_short(double v, dm_buf *out) { dm_buf_printf(out, "%.6g", v); }

void tree_print_feature(const dm_scorer *scorer, size_t feature, dm_buf *out) {
  if (scorer)
    dm_buf_adds(out, dm_scorer_feature_name(scorer, feature));
  else
    dm_buf_printf(out, "x%zu", feature + 1);
}

/* The prediction of a node: class name or number. */
static void print_value(const tree_model *t, const dm_scorer *scorer, size_t node, dm_buf *out) {
  if (!t->base.n_classes) {
    print_short(t->best[node], out);
  } else if (scorer && scorer->target.levels.n == t->base.n_classes) {
    dm_str name = scorer->target.levels.names[(size_t)t->best[node]];
    dm_buf_add(out, name.p, name.n);
  } else {
    dm_buf_printf(out, "class %.0f", t->best[node]);
  }
}

static bool goes_left(const tree_model *t, const tree_cell *c, uint32_t level) { return t->subset[c->subset + level / 32] >> level % 32 & 1; }

/* "in {a, b}", or "not in {c}" when that is shorter. */
static void print_levels(const tree_model *t, const dm_scorer *scorer, const tree_cell *c, bool left, dm_buf *out) {
  size_t n_left = 0, shown = 0, listed;
  for (uint32_t l = 0; l < c->n_levels; l++) n_left += goes_left(t, c, l);
  listed = left ? n_left : c->n_levels - n_left;
  bool inverse = listed > c->n_levels - listed && listed < c->n_levels;
  if (inverse) listed = c->n_levels - listed;
  dm_buf_adds(out, inverse ? " not in {" : " in {");
  for (uint32_t l = 0; l < c->n_levels; l++) {
    if (goes_left(t, c, l) != (left != inverse)) continue;
    if (shown) dm_buf_adds(out, ", ");
    if (shown++ == NAMES_SHOWN) {
      dm_buf_printf(out, "... %zu more", listed - NAMES_SHOWN);
      break;
    }
    if (scorer && l < scorer->features[c->feature].levels.n)
      dm_buf_add(out, scorer->features[c->feature].levels.names[l].p, scorer->features[c->feature].levels.names[l].n);
    else
      dm_buf_printf(out, "%u", l);
  }
  dm_buf_addc(out, '}');
}

void tree_print_test(const tree_model *t, const dm_scorer *scorer, size_t node, bool left, dm_buf *out) {
  const tree_cell *c = &t->cells[node];
  tree_print_feature(scorer, c->feature, out);
  bool with_missing = c->missing_seen && c->missing_left == left;
  if (c->kind == TREE_NUMERIC && c->threshold == DBL_MAX) { /* the test is whether there is a value */
    dm_buf_adds(out, left ? " is known" : " is missing");
    return;
  }
  if (c->kind == TREE_NUMERIC) {
    dm_buf_adds(out, left ? " <= " : " > ");
    print_short(c->threshold, out);
  } else {
    print_levels(t, scorer, c, left, out);
  }
  if (with_missing) dm_buf_adds(out, " or missing");
}

static void print_node(const tree_model *t, const dm_scorer *scorer, size_t node, dm_buf *out) {
  dm_buf_adds(out, ": ");
  print_value(t, scorer, node, out);
  dm_buf_adds(out, " (");
  print_number(t->count[node], out);
  dm_buf_adds(out, " rows");
  size_t k = t->base.n_classes;
  if (k) {
    double share = t->value[node * k + (size_t)t->best[node]];
    if (share < 1) dm_buf_printf(out, ", %.3f", share);
  } else if (t->impurity[node] > 0) {
    dm_buf_printf(out, ", sd %.4g", sqrt(t->impurity[node]));
  }
  dm_buf_addc(out, ')');
}

/* A child's line: the test that leads to it, and what it says when it is a leaf. */
static void print_child(const tree_model *t, const dm_scorer *scorer, size_t parent, bool left, dm_buf *out) {
  size_t child = left ? t->cells[parent].left : t->cells[parent].right;
  for (size_t i = 0; i < t->level[parent]; i++) dm_buf_adds(out, "|  ");
  tree_print_test(t, scorer, parent, left, out);
  if (t->cells[child].kind == TREE_LEAF) print_node(t, scorer, child, out);
  dm_buf_addc(out, '\n');
}

dm_status tree_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err) {
  const tree_model *t = (const tree_model *)model;
  size_t waiting[TREE_DEPTH_LIMIT + 1], n = 0; /* nodes whose right child is still to come */
  dm_buf_printf(out, "decision tree (%s): %zu %s, depth %zu, ", t->criterion, t->leaves, t->leaves == 1 ? "leaf" : "leaves", t->depth);
  print_number(t->count[0], out);
  dm_buf_adds(out, " rows\n");
  if (t->cells[0].kind == TREE_LEAF) {
    dm_buf_adds(out, "always");
    print_node(t, scorer, 0, out);
    dm_buf_addc(out, '\n');
    return dm_buf_status(out);
  }
  for (size_t at = 0;;) { /* down the left children; back to the nearest node whose right side waits */
    if (t->cells[at].kind != TREE_LEAF) {
      print_child(t, scorer, at, true, out);
      waiting[n++] = at;
      at = t->cells[at].left;
    } else if (n) {
      size_t parent = waiting[--n];
      print_child(t, scorer, parent, false, out);
      at = t->cells[parent].right;
    } else {
      break;
    }
  }
  (void)err;
  return dm_buf_status(out);
}
