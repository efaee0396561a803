/* Runs: one row of dm_run for each command that writes. */
#include "store/store.h"

dm_status dm_run_start(dm_store *store, const char *command, const char *arguments_json, const char *recipe, int64_t *run_id,
                       dm_error *err) {
  dm_status status = dm_store_ensure_schema(store, err);
  if (status != DM_OK) return status;
  char now[32];
  dm_time_utc(now);
  dm_stmt *s = NULL;
  bool row;
  status = dm_stmt_prepare(store,
                           "INSERT INTO main.dm_run(command, arguments, recipe, seed, lib_version, started, status)"
                           " VALUES(?1, ?2, ?3, ?4, '" DM_VERSION "', ?5, 'running')",
                           &s, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 1, command, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 2, arguments_json ? arguments_json : "{}", err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 3, recipe, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 4, (int64_t)dm_ctx_seed(store->ctx), err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 5, now, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *run_id = sqlite3_last_insert_rowid(store->db);
  dm_stmt_free(s);
  return status;
}

dm_status dm_run_end(dm_store *store, int64_t run_id, const char *status_text, dm_error *err) {
  char now[32];
  dm_time_utc(now);
  dm_status s = dm_store_exec(store, err, "UPDATE main.dm_run SET status = %Q, ended = %Q WHERE id = %lld", status_text, now,
                              (long long)run_id);
  if (s == DM_OK && dm_store_changes(store) != 1) s = dm_fail(err, DM_EINTERNAL, "run %lld is not in dm_run", (long long)run_id);
  return s;
}

dm_status dm_run_log(dm_store *store, const char *command, const char *model, const char *file, dm_error *err) {
  int64_t run;
  dm_buf arguments;
  dm_json_out j;
  dm_buf_init(&arguments, store->ctx, err);
  dm_json_out_init(&j, &arguments, false);
  dm_json_object(&j);
  dm_json_put_string(&j, "model", model);
  if (file) {
    dm_json_put_string(&j, "file", file);
  }
  dm_json_end_object(&j);
  dm_status s = dm_buf_status(&arguments);
  if (s == DM_OK) s = dm_run_start(store, command, arguments.p, NULL, &run, err);
  if (s == DM_OK) s = dm_run_end(store, run, "done", err);
  dm_buf_clear(&arguments);
  return s;
}
