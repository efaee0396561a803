/*
 * Scoring of blocks of rows of a frame: its columns are found by name and its
 * levels matched by value once, then each row is bound, encoded and predicted.
 * No threads here; the bits are those of dm_scorer_row, since every learner
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

dm_status dm_scorer_room_init(const dm_scorer *s, size_t rows, dm_arena *memory, dm_scorer_room *out, dm_error *err) {
  size_t encoded, proba;
  if (!dm_size_mul(rows, dm_encoder_n_outputs(s->encoder), &encoded) || !dm_size_mul(rows, s->model->n_classes, &proba))
    return dm_fail(err, DM_EBUDGET, "scorer: a block of rows is more than memory can hold");
  dm_scorer_room room = {.raw = dm_arena_alloc(memory, s->d, sizeof(double), err)};
  if (!room.raw || !(room.encoded = dm_arena_alloc(memory, encoded, sizeof(double), err)) ||
      !(room.proba = dm_arena_alloc(memory, proba, sizeof(double), err)) ||
      !(room.value = dm_arena_alloc(memory, rows, sizeof(double), err)))
    return DM_EBUDGET;
  *out = room;
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

dm_status dm_scorer_block(const dm_scorer *s, const dm_scorer_view *view, const size_t *rows, size_t first, size_t n,
                          const dm_scorer_room *room, double *value, double *score, double *proba, dm_error *err) {
  size_t k = s->model->n_classes, m = dm_encoder_n_outputs(s->encoder);
  for (size_t r = 0; r < n; r++) {
    size_t i = rows ? rows[first + r] : first + r;
    for (size_t j = 0; j < s->d; j++) {
      dm_status status = view_cell(s, view, j, i, &room->raw[j], err);
      if (status != DM_OK) return status;
    }
    dm_encoder_row(s->encoder, room->raw, room->encoded + r * m);
  }
  double *p = proba ? proba : room->proba;
  dm_batch batch = {.n = n, .d = s->model->d, .x = room->encoded, .value = room->value, .proba = p};
  dm_status status = s->model->learner->predict(s->model, k ? DM_OUT_VALUE | DM_OUT_PROBA : DM_OUT_VALUE, &batch, err);
  if (status != DM_OK) return status;
  for (size_t r = 0; r < n; r++) {
    status = dm_scorer_check_class(s, room->value[r], err);
    if (status != DM_OK) return status;
    if (value) value[r] = room->value[r];
    if (score) score[r] = k ? p[r * k + (size_t)room->value[r]] : room->value[r];
  }
  return DM_OK;
}
