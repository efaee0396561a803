/*
 * Rules: dm_rules(model) as a table, and what they recommend to a basket, as
 * a table, dm_recommendations(model, basket), and as JSON,
 * dm_recommend(model, basket, top). A basket is a JSON array of items, or
 * text, cut as the text that the model was made from.
 */
#include "extension.h"

#include <math.h>
#include <string.h>

SQLITE_EXTENSION_INIT3

/* The two tables; their last columns are the arguments, hidden. */
typedef struct rules_kind {
  const char *name, *schema, *wants;
  int hidden, arguments;
} rules_kind;

enum { ANTECEDENT, CONSEQUENT, SUPPORT, MEASURES, ID = MEASURES + DM_N_MEASURES };
enum { ITEM, CONFIDENCE, LIFT, SUPPORT_OF, BECAUSE, RULE };

static const rules_kind rules_kinds[] = {
    {"dm_rules",
     "CREATE TABLE x(antecedent TEXT, consequent TEXT, support INTEGER, share REAL, coverage REAL, confidence REAL, lift REAL, leverage REAL,"
     " conviction REAL, cosine REAL, jaccard REAL, kulczynski REAL, imbalance REAL, zhang REAL, added_value REAL, chi_square REAL,"
     " fisher_p REAL, q_value REAL, id INTEGER, model TEXT HIDDEN)",
     "a model's name", ID + 1, 1},
    {"dm_recommendations",
     "CREATE TABLE x(item TEXT, confidence REAL, lift REAL, support INTEGER, antecedent TEXT, rule INTEGER, model TEXT HIDDEN, basket TEXT HIDDEN)",
     "a model's name and a basket", RULE + 1, 2}};

typedef struct rules_table {
  sqlite3_vtab base;
  sql_state *state;
  const rules_kind *kind;
} rules_table;

typedef struct rules_cursor {
  sqlite3_vtab_cursor base;
  sql_model *model;
  dm_arena *memory; /* holds the list */
  dm_recommendation *list; /* of dm_recommendations */
  size_t n, at;
} rules_cursor;

static bool recommends(const rules_kind *kind) { return kind == &rules_kinds[1]; }

