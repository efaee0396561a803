/*
 * dm_apply(model, 'SELECT …'): scores every row of a SELECT, features bound by
 * name. Columns: row (dm_id when selected, else the ordinal), prediction,
 * score, probabilities (JSON), source (the row as JSON).
 * dm_transform(model, 'SELECT …'): the same with the columns row, code (learned
 * features, a BLOB of float32). Both take SQL text, so they are refused in
 * triggers and views.
 */
#include "extension.h"

#include <string.h>

SQLITE_EXTENSION_INIT3

/* The two functions. */
typedef struct apply_kind {
  const char *name, *schema;
  int hidden; /* first of the columns model, sql */
} apply_kind;

static const apply_kind apply_kinds[] = {
    {"dm_apply", "CREATE TABLE x(row INTEGER, prediction ANY, score REAL, probabilities TEXT, source TEXT, model TEXT HIDDEN, sql TEXT HIDDEN)", 5},
    {"dm_transform", "CREATE TABLE x(row INTEGER, code BLOB, model TEXT HIDDEN, sql TEXT HIDDEN)", 2}};

typedef struct apply_table {
  sqlite3_vtab base;
  sql_state *state;
  const apply_kind *kind;
} apply_table;

typedef struct apply_cursor {
  sqlite3_vtab_cursor base;
  sql_model *model;
  dm_stmt *source;
  int *places; /* [d] column of each input */
  int id_column;
  bool done;
  int64_t ordinal;
  double value, score;
} apply_cursor;

enum { ROW, PREDICTION, SCORE, PROBABILITIES, SOURCE, CODE = 1 };

static bool transforms(const apply_cursor *c) { return ((const apply_table *)(const void *)c->base.pVtab)->kind == &apply_kinds[1]; }

/* argv[0] is the module's name. */
static int connect(sqlite3 *db, void *user, int argc, const char *const *argv, sqlite3_vtab **out, char **message) {
  (void)argc, (void)message;
  const apply_kind *kind = &apply_kinds[sqlite3_stricmp(argv[0], apply_kinds[1].name) == 0];
  int rc = sqlite3_declare_vtab(db, kind->schema);
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  if (rc != SQLITE_OK) return rc;
  apply_table *t = sqlite3_malloc64(sizeof *t);
  if (!t) return SQLITE_NOMEM;
  memset(t, 0, sizeof *t);
  t->state = user;
  t->kind = kind;
  *out = &t->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table) {
  sqlite3_free(table);
  return SQLITE_OK;
}

