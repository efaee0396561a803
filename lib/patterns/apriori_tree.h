/*
 * The prefix tree of Apriori, level by level. A set is a path of falling item
 * codes; a level holds its nodes one behind the other, children of one node
 * side by side and ascending:
 *
 *   level 1   0      1      2                    {0} {1} {2}
 *   first     0  0      1      3
 *   level 2          0      0 1                  {1 0} {2 0} {2 1}
 *   level 3                   0                  {2 1 0}
 *
 * New nodes are candidates first: two siblings joined. Their counts decide
 * which stay.
 *
 * Frequent sets: a node whose support is that of its parent goes, and its item
 * is written down as perfect for the parent: it is in every row of what grows
 * from there, so that each set stands for itself and for itself with it.
 * Generators: a node goes when a set with one item less has its support.
 * Source: Agrawal & Srikant, VLDB 1994 (join and prune); Borgelt & Kruse, COMPSTAT 2002 (prefix tree).
 */
#ifndef DM_PATTERNS_APRIORI_TREE_H
#define DM_PATTERNS_APRIORI_TREE_H

#include "patterns/itemdb.h"

enum { APRIORI_NONE = -1 }; /* as uint32_t */

typedef struct apriori_level {
  size_t n, capacity;
  uint32_t *item;          /* [n] */
  uint64_t *support;       /* [n] */
  uint64_t *bound;         /* [n] least support of the sets with one item less */
  uint32_t *row;           /* [n] the first row that holds the set */
  uint32_t *first;         /* [n + 1] children in the next level; NULL: there is none */
  size_t *perfect_start;   /* [n + 1] frequent sets, once the next level is counted; else NULL */
  uint32_t *perfect;
} apriori_level;

typedef struct apriori_tree {
  dm_ctx *ctx;
  const dm_itemdb *db;
  bool generators;
  uint32_t *top;           /* [n_items] node of an item in level 1, or NONE */
  apriori_level *levels;   /* [n_levels + 1], from 1 on; at most as many as a row has items */
  size_t n_levels, longest;
  uint32_t *path;          /* [longest + 1] */
} apriori_tree;

/** Level 1: the items; without those of all rows, when they are to be generators. */
dm_status apriori_tree_init(apriori_tree *tree, dm_ctx *ctx, const dm_itemdb *db, bool generators, dm_error *err);
void apriori_tree_clear(apriori_tree *tree);

/** Adds a candidate to a level that is being made. */
dm_status apriori_add(apriori_tree *tree, apriori_level *level, uint32_t item, uint64_t support, uint64_t bound, uint32_t row, dm_error *err);
/** Joins the sets of the last level; what has a set with one item less that is not in the tree is left out. The new level becomes the last. */
dm_status apriori_join(apriori_tree *tree, dm_error *err);
/** Of the last level, which has been counted, keeps what is frequent and neither perfect nor without being a generator. */
dm_status apriori_filter(apriori_tree *tree, dm_error *err);

/** Calls f for each node of a level, in order, with its path. @return false as soon as f does */
typedef bool (*apriori_visit)(void *user, const uint32_t *path, size_t node);
bool apriori_each(apriori_tree *tree, size_t depth, apriori_visit f, void *user);

#endif
