/* Running a recipe: one transaction, one run, its steps in order. */
#include "clean/run.h"
#include "clean/sql_text.h"

#include <string.h>

/* ---- the table ---- */

dm_status dm_clean_check_table(dm_store *store, const dm_table *table, dm_arena *arena, dm_error *err) {
  dm_value name = dm_clean_text(table->name);
  const char *trigger;
  int64_t keys = 0, odd, low;
  dm_status s = dm_clean_query_int(store,
                                   "SELECT count(*) FROM pragma_table_info(?1, 'main') WHERE pk = 1 AND name = 'dm_id' COLLATE NOCASE"
                                   " AND type = 'INTEGER' COLLATE NOCASE",
                                   &name, 1, 0, &keys, err);
  if (s != DM_OK) return s;
  if (!keys) {
    (void)dm_fail(err, DM_EUSAGE, "table '%s' has no dm_id INTEGER PRIMARY KEY: changes of its rows could not be undone", table->name);
    dm_error_hint(err, "export it and bring it in with dm-clean import, which gives every row its dm_id");
    return DM_EUSAGE;
  }
  s = dm_clean_query_text(store, arena, "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE",
                          &name, 1, &trigger, err);
  if (s != DM_OK) return s;
  if (trigger) {
    (void)dm_fail(err, DM_EUSAGE, "table '%s' has a trigger, '%s': what it does could not be undone", table->name, trigger);
    dm_error_hint(err, "drop the trigger first and make it again after cleaning");
    return DM_EUSAGE;
  }
  s = dm_clean_query_int(store, "SELECT count(*) FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 0 OR name = ''", &name, 1, 0, &odd, err);
  if (s != DM_OK) return s;
  if (odd) return dm_fail(err, DM_EUSAGE, "table '%s' has generated or nameless columns, which cannot be cleaned", table->name);
  char *quoted = dm_clean_quote(arena, table->name, err);
  char *sql = quoted ? dm_arena_printf(arena, err, "SELECT min(dm_id) FROM main.%s", quoted) : NULL;
  if (!sql) return DM_EBUDGET;
  s = dm_clean_query_int(store, sql, NULL, 0, 1, &low, err);
  if (s != DM_OK || low >= 1) return s;
  return dm_fail(err, DM_EUSAGE, "table '%s' has a row with dm_id %lld, want 1 or more", table->name, (long long)low);
}

dm_status dm_clean_run_reload(dm_clean_run *run, dm_error *err) {
  dm_table table = {0};
  dm_status s = dm_store_table(run->store, run->table.name, run->memory, &table, err);
  if (s == DM_OK) run->table = table;
  return s;
}

static dm_status find_column(dm_clean_run *run, const dm_yaml *node, size_t *out, dm_error *err) {
  size_t at = dm_table_find(&run->table, node->scalar);
  if (at != SIZE_MAX) {
    *out = at;
    return DM_OK;
  }
  dm_status s = dm_yaml_fail(node, run->file, err, "table '%s' has no column '%s'", run->table.name, node->scalar);
  const char **names = dm_arena_alloc(run->memory, run->table.n_columns, sizeof *names, NULL);
  if (!names) return s;
  for (size_t i = 0; i < run->table.n_columns; i++) names[i] = run->table.columns[i].name;
  const char *near = dm_text_nearest(node->scalar, names, run->table.n_columns);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  else if (strcmp(node->scalar, "dm_id") == 0) dm_error_hint(err, "dm_id numbers the rows and is never changed");
  return s;
}

