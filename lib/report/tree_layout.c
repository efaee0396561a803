/*
 * Tidy layout of a binary tree. Each subtree is laid out by itself and keeps
 * its outline, first and last row per level; a right subtree is pushed down
 * until its outline clears the left one's on every level both reach.
 * Source: Reingold & Tilford, IEEE Trans. Software Eng. 7(2), 1981.
 */
#include "report/tree_layout.h"

#include <math.h>

typedef struct outline {
  size_t levels; /* below and including the subtree's root */
  double first[DM_TREE_LEVELS], last[DM_TREE_LEVELS];
} outline;

/* Lays out the subtree of node with its root at row 0 of its own; offsets of children go to places[].row. */
static outline lay_out(const dm_tree_view *tree, size_t node, dm_tree_place *places) {
  outline o = {.levels = 1};
  const dm_tree_node *at = &tree->nodes[node];
  if (at->left == DM_TREE_NONE || !places[at->left].drawn) return o;
  outline left = lay_out(tree, at->left, places), right = lay_out(tree, at->right, places);
  size_t shared = left.levels < right.levels ? left.levels : right.levels;
  double apart = 1;
  for (size_t d = 0; d < shared; d++) apart = fmax(apart, left.last[d] - right.first[d] + 1);
  places[at->left].row = -apart / 2;
  places[at->right].row = apart / 2;
  o.levels += left.levels > right.levels ? left.levels : right.levels;
  for (size_t d = 0; d + 1 < o.levels; d++) {
    o.first[d + 1] = d < left.levels ? left.first[d] - apart / 2 : right.first[d] + apart / 2;
    o.last[d + 1] = d < right.levels ? right.last[d] + apart / 2 : left.last[d] - apart / 2;
  }
  return o;
}

void dm_tree_layout(const dm_tree_view *tree, dm_tree_place *places, size_t *levels, double *rows) {
  *levels = 1;
  for (size_t i = 0; i < tree->n; i++) {
    size_t parent = tree->nodes[i].parent;
    places[i] = (dm_tree_place){.level = parent == DM_TREE_NONE ? 0 : places[parent].level + 1};
    places[i].drawn = places[i].level < DM_TREE_LEVELS;
    if (places[i].drawn && places[i].level + 1 > *levels) *levels = places[i].level + 1;
    if (places[i].drawn) continue;
    while (!places[parent].drawn) parent = tree->nodes[parent].parent;
    places[parent].hidden++;
  }
  outline o = lay_out(tree, 0, places);
  double first = 0, last = 0;
  for (size_t d = 0; d < o.levels; d++) {
    first = fmin(first, o.first[d]);
    last = fmax(last, o.last[d]);
  }
  places[0].row = -first;
  for (size_t i = 1; i < tree->n; i++)
    if (places[i].drawn) places[i].row += places[tree->nodes[i].parent].row;
  *rows = last - first + 1;
}

size_t dm_tree_n_drawn(const dm_tree_view *tree) {
  size_t drawn = 0;
  for (size_t i = 0; i < tree->n; i++) {
    size_t level = 0;
    for (size_t p = tree->nodes[i].parent; p != DM_TREE_NONE && level < DM_TREE_LEVELS;
         p = tree->nodes[p].parent)
      level++;
    drawn += level < DM_TREE_LEVELS;
  }
  return drawn;
}
