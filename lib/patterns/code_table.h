/*
 * A code table: sets of items, in the order in which they cover rows, and how
 * many bits rows and table take when each set has the code that its usage
 * earns. What the searches for compressing sets have in common.
 *
 *   sets in order   a b c | a b | c d           then the single items a b c d e
 *   row a b c d     covered by  a b c, d        sets by size falling, support falling, items
 *   row a b c d e   covered by  a b c, d, e
 *
 * A change is tried first: the covers of the rows that it touches are kept
 * aside with what they do to the usages, and taken over only when they shorten
 * the whole.
 *
 *   L(D | CT) = sum of usage(X) code(X)             code(X) = -log2(usage(X) / sum of usages)
 *   L(CT | D) = sum over used X of code(X) + standard(X)    standard(X) = sum over its items of -log2(support / sum of supports)
 *
 * Source: Vreeken, van Leeuwen & Siebes, Data Mining and Knowledge Discovery 23, 2011, section 3.
 */
#ifndef DM_PATTERNS_CODE_TABLE_H
#define DM_PATTERNS_CODE_TABLE_H

#include "patterns/item_rows.h"
#include "patterns/itemdb.h"

#include <dm/patterns.h>

/** Ids below n_items of the database are the single items; sets come behind them. */
typedef struct code_set {
  uint32_t *items;     /* [n] codes of the database, ascending */
  uint32_t n, place;   /* in order */
  uint64_t support, usage;
  uint64_t signature;  /* item i sets bit i % 64 */
  double standard;     /* bits of its items by their own codes */
  bool in_table;
  bool fell;           /* its usage fell since it was last looked at for pruning */
  bool overlaps;       /* shares an item with the set that is tried */
  bool touched;        /* by what is tried */
  int64_t delta;       /* what that does to its usage */
} code_set;

/** The cover of a row after a change: ids[first] … of its sets, in their order. */
typedef struct code_change {
  uint32_t row, n;
  size_t first;
} code_change;

typedef struct code_trial {
  code_change *changes;
  uint32_t *ids;
  size_t n_changes, changes_capacity, n_ids, ids_capacity;
  uint32_t *touched; /* [n_touched] ids */
  size_t n_touched;
  double bits;       /* of all, after the change */
} code_trial;

typedef struct code_table code_table;

struct code_table {
  dm_ctx *ctx;
  const dm_itemdb *db;
  uint32_t *codes; /* [n_items] 0, 1, 2 …: the items of the single items */
  code_set *sets; /* [n_ids] by id, room for capacity */
  size_t n_ids, capacity;
  uint32_t *free_ids; /* [n_free] of sets that were taken out */
  size_t n_free;
  uint32_t *order;    /* [n] ids of the sets in the table, in the order of covering; single items are not listed */
  uint64_t *signature; /* [n] of those, together for the search */
  size_t n;
  uint32_t *first_of_size; /* [longest + 1] first place in order of a set of at most that size */
  size_t longest;     /* row */
  uint32_t *cover;    /* of row r: its sets cover[cover_start[r]] …, n_cover[r] of them, in their order; what is left is single items */
  uint32_t *n_cover;
  size_t *cover_start;
  double parts, standard_bits, total_bits; /* sum of what sets add to the length; L(D, ST); L(D, CT) */
  uint64_t used;      /* sum of usages */
  size_t n_used;      /* sets and items with usage */
  code_trial trial;
  item_rows item_rows;
  uint32_t *rows;     /* of the set that is tried */
  bool *is_left;      /* [n_items] the item of the row at hand is not covered yet */
  /** Told of each change before it is taken over; NULL: nobody is. */
  dm_status (*taking)(void *user, const code_table *t, dm_error *err);
  void *user;
};

/* ---- code_table.c: the table and its lengths ------------------------------------- */

/** With single items only. @param db of support 1, borrowed */
dm_status code_table_init(dm_ctx *ctx, const dm_itemdb *db, code_table *out, dm_error *err);
void code_table_clear(code_table *t);

/**
 * Tries the table with one set more: t->trial has what it comes to.
 * @param items [n] ascending, 2 or more of them. *id: what the set will be known as; UINT32_MAX when it is in the table already
 */
dm_status code_table_try_add(code_table *t, const uint32_t *items, size_t n, uint32_t *id, dm_error *err);
/** Tries the table without a set. */
dm_status code_table_try_remove(code_table *t, uint32_t id, dm_error *err);
/** Whether what was tried is shorter by more than rounding. */
static inline bool code_table_is_better(const code_table *t) { return t->trial.bits < t->total_bits - 1e-6; }
/** Take over what was tried last. */
dm_status code_table_take_add(code_table *t, uint32_t id, dm_error *err);
dm_status code_table_take_remove(code_table *t, uint32_t id, dm_error *err);
/**
 * Takes out sets whose usage fell, that of the smallest usage first, where the whole becomes shorter without them; sets that lost all
 * usage go in any case.
 */
dm_status code_table_prune(code_table *t, size_t *pruned, dm_error *err);

/** What callers see: used sets by falling usage, then used single items. */
dm_status code_table_result(const code_table *t, dm_arena *arena, dm_code_table *out, dm_error *err);

/* ---- code_cover.c: rows of a set, and covers that a change makes differ ------------- */

/** Transactions with all of the items; the n_rows rows are in t->rows. */
uint64_t code_table_rows(code_table *t, const uint32_t *items, size_t n, size_t *n_rows);
/** Forgets what was tried before. */
void code_trial_start(code_table *t);
/** Covers of the n_rows rows in t->rows with a set that would come in at the place `from`, as t->trial. */
dm_status code_cover_with(code_table *t, uint32_t id, size_t n_rows, size_t from, dm_error *err);
/** Covers of the rows that use a set, without it. */
dm_status code_cover_without(code_table *t, uint32_t id, dm_error *err);

#endif