dm_status dm_clean_run_columns(dm_clean_run *run, const dm_clean_columns *columns, size_t **out, size_t *n, dm_error *err) {
  *n = columns->all ? run->table.n_columns : columns->n;
  *out = dm_arena_alloc(run->memory, *n, sizeof **out, err);
  if (!*out) return DM_EBUDGET;
  for (size_t i = 0; i < *n; i++) {
    (*out)[i] = i;
    if (columns->all) continue;
    dm_status s = find_column(run, columns->nodes[i], &(*out)[i], err);
    if (s != DM_OK) return s;
    for (size_t j = 0; j < i; j++)
      if ((*out)[j] == (*out)[i])
        return dm_yaml_fail(columns->nodes[i], run->file, err, "column '%s' is named twice", columns->nodes[i]->scalar);
  }
  return DM_OK;
}

/* ---- steps ---- */

static dm_status count_rows(dm_clean_run *run, uint64_t *out, dm_error *err) {
  int64_t n = 0;
  char *sql = dm_arena_printf(run->memory, err, "SELECT count(*) FROM %s", run->sql_table);
  if (!sql) return DM_EBUDGET;
  dm_status s = dm_clean_query_int(run->store, sql, NULL, 0, 0, &n, err);
  if (s == DM_OK) *out = (uint64_t)n;
  return s;
}

static void describe_columns(dm_clean_run *run, const dm_clean_columns *columns) {
  if (columns->all) dm_buf_adds(run->detail, "all columns");
  for (size_t i = 0; i < columns->n; i++) dm_buf_printf(run->detail, "%s%s", i ? ", " : "", columns->nodes[i]->scalar);
}

static dm_status run_step(dm_clean_run *run, const dm_clean_step *step, dm_step_result *result, dm_arena *arena, dm_error *err) {
  dm_buf detail;
  dm_buf_init(&detail, run->ctx, err);
  run->step = step;
  run->result = result;
  run->detail = &detail;
  result->step = step->kind->name;
  result->rule = dm_arena_strdup(arena, step->rule, strlen(step->rule), err);
  dm_status s = result->rule ? dm_ctx_check(run->ctx, err) : DM_EBUDGET;
  if (s == DM_OK) {
    if (step->columns.n || step->columns.all) describe_columns(run, &step->columns);
    s = step->kind->run(run, step, err);
  }
  if (s == DM_OK) s = dm_buf_status(&detail);
  if (s == DM_OK) {
    result->detail = dm_arena_strdup(arena, detail.p ? detail.p : "", detail.n, err);
    if (!result->detail) s = DM_EBUDGET;
  }
  dm_buf_clear(&detail);
  run->rows -= result->rows_removed;
  if ((s == DM_EINPUT || s == DM_EUSAGE) && err && !err->file[0]) {
    dm_error_prefix(err, "%s", step->kind->name);
    dm_error_at(err, run->file, step->place->line, step->place->column);
  }
  return s;
}

static void write_step(const dm_step_result *r, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "rule", r->rule);
  dm_json_put_string(j, "step", r->step);
  dm_json_put_string(j, "detail", r->detail);
  dm_json_put_int(j, "cells_changed", (int64_t)r->cells_changed);
  dm_json_put_int(j, "rows_removed", (int64_t)r->rows_removed);
  dm_json_put_int(j, "rows_failed", (int64_t)r->rows_failed);
  dm_json_end_object(j);
}

/* "table", "rows_before", "rows_after" and "steps", inside an open object. */
static void put_members(const dm_apply_result *r, dm_json_out *j) {
  dm_json_put_string(j, "table", r->table);
  dm_json_put_int(j, "rows_before", (int64_t)r->rows_before);
  dm_json_put_int(j, "rows_after", (int64_t)r->rows_after);
  dm_json_key(j, "steps");
  dm_json_array(j);
  for (size_t i = 0; i < r->n_steps; i++) write_step(&r->steps[i], j);
  dm_json_end_array(j);
}

void dm_apply_json(const dm_apply_result *r, dm_json_out *json) {
  dm_json_object(json);
  dm_json_key(json, "run");
  if (r->run_id) dm_json_int(json, r->run_id);
  else dm_json_null(json);
  dm_json_put_bool(json, "dry_run", r->run_id == 0);
  put_members(r, json);
  dm_json_end_object(json);
}

