/* dm_models: the registry as a table. SELECT * FROM dm_models. */
#include "extension.h"

#include <string.h>

SQLITE_EXTENSION_INIT3

typedef struct models_table {
  sqlite3_vtab base;
  sql_state *state;
} models_table;

typedef struct models_cursor {
  sqlite3_vtab_cursor base;
  dm_arena *memory;
  dm_model_meta *models;
  size_t n, at;
} models_cursor;

enum { NAME, VERSION, ACTIVE, METHOD, TASK, TARGET, STATUS, ROWS, PARAMS, SOURCE, SEED, STARTED, SECONDS, SHA256 };

static int connect(sqlite3 *db, void *user, int argc, const char *const *argv, sqlite3_vtab **out, char **message) {
  (void)argc, (void)argv, (void)message;
  int rc = sqlite3_declare_vtab(db, "CREATE TABLE x(name TEXT, version INTEGER, active INTEGER, method TEXT, task TEXT, target TEXT,"
                                    " status TEXT, rows INTEGER, params TEXT, source TEXT, seed INTEGER, started TEXT, seconds REAL, sha256 TEXT)");
  if (rc != SQLITE_OK) return rc;
  models_table *t = sqlite3_malloc64(sizeof *t);
  if (!t) return SQLITE_NOMEM;
  memset(t, 0, sizeof *t);
  t->state = user;
  *out = &t->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table) {
  sqlite3_free(table);
  return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  (void)table;
  info->estimatedCost = 100;
  info->estimatedRows = 10;
  return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
  (void)table;
  models_cursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) return SQLITE_NOMEM;
  memset(c, 0, sizeof *c);
  *out = &c->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
  models_cursor *c = (models_cursor *)(void *)cursor;
  dm_arena_free(c->memory);
  sqlite3_free(c);
  return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc, sqlite3_value **argv) {
  (void)number, (void)text, (void)argc, (void)argv;
  models_cursor *c = (models_cursor *)(void *)cursor;
  sql_state *state = ((models_table *)(void *)cursor->pVtab)->state;
  dm_error err = {0};
  dm_arena_free(c->memory);
  c->memory = NULL;
  c->n = c->at = 0;
  dm_status s = dm_arena_new(state->ctx, 4096, &c->memory, &err);
  bool recorded = false;
  if (s == DM_OK) s = dm_store_has_schema(state->store, &recorded, &err);
  if (recorded) {
    s = dm_registry_check_tables(state->store, &err);
    if (s == DM_OK) s = dm_registry_list(state->store, c->memory, &c->models, &c->n, &err);
  }
  if (s == DM_OK) return SQLITE_OK;
  sqlite3_free(cursor->pVtab->zErrMsg);
  cursor->pVtab->zErrMsg = sql_error_text(&err);
  return sql_code(s);
}

static int next(sqlite3_vtab_cursor *cursor) {
  ((models_cursor *)(void *)cursor)->at++;
  return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *cursor) {
  const models_cursor *c = (const models_cursor *)(const void *)cursor;
  return c->at >= c->n;
}

static void result_text(sqlite3_context *context, const char *text) { sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT); }

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int which) {
  const models_cursor *c = (const models_cursor *)(const void *)cursor;
  const dm_model_meta *m = &c->models[c->at];
  switch (which) {
  case NAME: result_text(context, m->name); break;
  case VERSION: sqlite3_result_int64(context, m->version); break;
  case ACTIVE: sqlite3_result_int(context, m->active); break;
  case METHOD: result_text(context, m->method); break;
  case TASK: result_text(context, m->task); break;
  case TARGET: result_text(context, m->target); break;
  case STATUS: result_text(context, m->status); break;
  case ROWS: sqlite3_result_int64(context, m->rows); break;
  case PARAMS: result_text(context, m->params_json); break;
  case SOURCE: result_text(context, m->source_sql); break;
  case SEED: sqlite3_result_int64(context, (int64_t)m->seed); break;
  case STARTED: result_text(context, m->started); break;
  case SECONDS: sqlite3_result_double(context, m->seconds); break;
  case SHA256: result_text(context, m->sha256); break;
  default: sqlite3_result_null(context);
  }
  return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
  *out = (sqlite3_int64)((const models_cursor *)(const void *)cursor)->at + 1;
  return SQLITE_OK;
}

int sql_register_models(sql_state *state) {
  static const sqlite3_module module = {.xConnect = connect, .xBestIndex = best_index, .xDisconnect = disconnect, .xOpen = open_cursor,
                                        .xClose = close_cursor, .xFilter = filter, .xNext = next, .xEof = eof, .xColumn = column, .xRowid = row_id};
  return sqlite3_create_module_v2(state->db, "dm_models", &module, sql_state_hold(state), sql_state_release);
}
