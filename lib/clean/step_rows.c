/* Steps that take rows away: drop_duplicates, filter. */
#include "clean/expression.h"
#include "clean/sql_text.h"

#include <string.h>

/* Logs the row's cells that are not missing, column by column, then a marker for each row: see run.h. */
static dm_status log_rows(dm_clean_run *run, dm_error *err) {
  static const char into[] = "INSERT INTO main.dm_change(run_id, table_name, row_id, column, old, new, rule, confidence)";
  dm_value v[4] = {dm_clean_int(run->run_id), dm_clean_text(run->table.name), {DM_NULL}, dm_clean_text(run->step->rule)};
  for (size_t i = 0; i < run->table.n_columns; i++) {
    char *name = dm_clean_quote(run->memory, run->table.columns[i].name, err);
    char *sql = name ? dm_arena_printf(run->memory, err,
                                       "%s SELECT ?1, ?2, dm_t.dm_id, ?3, dm_t.%s, NULL, ?4, 1.0 FROM temp.dm_step AS dm_s"
                                       " CROSS JOIN %s AS dm_t ON dm_t.dm_id = dm_s.dm_id WHERE dm_t.%s IS NOT NULL ORDER BY dm_s.dm_id",
                                       into, name, run->sql_table, name)
                     : NULL;
    if (!sql) return DM_EBUDGET;
    v[2] = dm_clean_text(run->table.columns[i].name);
    dm_status s = dm_clean_exec(run->store, sql, v, 4, err);
    if (s == DM_OK) s = dm_ctx_check(run->ctx, err);
    if (s != DM_OK) return s;
  }
  char *sql = dm_arena_printf(run->memory, err, "%s SELECT ?1, ?2, dm_id, ?3, 1, NULL, ?4, 1.0 FROM temp.dm_step ORDER BY dm_id", into);
  if (!sql) return DM_EBUDGET;
  v[2] = dm_clean_text("");
  return dm_clean_exec(run->store, sql, v, 4, err);
}

/* Removes the rows whose dm_id the query gives. */
static dm_status remove_rows(dm_clean_run *run, const char *query, dm_error *err) {
  int64_t n = 0;
  dm_status s = dm_store_exec(run->store, err, "CREATE TEMP TABLE dm_step(dm_id INTEGER PRIMARY KEY)");
  if (s == DM_OK) s = dm_clean_exec(run->store, query, NULL, 0, err);
  if (s == DM_OK) s = dm_clean_query_int(run->store, "SELECT count(*) FROM temp.dm_step", NULL, 0, 0, &n, err);
  if (s == DM_OK && n > 0) {
    s = log_rows(run, err);
    if (s == DM_OK)
      s = dm_store_exec(run->store, err, "DELETE FROM %s WHERE dm_id IN (SELECT dm_id FROM temp.dm_step)", run->sql_table);
  }
  if (s == DM_OK) s = dm_store_exec(run->store, err, "DROP TABLE temp.dm_step");
  run->result->rows_removed = (uint64_t)n;
  return s;
}

/* ---- drop_duplicates ---- */

static dm_status parse_duplicates(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  return dm_clean_arg_columns(in, step, args, "columns", true, &step->columns, err);
}

static dm_status run_duplicates(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  size_t *columns, n;
  dm_buf sql;
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  if (s != DM_OK || n == 0) return s;
  dm_buf_adds(run->detail, ": the first row of equal ones stays");
  dm_buf_init(&sql, run->ctx, err);
  dm_buf_adds(&sql, "INSERT INTO temp.dm_step SELECT dm_id FROM (SELECT dm_id, row_number() OVER (PARTITION BY ");
  for (size_t i = 0; i < n; i++) {
    char *name = dm_clean_quote(run->memory, run->table.columns[columns[i]].name, err);
    if (!name) s = DM_EBUDGET;
    else dm_buf_printf(&sql, "%s%s COLLATE BINARY", i ? ", " : "", name);
    if (s != DM_OK) break;
  }
  dm_buf_printf(&sql, " ORDER BY dm_id) AS dm_k FROM %s) WHERE dm_k > 1", run->sql_table);
  if (s == DM_OK) s = dm_buf_status(&sql);
  if (s == DM_OK) s = remove_rows(run, sql.p, err);
  dm_buf_clear(&sql);
  return s;
}

static const char *const duplicate_keys[] = {"columns", NULL};
const dm_clean_kind dm_clean_drop_duplicates = {"drop_duplicates", "{columns: A | [A, B]}",
                                                "removes rows that repeat an earlier one in these columns (all unless named)", duplicate_keys,
                                                parse_duplicates, run_duplicates, NULL};

/* ---- filter ---- */

static dm_status parse_filter(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  const dm_yaml *where;
  dm_status s = dm_clean_arg_need(in, step, args, "where", &where, err);
  return s == DM_OK ? dm_clean_expression_parse(in, where, err) : s;
}

static dm_status run_filter(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  const dm_yaml *where = dm_yaml_get(step->args, "where");
  dm_status s = dm_clean_expression_check(run, where, true, err);
  if (s != DM_OK) return s;
  dm_buf_printf(run->detail, "keeps rows where %s", where->scalar);
  char *sql = dm_arena_printf(run->memory, err, "INSERT INTO temp.dm_step SELECT dm_id FROM %s WHERE (\n%s\n) IS NOT TRUE", run->sql_table,
                              where->scalar);
  return sql ? remove_rows(run, sql, err) : DM_EBUDGET;
}

static const char *const filter_keys[] = {"where", NULL};
const dm_clean_kind dm_clean_filter = {"filter", "{where: 'SQL condition'}", "keeps the rows for which the condition is true", filter_keys,
                                       parse_filter, run_filter, NULL};