/* Both arguments are wanted, as equalities on the hidden columns. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  const apply_kind *kind = ((const apply_table *)(const void *)table)->kind;
  int places[2] = {-1, -1};
  bool unusable = false;
  for (int i = 0; i < info->nConstraint; i++) {
    int which = info->aConstraint[i].iColumn - kind->hidden;
    if (which < 0 || which > 1 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (info->aConstraint[i].usable)
      places[which] = i;
    else
      unusable = true;
  }
  if (places[0] < 0 || places[1] < 0) {
    if (unusable) return SQLITE_CONSTRAINT;
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf("dm: %s wants a model's name and a SELECT", kind->name);
    return SQLITE_ERROR;
  }
  for (int which = 0; which < 2; which++) {
    info->aConstraintUsage[places[which]].argvIndex = which + 1;
    info->aConstraintUsage[places[which]].omit = 1;
  }
  info->estimatedCost = 1e6;
  info->estimatedRows = 100000;
  return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
  (void)table;
  apply_cursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) return SQLITE_NOMEM;
  memset(c, 0, sizeof *c);
  *out = &c->base;
  return SQLITE_OK;
}

static void clear(apply_cursor *c) {
  dm_stmt_free(c->source);
  sqlite3_free(c->places);
  if (c->model) sql_model_release(c->model);
  c->source = NULL;
  c->places = NULL;
  c->model = NULL;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
  clear((apply_cursor *)(void *)cursor);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static int find_column(const dm_stmt *source, const char *name) {
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < dm_stmt_n_columns(source); i++) {
      const char *have = dm_stmt_column_name(source, i);
      if ((pass ? sqlite3_stricmp(have, name) : strcmp(have, name)) == 0) return i;
    }
  return -1;
}

static dm_status match_inputs(apply_cursor *c, dm_error *err) {
  const dm_scorer *s = c->model->scorer;
  if (!(c->places = sqlite3_malloc64((s->d + 1) * sizeof *c->places))) return dm_fail(err, DM_EBUDGET, "out of memory");
  for (size_t i = 0; i < s->d; i++)
    if ((c->places[i] = find_column(c->source, s->inputs[i].name)) < 0) {
      (void)dm_fail(err, DM_EINPUT, "the SELECT has no column '%s', an input of model '%s'", s->inputs[i].name, c->model->meta.name);
      dm_error_hint(err, "columns are matched by name");
      return DM_EINPUT;
    }
  c->id_column = find_column(c->source, "dm_id");
  return DM_OK;
}

/* The row under the cursor into the model's raw row. */
static dm_status bind_row(const apply_cursor *c, dm_error *err) {
  const sql_model *m = c->model;
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < m->scorer->d; i++) s = dm_scorer_bind(m->scorer, i, dm_stmt_value(c->source, c->places[i]), &m->raw[i], err);
  return s;
}

static dm_status step(apply_cursor *c, dm_error *err) {
  bool row;
  dm_status s = dm_stmt_step(c->source, &row, err);
  if (s != DM_OK || !row) {
    c->done = true;
    return s;
  }
  c->ordinal++;
  sql_model *m = c->model;
  s = bind_row(c, err);
  if (s != DM_OK) dm_error_prefix(err, "row %lld", (long long)c->ordinal);
  if (s == DM_OK && !transforms(c)) s = dm_scorer_row(m->scorer, m->raw, &m->scratch, &c->value, &c->score, m->proba, err);
  return s;
}

static int finish(sqlite3_vtab_cursor *cursor, dm_status s, const dm_error *err) {
  if (s == DM_OK) return SQLITE_OK;
  sqlite3_free(cursor->pVtab->zErrMsg);
  cursor->pVtab->zErrMsg = sql_error_text(err);
  return sql_code(s);
}

static int filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc, sqlite3_value **argv) {
  (void)number, (void)text;
  apply_cursor *c = (apply_cursor *)(void *)cursor;
  const apply_table *table = (const apply_table *)(const void *)cursor->pVtab;
  sql_state *state = table->state;
  dm_error err = {0};
  dm_arena *arena = NULL;
  const char *sql = NULL, *reference = argc == 2 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  const char *source = argc == 2 ? (const char *)sqlite3_value_text(argv[1]) : NULL;
  clear(c);
  c->done = false;
  c->ordinal = 0;
  if (!reference || !source) return finish(cursor, dm_fail(&err, DM_EUSAGE, "%s wants a model's name and a SELECT, not NULL", table->kind->name), &err);
  dm_status s = sql_model_get(state, reference, SQL_SCORER, &c->model, &err);
  if (s == DM_OK) s = dm_arena_new(state->ctx, 4096, &arena, &err);
  if (s == DM_OK) s = dm_source_sql(state->store, source, arena, &sql, &err);
  if (s == DM_OK) s = dm_stmt_prepare(state->store, sql, &c->source, &err);
  if (s == DM_OK) s = match_inputs(c, &err);
  if (s == DM_OK) s = step(c, &err);
  dm_arena_free(arena);
  return finish(cursor, s, &err);
}

static int next(sqlite3_vtab_cursor *cursor) {
  dm_error err = {0};
  return finish(cursor, step((apply_cursor *)(void *)cursor, &err), &err);
}

