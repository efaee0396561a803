#include "pipeline/scored.h"

#include <string.h>
#include <strings.h>

enum { SCRATCH_ROWS = 256 };

static const char temporary[] = "dm_scored"; /* in temp, when the result goes to a file */

dm_status dm_scored_columns(dm_scored_table *t, size_t n, dm_arena *arena, dm_error *err) {
  t->n = n;
  t->names = dm_arena_alloc(arena, n, sizeof *t->names, err);
  t->types = t->names ? dm_arena_alloc(arena, n, sizeof *t->types, err) : NULL;
  return t->types ? DM_OK : DM_EBUDGET;
}

dm_status dm_scored_name(dm_scored_table *t, size_t i, const char *prefix, dm_str name, const char *type, dm_arena *arena, dm_error *err) {
  t->types[i] = type;
  t->names[i] = dm_arena_printf(arena, err, "%s%.*s", prefix, (int)name.n, name.p);
  for (unsigned number = 2; t->names[i]; number++) {
    bool taken = false;
    for (size_t k = 0; k < i && !taken; k++) taken = strcasecmp(t->names[k], t->names[i]) == 0;
    if (!taken) break;
    t->names[i] = dm_arena_printf(arena, err, "%s%.*s_%u", prefix, (int)name.n, name.p, number);
  }
  return t->names[i] ? DM_OK : DM_EBUDGET;
}

static dm_status create_table(dm_store *store, const dm_scored_table *t, const char *schema, const char *table, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, dm_store_ctx(store), err);
  dm_status status = dm_sql_append(&sql, err, "CREATE TABLE %s.\"%w\"(dm_id INTEGER", schema, table);
  for (size_t c = 0; status == DM_OK && c < t->n; c++) status = dm_sql_append(&sql, err, ", \"%w\" %s", t->names[c], t->types[c]);
  if (status == DM_OK) status = dm_sql_append(&sql, err, ") STRICT");
  if (status == DM_OK) status = dm_store_exec(store, err, "%s", sql.p);
  dm_buf_clear(&sql);
  return status;
}

static dm_status prepare_insert(dm_store *store, const dm_scored_table *t, const char *schema, const char *table, dm_stmt **out, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, dm_store_ctx(store), err);
  dm_status status = dm_sql_append(&sql, err, "INSERT INTO %s.\"%w\" VALUES(?", schema, table);
  for (size_t c = 0; c < t->n; c++) dm_buf_adds(&sql, ",?");
  dm_buf_addc(&sql, ')');
  if (status == DM_OK) status = dm_buf_status(&sql);
  if (status == DM_OK) status = dm_stmt_prepare(store, sql.p, out, err);
  dm_buf_clear(&sql);
  return status;
}

static dm_status insert_row(dm_stmt *insert, const dm_scored_table *t, int64_t id, size_t r, dm_value *cells, dm_error *err) {
  bool row;
  t->cells(t, r, cells);
  dm_status status = dm_stmt_bind_int(insert, 1, id, err);
  for (size_t c = 0; status == DM_OK && c < t->n; c++) status = dm_stmt_bind(insert, (int)c + 2, cells[c], err);
  if (status == DM_OK) status = dm_stmt_step(insert, &row, err);
  return status == DM_OK ? dm_stmt_reset(insert, err) : status;
}

static dm_status score_all(dm_store *store, const dm_scored_table *t, dm_rows *rows, dm_stmt *insert, dm_predict_result *out, dm_error *err) {
  dm_scratch scratch = {0};
  const dm_scorer *s = t->scorer;
  size_t n = 1;
  dm_value *cells = dm_alloc(s->ctx, t->n, sizeof *cells, "row", err);
  dm_status status = cells ? dm_scratch_init_rows(&scratch, s, SCRATCH_ROWS, err) : DM_EBUDGET;
  out->rejects = dm_rows_rejects(rows);
  while (status == DM_OK && n > 0) {
    const double *raw;
    const int64_t *ids;
    status = dm_rows_next(rows, &n, &raw, &ids, err);
    if (status == DM_OK) status = dm_scorer_rows(s, raw, n, &scratch, &t->scored, err);
    for (size_t i = 0; status == DM_OK && i < n; i++) status = insert_row(insert, t, ids[i], i, cells, err);
    out->rows += status == DM_OK ? n : 0;
    dm_progress(dm_store_ctx(store), t->verb, (double)out->rows, 0, "rows");
  }
  dm_free(s->ctx, cells);
  dm_scratch_clear(&scratch, s);
  return status;
}

