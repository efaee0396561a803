/* dm_version(), dm_debug(). */
#include "extension.h"

SQLITE_EXTENSION_INIT3

static void version(sqlite3_context *context, int n, sqlite3_value **arguments) {
  (void)n;
  (void)arguments;
  sqlite3_result_text(context, DM_VERSION, -1, SQLITE_STATIC);
}

static void debug(sqlite3_context *context, int n, sqlite3_value **arguments) {
  sql_state *state = sqlite3_user_data(context);
  dm_buf text;
  dm_json_out json;
  (void)n;
  (void)arguments;
  dm_buf_init(&text, state->ctx, NULL);
  dm_json_out_init(&json, &text, false);
  dm_about_json(&json);
  if (dm_buf_status(&text) == DM_OK)
    sqlite3_result_text64(context, text.p, text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  else
    sqlite3_result_error_nomem(context);
  dm_buf_clear(&text);
}

int sql_register_about(sql_state *state) {
  int rc = sqlite3_create_function_v2(state->db, "dm_version", 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, version, NULL,
                                      NULL, NULL);
  if (rc != SQLITE_OK) return rc;
  return sqlite3_create_function_v2(state->db, "dm_debug", 0, SQLITE_UTF8, sql_state_hold(state), debug, NULL, NULL, sql_state_release);
}
