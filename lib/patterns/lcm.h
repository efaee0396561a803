/*
 * What the files of the search for closed sets, maximal sets and generators
 * share. See lcm.c for how they work together.
 *
 *   lcm.c             tasks and threads
 *   lcm_root.c        the database as the tasks find it
 *   lcm_sparse.c      conditional databases as rows of items, while there are many items
 *   lcm_columns.c     the end of it, for sets of at most 64 transactions
 *   lcm_closed.c      closed sets, conditional databases as rows of bits
 *   lcm_exact.c       maximal sets, the same while rows are many
 *   lcm_maximal.c     maximal sets, with counts of items that are out
 *   lcm_generators.c  generators, the same as lcm_closed.c with a store of sets
 *   lcm_kernels.c     loops over many rows of bits, scalar and SIMD
 */
#ifndef DM_PATTERNS_LCM_H
#define DM_PATTERNS_LCM_H

#include "patterns/generators.h"
#include "patterns/miner.h"
#include "patterns/stack.h"

enum { DM_LCM_BITS = 64 };  /* items that a row of bits can hold */
enum { DM_LCM_SLACK = 16 }; /* entries that loops over whole vectors may write behind the end */
enum { DM_LCM_TELL = 256 }; /* sets that are counted before the reporter hears of them */

/*
 * A conditional database as rows of items, of a set P. Its items are numbered
 * by their code: the first n_tail may be added to P, the others are out, since
 * all sets with them were or will be found elsewhere; they tell whether a set
 * is closed or maximal. Each is in at least min_support of the rows, none of
 * the tail in all.
 */
typedef struct dm_lcm_node {
  size_t n, n_tail;
  const uint32_t *code;   /* [n] in the itemdb */
  const uint64_t *count;  /* [n_tail] supports with P */
  size_t n_rows;
  const size_t *start;    /* [n_rows + 1] */
  const uint32_t *index;  /* ascending in each row */
  const uint32_t *weight; /* [n_rows] */
  const size_t *in_start; /* [n_tail + 1] rows of an item: in[in_start[i]] … */
  const uint32_t *in;
  const uint32_t *pairs;  /* supports of pairs: item i with item j < i at i (i - 1) / 2 + j; NULL: not counted */
} dm_lcm_node;

/*
 * The same for at most 64 items of the tail, distinct rows with weights: bit i
 * of a row is the item code[i]. Bits of items that are out (processed before,
 * in the same database) and `outer` items (out before the database was cut
 * down to bits) are kept as far as they are needed.
 */
typedef struct dm_lcm_bits {
  size_t n;
  uint64_t *a;      /* [n] bits of the tail, and of those that are out and in every row that was merged */
  uint64_t *weight; /* [n] */
  uint64_t *x;      /* [n * words] outer items that every merged row has, as bits */
} dm_lcm_bits;

/* Rows of bits for maximal sets: all bits are of the tail. */
typedef struct dm_lcm_counted {
  size_t n, n_out;
  uint64_t *a, *weight; /* [n] */
  uint32_t *x;          /* [n * n_out] how often each item that is out is in the merged rows */
} dm_lcm_counted;

/* The loops over rows of bits. */
typedef struct dm_lcm_kernels {
  /** And and or of the rows that have a bit. */
  void (*survey)(const uint64_t *a, size_t n, uint64_t bit, uint64_t *all, uint64_t *any);
  /** Rows that have a bit, with weight and number. Writes up to 7 entries more than it returns. */
  size_t (*select)(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t bit, uint64_t *to_a, uint64_t *to_weight, uint32_t *row);
  /** count[i] = weights of the rows with bit i, for the bits of `items`. */
  void (*count)(const uint64_t *a, const uint64_t *weight, size_t n, uint64_t items, uint64_t *count);
  /** Whether a column has all of the rows. */
  bool (*covers)(const uint64_t *columns, size_t n, uint64_t rows);
  /** Whether a column has at least `min` of the rows. */
  bool (*meets)(const uint64_t *columns, size_t n, uint64_t rows, unsigned min);
  /**
   * Columns cut down to the rows, of which they have at least `min` but not all; items of those that have all go to `full` unless
   * n_full is NULL. Writes up to 7 entries more.
   */
  size_t (*narrow)(const uint64_t *columns, const uint32_t *items, size_t n, uint64_t rows, unsigned min, uint64_t *to, uint32_t *to_items,
                   uint32_t *full, size_t *n_full);
} dm_lcm_kernels;
/** Those for the registers that the CPU has. */
const dm_lcm_kernels *dm_lcm_kernels_get(void);

/* Rows of bits for maximal sets as long as they are many: every item keeps its bit, up to 64 in `a` and 64 others, none of the tail, in `x`. */
typedef struct dm_lcm_exact {
  size_t n;
  uint64_t *a, *weight, *x; /* [n] */
} dm_lcm_exact;
/* Bits of the items that are out. */
typedef struct dm_lcm_out {
  uint64_t a, x;
} dm_lcm_out;

typedef struct dm_lcm_search {
  dm_ctx *ctx;
  const dm_itemdb *db;
  dm_itemset_kind kind;
  uint64_t min_support;
  size_t max_counts; /* maximal sets: merged rows times items that are out, at most, where counts are kept of them */
  const dm_lcm_kernels *kernels;
  size_t n_everywhere; /* items that all transactions have: the first ones */
  dm_lcm_node root;    /* rows of the database; in, in_start: of the items from n_bits on */
  /* The first n_bits items are also rows of bits, none when these would be large: */
  size_t n_bits;
  dm_lcm_bits bits;       /* closed sets, generators */
  dm_lcm_exact exact;     /* maximal sets */
  uint64_t gathered;      /* maximal sets: see dm_lcm_gather */
  dm_generators *generators;
} dm_lcm_search;