static int eof(sqlite3_vtab_cursor *cursor) { return ((const apply_cursor *)(const void *)cursor)->done; }

static void result_json(sqlite3_context *context, const dm_buf *text) {
  if (dm_buf_status(text) == DM_OK)
    sqlite3_result_text64(context, text->p, text->n, SQLITE_TRANSIENT, SQLITE_UTF8);
  else
    sqlite3_result_error_nomem(context);
}

static void probabilities(const apply_cursor *c, sqlite3_context *context) {
  const dm_scorer *s = c->model->scorer;
  dm_buf text;
  dm_json_out j;
  if (!s->model->n_classes) {
    sqlite3_result_null(context);
    return;
  }
  /* scored again: another cursor on the same model may have used the shared row since */
  dm_error err = {0};
  if (bind_row(c, &err) != DM_OK) return sql_result_error(context, &err);
  double value, score;
  if (dm_scorer_row(s, c->model->raw, &c->model->scratch, &value, &score, c->model->proba, &err) != DM_OK) return sql_result_error(context, &err);
  dm_buf_init(&text, s->ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  for (size_t k = 0; k < s->model->n_classes; k++) {
    dm_json_key(&j, s->target.levels.names[k].p);
    dm_json_double(&j, c->model->proba[k]);
  }
  dm_json_end_object(&j);
  result_json(context, &text);
  dm_buf_clear(&text);
}

static void source_row(const apply_cursor *c, sqlite3_context *context) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, c->model->scorer->ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  for (int i = 0; i < dm_stmt_n_columns(c->source); i++) {
    dm_value v = dm_stmt_value(c->source, i);
    dm_json_key(&j, dm_stmt_column_name(c->source, i));
    if (v.type == DM_INTEGER)
      dm_json_int(&j, v.integer);
    else if (v.type == DM_REAL)
      dm_json_double(&j, v.real);
    else if (v.type == DM_TEXT)
      dm_json_string_n(&j, v.text.p, v.text.n);
    else
      dm_json_null(&j);
  }
  dm_json_end_object(&j);
  result_json(context, &text);
  dm_buf_clear(&text);
}

static void code(const apply_cursor *c, sqlite3_context *context) {
  dm_error err = {0};
  if (bind_row(c, &err) != DM_OK) return sql_result_error(context, &err);
  sql_result_code(context, c->model);
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int which) {
  const apply_cursor *c = (const apply_cursor *)(const void *)cursor;
  if (which != ROW && transforms(c)) {
    if (which == CODE) code(c, context);
    return SQLITE_OK;
  }
  switch (which) {
  case ROW:
    if (c->id_column >= 0 && dm_stmt_value(c->source, c->id_column).type == DM_INTEGER)
      sqlite3_result_int64(context, dm_stmt_int(c->source, c->id_column));
    else
      sqlite3_result_int64(context, c->ordinal);
    break;
  case PREDICTION: sql_result(context, dm_scorer_value(c->model->scorer, c->value)); break;
  case SCORE: sqlite3_result_double(context, c->score); break;
  case PROBABILITIES: probabilities(c, context); break;
  case SOURCE: source_row(c, context); break;
  default: sqlite3_result_null(context);
  }
  return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
  *out = ((const apply_cursor *)(const void *)cursor)->ordinal;
  return SQLITE_OK;
}

int sql_register_apply(sql_state *state) {
  static const sqlite3_module module = {.xConnect = connect, .xBestIndex = best_index, .xDisconnect = disconnect, .xOpen = open_cursor,
                                        .xClose = close_cursor, .xFilter = filter, .xNext = next, .xEof = eof, .xColumn = column, .xRowid = row_id};
  int rc = sqlite3_create_module_v2(state->db, "dm_apply", &module, sql_state_hold(state), sql_state_release);
  return rc == SQLITE_OK ? sqlite3_create_module_v2(state->db, "dm_transform", &module, sql_state_hold(state), sql_state_release) : rc;
}
