/*
 * SELECT -> frame.
 *
 * Rows are not fetched: they are pushed through an SQL function, which costs
 * about half of sqlite3_step and sqlite3_column_* for each cell. For a SELECT
 * the function is an aggregate, which sees each row once, after joins and
 * filters, however SQLite arranges the query:
 *
 *   WITH s(c0, c1, …) AS (SRC)
 *   SELECT dm_frame_take(?1, c0, …), dm_frame_take(?1, c120, …), … FROM s
 *
 * A SRC that may be ordered is wrapped once more, (SELECT * FROM (SRC) LIMIT -1),
 * so that s is computed for itself, sorted, before the aggregate sees it.
 * SQLite leaves an ordered subquery of an aggregate alone as well, but only
 * for views do we rely on that.
 *
 * A table with a rowid is scanned without s. The function is a scalar there,
 * because an aggregate cannot have an ORDER BY; it answers 0, so that no row
 * comes out and every call of a row is made, in this order:
 *
 *   SELECT 1 FROM main.t NOT INDEXED
 *   WHERE dm_frame_take_row(?1, a, …) OR dm_frame_take_row(?1, …) ORDER BY rowid
 */
#include "store/digest.h"
#include "store/store.h"

#include <string.h>
#include <strings.h>

/* A function of SQLite has at most 127 arguments on older versions, and one is ours. */
enum { GROUP = 120 };

typedef struct sink {
  dm_store *store;
  dm_frame_builder *builder;
  size_t d;           /* columns of the frame */
  const char **names; /* [d] */
  int *at;            /* [d] their place in SRC */
  int id;             /* place of dm_id in SRC, -1 = none */
  size_t n_arguments; /* d, and one for dm_id before them */
  size_t next;        /* argument that the next call begins with */
  size_t rows;
  int64_t row_id;
  dm_digest *digest; /* NULL: not wanted */
  dm_status status;
  dm_error *err;
} sink;

static dm_status refuse_blob(sink *k, size_t column) {
  (void)dm_fail(k->err, DM_EINPUT, "column '%s', row %zu: a BLOB is neither number nor text", k->names[column], k->rows + 1);
  dm_error_hint(k->err, "leave the column out of the features");
  return DM_EINPUT;
}

static dm_status add_cell(sink *k, size_t c, sqlite3_value *v) {
  switch (sqlite3_value_type(v)) {
  case SQLITE_INTEGER: {
    int64_t i = sqlite3_value_int64(v);
    if (k->digest) dm_digest_number(k->digest, DM_INTEGER, (uint64_t)i);
    return dm_frame_builder_integer(k->builder, c, i, k->err);
  }
  case SQLITE_FLOAT: {
    double r = sqlite3_value_double(v);
    if (k->digest) dm_digest_real(k->digest, r);
    return dm_frame_builder_real(k->builder, c, r, k->err);
  }
  case SQLITE_TEXT: {
    const char *p = (const char *)sqlite3_value_text(v);
    if (!p) return dm_store_fail(k->store, SQLITE_NOMEM, NULL, k->err);
    size_t n = (size_t)sqlite3_value_bytes(v);
    if (k->digest) dm_digest_text(k->digest, p, n);
    return dm_frame_builder_text(k->builder, c, p, n, k->err);
  }
  case SQLITE_BLOB: return refuse_blob(k, c);
  default:
    if (k->digest) dm_digest_number(k->digest, DM_NULL, 0);
    return DM_OK; /* a cell that is not given is missing */
  }
}

static dm_status add_row_id(sink *k, sqlite3_value *v) {
  if (sqlite3_value_type(v) != SQLITE_INTEGER)
    return dm_fail(k->err, DM_EINPUT, "column 'dm_id', row %zu: want an integer in every row", k->rows + 1);
  k->row_id = sqlite3_value_int64(v);
  return DM_OK;
}

static dm_status end_row(sink *k) {
  k->next = 0;
  k->rows++;
  if ((k->rows & 8191) == 0) dm_progress(k->store->ctx, "reading", (double)k->rows, 0, "rows");
  return dm_frame_builder_end_row(k->builder, k->row_id, k->err);
}

static bool take(sqlite3_context *context, int argc, sqlite3_value **argv) {
  sink *k = sqlite3_value_pointer(argv[0], "dm_frame");
  if (!k) {
    sqlite3_result_error(context, "dm_frame_take is for the program's own use", -1);
    return false;
  }
  dm_status s = DM_OK;
  int i = 1;
  if (k->next == 0 && k->id >= 0) {
    s = add_row_id(k, argv[i++]);
    k->next++;
  }
  size_t shift = k->id >= 0;
  for (; s == DM_OK && i < argc; i++) s = add_cell(k, k->next++ - shift, argv[i]);
  if (s == DM_OK && k->next == k->n_arguments) s = end_row(k);
  if (s != DM_OK) {
    k->status = s;
    sqlite3_result_error(context, "stopped", -1);
  }
  return s == DM_OK;
}

