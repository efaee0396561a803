/*
 * Audit: one prediction walked back to the bytes it came from.
 *
 *   score -> path in the model -> encoded value -> cleaned cell -> change, rule -> file:line:byte, raw text
 *
 * The document is JSON; the text for people is made from the same document.
 */
#include <dm/pipeline.h>

#include <math.h>
#include <string.h>

typedef struct audit {
  dm_ctx *ctx;
  dm_store *store;
  dm_arena *arena;
  dm_scorer *scorer;
  dm_model_meta meta;
  int64_t row;
  dm_stmt *stmt;          /* on the row */
  int *places;            /* [d] column of each input in stmt */
  double *raw, *encoded;
  const char *table;      /* that dm_id belongs to; NULL when the source is no plain table */
  dm_why why;             /* of the row in that table */
} audit;

static void json_value(dm_json_out *j, dm_value v) {
  switch (v.type) {
  case DM_INTEGER: dm_json_int(j, v.integer); break;
  case DM_REAL: dm_json_double(j, v.real); break;
  case DM_TEXT: dm_json_string_n(j, v.text.p, v.text.n); break;
  case DM_BLOB:
  case DM_NULL: dm_json_null(j); break;
  }
}

/* Puts stmt on the source's row with that dm_id. */
static dm_status find_row(audit *a, dm_error *err) {
  const char *sql;
  bool found;
  dm_src src = {a->meta.source_sql, NULL};
  if (dm_src_is_file(a->store, src.text)) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' was trained from the file %s, which has no rows in the database", a->meta.name, src.text);
    dm_error_hint(err, "import the file with dm-clean import and train from the table");
    return DM_EUSAGE;
  }
  dm_status s = dm_source_sql(a->store, src.text, a->arena, &sql, err);
  char *one = s == DM_OK ? dm_arena_printf(a->arena, err, "SELECT * FROM (%s) WHERE dm_id = ?1", sql) : NULL;
  if (s == DM_OK && !one) s = DM_EBUDGET;
  if (s == DM_OK && (s = dm_stmt_prepare(a->store, one, &a->stmt, err)) != DM_OK) {
    dm_error_prefix(err, "the source of model '%s' can no longer be read by dm_id", a->meta.name);
    dm_error_hint(err, "its SELECT must give the column dm_id");
  }
  if (s == DM_OK) s = dm_stmt_bind_int(a->stmt, 1, a->row, err);
  if (s == DM_OK) s = dm_stmt_step(a->stmt, &found, err);
  if (s != DM_OK || found) return s;
  (void)dm_fail(err, DM_EUSAGE, "the source of model '%s' has no row with dm_id %lld", a->meta.name, (long long)a->row);
  dm_error_hint(err, "SELECT dm_id FROM (%s)", src.text);
  return DM_EUSAGE;
}

static dm_status bind_inputs(audit *a, dm_error *err) {
  const dm_scorer *s = a->scorer;
  size_t m = dm_encoder_n_outputs(s->encoder);
  a->places = dm_arena_alloc(a->arena, s->d, sizeof *a->places, err);
  a->raw = dm_arena_alloc(a->arena, s->d, sizeof *a->raw, err);
  a->encoded = dm_arena_alloc(a->arena, m, sizeof *a->encoded, err);
  if (!a->places || !a->raw || !a->encoded) return DM_EBUDGET;
  for (size_t i = 0; i < s->d; i++) {
    a->places[i] = -1;
    for (int c = 0; c < dm_stmt_n_columns(a->stmt) && a->places[i] < 0; c++)
      if (strcmp(dm_stmt_column_name(a->stmt, c), s->inputs[i].name) == 0) a->places[i] = c;
    if (a->places[i] < 0)
      return dm_fail(err, DM_EINPUT, "the source of model '%s' no longer has the column '%s'", a->meta.name, s->inputs[i].name);
    dm_status status = dm_scorer_bind(s, i, dm_stmt_value(a->stmt, a->places[i]), &a->raw[i], err);
    if (status != DM_OK) return status;
  }
  dm_encoder_row(s->encoder, a->raw, a->encoded);
  return DM_OK;
}

/* The table whose dm_id the source gives, by what SQLite knows of the column. */
static dm_status find_origin(audit *a, dm_error *err) {
  const char *table, *name;
  for (int c = 0; c < dm_stmt_n_columns(a->stmt); c++)
    if (strcmp(dm_stmt_column_name(a->stmt, c), "dm_id") == 0 && dm_stmt_column_origin(a->stmt, c, &table, &name) && strcmp(name, "dm_id") == 0)
      a->table = dm_arena_strdup(a->arena, table, strlen(table), err);
  if (!a->table) return DM_OK;
  return dm_why_row(a->store, a->table, a->row, NULL, a->arena, &a->why, err);
}

