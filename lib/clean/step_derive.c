/* derive: a new column from an SQL expression over the row (windows are allowed). */
#include "clean/expression.h"
#include "clean/sql_text.h"

#include <string.h>
#include <strings.h>

typedef struct derive {
  const dm_yaml *column, *as;
  dm_type type; /* DM_NULL: what the values are */
} derive;

static dm_status parse_derive(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  static const char *const names[] = {"auto", "integer", "real", "text", NULL};
  static const dm_type types[] = {DM_NULL, DM_INTEGER, DM_REAL, DM_TEXT};
  derive *d = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *d, err);
  if (!d) return DM_EBUDGET;
  unsigned choice = 0;
  dm_status s = dm_clean_arg_need(in, step, args, "column", &d->column, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "as", &d->as, err);
  if (s == DM_OK) s = dm_clean_expression_parse(in, d->as, err);
  if (s == DM_OK) s = dm_clean_arg_choice(in, args, "type", names, 0, &choice, err);
  if (s != DM_OK) return s;
  d->type = types[choice];
  if (d->column->type != DM_YAML_SCALAR || d->column->length == 0)
    return dm_yaml_fail(d->column, in->file, err, "'column' wants the name of the new column");
  if (strcasecmp(d->column->scalar, "dm_id") == 0) return dm_yaml_fail(d->column, in->file, err, "a column cannot be called dm_id");
  return DM_OK;
}

/* The values into temp.dm_step(dm_id, v), one for each row. */
static dm_status compute(dm_clean_run *run, const derive *d, dm_error *err) {
  dm_status s = dm_store_exec(run->store, err, "CREATE TEMP TABLE dm_step(dm_id INTEGER PRIMARY KEY, v)");
  char *sql = dm_arena_printf(run->memory, err, "INSERT INTO temp.dm_step SELECT dm_id, (\n%s\n) FROM %s", d->as->scalar, run->sql_table);
  if (!sql) return DM_EBUDGET;
  if (s == DM_OK) s = dm_clean_exec(run->store, sql, NULL, 0, err);
  if (s == DM_EINPUT) { /* a function that refuses its argument, for instance */
    char why[sizeof err->message] = "";
    if (err) memcpy(why, err->message, sizeof why);
    return dm_yaml_fail(d->as, run->file, err, "%s", why);
  }
  int64_t n = 0;
  if (s == DM_OK) s = dm_clean_query_int(run->store, "SELECT count(*) FROM temp.dm_step", NULL, 0, 0, &n, err);
  if (s != DM_OK || (uint64_t)n == run->rows) return s;
  s = dm_yaml_fail(d->as, run->file, err, "the expression gives %lld values for %llu rows", (long long)n, (unsigned long long)run->rows);
  dm_error_hint(err, "an aggregate over all rows is written (SELECT avg(x) FROM t) or avg(x) OVER ()");
  return s;
}

/* Row and value of the first one that a condition finds. */
static dm_status refuse_where(dm_clean_run *run, const derive *d, const char *condition, const char *what, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  char *sql = dm_arena_printf(run->memory, err, "SELECT dm_id, v FROM temp.dm_step WHERE %s ORDER BY dm_id LIMIT 1", condition);
  if (!sql) return DM_EBUDGET;
  dm_status s = dm_stmt_prepare(run->store, sql, &q, err);
  if (s == DM_OK) s = dm_stmt_step(q, &row, err);
  if (s == DM_OK && row) {
    char shown[160];
    dm_clean_print(dm_stmt_value(q, 1), shown, sizeof shown);
    s = dm_yaml_fail(d->as, run->file, err, "row %lld gives %s, %s", (long long)dm_stmt_int(q, 0), shown, what);
  }
  dm_stmt_free(q);
  return s;
}

