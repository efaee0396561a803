/*
 * fill: missing cells get the mean, median, mode or a constant. A whole-number
 * column that gets a fraction becomes REAL: rounding would give another value
 * than the one asked for, and its other cells print as before.
 */
#include "clean/run.h"
#include "clean/sql_text.h"
#include "clean/summary.h"

#include <math.h>
#include <string.h>

typedef enum method { MEAN, MEDIAN, MODE, CONSTANT } method;

typedef struct fill {
  method method;
  const dm_yaml *node; /* of the constant, else of the method's name */
} fill;

static const char *const method_names[] = {"mean", "median", "mode", NULL};

static dm_status parse_fill(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  static const char *const constant_key[] = {"constant"};
  fill *f = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *f, err);
  if (!f) return DM_EBUDGET;
  dm_status s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "with", &f->node, err);
  if (s != DM_OK) return s;
  if (f->node->type == DM_YAML_SCALAR) {
    unsigned choice = 0;
    s = dm_clean_arg_choice(in, args, "with", method_names, 0, &choice, err);
    if (s == DM_OK) f->method = (method)choice;
    else if (s == DM_EINPUT && err && !err->hint[0]) dm_error_hint(err, "a fixed value is written  with: {constant: 0}");
    return s;
  }
  if (f->node->type != DM_YAML_MAP) return dm_yaml_fail(f->node, in->file, err, "'with' is mean, median, mode or {constant: VALUE}");
  s = dm_yaml_check_keys(f->node, in->file, constant_key, 1, err);
  if (s != DM_OK) return s;
  f->method = CONSTANT;
  const dm_yaml *constant = dm_yaml_get(f->node, "constant");
  if (!constant || constant->type != DM_YAML_SCALAR || (!constant->quoted && dm_yaml_is_null(constant)))
    return dm_yaml_fail(constant ? constant : f->node, in->file, err, "'constant' wants a value that is not missing");
  f->node = constant;
  return DM_OK;
}

/* ---- the value ---- */

/* What a column's present values say. */
typedef struct figures {
  uint64_t n;
  bool numbers; /* all of them */
  dm_clean_moments moments;
  dm_clean_quantile median;
  dm_value mode; /* text in the arena */
  uint64_t mode_count;
  double largest; /* magnitude */
} figures;

static dm_status read_groups(dm_stmt *groups, dm_arena *memory, figures *f, dm_error *err) {
  uint64_t before = 0;
  for (bool row = true;;) {
    dm_status s = dm_stmt_step(groups, &row, err);
    if (s != DM_OK || !row) return s;
    dm_value v = dm_stmt_value(groups, 0);
    uint64_t count = (uint64_t)dm_stmt_int(groups, 1);
    if (v.type == DM_INTEGER || v.type == DM_REAL) {
      double x = v.type == DM_INTEGER ? (double)v.integer : v.real;
      dm_clean_moments_add(&f->moments, x, count);
      dm_clean_quantile_add(&f->median, x, before, count);
      f->largest = fmax(f->largest, fabs(x));
    } else {
      f->numbers = false;
    }
    before += count;
    if (count <= f->mode_count) continue;
    f->mode_count = count;
    f->mode = v;
    if (v.type < DM_TEXT) continue;
    f->mode.text.p = dm_arena_strdup(memory, v.text.p, v.text.n, err);
    if (!f->mode.text.p) return DM_EBUDGET;
  }
}