/* History of the cell that an input reads, when it is a column of that table unchanged. */
static const dm_why_cell *cell_of(const audit *a, size_t input) {
  const char *table, *name;
  if (!a->table || !dm_stmt_column_origin(a->stmt, a->places[input], &table, &name) || strcmp(table, a->table) != 0) return NULL;
  for (size_t i = 0; i < a->why.n_cells; i++)
    if (strcmp(a->why.cells[i].column, name) == 0) return &a->why.cells[i];
  return NULL;
}

static void changes_json(const dm_why_cell *cell, dm_json_out *j) {
  dm_json_array(j);
  for (size_t i = 0; cell && i < cell->n; i++) {
    const dm_why_step *w = &cell->steps[i];
    if (w->undone || w->run_id == 0) continue;
    dm_json_object(j);
    dm_json_put_int(j, "run", w->run_id);
    dm_json_put_string(j, "rule", w->rule);
    dm_json_key(j, "old");
    json_value(j, w->old_value);
    dm_json_key(j, "new");
    json_value(j, w->new_value);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
}

static void feature_json(const audit *a, size_t input, dm_json_out *j) {
  const dm_why_cell *cell = cell_of(a, input);
  dm_json_object(j);
  dm_json_put_string(j, "name", a->scorer->inputs[input].name);
  dm_json_key(j, "encoded");
  dm_json_array(j);
  for (size_t o = 0; o < dm_encoder_n_outputs(a->scorer->encoder); o++) {
    if (dm_encoder_source(a->scorer->encoder, o) != input) continue;
    dm_json_object(j);
    dm_json_key(j, "name");
    const char *name = dm_encoder_output_name(a->scorer->encoder, o);
    dm_json_string(j, name && name[0] ? name : a->scorer->inputs[input].name);
    dm_json_put_double(j, "value", a->encoded[o]);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
  dm_json_key(j, "value");
  json_value(j, dm_stmt_value(a->stmt, a->places[input]));
  dm_json_key(j, "changes");
  changes_json(cell, j);
  dm_json_key(j, "raw");
  if (cell && cell->raw.p)
    dm_json_string_n(j, cell->raw.p, cell->raw.n);
  else
    dm_json_null(j);
  dm_json_end_object(j);
}

static dm_status write_audit(const audit *a, dm_json_out *j, dm_error *err) {
  const dm_scorer *s = a->scorer;
  dm_scratch scratch = {0};
  double value, score, *proba = dm_arena_alloc(a->arena, s->model->n_classes + 1, sizeof *proba, err);
  dm_status status = proba ? dm_scratch_init(&scratch, s, err) : DM_EBUDGET;
  if (status == DM_OK) status = dm_scorer_row(s, a->raw, &scratch, &value, &score, s->model->n_classes ? proba : NULL, err);
  dm_scratch_clear(&scratch, s);
  if (status != DM_OK) return status;
  dm_json_object(j);
  dm_json_put_string(j, "model", a->meta.name);
  dm_json_put_int(j, "version", a->meta.version);
  dm_json_put_string(j, "method", a->meta.method);
  dm_json_put_int(j, "row", a->row);
  dm_json_put_string(j, "target", s->target.name);
  dm_json_key(j, "prediction");
  json_value(j, dm_scorer_value(s, value));
  dm_json_put_double(j, "score", score);
  dm_json_key(j, "probabilities");
  dm_json_object(j);
  for (size_t c = 0; c < s->model->n_classes; c++) {
    dm_json_key(j, s->target.levels.names[c].p);
    dm_json_double(j, proba[c]);
  }
  dm_json_end_object(j);
  dm_json_key(j, "path");
  if (s->model->learner->trace)
    status = s->model->learner->trace(s->model, s, a->encoded, j, err);
  else
    dm_json_null(j);
  if (status != DM_OK) return status;
  dm_json_key(j, "features");
  dm_json_array(j);
  for (size_t i = 0; i < s->d; i++) feature_json(a, i, j);
  dm_json_end_array(j);
  dm_json_key(j, "origin");
  if (a->table)
    dm_origin_json(&a->why.origin, a->table, j);
  else
    dm_json_null(j);
  dm_json_end_object(j);
  return dm_buf_status(j->buf);
}

dm_status dm_audit_json(dm_store *store, const char *model, int64_t row, dm_json_out *json, dm_error *err) {
  audit a = {.ctx = dm_store_ctx(store), .store = store, .row = row};
  dm_status s = dm_arena_new(a.ctx, 0, &a.arena, err);
  if (s != DM_OK) return s;
  bool snapshot = (s = dm_store_snapshot(store, err)) == DM_OK;
  if (s == DM_OK) s = dm_registry_load(store, model, a.arena, &a.scorer, &a.meta, err);
  if (s == DM_OK) s = find_row(&a, err);
  if (s == DM_OK) s = bind_inputs(&a, err);
  if (s == DM_OK) s = find_origin(&a, err);
  if (s == DM_OK) s = write_audit(&a, json, err);
  dm_stmt_free(a.stmt);
  dm_scorer_free(a.scorer);
  if (snapshot) dm_store_snapshot_end(store);
  dm_arena_free(a.arena);
  return s;
}