static int connect(sqlite3 *db, void *user, int argc, const char *const *argv, sqlite3_vtab **out, char **message) {
  (void)argc, (void)message;
  const rules_kind *kind = &rules_kinds[sqlite3_stricmp(argv[0], rules_kinds[1].name) == 0];
  int rc = sqlite3_declare_vtab(db, kind->schema);
  if (rc != SQLITE_OK) return rc;
  rules_table *t = sqlite3_malloc64(sizeof *t);
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

/* All arguments are wanted, as equalities on the hidden columns. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
  const rules_kind *kind = ((const rules_table *)(const void *)table)->kind;
  int places[2] = {-1, -1}, given = 0;
  bool unusable = false;
  for (int i = 0; i < info->nConstraint; i++) {
    int which = info->aConstraint[i].iColumn - kind->hidden;
    if (which < 0 || which >= kind->arguments || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (!info->aConstraint[i].usable) {
      unusable = true;
    } else if (places[which] < 0) {
      places[which] = i;
      given++;
    }
  }
  if (given < kind->arguments) {
    if (unusable) return SQLITE_CONSTRAINT;
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf("dm: %s wants %s", kind->name, kind->wants);
    return SQLITE_ERROR;
  }
  for (int which = 0; which < kind->arguments; which++) {
    info->aConstraintUsage[places[which]].argvIndex = which + 1;
    info->aConstraintUsage[places[which]].omit = 1;
  }
  info->estimatedCost = recommends(kind) ? 100 : 10000;
  info->estimatedRows = recommends(kind) ? 20 : 10000;
  return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out) {
  (void)table;
  rules_cursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) return SQLITE_NOMEM;
  memset(c, 0, sizeof *c);
  *out = &c->base;
  return SQLITE_OK;
}

static void clear(rules_cursor *c) {
  dm_arena_free(c->memory);
  if (c->model) sql_model_release(c->model);
  c->memory = NULL;
  c->model = NULL;
  c->n = c->at = 0;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
  clear((rules_cursor *)(void *)cursor);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* What is recommended to a basket given as text. */
static dm_status recommend(const dm_rule_model *m, sqlite3_value *basket, size_t top, dm_arena *arena, dm_recommendation **list, size_t *n,
                           dm_error *err) {
  const char *text = (const char *)sqlite3_value_text(basket);
  dm_str *items = NULL;
  size_t n_items = 0;
  if (!text) return dm_fail(err, DM_EBUDGET, "out of memory");
  dm_status s = dm_rule_model_basket(m, text, (size_t)sqlite3_value_bytes(basket), arena, &items, &n_items, err);
  return s == DM_OK ? dm_rule_model_recommend(m, items, n_items, top, arena, list, n, err) : s;
}

static int filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc, sqlite3_value **argv) {
  (void)number, (void)text, (void)argc;
  rules_cursor *c = (rules_cursor *)(void *)cursor;
  const rules_table *table = (const rules_table *)(const void *)cursor->pVtab;
  dm_error err = {0};
  clear(c);
  const char *reference = (const char *)sqlite3_value_text(argv[0]);
  dm_status s = reference ? sql_model_get(table->state, reference, SQL_RULES, &c->model, &err)
                          : dm_fail(&err, DM_EUSAGE, "%s wants %s, not NULL", table->kind->name, table->kind->wants);
  if (s == DM_OK && !recommends(table->kind)) c->n = c->model->rules->n;
  if (s == DM_OK && recommends(table->kind) && sqlite3_value_type(argv[1]) != SQLITE_NULL) { /* a basket that is NULL has no rows */
    s = dm_arena_new(table->state->ctx, 4096, &c->memory, &err);
    if (s == DM_OK) s = recommend(c->model->rules, argv[1], 0, c->memory, &c->list, &c->n, &err);
  }
  if (s == DM_OK) return SQLITE_OK;
  sqlite3_free(cursor->pVtab->zErrMsg);
  cursor->pVtab->zErrMsg = sql_error_text(&err);
  return sql_code(s);
}

static int next(sqlite3_vtab_cursor *cursor) {
  ((rules_cursor *)(void *)cursor)->at++;
  return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *cursor) {
  const rules_cursor *c = (const rules_cursor *)(const void *)cursor;
  return c->at >= c->n;
}

static void result_items(sqlite3_context *context, sql_state *state, const dm_rule_model *m, const uint32_t *codes, size_t n) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, state->ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_rule_model_items(m, codes, n, &j);
  if (dm_buf_status(&text) == DM_OK)
    sqlite3_result_text64(context, text.p, text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  else
    sqlite3_result_error_nomem(context);
  dm_buf_clear(&text);
}

static void rule_column(sqlite3_context *context, sql_state *state, const dm_rule_model *m, size_t at, int which) {
  const dm_rule *r = &m->rules[at];
  double v;
  switch (which) {
  case ANTECEDENT: result_items(context, state, m, r->body, r->n_body); break;
  case CONSEQUENT: result_items(context, state, m, r->head, r->n_head); break;
  case SUPPORT: sqlite3_result_int64(context, (int64_t)r->counts.both); break;
  case ID: sqlite3_result_int64(context, (int64_t)at + 1); break;
  default:
    if (which > ID) return;
    v = which - MEASURES == DM_Q_VALUE ? r->q : dm_measure_value(&r->counts, (dm_measure)(which - MEASURES));
    if (!isnan(v)) sqlite3_result_double(context, v);
  }
}

