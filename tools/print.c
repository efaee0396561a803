#include "print.h"

#include <math.h>
#include <string.h>

/* The text in at most so many columns of a terminal, control characters as dots. @return columns used */
static size_t print_clipped(dm_buf *out, dm_str text, size_t columns) {
  size_t used = 0, at = 0;
  bool whole = dm_utf8_columns(text.p, text.n) <= columns;
  while (at < text.n) {
    uint32_t code;
    size_t step = dm_utf8_next(text.p + at, text.n - at, &code), width = dm_utf8_columns(text.p + at, step);
    if (step == 0 || (!whole && used + width + 1 > columns)) break;
    if (code < 0x20 || code == 0x7F)
      dm_buf_addc(out, '.'), width = 1;
    else
      dm_buf_add(out, text.p + at, step);
    at += step;
    used += width;
  }
  if (!whole) dm_buf_adds(out, "\xE2\x80\xA6"), used++;
  return used;
}

/* The same over several lines, at most 2000 bytes: what a file holds cannot steer the terminal. */
static void print_text(dm_buf *out, dm_str text) {
  for (size_t at = 0; at < text.n;) {
    uint32_t code;
    size_t step = dm_utf8_next(text.p + at, text.n - at, &code);
    if (step == 0 || at + step > 2000) {
      dm_buf_adds(out, "\xE2\x80\xA6");
      return;
    }
    if ((code < 0x20 && code != '\n' && code != '\t') || code == 0x7F || (code >= 0x80 && code < 0xA0))
      dm_buf_addc(out, '.');
    else
      dm_buf_add(out, text.p + at, step);
    at += step;
  }
}

void print_padded(dm_buf *out, const char *prefix, const char *text, size_t columns) {
  dm_buf_adds(out, prefix);
  for (size_t used = print_clipped(out, dm_str_of(text), columns - 1); used < columns; used++) dm_buf_addc(out, ' ');
}

static void print_value(dm_buf *out, dm_value v) {
  char number[DM_NUMBER_MAX];
  switch (v.type) {
  case DM_NULL: dm_buf_adds(out, "(missing)"); break;
  case DM_INTEGER: dm_buf_add(out, number, dm_text_of_int(v.integer, number)); break;
  case DM_REAL: dm_buf_add(out, number, dm_text_of_double(v.real, true, number)); break;
  case DM_TEXT:
    dm_buf_addc(out, '\'');
    print_text(out, v.text);
    dm_buf_addc(out, '\'');
    break;
  case DM_BLOB: dm_buf_printf(out, "(blob of %zu bytes)", v.text.n); break;
  }
}

/* ---- profile ----------------------------------------------------------------- */

static void print_top(dm_buf *out, const dm_profile_column *c) {
  dm_buf_adds(out, "  top:");
  for (size_t i = 0; i < c->n_top && i < 5; i++) {
    dm_buf_adds(out, i ? ", " : " ");
    print_clipped(out, c->top[i].text, 30);
    dm_buf_printf(out, " (%llu)", (unsigned long long)c->top[i].count);
  }
  dm_buf_addc(out, '\n');
}

/* A figure by its name: whole numbers in full, of a cell all its digits, of others six. */
static void print_figure(dm_buf *out, const char *name, double v, bool of_cell) {
  char number[DM_NUMBER_MAX];
  dm_buf_printf(out, "%s ", name);
  if (isnan(v))
    dm_buf_addc(out, '-');
  else if (of_cell || (v == floor(v) && fabs(v) < 1e15))
    dm_buf_add(out, number, dm_text_of_double(v, false, number));
  else
    dm_buf_printf(out, "%.6g", v);
}

static void print_figures(dm_buf *out, const dm_profile_column *c) {
  const struct {
    const char *name;
    double v;
  } quantiles[] = {{"1%", c->q01}, {"5%", c->q05}, {"25%", c->q25}, {"50%", c->q50}, {"75%", c->q75}, {"95%", c->q95}, {"99%", c->q99}};
  print_figure(out, "  min", c->min, true);
  print_figure(out, ", max", c->max, true);
  print_figure(out, ", mean", c->mean, false);
  print_figure(out, ", sd", c->sd, false);
  dm_buf_printf(out, ", zeros %llu, negative %llu\n  quantiles", (unsigned long long)c->zeros, (unsigned long long)c->negatives);
  for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
    dm_buf_adds(out, i ? ", " : " ");
    print_figure(out, quantiles[i].name, quantiles[i].v, false);
  }
  dm_buf_addc(out, '\n');
}

