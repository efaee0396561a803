/* Entry point, the state of a connection, values and errors. */
#include "extension.h"

#include <string.h>

SQLITE_EXTENSION_INIT1

sql_state *sql_state_hold(sql_state *state) {
  state->users++;
  return state;
}

void sql_state_release(void *user) {
  sql_state *s = user;
  if (--s->users > 0) return;
  while (s->models) {
    sql_model *next = s->models->next;
    sql_model_release(s->models);
    s->models = next;
  }
  dm_store_close(s->store);
  dm_ctx_free(s->ctx);
  sqlite3_free(s);
}

char *sql_error_text(const dm_error *err) {
  return err->hint[0] ? sqlite3_mprintf("dm: %s (%s)", err->message, err->hint) : sqlite3_mprintf("dm: %s", err->message);
}

int sql_code(dm_status s) {
  switch (s) {
  case DM_OK: return SQLITE_OK;
  case DM_EBUDGET: return SQLITE_NOMEM;
  case DM_ECANCEL: return SQLITE_INTERRUPT;
  default: return SQLITE_ERROR;
  }
}

void sql_result_error(sqlite3_context *context, const dm_error *err) {
  char *text = sql_error_text(err);
  if (!text) {
    sqlite3_result_error_nomem(context);
    return;
  }
  sqlite3_result_error(context, text, -1);
  if (err->code == DM_ECANCEL) sqlite3_result_error_code(context, SQLITE_INTERRUPT);
  sqlite3_free(text);
}

dm_value sql_value(sqlite3_value *v) {
  switch (sqlite3_value_type(v)) {
  case SQLITE_INTEGER: return (dm_value){.type = DM_INTEGER, .integer = sqlite3_value_int64(v)};
  case SQLITE_FLOAT: return (dm_value){.type = DM_REAL, .real = sqlite3_value_double(v)};
  case SQLITE_TEXT: {
    const char *p = (const char *)sqlite3_value_text(v);
    return (dm_value){.type = DM_TEXT, .text = {p, (size_t)sqlite3_value_bytes(v)}};
  }
  case SQLITE_BLOB: {
    const char *p = sqlite3_value_blob(v);
    return (dm_value){.type = DM_BLOB, .text = {p, (size_t)sqlite3_value_bytes(v)}};
  }
  default: return (dm_value){.type = DM_NULL};
  }
}

void sql_result(sqlite3_context *context, dm_value v) {
  switch (v.type) {
  case DM_INTEGER: sqlite3_result_int64(context, v.integer); break;
  case DM_REAL: sqlite3_result_double(context, v.real); break;
  case DM_TEXT: sqlite3_result_text64(context, v.text.p, v.text.n, SQLITE_TRANSIENT, SQLITE_UTF8); break;
  case DM_BLOB: sqlite3_result_blob64(context, v.text.p, v.text.n, SQLITE_TRANSIENT); break;
  case DM_NULL: sqlite3_result_null(context); break;
  }
}

static dm_status new_state(sqlite3 *db, sql_state **out, dm_error *err) {
  sql_state *s = sqlite3_malloc64(sizeof *s);
  if (!s) return dm_fail(err, DM_EBUDGET, "out of memory");
  memset(s, 0, sizeof *s);
  s->db = db;
  s->users = 1;
  /* one thread: the host may fork, and a parallel region after fork hangs */
  dm_ctx_options options = {.threads = 1, .learners = dm_methods};
  dm_status status = dm_ctx_new(&options, &s->ctx, err);
  if (status == DM_OK) status = dm_store_attach(s->ctx, db, &s->store, err);
  if (status == DM_OK) {
    *out = s;
    return DM_OK;
  }
  if (s->ctx) dm_ctx_free(s->ctx);
  sqlite3_free(s);
  return status;
}

/* Once, when the library is loaded. */
__attribute__((constructor)) static void at_load(void) { dm_blas_stop_threads(); }

/**
 * Registers the functions. SQLITE_OK_LOAD_PERMANENTLY keeps the library
 * loaded: unloading one with OpenMP inside ends in a crash.
 */
DM_API int sqlite3_dm_init(sqlite3 *db, char **message, const sqlite3_api_routines *api);

int sqlite3_dm_init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
  SQLITE_EXTENSION_INIT2(api)
  sql_state *state = NULL;
  dm_error err = {0};
  if (new_state(db, &state, &err) != DM_OK) {
    if (message) *message = sql_error_text(&err);
    return SQLITE_ERROR;
  }
  int rc = sql_register_score(state);
  if (rc == SQLITE_OK) rc = sql_register_apply(state);
  if (rc == SQLITE_OK) rc = sql_register_models(state);
  if (rc == SQLITE_OK) rc = sql_register_rules(state);
  if (rc == SQLITE_OK) rc = sql_register_about(state);
  sql_state_release(state); /* the registrations hold it now */
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
