/* Transactions made anew: without some items, or with the ancestors of all. */
#include <dm/data.h>

#include <string.h>

dm_status dm_transactions_drop(dm_transactions *t, const bool *drop, dm_error *err) {
  dm_csr *m = &t->rows;
  size_t rows = 0, ones = 0, at = 0;
  (void)err;
  for (size_t r = 0; r < m->n; r++) {
    size_t from = ones, end = m->start[r + 1];
    for (; at < end; at++)
      if (!drop[m->index[at]]) m->index[ones++] = m->index[at];
    if (ones == from) { /* it is empty now, and counts as such */
      t->empty += t->weight ? t->weight[r] : 1;
      continue;
    }
    if (t->weight) t->weight[rows] = t->weight[r];
    m->start[rows++] = from;
  }
  m->start[rows] = ones;
  m->n = rows;
  for (size_t i = 0; i < t->n_items; i++)
    if (drop[i]) t->support[i] = 0;
  return DM_OK;
}

/* ---- hierarchy -------------------------------------------------------------------------- */

/* Parents of each item: next[e] leads through the pairs of one child. */
typedef struct hierarchy {
  size_t n_items, n;
  const uint32_t (*pair)[2];
  size_t *first, *next; /* [n_items], [n]; SIZE_MAX ends */
  uint32_t *found;      /* [n_items] ancestors of one item */
  size_t n_found;
  uint32_t *seen;       /* [n_items] the item, + 1, in whose ancestors it was last */
} hierarchy;

/* All ancestors of an item, each once, in breadth. @return false: it is among its own */
static bool find_ancestors(hierarchy *h, uint32_t item) {
  h->n_found = 0;
  for (size_t i = 0, at = item;; at = h->found[i++]) {
    for (size_t e = h->first[at]; e != SIZE_MAX; e = h->next[e]) {
      uint32_t parent = h->pair[e][1];
      if (parent == item) return false;
      if (h->seen[parent] == item + 1) continue;
      h->seen[parent] = item + 1;
      h->found[h->n_found++] = parent;
    }
    if (i >= h->n_found) return true;
  }
}

static dm_status code_pairs(dm_transactions_builder *b, const dm_transactions *t, const dm_str (*pairs)[2], size_t n, uint32_t (*codes)[2],
                            size_t *n_items, dm_error *err) {
  dm_status s = DM_OK;
  uint32_t code = 0;
  *n_items = t->n_items;
  for (size_t i = 0; s == DM_OK && i < t->n_items; i++) s = dm_transactions_builder_code(b, t->names[i].p, t->names[i].n, &code, err); /* as they were */
  for (size_t e = 0; s == DM_OK && e < n; e++)
    for (size_t side = 0; s == DM_OK && side < 2; side++) {
      s = dm_transactions_builder_code(b, pairs[e][side].p, pairs[e][side].n, &codes[e][side], err);
      if (s == DM_OK && codes[e][side] >= *n_items) *n_items = codes[e][side] + (size_t)1;
    }
  return s;
}

/* start and parent lists of all items. */
static dm_status list_ancestors(dm_ctx *ctx, hierarchy *h, const dm_str (*pairs)[2], uint32_t **start, uint32_t **list, dm_error *err) {
  size_t capacity = h->n_items + h->n, used = 0;
  *start = dm_alloc(ctx, h->n_items + 1, sizeof **start, "hierarchy", err);
  *list = dm_alloc(ctx, capacity + 1, sizeof **list, "hierarchy", err);
  if (!*start || !*list) return DM_EBUDGET;
  for (size_t i = 0; i < h->n_items; i++) {
    if (!find_ancestors(h, (uint32_t)i)) {
      dm_str name = pairs[h->first[i]][0];
      return dm_fail(err, DM_EINPUT, "hierarchy: '%.*s' is its own ancestor", (int)(name.n < 100 ? name.n : 100), name.p);
    }
    if (used + h->n_found > capacity) {
      capacity = 2 * (used + h->n_found);
      uint32_t *more = capacity < UINT32_MAX ? dm_realloc(ctx, *list, capacity + 1, sizeof *more, "hierarchy", err)
                                             : (dm_fail(err, DM_EINPUT, "hierarchy: too many ancestors"), NULL);
      if (!more) return DM_EBUDGET;
      *list = more;
    }
    memcpy(*list + used, h->found, h->n_found * sizeof **list);
    used += h->n_found;
    (*start)[i + 1] = (uint32_t)used;
  }
  return DM_OK;
}

