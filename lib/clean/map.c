/*
 * Changing the cells of a column by a function of their value.
 *
 * The table is read in the order of dm_id; every new value goes to dm_change
 * first and comes from there into the table in one UPDATE, so that no table is
 * written while it is read. When the column's type changes, a first pass looks
 * whether all cells can be read.
 */
#include "clean/run.h"
#include "clean/sql_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_EVERY = 4096 };

/* One pass over a column. */
typedef struct pass {
  dm_clean_run *run;
  const dm_table_column *column;
  const dm_clean_mapping *mapping;
  dm_stmt *cells;
  dm_type store_as;   /* type of the column's values while this pass writes; DM_NULL leaves them */
  bool write, log_all;
  uint64_t n, bad, changed;
  bool fraction, number; /* results seen: some REAL; only numbers */
  dm_format format;
  char text[512];
} pass;

void dm_clean_cell_text(const dm_table_column *column, const dm_value *v, char number[512], dm_str *out) {
  switch (v->type) {
  case DM_TEXT:
  case DM_BLOB: *out = v->text; return;
  case DM_INTEGER: *out = (dm_str){number, dm_text_of_int(v->integer, number)}; return;
  case DM_REAL:
    *out = column->format.kind == DM_FORMAT_NONE || column->format.kind == DM_FORMAT_INTEGER
               ? (dm_str){number, dm_text_of_double(v->real, false, number)}
               : (dm_str){number, dm_format_print(column->format, *v, number, 512)};
    return;
  case DM_NULL: break;
  }
  *out = (dm_str){"", 0};
}

/* The value as a column of type store_as holds it. */
static void coerce(pass *p, dm_value *v) {
  if (p->store_as == DM_REAL && v->type == DM_INTEGER) {
    *v = (dm_value){.type = DM_REAL, .real = (double)v->integer};
  } else if (p->store_as == DM_INTEGER && v->type == DM_REAL && fabs(v->real) <= 0x1p53 && v->real == floor(v->real)) {
    *v = (dm_value){.type = DM_INTEGER, .integer = (int64_t)v->real};
  } else if (p->store_as == DM_TEXT && (v->type == DM_INTEGER || v->type == DM_REAL)) {
    dm_str text;
    dm_table_column plain = {.format = p->column->type == DM_TEXT ? (dm_format){DM_FORMAT_NONE} : p->column->format};
    dm_clean_cell_text(&plain, v, p->text, &text);
    *v = (dm_value){.type = DM_TEXT, .text = text};
  }
}

static dm_status refuse(pass *p, int64_t row, const dm_value *old, dm_error *err) {
  char shown[160];
  dm_clean_print(*old, shown, sizeof shown);
  dm_status s = dm_yaml_fail(p->run->step->place, p->run->file, err, "row %lld, column '%s': %s is not %s", (long long)row,
                             p->column->name, shown, p->mapping->what);
  dm_error_hint(err, "on_error: keep leaves such cells as they are, on_error: missing empties them");
  return s;
}

static void note(pass *p, const dm_value *v) {
  p->fraction |= v->type == DM_REAL;
  p->number &= v->type == DM_INTEGER || v->type == DM_REAL;
  if (v->type == DM_REAL && p->column->type == DM_REAL) p->format = dm_clean_fit_format(p->format, v->real);
}

static dm_status one_cell(pass *p, int64_t row, const dm_value *old, dm_error *err) {
  dm_value v = {DM_NULL};
  dm_clean_outcome outcome = DM_CLEAN_SAME;
  dm_status s = p->mapping->map(p->mapping->user, old, &v, &outcome, err);
  if (s != DM_OK) {
    dm_error_prefix(err, "row %lld, column '%s'", (long long)row, p->column->name);
    return s;
  }
  if (outcome == DM_CLEAN_BAD) {
    p->bad++;
    if (p->mapping->on_error == DM_CLEAN_FAIL) return refuse(p, row, old, err);
    v = p->mapping->on_error == DM_CLEAN_MISSING ? (dm_value){DM_NULL} : *old;
  } else {
    if (outcome == DM_CLEAN_SAME) v = *old;
    if (v.type != DM_NULL) note(p, &v);
  }
  if (!p->write) return DM_OK;
  coerce(p, &v);
  if (dm_clean_same(*old, v) && !p->log_all) return DM_OK;
  p->changed++;
  return dm_change_log_add(p->run->log, row, p->column->name, *old, v, p->run->step->rule, 1.0, err);
}

static dm_status run_pass(pass *p, dm_error *err) {
  dm_status s = dm_stmt_reset(p->cells, err);
  p->n = p->bad = p->changed = 0;
  p->fraction = false;
  p->number = true;
  p->format = p->column->format;
  for (bool row = true; s == DM_OK;) {
    s = dm_stmt_step(p->cells, &row, err);
    if (s != DM_OK || !row) break;
    if (++p->n % CHECK_EVERY == 0) {
      s = dm_ctx_check(p->run->ctx, err);
      dm_progress(p->run->ctx, p->run->step->rule, (double)p->n, (double)p->run->rows, "rows");
      if (s != DM_OK) break;
    }
    dm_value old = dm_stmt_value(p->cells, 1);
    s = one_cell(p, dm_stmt_int(p->cells, 0), &old, err);
  }
  (void)dm_stmt_reset(p->cells, NULL);
  return s;
}

/* The highest id of dm_change so far. */
static dm_status last_change(dm_store *store, int64_t *id, dm_error *err) {
  return dm_clean_query_int(store, "SELECT max(id) FROM main.dm_change", NULL, 0, 0, id, err);
}

