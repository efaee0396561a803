/* Definitions of columns: reading them, logging them, and building a table anew when a type changes. */
#include "clean/run.h"
#include "clean/sql_text.h"

#include <string.h>
#include <strings.h>

static const char meta_sql[] =
    "SELECT json_object('table_name', table_name, 'name', name, 'type', type, 'role', role, 'unit', unit, 'format', format,"
    " 'missing_markers', missing_markers, 'levels', levels) FROM main.dm_column WHERE table_name = ?1 AND name = ?2";

static dm_status table_text(dm_store *store, const char *table, dm_arena *arena, const char **out, dm_error *err) {
  dm_value name = dm_clean_text(table);
  dm_status s = dm_clean_query_text(store, arena, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
                                    &name, 1, out, err);
  if (s == DM_OK && !*out) s = dm_fail(err, DM_EUSAGE, "there is no table '%s'", table);
  return s;
}

static dm_status type_range(const char *sql, const char *table, const char *column, size_t *from, size_t *to, dm_error *err) {
  if (dm_clean_column_type(sql, column, from, to)) return DM_OK;
  return dm_fail(err, DM_EINTERNAL, "column '%s' is not in the definition of table '%s'", column, table);
}

dm_status dm_clean_definition(dm_store *store, const char *table, const char *column, dm_arena *arena, const char **out, dm_error *err) {
  const char *sql, *meta;
  size_t from, to;
  dm_status s = table_text(store, table, arena, &sql, err);
  if (s == DM_OK) s = type_range(sql, table, column, &from, &to, err);
  if (s != DM_OK) return s;
  dm_value key[2] = {dm_clean_text(table), dm_clean_text(column)};
  s = dm_clean_query_text(store, arena, meta_sql, key, 2, &meta, err);
  if (s != DM_OK) return s;
  dm_value parts[2] = {{.type = DM_TEXT, .text = {sql + from, to - from}}, dm_clean_text(meta)};
  return dm_clean_query_text(store, arena, "SELECT json_object('declared', ?1, 'column', json(?2))", parts, 2, out, err);
}

dm_status dm_clean_restore_meta(dm_store *store, const char *table, const char *column, const char *definition, dm_error *err) {
  dm_value v[3] = {dm_clean_text(table), dm_clean_text(column), dm_clean_text(definition)};
  dm_status s = dm_clean_exec(store, "DELETE FROM main.dm_column WHERE table_name = ?1 AND name = ?2", v, 2, err);
  if (s != DM_OK || !definition) return s;
  return dm_clean_exec(store,
                       "INSERT INTO main.dm_column(table_name, name, type, role, unit, format, missing_markers, levels)"
                       " SELECT json_extract(c, '$.table_name'), json_extract(c, '$.name'), json_extract(c, '$.type'),"
                       " json_extract(c, '$.role'), json_extract(c, '$.unit'), json_extract(c, '$.format'),"
                       " json_extract(c, '$.missing_markers'), json_extract(c, '$.levels')"
                       " FROM (SELECT json_extract(?1, '$.column') AS c) WHERE c IS NOT NULL",
                       &v[2], 1, err);
}

dm_status dm_clean_log_definition(dm_clean_run *run, const char *column, const char *old_definition, const char *key, int64_t value,
                                  dm_error *err) {
  const char *definition;
  dm_status s = dm_clean_definition(run->store, run->table.name, column, run->memory, &definition, err);
  if (s == DM_OK && key) {
    dm_value v[3] = {dm_clean_text(definition), dm_clean_text(key), dm_clean_int(value)};
    s = dm_clean_query_text(run->store, run->memory, "SELECT json_set(?1, '$.' || ?2, ?3)", v, 3, &definition, err);
  }
  if (s != DM_OK) return s;
  return dm_change_log_add(run->log, 0, column, dm_clean_text(old_definition), dm_clean_text(definition), run->step->rule, 1.0, err);
}

