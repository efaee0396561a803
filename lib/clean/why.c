/*
 * The history of a cell: every entry of dm_change, newest first, down to the
 * value that came in, and the bytes of the source file it came from.
 */
#include "clean/run.h"
#include "clean/sql_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct asked {
  dm_store *store;
  dm_arena *arena;    /* of the caller */
  dm_table table;
  int64_t row;
  const char *imported; /* when; NULL: the table was not imported */
  bool recorded;        /* the database has the dm_ tables */
  bool there;           /* the row is in the table now */
} asked;

static dm_status keep(dm_arena *arena, dm_value v, dm_value *out, dm_error *err) {
  *out = v;
  if (v.type != DM_TEXT && v.type != DM_BLOB) return DM_OK;
  out->text.p = dm_arena_strdup(arena, v.text.p, v.text.n, err);
  return out->text.p ? DM_OK : DM_EBUDGET;
}

/* Entries of a cell, and those that added its column, newest first; an added column's cells are not logged one by one. */
static const char chain_sql[] =
    "SELECT c.run_id, c.rule, r.started, c.old, c.new, c.confidence, r.status = 'undone', c.row_id = 0"
    " FROM main.dm_change AS c JOIN main.dm_run AS r ON r.id = c.run_id"
    " WHERE c.table_name = ?1 AND c.column = ?2 AND (c.row_id = ?3 OR (c.row_id = 0 AND c.old IS NULL)) ORDER BY c.id DESC";

static dm_status read_link(const asked *a, const dm_stmt *q, dm_why_step *link, bool *added, dm_error *err) {
  dm_value rule = dm_stmt_value(q, 1), started = dm_stmt_value(q, 2), confidence = dm_stmt_value(q, 5);
  char *rule_copy = dm_arena_strdup(a->arena, rule.text.p, rule.text.n, err);
  char *started_copy = rule_copy ? dm_arena_strdup(a->arena, started.text.p, started.text.n, err) : NULL;
  if (!started_copy) return DM_EBUDGET;
  *link = (dm_why_step){.run_id = dm_stmt_int(q, 0), .rule = rule_copy, .started = started_copy, .undone = dm_stmt_int(q, 6) != 0};
  link->confidence = confidence.type == DM_REAL ? confidence.real : (double)NAN;
  *added = dm_stmt_int(q, 7) != 0;
  if (*added) return DM_OK;
  dm_status s = keep(a->arena, dm_stmt_value(q, 3), &link->old_value, err);
  return s == DM_OK ? keep(a->arena, dm_stmt_value(q, 4), &link->new_value, err) : s;
}

static dm_status count_chain(const asked *a, const char *column, int64_t *n, dm_error *err) {
  char *sql = dm_arena_printf(a->arena, err, "SELECT count(*) FROM (%s)", chain_sql);
  dm_value v[3] = {dm_clean_text(a->table.name), dm_clean_text(column), dm_clean_int(a->row)};
  if (!sql) return DM_EBUDGET;
  return a->recorded ? dm_clean_query_int(a->store, sql, v, 3, 0, n, err) : DM_OK;
}

static dm_status read_chain(const asked *a, dm_why_cell *cell, dm_error *err) {
  int64_t n = 0;
  dm_stmt *q = NULL;
  dm_status s = count_chain(a, cell->column, &n, err);
  if (s != DM_OK) return s;
  cell->steps = dm_arena_alloc(a->arena, (size_t)n + 1, sizeof *cell->steps, err);
  if (!cell->steps) return DM_EBUDGET;
  dm_value before = cell->now; /* what the next older link left behind */
  bool row = true, added = false;
  if (n) s = dm_stmt_prepare(a->store, chain_sql, &q, err);
  if (n && s == DM_OK) s = dm_stmt_bind_text(q, 1, a->table.name, err);
  if (n && s == DM_OK) s = dm_stmt_bind_text(q, 2, cell->column, err);
  if (n && s == DM_OK) s = dm_stmt_bind_int(q, 3, a->row, err);
  while (s == DM_OK && cell->n < (size_t)n) {
    s = dm_stmt_step(q, &row, err);
    if (s != DM_OK || !row) break;
    dm_why_step *link = &cell->steps[cell->n++];
    s = read_link(a, q, link, &added, err);
    if (added && !link->undone) link->new_value = before;
    if (!link->undone) before = link->old_value; /* what was undone left nothing behind */
  }
  dm_stmt_free(q);
  if (s != DM_OK || (added && cell->n)) return s;
  cell->steps[cell->n++] = (dm_why_step){.rule = a->imported ? "import" : "as found", .started = a->imported, .new_value = before,
                                         .confidence = (double)NAN};
  return DM_OK;
}

