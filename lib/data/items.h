/* The names of items, each with its code: 0, 1, 2, … in order of first appearance. */
#ifndef DM_DATA_ITEMS_H
#define DM_DATA_ITEMS_H

#include <dm/core.h>

typedef struct dm_items dm_items;

dm_status dm_items_new(dm_ctx *ctx, dm_items **out, dm_error *err);
void dm_items_free(dm_items *items);
size_t dm_items_n(const dm_items *items);
/** Finds or adds. */
dm_status dm_items_add(dm_items *items, const char *p, size_t n, uint32_t *code, dm_error *err);
size_t dm_items_find(const dm_items *items, const char *p, size_t n); /* code, or SIZE_MAX */
/** All names; the array and they stay until the next name is added or the table is freed. */
dm_status dm_items_names(dm_items *items, const dm_str **names, dm_error *err);

#endif