dm_status dm_clean_set_meta(dm_clean_run *run, const char *column, dm_type type, dm_format format, dm_error *err) {
  char name[32] = "";
  dm_format_name(format, name);
  dm_value v[4] = {dm_clean_text(run->table.name), dm_clean_text(column), dm_clean_text(dm_type_name(type)), dm_clean_text(name)};
  return dm_clean_exec(run->store, "UPDATE main.dm_column SET type = ?3, format = ?4 WHERE table_name = ?1 AND name = ?2", v, 4, err);
}

dm_format dm_clean_fit_format(dm_format format, double v) {
  char text[512];
  double back;
  if (format.kind == DM_FORMAT_NONE || format.kind == DM_FORMAT_SHORTEST || format.kind == DM_FORMAT_SHORTEST_0) return format;
  size_t n = dm_format_print(format, (dm_value){.type = DM_REAL, .real = v}, text, sizeof text);
  if (dm_text_to_double(text, n, &back) && back == v) return format;
  bool point = format.kind == DM_FORMAT_DECIMALS && format.decimals > 0;
  return (dm_format){.kind = point ? DM_FORMAT_SHORTEST : DM_FORMAT_SHORTEST_0, .quoted = format.quoted};
}

/* ---- another type ---- */

/* What is rebuilt: names quoted, texts read before the table goes. */
typedef struct rebuild {
  dm_store *store;
  dm_arena *arena;
  const char *table;  /* "people" */
  const char *create; /* the new text */
  size_t n_columns, n_indexes;
  const char **columns, **indexes;
  const char *changed; /* of columns */
} rebuild;

/* Texts of the first column of a query, in the arena. */
static dm_status list_texts(rebuild *r, const char *sql, const char *name, bool quote, const char ***out, size_t *n, dm_error *err) {
  dm_stmt *q = NULL;
  size_t capacity = 0;
  *n = 0;
  *out = NULL;
  dm_status s = dm_stmt_prepare(r->store, sql, &q, err);
  if (s == DM_OK) s = dm_stmt_bind_text(q, 1, name, err);
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    if (*n == capacity) {
      capacity = capacity ? capacity * 2 : 32;
      const char **more = dm_arena_alloc(r->arena, capacity, sizeof *more, err);
      if (!more) {
        s = DM_EBUDGET;
        break;
      }
      if (*n) memcpy(more, *out, *n * sizeof *more);
      *out = more;
    }
    dm_value v = dm_stmt_value(q, 0);
    char *text = dm_arena_strdup(r->arena, v.text.p, v.text.n, err);
    if (text && quote) text = dm_clean_quote(r->arena, text, err);
    if (!text) s = DM_EBUDGET;
    else (*out)[(*n)++] = text;
  }
  dm_stmt_free(q);
  return s;
}

static dm_status read_old(rebuild *r, const char *table, const char *column, const char *declared, dm_error *err) {
  const char *sql;
  size_t from, to;
  dm_status s = table_text(r->store, table, r->arena, &sql, err);
  if (s == DM_OK) s = type_range(sql, table, column, &from, &to, err);
  if (s == DM_OK) {
    r->create = dm_arena_printf(r->arena, err, "%.*s%s%s", (int)from, sql, declared, sql + to);
    r->table = dm_clean_quote(r->arena, table, err);
    r->changed = dm_clean_quote(r->arena, column, err);
    if (!r->create || !r->table || !r->changed) s = DM_EBUDGET;
  }
  if (s == DM_OK) s = list_texts(r, "SELECT name FROM pragma_table_info(?1, 'main')", table, true, &r->columns, &r->n_columns, err);
  if (s == DM_OK)
    s = list_texts(r,
                   "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL"
                   " ORDER BY rowid",
                   table, false, &r->indexes, &r->n_indexes, err);
  return s;
}

