/*
 * What the files of the extension share: one state for each connection with
 * its context, the attached store and the models in use.
 */
#ifndef DM_SQL_EXTENSION_H
#define DM_SQL_EXTENSION_H

#include <dm/dm.h>
#include <sqlite3ext.h>

/* What a model is asked to do; one of another kind is refused as it is loaded. */
typedef enum sql_kind { SQL_SCORER, SQL_RULES } sql_kind;

typedef struct sql_model {
  struct sql_model *next;
  char *reference;     /* as given: 'name' or 'name@3' */
  sql_kind kind;
  dm_arena *memory;    /* holds meta's texts, and rules */
  dm_model_meta meta;
  dm_rule_model *rules;
  dm_arena *work;      /* of one recommendation */
  dm_scorer *scorer;
  dm_scratch scratch;
  double *raw, *proba; /* one row */
  float *code;         /* [n_code] */
  int64_t data_version, total_changes; /* when it was last found to be current */
  bool unsettled;                      /* that was inside a writing transaction, which may be rolled back */
  unsigned users;      /* statements that hold it in auxdata or a cursor, plus 1 while cached */
} sql_model;

typedef struct sql_state {
  sqlite3 *db;
  dm_ctx *ctx;
  dm_store *store;
  sql_model *models;
  unsigned users; /* registrations that hold the state */
} sql_state;

/** Model by reference, loaded and verified, current as of this call; *out is held until sql_model_release. */
dm_status sql_model_get(sql_state *state, const char *reference, sql_kind kind, sql_model **out, dm_error *err);
/** The model of argument 0: from auxdata while the name is constant. NULL after an error was set; *held: release it after use. */
sql_model *sql_model_of(sqlite3_context *context, sqlite3_value **arguments, sql_kind kind, bool *held);
void sql_model_release(void *model);

/** Learned features of m->raw as the result: a BLOB of float32, little end first. */
void sql_result_code(sqlite3_context *context, sql_model *m);

/** "message (hint)" as the result of a function, or malloc'ed for a virtual table. */
void sql_result_error(sqlite3_context *context, const dm_error *err);
char *sql_error_text(const dm_error *err);
/** SQLite result code for a status, so that interrupts stay interrupts. */
int sql_code(dm_status s);

dm_value sql_value(sqlite3_value *v);
void sql_result(sqlite3_context *context, dm_value v);

/* one family of functions a file */
int sql_register_score(sql_state *state);
int sql_register_apply(sql_state *state);
int sql_register_models(sql_state *state);
int sql_register_rules(sql_state *state);
int sql_register_about(sql_state *state);
void sql_state_release(void *state);
sql_state *sql_state_hold(sql_state *state);

#endif
