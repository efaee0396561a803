/* Batches of typed cells: all bytes of a batch are its own. */
#include "data/typed.h"

#include <string.h>

enum { CELLS = 16384, ROWS_MAX = 1024 };

dm_status dm_rows_init(dm_rows *batch, dm_ctx *ctx, size_t d, dm_error *err) {
  size_t rows = CELLS / (d ? d : 1);
  *batch = (dm_rows){.ctx = ctx, .d = d, .capacity = rows < 1 ? 1 : rows > ROWS_MAX ? ROWS_MAX : rows};
  dm_buf_init(&batch->text, ctx, NULL);
  batch->cells = dm_alloc(ctx, batch->capacity * d, sizeof *batch->cells, "rows being read", err);
  return batch->cells ? DM_OK : DM_EBUDGET;
}

void dm_rows_clear(dm_rows *batch) {
  if (!batch->ctx) return;
  dm_free(batch->ctx, batch->cells);
  dm_free(batch->ctx, batch->rejects);
  dm_free(batch->ctx, batch->runs);
  dm_buf_clear(&batch->text);
  *batch = (dm_rows){0};
}

void dm_rows_reset(dm_rows *batch) {
  batch->n = batch->n_rejects = batch->n_runs = 0;
  batch->end = batch->misfit = false;
  dm_buf_reset(&batch->text);
}

/* Room for one more of n elements. */
static bool grow(dm_ctx *ctx, void **block, size_t n, size_t *capacity, size_t size, dm_error *err) {
  if (n < *capacity) return true;
  size_t want = *capacity ? *capacity * 2 : 16;
  void *p = dm_realloc(ctx, *block, want, size, "rows being read", err);
  if (!p) return false;
  *block = p;
  *capacity = want;
  return true;
}

dm_status dm_rows_add_reject(dm_rows *batch, const dm_csv_record *record, dm_str raw, dm_error *err) {
  void *rejects = batch->rejects;
  if (!grow(batch->ctx, &rejects, batch->n_rejects, &batch->rejects_capacity, sizeof *batch->rejects, err)) return DM_EBUDGET;
  batch->rejects = rejects;
  batch->text.err = err;
  dm_rows_reject *r = &batch->rejects[batch->n_rejects];
  *r = (dm_rows_reject){.record = record->record, .line = record->line, .byte_offset = record->byte_offset, .column = record->column};
  r->raw_at = batch->text.n;
  r->raw_n = raw.n;
  dm_buf_add(&batch->text, raw.p, raw.n);
  r->message_at = batch->text.n;
  r->message_n = strlen(record->message);
  dm_buf_add(&batch->text, record->message, r->message_n);
  batch->text.err = NULL;
  if (dm_buf_status(&batch->text) != DM_OK) return DM_EBUDGET;
  batch->n_rejects++;
  return DM_OK;
}

dm_status dm_rows_add_run(dm_rows *batch, const dm_csv_record *record, dm_error *err) {
  void *runs = batch->runs;
  if (!grow(batch->ctx, &runs, batch->n_runs, &batch->runs_capacity, sizeof *batch->runs, err)) return DM_EBUDGET;
  batch->runs = runs;
  batch->runs[batch->n_runs++] =
      (dm_rows_run){.row = batch->n, .record = record->record, .line = record->line, .byte_offset = record->byte_offset};
  return DM_OK;
}

dm_value dm_rows_value(const dm_rows *batch, size_t row, size_t column) {
  const dm_rows_cell *cell = &batch->cells[row * batch->d + column];
  dm_value v = {.type = (dm_type)cell->type};
  if (cell->type == DM_INTEGER)
    v.integer = cell->u.integer;
  else if (cell->type == DM_REAL)
    v.real = cell->u.real;
  else if (cell->type == DM_TEXT)
    v.text = (dm_str){cell->n ? batch->text.p + cell->u.at : "", cell->n};
  return v;
}