dm_status dm_clean_write_arguments(dm_store *store, int64_t run_id, const char *recipe, int64_t undone, const dm_apply_result *result,
                                   dm_error *err) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, dm_store_ctx(store), err);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  if (recipe) {
    dm_json_put_string(&j, "recipe", recipe);
  } else {
    dm_json_put_int(&j, "run", undone);
  }
  put_members(result, &j);
  dm_json_end_object(&j);
  dm_status s = dm_buf_status(&text);
  dm_value v[2] = {{.type = DM_TEXT, .text = {text.p, text.n}}, dm_clean_int(run_id)};
  if (s == DM_OK) s = dm_clean_exec(store, "UPDATE main.dm_run SET arguments = ?1 WHERE id = ?2", v, 2, err);
  dm_buf_clear(&text);
  return s;
}

static dm_status run_steps(dm_clean_run *run, const dm_recipe *recipe, dm_apply_result *result, dm_arena *arena, dm_error *err) {
  dm_status s = dm_run_start(run->store, "apply", "{}", recipe->text, &run->run_id, err);
  if (s == DM_OK) s = dm_change_log_open(run->store, run->run_id, run->table.name, &run->log, err);
  if (s == DM_OK) s = count_rows(run, &run->rows, err);
  if (s != DM_OK) return s;
  result->rows_before = run->rows;
  result->n_steps = recipe->n_steps;
  result->steps = dm_arena_alloc(arena, recipe->n_steps, sizeof *result->steps, err);
  if (!result->steps) return DM_EBUDGET;
  for (size_t i = 0; i < recipe->n_steps && s == DM_OK; i++) s = run_step(run, &recipe->steps[i], &result->steps[i], arena, err);
  result->rows_after = run->rows;
  if (s == DM_OK) s = dm_clean_write_arguments(run->store, run->run_id, run->file, 0, result, err);
  if (s == DM_OK) s = dm_run_end(run->store, run->run_id, "done", err);
  return s;
}

static dm_status open_table(dm_clean_run *run, const dm_recipe *recipe, dm_error *err) {
  dm_status s = dm_store_table(run->store, recipe->table->scalar, run->memory, &run->table, err);
  if (s == DM_OK) s = dm_clean_check_table(run->store, &run->table, run->memory, err);
  if (s != DM_OK) {
    if (s == DM_EUSAGE) dm_error_at(err, recipe->file, recipe->table->line, recipe->table->column);
    return s;
  }
  char *quoted = dm_clean_quote(run->memory, run->table.name, err);
  run->sql_table = quoted ? dm_arena_printf(run->memory, err, "main.%s", quoted) : NULL;
  return run->sql_table ? DM_OK : DM_EBUDGET;
}

dm_status dm_recipe_apply(dm_store *store, const dm_recipe *recipe, bool dry_run, dm_arena *arena, dm_apply_result *out, dm_error *err) {
  dm_clean_run run = {.store = store, .ctx = dm_store_ctx(store), .file = recipe->file};
  dm_apply_result result = {0};
  bool begun = false;
  dm_status s = dm_arena_new(run.ctx, 0, &run.memory, err);
  if (s == DM_OK) s = dm_store_begin(store, err);
  if (s == DM_OK) {
    begun = true;
    s = open_table(&run, recipe, err);
  }
  if (s == DM_OK) {
    result.table = dm_arena_strdup(arena, run.table.name, strlen(run.table.name), err);
    s = result.table ? run_steps(&run, recipe, &result, arena, err) : DM_EBUDGET;
  }
  dm_change_log_close(run.log);
  if (s == DM_OK && !dry_run) s = dm_store_commit(store, err);
  if (begun && (s != DM_OK || dry_run)) dm_store_rollback(store);
  dm_arena_free(run.memory);
  if (s != DM_OK) return s;
  result.run_id = dry_run ? 0 : run.run_id;
  *out = result;
  return DM_OK;
}
