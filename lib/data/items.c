/*
 * Names of items. Most files of transactions have numbers for names: a
 * number below 2^20, written as numbers are (7, not 007), is found in a table
 * by its value; other names by their hash.
 *
 *   "12"    numbers[12] = code + 1
 *   "milk"  slots[hash] = {code + 1, hash}     linear probing, at most 3/4 full
 */
#include "data/items.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { FIRST_NUMBERS = 1 << 9, FIRST_SLOTS = 1 << 6, FIRST_NAMES = 1 << 7, TEXT_BLOCK = 1 << 14 };

dm_status dm_items_new(dm_ctx *ctx, dm_items **out, dm_error *err) {
  dm_items *t = dm_alloc(ctx, 1, sizeof *t, "items", err);
  if (!t) return DM_EBUDGET;
  t->ctx = ctx;
  dm_status s = dm_arena_new(ctx, TEXT_BLOCK, &t->memory, err);
  if (s != DM_OK) {
    dm_free(ctx, t);
    return s;
  }
  *out = t;
  return DM_OK;
}

void dm_items_free(dm_items *items) {
  if (!items) return;
  dm_arena_free(items->memory);
  dm_free(items->ctx, items->names);
  dm_free(items->ctx, items->numbers);
  dm_free(items->ctx, items->slots);
  dm_free(items->ctx, items);
}

/* Value of a name that is a number of the table, or ITEM_NUMBERS. */
static size_t number_of(const char *p, size_t n) {
  if (n == 0 || n > ITEM_DIGITS || (n > 1 && *p == '0')) return ITEM_NUMBERS;
  size_t v = 0;
  for (size_t i = 0; i < n; i++) {
    unsigned digit = (unsigned)(unsigned char)p[i] - '0';
    if (digit > 9) return ITEM_NUMBERS;
    v = v * 10 + digit;
  }
  return v < ITEM_NUMBERS ? v : ITEM_NUMBERS;
}

/* Slot that holds the name, or the free one where it belongs. */
static size_t probe(const dm_items *t, const char *p, size_t n, uint32_t hash) {
  size_t mask = t->n_slots - 1, at = hash & mask;
  for (; t->slots[at].code_1; at = (at + 1) & mask)
    if (t->slots[at].hash == hash && dm_str_equal(t->names[t->slots[at].code_1 - 1], (dm_str){p, n})) break;
  return at;
}

static dm_status grow_slots(dm_items *t, dm_error *err) {
  size_t n_slots = t->n_slots ? t->n_slots * 2 : FIRST_SLOTS;
  dm_item_slot *slots = dm_alloc(t->ctx, n_slots, sizeof *slots, "items", err);
  if (!slots) return DM_EBUDGET;
  for (size_t i = 0; i < t->n_slots; i++) {
    if (!t->slots[i].code_1) continue;
    size_t at = t->slots[i].hash & (n_slots - 1);
    while (slots[at].code_1) at = (at + 1) & (n_slots - 1);
    slots[at] = t->slots[i];
  }
  dm_free(t->ctx, t->slots);
  t->slots = slots;
  t->n_slots = n_slots;
  return DM_OK;
}

static dm_status grow_numbers(dm_items *t, size_t value, dm_error *err) {
  size_t n = t->n_numbers ? t->n_numbers : FIRST_NUMBERS;
  while (n <= value) n *= 2;
  uint32_t *numbers = dm_realloc(t->ctx, t->numbers, n, sizeof *numbers, "items", err);
  if (!numbers) return DM_EBUDGET;
  t->numbers = numbers;
  t->n_numbers = n;
  return DM_OK;
}

static dm_status keep_name(dm_items *t, const char *p, size_t n, dm_error *err) {
  if (t->n >= UINT32_MAX - 1) return dm_fail(err, DM_EINPUT, "more than %u items", UINT32_MAX - 1);
  if (t->n == t->capacity) {
    size_t capacity = t->capacity ? t->capacity + t->capacity / 2 : FIRST_NAMES;
    dm_str *names = dm_realloc(t->ctx, t->names, capacity, sizeof *names, "items", err);
    if (!names) return DM_EBUDGET;
    t->names = names;
    t->capacity = capacity;
  }
  if (t->room < n) {
    size_t block = n > TEXT_BLOCK / 4 ? n : TEXT_BLOCK;
    char *text = dm_arena_alloc(t->memory, block, 1, err);
    if (!text) return DM_EBUDGET;
    t->text = text;
    t->room = block;
  }
  if (n) memcpy(t->text, p, n);
  t->names[t->n++] = (dm_str){t->text, n};
  t->text += n;
  t->room -= n;
  return DM_OK;
}

dm_status dm_items_add(dm_items *items, const char *p, size_t n, uint32_t *code, dm_error *err) {
  dm_status s = DM_OK;
  size_t value = number_of(p, n);
  if (value < ITEM_NUMBERS) {
    if (value >= items->n_numbers) s = grow_numbers(items, value, err);
    if (s == DM_OK && !items->numbers[value]) {
      s = keep_name(items, p, n, err);
      if (s == DM_OK) items->numbers[value] = (uint32_t)items->n;
    }
    if (s == DM_OK) *code = items->numbers[value] - 1;
    return s;
  }
  if ((items->n_hashed + 1) * 4 > items->n_slots * 3) s = grow_slots(items, err);
  if (s != DM_OK) return s;
  uint32_t hash = (uint32_t)XXH3_64bits(p, n);
  dm_item_slot *slot = &items->slots[probe(items, p, n, hash)];
  if (!slot->code_1) {
    s = keep_name(items, p, n, err);
    if (s != DM_OK) return s;
    *slot = (dm_item_slot){(uint32_t)items->n, hash};
    items->n_hashed++;
  }
  *code = slot->code_1 - 1;
  return DM_OK;
}

size_t dm_items_find(const dm_items *items, const char *p, size_t n) {
  size_t value = number_of(p, n);
  uint32_t code_1 = 0;
  if (value < ITEM_NUMBERS)
    code_1 = value < items->n_numbers ? items->numbers[value] : 0;
  else if (items->n_slots)
    code_1 = items->slots[probe(items, p, n, (uint32_t)XXH3_64bits(p, n))].code_1;
  return code_1 ? code_1 - 1 : SIZE_MAX;
}
