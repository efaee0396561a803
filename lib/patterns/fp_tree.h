/*
 * FP-tree: rows as paths from a root, the most frequent items first, so that
 * rows that begin alike share nodes. Nodes of one item are linked.
 *
 *   rows  0 1 2 (weight 2) | 0 1 | 0 2 | 1 2           items  0 -> its nodes, 1 -> ..., 2 -> ...
 *
 *   root -- 0:4 -- 1:3 -- 2:2        conditional tree of item 2: the paths above its nodes with its counts,
 *      |      `--- 2:1               without what is not frequent there
 *      `--- 1:1 -- 2:1               root -- 0:3 -- 1:2
 *                                       `--- 1:1
 * Source: Han, Pei & Yin, SIGMOD 2000.
 */
#ifndef DM_PATTERNS_FP_TREE_H
#define DM_PATTERNS_FP_TREE_H

#include "patterns/itemdb.h"
#include "patterns/stack.h"

/* A node; node 0 is the root. Parents stand before their children. */
typedef struct fp_node {
  uint64_t count; /* weight of the rows that go through it */
  uint64_t mark;  /* sum of their marks */
  uint32_t item;  /* place among the tree's items */
  uint32_t parent, link; /* link: next node of the item, 0 = none */
} fp_node;

typedef struct fp_item {
  uint32_t code, first;   /* code in the database; first node */
  uint64_t support, mark; /* sums over its nodes; support 0: crossed out */
} fp_item;

typedef struct fp_tree {
  fp_item *items; /* ascending codes */
  size_t n_items;
  fp_node *nodes;
  size_t n_nodes;
} fp_tree;

/* What a pass over the paths above an item gathers, by place; zero between passes. */
typedef struct fp_counts {
  uint64_t *support, *mark; /* [n] */
  uint64_t *seen;           /* [n / 64 + 1] bits of the places that were come to */
  uint32_t *place;          /* [n] in the conditional tree + 1, 0 = left out */
  uint32_t *path;           /* [n] */
  size_t nodes;             /* come to on all paths together */
} fp_counts;

/**
 * Tree of the whole database. The mark of a row is a number drawn for it: equal
 * sums of marks come of equal rows, but for an accident.
 * @return DM_EBUDGET; DM_EINPUT: more than 2^32-1 nodes
 */
dm_status fp_tree_build(dm_ctx *ctx, const dm_itemdb *db, fp_tree *out, dm_error *err);
void fp_tree_clear(dm_ctx *ctx, fp_tree *tree);

dm_status fp_counts_init(fp_counts *c, dm_ctx *ctx, size_t n, dm_error *err);
void fp_counts_clear(fp_counts *c, dm_ctx *ctx);

/** Support of every item above the nodes of the item at `place`. */
void fp_tree_count(const fp_tree *tree, uint32_t place, fp_counts *c);
/** The next place that was come to, from `from` on; SIZE_MAX: no more. */
size_t fp_counts_next(const fp_counts *c, size_t from, size_t end);
/** Zeroes what fp_tree_count, and the caller in c->place, wrote. @param place as it was then */
void fp_counts_forget(fp_counts *c, uint32_t place);
/**
 * The nodes of the conditional tree, whose items the caller has chosen (c->place) and written (out->items).
 * On the stack, where they stay.
 */
dm_status fp_tree_project(const fp_tree *tree, uint32_t place, fp_counts *c, dm_stack *memory, fp_tree *out, dm_error *err);

/** True when no node has two children. */
bool fp_tree_is_path(const fp_tree *tree);

#endif
