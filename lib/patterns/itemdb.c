/*
 * Transactions into the database of the miners: keep what is frequent, recode
 * by falling support, order the codes of each row, merge equal rows.
 *
 * Few items: a row is bits, which needs no ordering and is compared at once.
 *
 *   row  bread milk    word 110…   -> hash -> is it there? weight + 1, or a new row
 *
 * Many items: a row is its codes, sorted; the hash is a sum over the codes.
 * Threads have a range of rows each, whose distinct rows are then put
 * together in the order of the source.
 */
#include "patterns/itemdb_rows.h"

#include <stdlib.h>

enum { LEAST_ONES = 1 << 17 }; /* for which another thread is worth its while */

typedef struct frequent {
  uint64_t support;
  uint32_t source;
} frequent;

static int by_falling_support(const void *a, const void *b) {
  const frequent *x = a, *y = b;
  if (x->support != y->support) return x->support < y->support ? 1 : -1;
  return x->source < y->source ? -1 : 1;
}

/* Chooses the frequent items. @param code [n_items of the transactions] out: code in the database, or NOT_FREQUENT */
static dm_status choose_items(const dm_transactions *t, dm_itemdb *db, uint32_t *code, dm_error *err) {
  for (size_t i = 0; i < t->n_items; i++) db->n_items += t->support[i] >= db->min_support;
  frequent *kept = dm_alloc(db->ctx, db->n_items, sizeof *kept, "item database", err);
  if (!kept) return DM_EBUDGET;
  db->source = dm_alloc(db->ctx, db->n_items, sizeof *db->source, "item database", err);
  db->support = db->source ? dm_alloc(db->ctx, db->n_items, sizeof *db->support, "item database", err) : NULL;
  size_t n = 0;
  for (size_t i = 0; db->support && i < t->n_items; i++) {
    code[i] = NOT_FREQUENT;
    if (t->support[i] >= db->min_support) kept[n++] = (frequent){t->support[i], (uint32_t)i};
  }
  qsort(kept, n, sizeof *kept, by_falling_support);
  for (size_t i = 0; i < n; i++) {
    db->source[i] = kept[i].source;
    db->support[i] = kept[i].support;
    code[kept[i].source] = (uint32_t)i;
  }
  dm_free(db->ctx, kept);
  return db->support ? DM_OK : DM_EBUDGET;
}

/* Ranges of rows with about as many ones each. */
static void cut_rows(itemdb_job *j) {
  const dm_csr *rows = &j->t->rows;
  size_t ones = rows->start[rows->n], parts = ones / LEAST_ONES + 1;
  if (parts > dm_ctx_threads(j->ctx)) parts = dm_ctx_threads(j->ctx);
  if (parts > ITEMDB_PARTS) parts = ITEMDB_PARTS;
  j->parts = parts;
  j->first[0] = 0;
  for (size_t i = 1; i < parts; i++) {
    size_t low = j->first[i - 1], high = rows->n, want = ones / parts * i;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      if (rows->start[middle] < want)
        low = middle + 1;
      else
        high = middle;
    }
    j->first[i] = low;
  }
  j->first[parts] = rows->n;
}

static dm_status build(itemdb_job *j, dm_itemdb *out, dm_error *err) {
  dm_itemdb db = {.ctx = j->ctx, .total = j->t->total, .min_support = j->min_support};
  j->db = &db;
  uint32_t *code = dm_alloc(j->ctx, j->t->n_items, sizeof *code, "item database", err);
  dm_status s = code ? choose_items(j->t, &db, code, err) : DM_EBUDGET;
  if (s == DM_OK) {
    j->code = code;
    cut_rows(j);
    s = itemdb_takes_bits(j) ? itemdb_bit_rows(j, err) : itemdb_list_rows(j, err);
  }
  dm_free(j->ctx, code);
  if (s == DM_OK) s = dm_ctx_check(j->ctx, err);
  if (s != DM_OK) {
    dm_itemdb_clear(&db);
    return s;
  }
  *out = db;
  return DM_OK;
}

dm_status dm_itemdb_build(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_itemdb *out, dm_error *err) {
  itemdb_job j = {.ctx = ctx, .t = t, .min_support = min_support};
  return build(&j, out, err);
}

dm_status dm_itemdb_take(dm_ctx *ctx, dm_transactions *t, uint64_t min_support, dm_itemdb *out, dm_error *err) {
  itemdb_job j = {.ctx = ctx, .t = t, .take = &t->rows, .min_support = min_support};
  dm_status s = build(&j, out, err);
  dm_csr_clear(t->ctx, &t->rows);
  dm_free(t->ctx, t->weight);
  t->weight = NULL;
  return s;
}

void dm_itemdb_clear(dm_itemdb *db) {
  if (!db->ctx) return;
  dm_free(db->ctx, db->source);
  dm_free(db->ctx, db->support);
  dm_csr_clear(db->ctx, &db->rows);
  dm_free(db->ctx, db->weight);
  *db = (dm_itemdb){0};
}