static dm_status read_figures(dm_clean_run *run, const char *name, figures *f, dm_error *err) {
  *f = (figures){.numbers = true};
  int64_t n = 0;
  dm_stmt *groups = NULL;
  char *sql = dm_arena_printf(run->memory, err, "SELECT count(%s) FROM %s", name, run->sql_table);
  if (!sql) return DM_EBUDGET;
  dm_status s = dm_clean_query_int(run->store, sql, NULL, 0, 0, &n, err);
  f->n = (uint64_t)n;
  dm_clean_quantile_init(&f->median, 0.5, f->n);
  sql = dm_arena_printf(run->memory, err,
                        "SELECT %s, count(*) FROM %s WHERE %s IS NOT NULL GROUP BY %s COLLATE BINARY ORDER BY %s COLLATE BINARY", name,
                        run->sql_table, name, name, name);
  if (s == DM_OK && !sql) s = DM_EBUDGET;
  if (s == DM_OK) s = dm_stmt_prepare(run->store, sql, &groups, err);
  if (s == DM_OK) s = read_groups(groups, run->memory, f, err);
  dm_stmt_free(groups);
  return s;
}

static dm_status statistic(dm_clean_run *run, const fill *f, const dm_table_column *column, const figures *g, dm_value *out, dm_error *err) {
  if (g->n == 0)
    return dm_yaml_fail(f->node, run->file, err, "column '%s' has no value to take the %s of", column->name, method_names[f->method]);
  if (f->method == MODE) {
    *out = g->mode;
    return DM_OK;
  }
  if (!g->numbers || column->type == DM_TEXT) {
    dm_status s = dm_yaml_fail(f->node, run->file, err, "column '%s' is %s and has no %s", column->name, dm_type_name(column->type),
                               method_names[f->method]);
    dm_error_hint(err, "make it numbers first with parse_number or cast, or fill with the mode");
    return s;
  }
  *out = (dm_value){.type = DM_REAL,
                    .real = f->method == MEAN ? dm_clean_moments_mean(&g->moments) : dm_clean_quantile_value(&g->median)};
  return DM_OK;
}

static dm_status constant(dm_clean_run *run, const fill *f, const dm_table_column *column, dm_value *out, dm_error *err) {
  const dm_yaml *node = f->node;
  *out = (dm_value){.type = DM_TEXT, .text = {node->scalar, node->length}};
  if (column->type != DM_INTEGER && column->type != DM_REAL) return DM_OK;
  if (dm_text_to_int(node->scalar, node->length, &out->integer)) out->type = DM_INTEGER;
  else if (dm_text_to_double(node->scalar, node->length, &out->real)) out->type = DM_REAL;
  else {
    dm_status s = dm_yaml_fail(node, run->file, err, "column '%s' is %s, '%s' is not a number", column->name, dm_type_name(column->type),
                               node->scalar);
    dm_error_hint(err, "cast the column to text first when it is to hold words");
    return s;
  }
  return DM_OK;
}

/* Brings the value to the column's type; *widen when the column must become REAL. */
static dm_status fit(dm_clean_run *run, const fill *f, const dm_table_column *column, const figures *g, dm_value *v, bool *widen,
                     dm_error *err) {
  *widen = false;
  if (column->type == DM_REAL && v->type == DM_INTEGER) *v = (dm_value){.type = DM_REAL, .real = (double)v->integer};
  if (column->type != DM_INTEGER || v->type != DM_REAL) return DM_OK;
  if (v->real == floor(v->real) && fabs(v->real) <= 0x1p53) {
    *v = (dm_value){.type = DM_INTEGER, .integer = (int64_t)v->real};
    return DM_OK;
  }
  if (g->largest <= 0x1p53) {
    *widen = true;
    return DM_OK;
  }
  dm_status s = dm_yaml_fail(f->node, run->file, err, "column '%s' cannot take a fraction: its whole numbers have more digits than a REAL keeps",
                             column->name);
  dm_error_hint(err, "fill with {constant: WHOLE NUMBER} or mode");
  return s;
}

/* ---- the cells ---- */

