/*
 * Models in use by a connection. A statement with a constant name asks once
 * and keeps the model in its auxdata until it is reset; every other call asks
 * again. An entry is current while the file's data version and
 * total_changes (writes not yet committed) stand; then the registry is asked,
 * and only another SHA-256 loads anew. ROLLBACK moves neither number: what was
 * found inside a writing transaction is asked for again each time.
 */
#include "extension.h"

#include <string.h>

SQLITE_EXTENSION_INIT3

void sql_model_release(void *user) {
  sql_model *m = user;
  if (--m->users > 0) return;
  dm_ctx *ctx = m->scorer ? m->scorer->ctx : NULL;
  if (ctx) {
    dm_scratch_clear(&m->scratch, m->scorer);
    dm_free(ctx, m->raw);
    dm_free(ctx, m->proba);
    dm_free(ctx, m->code);
    dm_scorer_free(m->scorer);
  }
  dm_arena_free(m->work);
  dm_arena_free(m->memory);
  sqlite3_free(m->reference);
  sqlite3_free(m);
}

/*
 * PRAGMA data_version looks at the file, which the file control of that name
 * does not. The statement is not kept: an open one would keep the host from
 * closing its connection.
 */
static dm_status versions(const sql_state *s, int64_t *data_version, int64_t *total_changes, dm_error *err) {
  dm_stmt *stmt = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(s->store, "PRAGMA main.data_version", &stmt, err);
  if (status == DM_OK) status = dm_stmt_step(stmt, &row, err);
  if (status == DM_OK && row) *data_version = dm_stmt_int(stmt, 0);
  dm_stmt_free(stmt);
  *total_changes = sqlite3_total_changes(s->db);
  return status;
}

static dm_status load_scorer(sql_state *s, sql_model *m, dm_error *err) {
  dm_status status = dm_registry_load(s->store, m->reference, m->memory, &m->scorer, &m->meta, err);
  if (status != DM_OK) return status;
  size_t k = m->scorer->model->n_classes;
  m->raw = dm_alloc(s->ctx, m->scorer->d, sizeof *m->raw, "row", err);
  m->proba = dm_alloc(s->ctx, k ? k : 1, sizeof *m->proba, "row", err);
  m->code = dm_alloc(s->ctx, m->scorer->model->n_code + 1, sizeof *m->code, "row", err);
  return m->raw && m->proba && m->code ? dm_scratch_init(&m->scratch, m->scorer, err) : DM_EBUDGET;
}

static dm_status load_rules(sql_state *s, sql_model *m, dm_error *err) {
  dm_status status = dm_arena_new(s->ctx, 0, &m->work, err);
  return status == DM_OK ? dm_rule_model_load(s->store, m->reference, m->memory, &m->rules, &m->meta, err) : status;
}

static dm_status load(sql_state *s, const char *reference, sql_kind kind, sql_model **out, dm_error *err) {
  sql_model *m = sqlite3_malloc64(sizeof *m);
  if (!m) return dm_fail(err, DM_EBUDGET, "out of memory");
  memset(m, 0, sizeof *m);
  m->users = 1;
  m->kind = kind;
  m->reference = sqlite3_mprintf("%s", reference);
  dm_status status = m->reference ? dm_registry_check_tables(s->store, err) : dm_fail(err, DM_EBUDGET, "out of memory");
  if (status == DM_OK) status = dm_arena_new(s->ctx, 4096, &m->memory, err);
  if (status == DM_OK) status = kind == SQL_RULES ? load_rules(s, m, err) : load_scorer(s, m, err);
  if (status != DM_OK)
    sql_model_release(m);
  else
    *out = m;
  return status;
}

static void drop_entry(sql_state *s, sql_model *m) {
  for (sql_model **at = &s->models; *at; at = &(*at)->next)
    if (*at == m) {
      *at = m->next;
      sql_model_release(m);
      return;
    }
}

/* The registry's word on an entry that may be stale. */
static dm_status still_current(sql_state *s, const sql_model *m, bool *current, dm_error *err) {
  dm_arena *arena = NULL;
  dm_model_meta meta;
  dm_status status = dm_arena_new(s->ctx, 4096, &arena, err);
  if (status == DM_OK) status = dm_registry_check_tables(s->store, err);
  if (status == DM_OK) status = dm_registry_find(s->store, m->reference, arena, &meta, err);
  *current = status == DM_OK && meta.id == m->meta.id && strcmp(meta.sha256, m->meta.sha256) == 0;
  dm_arena_free(arena);
  return status;
}

dm_status sql_model_get(sql_state *state, const char *reference, sql_kind kind, sql_model **out, dm_error *err) {
  int64_t data_version = 0, total_changes = 0;
  sql_model *m = state->models;
  dm_status s = versions(state, &data_version, &total_changes, err);
  if (s != DM_OK) return s;
  while (m && (m->kind != kind || strcmp(m->reference, reference) != 0)) m = m->next;
  if (m && (m->unsettled || m->data_version != data_version || m->total_changes != total_changes)) {
    bool current = false;
    s = still_current(state, m, &current, err);
    if (!current) {
      drop_entry(state, m);
      m = NULL;
    }
    if (s != DM_OK) return s;
  }
  if (!m) {
    if ((s = load(state, reference, kind, &m, err)) != DM_OK) return s;
    m->next = state->models;
    state->models = m;
  }
  m->data_version = data_version;
  m->total_changes = total_changes;
  m->unsettled = sqlite3_txn_state(state->db, "main") == SQLITE_TXN_WRITE;
  m->users++;
  *out = m;
  return DM_OK;
}

sql_model *sql_model_of(sqlite3_context *context, sqlite3_value **arguments, sql_kind kind, bool *held) {
  sql_model *m = sqlite3_get_auxdata(context, 0);
  *held = false;
  if (m) return m;
  dm_error err = {0}; /* 3 KB that need not be cleared for each row */
  const char *reference = (const char *)sqlite3_value_text(arguments[0]);
  if (!reference) {
    sqlite3_result_error(context, "dm: the model's name is NULL", -1);
    return NULL;
  }
  if (sql_model_get(sqlite3_user_data(context), reference, kind, &m, &err) != DM_OK) {
    sql_result_error(context, &err);
    return NULL;
  }
  m->users++;
  sqlite3_set_auxdata(context, 0, m, sql_model_release); /* releases at once when it cannot be kept */
  *held = true;
  return m;
}
