/*
 * Scoring of blocks of rows of a frame: its columns are found by name and its
 * levels matched by value once, then each row is bound, encoded and predicted.
 * No threads here; the bits are those of dm_scorer_rows, since every learner
 * predicts a row alone.
 */
#include "model/scorer.h"

#include <math.h>
#include <stdio.h>

/* One cell of another frame's column as a typed value. */
static dm_value cell_value(const dm_frame_column *column, double x) {
  if (isnan(x)) return (dm_value){.type = DM_NULL};
  if (column->type == DM_INTEGER) return (dm_value){.type = DM_INTEGER, .integer = (int64_t)x};
  return (dm_value){.type = DM_REAL, .real = x};
}

static dm_value level_value(const dm_levels *levels, size_t code) {
  if (levels->type == DM_TEXT) return (dm_value){.type = DM_TEXT, .text = levels->names[code]};
  if (levels->type == DM_INTEGER) return (dm_value){.type = DM_INTEGER, .integer = (int64_t)levels->numbers[code]};
  return (dm_value){.type = DM_REAL, .real = levels->numbers[code]};
}

/* Names of the inputs that frame does not have, as "'a', 'b'", cut when there are many. */
static size_t name_absent(const dm_scorer *s, const dm_frame *frame, char *list, size_t capacity) {
  size_t n = 0, at = 0;
  list[0] = 0;
  for (size_t j = 0; j < s->d; j++) {
    if (dm_frame_find(frame, s->inputs[j].name) != SIZE_MAX) continue;
    n++;
    if (at + 1 >= capacity) continue;
    int wrote = snprintf(list + at, capacity - at, "%s'%.60s'", n > 1 ? ", " : "", s->inputs[j].name);
    at += wrote < 0 ? 0 : (size_t)wrote;
  }
  return n;
}

static dm_status bind_levels(const dm_scorer *s, size_t input, const dm_levels *levels, double *codes, dm_error *err) {
  for (size_t c = 0; c < levels->n; c++) {
    dm_status status = dm_scorer_bind(s, input, level_value(levels, c), &codes[c], err);
    if (status != DM_OK) return status;
  }
  return DM_OK;
}

dm_status dm_scorer_view_init(const dm_scorer *s, const dm_frame *frame, dm_arena *memory, dm_scorer_view *out, dm_error *err) {
  char list[400];
  size_t absent = name_absent(s, frame, list, sizeof list);
  if (absent) return dm_fail(err, DM_EINPUT, "column%s %s of the model %s not in the source", absent > 1 ? "s" : "", list, absent > 1 ? "are" : "is");
  dm_scorer_view view = {.columns = dm_arena_alloc(memory, s->d, sizeof *view.columns, err)};
  if (!view.columns || !(view.codes = dm_arena_alloc(memory, s->d, sizeof *view.codes, err))) return DM_EBUDGET;
  for (size_t j = 0; j < s->d; j++) {
    const dm_frame_column *column = &frame->columns[dm_frame_find(frame, s->inputs[j].name)];
    view.columns[j] = column;
    if (column->kind != DM_CATEGORY) continue;
    if (!(view.codes[j] = dm_arena_alloc(memory, column->levels.n, sizeof **view.codes, err))) return DM_EBUDGET;
    dm_status status = bind_levels(s, j, &column->levels, view.codes[j], err);
    if (status != DM_OK) return status;
  }
  *out = view;
  return DM_OK;
}

/* The raw double of input j in row i of the view. */
static dm_status view_cell(const dm_scorer *s, const dm_scorer_view *view, size_t j, size_t i, double *raw, dm_error *err) {
  const dm_frame_column *column = view->columns[j];
  double x = column->values[i];
  if (view->codes[j])
    *raw = isnan(x) ? x : view->codes[j][(size_t)x];
  else if (s->inputs[j].kind == DM_NUMERIC)
    *raw = x;
  else
    return dm_scorer_bind(s, j, cell_value(column, x), raw, err);
  return DM_OK;
}

dm_status dm_scorer_block(const dm_scorer *s, const dm_scorer_view *view, const size_t *rows, size_t first, size_t n, double *raw,
                          const dm_scratch *scratch, const dm_scored *out, dm_error *err) {
  const dm_encoder *encoder = dm_scorer_first(s);
  size_t m = dm_encoder_n_outputs(encoder);
  for (size_t r = 0; r < n; r++) {
    size_t i = rows ? rows[first + r] : first + r;
    for (size_t j = 0; j < s->d; j++) {
      dm_status status = view_cell(s, view, j, i, &raw[j], err);
      if (status != DM_OK) return status;
    }
    dm_encoder_row(encoder, raw, scratch->encoded + r * m);
  }
  return dm_scorer_run(s, n, scratch, out, err);
}
