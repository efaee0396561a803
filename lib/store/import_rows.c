/* The virtual table dm_import_rows: dm_id and the d columns of the batch at hand. See import_rows.h. */
#include "store/import_rows.h"

#include <string.h>

static const char module_name[] = "dm_import_rows";

struct dm_import_rows {
  dm_store *store;
  sqlite3_stmt *insert;
  size_t d;
  const dm_rows *batch; /* borrowed during an insert */
  int64_t first_id;
};

typedef struct rows_table {
  sqlite3_vtab base;
  dm_import_rows *rows;
} rows_table;

typedef struct rows_cursor {
  sqlite3_vtab_cursor base;
  const dm_rows *batch;
  const dm_rows_cell *cells; /* of the row */
  int64_t id;
  size_t row;
} rows_cursor;

/* ---- the module ----------------------------------------------------------------- */

static int declare(sqlite3 *db, size_t d) {
  sqlite3_str *sql = sqlite3_str_new(db);
  sqlite3_str_appendall(sql, "CREATE TABLE x(id");
  for (size_t i = 0; i < d; i++) sqlite3_str_appendf(sql, ",c%llu", (unsigned long long)i);
  sqlite3_str_appendall(sql, ")");
  char *text = sqlite3_str_finish(sql);
  if (!text) return SQLITE_NOMEM;
  int rc = sqlite3_declare_vtab(db, text);
  sqlite3_free(text);
  return rc;
}

static int rows_connect(sqlite3 *db, void *user, int argc, const char *const *argv, sqlite3_vtab **out, char **message) {
  (void)argc, (void)argv, (void)message;
  dm_import_rows *rows = user;
  int rc = declare(db, rows->d);
  if (rc != SQLITE_OK) return rc;
  rows_table *t = sqlite3_malloc(sizeof *t);
  if (!t) return SQLITE_NOMEM;
  *t = (rows_table){.rows = rows};
  (void)sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  *out = &t->base;
  return SQLITE_OK;
}

static int rows_disconnect(sqlite3_vtab *t) {
  sqlite3_free(t);
  return SQLITE_OK;
}

static int rows_best_index(sqlite3_vtab *t, sqlite3_index_info *info) {
  (void)t;
  info->estimatedCost = 1000;
  return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out) {
  (void)t;
  rows_cursor *c = sqlite3_malloc(sizeof *c);
  if (!c) return SQLITE_NOMEM;
  memset(c, 0, sizeof *c);
  *out = &c->base;
  return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *c) {
  sqlite3_free(c);
  return SQLITE_OK;
}

static int rows_filter(sqlite3_vtab_cursor *base, int number, const char *string, int argc, sqlite3_value **argv) {
  (void)number, (void)string, (void)argc, (void)argv;
  rows_cursor *c = (rows_cursor *)base;
  const dm_import_rows *rows = ((rows_table *)base->pVtab)->rows;
  if (!rows->batch) return SQLITE_MISUSE; /* only an import may read it */
  c->batch = rows->batch;
  c->cells = rows->batch->cells;
  c->id = rows->first_id;
  c->row = 0;
  return SQLITE_OK;
}

static int rows_next(sqlite3_vtab_cursor *base) {
  rows_cursor *c = (rows_cursor *)base;
  c->row++;
  c->id++;
  c->cells += c->batch->d;
  return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *base) {
  const rows_cursor *c = (const rows_cursor *)base;
  return c->row >= c->batch->n;
}

static int rows_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column) {
  const rows_cursor *c = (const rows_cursor *)base;
  if (column == 0) {
    sqlite3_result_int64(out, c->id);
    return SQLITE_OK;
  }
  const dm_rows_cell *cell = &c->cells[column - 1];
  if (cell->type == DM_TEXT)
    sqlite3_result_text(out, cell->n ? c->batch->text.p + cell->u.at : "", (int)cell->n, SQLITE_STATIC);
  else if (cell->type == DM_INTEGER)
    sqlite3_result_int64(out, cell->u.integer);
  else if (cell->type == DM_REAL)
    sqlite3_result_double(out, cell->u.real);
  return SQLITE_OK; /* NULL is what a column is before it is set */
}

static int rows_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out) {
  *out = ((const rows_cursor *)base)->id;
  return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xConnect = rows_connect,
    .xBestIndex = rows_best_index,
    .xDisconnect = rows_disconnect,
    .xOpen = rows_open,
    .xClose = rows_close,
    .xFilter = rows_filter,
    .xNext = rows_next,
    .xEof = rows_eof,
    .xColumn = rows_column,
    .xRowid = rows_rowid,
};

/* ---- inserting -------------------------------------------------------------------- */

static dm_status prepare(dm_import_rows *rows, const char *table, const char *const *names, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, rows->store->ctx, err);
  dm_status s = dm_sql_append(&sql, err, "INSERT INTO main.\"%w\"(dm_id", table);
  for (size_t i = 0; s == DM_OK && i < rows->d; i++) s = dm_sql_append(&sql, err, ",\"%w\"", names[i]);
  if (s == DM_OK) s = dm_sql_append(&sql, err, ") SELECT * FROM %s", module_name);
  if (s == DM_OK) {
    int rc = sqlite3_prepare_v2(rows->store->db, sql.p, -1, &rows->insert, NULL);
    if (rc != SQLITE_OK) s = dm_store_fail(rows->store, rc, NULL, err);
  }
  dm_buf_clear(&sql);
  return s;
}

dm_status dm_import_rows_open(dm_store *store, const char *table, const char *const *names, size_t d, dm_import_rows **out,
                              dm_error *err) {
  dm_import_rows *rows = dm_alloc(store->ctx, 1, sizeof *rows, "import", err);
  if (!rows) return DM_EBUDGET;
  rows->store = store;
  rows->d = d;
  int rc = sqlite3_create_module_v2(store->db, module_name, &module, rows, NULL);
  dm_status s = rc == SQLITE_OK ? prepare(rows, table, names, err) : dm_store_fail(store, rc, NULL, err);
  if (s != DM_OK) {
    dm_import_rows_close(rows);
    return s;
  }
  *out = rows;
  return DM_OK;
}

dm_status dm_import_rows_add(dm_import_rows *rows, const dm_rows *batch, int64_t first_id, dm_error *err) {
  if (batch->n == 0) return DM_OK;
  rows->batch = batch;
  rows->first_id = first_id;
  int rc = sqlite3_step(rows->insert);
  dm_status s = rc == SQLITE_DONE ? DM_OK : dm_store_fail(rows->store, rc, NULL, err);
  (void)sqlite3_reset(rows->insert);
  rows->batch = NULL;
  return s;
}

void dm_import_rows_close(dm_import_rows *rows) {
  if (!rows) return;
  sqlite3_finalize(rows->insert);
  (void)sqlite3_create_module_v2(rows->store->db, module_name, NULL, NULL, NULL);
  dm_free(rows->store->ctx, rows);
}
