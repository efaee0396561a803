/*
 * What the making of rules is made of: the sets by their items, and rules on
 * their way, as numbers of sets.
 */
#ifndef DM_PATTERNS_RULES_H
#define DM_PATTERNS_RULES_H

#include <dm/patterns.h>

#define RULES_NONE UINT32_MAX
enum { RULES_SET_MAX = 32 }; /* a set of k items has 2^k - 1 subsets in memory */

/* A rule: numbers of the sets body and head together, body, and head. */
typedef struct rules_found {
  uint32_t set, body, head;
} rules_found;

typedef struct rules_slot {
  uint64_t key; /* of the set */
  uint32_t set; /* RULES_NONE: empty */
} rules_slot;

/*
 * Finds a set by the sum of random keys of its items: without an item, its key
 * is less by one subtraction. No two sets have the same key, which was looked
 * at when the index was made; so what is known to be there is found by its key.
 */
typedef struct rules_index {
  const dm_itemsets *sets;
  uint64_t seed;
  unsigned shift; /* a key's first place is key >> shift */
  size_t mask;    /* slots - 1 */
  rules_slot *slots;
} rules_index;

/** @return DM_EUSAGE: a set longer than its subsets can be there, or sets that are there twice; DM_EBUDGET. */
dm_status rules_index_build(dm_ctx *ctx, const dm_itemsets *sets, rules_index *out, dm_error *err);
void rules_index_clear(dm_ctx *ctx, rules_index *x);

static inline size_t rules_size(const dm_itemsets *sets, uint32_t set) { return sets->start[set + 1] - sets->start[set]; }
static inline const uint32_t *rules_items(const dm_itemsets *sets, uint32_t set) { return sets->items + sets->start[set]; }

/* The finaliser of splitmix64: Steele, Lea & Flood, OOPSLA 2014. */
static inline uint64_t rules_item_key(const rules_index *x, uint32_t item) {
  uint64_t z = x->seed + (item + 1) * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static inline uint64_t rules_set_key(const rules_index *x, uint32_t set) {
  uint64_t key = 0;
  for (size_t i = x->sets->start[set]; i < x->sets->start[set + 1]; i++) key += rules_item_key(x, x->sets->items[i]);
  return key;
}

static inline void rules_index_prefetch(const rules_index *x, uint64_t key) { __builtin_prefetch(&x->slots[key >> x->shift]); }

/** Number of the set, or RULES_NONE. */
static inline uint32_t rules_index_find(const rules_index *x, uint64_t key) {
  for (size_t at = key >> x->shift;; at = (at + 1) & x->mask) {
    const rules_slot *slot = &x->slots[at];
    if (slot->set == RULES_NONE || slot->key == key) return slot->set;
  }
}

static inline double rules_confidence(const dm_itemsets *sets, const rules_found *r) {
  return (double)sets->support[r->set] / (double)sets->support[r->body];
}
static inline dm_rule_counts rules_counts(const dm_itemsets *sets, const rules_found *r, uint64_t total) {
  return (dm_rule_counts){sets->support[r->set], sets->support[r->body], sets->support[r->head], total};
}

/** Rules that keep min_confidence, max_head, appear and min_measure, in the order of the sets. @param out owned by the caller */
dm_status rules_find(dm_ctx *ctx, const rules_index *x, uint64_t total, const dm_rule_options *o, rules_found **out, size_t *n, dm_error *err);

/** Takes those away that a shorter body makes needless; the order stays. */
dm_status rules_prune(dm_ctx *ctx, const rules_index *x, uint64_t total, const dm_rule_options *o, rules_found *rules, size_t *n, dm_error *err);

/** Sorts as dm_rules_make says. @param q [n] or NULL, sorted with them. */
dm_status rules_sort(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *options, rules_found *rules, double *q,
                     size_t n, dm_error *err);

#endif
