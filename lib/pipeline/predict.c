/*
 * Prediction: rows in batches, scored one by one (the same bits as the SQL
 * functions), into a table; a file is that table exported.
 *
 *   dm_id | prediction | score | p_<class> …
 *
 * dm_id is no key of that table: its rows stand in the order of the source,
 * and a source may give a row twice.
 */
#include "pipeline/rows.h"

#include <string.h>
#include <strings.h>

static const char temporary[] = "dm_prediction"; /* in temp, when the result goes to a file */

/* Names of the probability columns: p_<class>, made unique without regard to case. */
static dm_status class_columns(const dm_scorer *s, dm_arena *arena, const char ***out, dm_error *err) {
  size_t k = s->model->n_classes;
  const char **names = dm_arena_alloc(arena, k + 1, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (size_t c = 0; c < k; c++) {
    dm_str level = s->target.levels.names[c];
    names[c] = dm_arena_printf(arena, err, "p_%.*s", (int)level.n, level.p);
    for (unsigned number = 2; names[c]; number++) {
      bool taken = false;
      for (size_t i = 0; i < c && !taken; i++) taken = strcasecmp(names[i], names[c]) == 0;
      if (!taken) break;
      names[c] = dm_arena_printf(arena, err, "p_%.*s_%u", (int)level.n, level.p, number);
    }
    if (!names[c]) return DM_EBUDGET;
  }
  *out = names;
  return DM_OK;
}

static dm_status create_table(dm_store *store, const dm_scorer *s, const char *schema, const char *table, dm_arena *arena, dm_error *err) {
  const char **names;
  dm_buf sql;
  dm_status status = class_columns(s, arena, &names, err);
  if (status != DM_OK) return status;
  dm_buf_init(&sql, dm_store_ctx(store), err);
  status = dm_sql_append(&sql, err, "CREATE TABLE %s.\"%w\"(dm_id INTEGER, prediction %s, score REAL", schema, table,
                         s->model->n_classes ? dm_type_name(s->target.type) : "REAL");
  for (size_t c = 0; status == DM_OK && c < s->model->n_classes; c++) status = dm_sql_append(&sql, err, ", \"%w\" REAL", names[c]);
  if (status == DM_OK) status = dm_sql_append(&sql, err, ") STRICT");
  if (status == DM_OK) status = dm_store_exec(store, err, "%s", sql.p);
  dm_buf_clear(&sql);
  return status;
}

static dm_status prepare_insert(dm_store *store, const dm_scorer *s, const char *schema, const char *table, dm_stmt **out, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, dm_store_ctx(store), err);
  dm_status status = dm_sql_append(&sql, err, "INSERT INTO %s.\"%w\" VALUES(?,?,?", schema, table);
  for (size_t c = 0; c < s->model->n_classes; c++) dm_buf_adds(&sql, ",?");
  dm_buf_addc(&sql, ')');
  if (status == DM_OK) status = dm_buf_status(&sql);
  if (status == DM_OK) status = dm_stmt_prepare(store, sql.p, out, err);
  dm_buf_clear(&sql);
  return status;
}

static dm_status insert_row(dm_stmt *insert, const dm_scorer *s, int64_t id, double value, double score, const double *proba, dm_error *err) {
  bool row;
  dm_status status = dm_stmt_bind_int(insert, 1, id, err);
  if (status == DM_OK) status = dm_stmt_bind(insert, 2, dm_scorer_value(s, value), err);
  if (status == DM_OK) status = dm_stmt_bind(insert, 3, (dm_value){.type = DM_REAL, .real = score}, err);
  for (size_t c = 0; status == DM_OK && c < s->model->n_classes; c++)
    status = dm_stmt_bind(insert, (int)c + 4, (dm_value){.type = DM_REAL, .real = proba[c]}, err);
  if (status == DM_OK) status = dm_stmt_step(insert, &row, err);
  return status == DM_OK ? dm_stmt_reset(insert, err) : status;
}

