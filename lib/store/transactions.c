/* Transactions from SQL: read, or taken from what is kept of them. */
#include "store/transactions.h"

#include "store/packed.h"

#include <string.h>

/* Names of columns, and all else that the result depends on besides the rows. */
static dm_status describe(const dm_transactions_source *how, dm_buf *out) {
  dm_json_out j;
  dm_json_out_init(&j, out, false);
  dm_json_object(&j);
  if (how->basket) {
    dm_json_put_string(&j, "basket", how->basket);
    dm_json_put_string(&j, "delimiter", how->splitting.delimiter);
  } else {
    dm_json_put_string(&j, "tid", how->tid ? how->tid : "tid");
    dm_json_put_string(&j, "item", how->item ? how->item : "item");
  }
  if (how->count) dm_json_put_string(&j, "count", how->count);
  dm_json_put_string(&j, "dm", DM_VERSION);
  dm_json_put_string(&j, "sqlite", sqlite3_libversion()); /* another one may give rows in another order */
  dm_json_end_object(&j);
  return dm_buf_status(out);
}

static dm_status read_rows(dm_store *store, const char *src, const dm_transactions_source *how, dm_arena *arena, dm_transactions **out,
                           dm_error *err) {
  dm_transactions_builder *builder = NULL;
  dm_status s = how->basket ? dm_baskets_read(store, src, how->basket, &how->splitting, how->count, arena, &builder, err)
                            : dm_pairs_read(store, src, how->tid ? how->tid : "tid", how->item ? how->item : "item", how->count, arena, &builder, err);
  return s == DM_OK ? dm_transactions_builder_finish(builder, out, err) : s;
}

/* Which state of what is read; the transactions, when they are kept. */
static dm_status look(dm_store *store, const char *sql, const dm_transactions_source *how, dm_reading *about, dm_transactions **out,
                      dm_error *err) {
  dm_buf text;
  dm_buf_init(&text, store->ctx, err);
  dm_status s = describe(how, &text);
  if (s == DM_OK && (!(about->sql = dm_strdup(store->ctx, sql, err)) || !(about->how = dm_strdup(store->ctx, text.p, err)))) s = DM_EBUDGET;
  dm_buf_clear(&text);
  if (s == DM_OK) s = dm_packed_can_keep(store, sql, &about->can_keep, err);
  if (s != DM_OK) return s;
  const dm_file_state file = dm_store_file_state(store);
  about->can_keep = about->can_keep && file.counts;
  about->change = file.change;
  if (about->can_keep) s = dm_packed_read(store, sql, about->how, out, about->digest, err);
  about->kept = s == DM_OK && *out;
  return s;
}

static dm_status finish(const dm_transactions *t, dm_reading *about, dm_error *err) {
  about->transactions = t->total;
  about->items = t->n_items;
  if (about->kept) return DM_OK;
  return dm_packed_encode(t, about->pack && about->can_keep ? &about->packed : NULL, about->digest, err);
}

dm_status dm_store_transactions(dm_store *store, const char *src, const dm_transactions_source *how, dm_transactions **out,
                                dm_reading *about, dm_error *err) {
  dm_arena *arena;
  dm_transactions *t = NULL;
  dm_reading own = {0};
  dm_reading *reading = about ? about : &own;
  const char *sql;
  reading->ctx = store->ctx;
  dm_buf_init(&reading->packed, store->ctx, err);
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = dm_store_snapshot(store, err);
  if (s == DM_OK) {
    s = dm_source_sql(store, src, arena, &sql, err);
    if (s == DM_OK) s = look(store, sql, how, reading, &t, err);
    if (s == DM_OK && !t) s = read_rows(store, src, how, arena, &t, err);
    dm_store_snapshot_end(store);
  }
  if (s == DM_OK && about) s = finish(t, about, err);
  dm_arena_free(arena);
  reading->packed.err = NULL; /* ours until here */
  dm_reading_clear(&own);
  if (s == DM_OK)
    *out = t;
  else
    dm_transactions_free(t);
  return s;
}
