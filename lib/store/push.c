/* Rows of SRC pushed through an SQL function; see push.h. */
#include "store/push.h"

#include <string.h>
#include <strings.h>

/* A function of SQLite has at most 127 arguments on older versions, and one is ours. */
enum { GROUP = 120 };

/* ---- the function ------------------------------------------------------------------- */

static bool take(sqlite3_context *context, int argc, sqlite3_value **argv) {
  dm_push *p = argc > 0 ? sqlite3_value_pointer(argv[0], "dm_push") : NULL;
  if (!p) {
    sqlite3_result_error(context, "dm_push is for the program's own use", -1);
    return false;
  }
  size_t n = (size_t)argc - 1;
  dm_status s = p->take(p, p->next, argv + 1, n, p->err);
  p->next += n;
  if (p->next == p->n) {
    p->next = 0;
    p->rows++;
    if ((p->rows & 8191) == 0) dm_progress(p->store->ctx, "reading", (double)p->rows, 0, "rows");
  }
  if (s == DM_OK) return true;
  p->status = s;
  sqlite3_result_error(context, "stopped", -1);
  return false;
}

static void take_step(sqlite3_context *context, int argc, sqlite3_value **argv) { (void)take(context, argc, argv); }
static void take_end(sqlite3_context *context) { sqlite3_result_null(context); }

static void take_row(sqlite3_context *context, int argc, sqlite3_value **argv) {
  if (take(context, argc, argv)) sqlite3_result_int(context, 0);
}

