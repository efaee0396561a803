/* Sets by the keys of their items: an open table, at most half full. */
#include "patterns/rules.h"

#include <string.h>

enum { AHEAD = 16 }; /* sets whose slots are on their way from memory */

static bool same_items(const dm_itemsets *sets, uint32_t a, uint32_t b) {
  size_t n = rules_size(sets, a);
  return n == rules_size(sets, b) && memcmp(rules_items(sets, a), rules_items(sets, b), n * sizeof(uint32_t)) == 0;
}

/* @param same two different sets with one key, or one set twice; RULES_NONE: none. */
static void insert(rules_index *x, uint64_t key, uint32_t set, uint32_t *same) {
  size_t at = key >> x->shift;
  while (x->slots[at].set != RULES_NONE) {
    if (x->slots[at].key == key) {
      *same = x->slots[at].set;
      return;
    }
    at = (at + 1) & x->mask;
  }
  x->slots[at] = (rules_slot){key, set};
}

/* @return false when two different sets have one key with this seed: once in 10^5 for ten million sets */
static bool fill(rules_index *x, uint32_t twice[2]) {
  uint32_t n = (uint32_t)x->sets->n, same = RULES_NONE;
  uint64_t keys[AHEAD];
  for (size_t i = 0; i <= x->mask; i++) x->slots[i].set = RULES_NONE;
  for (uint32_t i = 0; i < n + AHEAD; i++) {
    if (i >= AHEAD && i - AHEAD < n) {
      insert(x, keys[i % AHEAD], i - AHEAD, &same);
      if (same != RULES_NONE) {
        twice[0] = same, twice[1] = i - AHEAD;
        return false;
      }
    }
    if (i >= n) continue;
    keys[i % AHEAD] = rules_set_key(x, i);
    rules_index_prefetch(x, keys[i % AHEAD]);
  }
  return true;
}

static dm_status check(const dm_itemsets *sets, dm_error *err) {
  if (sets->n > UINT32_MAX / 4) return dm_fail(err, DM_EBUDGET, "rules: %zu sets, at most %u can be made into rules", sets->n, UINT32_MAX / 4);
  for (uint32_t i = 0; i < sets->n; i++)
    if (rules_size(sets, i) == 0 || rules_size(sets, i) >= RULES_SET_MAX)
      return dm_fail(err, DM_EUSAGE, "rules: a set of %zu items, whose subsets cannot be among %zu sets", rules_size(sets, i), sets->n);
  return DM_OK;
}

dm_status rules_index_build(dm_ctx *ctx, const dm_itemsets *sets, rules_index *out, dm_error *err) {
  dm_status s = check(sets, err);
  if (s != DM_OK) return s;
  unsigned bits = 4;
  while ((size_t)1 << bits < 2 * sets->n) bits++;
  rules_index x = {.sets = sets, .shift = 64 - bits, .mask = ((size_t)1 << bits) - 1};
  x.slots = dm_alloc(ctx, x.mask + 1, sizeof *x.slots, "rules: index of the sets", err);
  if (!x.slots) return DM_EBUDGET;
  for (uint32_t twice[2]; !fill(&x, twice); x.seed++) {
    if (!same_items(sets, twice[0], twice[1])) continue;
    rules_index_clear(ctx, &x);
    return dm_fail(err, DM_EUSAGE, "rules: sets %u and %u are the same", twice[0], twice[1]);
  }
  *out = x;
  return DM_OK;
}

void rules_index_clear(dm_ctx *ctx, rules_index *x) {
  dm_free(ctx, x->slots);
  x->slots = NULL;
}