/* ---- the row ---- */

static dm_status read_row(asked *a, dm_why_cell *cells, const size_t *columns, size_t n, dm_error *err) {
  dm_buf sql;
  dm_stmt *q = NULL;
  dm_status s = DM_OK;
  dm_buf_init(&sql, dm_store_ctx(a->store), err);
  dm_buf_adds(&sql, "SELECT dm_id");
  char *table = dm_clean_quote(a->arena, a->table.name, err);
  if (!table) s = DM_EBUDGET;
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    char *name = dm_clean_quote(a->arena, a->table.columns[columns[i]].name, err);
    if (name) dm_buf_printf(&sql, ", %s", name);
    else s = DM_EBUDGET;
  }
  if (s == DM_OK) dm_buf_printf(&sql, " FROM main.%s WHERE dm_id = ?1", table);
  if (s == DM_OK) s = dm_buf_status(&sql);
  if (s == DM_OK) s = dm_stmt_prepare(a->store, sql.p, &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, a->row, err);
  if (s == DM_OK) s = dm_stmt_step(q, &a->there, err);
  for (size_t i = 0; i < n && s == DM_OK && a->there; i++) s = keep(a->arena, dm_stmt_value(q, (int)i + 1), &cells[i].now, err);
  dm_stmt_free(q);
  dm_buf_clear(&sql);
  return s;
}

/* A row that is not there must have been removed by a run, or it never was. */
static dm_status check_removed(const asked *a, dm_error *err) {
  int64_t run = 0;
  dm_value v[2] = {dm_clean_text(a->table.name), dm_clean_int(a->row)};
  dm_status s = DM_OK;
  if (a->there) return DM_OK;
  if (a->recorded)
    s = dm_clean_query_int(a->store, "SELECT run_id FROM main.dm_change WHERE table_name = ?1 AND row_id = ?2 AND column = '' LIMIT 1", v, 2, 0,
                           &run, err);
  if (s != DM_OK || run) return s;
  return dm_fail(err, DM_EUSAGE, "table '%s' has no row %lld", a->table.name, (long long)a->row);
}

static dm_status read_origin(const asked *a, const size_t *columns, dm_why *out, dm_error *err) {
  dm_str *raw = NULL;
  size_t n = 0;
  if (!a->imported) {
    (void)snprintf(out->origin.problem, sizeof out->origin.problem, "table '%s' was not imported", a->table.name);
    return DM_OK;
  }
  dm_error why = {0};
  dm_status s = dm_store_origin(a->store, a->table.name, a->row, a->arena, &out->origin, &why);
  if (s == DM_EUSAGE) { /* a row that somebody inserted: its cells have a history all the same */
    (void)snprintf(out->origin.problem, sizeof out->origin.problem, "%.*s", (int)sizeof out->origin.problem - 1, why.message);
    return DM_OK;
  }
  if (s != DM_OK && err) *err = why;
  if (s != DM_OK || !out->origin.verified) return s;
  s = dm_store_origin_cells(a->store, a->table.name, a->row, a->arena, &raw, &n, err);
  for (size_t i = 0; i < out->n_cells && s == DM_OK; i++)
    if (columns[i] < n) out->cells[i].raw = raw[columns[i]];
  return s;
}