static void take_step(sqlite3_context *context, int argc, sqlite3_value **argv) { (void)take(context, argc, argv); }
static void take_end(sqlite3_context *context) { sqlite3_result_null(context); }

static void take_row(sqlite3_context *context, int argc, sqlite3_value **argv) {
  if (take(context, argc, argv)) sqlite3_result_int(context, 0);
}

/* ---- which columns ---------------------------------------------------------------- */

static int find_column(const dm_stmt *s, const char *name) {
  int n = dm_stmt_n_columns(s);
  for (int i = 0; i < n; i++)
    if (strcmp(dm_stmt_column_name(s, i), name) == 0) return i;
  for (int i = 0; i < n; i++)
    if (strcasecmp(dm_stmt_column_name(s, i), name) == 0) return i;
  return -1;
}

static dm_status unknown_column(const dm_stmt *s, const char *name, dm_arena *arena, dm_error *err) {
  int n = dm_stmt_n_columns(s);
  const char **names = dm_arena_alloc(arena, (size_t)n, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (int i = 0; i < n; i++) names[i] = dm_stmt_column_name(s, i);
  const char *near = dm_text_nearest(name, names, (size_t)n);
  (void)dm_fail(err, DM_EUSAGE, "SRC has no column '%s'", name);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

/* Names of the frame's columns must tell them apart. */
static dm_status check_names(sink *k, dm_error *err) {
  dm_dict *seen = NULL;
  dm_status s = dm_dict_new(k->store->ctx, &seen, err);
  for (size_t i = 0; s == DM_OK && i < k->d; i++) {
    size_t index;
    s = dm_dict_add(seen, k->names[i], strlen(k->names[i]), &index, err);
    if (s == DM_OK && index != i) {
      s = dm_fail(err, DM_EINPUT, "SRC has more than one column '%s'", k->names[i]);
      dm_error_hint(err, "name one of them in the SELECT with AS, or leave it out");
    }
  }
  dm_dict_free(seen);
  return s;
}

static dm_status choose_columns(sink *k, const dm_stmt *s, const char *const *columns, size_t n_columns, dm_arena *arena, dm_error *err) {
  size_t n = columns ? n_columns : (size_t)dm_stmt_n_columns(s);
  k->id = find_column(s, "dm_id");
  k->names = dm_arena_alloc(arena, n + 1, sizeof *k->names, err);
  k->at = dm_arena_alloc(arena, n + 1, sizeof *k->at, err);
  if (!k->names || !k->at) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    int at = columns ? find_column(s, columns[i]) : (int)i;
    if (at < 0) return unknown_column(s, columns[i], arena, err);
    if (at == k->id) continue; /* it names rows, it does not describe them */
    const char *name = dm_stmt_column_name(s, at);
    k->at[k->d] = at;
    if (!(k->names[k->d++] = dm_arena_strdup(arena, name, strlen(name), err))) return DM_EBUDGET;
  }
  if (k->d == 0) return dm_fail(err, DM_EINPUT, "SRC has no column besides dm_id");
  k->n_arguments = k->d + (k->id >= 0);
  return check_names(k, err);
}

/* ---- the statement ------------------------------------------------------------------ */

/* What rows are read from. */
typedef struct source {
  const char *sql;
  int n_columns;             /* of sql */
  const char *table, *order; /* to be scanned instead, NULL = cannot */
} source;

static dm_status argument(const sink *k, const source *from, size_t i, dm_buf *out, dm_error *err) {
  size_t shift = k->id >= 0;
  if (!from->table) {
    dm_buf_printf(out, ", c%d", i < shift ? k->id : k->at[i - shift]);
    return dm_buf_status(out);
  }
  return dm_sql_append(out, err, ", \"%w\"", i < shift ? "dm_id" : k->names[i - shift]);
}

/* Any mention of the word counts, for instance in a name: that costs time, not order. */
static bool may_be_ordered(const char *sql) {
  for (; *sql; sql++)
    if (strncasecmp(sql, "order", 5) == 0) return true;
  return false;
}

static dm_status sink_sql(const sink *k, const source *from, dm_buf *out, dm_error *err) {
  const char *call = from->table ? "dm_frame_take_row(?1" : "dm_frame_take(?1", *between = from->table ? ") OR " : "), ";
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
  for (size_t i = 0; s == DM_OK && i < k->n_arguments; i++) {
    if (i % GROUP == 0) dm_buf_printf(out, "%s%s", i ? between : "", call);
    s = argument(k, from, i, out, err);
  }
  dm_buf_adds(out, from->table ? "))" : ") FROM s");
  if (s == DM_OK && from->table) s = dm_sql_append(out, err, " ORDER BY %s", from->order);
  return s == DM_OK ? dm_buf_status(out) : s;
}

static dm_status register_sink(dm_store *store, dm_error *err) {
  const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  if (store->has_sink) return DM_OK;
  int rc = sqlite3_create_function_v2(store->db, "dm_frame_take", -1, flags, NULL, NULL, take_step, take_end, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_create_function_v2(store->db, "dm_frame_take_row", -1, flags, NULL, take_row, NULL, NULL, NULL);
  if (rc != SQLITE_OK && rc != SQLITE_BUSY) return dm_store_fail(store, rc, NULL, err); /* BUSY: they are there, and in use */
  store->has_sink = true;
  return DM_OK;
}

/* @param sorted whether SQLite sorted on the way. */
static dm_status run(sink *k, const source *from, bool *sorted, dm_error *err) {
  dm_stmt *s = NULL;
  dm_buf text;
  bool row;
  dm_buf_init(&text, k->store->ctx, err);
  dm_status status = sink_sql(k, from, &text, err);
  if (status == DM_OK) status = register_sink(k->store, err);
  if (status == DM_OK) status = dm_stmt_prepare(k->store, text.p, &s, err);
  if (status == DM_OK) {
    int rc = sqlite3_bind_pointer(s->s, 1, k, "dm_frame", NULL);
    if (rc != SQLITE_OK) status = dm_store_fail(k->store, rc, NULL, err);
  }
  if (status == DM_OK) {
    dm_error failed = {0};
    status = dm_stmt_step(s, &row, &failed);
    *sorted = sqlite3_stmt_status(s->s, SQLITE_STMTSTATUS_SORT, 0) > 0;
    if (k->status != DM_OK)
      status = k->status; /* the sink has said why */
    else if (status != DM_OK && err)
      *err = failed;
  }
  dm_stmt_free(s);
  dm_buf_clear(&text);
  return status;
}

static dm_status start(sink *k, dm_error *err) {
  dm_frame_builder_free(k->builder);
  k->builder = NULL;
  k->rows = k->next = 0;
  dm_status s = DM_OK;
  if (k->digest) {
    dm_digest_clear(k->digest);
    s = dm_digest_init(k->digest, k->store->ctx, k->names, k->d, err);
  }
  return s == DM_OK ? dm_frame_builder_new(k->store->ctx, k->d, k->names, k->id >= 0, 0, &k->builder, err) : s;
}

static dm_status read_frame(sink *k, const char *src, const char *const *columns, size_t n_columns, dm_arena *arena, dm_error *err) {
  source from = {NULL};
  dm_stmt *s = NULL;
  bool sorted = false;
  dm_status status = dm_source_sql(k->store, src, arena, &from.sql, err);
  if (status == DM_OK) status = dm_stmt_prepare(k->store, from.sql, &s, err);
  if (status == DM_OK) status = choose_columns(k, s, columns, n_columns, arena, err);
  if (status == DM_OK) from.n_columns = dm_stmt_n_columns(s);
  dm_stmt_free(s);
  if (status == DM_OK) status = dm_source_scan(k->store, src, arena, &from.table, &from.order, err);
  if (status == DM_OK) status = start(k, err);
  if (status == DM_OK) status = run(k, &from, &sorted, err);
  if (status == DM_OK && from.table && sorted) { /* dm_id is not the rowid: the sink saw rows before they were sorted */
    from.table = NULL;
    status = start(k, err);
    if (status == DM_OK) status = run(k, &from, &sorted, err);
  }
  return status;
}

dm_status dm_store_frame(dm_store *store, const char *src, const char *const *columns, size_t n_columns, dm_frame **out, char *digest,
                         dm_error *err) {
  dm_arena *arena;
  dm_digest hash = {.ctx = store->ctx};
  sink k = {.store = store, .err = err, .digest = digest ? &hash : NULL};
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = read_frame(&k, src, columns, n_columns, arena, err);
  dm_frame *frame = NULL;
  if (s == DM_OK) {
    s = dm_frame_builder_finish(k.builder, &frame, err); /* frees the builder in any case */
    k.builder = NULL;
  }
  dm_frame_builder_free(k.builder);
  if (s == DM_OK) {
    if (digest) dm_digest_hex(&hash, digest);
    *out = frame;
  }
  dm_digest_clear(&hash);
  dm_arena_free(arena);
  return s;
}
