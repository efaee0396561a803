/*
 * dm_predict(model, f1, …), dm_score(model, f1, …), dm_proba(model, class, f1, …),
 * dm_encode(model, f1, …): features in the order of the model's inputs. The same
 * bits as dm-mine predict and encode.
 */
#include "extension.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

SQLITE_EXTENSION_INIT3

/* An error to be filled: 3 KB that need not be cleared for each row. */
static void reset(dm_error *err) { err->code = DM_OK, err->message[0] = err->hint[0] = 0; }

static bool check_count(sqlite3_context *context, const sql_model *m, int given) {
  const dm_scorer *s = m->scorer;
  if ((size_t)given == s->d) return true;
  char text[1024];
  int n = snprintf(text, sizeof text, "dm: model '%s' takes %zu features, got %d:", m->meta.name, s->d, given);
  size_t i = 0;
  for (; i < s->d && n > 0 && (size_t)n < sizeof text - 200; i++)
    n += snprintf(text + n, sizeof text - (size_t)n, "%s %.150s", i ? "," : "", s->inputs[i].name);
  if (i < s->d && n > 0) (void)snprintf(text + n, sizeof text - (size_t)n, " and %zu more", s->d - i);
  sqlite3_result_error(context, text, -1);
  return false;
}

/* Features into m->raw. The usual one, a finite REAL for a number, is taken at once. */
static bool bind(sqlite3_context *context, const sql_model *m, int n, sqlite3_value **features) {
  const dm_input *inputs = m->scorer->inputs;
  dm_error err;
  reset(&err);
  if (!check_count(context, m, n)) return false;
  for (int i = 0; i < n; i++) {
    if (inputs[i].kind != DM_CATEGORY && sqlite3_value_type(features[i]) == SQLITE_FLOAT) {
      double v = sqlite3_value_double(features[i]);
      m->raw[i] = v;
      if (isfinite(v)) continue;
    }
    if (dm_scorer_bind(m->scorer, (size_t)i, sql_value(features[i]), &m->raw[i], &err) != DM_OK) {
      sql_result_error(context, &err);
      return false;
    }
  }
  return true;
}

/* Scores features. */
static bool score(sqlite3_context *context, sql_model *m, int n, sqlite3_value **features, double *value, double *result, bool proba) {
  dm_error err;
  if (!bind(context, m, n, features)) return false;
  reset(&err);
  if (dm_scorer_row(m->scorer, m->raw, &m->scratch, value, result, proba ? m->proba : NULL, &err) == DM_OK) return true;
  sql_result_error(context, &err);
  return false;
}

static void predict(sqlite3_context *context, int n, sqlite3_value **arguments) {
  bool held;
  double value, result;
  sql_model *m = sql_model_of(context, arguments, SQL_SCORER, &held);
  if (m && score(context, m, n - 1, arguments + 1, &value, &result, false)) {
    if (m->scorer->target.name && !m->scorer->target.levels.n)
      sqlite3_result_double(context, value);
    else
      sql_result(context, dm_scorer_value(m->scorer, value));
  }
  if (held) sql_model_release(m);
}

static void score_of(sqlite3_context *context, int n, sqlite3_value **arguments) {
  bool held;
  double value, result;
  sql_model *m = sql_model_of(context, arguments, SQL_SCORER, &held);
  if (m && score(context, m, n - 1, arguments + 1, &value, &result, false)) sqlite3_result_double(context, result);
  if (held) sql_model_release(m);
}

static void no_class(sqlite3_context *context, const sql_model *m, sqlite3_value *name) {
  const unsigned char *text = sqlite3_value_text(name);
  char message[512];
  if (m->scorer->target.levels.n)
    (void)snprintf(message, sizeof message, "dm: '%.100s' is not a class of model '%.100s'", text ? (const char *)text : "NULL", m->meta.name);
  else
    (void)snprintf(message, sizeof message, "dm: model '%.100s' %s, it has no classes", m->meta.name,
                   m->scorer->target.name ? "predicts a number" : "learns features");
  sqlite3_result_error(context, message, -1);
}

static void proba(sqlite3_context *context, int n, sqlite3_value **arguments) {
  bool held;
  double value, result;
  sql_model *m = sql_model_of(context, arguments, SQL_SCORER, &held);
  size_t code = m ? dm_levels_find(&m->scorer->target.levels, sql_value(arguments[1])) : SIZE_MAX;
  if (m && code == SIZE_MAX)
    no_class(context, m, arguments[1]);
  else if (m && score(context, m, n - 2, arguments + 2, &value, &result, true))
    sqlite3_result_double(context, m->proba[code]);
  if (held) sql_model_release(m);
}

void sql_result_code(sqlite3_context *context, sql_model *m) {
  dm_error err;
  reset(&err);
  size_t n = m->scorer->model->n_code;
  if (dm_scorer_code_row(m->scorer, m->raw, &m->scratch, m->code, &err) != DM_OK) return sql_result_error(context, &err);
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &m->code[i], sizeof bits);
    bits = htole32(bits);
    memcpy(&m->code[i], &bits, sizeof bits);
  }
  sqlite3_result_blob64(context, m->code, n * sizeof *m->code, SQLITE_TRANSIENT);
}

static void encode(sqlite3_context *context, int n, sqlite3_value **arguments) {
  bool held;
  sql_model *m = sql_model_of(context, arguments, SQL_SCORER, &held);
  if (m && bind(context, m, n - 1, arguments + 1)) sql_result_code(context, m);
  if (held) sql_model_release(m);
}

static void too_few(sqlite3_context *context, int n, sqlite3_value **arguments) {
  (void)n;
  (void)arguments;
  sqlite3_result_error(context, "dm: want the model's name, then its features (dm_proba: the class between them)", -1);
}

int sql_register_score(sql_state *state) {
  static const struct {
    const char *name;
    int least;
    void (*run)(sqlite3_context *, int, sqlite3_value **);
  } functions[] = {{"dm_predict", 2, predict}, {"dm_score", 2, score_of}, {"dm_proba", 3, proba}, {"dm_encode", 2, encode}};
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof functions / sizeof *functions; i++) {
    rc = sqlite3_create_function_v2(state->db, functions[i].name, -1, SQLITE_UTF8, sql_state_hold(state), functions[i].run, NULL, NULL,
                                    sql_state_release);
    for (int n = 0; rc == SQLITE_OK && n < functions[i].least; n++)
      rc = sqlite3_create_function_v2(state->db, functions[i].name, n, SQLITE_UTF8, NULL, too_few, NULL, NULL, NULL);
  }
  return rc;
}
