/*
 * String dictionary: open addressing over 32-bit tags, keys in an arena.
 *
 *   slots[h] = index + 1 (0 = free)      keys[index] = {bytes, length, hash}
 *
 * Linear probing, at most 3/4 full. Indexes follow first appearance, so the
 * hash never shows in a result.
 */
#include <dm/core.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct entry {
  dm_str key;
  uint64_t hash;
} entry;

struct dm_dict {
  dm_ctx *ctx;
  dm_arena *text;
  entry *keys;
  size_t n, capacity;
  uint32_t *slots;
  size_t n_slots; /* power of two */
};

dm_status dm_dict_new(dm_ctx *ctx, dm_dict **out, dm_error *err) {
  dm_dict *d = dm_alloc(ctx, 1, sizeof *d, "dictionary", err);
  if (!d) return DM_EBUDGET;
  d->ctx = ctx;
  if (dm_arena_new(ctx, 0, &d->text, err) != DM_OK) {
    dm_free(ctx, d);
    return DM_EBUDGET;
  }
  *out = d;
  return DM_OK;
}

void dm_dict_free(dm_dict *dict) {
  if (!dict) return;
  dm_ctx *ctx = dict->ctx;
  dm_arena_free(dict->text);
  dm_free(ctx, dict->keys);
  dm_free(ctx, dict->slots);
  dm_free(ctx, dict);
}

size_t dm_dict_n(const dm_dict *dict) { return dict->n; }
dm_str dm_dict_key(const dm_dict *dict, size_t index) { return dict->keys[index].key; }

/* Slot that holds the key, or the free slot where it belongs. */
static size_t probe(const dm_dict *d, const char *key, size_t length, uint64_t hash) {
  size_t mask = d->n_slots - 1;
  for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
    uint32_t slot = d->slots[at];
    if (slot == 0) return at;
    const entry *e = &d->keys[slot - 1];
    if (e->hash == hash && dm_str_equal(e->key, (dm_str){key, length})) return at;
  }
}

size_t dm_dict_find(const dm_dict *dict, const char *key, size_t length) {
  if (dict->n_slots == 0) return DM_DICT_NONE;
  uint32_t slot = dict->slots[probe(dict, key, length, XXH3_64bits(key, length))];
  return slot ? slot - 1 : DM_DICT_NONE;
}

static dm_status grow(dm_dict *d, dm_error *err) {
  if (d->n == d->capacity) {
    size_t capacity = d->capacity ? d->capacity * 2 : 16;
    entry *keys = dm_realloc(d->ctx, d->keys, capacity, sizeof *keys, "dictionary", err);
    if (!keys) return DM_EBUDGET;
    d->keys = keys;
    d->capacity = capacity;
  }
  if ((d->n + 1) * 4 > d->n_slots * 3) {
    if (d->n >= UINT32_MAX / 2) return dm_fail(err, DM_EBUDGET, "dictionary: more than %u keys", UINT32_MAX / 2);
    size_t n_slots = d->n_slots ? d->n_slots * 2 : 32;
    uint32_t *slots = dm_alloc(d->ctx, n_slots, sizeof *slots, "dictionary", err);
    if (!slots) return DM_EBUDGET;
    for (size_t i = 0; i < d->n; i++) {
      size_t at = (size_t)d->keys[i].hash & (n_slots - 1);
      while (slots[at]) at = (at + 1) & (n_slots - 1);
      slots[at] = (uint32_t)(i + 1);
    }
    dm_free(d->ctx, d->slots);
    d->slots = slots;
    d->n_slots = n_slots;
  }
  return DM_OK;
}

dm_status dm_dict_add(dm_dict *dict, const char *key, size_t length, size_t *index, dm_error *err) {
  uint64_t hash = XXH3_64bits(key, length);
  if (dict->n_slots) {
    uint32_t slot = dict->slots[probe(dict, key, length, hash)];
    if (slot) {
      *index = slot - 1;
      return DM_OK;
    }
  }
  dm_status s = grow(dict, err);
  if (s != DM_OK) return s;
  char *copy = dm_arena_strdup(dict->text, key, length, err);
  if (!copy) return DM_EBUDGET;
  dict->keys[dict->n] = (entry){{copy, length}, hash};
  dict->slots[probe(dict, key, length, hash)] = (uint32_t)++dict->n;
  *index = dict->n - 1;
  return DM_OK;
}
