/* The list of runs. */
#include "clean/run.h"

#include <string.h>

/* Runs of apply and undo count themselves in their arguments; for others the change log is counted. */
static const char history_sql[] =
    "SELECT r.id, r.command, coalesce(json_extract(r.arguments, '$.table'), s.table_name,"
    "  (SELECT c.table_name FROM main.dm_change AS c WHERE c.run_id = r.id LIMIT 1)),"
    " r.started, r.status, r.arguments,"
    " CASE WHEN json_type(r.arguments, '$.steps') = 'array'"
    "  THEN (SELECT sum(json_extract(value, '$.cells_changed')) FROM json_each(r.arguments, '$.steps'))"
    "  ELSE (SELECT count(*) FROM main.dm_change AS c WHERE c.run_id = r.id AND c.row_id > 0 AND c.column <> '') END,"
    " CASE WHEN json_type(r.arguments, '$.steps') = 'array'"
    "  THEN (SELECT sum(json_extract(value, '$.rows_removed')) FROM json_each(r.arguments, '$.steps'))"
    "  ELSE s.accepted END"
    " FROM main.dm_run AS r LEFT JOIN (SELECT run_id, min(table_name) AS table_name, sum(accepted) AS accepted FROM main.dm_source"
    "  GROUP BY run_id) AS s ON s.run_id = r.id ORDER BY r.id";

static dm_status copy_text(const dm_stmt *q, int column, dm_arena *arena, const char **out, dm_error *err) {
  dm_value v = dm_stmt_value(q, column);
  *out = NULL;
  if (v.type != DM_TEXT) return DM_OK;
  *out = dm_arena_strdup(arena, v.text.p, v.text.n, err);
  return *out ? DM_OK : DM_EBUDGET;
}

static dm_status read_entry(const dm_stmt *q, dm_arena *arena, dm_history_entry *e, dm_error *err) {
  const char **texts[] = {&e->command, &e->table, &e->started, &e->status, &e->arguments};
  e->run_id = dm_stmt_int(q, 0);
  for (int i = 0; i < 5; i++) {
    dm_status s = copy_text(q, i + 1, arena, texts[i], err);
    if (s != DM_OK) return s;
  }
  e->cells = (uint64_t)dm_stmt_int(q, 6);
  e->rows = (uint64_t)dm_stmt_int(q, 7);
  e->undone = e->status && strcmp(e->status, "undone") == 0;
  return DM_OK;
}

dm_status dm_history(dm_store *store, dm_arena *arena, dm_history_entry **out, size_t *n, dm_error *err) {
  *out = NULL;
  *n = 0;
  bool recorded = false;
  dm_status s = dm_store_has_schema(store, &recorded, err);
  if (!recorded) return s;
  int64_t count = 0;
  dm_stmt *q = NULL;
  dm_history_entry *entries = NULL;
  size_t used = 0;
  s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  s = dm_clean_query_int(store, "SELECT count(*) FROM main.dm_run", NULL, 0, 0, &count, err);
  if (s == DM_OK) {
    entries = dm_arena_alloc(arena, (size_t)count, sizeof *entries, err);
    s = entries ? dm_stmt_prepare(store, history_sql, &q, err) : DM_EBUDGET;
  }
  for (bool row = true; s == DM_OK && used < (size_t)count; used++) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    s = read_entry(q, arena, &entries[used], err);
  }
  dm_stmt_free(q);
  dm_store_snapshot_end(store);
  if (s != DM_OK) return s;
  *out = entries;
  *n = used;
  return DM_OK;
}