/* What a thread has. */
typedef struct dm_lcm_worker {
  const dm_lcm_search *search;
  dm_stack stack;
  dm_emit *e;
  uint64_t found;            /* sets not yet counted, when they are only counted */
  dm_status status;
  dm_error *err;
  /* of lcm_sparse.c: */
  uint64_t *count;           /* [items] zero between heads */
  uint64_t *seen;            /* [items / 64] bits of items that were counted; zero between heads */
  uint32_t *list;            /* [items + 1] */
  uint64_t *mask;            /* [items] */
  uint32_t *word;            /* [items] */
  /* of the rows of bits: */
  uint32_t code[DM_LCM_BITS];
  size_t words;              /* of x in a row */
} dm_lcm_worker;

/** What the miner does; its max_counts is DM_LCM_MAX_COUNTS. */
dm_status dm_lcm_mine(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_counts, dm_reporter *out, dm_error *err);
enum { DM_LCM_MAX_COUNTS = 1 << 18 };

/** Memory that goes with the next mark; NULL after noting why. */
void *dm_lcm_take(dm_lcm_worker *w, size_t count, size_t size);

/** The set that was pushed is wanted. */
static inline void dm_lcm_found(dm_lcm_worker *w, uint64_t support) {
  if (!w->e->counts) {
    dm_emit_set(w->e, support);
  } else if (++w->found == DM_LCM_TELL) {
    dm_emit_count(w->e, w->found);
    w->found = 0;
  }
}
static inline void dm_lcm_push(dm_lcm_worker *w, uint32_t code) {
  if (!w->e->counts) dm_emit_push(w->e, code);
}
/** n ones, n <= 64. */
static inline uint64_t dm_lcm_first(size_t n) { return n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1; }
static inline void dm_lcm_push_bits(dm_lcm_worker *w, uint64_t items) {
  if (w->e->counts) return;
  for (; items; items &= items - 1) dm_emit_push(w->e, w->code[__builtin_ctzll(items)]);
}
static inline void dm_lcm_pop_to(dm_lcm_worker *w, size_t n) {
  if (w->e->counts) return;
  w->e->n = n;
  if (w->e->kept > n) w->e->kept = n;
}

/** All sets with the item `head` of a node's tail and items before it. false: the search ends. */
bool dm_lcm_sparse_head(dm_lcm_worker *w, const dm_lcm_node *node, size_t head);
/** The same when the head is in at most 64 transactions. */
bool dm_lcm_columns_head(dm_lcm_worker *w, const dm_lcm_node *node, size_t head);
/** The rows that each item of the tail from `first` on is in. */
bool dm_lcm_invert(dm_lcm_worker *w, dm_lcm_node *node, size_t first);
/** What all tasks start from; its memory goes with w's stack. */
bool dm_lcm_root(dm_lcm_worker *w, dm_lcm_search *s);
/* And and or of some rows. */
typedef struct dm_lcm_survey {
  uint64_t all, any;
} dm_lcm_survey;
/** Of the rows with a bit. */
dm_lcm_survey dm_lcm_look_at(const dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit);
/**
 * The rows with a bit, merged, unless none of the items `open` is in enough of them.
 * @param open in: items to count; out: those that are. @param count [64] out: their supports
 */
bool dm_lcm_next_bits(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit, uint64_t *open, dm_lcm_bits *next, uint64_t *count);
/** All closed sets with items of the tail. @param out bits of the items that are out @param count [64] supports of the tail */
bool dm_lcm_closed(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t tail, uint64_t out, const uint64_t *count);
bool dm_lcm_closed_head(dm_lcm_worker *w, const dm_lcm_bits *rows, unsigned head, uint64_t tail, uint64_t out, uint64_t support);
/** All generators with items of the tail. @param count [64] supports of the tail */
bool dm_lcm_generators(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t tail, const uint64_t *count);
/** Pushes an item if that gives a generator, and reports it. @param is_one out */
bool dm_lcm_generator(dm_lcm_worker *w, uint32_t code, uint64_t support, bool *is_one);

/** Items that are frequent together with the set whose rows these are; the others of the tail are the heads. */
typedef struct dm_lcm_gathered {
  uint64_t items, support;
  uint32_t *row; /* [n] rows that have them all */
  size_t n;
} dm_lcm_gathered;
bool dm_lcm_gather(dm_lcm_worker *w, const uint64_t *a, const uint64_t *weight, size_t n_rows, uint64_t tail, dm_lcm_gathered *g);
/** The head with what was pushed, and all that follows. @param out items that are out, heads before this one among them */
bool dm_lcm_exact_head(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, unsigned head, uint64_t tail, uint64_t support);
/** What was gathered, if with what was pushed it is maximal. */
bool dm_lcm_exact_found(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, const dm_lcm_gathered *g);
/** All maximal sets with the one that was pushed, whose rows these are. @param count [64] supports of the tail */
bool dm_lcm_maximal(dm_lcm_worker *w, const dm_lcm_counted *rows, uint64_t tail, const uint64_t *count);

#endif