static void recommendation_column(sqlite3_context *context, sql_state *state, const dm_rule_model *m, const dm_recommendation *r, int which) {
  const dm_rule *rule = &m->rules[r->rule];
  switch (which) {
  case ITEM: sqlite3_result_text64(context, m->names[r->item].p, m->names[r->item].n, SQLITE_TRANSIENT, SQLITE_UTF8); break;
  case CONFIDENCE: sqlite3_result_double(context, r->confidence); break;
  case LIFT: sqlite3_result_double(context, r->lift); break;
  case SUPPORT_OF: sqlite3_result_int64(context, (int64_t)rule->counts.both); break;
  case BECAUSE: result_items(context, state, m, rule->body, rule->n_body); break;
  case RULE: sqlite3_result_int64(context, (int64_t)r->rule + 1); break;
  default: break;
  }
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int which) {
  const rules_cursor *c = (const rules_cursor *)(const void *)cursor;
  const rules_table *table = (const rules_table *)(const void *)cursor->pVtab;
  if (recommends(table->kind))
    recommendation_column(context, table->state, c->model->rules, &c->list[c->at], which);
  else
    rule_column(context, table->state, c->model->rules, c->at, which);
  return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
  *out = (sqlite3_int64)((const rules_cursor *)(const void *)cursor)->at + 1;
  return SQLITE_OK;
}

/* ---- dm_recommend ----------------------------------------------------------------------- */

enum { TOP = 10 }; /* without the third argument */

static void write_json(const dm_rule_model *m, const dm_recommendation *list, size_t n, dm_json_out *j) {
  dm_json_array(j);
  for (size_t i = 0; i < n; i++) {
    const dm_rule *rule = &m->rules[list[i].rule];
    dm_json_object(j);
    dm_json_key(j, "item");
    dm_json_string_n(j, m->names[list[i].item].p, m->names[list[i].item].n);
    dm_json_put_double(j, "confidence", list[i].confidence);
    dm_json_put_double(j, "lift", list[i].lift);
    dm_json_put_int(j, "support", (int64_t)rule->counts.both);
    dm_json_key(j, "antecedent");
    dm_rule_model_items(m, rule->body, rule->n_body, j);
    dm_json_put_int(j, "rule", (int64_t)list[i].rule + 1);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
}

static void result_recommendations(sqlite3_context *context, const sql_model *m, sqlite3_value *basket, size_t top) {
  sql_state *state = sqlite3_user_data(context);
  dm_error err = {0};
  dm_recommendation *list = NULL;
  size_t n = 0;
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, state->ctx, &err);
  dm_json_out_init(&j, &text, false);
  dm_status s = recommend(m->rules, basket, top, m->work, &list, &n, &err);
  if (s == DM_OK) {
    write_json(m->rules, list, n, &j);
    s = dm_buf_status(&text);
  }
  if (s == DM_OK)
    sqlite3_result_text64(context, text.p, text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  else
    sql_result_error(context, &err);
  dm_buf_clear(&text);
  dm_arena_reset(m->work);
}

static void recommend_json(sqlite3_context *context, int n, sqlite3_value **arguments) {
  bool held;
  sqlite3_int64 top = n > 2 && sqlite3_value_type(arguments[2]) != SQLITE_NULL ? sqlite3_value_int64(arguments[2]) : TOP;
  if (top < 1) {
    sqlite3_result_error(context, "dm: how many items to recommend: want an integer >= 1", -1);
    return;
  }
  sql_model *m = sql_model_of(context, arguments, SQL_RULES, &held);
  if (m && sqlite3_value_type(arguments[1]) != SQLITE_NULL) result_recommendations(context, m, arguments[1], (size_t)top);
  if (held) sql_model_release(m);
}

int sql_register_rules(sql_state *state) {
  static const sqlite3_module module = {.xConnect = connect, .xBestIndex = best_index, .xDisconnect = disconnect, .xOpen = open_cursor,
                                        .xClose = close_cursor, .xFilter = filter, .xNext = next, .xEof = eof, .xColumn = column, .xRowid = row_id};
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof rules_kinds / sizeof *rules_kinds; i++)
    rc = sqlite3_create_module_v2(state->db, rules_kinds[i].name, &module, sql_state_hold(state), sql_state_release);
  for (int n = 2; rc == SQLITE_OK && n <= 3; n++)
    rc = sqlite3_create_function_v2(state->db, "dm_recommend", n, SQLITE_UTF8, sql_state_hold(state), recommend_json, NULL, NULL,
                                    sql_state_release);
  return rc;
}
