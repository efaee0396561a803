/* The names of items, each with its code: 0, 1, 2, … in order of first appearance. */
#ifndef DM_DATA_ITEMS_H
#define DM_DATA_ITEMS_H

#include <dm/core.h>

enum {
  ITEM_NUMBERS = 1 << 20, /* numbers below this are found by their value */
  ITEM_DIGITS = 7         /* digits that they may have */
};

typedef struct dm_item_slot {
  uint32_t code_1, hash; /* code + 1, 0 = free */
} dm_item_slot;

typedef struct dm_items {
  dm_ctx *ctx;
  size_t n, capacity;
  dm_str *names;       /* [n] */
  dm_arena *memory;    /* of their bytes, one behind the other */
  char *text;
  size_t room;         /* bytes left there */
  uint32_t *numbers;   /* [n_numbers] code + 1 of the item that is this number; 0 = none */
  size_t n_numbers;    /* a power of two, or 0 */
  dm_item_slot *slots; /* of all other names: open addressing */
  size_t n_slots, n_hashed;
} dm_items;

dm_status dm_items_new(dm_ctx *ctx, dm_items **out, dm_error *err);
void dm_items_free(dm_items *items);
/** Finds or adds. */
dm_status dm_items_add(dm_items *items, const char *p, size_t n, uint32_t *code, dm_error *err);
size_t dm_items_find(const dm_items *items, const char *p, size_t n); /* code, or SIZE_MAX */

#endif
