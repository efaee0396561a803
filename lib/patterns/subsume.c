/* The sets found so far: one array of items, found again by the rows they cover or by their items. */
#include "patterns/subsume.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SETS = 256, FIRST_ITEMS = 2048 };

dm_status dm_subsume_init(dm_subsume *s, dm_ctx *ctx, size_t n_items, dm_error *err) {
  *s = (dm_subsume){.ctx = ctx};
  if (n_items && !(s->last = dm_alloc(ctx, n_items, sizeof *s->last, "search: sets found", err))) return DM_EBUDGET;
  return DM_OK;
}

void dm_subsume_clear(dm_subsume *s) {
  void *blocks[] = {s->start, s->key, s->support, s->items, s->slots, s->last, s->before, s->owner};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    if (blocks[i]) dm_free(s->ctx, blocks[i]);
  *s = (dm_subsume){0};
}

/* ---- adding ---------------------------------------------------------------------- */

static bool grow(dm_subsume *s, void *block, size_t n, size_t size, dm_error *err) {
  void **p = block;
  void *grown = dm_realloc(s->ctx, *p, n, size, "search: sets found", err);
  if (grown) *p = grown;
  return grown != NULL;
}

static dm_status reserve(dm_subsume *s, size_t n, dm_error *err) {
  size_t used = s->n ? s->start[s->n] : 0;
  if (used + n >= UINT32_MAX) return dm_fail(err, DM_EINPUT, "search: the sets found have more than 4294967295 items together");
  if (s->n == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : FIRST_SETS;
    if (!grow(s, &s->start, capacity + 1, sizeof *s->start, err) || !grow(s, &s->key, capacity, sizeof *s->key, err) ||
        !grow(s, &s->support, capacity, sizeof *s->support, err))
      return DM_EBUDGET;
    s->capacity = capacity;
  }
  if (used + n > s->items_capacity) {
    size_t capacity = 2 * s->items_capacity + FIRST_ITEMS + n;
    if (!grow(s, &s->items, capacity, sizeof *s->items, err)) return DM_EBUDGET;
    if (s->last && (!grow(s, &s->before, capacity, sizeof *s->before, err) || !grow(s, &s->owner, capacity, sizeof *s->owner, err)))
      return DM_EBUDGET;
    s->items_capacity = capacity;
  }
  return DM_OK;
}

static void put_slot(uint32_t *slots, size_t n_slots, uint64_t key, uint32_t set) {
  size_t i = key & (n_slots - 1);
  while (slots[i]) i = (i + 1) & (n_slots - 1);
  slots[i] = set + 1;
}

/* Twice the slots when half of them are taken. */
static dm_status reserve_slot(dm_subsume *s, dm_error *err) {
  if (2 * (s->n + 1) <= s->n_slots) return DM_OK;
  size_t n_slots = s->n_slots ? 2 * s->n_slots : 4 * (size_t)FIRST_SETS;
  uint32_t *slots = dm_alloc(s->ctx, n_slots, sizeof *slots, "search: sets found", err);
  if (!slots) return DM_EBUDGET;
  for (size_t set = 0; set < s->n; set++) put_slot(slots, n_slots, s->key[set], (uint32_t)set);
  dm_free(s->ctx, s->slots);
  s->slots = slots;
  s->n_slots = n_slots;
  return DM_OK;
}

static int compare_items(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

dm_status dm_subsume_add(dm_subsume *s, const uint32_t *items, size_t n, uint64_t support, uint64_t mark, dm_error *err) {
  dm_status status = reserve(s, n, err);
  if (status == DM_OK && !s->last) status = reserve_slot(s, err);
  if (status != DM_OK) return status;
  size_t first = s->start[s->n];
  uint32_t *set = s->items + first;
  memcpy(set, items, n * sizeof *items);
  qsort(set, n, sizeof *set, compare_items);
  s->start[s->n + 1] = first + n;
  s->support[s->n] = support;
  s->key[s->n] = s->last ? 0 : mark;
  for (size_t i = 0; i < n && s->last; i++) {
    s->key[s->n] |= dm_subsume_bit(set[i]);
    s->before[first + i] = s->last[set[i]];
    s->owner[first + i] = (uint32_t)s->n;
    s->last[set[i]] = (uint32_t)(first + i + 1);
  }
  if (!s->last) put_slot(s->slots, s->n_slots, mark, (uint32_t)s->n);
  s->n++;
  return DM_OK;
}

/* ---- asking ---------------------------------------------------------------------- */

/* Items of the set that are in. */
static size_t count_in(const dm_subsume *s, size_t set, const bool *is_in) {
  size_t n = 0;
  for (size_t i = s->start[set]; i < s->start[set + 1]; i++) n += is_in[s->items[i]];
  return n;
}

bool dm_subsume_has_closed(const dm_subsume *s, const bool *is_in, size_t n, uint64_t support, uint64_t mark) {
  if (!s->n) return false;
  for (size_t i = mark & (s->n_slots - 1); s->slots[i]; i = (i + 1) & (s->n_slots - 1)) {
    size_t set = s->slots[i] - 1;
    if (s->key[set] == mark && s->support[set] == support && count_in(s, set, is_in) == n) return true;
  }
  return false;
}

bool dm_subsume_next(const dm_subsume *s, uint32_t item, uint32_t *at, uint32_t *set) {
  *at = *at ? s->before[*at - 1] : s->last[item];
  if (*at) *set = s->owner[*at - 1];
  return *at != 0;
}

bool dm_subsume_holds_item(const dm_subsume *s, size_t set, uint32_t item) {
  if (!(s->key[set] & dm_subsume_bit(item))) return false;
  return bsearch(&item, s->items + s->start[set], s->start[set + 1] - s->start[set], sizeof item, compare_items) != NULL;
}

bool dm_subsume_holds(const dm_subsume *s, size_t set, const bool *is_in, size_t n, uint64_t signature) {
  return (signature & ~s->key[set]) == 0 && s->start[set + 1] - s->start[set] >= n && count_in(s, set, is_in) == n;
}
