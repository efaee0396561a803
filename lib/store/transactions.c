/* Transactions from SQL. */
#include "store/transactions.h"

static dm_status read_rows(dm_store *store, const char *src, const dm_transactions_source *how, dm_arena *arena,
                           dm_transactions_builder **out, dm_error *err) {
  return dm_pairs_read(store, src, how->tid ? how->tid : "tid", how->item ? how->item : "item", how->count, arena, out, err);
}

dm_status dm_store_transactions(dm_store *store, const char *src, const dm_transactions_source *how, dm_transactions **out, dm_error *err) {
  dm_arena *arena;
  dm_transactions_builder *builder = NULL;
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = dm_store_snapshot(store, err);
  if (s == DM_OK) {
    s = read_rows(store, src, how, arena, &builder, err);
    dm_store_snapshot_end(store);
  }
  if (s == DM_OK) s = dm_transactions_builder_finish(builder, out, err);
  dm_arena_free(arena);
  return s;
}
