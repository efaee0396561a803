/* A source of a pipeline: one import. */
#include "pipeline/run.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static dm_status reading_options(const dm_run *r, const dm_yaml *node, dm_csv_options *o, dm_error *err) {
  static const char *const autos[] = {"auto", "yes", "no", NULL}, *const types[] = {"auto", "text", NULL},
                           *const extras[] = {"reject", "merge", "drop", NULL};
  dm_status s = DM_OK;
  const char *delimiter = dm_run_text(r, node, "delimiter", &s, err), *quote = dm_run_text(r, node, "quote", &s, err);
  if (delimiter && strcmp(delimiter, "tab") == 0) delimiter = "\t";
  if (s == DM_OK && delimiter && strlen(delimiter) != 1)
    s = dm_yaml_fail(dm_yaml_get(node, "delimiter"), r->file, err, "delimiter wants one character or tab");
  if (s == DM_OK && quote && strlen(quote) != 1) s = dm_yaml_fail(dm_yaml_get(node, "quote"), r->file, err, "quote wants one character");
  if (s != DM_OK) return s;
  o->delimiter = delimiter ? delimiter[0] : 0;
  o->quote = quote ? quote[0] : 0;
  o->encoding = dm_run_text(r, node, "encoding", &s, err);
  o->header = (dm_auto)dm_run_word(r, node, "header", autos, &s, err);
  o->trim = (dm_auto)dm_run_word(r, node, "trim", autos, &s, err);
  o->all_text = dm_run_word(r, node, "types", types, &s, err) == 1;
  o->on_extra = (dm_on_extra)dm_run_word(r, node, "on_extra", extras, &s, err);
  o->columns = dm_run_texts(r, node, "columns", &o->n_columns, &s, err);
  o->nulls = dm_run_texts(r, node, "null", &o->n_nulls, &s, err);
  return s;
}

/* A table made from the same file before may be made anew: nothing is lost. */
static dm_status may_replace(const dm_run *r, const char *path, const char *table, bool *yes, dm_error *err) {
  char absolute[PATH_MAX];
  dm_stmt *stmt = NULL;
  bool recorded = false;
  *yes = false;
  dm_status s = dm_store_has_schema(r->store, &recorded, err);
  if (!recorded || !realpath(path, absolute)) return s;
  s = dm_stmt_prepare(r->store, "SELECT count(*) > 0 AND min(uri = ?1) FROM dm_source WHERE table_name = ?2 COLLATE NOCASE", &stmt, err);
  bool row = false;
  if (s == DM_OK) s = dm_stmt_bind_text(stmt, 1, absolute, err);
  if (s == DM_OK) s = dm_stmt_bind_text(stmt, 2, table, err);
  if (s == DM_OK) s = dm_stmt_step(stmt, &row, err);
  if (s == DM_OK && row) *yes = dm_stmt_int(stmt, 0) != 0;
  dm_stmt_free(stmt);
  return s;
}

dm_status dm_run_source(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  static const char *const known[] = {"file",   "table", "delimiter", "quote", "encoding", "header", "columns",
                                      "types",  "trim",  "null",      "on_extra", "strict", "replace", "append"};
  dm_import_options o = {0};
  dm_import_result result;
  bool skip, same;
  dm_status s = dm_yaml_check_keys(node, r->file, known, sizeof known / sizeof *known, err);
  const char *given = dm_run_text(r, node, "file", &s, err), *path = dm_run_path(r, given, &s, err);
  if (s == DM_OK && !path) s = dm_yaml_fail(node, r->file, err, "a source needs file: PATH");
  if (s == DM_OK) s = reading_options(r, node, &o.csv, err);
  o.table = dm_run_text(r, node, "table", &s, err);
  o.strict = dm_run_flag(r, node, "strict", &s, err);
  o.replace = dm_run_flag(r, node, "replace", &s, err);
  o.append = dm_run_flag(r, node, "append", &s, err);
  if (s == DM_OK && !o.table) s = dm_import_table_name(path, r->arena, &o.table, err);
  if (s != DM_OK || r->checking) return s;
  s = dm_run_part_begin(r, "sources", index, node, path, &skip, err);
  if (s != DM_OK) return s;
  if (skip) {
    dm_run_skipped(r);
    return DM_OK;
  }
  if (!o.append && !o.replace) {
    if ((s = may_replace(r, path, o.table, &same, err)) != DM_OK) return s;
    o.replace = same;
  }
  double from = dm_seconds();
  if ((s = dm_store_import(r->store, path, &o, r->arena, &result, err)) != DM_OK) return s;
  r->result->rows += result.rows;
  r->result->rejects += result.rejects;
  r->result->n_sources++;
  for (size_t i = 0; i < result.n_notes; i++) dm_log(r->ctx, DM_LOG_NOTICE, "%s: %s", given, result.notes[i]);
  dm_import_json(&result, dm_seconds() - from, &r->json);
  return dm_run_part_end(r, err);
}