/* Copies the table to temp.dm_rebuild(c0, c1, …), whose columns have no type and so convert nothing. */
static dm_status copy_out(rebuild *r, const char *table, const char *column, const dm_clean_source *source, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, dm_store_ctx(r->store), err);
  dm_buf_adds(&sql, "CREATE TEMP TABLE dm_rebuild(");
  for (size_t i = 0; i < r->n_columns; i++) dm_buf_printf(&sql, "%sc%zu", i ? ", " : "", i);
  dm_buf_adds(&sql, ")");
  dm_status s = dm_buf_status(&sql);
  if (s == DM_OK) s = dm_clean_exec(r->store, sql.p, NULL, 0, err);
  dm_buf_reset(&sql);
  dm_buf_adds(&sql, "INSERT INTO temp.dm_rebuild SELECT ");
  for (size_t i = 0; i < r->n_columns; i++) {
    dm_buf_adds(&sql, i ? ", " : "");
    bool logged = source->rule && strcasecmp(r->columns[i], r->changed) == 0;
    if (logged)
      dm_buf_printf(&sql,
                    "%s(SELECT dm_c.%s FROM main.dm_change AS dm_c WHERE dm_c.table_name = ?1 AND dm_c.row_id = dm_t.dm_id"
                    " AND dm_c.column = ?2 AND +dm_c.run_id = ?3 AND dm_c.rule = ?4)",
                    source->use_old ? "coalesce(" : "", source->use_old ? "old" : "new");
    if (logged && source->use_old) dm_buf_adds(&sql, ", "); /* rows that came since keep their cell */
    if (!logged || source->use_old) dm_buf_printf(&sql, "dm_t.%s%s", r->columns[i], logged ? ")" : "");
  }
  dm_buf_printf(&sql, " FROM main.%s AS dm_t ORDER BY dm_t.dm_id", r->table);
  if (s == DM_OK) s = dm_buf_status(&sql);
  dm_value v[4] = {dm_clean_text(table), dm_clean_text(column), dm_clean_int(source->run_id), dm_clean_text(source->rule)};
  if (s == DM_OK) s = dm_clean_exec(r->store, sql.p, v, source->rule ? 4 : 0, err);
  dm_buf_clear(&sql);
  return s;
}

static dm_status copy_back(rebuild *r, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, dm_store_ctx(r->store), err);
  dm_buf_printf(&sql, "INSERT INTO main.%s(", r->table);
  for (size_t i = 0; i < r->n_columns; i++) dm_buf_printf(&sql, "%s%s", i ? ", " : "", r->columns[i]);
  dm_buf_adds(&sql, ") SELECT * FROM temp.dm_rebuild ORDER BY rowid");
  dm_status s = dm_buf_status(&sql);
  if (s == DM_OK) s = dm_clean_exec(r->store, sql.p, NULL, 0, err);
  dm_buf_clear(&sql);
  if (s == DM_OK) s = dm_clean_exec(r->store, "DROP TABLE temp.dm_rebuild", NULL, 0, err);
  for (size_t i = 0; i < r->n_indexes && s == DM_OK; i++) s = dm_clean_exec(r->store, r->indexes[i], NULL, 0, err);
  return s;
}

dm_status dm_clean_retype(dm_store *store, const char *table, const char *column, const char *declared, const dm_clean_source *source,
                          dm_error *err) {
  rebuild r = {.store = store};
  dm_status s = dm_arena_new(dm_store_ctx(store), 0, &r.arena, err);
  if (s == DM_OK) s = read_old(&r, table, column, declared, err);
  if (s == DM_OK) s = copy_out(&r, table, column, source, err);
  if (s == DM_OK) s = dm_store_exec(store, err, "DROP TABLE main.%s", r.table);
  if (s == DM_OK) s = dm_clean_exec(store, r.create, NULL, 0, err);
  if (s == DM_OK) s = copy_back(&r, err);
  dm_arena_free(r.arena);
  return s;
}
