/*
 * Minimal cost-complexity pruning: the order in which subtrees become leaves
 * as the price of a leaf, alpha, rises.
 *
 *   g(t) = (R(t) - R(T_t)) / (leaves of T_t - 1)      R(t) = impurity * share of the rows
 *
 * The subtree with the smallest g goes first. Every node keeps the smallest g
 * of its subtree, so that the next one is found by going down from the root
 * and a cut costs only the way up again: O(m * depth) in all.
 * Source: Breiman, Friedman, Olshen & Stone, 1984, section 3.3.
 */
#include "tree/grow.h"

#include <math.h>

enum { NO_PARENT = -1 };

typedef struct branch {
  int32_t parent;
  uint32_t leaves;
  double impurity, cost; /* sums over the leaves below */
  double g, smallest;    /* own, and of the subtree; infinite for leaves */
} branch;

typedef struct path {
  const tree_grown *tree;
  const double *cost;
  branch *b; /* [m] */
} path;

static double risk(const path *p, size_t i) { return p->tree->nodes[i].impurity * (p->tree->nodes[i].weight / p->tree->weight); }

static void make_leaf(path *p, size_t i) {
  branch *b = &p->b[i];
  b->leaves = 1;
  b->impurity = risk(p, i);
  b->cost = p->cost ? p->cost[i] : 0;
  b->g = b->smallest = (double)INFINITY;
}

/* Recomputes an inner node from its children. */
static void update(path *p, size_t i) {
  const tree_node *node = &p->tree->nodes[i];
  const branch *l = &p->b[node->left], *r = &p->b[node->right];
  branch *b = &p->b[i];
  b->leaves = l->leaves + r->leaves;
  b->impurity = l->impurity + r->impurity;
  b->cost = l->cost + r->cost;
  b->g = (risk(p, i) - b->impurity) / (double)(b->leaves - 1);
  b->smallest = fmin(b->g, fmin(l->smallest, r->smallest));
}

static void start(path *p) {
  p->b[0].parent = NO_PARENT;
  for (size_t i = 0; i < p->tree->m; i++) {
    const tree_node *node = &p->tree->nodes[i];
    if (node->feature >= 0) p->b[node->left].parent = p->b[node->right].parent = (int32_t)i;
  }
  for (size_t i = p->tree->m; i-- > 0;) {
    if (p->tree->nodes[i].feature < 0)
      make_leaf(p, i);
    else
      update(p, i);
  }
}

/* The node with the smallest g, nearest to the root, then leftmost. */
static size_t weakest(const path *p) {
  size_t i = 0;
  while (p->b[i].g > p->b[i].smallest) {
    const tree_node *node = &p->tree->nodes[i];
    i = p->b[node->left].smallest == p->b[i].smallest ? node->left : node->right;
  }
  return i;
}

/* Nodes inside a subtree that was cut go with it. */
static void pass_down(const tree_grown *tree, double *cut_at) {
  for (size_t i = 0; i < tree->m; i++) {
    const tree_node *node = &tree->nodes[i];
    if (node->feature < 0) continue;
    cut_at[node->left] = fmin(cut_at[node->left], cut_at[i]);
    cut_at[node->right] = fmin(cut_at[node->right], cut_at[i]);
  }
}

dm_status tree_path(const tree_grown *tree, const double *cost, double *cut_at, tree_step *steps, size_t *n_steps, dm_error *err) {
  path p = {tree, cost, dm_alloc(tree->ctx, tree->m, sizeof *p.b, "tree pruning", err)};
  if (!p.b) return DM_EBUDGET;
  start(&p);
  for (size_t i = 0; cut_at && i < tree->m; i++) cut_at[i] = tree->nodes[i].feature < 0 ? 0 : (double)INFINITY;
  size_t n = 0;
  double alpha = 0;
  steps[n++] = (tree_step){0, p.b[0].impurity, p.b[0].cost};
  while (p.b[0].leaves > 1) {
    size_t i = weakest(&p);
    alpha = fmax(alpha, p.b[i].g); /* rounding alone could let it fall */
    make_leaf(&p, i);
    if (cut_at) cut_at[i] = alpha;
    for (int32_t up = p.b[i].parent; up >= 0; up = p.b[up].parent) update(&p, (size_t)up);
    steps[n++] = (tree_step){alpha, p.b[0].impurity, p.b[0].cost};
  }
  if (cut_at) pass_down(tree, cut_at);
  dm_free(tree->ctx, p.b);
  *n_steps = n;
  return DM_OK;
}