void print_profile(dm_buf *out, const dm_profile *p) {
  dm_buf_printf(out, "%s: %llu rows, %zu columns\n", p->table, (unsigned long long)p->rows, p->n_columns);
  for (size_t i = 0; i < p->n_columns; i++) {
    const dm_profile_column *c = &p->columns[i];
    dm_buf_printf(out, "\n%s  %s%s\n", c->name, dm_type_name(c->type), i == p->target ? "  (target)" : "");
    dm_buf_printf(out, "  missing %llu (%.1f %%), distinct %llu\n", (unsigned long long)c->missing,
                  c->rows ? 100.0 * (double)c->missing / (double)c->rows : 0.0, (unsigned long long)c->distinct);
    if (c->numeric && c->rows > c->missing) {
      print_figures(out, c);
    } else if (c->rows > c->missing) {
      dm_buf_printf(out, "  length %llu to %llu\n", (unsigned long long)c->min_length, (unsigned long long)c->max_length);
    }
    if (c->n_top) print_top(out, c);
  }
  dm_buf_addc(out, '\n');
}

/* ---- apply, history, why ------------------------------------------------------- */

static void print_steps(dm_buf *out, const dm_apply_result *r) {
  for (size_t i = 0; i < r->n_steps; i++) {
    const dm_step_result *s = &r->steps[i];
    print_padded(out, "  ", s->rule, 20);
    dm_buf_printf(out, "%llu cells changed", (unsigned long long)s->cells_changed);
    if (s->rows_removed) dm_buf_printf(out, ", %llu rows removed", (unsigned long long)s->rows_removed);
    if (s->rows_failed) dm_buf_printf(out, ", %llu cells did not fit", (unsigned long long)s->rows_failed);
    if (s->detail && s->detail[0]) dm_buf_printf(out, "   %s", s->detail);
    dm_buf_addc(out, '\n');
  }
  dm_buf_printf(out, "%s: %llu rows before, %llu after\n", r->table, (unsigned long long)r->rows_before, (unsigned long long)r->rows_after);
}

void print_apply(dm_buf *out, const dm_apply_result *r, const char *database) {
  print_steps(out, r);
  if (r->run_id)
    dm_buf_printf(out, "run %lld; dm-clean undo %s %lld puts it back\n", (long long)r->run_id, database, (long long)r->run_id);
  else
    dm_buf_adds(out, "dry run: nothing was kept\n");
}

void print_undo(dm_buf *out, const dm_apply_result *r, int64_t undone) {
  print_steps(out, r);
  dm_buf_printf(out, "run %lld is undone (by run %lld); its recipe can be applied again\n", (long long)undone, (long long)r->run_id);
}

void print_history(dm_buf *out, const dm_history_entry *entries, size_t n) {
  if (n == 0) dm_buf_adds(out, "no runs yet\n");
  for (size_t i = 0; i < n; i++) {
    const dm_history_entry *e = &entries[i];
    dm_buf_printf(out, "%5lld  %s  ", (long long)e->run_id, e->started);
    print_padded(out, "", e->command, 10);
    print_padded(out, "", e->table ? e->table : "", 20);
    if (e->cells || e->rows) dm_buf_printf(out, "%llu cells, %llu rows", (unsigned long long)e->cells, (unsigned long long)e->rows);
    if (e->undone) dm_buf_adds(out, "  undone");
    if (strcmp(e->status, "done") != 0 && !e->undone) dm_buf_printf(out, "  %s", e->status);
    dm_buf_addc(out, '\n');
  }
}