static dm_status choose_type(dm_clean_run *run, const derive *d, dm_type *type, dm_error *err) {
  static const char *const finds[] = {"typeof(v) = 'blob'", "v IN (9e999, -9e999)"};
  static const char *const whats[] = {"which no column of a cleaned table holds", "want a finite number"};
  int64_t texts = 0, reals = 0, n = 0;
  dm_status s = DM_OK;
  for (int i = 0; i < 2 && s == DM_OK; i++) s = refuse_where(run, d, finds[i], whats[i], err);
  if (s == DM_OK && d->type == DM_INTEGER)
    s = refuse_where(run, d, "typeof(v) = 'text' OR (typeof(v) = 'real' AND (abs(v) > 9007199254740992.0 OR v <> CAST(v AS INTEGER)))",
                     "the column is to be INTEGER", err);
  if (s == DM_OK && d->type == DM_REAL)
    s = refuse_where(run, d, "typeof(v) = 'text' OR (typeof(v) = 'integer' AND v NOT BETWEEN -9007199254740992 AND 9007199254740992)",
                     "the column is to be REAL", err);
  if (s == DM_OK && d->type == DM_TEXT) {
    s = refuse_where(run, d, "typeof(v) IN ('integer', 'real')", "the column is to be TEXT", err);
    if (s == DM_EINPUT) dm_error_hint(err, "write CAST(... AS TEXT) or printf(...)");
  }
  if (s == DM_OK) s = dm_clean_query_int(run->store, "SELECT count(*) FROM temp.dm_step WHERE typeof(v) = 'text'", NULL, 0, 0, &texts, err);
  if (s == DM_OK) s = dm_clean_query_int(run->store, "SELECT count(*) FROM temp.dm_step WHERE typeof(v) = 'real'", NULL, 0, 0, &reals, err);
  if (s == DM_OK) s = dm_clean_query_int(run->store, "SELECT count(v) FROM temp.dm_step", NULL, 0, 0, &n, err);
  if (s != DM_OK) return s;
  *type = d->type != DM_NULL ? d->type : texts ? DM_TEXT : reals ? DM_REAL : DM_INTEGER;
  run->result->cells_changed = (uint64_t)n;
  if (d->type == DM_NULL && texts && texts < n) {
    s = refuse_where(run, d, "typeof(v) IN ('integer', 'real')", "other rows give texts", err);
    dm_error_hint(err, "write CAST(... AS TEXT), so that all are texts");
  }
  return s;
}

static dm_status add_column(dm_clean_run *run, const char *name, dm_type type, dm_error *err) {
  char *quoted = dm_clean_quote(run->memory, name, err);
  if (!quoted) return DM_EBUDGET;
  dm_status s = dm_store_exec(run->store, err, "ALTER TABLE %s ADD COLUMN %s %s", run->sql_table, quoted, dm_type_name(type));
  if (s == DM_OK)
    s = dm_store_exec(run->store, err,
                      "UPDATE %s AS dm_t SET %s = dm_s.v FROM temp.dm_step AS dm_s WHERE dm_s.dm_id = dm_t.dm_id AND dm_s.v IS NOT NULL",
                      run->sql_table, quoted);
  if (s == DM_OK) s = dm_store_exec(run->store, err, "DROP TABLE temp.dm_step");
  char format[32] = "";
  dm_format_name((dm_format){.kind = type == DM_INTEGER ? DM_FORMAT_INTEGER : type == DM_REAL ? DM_FORMAT_SHORTEST : DM_FORMAT_NONE}, format);
  dm_value v[4] = {dm_clean_text(run->table.name), dm_clean_text(name), dm_clean_text(dm_type_name(type)),
                   dm_clean_text(format)};
  if (s == DM_OK) /* tables that were not imported have no rows there */
    s = dm_clean_exec(run->store,
                      "INSERT INTO main.dm_column(table_name, name, type, format) SELECT ?1, ?2, ?3, ?4"
                      " WHERE EXISTS (SELECT 1 FROM main.dm_column WHERE table_name = ?1)",
                      v, 4, err);
  return s;
}

static dm_status run_derive(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  const derive *d = step->arguments;
  const char *name = d->column->scalar;
  dm_type type = DM_NULL;
  if (dm_table_find(&run->table, name) != SIZE_MAX) {
    dm_status s = dm_yaml_fail(d->column, run->file, err, "table '%s' has a column '%s' already", run->table.name, name);
    dm_error_hint(err, "choose another name for the derived column");
    return s;
  }
  dm_status s = dm_clean_expression_check(run, d->as, false, err);
  if (s == DM_OK) s = compute(run, d, err);
  if (s == DM_OK) s = choose_type(run, d, &type, err);
  if (s == DM_OK) s = add_column(run, name, type, err);
  if (s == DM_OK) s = dm_clean_log_definition(run, name, NULL, "cells", (int64_t)run->result->cells_changed, err);
  if (s != DM_OK) return s;
  dm_buf_printf(run->detail, "%s %s = %s", name, dm_type_name(type), d->as->scalar);
  return dm_clean_run_reload(run, err);
}

static const char *const derive_keys[] = {"column", "as", "type", NULL};
const dm_clean_kind dm_clean_derive = {"derive", "{column: NAME, as: 'SQL expression', type: auto|integer|real|text}",
                                       "adds a column whose cells are computed from the row", derive_keys, parse_derive, run_derive, NULL};
