/* parse_date: dates in several forms become ISO 8601. */
#include "clean/date.h"
#include "clean/run.h"

#include <string.h>

typedef struct parse_date {
  const char **formats; /* tried in order */
  size_t n;
  int pivot;
  dm_clean_on_error on_error;
  uint64_t ambiguous;
  const dm_table_column *column;
  char number[512], text[32];
} parse_date;

static dm_status parse_formats(const dm_clean_parser *in, const dm_yaml *node, parse_date *p, dm_error *err) {
  const dm_yaml *first = node->type == DM_YAML_LIST ? node->first : node;
  p->n = node->type == DM_YAML_LIST ? node->n : 1;
  if (p->n == 0 || node->type == DM_YAML_MAP) return dm_yaml_fail(node, in->file, err, "'formats' is a list of formats like '%%d.%%m.%%Y'");
  p->formats = dm_arena_alloc(in->arena, p->n, sizeof *p->formats, err);
  if (!p->formats) return DM_EBUDGET;
  for (size_t i = 0; i < p->n; i++, first = first->next) {
    if (first->type != DM_YAML_SCALAR) return dm_yaml_fail(first, in->file, err, "a format is a text like '%%d.%%m.%%Y'");
    const char *problem = dm_clean_date_format_problem(first->scalar);
    if (problem) return dm_yaml_fail(first, in->file, err, "format '%s': %s", first->scalar, problem);
    p->formats[i] = first->scalar;
  }
  return DM_OK;
}

static dm_status parse_parse_date(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  parse_date *p = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *p, err);
  if (!p) return DM_EBUDGET;
  const dm_yaml *formats, *pivot = dm_yaml_get(args, "pivot");
  int64_t year = 69;
  dm_status s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "formats", &formats, err);
  if (s == DM_OK) s = parse_formats(in, formats, p, err);
  if (s == DM_OK) s = dm_clean_arg_on_error(in, args, &p->on_error, err);
  if (s == DM_OK && pivot &&
      (pivot->type != DM_YAML_SCALAR || !dm_text_to_int(pivot->scalar, pivot->length, &year) || year < 0 || year > 100))
    s = dm_yaml_fail(pivot, in->file, err, "'pivot' is a number from 0 to 100: two-digit years from it on are 19yy");
  p->pivot = (int)year;
  return s;
}

static dm_status date_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  parse_date *p = user;
  dm_clean_date date;
  char other[32];
  dm_str text;
  size_t found = 0;
  (void)err;
  *outcome = DM_CLEAN_BAD;
  if (old->type == DM_BLOB) return DM_OK;
  dm_clean_cell_text(p->column, old, p->number, &text);
  text = dm_utf8_trim(text.p, text.n);
  for (size_t i = 0; i < p->n; i++) {
    if (!dm_clean_date_read(p->formats[i], text.p, text.n, p->pivot, &date)) continue;
    dm_clean_date_print(&date, found ? other : p->text);
    if (found++ && strcmp(other, p->text) != 0) {
      p->ambiguous++;
      break;
    }
  }
  if (found == 0) return DM_OK;
  *out = (dm_value){.type = DM_TEXT, .text = dm_str_of(p->text)};
  *outcome = DM_CLEAN_NEW;
  return DM_OK;
}

static dm_status run_parse_date(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  parse_date p = *(const parse_date *)step->arguments;
  dm_clean_mapping mapping = {.map = date_cell, .user = &p, .on_error = p.on_error, .type = DM_TEXT, .what = "a date in a format given"};
  size_t *columns, n;
  for (size_t i = 0; i < p.n; i++) dm_buf_printf(run->detail, "%s'%s'", i ? ", " : ": ", p.formats[i]);
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    dm_table_column column = run->table.columns[columns[i]];
    bool twice = column.type != DM_TEXT; /* read once for the survey, once to write */
    uint64_t before = p.ambiguous;
    p.column = &column;
    s = dm_clean_map_column(run, columns[i], &mapping, err);
    if (twice) p.ambiguous = before + (p.ambiguous - before) / 2;
  }
  if (run->result->rows_failed)
    dm_buf_printf(run->detail, "; %llu not read%s", (unsigned long long)run->result->rows_failed,
                  p.on_error == DM_CLEAN_MISSING ? " and now missing" : ", kept");
  if (p.ambiguous) dm_buf_printf(run->detail, "; %llu fit several formats, the first was taken", (unsigned long long)p.ambiguous);
  return s;
}

static const char *const date_keys[] = {"columns", "formats", "pivot", "on_error", NULL};
const dm_clean_kind dm_clean_parse_date = {
    "parse_date", "{columns: A | [A, B], formats: ['%d.%m.%Y', ...], pivot: 69, on_error: keep|missing|fail}",
    "reads dates by %d %e %m %b %B %Y %y %j %H %M %S %F %T and writes ISO 8601; the first format that fits counts", date_keys,
    parse_parse_date, run_parse_date, NULL};
