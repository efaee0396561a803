/* A column with all items of a transaction in one text, into transactions. */
#include "store/transactions.h"

enum { BASKET, COUNT };

typedef struct reader {
  dm_push push; /* basket, count */
  dm_transactions_builder *builder;
  dm_basket_splitter *splitter;
} reader;

static dm_status add_cell(reader *r, sqlite3_value *v, dm_error *err) {
  char number[DM_NUMBER_MAX];
  switch (sqlite3_value_type(v)) {
  case SQLITE_INTEGER: return dm_transactions_builder_item(r->builder, number, dm_text_of_int(sqlite3_value_int64(v), number), err);
  case SQLITE_FLOAT: return dm_transactions_builder_item(r->builder, number, dm_text_of_double(sqlite3_value_double(v), true, number), err);
  case SQLITE_TEXT: {
    const char *p = (const char *)sqlite3_value_text(v);
    if (!p) return dm_store_fail(r->push.store, SQLITE_NOMEM, NULL, err);
    return dm_basket_splitter_add(r->splitter, (dm_str){p, (size_t)sqlite3_value_bytes(v)}, r->builder, err);
  }
  case SQLITE_BLOB: return dm_fail(err, DM_EINPUT, "is a BLOB, want text");
  default: return DM_OK; /* a transaction without items */
  }
}

static dm_status take(dm_push *p, size_t first, sqlite3_value **cells, size_t n, dm_error *err) {
  reader *r = (reader *)p;
  uint64_t weight = 1;
  (void)first; /* two columns come at once */
  dm_status s = add_cell(r, cells[BASKET], err);
  if (s == DM_EINPUT) {
    dm_error why = {0};
    if (err) why = *err;
    (void)dm_fail(err, DM_EINPUT, "column '%s', row %zu %s", p->names[BASKET], p->rows + 1, why.message);
    if (err && why.hint[0]) dm_error_hint(err, "%s", why.hint);
  }
  if (s == DM_OK && n > COUNT) s = dm_weight_of(cells[COUNT], p->names[COUNT], p->rows + 1, &weight, err);
  return s == DM_OK ? dm_transactions_builder_end(r->builder, weight, err) : s;
}

static dm_status restart(dm_push *p, dm_error *err) {
  reader *r = (reader *)p;
  dm_transactions_builder_free(r->builder);
  r->builder = NULL;
  return dm_transactions_builder_new(p->store->ctx, &r->builder, err);
}

dm_status dm_baskets_read(dm_store *store, const char *src, const char *basket, const dm_basket_options *splitting, const char *count,
                          dm_arena *arena, dm_transactions_builder **out, dm_error *err) {
  const char *const names[] = {[BASKET] = basket, [COUNT] = count};
  const char *found[COUNT + 1];
  int at[COUNT + 1];
  reader r = {.push = {.store = store, .names = found, .at = at, .take = take, .restart = restart}};
  dm_status s = dm_push_choose(&r.push, src, names, count ? COUNT + 1 : COUNT, arena, err);
  if (s == DM_OK) s = dm_basket_splitter_new(store->ctx, splitting, &r.splitter, err);
  if (s == DM_OK) s = dm_push_run(&r.push, src, arena, err);
  dm_basket_splitter_free(r.splitter);
  if (s == DM_OK)
    *out = r.builder;
  else
    dm_transactions_builder_free(r.builder);
  return s;
}