static dm_status score_all(dm_store *store, const dm_scorer *s, dm_rows *rows, dm_stmt *insert, dm_predict_result *out, dm_error *err) {
  dm_scratch scratch = {0};
  double value, score, *proba = NULL;
  size_t k = s->model->n_classes, n = 1;
  dm_status status = dm_scratch_init(&scratch, s, err);
  if (status == DM_OK && k && !(proba = dm_alloc(s->ctx, k, sizeof *proba, "probabilities", err))) status = DM_EBUDGET;
  out->rejects = dm_rows_rejects(rows);
  while (status == DM_OK && n > 0) {
    const double *raw;
    const int64_t *ids;
    status = dm_rows_next(rows, &n, &raw, &ids, err);
    for (size_t i = 0; status == DM_OK && i < n; i++) {
      status = dm_scorer_row(s, raw + i * s->d, &scratch, &value, &score, proba, err);
      if (status == DM_OK) status = insert_row(insert, s, ids[i], value, score, proba, err);
    }
    out->rows += status == DM_OK ? n : 0;
    dm_progress(dm_store_ctx(store), "predict", (double)out->rows, 0, "rows");
  }
  dm_free(s->ctx, proba);
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
static dm_status predict_into(dm_store *store, const dm_scorer *s, const char *model, const dm_src *src, const dm_predict_options *o,
                              dm_arena *arena, dm_predict_result *out, dm_error *err) {
  dm_rows *rows = NULL;
  dm_stmt *insert = NULL;
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
  if (status == DM_OK) status = dm_store_begin(store, err);
  if (status == DM_OK) status = dm_store_ensure_schema(store, err);
  if (status == DM_OK) status = dm_run_start(store, "predict", arguments.p, NULL, &run, err);
  if (status == DM_OK && o->replace && strcasecmp(src->text, o->into) == 0)
    status = dm_fail(err, DM_EUSAGE, "--into %s would replace the source itself", o->into);
  if (status == DM_OK) status = refuse_taken(store, o, arena, err);
  if (status == DM_OK) status = create_table(store, s, "main", o->into, arena, err);
  if (status == DM_OK) status = prepare_insert(store, s, "main", o->into, &insert, err);
  if (status == DM_OK) status = dm_rows_open(store, s, src, &rows, err);
  if (status == DM_OK) status = score_all(store, s, rows, insert, out, err);
  dm_rows_close(rows);
  dm_stmt_free(insert);
  if (status == DM_OK) status = dm_run_end(store, run, "done", err);
  if (status == DM_OK) status = dm_store_commit(store, err);
  if (status != DM_OK) dm_store_rollback(store);
  dm_buf_clear(&arguments);
  return status;
}

/* To a file: through a temporary table and the exporter; the database stays as it is. */
static dm_status predict_to_file(dm_store *store, const dm_scorer *s, const dm_src *src, const dm_predict_options *o, dm_arena *arena,
                                 dm_predict_result *out, dm_error *err) {
  dm_rows *rows = NULL;
  dm_stmt *insert = NULL;
  const char *dot = strrchr(o->path, '.');
  dm_export_options export_options = {.with_dm_id = true,
                                      .format = dot && strcasecmp(dot, ".tsv") == 0     ? DM_EXPORT_TSV
                                                : dot && strcasecmp(dot, ".jsonl") == 0 ? DM_EXPORT_JSONL
                                                                                        : DM_EXPORT_CSV};
  dm_status status = create_table(store, s, "temp", temporary, arena, err);
  if (status == DM_OK) status = prepare_insert(store, s, "temp", temporary, &insert, err);
  if (status == DM_OK) status = dm_rows_open(store, s, src, &rows, err);
  if (status == DM_OK) status = score_all(store, s, rows, insert, out, err);
  dm_rows_close(rows);
  dm_stmt_free(insert);
  uint64_t written;
  if (status == DM_OK)
    status = dm_store_export(store, "SELECT * FROM temp.dm_prediction ORDER BY rowid", o->path, &export_options, &written, err);
  (void)dm_store_exec(store, NULL, "DROP TABLE IF EXISTS temp.\"%w\"", temporary);
  return status;
}

dm_status dm_predict(dm_store *store, const char *model, const dm_src *src, const dm_predict_options *options, dm_arena *arena,
                     dm_predict_result *out, dm_error *err) {
  dm_scorer *scorer = NULL;
  dm_predict_result result = {0};
  double from = dm_seconds();
  dm_status s = dm_registry_load(store, model, arena, &scorer, &result.meta, err);
  if (s == DM_OK)
    s = options->into ? predict_into(store, scorer, model, src, options, arena, &result, err)
                      : predict_to_file(store, scorer, src, options, arena, &result, err);
  dm_scorer_free(scorer);
  result.seconds = dm_seconds() - from;
  if (s == DM_OK) *out = result;
  return s;
}
