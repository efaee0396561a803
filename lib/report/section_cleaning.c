/* Runs that changed tables: their steps with the cells and rows they changed, a few examples, and what was
 * undone. */
#include "report/sections.h"

#include <stdio.h>
#include <string.h>

#define RUNS_SHOWN 12
#define EXAMPLES   3

static void print_value(dm_value v, dm_buf *out) {
  char text[DM_NUMBER_MAX];
  switch (v.type) {
  case DM_NULL:
    dm_buf_adds(out, "<em>missing</em>");
    return;
  case DM_INTEGER:
    dm_html_wrap(out, "<code>", (dm_str){text, dm_text_of_int(v.integer, text)}, "</code>");
    return;
  case DM_REAL:
    dm_html_wrap(out, "<code>", (dm_str){text, dm_text_of_double(v.real, false, text)}, "</code>");
    return;
  case DM_TEXT:
  case DM_BLOB:
    dm_buf_adds(out, "<code>");
    dm_escape_bytes(out, v.text, 48);
    dm_buf_adds(out, "</code>");
    return;
  }
}

/* "age: old → new", different ones among the first changes of a rule. */
static dm_status examples(const dm_section *s, int64_t run, const char *rule, dm_buf *out, dm_error *err) {
  dm_stmt *q = NULL;
  size_t n = 0;
  dm_status status =
      dm_stmt_prepare(s->store,
                      "SELECT DISTINCT column, old, new FROM (SELECT column, old, new FROM main.dm_change"
                      " WHERE run_id = ?1 AND rule = ?2 AND row_id > 0 AND column <> '' AND new IS NOT old"
                      " AND new IS NOT NULL LIMIT 2000) LIMIT 3",
                      &q, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 1, run, err);
  if (status == DM_OK) status = dm_stmt_bind_text(q, 2, rule, err);
  for (bool row = true; status == DM_OK && n < EXAMPLES; n++) {
    status = dm_stmt_step(q, &row, err);
    if (status != DM_OK || !row) break;
    if (n) dm_buf_adds(out, "<br>");
    dm_html_wrap(out, "", dm_stmt_value(q, 0).text, ": ");
    print_value(dm_stmt_value(q, 1), out);
    dm_buf_adds(out, " → ");
    print_value(dm_stmt_value(q, 2), out);
  }
  dm_stmt_free(q);
  return status;
}

static dm_status step_row(const dm_section *s, const dm_history_entry *run, const dm_json *step,
                          dm_buf *piece, dm_error *err) {
  const char *rule = dm_json_get_string(step, "rule", "");
  uint64_t cells = (uint64_t)dm_json_get_int(step, "cells_changed", 0);
  dm_buf_adds(piece, "<tr>");
  dm_html_cell(piece, dm_str_of(rule));
  const char *detail = dm_json_get_string(step, "detail", "");
  dm_buf_adds(piece, "<td>");
  dm_escape_bytes(piece, dm_str_of(detail), 300);
  dm_buf_adds(piece, "</td>");
  dm_html_cell_count(piece, cells);
  dm_html_cell_count(piece, (uint64_t)dm_json_get_int(step, "rows_removed", 0));
  dm_html_cell_count(piece, (uint64_t)dm_json_get_int(step, "rows_failed", 0));
  dm_buf_adds(piece, "<td>");
  dm_status status =
      cells && strcmp(run->command, "apply") == 0 ? examples(s, run->run_id, rule, piece, err) : DM_OK;
  dm_buf_adds(piece, "</td></tr>\n");
  return status;
}

static void run_heading(const dm_section *s, const dm_history_entry *run, const dm_json *arguments) {
  char title[400], when[32], before[DM_LABEL_MAX], after[DM_LABEL_MAX];
  (void)snprintf(title, sizeof title, "Run %lld: %s on %.200s%s", (long long)run->run_id, run->command,
                 run->table ? run->table : "–", run->undone ? " (undone)" : "");
  title[dm_utf8_valid(title, strlen(title))] = 0;
  dm_html_heading(s->page, 3, dm_str_of(title));
  dm_html_time(run->started, when);
  dm_number_count((uint64_t)dm_json_get_int(arguments, "rows_before", 0), before);
  dm_number_count((uint64_t)dm_json_get_int(arguments, "rows_after", 0), after);
  const char *recipe = dm_json_get_string(arguments, "recipe", NULL);
  dm_html_note(s->page, "%s UTC%s%.300s; %s rows before, %s after.", when, recipe ? ", recipe " : "",
               recipe ? recipe : "", before, after);
}

/* @param shown false when the page had no room. */
static dm_status show_run(const dm_section *s, const dm_history_entry *run, bool *shown, dm_error *err) {
  static const char *const headings[] = {
      "Step", "What", "#Cells changed", "#Rows removed", "#Rows failed", "Examples", NULL};
  const dm_json *arguments = NULL;
  *shown = s->page->body.n + 1500 <= s->page->limit;
  if (!*shown) return DM_OK;
  dm_status status = dm_json_parse(s->memory, run->arguments, strlen(run->arguments), &arguments, err);
  if (status != DM_OK) return status == DM_EBUDGET ? status : DM_OK;
  const dm_json *steps = dm_json_get(arguments, "steps");
  if (!steps || steps->type != DM_JSON_ARRAY) return DM_OK;
  run_heading(s, run, arguments);
  if (steps->n == 0) {
    int64_t undone = dm_json_get_int(arguments, "run", 0);
    if (undone) dm_html_note(s->page, "Put back what run %lld had changed.", (long long)undone);
    return DM_OK;
  }
  size_t rows = 0;
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, err);
  dm_html_table(&s->page->body, headings);
  for (const dm_json *step = steps->first; step && status == DM_OK; step = step->next) {
    status = step_row(s, run, step, &piece, err);
    if (status != DM_OK || !dm_html_admit(s->page, &piece)) break;
    rows++;
  }
  dm_html_table_end(&s->page->body);
  if (status == DM_OK && rows < steps->n) dm_html_note(s->page, "%zu of %zu steps shown.", rows, steps->n);
  dm_buf_clear(&piece);
  return status;
}

/* Runs of recipes and undos keep what they did in their arguments. */
static bool has_steps(const dm_history_entry *run) {
  return run->arguments && run->command && strstr(run->arguments, "\"steps\":[") &&
         (strcmp(run->command, "apply") == 0 || strcmp(run->command, "undo") == 0);
}

dm_status dm_section_cleaning(const dm_section *s, dm_error *err) {
  dm_history_entry *runs = NULL;
  size_t n = 0, of = 0, shown = 0;
  dm_status status = dm_history(s->store, s->memory, &runs, &n, err);
  if (status != DM_OK) return status;
  dm_html_heading(s->page, 2, dm_str_of("What was cleaned"));
  for (size_t i = 0; i < n; i++) of += has_steps(&runs[i]) ? 1 : 0;
  if (of == 0) {
    dm_html_note(s->page, "No recipe was applied.");
    return DM_OK;
  }
  dm_html_note(s->page, "Every changed cell is in table dm_change; dm-clean undo puts a run back, dm-clean "
                        "why shows the history of a cell.");
  for (size_t i = 0; i < n && status == DM_OK; i++) {
    bool room = shown < RUNS_SHOWN;
    if (!has_steps(&runs[i]) || !room) continue;
    status = show_run(s, &runs[i], &room, err);
    shown += room ? 1 : 0;
  }
  if (status == DM_OK && shown < of)
    dm_html_note(s->page, "%zu of %zu runs shown; dm-clean history lists all.", shown, of);
  return status;
}