static dm_status add_rows(dm_transactions_builder *b, const dm_transactions *t, const uint32_t *start, const uint32_t *list, uint32_t *seen,
                          dm_error *err) {
  dm_status s = DM_OK;
  for (size_t r = 0; s == DM_OK && r < t->rows.n; r++) {
    uint32_t stamp = (uint32_t)r + 1;
    if (r % 4096 == 0) s = dm_ctx_check(t->ctx, err);
    for (size_t a = t->rows.start[r]; s == DM_OK && a < t->rows.start[r + 1]; a++) {
      uint32_t item = t->rows.index[a];
      if (seen[item] != stamp) s = dm_transactions_builder_add(b, item, err);
      seen[item] = stamp;
      for (uint32_t p = start[item]; s == DM_OK && p < start[item + 1]; p++) {
        if (seen[list[p]] == stamp) continue;
        seen[list[p]] = stamp;
        s = dm_transactions_builder_add(b, list[p], err);
      }
    }
    if (s == DM_OK) s = dm_transactions_builder_end(b, t->weight ? t->weight[r] : 1, err);
  }
  for (uint64_t left = t->empty; s == DM_OK && left > 0;) {
    uint64_t now = left < UINT32_MAX ? left : UINT32_MAX;
    s = dm_transactions_builder_end(b, now, err);
    left -= now;
  }
  return s;
}

dm_status dm_transactions_generalise(const dm_transactions *t, const dm_str (*pairs)[2], size_t n, dm_transactions **out, dm_error *err) {
  dm_ctx *ctx = t->ctx;
  dm_transactions_builder *b = NULL;
  dm_transactions *made = NULL;
  hierarchy h = {.n = n};
  uint32_t *start = NULL, *list = NULL, (*codes)[2] = dm_alloc(ctx, n + 1, sizeof *codes, "hierarchy", err);
  dm_status s = codes ? dm_transactions_builder_new(ctx, &b, err) : DM_EBUDGET;
  if (s == DM_OK) s = code_pairs(b, t, pairs, n, codes, &h.n_items, err);
  if (s == DM_OK) {
    h.pair = (const uint32_t(*)[2])codes;
    h.first = dm_alloc(ctx, h.n_items + 1, sizeof *h.first, "hierarchy", err);
    h.next = dm_alloc(ctx, n + 1, sizeof *h.next, "hierarchy", err);
    h.found = dm_alloc(ctx, h.n_items + 1, sizeof *h.found, "hierarchy", err);
    h.seen = dm_alloc(ctx, h.n_items + 1, sizeof *h.seen, "hierarchy", err);
    if (!h.first || !h.next || !h.found || !h.seen) s = DM_EBUDGET;
  }
  if (s == DM_OK) {
    for (size_t i = 0; i < h.n_items; i++) h.first[i] = SIZE_MAX;
    for (size_t e = n; e-- > 0; h.first[codes[e][0]] = e) h.next[e] = h.first[codes[e][0]];
    s = list_ancestors(ctx, &h, pairs, &start, &list, err);
  }
  if (s == DM_OK) {
    memset(h.seen, 0, h.n_items * sizeof *h.seen);
    s = add_rows(b, t, start, list, h.seen, err);
  }
  if (s == DM_OK) {
    s = dm_transactions_builder_finish(b, &made, err);
    b = NULL;
  }
  if (s == DM_OK) {
    made->parent_start = start;
    made->parent = list;
    made->repeated = t->repeated;
    start = list = NULL;
    *out = made;
  }
  dm_transactions_builder_free(b);
  dm_free(ctx, start);
  dm_free(ctx, list);
  dm_free(ctx, codes);
  dm_free(ctx, h.first);
  dm_free(ctx, h.next);
  dm_free(ctx, h.found);
  dm_free(ctx, h.seen);
  return s;
}