static dm_status refuse_taken(dm_store *store, const dm_predict_options *o, dm_arena *arena, dm_error *err) {
  dm_table table;
  dm_error lookup = {0};
  if (strncasecmp(o->into, "dm_", 3) == 0 || strncasecmp(o->into, "sqlite_", 7) == 0 || !o->into[0])
    return dm_fail(err, DM_EUSAGE, "table name '%s' is kept for dm and SQLite", o->into);
  dm_status s = dm_store_table(store, o->into, arena, &table, &lookup);
  if (s == DM_EUSAGE) return DM_OK;
  if (s != DM_OK) {
    if (err) *err = lookup;
    return s;
  }
  if (o->replace) return dm_store_exec(store, err, "DROP TABLE main.\"%w\"", o->into);
  (void)dm_fail(err, DM_EUSAGE, "table '%s' exists", o->into);
  dm_error_hint(err, "--replace replaces it");
  return DM_EUSAGE;
}

/* Into `into` of the database: one transaction with its run. */
static dm_status write_table(dm_store *store, const dm_scored_table *t, const char *model, const dm_src *src, const dm_predict_options *o,
                             dm_predict_result *out, dm_error *err) {
  dm_rows *rows = NULL;
  dm_stmt *insert = NULL;
  dm_arena *arena = NULL;
  int64_t run;
  dm_buf arguments;
  dm_json_out j;
  dm_buf_init(&arguments, dm_store_ctx(store), err);
  dm_json_out_init(&j, &arguments, false);
  dm_json_object(&j);
  dm_json_put_string(&j, "model", model);
  dm_json_put_string(&j, "source", src->text);
  dm_json_put_string(&j, "into", o->into);
  dm_json_end_object(&j);
  dm_status status = dm_buf_status(&arguments);
  if (status == DM_OK) status = dm_arena_new(dm_store_ctx(store), 0, &arena, err);
  if (status == DM_OK) status = dm_store_begin(store, err);
  if (status == DM_OK) status = dm_store_ensure_schema(store, err);
  if (status == DM_OK) status = dm_run_start(store, t->verb, arguments.p, NULL, &run, err);
  if (status == DM_OK && o->replace && strcasecmp(src->text, o->into) == 0)
    status = dm_fail(err, DM_EUSAGE, "--into %s would replace the source itself", o->into);
  if (status == DM_OK) status = refuse_taken(store, o, arena, err);
  if (status == DM_OK) status = create_table(store, t, "main", o->into, err);
  if (status == DM_OK) status = prepare_insert(store, t, "main", o->into, &insert, err);
  if (status == DM_OK) status = dm_rows_open(store, t->scorer, src, &rows, err);
  if (status == DM_OK) status = score_all(store, t, rows, insert, out, err);
  dm_rows_close(rows);
  dm_stmt_free(insert);
  if (status == DM_OK) status = dm_run_end(store, run, "done", err);
  if (status == DM_OK) status = dm_store_commit(store, err);
  if (status != DM_OK) dm_store_rollback(store);
  dm_arena_free(arena);
  dm_buf_clear(&arguments);
  return status;
}

/* To a file: through a temporary table and the exporter; the database stays as it is. */
static dm_status write_file(dm_store *store, const dm_scored_table *t, const dm_src *src, const dm_predict_options *o, dm_predict_result *out,
                            dm_error *err) {
  dm_rows *rows = NULL;
  dm_stmt *insert = NULL;
  const char *dot = strrchr(o->path, '.');
  dm_export_options export_options = {.with_dm_id = true,
                                      .format = dot && strcasecmp(dot, ".tsv") == 0     ? DM_EXPORT_TSV
                                                : dot && strcasecmp(dot, ".jsonl") == 0 ? DM_EXPORT_JSONL
                                                                                        : DM_EXPORT_CSV};
  dm_status status = create_table(store, t, "temp", temporary, err);
  if (status == DM_OK) status = prepare_insert(store, t, "temp", temporary, &insert, err);
  if (status == DM_OK) status = dm_rows_open(store, t->scorer, src, &rows, err);
  if (status == DM_OK) status = score_all(store, t, rows, insert, out, err);
  dm_rows_close(rows);
  dm_stmt_free(insert);
  uint64_t written;
  if (status == DM_OK)
    status = dm_store_export(store, "SELECT * FROM temp.dm_scored ORDER BY rowid", o->path, &export_options, &written, err);
  (void)dm_store_exec(store, NULL, "DROP TABLE IF EXISTS temp.\"%w\"", temporary);
  return status;
}

dm_status dm_scored_write(dm_store *store, const dm_scored_table *t, const char *model, const dm_src *src, const dm_predict_options *options,
                          dm_predict_result *out, dm_error *err) {
  return options->into ? write_table(store, t, model, src, options, out, err) : write_file(store, t, src, options, out, err);
}