static dm_status find_columns(const asked *a, const char *column, size_t **out, size_t *n, dm_error *err) {
  *n = column ? 1 : a->table.n_columns;
  *out = dm_arena_alloc(a->arena, *n, sizeof **out, err);
  if (!*out) return DM_EBUDGET;
  for (size_t i = 0; i < *n; i++) (*out)[i] = i;
  if (!column) return DM_OK;
  (*out)[0] = dm_table_find(&a->table, column);
  if ((*out)[0] != SIZE_MAX) return DM_OK;
  (void)dm_fail(err, DM_EUSAGE, "table '%s' has no column '%s'", a->table.name, column);
  const char **names = dm_arena_alloc(a->arena, a->table.n_columns, sizeof *names, NULL);
  if (!names) return DM_EUSAGE;
  for (size_t i = 0; i < a->table.n_columns; i++) names[i] = a->table.columns[i].name;
  const char *near = dm_text_nearest(column, names, a->table.n_columns);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

static dm_status ask(asked *a, const char *table, const char *column, dm_why *out, dm_error *err) {
  size_t *columns;
  dm_status s = dm_store_table(a->store, table, a->arena, &a->table, err);
  if (s != DM_OK) return s;
  if (!a->table.has_dm_id) return dm_fail(err, DM_EUSAGE, "table '%s' has no dm_id, so its rows have no history", a->table.name);
  dm_value name = dm_clean_text(a->table.name);
  s = dm_store_has_schema(a->store, &a->recorded, err);
  if (a->recorded)
    s = dm_clean_query_text(a->store, a->arena, "SELECT min(imported_at) FROM main.dm_source WHERE table_name = ?1 COLLATE NOCASE", &name, 1,
                            &a->imported, err);
  if (s == DM_OK) s = find_columns(a, column, &columns, &out->n_cells, err);
  if (s != DM_OK) return s;
  out->cells = dm_arena_alloc(a->arena, out->n_cells, sizeof *out->cells, err);
  if (!out->cells) return DM_EBUDGET;
  s = read_row(a, out->cells, columns, out->n_cells, err);
  if (s == DM_OK) s = check_removed(a, err);
  for (size_t i = 0; i < out->n_cells && s == DM_OK; i++) {
    out->cells[i].column = a->table.columns[columns[i]].name;
    s = read_chain(a, &out->cells[i], err);
  }
  return s == DM_OK ? read_origin(a, columns, out, err) : s;
}

dm_status dm_why_row(dm_store *store, const char *table, int64_t row, const char *column, dm_arena *arena, dm_why *out, dm_error *err) {
  asked a = {.store = store, .arena = arena, .row = row};
  dm_why result = {0};
  dm_status s = dm_store_snapshot(store, err);
  if (s != DM_OK) return s;
  s = ask(&a, table, column, &result, err);
  result.table = a.table.name;
  result.row = row;
  dm_store_snapshot_end(store);
  if (s == DM_OK) *out = result;
  return s;
}

/* ---- JSON ---- */

static void write_text(dm_json_out *j, dm_str text) {
  if (text.p)
    dm_json_string_n(j, text.p, text.n);
  else
    dm_json_null(j);
}

static void write_value(dm_json_out *j, const char *key, const dm_value *v) {
  dm_json_key(j, key);
  switch (v->type) {
  case DM_INTEGER: dm_json_int(j, v->integer); return;
  case DM_REAL: dm_json_double(j, v->real); return;
  case DM_TEXT:
  case DM_BLOB: write_text(j, v->text); return;
  case DM_NULL: break;
  }
  dm_json_null(j);
}

static void write_link(dm_json_out *j, const dm_why_step *link) {
  dm_json_object(j);
  dm_json_put_int(j, "run", link->run_id);
  dm_json_put_string(j, "rule", link->rule);
  dm_json_put_string(j, "started", link->started);
  write_value(j, "old", &link->old_value);
  write_value(j, "new", &link->new_value);
  dm_json_put_double(j, "confidence", link->confidence);
  dm_json_put_bool(j, "undone", link->undone);
  dm_json_end_object(j);
}

void dm_origin_json(const dm_origin *o, const char *table, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "table", table);
  dm_json_put_string(j, "file", o->uri[0] ? o->uri : NULL);
  dm_json_put_int(j, "record", (int64_t)o->record);
  dm_json_put_int(j, "line", (int64_t)o->line);
  dm_json_put_int(j, "byte_offset", (int64_t)o->byte_offset);
  dm_json_put_int(j, "bytes", (int64_t)o->raw.n);
  dm_json_key(j, "raw");
  write_text(j, o->text);
  dm_json_put_bool(j, "verified", o->verified);
  dm_json_put_string(j, "problem", o->problem[0] ? o->problem : NULL);
  dm_json_end_object(j);
}

void dm_why_json(const dm_why *why, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_int(j, "row", why->row);
  dm_json_key(j, "origin");
  dm_origin_json(&why->origin, why->table, j);
  dm_json_key(j, "cells");
  dm_json_array(j);
  for (size_t i = 0; i < why->n_cells; i++) {
    const dm_why_cell *c = &why->cells[i];
    dm_json_object(j);
    dm_json_put_string(j, "column", c->column);
    write_value(j, "now", &c->now);
    dm_json_key(j, "raw");
    write_text(j, c->raw);
    dm_json_key(j, "chain");
    dm_json_array(j);
    for (size_t k = 0; k < c->n; k++) write_link(j, &c->steps[k]);
    dm_json_end_array(j);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
  dm_json_end_object(j);
}
