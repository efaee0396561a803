/* Names of items: a dictionary, and its keys as one array. */
#include "data/items.h"

struct dm_items {
  dm_ctx *ctx;
  dm_dict *dict;
  dm_str *names;
};

dm_status dm_items_new(dm_ctx *ctx, dm_items **out, dm_error *err) {
  dm_items *t = dm_alloc(ctx, 1, sizeof *t, "items", err);
  if (!t) return DM_EBUDGET;
  t->ctx = ctx;
  dm_status s = dm_dict_new(ctx, &t->dict, err);
  if (s != DM_OK) {
    dm_free(ctx, t);
    return s;
  }
  *out = t;
  return DM_OK;
}

void dm_items_free(dm_items *items) {
  if (!items) return;
  dm_dict_free(items->dict);
  dm_free(items->ctx, items->names);
  dm_free(items->ctx, items);
}

size_t dm_items_n(const dm_items *items) { return dm_dict_n(items->dict); }

dm_status dm_items_add(dm_items *items, const char *p, size_t n, uint32_t *code, dm_error *err) {
  size_t index;
  dm_status s = dm_dict_add(items->dict, p, n, &index, err);
  if (s == DM_OK) *code = (uint32_t)index;
  return s;
}

size_t dm_items_find(const dm_items *items, const char *p, size_t n) { return dm_dict_find(items->dict, p, n); }

dm_status dm_items_names(dm_items *items, const dm_str **names, dm_error *err) {
  size_t n = dm_dict_n(items->dict);
  dm_str *all = dm_alloc(items->ctx, n, sizeof *all, "items", err);
  if (!all) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) all[i] = dm_dict_key(items->dict, i);
  dm_free(items->ctx, items->names);
  items->names = all;
  *names = all;
  return DM_OK;
}
