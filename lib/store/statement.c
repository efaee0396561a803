/* Statements: the face of SQLite that the rooms above see. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* Only white space, semicolons and comments may follow the statement. */
static dm_status check_tail(dm_store *store, const char *sql, const char *tail, dm_error *err) {
  const char *end = tail + strlen(tail);
  while (tail < end) {
    sqlite3_stmt *more = NULL;
    const char *next = end;
    int rc = sqlite3_prepare_v2(store->db, tail, -1, &more, &next);
    bool empty = rc == SQLITE_OK && !more;
    sqlite3_finalize(more);
    if (!empty) {
      (void)dm_fail(err, DM_EINPUT, "SQL: one statement is wanted, here are more");
      while (*tail == ' ' || *tail == '\n' || *tail == '\t' || *tail == '\r') tail++;
      dm_store_place(err, sql, (size_t)(tail - sql));
      return DM_EINPUT;
    }
    tail = next;
  }
  return DM_OK;
}

dm_status dm_stmt_prepare(dm_store *store, const char *sql, dm_stmt **out, dm_error *err) {
  dm_stmt *s = dm_alloc(store->ctx, 1, sizeof *s, "statement", err);
  if (!s) return DM_EBUDGET;
  s->store = store;
  const char *tail = sql;
  dm_status status = dm_store_ready(store, err);
  if (status != DM_OK) {
    dm_stmt_free(s);
    return status;
  }
  int rc = sqlite3_prepare_v2(store->db, sql, -1, &s->s, &tail);
  if (rc != SQLITE_OK)
    status = dm_store_fail(store, rc, sql, err);
  else if (!s->s)
    status = dm_fail(err, DM_EINPUT, "SQL: the statement is empty");
  else
    status = check_tail(store, sql, tail, err);
  if (status != DM_OK) {
    dm_stmt_free(s);
    return status;
  }
  *out = s;
  return DM_OK;
}

void dm_stmt_free(dm_stmt *s) {
  if (!s) return;
  sqlite3_finalize(s->s);
  dm_free(s->store->ctx, s);
}

static dm_status bound(dm_stmt *s, int rc, dm_error *err) { return rc == SQLITE_OK ? DM_OK : dm_store_fail(s->store, rc, NULL, err); }

dm_status dm_stmt_bind(dm_stmt *s, int index, dm_value v, dm_error *err) {
  const char *p = v.text.p ? v.text.p : ""; /* a NULL pointer would bind NULL */
  switch (v.type) {
  case DM_INTEGER: return bound(s, sqlite3_bind_int64(s->s, index, v.integer), err);
  case DM_REAL: return bound(s, sqlite3_bind_double(s->s, index, v.real), err);
  case DM_TEXT: return bound(s, sqlite3_bind_text64(s->s, index, p, v.text.n, SQLITE_STATIC, SQLITE_UTF8), err);
  case DM_BLOB: return bound(s, sqlite3_bind_blob64(s->s, index, p, v.text.n, SQLITE_STATIC), err);
  case DM_NULL: break;
  }
  return bound(s, sqlite3_bind_null(s->s, index), err);
}

dm_status dm_stmt_bind_int(dm_stmt *s, int index, int64_t v, dm_error *err) { return bound(s, sqlite3_bind_int64(s->s, index, v), err); }

dm_status dm_stmt_bind_text(dm_stmt *s, int index, const char *v, dm_error *err) {
  return bound(s, sqlite3_bind_text(s->s, index, v, -1, SQLITE_STATIC), err);
}

dm_status dm_stmt_step(dm_stmt *s, bool *row, dm_error *err) {
  int rc = sqlite3_step(s->s);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    *row = rc == SQLITE_ROW;
    return DM_OK;
  }
  dm_status status = dm_store_fail(s->store, rc, NULL, err);
  (void)sqlite3_reset(s->s); /* so that it holds no lock and can be used again */
  return status;
}

dm_status dm_stmt_reset(dm_stmt *s, dm_error *err) {
  (void)err; /* sqlite3_reset only repeats the failure that step has given */
  (void)sqlite3_reset(s->s);
  return DM_OK;
}

int dm_stmt_n_columns(const dm_stmt *s) { return sqlite3_column_count(s->s); }
const char *dm_stmt_column_name(const dm_stmt *s, int column) { return sqlite3_column_name(s->s, column); }
int64_t dm_stmt_int(const dm_stmt *s, int column) { return sqlite3_column_int64(s->s, column); }
bool dm_stmt_is_read_only(const dm_stmt *s) { return sqlite3_stmt_readonly(s->s) != 0; }

/* SQLite may have been built without these; the host's table of functions holds NULL then. */
#ifndef DM_STORE_EXTENSION
#pragma weak sqlite3_column_table_name
#pragma weak sqlite3_column_origin_name
#endif

bool dm_stmt_column_origin(const dm_stmt *s, int column, const char **table, const char **name) {
  if (!sqlite3_column_table_name || !sqlite3_column_origin_name) return false;
  const char *t = sqlite3_column_table_name(s->s, column), *c = sqlite3_column_origin_name(s->s, column);
  if (!t || !c) return false;
  *table = t;
  *name = c;
  return true;
}

dm_value dm_stmt_value(const dm_stmt *s, int column) {
  dm_value v = {DM_NULL};
  switch (sqlite3_column_type(s->s, column)) {
  case SQLITE_INTEGER:
    v.type = DM_INTEGER;
    v.integer = sqlite3_column_int64(s->s, column);
    break;
  case SQLITE_FLOAT:
    v.type = DM_REAL;
    v.real = sqlite3_column_double(s->s, column);
    break;
  case SQLITE_TEXT: /* text before bytes: the length is that of UTF-8 then */
    v.type = DM_TEXT;
    v.text.p = (const char *)sqlite3_column_text(s->s, column);
    v.text.n = (size_t)sqlite3_column_bytes(s->s, column);
    break;
  case SQLITE_BLOB:
    v.type = DM_BLOB;
    v.text.p = sqlite3_column_blob(s->s, column);
    v.text.n = (size_t)sqlite3_column_bytes(s->s, column);
    break;
  default: break;
  }
  if (v.type >= DM_TEXT && !v.text.p) v.text = (dm_str){"", 0};
  return v;
}

dm_status dm_sql_append(dm_buf *buf, dm_error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = sqlite3_vmprintf(format, args);
  va_end(args);
  if (!text) return dm_fail(err, DM_EBUDGET, "SQLite: the machine has no memory left");
  dm_buf_adds(buf, text);
  sqlite3_free(text);
  dm_status s = dm_buf_status(buf);
  return s == DM_OK || buf->err == err ? s : dm_fail(err, s, "SQL: the statement is too long for the memory left");
}

dm_status dm_store_exec(dm_store *store, dm_error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *sql = sqlite3_vmprintf(format, args);
  va_end(args);
  if (!sql) return dm_fail(err, DM_EBUDGET, "SQLite: the machine has no memory left");
  dm_stmt *s = NULL;
  dm_status status = dm_stmt_prepare(store, sql, &s, err);
  for (bool row = true; status == DM_OK && row;) status = dm_stmt_step(s, &row, err);
  dm_stmt_free(s);
  sqlite3_free(sql);
  return status;
}
