/*
 * What the files of the fast search share. A node of it is a set of items and
 * the rows that hold it; the rows change their form on the way down, as they
 * become fewer and shorter:
 *
 *   lists    hybrid_lists.c  row -> its items, and item -> its rows
 *   wide     hybrid_wide.c   at most 128 items are left, and rows are long: a row is two words
 *   masks    hybrid_masks.c  at most 64 items are left: a row is a word, equal rows are one, with their weight;
 *                            of the last few items all sets are counted at once, in a table
 *   words    hybrid_words.c  at most 64 rows are left: an item is a word
 */
#ifndef DM_PATTERNS_HYBRID_H
#define DM_PATTERNS_HYBRID_H

#include "matrix/kernels/masks.h"
#include "patterns/miner.h"
#include "patterns/stack.h"

#include <string.h>

enum {
  HYBRID_FEW = 8,    /* columns of the smallest table … */
  HYBRID_TABLE = 12, /* … and of the largest */
  HYBRID_WORD = 64
};

/*
 * Rows as lists, for each item those that have others before it: first rows
 * that count once, then, from the end backwards, pairs of a heavier one and its
 * weight. A row is the place in index where its items begin, ascending; only
 * what stands before the item is read of it, so that no end need be known.
 *
 *   first[i]           light[i]              first[i + 1]
 *   | row row row row | ... weight row weight row |
 */
typedef struct hybrid_lists {
  const uint32_t *index;
  uint32_t *first; /* [n_items + 1] */
  uint32_t *light; /* [n_items] */
  uint32_t *row;
  const uint32_t *item;    /* [n_items] codes of the database; NULL: they are the same */
  const uint32_t *support; /* [n_items] */
  uint32_t heaviest;       /* weight */
} hybrid_lists;

/* Rows as masks, of `columns` items that are all frequent. */
typedef struct hybrid_masks {
  uint64_t *mask;
  uint32_t *weight;
  size_t n;
  unsigned columns;
  uint32_t support; /* of the set */
  uint32_t item[64];
} hybrid_masks;

/* The same with up to 128 columns, those from 64 on in `high`. */
typedef struct hybrid_wide {
  uint64_t *low, *high;
  uint32_t *weight;
  size_t n;
  unsigned columns;
  uint32_t support;
  uint32_t item[128];
} hybrid_wide;

typedef struct hybrid {
  dm_ctx *ctx;
  const dm_itemdb *db;
  const dm_k_masks *k;
  size_t max_size;
  uint32_t min;          /* support */
  size_t longest;        /* items of the longest row */
  size_t few;            /* items that HYBRID_WORD rows may have together */
  uint32_t *support;     /* [n_items] */
  hybrid_masks masks;    /* of the first 64 items */
  hybrid_wide wide;      /* of all, when there are 65 to 128; low is NULL otherwise */
  hybrid_lists lists;    /* of the items from 64 on, when there are still more; row is NULL otherwise */
  size_t *task;          /* [n_tasks + 1] first item of each and 1; it ends where the next begins */
  size_t n_tasks;
} hybrid;

typedef struct hybrid_worker {
  const hybrid *h;
  dm_emit *e;
  dm_error *err;
  dm_stack memory;
  uint32_t *count;      /* [n_items] zero between two uses */
  uint32_t *code;       /* [n_items] HYBRID_NONE between two uses */
  uint64_t *word;       /* [n_items] zero between two uses */
  uint32_t *seen;       /* [few] */
  dm_k_columns columns; /* [few] */
  uint32_t *equals;     /* [longest] */
  uint32_t *table;      /* [2^HYBRID_TABLE] */
} hybrid_worker;

#define HYBRID_NONE UINT32_MAX

static inline void *hybrid_take(hybrid_worker *w, size_t count, size_t size) { return dm_stack_take(&w->memory, count, size, w->err); }

/* Columns of a table that costs no more than a few passes over the rows. */
static inline unsigned hybrid_table_columns(size_t rows) {
  unsigned c = HYBRID_FEW;
  while (c < HYBRID_TABLE && ((size_t)1 << c) < 4 * rows) c++;
  return c;
}

/* Does the search go on? */
static inline bool hybrid_goes_on(const hybrid_worker *w) {
  return !atomic_load_explicit(&w->e->stop, memory_order_relaxed) && !dm_ctx_cancelled(w->h->ctx);
}

/* Sets that are the current one and more of other items, each with any choice of the perfect items. Only where e->counts. */
static inline void hybrid_add(hybrid_worker *w, uint64_t sets) {
  size_t k = w->e->n_perfect;
  if (k < 64 && sets <= UINT64_MAX >> k) {
    dm_emit_count(w->e, sets << k);
  } else { /* twice what can be counted is an overflow to the reporter */
    dm_emit_count(w->e, UINT64_MAX);
    dm_emit_count(w->e, UINT64_MAX);
  }
}

/* hybrid_masks.c */
/** The set of a node that no item leads on from. */
static inline void hybrid_leaf(hybrid_worker *w, uint32_t support) {
  if (w->e->counts)
    hybrid_add(w, 1);
  else
    dm_emit_set(w->e, support);
}
/** The set of the node, and all sets above it. */
dm_status hybrid_masks_search(hybrid_worker *w, const hybrid_masks *node);
/** Those of them whose last item is `column`; the node's items are before those of the worker. */
dm_status hybrid_masks_extend(hybrid_worker *w, const hybrid_masks *node, unsigned column);
/** How many columns come first that are better searched together, by hybrid_masks_first. */
unsigned hybrid_masks_together(const hybrid_worker *w, const hybrid_masks *node);
/** All sets of the first columns, and the set of the node unless it is the empty one. */
void hybrid_masks_first(hybrid_worker *w, const hybrid_masks *node, unsigned columns);
/** Equal rows become one. */
dm_status hybrid_masks_merge(hybrid_worker *w, hybrid_masks *node);

/* hybrid_wide.c */
dm_status hybrid_wide_search(hybrid_worker *w, const hybrid_wide *node);
/** @param column from 64 on */
dm_status hybrid_wide_extend(hybrid_worker *w, const hybrid_wide *node, unsigned column);

/* hybrid_lists.c */
/** The lists of the whole database. */
dm_status hybrid_lists_init(hybrid *h, dm_error *err);
void hybrid_lists_clear(hybrid *h);
/** All sets whose last item is this one. */
dm_status hybrid_lists_extend(hybrid_worker *w, const hybrid_lists *lists, uint32_t item);

/* hybrid_words.c */
/** The set with these columns to choose from, none of them perfect, and all sets above it. */
dm_status hybrid_words_search(hybrid_worker *w, const dm_k_columns *columns, uint32_t support);

#endif