/* Copies dm_change.new of the entries (from, to] into a column. */
static dm_status update_cells(dm_clean_run *run, size_t column, int64_t from, int64_t to, dm_error *err) {
  if (from == to) return DM_OK;
  char *name = dm_clean_quote(run->memory, run->table.columns[column].name, err);
  if (!name) return DM_EBUDGET;
  return dm_store_exec(run->store, err,
                       "UPDATE %s AS dm_t SET %s = dm_c.new FROM main.dm_change AS dm_c"
                       " WHERE dm_c.id > %lld AND dm_c.id <= %lld AND dm_t.dm_id = dm_c.row_id",
                       run->sql_table, name, (long long)from, (long long)to);
}

/* A pass that writes the log, and the cells from it unless a new table will take them. */
static dm_status write_cells(pass *p, size_t column, bool update, dm_error *err) {
  int64_t from = 0, to = 0;
  p->write = true;
  dm_status s = last_change(p->run->store, &from, err);
  if (s == DM_OK) s = run_pass(p, err);
  if (s == DM_OK) s = last_change(p->run->store, &to, err);
  if (s == DM_OK && update) s = update_cells(p->run, column, from, to, err);
  p->run->result->cells_changed += p->changed;
  p->run->result->rows_failed += p->bad;
  return s;
}

static bool same_format(dm_format a, dm_format b) {
  return a.kind == b.kind && a.decimals == b.decimals && a.bare == b.bare && a.quoted == b.quoted;
}

static dm_status map_in_place(pass *p, size_t column, dm_error *err) {
  p->store_as = p->column->type;
  dm_status s = write_cells(p, column, true, err);
  if (s != DM_OK || same_format(p->format, p->column->format)) return s;
  const char *old;
  s = dm_clean_definition(p->run->store, p->run->table.name, p->column->name, p->run->memory, &old, err);
  if (s == DM_OK) s = dm_clean_set_meta(p->run, p->column->name, p->column->type, p->format, err);
  if (s == DM_OK) s = dm_clean_log_definition(p->run, p->column->name, old, NULL, 0, err);
  return s == DM_OK ? dm_clean_run_reload(p->run, err) : s;
}

/* The one number format that prints all results: of the texts they come from, or shortest. */
static dm_format format_for(const pass *p, dm_type type) {
  const dm_typing *seen = p->mapping->typing;
  dm_format f = {.quoted = p->column->format.quoted};
  if (type == DM_INTEGER) f.kind = DM_FORMAT_INTEGER;
  if (type != DM_REAL) return f;
  f.kind = DM_FORMAT_SHORTEST_0;
  if (seen && seen->n > 0 && dm_typing_type(seen) == DM_REAL) {
    f = dm_typing_format(seen);
    f.quoted = p->column->format.quoted;
  }
  return f;
}

static dm_status map_to_type(pass *p, size_t column, dm_type type, dm_error *err) {
  static const char *const declared[] = {"", " INTEGER", " REAL", " TEXT", " BLOB"};
  dm_clean_run *run = p->run;
  const char *name = p->column->name, *old;
  dm_status s = dm_clean_definition(run->store, run->table.name, name, run->memory, &old, err);
  if (s != DM_OK) return s;
  bool lossless = type != DM_TEXT && (p->column->type == DM_INTEGER || p->column->type == DM_REAL);
  p->log_all = !lossless;
  /* without loss: only cells that become missing are written, in the old type */
  p->store_as = lossless ? p->column->type : type;
  dm_format format = format_for(p, type);
  s = write_cells(p, column, lossless, err);
  dm_clean_source source = {lossless ? NULL : run->step->rule, run->run_id, false};
  if (s == DM_OK) s = dm_clean_retype(run->store, run->table.name, name, declared[type], &source, err);
  if (s == DM_OK) s = dm_clean_set_meta(run, name, type, format, err);
  if (s == DM_OK) s = dm_clean_log_definition(run, name, old, lossless ? NULL : "logged", 1, err);
  return s == DM_OK ? dm_clean_run_reload(run, err) : s;
}

static dm_status map_cells(pass *p, size_t column, dm_error *err) {
  const dm_clean_mapping *m = p->mapping;
  dm_type had = p->column->type;
  bool in_place = m->type == DM_NULL || m->type == had || (m->narrow && had == DM_INTEGER);
  if (in_place) return map_in_place(p, column, err);
  dm_status s = run_pass(p, err);
  if (s != DM_OK) return s;
  dm_type type = m->narrow && m->type == DM_REAL && p->number && !p->fraction ? DM_INTEGER : m->type;
  bool kept = p->bad > 0 && m->on_error == DM_CLEAN_KEEP && type != DM_TEXT;
  if (!kept) return map_to_type(p, column, type, err);
  dm_buf_printf(p->run->detail, "; '%s' stays %s: %llu %s", p->column->name, dm_type_name(had), (unsigned long long)p->bad,
                p->bad == 1 ? "cell cannot be read" : "cells cannot be read");
  return map_in_place(p, column, err);
}

dm_status dm_clean_map_column(dm_clean_run *run, size_t column, const dm_clean_mapping *mapping, dm_error *err) {
  dm_table_column copy = run->table.columns[column]; /* run->table is read again inside */
  pass p = {.run = run, .column = &copy, .mapping = mapping};
  char *name = dm_clean_quote(run->memory, copy.name, err);
  if (!name) return DM_EBUDGET;
  char *sql = dm_arena_printf(run->memory, err, "SELECT dm_id, %s FROM %s WHERE %s IS NOT NULL ORDER BY dm_id", name, run->sql_table, name);
  if (!sql) return DM_EBUDGET;
  dm_status s = dm_stmt_prepare(run->store, sql, &p.cells, err);
  if (s == DM_OK) s = map_cells(&p, column, err);
  dm_stmt_free(p.cells);
  return s;
}
