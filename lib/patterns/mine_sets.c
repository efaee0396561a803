/* Sets from records: handed to somebody one by one, or kept in memory. */
#include "patterns/mine.h"

#include <string.h>

static uint32_t u32_at(const char *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* ---- one by one ---------------------------------------------------------------------------- */

typedef struct visit {
  const dm_itemdb *db;
  uint32_t *items; /* [n_items] */
  dm_itemset_visitor *visitor;
  void *user;
} visit;

static dm_status visit_records(void *user, const char *p, size_t n, dm_error *err) {
  visit *v = user;
  for (const char *end = p + n; p < end;) {
    uint32_t size = u32_at(p);
    uint64_t support;
    p += sizeof size;
    for (uint32_t i = 0; i < size; i++, p += sizeof size) v->items[i] = v->db->source[u32_at(p)];
    memcpy(&support, p, sizeof support);
    p += sizeof support;
    dm_status s = v->visitor(v->user, v->items, size, support, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}

dm_status dm_itemsets_visit(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemset_visitor *visitor, void *user, uint64_t *n,
                            dm_error *err) {
  dm_itemdb db = {0};
  visit v = {.db = &db, .visitor = visitor, .user = user, .items = dm_alloc(ctx, t->n_items + 1, sizeof *v.items, "itemset", err)};
  const dm_sink sink = {.user = &v, .write = visit_records};
  uint64_t count = 0;
  bool limited = false;
  if (!v.items) return DM_EBUDGET;
  dm_status s = dm_mine_search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_RECORDS, .sink = &sink, .limit = o->limit}, &count, &limited, err);
  dm_itemdb_clear(&db);
  dm_free(ctx, v.items);
  if (s == DM_OK && limited) s = dm_itemsets_check_limit(ctx, t, o, &count, err);
  if (s == DM_OK) *n = count;
  return s;
}

/* ---- in memory ----------------------------------------------------------------------------- */

/* Records as they come, in pieces of one size, and what they amount to. */
typedef struct piece {
  struct piece *next;
  size_t n, capacity;
} piece;

typedef struct record_list {
  dm_ctx *ctx;
  piece *first, *last;
  size_t n_sets, n_items;
} record_list;

enum { PIECE = 1 << 20 };

static size_t record_bytes(const char *p) { return sizeof(uint32_t) * ((size_t)u32_at(p) + 1) + sizeof(uint64_t); }

static dm_status add_piece(record_list *list, size_t capacity, dm_error *err) {
  piece *fresh = dm_alloc(list->ctx, 1, sizeof *fresh + capacity, "itemsets", err);
  if (!fresh) return DM_EBUDGET;
  fresh->capacity = capacity;
  if (list->last)
    list->last->next = fresh;
  else
    list->first = fresh;
  list->last = fresh;
  return DM_OK;
}

static dm_status keep_records(void *user, const char *p, size_t n, dm_error *err) {
  record_list *list = user;
  const char *end = p + n;
  while (p < end) {
    size_t left = list->last ? list->last->capacity - list->last->n : 0, taken = 0;
    while (p + taken < end && taken + record_bytes(p + taken) <= left) {
      list->n_sets++;
      list->n_items += u32_at(p + taken);
      taken += record_bytes(p + taken);
    }
    if (taken == 0) {
      size_t bytes = record_bytes(p);
      if (add_piece(list, bytes > PIECE ? bytes : PIECE, err) != DM_OK) return DM_EBUDGET;
      continue;
    }
    memcpy((char *)(list->last + 1) + list->last->n, p, taken);
    list->last->n += taken;
    p += taken;
  }
  return DM_OK;
}

static void free_records(record_list *list) {
  while (list->first) {
    piece *next = list->first->next;
    dm_free(list->ctx, list->first);
    list->first = next;
  }
}

/* Codes of the database ascend by rarity; those of the transactions must ascend anew. */
static void recode(const uint32_t *source, const char *record, uint32_t n, uint32_t *out) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t code = source[u32_at(record + sizeof(uint32_t) * i)], j = i;
    for (; j > 0 && out[j - 1] > code; j--) out[j] = out[j - 1];
    out[j] = code;
  }
}

/* The pieces go as their sets are taken over. */
static dm_status unpack(record_list *list, const dm_itemdb *db, dm_arena *arena, dm_itemsets *out, dm_error *err) {
  size_t *start = dm_arena_alloc(arena, list->n_sets + 1, sizeof *start, err);
  uint32_t *items = start ? dm_arena_alloc(arena, list->n_items + 1, sizeof *items, err) : NULL;
  uint64_t *support = items ? dm_arena_alloc(arena, list->n_sets + 1, sizeof *support, err) : NULL;
  if (!support) return DM_EBUDGET;
  size_t i = 0;
  while (list->first) {
    const char *p = (const char *)(list->first + 1), *end = p + list->first->n;
    for (; p < end; i++) {
      uint32_t n = u32_at(p);
      recode(db->source, p + sizeof n, n, items + start[i]);
      start[i + 1] = start[i] + n;
      p += sizeof n * (n + 1);
      memcpy(&support[i], p, sizeof *support);
      p += sizeof *support;
    }
    piece *next = list->first->next;
    dm_free(list->ctx, list->first);
    list->first = next;
  }
  *out = (dm_itemsets){.n = list->n_sets, .start = start, .items = items, .support = support};
  return DM_OK;
}

dm_status dm_itemsets_mine(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_arena *arena, dm_itemsets *out, dm_error *err) {
  dm_itemdb db = {0};
  record_list list = {.ctx = ctx};
  uint64_t count = 0;
  bool limited = false;
  const dm_sink sink = {.user = &list, .write = keep_records};
  dm_status s = dm_mine_search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_RECORDS, .sink = &sink, .limit = o->limit}, &count, &limited, err);
  if (s == DM_OK && limited) {
    free_records(&list);
    s = dm_itemsets_check_limit(ctx, t, o, &count, err);
  }
  if (s == DM_OK) s = unpack(&list, &db, arena, out, err);
  free_records(&list);
  dm_itemdb_clear(&db);
  return s;
}
