/* A hash table of sets. The hash of a set is a sum over its items, so that taking one away is a subtraction. */
#include "patterns/generators.h"

#include <string.h>

enum { HEAD = 5, FIRST_SLOTS = 1 << 10, FIRST_WORDS = 1 << 12 };

/* SplitMix64's finish. */
static uint64_t hash_item(uint32_t item) {
  uint64_t x = (item + 1) * UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}

static uint64_t hash_set(const uint32_t *items, size_t n) {
  uint64_t hash = 0;
  for (size_t i = 0; i < n; i++) hash += hash_item(items[i]);
  return hash;
}

static uint64_t two_words(const uint32_t *p) { return p[0] | (uint64_t)p[1] << 32; }

void dm_generators_init(dm_generators *g, dm_ctx *ctx, uint64_t total) { *g = (dm_generators){.ctx = ctx, .total = total}; }

void dm_generators_clear(dm_generators *g) {
  dm_free(g->ctx, g->slots);
  dm_free(g->ctx, g->words);
  *g = (dm_generators){0};
}

/* Support of the set without its item at `skip`, 0 when it is no generator. */
static uint64_t support_without(const dm_generators *g, const uint32_t *items, size_t n, size_t skip, uint64_t hash) {
  if (n == 1) return g->total;
  for (size_t i = hash & (g->n_slots - 1); g->slots[i]; i = (i + 1) & (g->n_slots - 1)) {
    const uint32_t *set = g->words + (g->slots[i] - 1);
    if (set[0] == n - 1 && two_words(set + 3) == hash && memcmp(set + HEAD, items, skip * sizeof *items) == 0 &&
        memcmp(set + HEAD + skip, items + skip + 1, (n - 1 - skip) * sizeof *items) == 0)
      return two_words(set + 1);
  }
  return 0;
}

bool dm_generators_has_all_below(const dm_generators *g, const uint32_t *items, size_t n, uint64_t support) {
  if (n > 1 && g->n == 0) return false;
  uint64_t hash = hash_set(items, n);
  for (size_t i = 0; i < n; i++)
    if (support_without(g, items, n, i, hash - hash_item(items[i])) <= support) return false;
  return true;
}

/* Twice the slots; they stay at least half free. */
static dm_status grow_slots(dm_generators *g, dm_error *err) {
  size_t n_slots = g->n_slots ? 2 * g->n_slots : FIRST_SLOTS;
  uint64_t *slots = dm_alloc(g->ctx, n_slots, sizeof *slots, "search: generators", err);
  if (!slots) return DM_EBUDGET;
  for (size_t old = 0; old < g->n_slots; old++) {
    if (!g->slots[old]) continue;
    size_t i = two_words(g->words + g->slots[old] - 1 + 3) & (n_slots - 1);
    while (slots[i]) i = (i + 1) & (n_slots - 1);
    slots[i] = g->slots[old];
  }
  dm_free(g->ctx, g->slots);
  g->slots = slots;
  g->n_slots = n_slots;
  return DM_OK;
}

dm_status dm_generators_add(dm_generators *g, const uint32_t *items, size_t n, uint64_t support, dm_error *err) {
  if (2 * (g->n + 1) > g->n_slots && grow_slots(g, err) != DM_OK) return DM_EBUDGET;
  if (g->used + HEAD + n > g->capacity) {
    size_t capacity = 2 * g->capacity + FIRST_WORDS + n;
    uint32_t *words = dm_realloc(g->ctx, g->words, capacity, sizeof *words, "search: generators", err);
    if (!words) return DM_EBUDGET;
    g->words = words;
    g->capacity = capacity;
  }
  uint64_t hash = hash_set(items, n);
  size_t i = hash & (g->n_slots - 1);
  while (g->slots[i]) i = (i + 1) & (g->n_slots - 1);
  g->slots[i] = g->used + 1;
  uint32_t *set = g->words + g->used;
  uint32_t head[HEAD] = {(uint32_t)n, (uint32_t)support, (uint32_t)(support >> 32), (uint32_t)hash, (uint32_t)(hash >> 32)};
  memcpy(set, head, sizeof head);
  memcpy(set + HEAD, items, n * sizeof *items);
  g->used += HEAD + n;
  g->n++;
  return DM_OK;
}