void print_history_json(dm_json_out *j, const dm_history_entry *entries, size_t n) {
  dm_json_array(j);
  for (size_t i = 0; i < n; i++) {
    const dm_history_entry *e = &entries[i];
    dm_json_object(j);
    dm_json_put_int(j, "run", e->run_id);
    dm_json_put_string(j, "command", e->command);
    dm_json_put_string(j, "table", e->table);
    dm_json_put_string(j, "started", e->started);
    dm_json_put_string(j, "status", e->status);
    dm_json_put_int(j, "cells_changed", (int64_t)e->cells);
    bool added = strcmp(e->command, "import") == 0;
    dm_json_put_int(j, "rows_added", added ? (int64_t)e->rows : 0);
    dm_json_put_int(j, "rows_removed", added ? 0 : (int64_t)e->rows);
    dm_json_put_bool(j, "undone", e->undone);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
}

static void print_why_cell(dm_buf *out, const dm_why_cell *c) {
  dm_buf_printf(out, "%s = ", c->column);
  print_value(out, c->now);
  dm_buf_addc(out, '\n');
  for (size_t i = 0; i < c->n; i++) {
    const dm_why_step *s = &c->steps[i];
    if (s->run_id == 0) continue;
    dm_buf_printf(out, "  run %lld, rule %s, %s: ", (long long)s->run_id, s->rule, s->started);
    print_value(out, s->old_value);
    dm_buf_adds(out, " -> ");
    print_value(out, s->new_value);
    dm_buf_adds(out, s->undone ? "  (undone)\n" : "\n");
  }
  if (!c->raw.p) return;
  dm_buf_adds(out, "  in the file: '");
  print_text(out, c->raw);
  dm_buf_adds(out, "'\n");
}

void print_why(dm_buf *out, const dm_why *why) {
  const dm_origin *o = &why->origin;
  for (size_t i = 0; i < why->n_cells; i++) print_why_cell(out, &why->cells[i]);
  if (!o->uri[0]) {
    dm_buf_printf(out, "origin: %s\n", o->problem[0] ? o->problem : "not an imported row");
    return;
  }
  dm_buf_printf(out, "origin: %s:%llu, record %llu, byte %llu\n", o->uri, (unsigned long long)o->line, (unsigned long long)o->record,
                (unsigned long long)o->byte_offset);
  if (o->verified) dm_buf_adds(out, "  the file is unchanged since import (SHA-256)\n");
  if (o->problem[0]) dm_buf_printf(out, "  %s\n", o->problem);
  if (!o->text.p) return;
  dm_buf_adds(out, "  ");
  print_text(out, o->text);
  dm_buf_addc(out, '\n');
}

/* ---- models ---------------------------------------------------------------------- */

void print_metrics(dm_buf *out, const char *split, const dm_metric *metrics, size_t n) {
  if (n == 0) return;
  dm_buf_printf(out, "%-6s", split);
  for (size_t i = 0, shown = 0; i < n; i++)
    if (isfinite(metrics[i].value)) dm_buf_printf(out, "%s %s %.4f", shown++ ? "," : "", metrics[i].name, metrics[i].value);
  dm_buf_addc(out, '\n');
}

void print_train(dm_buf *out, const dm_train_result *r) {
  dm_buf_printf(out, "model %s@%lld: %s, %s%s%s, %zu rows", r->meta.name, (long long)r->meta.version, r->meta.method, r->meta.task,
                r->meta.target ? " " : "", r->meta.target ? r->meta.target : "", r->rows);
  if (r->test_rows) dm_buf_printf(out, " (%zu held out)", r->test_rows);
  dm_buf_printf(out, ", %zu columns, %.3f s\n", r->columns, r->seconds);
  print_metrics(out, "train", r->train, r->n_train);
  print_metrics(out, "test", r->test, r->n_test);
  print_metrics(out, "cv", r->cv, r->n_cv);
  print_metrics(out, "  sd", r->cv_sd, r->n_cv_sd);
}

void print_models(dm_buf *out, const dm_model_meta *models, size_t n) {
  if (n == 0) dm_buf_adds(out, "no models yet\n");
  for (size_t i = 0; i < n; i++) {
    const dm_model_meta *m = &models[i];
    bool ready = strcmp(m->status, DM_STATUS_TRAINING) != 0;
    dm_buf_printf(out, "%s %s@%lld  %s, %s%s%s, %lld rows, %s, %.3f s%s\n", m->active ? "*" : " ", m->name, (long long)m->version, m->method, m->task,
                  m->target ? " " : "", m->target ? m->target : "", (long long)m->rows, m->started, m->seconds, ready ? "" : ", still in training");
  }
}
