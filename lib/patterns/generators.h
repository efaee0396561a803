/*
 * The generators found so far: a search that comes to every set after all its
 * subsets asks here whether it is one. Any subset of a generator is one, so
 * only the subsets with one item less are looked for.
 *
 *   {a b c} is a generator  <=>  {b c}, {a c}, {a b} are, and each has more support
 *
 * Source: Pasquier, Bastide, Taouil & Lakhal, ICDT 1999 (A-Close); Bastide et al., SIGKDD Explorations 2(2), 2000 (PASCAL).
 */
#ifndef DM_PATTERNS_GENERATORS_H
#define DM_PATTERNS_GENERATORS_H

#include <dm/core.h>

typedef struct dm_generators {
  dm_ctx *ctx;
  uint64_t total;    /* support of the empty set */
  size_t n, n_slots;
  uint64_t *slots;   /* [n_slots], a power of 2: place of the set in words + 1; 0 = free */
  uint32_t *words;   /* sets one behind the other: items n, support low, support high, hash low, hash high, items */
  size_t used, capacity;
} dm_generators;

void dm_generators_init(dm_generators *g, dm_ctx *ctx, uint64_t total);
void dm_generators_clear(dm_generators *g);
/** @param items [n] in an order that is the same for all sets. */
bool dm_generators_has_all_below(const dm_generators *g, const uint32_t *items, size_t n, uint64_t support);
dm_status dm_generators_add(dm_generators *g, const uint32_t *items, size_t n, uint64_t support, dm_error *err);

#endif
