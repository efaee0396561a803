/*
 * Audit: one prediction walked back to the bytes it came from.
 *
 *   score -> path in the model -> encoded value -> cleaned cell -> change, rule -> file:line:byte, raw text
 *
 * With stages that learn features the encoded value is followed by their codes:
 *
 *   score -> path in the last model -> codes e1 … em of the stage before, encoded -> … -> encoded value -> cleaned cell -> …
 *
 * The document is JSON; the text for people is made from the same document.
 */
#include <dm/pipeline.h>

#include <stdio.h>
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
  double *raw;
  double *encoded[DM_STAGES_MAX]; /* what each stage's encoder gives */
  double *codes[DM_STAGES_MAX];   /* what each stage before the last has learned of the row */
  double value, score;
  double *proba;          /* [n_classes] */
  double *parts;          /* [features] of the error, where there is no target; else NULL */
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
  a->places = dm_arena_alloc(a->arena, s->d, sizeof *a->places, err);
  a->raw = dm_arena_alloc(a->arena, s->d, sizeof *a->raw, err);
  if (!a->places || !a->raw) return DM_EBUDGET;
  for (size_t i = 0; i < s->d; i++) {
    a->places[i] = -1;
    for (int c = 0; c < dm_stmt_n_columns(a->stmt) && a->places[i] < 0; c++)
      if (strcmp(dm_stmt_column_name(a->stmt, c), s->inputs[i].name) == 0) a->places[i] = c;
    if (a->places[i] < 0)
      return dm_fail(err, DM_EINPUT, "the source of model '%s' no longer has the column '%s'", a->meta.name, s->inputs[i].name);
    dm_status status = dm_scorer_bind(s, i, dm_stmt_value(a->stmt, a->places[i]), &a->raw[i], err);
    if (status != DM_OK) return status;
  }
  return DM_OK;
}

static const dm_encoder *stage_encoder(const dm_scorer *s, size_t i) { return i < s->n_before ? s->before[i].encoder : s->encoder; }

/* The row through all stages; scratch is of one row. */
static dm_status walk_stages(audit *a, const dm_scratch *scratch, dm_error *err) {
  const dm_scorer *s = a->scorer;
  const double *raw = a->raw;
  for (size_t i = 0; i <= s->n_before; i++) {
    const dm_encoder *encoder = stage_encoder(s, i);
    if (!(a->encoded[i] = dm_arena_alloc(a->arena, dm_encoder_n_outputs(encoder), sizeof(double), err))) return DM_EBUDGET;
    dm_encoder_row(encoder, raw, a->encoded[i]);
    if (i == s->n_before) break;
    const dm_model *model = s->before[i].model;
    dm_batch batch = {.n = 1, .d = model->d, .x = a->encoded[i], .code = scratch->code, .work = scratch->work};
    dm_status status = model->learner->predict(model, DM_OUT_CODE, &batch, err);
    if (status != DM_OK) return status;
    if (!(a->codes[i] = dm_arena_alloc(a->arena, model->n_code, sizeof(double), err))) return DM_EBUDGET;
    for (size_t c = 0; c < model->n_code; c++) a->codes[i][c] = (double)scratch->code[c];
    raw = a->codes[i];
  }
  return DM_OK;
}

