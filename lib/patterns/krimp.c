/*
 * KRIMP: a set of patterns that compresses, chosen from candidates.
 *
 * Source: Vreeken, van Leeuwen & Siebes, KRIMP: mining itemsets that compress,
 * Data Mining and Knowledge Discovery 23, 2011, algorithm 3.
 */
#include "patterns/code_table.h"

#include <stdlib.h>
#include <string.h>

enum { NOT_THERE = UINT32_MAX };

/* A candidate in the codes of the database. */
typedef struct candidate {
  const uint32_t *items;
  size_t n;
  uint64_t support;
} candidate;

typedef struct candidates {
  size_t n;
  candidate *list;
  uint32_t *items;
} candidates;

/* The order of trying: the most frequent first, then the longest, then by items. */
static int by_rank(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->support != y->support) return x->support > y->support ? -1 : 1;
  if (x->n != y->n) return x->n > y->n ? -1 : 1;
  for (size_t i = 0; i < x->n; i++)
    if (x->items[i] != y->items[i]) return x->items[i] < y->items[i] ? -1 : 1;
  return 0;
}

static int by_code(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Code in the database of each item of the transactions. */
static uint32_t *codes_of(dm_ctx *ctx, const dm_transactions *t, const dm_itemdb *db, dm_error *err) {
  uint32_t *code = dm_alloc(ctx, t->n_items, sizeof *code, "candidates", err);
  if (!code) return NULL;
  for (size_t i = 0; i < t->n_items; i++) code[i] = NOT_THERE;
  for (size_t i = 0; i < db->n_items; i++) code[db->source[i]] = (uint32_t)i;
  return code;
}

/* Recodes sets of two and more items, all of which occur. */
static dm_status recode(const dm_itemsets *sets, const dm_transactions *t, const uint32_t *code, candidates *out, dm_error *err) {
  uint32_t *to = out->items;
  for (size_t s = 0; s < sets->n; s++) {
    uint32_t *first = to;
    bool occurs = true;
    for (size_t i = sets->start[s]; i < sets->start[s + 1]; i++) {
      if (sets->items[i] >= t->n_items)
        return dm_fail(err, DM_EUSAGE, "krimp: candidate %zu has item %u, the transactions have %zu", s + 1, sets->items[i], t->n_items);
      *to = code[sets->items[i]];
      occurs &= *to++ != NOT_THERE;
    }
    size_t n = (size_t)(to - first);
    if (n < 2 || !occurs) {
      to = first;
      continue;
    }
    qsort(first, n, sizeof *first, by_code);
    out->list[out->n++] = (candidate){first, n, sets->support[s]};
  }
  qsort(out->list, out->n, sizeof *out->list, by_rank);
  return DM_OK;
}

static dm_status read_candidates(dm_ctx *ctx, const dm_transactions *t, const dm_itemdb *db, const dm_itemsets *sets, candidates *out,
                                 dm_error *err) {
  uint32_t *code = codes_of(ctx, t, db, err);
  if (!code) return DM_EBUDGET;
  out->list = dm_alloc(ctx, sets->n, sizeof *out->list, "candidates", err);
  out->items = out->list ? dm_alloc(ctx, sets->n ? sets->start[sets->n] : 0, sizeof *out->items, "candidates", err) : NULL;
  dm_status s = out->items ? recode(sets, t, code, out, err) : DM_EBUDGET;
  dm_free(ctx, code);
  return s;
}

static dm_status try_all(code_table *table, const candidates *c, size_t *tried, size_t *pruned, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < c->n; i++) {
    uint32_t id;
    if (i % 256 == 0) {
      dm_progress(table->ctx, "krimp", (double)i, (double)c->n, "sets");
      s = dm_ctx_check(table->ctx, err);
    }
    if (s == DM_OK) s = code_table_try_add(table, c->list[i].items, c->list[i].n, &id, err);
    if (s != DM_OK || id == UINT32_MAX) continue;
    ++*tried;
    if (!code_table_is_better(table)) continue;
    s = code_table_take_add(table, id, err);
    if (s == DM_OK) s = code_table_prune(table, pruned, err);
  }
  return s;
}

dm_status dm_code_table_krimp(dm_ctx *ctx, const dm_transactions *t, const dm_itemsets *sets, dm_arena *arena, dm_code_table *out, dm_error *err) {
  dm_itemdb db = {0};
  code_table table = {0};
  candidates c = {0};
  size_t tried = 0, pruned = 0;
  dm_status s = dm_itemdb_build(ctx, t, 1, &db, err);
  if (s == DM_OK) s = read_candidates(ctx, t, &db, sets, &c, err);
  if (s == DM_OK) s = code_table_init(ctx, &db, &table, err);
  if (s == DM_OK) s = try_all(&table, &c, &tried, &pruned, err);
  if (s == DM_OK) s = code_table_result(&table, arena, out, err);
  if (s == DM_OK) {
    out->tried = tried;
    out->pruned = pruned;
  }
  code_table_clear(&table);
  dm_free(ctx, c.list);
  dm_free(ctx, c.items);
  dm_itemdb_clear(&db);
  return s;
}
