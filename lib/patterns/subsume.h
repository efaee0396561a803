/*
 * Closed or maximal sets found so far. A search that comes to less frequent
 * items first has found every set with such an item before those without it;
 * so whether a set is closed or maximal is asked here.
 *
 * closed   no set found has the same rows. Sets are found by the sum of their rows' marks, and compared, so that an
 *          accident among marks does no harm.
 * maximal  no set found holds it. Sets are found by one of their items; a search keeps with it those that hold what
 *          it has, so that few are compared (progressive focusing).
 *
 * Source: Zaki & Hsiao, SDM 2002 (CHARM, sums of rows); Gouda & Zaki, ICDM 2001 (focusing); the store of sets in a
 * search over FP-trees: Grahne & Zhu, FIMI 2003.
 */
#ifndef DM_PATTERNS_SUBSUME_H
#define DM_PATTERNS_SUBSUME_H

#include <dm/core.h>

typedef struct dm_subsume {
  dm_ctx *ctx;
  size_t n, capacity;
  size_t *start;           /* [capacity + 1] */
  uint64_t *key, *support; /* [capacity] key: sum of marks, or signature: a bit for each item */
  uint32_t *items;         /* [items_capacity], ascending in each set */
  size_t items_capacity;
  uint32_t *slots;         /* closed: [n_slots] sets + 1 by key */
  size_t n_slots;
  uint32_t *last, *before; /* maximal: [n_items] last place in `items` of an item + 1; [items_capacity] the one before it */
  uint32_t *owner;         /* maximal: [items_capacity] the set a place belongs to */
} dm_subsume;

/** @param n_items of the database where sets are to be found by item; 0: by key. */
dm_status dm_subsume_init(dm_subsume *s, dm_ctx *ctx, size_t n_items, dm_error *err);
void dm_subsume_clear(dm_subsume *s);
/** @param items [n], copied. @param mark sum of the marks of its rows (closed). @return DM_EBUDGET, DM_EINPUT: more than 2^32-1 items in all */
dm_status dm_subsume_add(dm_subsume *s, const uint32_t *items, size_t n, uint64_t support, uint64_t mark, dm_error *err);

/** Closed: has a set been found with the same rows, and more items? @param is_in [items of the database] those of the set, n of them */
bool dm_subsume_has_closed(const dm_subsume *s, const bool *is_in, size_t n, uint64_t support, uint64_t mark);

/** Maximal: the sets that hold an item, the latest first: *at is 0 at the start. @return false: no more */
bool dm_subsume_next(const dm_subsume *s, uint32_t item, uint32_t *at, uint32_t *set);
bool dm_subsume_holds_item(const dm_subsume *s, size_t set, uint32_t item);
/** Does the set hold all n items of is_in? @param signature of theirs */
bool dm_subsume_holds(const dm_subsume *s, size_t set, const bool *is_in, size_t n, uint64_t signature);
static inline uint64_t dm_subsume_bit(uint32_t item) { return UINT64_C(1) << item % 64; }

#endif