/* Everything that is computed of the row. */
static dm_status score_row(audit *a, dm_error *err) {
  const dm_scorer *s = a->scorer;
  dm_scratch scratch = {0};
  size_t k = s->model->n_classes;
  a->proba = dm_arena_alloc(a->arena, k + 1, sizeof *a->proba, err);
  if (!s->target.name) a->parts = dm_arena_alloc(a->arena, dm_encoder_n_inputs(s->encoder), sizeof *a->parts, err);
  if (!a->proba || (!s->target.name && !a->parts)) return DM_EBUDGET;
  dm_status status = dm_scratch_init(&scratch, s, err);
  const dm_scored out = {.value = &a->value, .score = &a->score, .proba = k ? a->proba : NULL, .parts = a->parts};
  if (status == DM_OK) status = dm_scorer_rows(s, a->raw, 1, &scratch, &out, err);
  if (status == DM_OK) status = walk_stages(a, &scratch, err);
  dm_scratch_clear(&scratch, s);
  return status;
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

/* What a stage's encoder makes of one of its inputs. */
static void encoded_json(const audit *a, size_t stage, size_t input, const char *input_name, dm_json_out *j) {
  const dm_encoder *encoder = stage_encoder(a->scorer, stage);
  dm_json_key(j, "encoded");
  dm_json_array(j);
  for (size_t o = 0; o < dm_encoder_n_outputs(encoder); o++) {
    if (dm_encoder_source(encoder, o) != input) continue;
    const char *name = dm_encoder_output_name(encoder, o);
    dm_json_object(j);
    dm_json_put_string(j, "name", name && name[0] ? name : input_name);
    dm_json_put_double(j, "value", a->encoded[stage][o]);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
  if (stage == a->scorer->n_before && a->parts) dm_json_put_double(j, "part", a->parts[input]);
}

static void feature_json(const audit *a, size_t input, dm_json_out *j) {
  const dm_why_cell *cell = cell_of(a, input);
  dm_json_object(j);
  dm_json_put_string(j, "name", a->scorer->inputs[input].name);
  encoded_json(a, 0, input, a->scorer->inputs[input].name, j);
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

/* Codes of each stage before the last, and what the next stage's encoder makes of them. */
static void stages_json(const audit *a, dm_json_out *j) {
  dm_json_key(j, "stages");
  dm_json_array(j);
  for (size_t i = 0; i < a->scorer->n_before; i++) {
    const dm_model *model = a->scorer->before[i].model;
    dm_json_object(j);
    dm_json_put_string(j, "method", model->learner->name);
    dm_json_key(j, "codes");
    dm_json_array(j);
    for (size_t c = 0; c < model->n_code; c++) {
      char name[24];
      (void)snprintf(name, sizeof name, "e%zu", c + 1);
      dm_json_object(j);
      dm_json_put_string(j, "name", name);
      dm_json_put_double(j, "value", a->codes[i][c]);
      encoded_json(a, i + 1, c, name, j);
      dm_json_end_object(j);
    }
    dm_json_end_array(j);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
}

static dm_status write_audit(const audit *a, dm_json_out *j, dm_error *err) {
  const dm_scorer *s = a->scorer;
  dm_status status = DM_OK;
  dm_json_object(j);
  dm_json_put_string(j, "model", a->meta.name);
  dm_json_put_int(j, "version", a->meta.version);
  dm_json_put_string(j, "method", a->meta.method);
  dm_json_put_int(j, "row", a->row);
  dm_json_put_string(j, "target", s->target.name);
  dm_json_key(j, "prediction");
  json_value(j, dm_scorer_value(s, a->value));
  dm_json_put_double(j, "score", a->score);
  dm_json_key(j, "probabilities");
  dm_json_object(j);
  for (size_t c = 0; c < s->model->n_classes; c++) {
    dm_json_key(j, s->target.levels.names[c].p);
    dm_json_double(j, a->proba[c]);
  }
  dm_json_end_object(j);
  dm_json_key(j, "path");
  if (s->model->learner->trace)
    status = s->model->learner->trace(s->model, s, a->encoded[s->n_before], j, err);
  else
    dm_json_null(j);
  if (status != DM_OK) return status;
  stages_json(a, j);
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
  if (s == DM_OK) s = score_row(&a, err);
  if (s == DM_OK) s = find_origin(&a, err);
  if (s == DM_OK) s = write_audit(&a, json, err);
  dm_stmt_free(a.stmt);
  dm_scorer_free(a.scorer);
  if (snapshot) dm_store_snapshot_end(store);
  dm_arena_free(a.arena);
  return s;
}
