/* Frames: finding columns, counting distinct values, numbers as classes. */
#include "matrix/distinct.h"

#include <dm/data.h>

#include <string.h>
#include <strings.h>

void dm_frame_free(dm_frame *frame) {
  if (frame) dm_arena_free(frame->memory); /* the frame lies in it too */
}

size_t dm_frame_find(const dm_frame *frame, const char *name) {
  for (size_t c = 0; c < frame->d; c++)
    if (strcmp(frame->columns[c].name, name) == 0) return c;
  for (size_t c = 0; c < frame->d; c++)
    if (strcasecmp(frame->columns[c].name, name) == 0) return c;
  return SIZE_MAX;
}

size_t dm_frame_n_distinct(const dm_frame *frame, size_t column, size_t stop_at, dm_error *err) {
  const dm_frame_column *c = &frame->columns[column];
  size_t k = 0, chunk = stop_at && stop_at <= 64 ? stop_at : 0;
  if (c->kind == DM_CATEGORY) {
    k = c->levels.n;
  } else if (chunk) { /* the common question "at most 50?": no memory, ends early */
    double seen[64];
    for (size_t i = 0; i < frame->n && k < stop_at; i++) {
      size_t at = 0;
      if (c->values[i] != c->values[i]) continue;
      while (at < k && seen[at] != c->values[i]) at++;
      if (at == k) seen[k++] = c->values[i];
    }
  } else {
    dm_distinct work;
    if (dm_distinct_init(&work, frame->ctx, frame->n, err) != DM_OK) return SIZE_MAX;
    dm_distinct_run(&work, frame->n, c->values);
    k = work.k;
    dm_distinct_clear(&work);
  }
  return stop_at && k > stop_at ? stop_at : k;
}

static dm_status print_level(dm_arena *memory, dm_type type, double v, dm_str *out, dm_error *err) {
  char text[DM_NUMBER_MAX];
  bool whole = type == DM_INTEGER && v >= -0x1p63 && v < 0x1p63;
  size_t n = whole ? dm_text_of_int((int64_t)v, text) : dm_text_of_double(v, true, text);
  *out = (dm_str){dm_arena_strdup(memory, text, n, err), n};
  return out->p ? DM_OK : DM_EBUDGET;
}

dm_status dm_frame_make_category(dm_frame *frame, size_t column, dm_error *err) {
  dm_frame_column *c = &frame->columns[column];
  if (c->kind == DM_CATEGORY) return DM_OK;
  dm_distinct work;
  dm_status s = dm_distinct_init(&work, frame->ctx, frame->n, err);
  if (s != DM_OK) return s;
  dm_distinct_run(&work, frame->n, c->values);
  dm_str *names = dm_arena_alloc(frame->memory, work.k, sizeof *names, err);
  double *numbers = names ? dm_arena_alloc(frame->memory, work.k, sizeof *numbers, err) : NULL;
  if (!numbers) s = DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < work.k; i++) {
    numbers[i] = work.values[i];
    s = print_level(frame->memory, c->type, numbers[i], &names[i], err);
  }
  if (s == DM_OK) {
    for (size_t i = 0; i < frame->n; i++)
      if (work.code[i] < work.k) c->values[i] = (double)work.code[i];
    c->kind = DM_CATEGORY;
    c->levels = (dm_levels){.n = work.k, .type = c->type, .names = names, .numbers = numbers};
  }
  dm_distinct_clear(&work);
  return s;
}
