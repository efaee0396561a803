/* The change log: one row of dm_change for each cell that a run altered. */
#include "store/store.h"

struct dm_change_log {
  dm_store *store;
  dm_stmt *insert;
  char *table;
};

/* Places of the values in the INSERT. */
enum { RUN = 1, TABLE, ROW, COLUMN, OLD, NEW, RULE, CONFIDENCE };

dm_status dm_change_log_open(dm_store *store, int64_t run_id, const char *table, dm_change_log **out, dm_error *err) {
  dm_status s = dm_store_ensure_schema(store, err);
  if (s != DM_OK) return s;
  dm_change_log *log = dm_alloc(store->ctx, 1, sizeof *log, "change log", err);
  if (!log) return DM_EBUDGET;
  log->store = store;
  log->table = dm_strdup(store->ctx, table, err);
  s = log->table ? DM_OK : DM_EBUDGET;
  if (s == DM_OK)
    s = dm_stmt_prepare(store,
                        "INSERT INTO main.dm_change(run_id, table_name, row_id, column, old, new, rule, confidence)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        &log->insert, err);
  if (s == DM_OK) s = dm_stmt_bind_int(log->insert, RUN, run_id, err);
  if (s == DM_OK) s = dm_stmt_bind_text(log->insert, TABLE, log->table, err);
  if (s != DM_OK) {
    dm_change_log_close(log);
    return s;
  }
  *out = log;
  return DM_OK;
}

dm_status dm_change_log_add(dm_change_log *log, int64_t row_id, const char *column, dm_value old_value, dm_value new_value,
                            const char *rule, double confidence, dm_error *err) {
  dm_stmt *s = log->insert;
  bool row;
  dm_status status = dm_stmt_bind_int(s, ROW, row_id, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, COLUMN, column, err);
  if (status == DM_OK) status = dm_stmt_bind(s, OLD, old_value, err);
  if (status == DM_OK) status = dm_stmt_bind(s, NEW, new_value, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, RULE, rule, err);
  if (status == DM_OK) status = dm_stmt_bind(s, CONFIDENCE, (dm_value){.type = DM_REAL, .real = confidence}, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  (void)dm_stmt_reset(s, NULL);
  return status;
}

void dm_change_log_close(dm_change_log *log) {
  if (!log) return;
  dm_ctx *ctx = log->store->ctx;
  dm_stmt_free(log->insert);
  dm_free(ctx, log->table);
  dm_free(ctx, log);
}
