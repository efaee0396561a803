/*
 * Passes over the rows: pairs, candidates of a level, closures. A row goes down
 * the tree by all of its items; with several threads each takes some of the
 * items that paths begin with, so that nobody counts at another's node.
 */
#ifndef DM_PATTERNS_APRIORI_COUNT_H
#define DM_PATTERNS_APRIORI_COUNT_H

#include "patterns/apriori_tree.h"

/* The rows that are still worth looking at: a copy that gets smaller. */
typedef struct apriori_rows {
  dm_ctx *ctx;
  size_t n;
  size_t *start;           /* [n + 1] */
  uint32_t *index;
  uint32_t *weight, *row;  /* [n]; row: number in the database */
  uint32_t **at;           /* [threads][n_items] place of an item in the row that a thread is at, from 1; 0 = not there */
  size_t threads;
} apriori_rows;

dm_status apriori_rows_init(apriori_rows *rows, dm_ctx *ctx, const dm_itemdb *db, dm_error *err);
void apriori_rows_clear(apriori_rows *rows);

/** Makes level 2, already counted: a row of the triangle of pairs at a time, from the rows that hold its item. */
dm_status apriori_count_pairs(apriori_tree *tree, const apriori_rows *rows, dm_error *err);
/** Leaves out items that are in no set of the last level, and rows that are too short for the next. */
dm_status apriori_trim(apriori_tree *tree, apriori_rows *rows, dm_error *err);

/*
 * Items that go with each set of a level: in all of its rows, but not in it.
 * What its first row has more, less what another of its rows has not. What
 * goes with the set's parent goes with the set, and is not looked at again.
 * Source: Pasquier, Bastide, Taouil & Lakhal, Information Systems 24(1), 1999 (Close).
 */
typedef struct apriori_closures {
  size_t level;
  size_t *start;           /* [n + 1] room of each set */
  uint32_t *n, *certain;   /* [n] how many are left, of them those of the parent, which come first */
  uint32_t *items;
} apriori_closures;

/** For the generators of the last level. To be cleared in any case. @param above those of the level above, narrowed; NULL: this is the first */
dm_status apriori_closures_init(apriori_closures *c, apriori_tree *tree, const apriori_closures *above, dm_error *err);
void apriori_closures_clear(apriori_closures *c, dm_ctx *ctx);

/** Counts the candidates of the last level. @param closures of the level above, narrowed on the way, by rows that were not trimmed; NULL: none */
dm_status apriori_count(apriori_tree *tree, const apriori_rows *rows, apriori_closures *closures, dm_error *err);
/** Narrows the closures where there is nothing to count. */
dm_status apriori_close(apriori_tree *tree, const apriori_rows *rows, apriori_closures *closures, dm_error *err);

#endif
