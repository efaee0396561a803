#include "clean/expression.h"
#include "clean/sql_text.h"

#include <string.h>

/* The failure at byte `at` of the expression; in a scalar of one line that is a place in the file. */
static dm_status fail_at(const dm_yaml *node, const char *file, size_t at, const char *why, dm_error *err) {
  dm_yaml place = *node;
  if (!strchr(node->scalar, '\n')) place.column += at + node->quoted;
  return dm_yaml_fail(&place, file, err, "%s", why);
}

dm_status dm_clean_expression_parse(const dm_clean_parser *in, const dm_yaml *node, dm_error *err) {
  size_t at = 0;
  if (node->type != DM_YAML_SCALAR) return dm_yaml_fail(node, in->file, err, "an SQL expression is wanted, in quotes");
  const char *problem = dm_clean_expression_problem(node->scalar, &at);
  return problem ? fail_at(node, in->file, at, problem, err) : DM_OK;
}

/* The expression stands alone on line 2 of the statement, so that places in it can be told. */
static dm_status prepare(dm_clean_run *run, const dm_yaml *node, const char *before, const char *after, dm_error *err) {
  dm_stmt *s = NULL;
  dm_error why = {0};
  char *sql = dm_arena_printf(run->memory, err, "%s(\n%s\n)%s", before, node->scalar, after);
  if (!sql) return DM_EBUDGET;
  dm_status status = dm_stmt_prepare(run->store, sql, &s, &why);
  if (status == DM_OK && (dm_stmt_n_columns(s) != 1 || !dm_stmt_is_read_only(s)))
    status = dm_fail(&why, DM_EINPUT, "one expression that only reads is wanted");
  dm_stmt_free(s);
  if (status == DM_OK) return DM_OK;
  if (status != DM_EINPUT && status != DM_EUSAGE) {
    if (err) *err = why;
    return status;
  }
  if (why.line > 2) /* SQLite stumbles over our closing bracket */
    status = fail_at(node, run->file, strlen(node->scalar), "SQL: the expression ends too early", err);
  else
    status = fail_at(node, run->file, why.line == 2 && why.column ? why.column - 1 : 0, why.message, err);
  if (why.hint[0]) dm_error_hint(err, "%s", why.hint);
  return status;
}

dm_status dm_clean_expression_check(dm_clean_run *run, const dm_yaml *node, bool in_where, dm_error *err) {
  char *from = dm_arena_printf(run->memory, err, " FROM %s", run->sql_table);
  char *where = dm_arena_printf(run->memory, err, "SELECT 1 FROM %s WHERE ", run->sql_table);
  if (!from || !where) return DM_EBUDGET;
  dm_status s = prepare(run, node, "SELECT ", from, err);
  return s == DM_OK && in_where ? prepare(run, node, where, "", err) : s;
}