static dm_status fit_column(dm_clean_run *run, const dm_table_column *column, const dm_value *v, bool widen, dm_error *err) {
  static const dm_clean_source unchanged = {NULL};
  const char *old;
  dm_format format = column->format;
  if (widen) format = (dm_format){.kind = DM_FORMAT_SHORTEST_0, .quoted = format.quoted};
  else if (v->type == DM_REAL) format = dm_clean_fit_format(format, v->real);
  if (!widen && format.kind == column->format.kind) return DM_OK;
  dm_status s = dm_clean_definition(run->store, run->table.name, column->name, run->memory, &old, err);
  if (s == DM_OK && widen) s = dm_clean_retype(run->store, run->table.name, column->name, " REAL", &unchanged, err);
  if (s == DM_OK) s = dm_clean_set_meta(run, column->name, widen ? DM_REAL : column->type, format, err);
  return s == DM_OK ? dm_clean_log_definition(run, column->name, old, NULL, 0, err) : s;
}

static dm_status write_cells(dm_clean_run *run, const dm_table_column *column, const char *name, dm_value v, dm_error *err) {
  char *log = dm_arena_printf(run->memory, err,
                              "INSERT INTO main.dm_change(run_id, table_name, row_id, column, old, new, rule)"
                              " SELECT ?2, ?3, dm_id, ?4, NULL, ?1, ?5 FROM %s WHERE %s IS NULL ORDER BY dm_id",
                              run->sql_table, name);
  char *update = dm_arena_printf(run->memory, err, "UPDATE %s SET %s = ?1 WHERE %s IS NULL", run->sql_table, name, name);
  if (!log || !update) return DM_EBUDGET;
  dm_value values[5] = {v, dm_clean_int(run->run_id), dm_clean_text(run->table.name), dm_clean_text(column->name),
                        dm_clean_text(run->step->rule)};
  dm_status s = dm_clean_exec(run->store, log, values, 5, err);
  return s == DM_OK ? dm_clean_exec(run->store, update, values, 1, err) : s;
}

static dm_status fill_column(dm_clean_run *run, const fill *f, size_t at, dm_error *err) {
  dm_table_column column = run->table.columns[at];
  figures g;
  dm_value v;
  bool widen;
  char *name = dm_clean_quote(run->memory, column.name, err), shown[160];
  if (!name) return DM_EBUDGET;
  dm_status s = read_figures(run, name, &g, err);
  if (s != DM_OK || run->rows == 0) return s;
  s = f->method == CONSTANT ? constant(run, f, &column, &v, err) : statistic(run, f, &column, &g, &v, err);
  if (s != DM_OK || g.n == run->rows) return s; /* nothing is missing */
  s = fit(run, f, &column, &g, &v, &widen, err);
  if (s == DM_OK) s = fit_column(run, &column, &v, widen, err);
  if (s == DM_OK) s = write_cells(run, &column, name, v, err);
  if (s != DM_OK) return s;
  run->result->cells_changed += run->rows - g.n;
  dm_clean_print(v, shown, sizeof shown);
  dm_buf_printf(run->detail, "; '%s' %s%s%s%s", column.name, f->method == CONSTANT ? "" : method_names[f->method],
                f->method == CONSTANT ? "" : " ", shown, widen ? " (the column becomes REAL)" : "");
  return dm_clean_run_reload(run, err);
}

static dm_status run_fill(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  size_t *columns, n;
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  const fill *f = step->arguments;
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    dm_type type = run->table.columns[columns[i]].type;
    bool numbers = type == DM_INTEGER || type == DM_REAL;
    if (step->columns.all && !numbers && (f->method == MEAN || f->method == MEDIAN)) continue;
    s = fill_column(run, f, columns[i], err);
  }
  return s;
}

static const char *const fill_keys[] = {"columns", "with", NULL};
const dm_clean_kind dm_clean_fill = {"fill", "{columns: A | [A, B] | '*', with: mean|median|mode|{constant: VALUE}}",
                                     "fills missing cells; '*' with mean or median means all number columns; an INTEGER column that gets a fraction becomes REAL", fill_keys, parse_fill,
                                     run_fill, NULL};