static dm_status register_function(dm_store *store, dm_error *err) {
  const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  if (store->has_push) return DM_OK;
  int rc = sqlite3_create_function_v2(store->db, "dm_push", -1, flags, NULL, NULL, take_step, take_end, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_create_function_v2(store->db, "dm_push_row", -1, flags, NULL, take_row, NULL, NULL, NULL);
  if (rc != SQLITE_OK && rc != SQLITE_BUSY) return dm_store_fail(store, rc, NULL, err); /* BUSY: they are there, and in use */
  store->has_push = true;
  return DM_OK;
}

/* ---- which columns ---------------------------------------------------------------- */

dm_status dm_push_open(dm_store *store, const char *src, dm_arena *arena, dm_stmt **columns, dm_error *err) {
  const char *sql;
  dm_status s = dm_source_sql(store, src, arena, &sql, err);
  return s == DM_OK ? dm_stmt_prepare(store, sql, columns, err) : s;
}

int dm_push_find(const dm_stmt *s, const char *name) {
  int n = dm_stmt_n_columns(s);
  for (int i = 0; i < n; i++)
    if (strcmp(dm_stmt_column_name(s, i), name) == 0) return i;
  for (int i = 0; i < n; i++)
    if (strcasecmp(dm_stmt_column_name(s, i), name) == 0) return i;
  return -1;
}

dm_status dm_push_unknown(const dm_stmt *s, const char *name, dm_arena *arena, dm_error *err) {
  int n = dm_stmt_n_columns(s);
  const char **names = dm_arena_alloc(arena, (size_t)n, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (int i = 0; i < n; i++) names[i] = dm_stmt_column_name(s, i);
  const char *near = dm_text_nearest(name, names, (size_t)n);
  (void)dm_fail(err, DM_EUSAGE, "SRC has no column '%s'", name);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

dm_status dm_push_add(dm_push *p, const dm_stmt *columns, int at, dm_arena *arena, dm_error *err) {
  const char *name = dm_stmt_column_name(columns, at);
  p->at[p->n] = at;
  p->names[p->n] = dm_arena_strdup(arena, name, strlen(name), err);
  return p->names[p->n++] ? DM_OK : DM_EBUDGET;
}

dm_status dm_push_choose(dm_push *p, const char *src, const char *const *names, size_t n, dm_arena *arena, dm_error *err) {
  dm_stmt *columns = NULL;
  dm_status s = dm_push_open(p->store, src, arena, &columns, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    int at = dm_push_find(columns, names[i]);
    s = at < 0 ? dm_push_unknown(columns, names[i], arena, err) : dm_push_add(p, columns, at, arena, err);
  }
  dm_stmt_free(columns);
  return s;
}

/* ---- the statement ------------------------------------------------------------------ */

/* What rows are read from. */
typedef struct source {
  const char *sql;
  int n_columns;             /* of sql */
  const char *table, *order; /* to be scanned instead, NULL = cannot */
} source;

static dm_status argument(const dm_push *p, const source *from, size_t i, dm_buf *out, dm_error *err) {
  if (from->table) return dm_sql_append(out, err, ", \"%w\"", p->names[i]);
  dm_buf_printf(out, ", c%d", p->at[i]);
  return dm_buf_status(out);
}

/* Any mention of the word counts, for instance in a name: that costs time, not order. */
static bool may_be_ordered(const char *sql) {
  for (; *sql; sql++)
    if (strncasecmp(sql, "order", 5) == 0) return true;
  return false;
}

static dm_status push_sql(const dm_push *p, const source *from, dm_buf *out, dm_error *err) {
  const char *call = from->table ? "dm_push_row(?1" : "dm_push(?1", *between = from->table ? ") OR " : "), ";
  dm_status s = DM_OK;
  if (from->table)
    s = dm_sql_append(out, err, "SELECT 1 FROM main.\"%w\" NOT INDEXED WHERE (", from->table);
  else {
    bool ordered = may_be_ordered(from->sql);
    dm_buf_adds(out, "WITH s(c0");
    for (int i = 1; i < from->n_columns; i++) dm_buf_printf(out, ", c%d", i);
    /* line ends, because SRC may end in a comment */
    dm_buf_printf(out, ") AS (%s\n%s\n%s) SELECT ", ordered ? "SELECT * FROM (" : "", from->sql, ordered ? ") LIMIT -1" : "");
  }
  for (size_t i = 0; s == DM_OK && i < p->n; i++) {
    if (i % GROUP == 0) dm_buf_printf(out, "%s%s", i ? between : "", call);
    s = argument(p, from, i, out, err);
  }
  dm_buf_adds(out, from->table ? "))" : ") FROM s");
  if (s == DM_OK && from->table) s = dm_sql_append(out, err, " ORDER BY %s", from->order);
  return s == DM_OK ? dm_buf_status(out) : s;
}

/* @param sorted whether SQLite sorted on the way. */
static dm_status run(dm_push *p, const source *from, bool *sorted, dm_error *err) {
  dm_stmt *s = NULL;
  dm_buf text;
  bool row;
  p->rows = p->next = 0;
  p->status = DM_OK;
  p->err = err;
  dm_buf_init(&text, p->store->ctx, err);
  dm_status status = p->restart(p, err);
  if (status == DM_OK) status = push_sql(p, from, &text, err);
  if (status == DM_OK) status = register_function(p->store, err);
  if (status == DM_OK) status = dm_stmt_prepare(p->store, text.p, &s, err);
  if (status == DM_OK) {
    int rc = sqlite3_bind_pointer(s->s, 1, p, "dm_push", NULL);
    if (rc != SQLITE_OK) status = dm_store_fail(p->store, rc, NULL, err);
  }
  if (status == DM_OK) {
    dm_error failed = {0};
    status = dm_stmt_step(s, &row, &failed);
    *sorted = sqlite3_stmt_status(s->s, SQLITE_STMTSTATUS_SORT, 0) > 0;
    if (p->status != DM_OK)
      status = p->status; /* the receiver has said why */
    else if (status != DM_OK && err)
      *err = failed;
  }
  dm_stmt_free(s);
  dm_buf_clear(&text);
  return status;
}

dm_status dm_push_run(dm_push *p, const char *src, dm_arena *arena, dm_error *err) {
  source from = {NULL};
  dm_stmt *s = NULL;
  bool sorted = false;
  dm_status status = dm_source_sql(p->store, src, arena, &from.sql, err);
  if (status == DM_OK) status = dm_stmt_prepare(p->store, from.sql, &s, err);
  if (status == DM_OK) from.n_columns = dm_stmt_n_columns(s);
  dm_stmt_free(s);
  if (status == DM_OK) status = dm_source_scan(p->store, src, arena, &from.table, &from.order, err);
  if (status == DM_OK) status = run(p, &from, &sorted, err);
  if (status == DM_OK && from.table && sorted) { /* dm_id is not the rowid: rows came before they were sorted */
    from.table = NULL;
    status = run(p, &from, &sorted, err);
  }
  return status;
}
