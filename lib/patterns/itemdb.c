/*
 * Transactions into the database of the miners: count, keep what is frequent,
 * recode by falling support, order and merge the rows.
 */
#include "patterns/itemdb.h"

#include "data/codes.h"

#include <stdlib.h>
#include <string.h>

enum { NOT_FREQUENT = UINT32_MAX };

/* Support of every item. */
static void count_items(const dm_transactions *t, uint64_t *support) {
  for (size_t r = 0; r < t->rows.n; r++) {
    uint64_t weight = t->weight ? t->weight[r] : 1;
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) support[t->rows.index[i]] += weight;
  }
}

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
  dm_status s = DM_EBUDGET;
  frequent *kept = NULL;
  uint64_t *support = dm_alloc(db->ctx, t->n_items, sizeof *support, "item database", err);
  if (!support) goto done;
  count_items(t, support);
  for (size_t i = 0; i < t->n_items; i++) db->n_items += support[i] >= db->min_support;
  kept = dm_alloc(db->ctx, db->n_items, sizeof *kept, "item database", err);
  db->source = dm_alloc(db->ctx, db->n_items, sizeof *db->source, "item database", err);
  db->support = dm_alloc(db->ctx, db->n_items, sizeof *db->support, "item database", err);
  if (!kept || !db->source || !db->support) goto done;
  size_t n = 0;
  for (size_t i = 0; i < t->n_items; i++) {
    code[i] = NOT_FREQUENT;
    if (support[i] >= db->min_support) kept[n++] = (frequent){support[i], (uint32_t)i};
  }
  qsort(kept, n, sizeof *kept, by_falling_support);
  for (size_t i = 0; i < n; i++) {
    db->source[i] = kept[i].source;
    db->support[i] = kept[i].support;
    code[kept[i].source] = (uint32_t)i;
  }
  s = DM_OK;
done:
  dm_free(db->ctx, support);
  dm_free(db->ctx, kept);
  return s;
}

/* A row while rows are ordered. */
typedef struct row {
  const uint32_t *codes;
  uint32_t n, weight;
} row;

static int by_items(const void *a, const void *b) {
  const row *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  for (size_t i = 0; i < n; i++)
    if (x->codes[i] != y->codes[i]) return x->codes[i] < y->codes[i] ? -1 : 1;
  return x->n < y->n ? -1 : x->n > y->n;
}

/* Recodes the rows into `to`. @return rows that are not empty */
static size_t recode(const dm_transactions *t, const uint32_t *code, dm_codes *order, uint32_t *to, row *rows) {
  size_t n = 0;
  for (size_t r = 0; r < t->rows.n; r++) {
    uint32_t *first = to;
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) {
      *to = code[t->rows.index[i]];
      to += *to != NOT_FREQUENT;
    }
    if (to == first) continue;
    (void)dm_codes_sort(order, first, (size_t)(to - first));
    rows[n++] = (row){first, (uint32_t)(to - first), t->weight ? t->weight[r] : 1};
  }
  return n;
}

/* Equal neighbours become one, as far as its weight can count. @return rows left */
static size_t merge(row *rows, size_t n, size_t *ones) {
  size_t kept = 0;
  *ones = 0;
  for (size_t i = 0; i < n; i++) {
    row *last = kept ? &rows[kept - 1] : NULL;
    if (last && by_items(last, &rows[i]) == 0 && last->weight <= UINT32_MAX - rows[i].weight) {
      last->weight += rows[i].weight;
      continue;
    }
    *ones += rows[i].n;
    rows[kept++] = rows[i];
  }
  return kept;
}

static dm_status fill_rows(const dm_transactions *t, dm_itemdb *db, const uint32_t *code, dm_error *err) {
  size_t ones = 0, n;
  dm_codes order = {0};
  row *rows = NULL;
  dm_status s = DM_EBUDGET;
  for (size_t i = 0; i < t->rows.start[t->rows.n]; i++) ones += code[t->rows.index[i]] != NOT_FREQUENT;
  uint32_t *codes = dm_alloc(db->ctx, ones + 1, sizeof *codes, "item database", err);
  if (!codes || !(rows = dm_alloc(db->ctx, t->rows.n, sizeof *rows, "item database", err))) goto done;
  if (dm_codes_init(&order, db->ctx, err) != DM_OK || dm_codes_limit(&order, db->n_items, err) != DM_OK) goto done;
  n = recode(t, code, &order, codes, rows);
  qsort(rows, n, sizeof *rows, by_items);
  n = merge(rows, n, &ones);
  if (dm_csr_new(db->ctx, n, db->n_items, ones, &db->rows, err) != DM_OK) goto done;
  if (!(db->weight = dm_alloc(db->ctx, n, sizeof *db->weight, "item database", err))) goto done;
  for (size_t r = 0; r < n; r++) {
    db->weight[r] = rows[r].weight;
    db->rows.start[r + 1] = db->rows.start[r] + rows[r].n;
    memcpy(db->rows.index + db->rows.start[r], rows[r].codes, rows[r].n * sizeof *codes);
  }
  s = dm_ctx_check(db->ctx, err);
done:
  dm_codes_clear(&order);
  dm_free(db->ctx, rows);
  dm_free(db->ctx, codes);
  return s;
}

dm_status dm_itemdb_build(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_itemdb *out, dm_error *err) {
  dm_itemdb db = {.ctx = ctx, .total = t->total, .min_support = min_support};
  uint32_t *code = dm_alloc(ctx, t->n_items, sizeof *code, "item database", err);
  dm_status s = code ? choose_items(t, &db, code, err) : DM_EBUDGET;
  if (s == DM_OK) s = fill_rows(t, &db, code, err);
  dm_free(ctx, code);
  if (s != DM_OK) {
    dm_itemdb_clear(&db);
    return s;
  }
  *out = db;
  return DM_OK;
}

void dm_itemdb_clear(dm_itemdb *db) {
  if (!db->ctx) return;
  dm_free(db->ctx, db->source);
  dm_free(db->ctx, db->support);
  dm_csr_clear(db->ctx, &db->rows);
  dm_free(db->ctx, db->weight);
  *db = (dm_itemdb){0};
}
