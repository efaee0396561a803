/* Records through the types of their columns; see typed.h for the plan. */
#include "data/typed.h"

#include <string.h>

enum { BLOCK_RECORDS = 1024, BLOCK_BYTES = 64 << 10, BATCH_BYTES = 256 << 10 };

/* Places of dm_typed_column.markers: then two for each text of options.nulls, plain and quoted. */
enum { MARKER_EMPTY = 0, MARKER_QUOTED_EMPTY = 1, MARKER_NULLS = 2 };

const char *const dm_look_alikes[DM_LOOK_ALIKES] = {"NA",   "N/A", "n/a", "na", "NULL", "null", "None", "none",
                                                    "NaN", "nan", "?",   "-",  ".",    "--",   "#N/A", "missing"};

/* ---- opening ---------------------------------------------------------------- */

static void reset_counts(dm_typed *t) {
  t->records = t->accepted = t->rejected = 0;
  t->block_records = t->block_bytes = 0;
  t->after_reject = true; /* the first record begins a run */
  for (size_t i = 0; i < t->d; i++) {
    dm_typed_column *c = &t->columns[i];
    dm_typing_init(&c->typing);
    c->open = !t->options.all_text && c->floor != DM_TEXT;
    c->n_missing = c->n_quoted = c->n_quoted_empty = c->n_look_alikes = 0;
    memset(c->look_alikes, 0, sizeof c->look_alikes);
    memset(c->markers, 0, dm_typed_n_markers(t) * sizeof *c->markers);
  }
}

static dm_status copy_nulls(dm_typed *t, const dm_csv_options *options, dm_error *err) {
  const char **nulls = dm_arena_alloc(t->memory, options->n_nulls + 1, sizeof *nulls, err);
  if (!nulls) return DM_EBUDGET;
  for (size_t i = 0; i < options->n_nulls; i++) {
    const char *text = options->nulls[i];
    if (!(nulls[i] = dm_arena_strdup(t->memory, text, strlen(text), err))) return DM_EBUDGET;
    t->null_first[(unsigned char)text[0]] = true;
  }
  t->options.nulls = nulls;
  return DM_OK;
}

static dm_status prepare_columns(dm_typed *t, dm_error *err) {
  t->d = dm_csv_n_columns(t->csv);
  t->columns = dm_arena_alloc(t->memory, t->d, sizeof *t->columns, err);
  if (!t->columns) return DM_EBUDGET;
  for (size_t i = 0; i < t->d; i++) {
    const dm_csv_column *found = dm_csv_get_column(t->csv, i);
    dm_typed_column *c = &t->columns[i];
    c->name = found->name;
    c->type = c->sample_type = found->type == DM_NULL ? DM_TEXT : found->type;
    c->markers = dm_arena_alloc(t->memory, dm_typed_n_markers(t), sizeof *c->markers, err);
    if (!c->markers) return DM_EBUDGET;
  }
  return DM_OK;
}

dm_status dm_typed_open(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_typed **out, dm_error *err) {
  dm_typed *t = dm_alloc(ctx, 1, sizeof *t, "reader", err);
  if (!t) return DM_EBUDGET;
  t->ctx = ctx;
  t->path = path;
  if (options) t->options = *options;
  dm_status s = dm_arena_new(ctx, 0, &t->memory, err);
  if (s == DM_OK) s = copy_nulls(t, &t->options, err);
  if (s == DM_OK) s = dm_csv_open(ctx, path, &t->options, &t->csv, err);
  if (s == DM_OK) s = prepare_columns(t, err);
  if (s != DM_OK) {
    dm_typed_close(t);
    return s;
  }
  reset_counts(t);
  *out = t;
  return DM_OK;
}

void dm_typed_close(dm_typed *t) {
  if (!t) return;
  dm_csv_close(t->csv);
  dm_arena_free(t->memory);
  dm_free(t->ctx, t);
}

dm_status dm_typed_rewind(dm_typed *t, dm_error *err) {
  dm_status s = dm_csv_rewind(t->csv, err);
  if (s == DM_OK) reset_counts(t);
  return s;
}

/* ---- cells ------------------------------------------------------------------- */

static bool cell_is(const dm_csv_cell *cell, const char *text) { return strlen(text) == cell->n && memcmp(cell->p, text, cell->n) == 0; }

/* Place in markers of a cell that means missing, SIZE_MAX for any other. */
static size_t marker_of(const dm_typed *t, const dm_csv_cell *cell) {
  if (cell->n == 0) return cell->quoted ? MARKER_QUOTED_EMPTY : MARKER_EMPTY;
  if (!t->null_first[(unsigned char)cell->p[0]] || !dm_csv_is_missing(t->csv, cell)) return SIZE_MAX;
  for (size_t i = 0; i < t->options.n_nulls; i++)
    if (cell_is(cell, t->options.nulls[i])) return MARKER_NULLS + 2 * i + cell->quoted;
  return SIZE_MAX;
}

static bool count_look_alike(dm_typed_column *c, const dm_csv_cell *cell) {
  if (cell->n > 7) return false;
  for (size_t i = 0; i < DM_LOOK_ALIKES; i++)
    if (cell_is(cell, dm_look_alikes[i])) {
      c->look_alikes[i]++;
      c->n_look_alikes++;
      return true;
    }
  return false;
}

dm_type dm_typed_found(const dm_typed_column *c) {
  if (!c->open || c->n_look_alikes || c->floor == DM_TEXT) return DM_TEXT;
  if (c->typing.n == 0) return c->floor ? c->floor : DM_TEXT;
  dm_type type = dm_typing_type(&c->typing);
  if (c->floor == DM_REAL && type == DM_INTEGER) return c->typing.may_real ? DM_REAL : DM_TEXT;
  return type;
}

/* Takes note of a cell for its column's type. */
static void see(dm_typed_column *c, const dm_csv_cell *cell) {
  if (count_look_alike(c, cell)) return;
  dm_typing_see(&c->typing, cell->p, cell->n, cell->quoted);
  if (dm_typing_type(&c->typing) == DM_TEXT) c->open = false;
}

/* [-]digits that print back the same and surely fit; anything else is left to dm_typing. */
static bool plain_integer(const char *p, size_t n, int64_t *out) {
  bool negative = n > 1 && *p == '-';
  if (negative) p++, n--;
  if (n > 18 || (n > 1 && *p == '0') || (negative && *p == '0')) return false;
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++) {
    unsigned digit = (unsigned)(unsigned char)p[i] - '0';
    if (digit > 9) return false;
    v = v * 10 + digit;
  }
  *out = negative ? -(int64_t)v : (int64_t)v;
  return true;
}

static bool take_integer(const dm_csv_cell *cell, dm_rows_cell *out) {
  if (!plain_integer(cell->p, cell->n, &out->u.integer)) {
    dm_typing one;
    dm_typing_init(&one);
    dm_typing_see(&one, cell->p, cell->n, cell->quoted);
    if (dm_typing_type(&one) != DM_INTEGER || !dm_text_to_int(cell->p, cell->n, &out->u.integer)) return false;
  }
  out->type = DM_INTEGER;
  return true;
}

static bool take_real(dm_typed_column *c, const dm_csv_cell *cell, dm_rows_cell *out) {
  dm_typing_see(&c->typing, cell->p, cell->n, cell->quoted);
  if (!c->typing.may_real || !dm_text_to_double(cell->p, cell->n, &out->u.real)) return false;
  out->type = DM_REAL;
  return true;
}

static bool take_text(dm_typed_column *c, const dm_csv_cell *cell, dm_rows *batch, dm_rows_cell *out) {
  if (c->open && cell->n) see(c, cell);
  out->type = DM_TEXT;
  out->n = (uint32_t)cell->n;
  out->u.at = batch->text.n;
  dm_buf_add(&batch->text, cell->p, cell->n);
  return true;
}

/* @return false when the cell does not fit the column's type. */
static bool take_cell(dm_typed *t, dm_typed_column *c, const dm_csv_cell *cell, dm_rows *batch, dm_rows_cell *out) {
  if (cell->n == 0 || t->null_first[(unsigned char)cell->p[0]]) {
    size_t marker = marker_of(t, cell);
    if (marker == MARKER_QUOTED_EMPTY) {
      c->n_quoted_empty++;
      c->n_quoted++;
      if (c->type == DM_TEXT) return take_text(c, cell, batch, out);
    }
    if (marker != SIZE_MAX) {
      c->markers[marker]++;
      c->n_missing++;
      out->type = DM_NULL;
      return true;
    }
  }
  c->n_quoted += cell->quoted;
  switch (c->type) {
  case DM_INTEGER: return take_integer(cell, out);
  case DM_REAL: return take_real(c, cell, out);
  default: return take_text(c, cell, batch, out);
  }
}

/* ---- records ------------------------------------------------------------------ */

static bool take_record(dm_typed *t, const dm_csv_record *record, dm_rows *batch) {
  dm_rows_cell *out = &batch->cells[batch->n * t->d];
  for (size_t i = 0; i < t->d; i++)
    if (!take_cell(t, &t->columns[i], &record->cells[i], batch, &out[i])) return false;
  return true;
}

static dm_status take_reject(dm_typed *t, const dm_csv_record *record, dm_rows *batch, dm_error *err) {
  dm_str raw = {record->raw, record->raw_n};
  if (!raw.p) {
    dm_status s = dm_csv_raw(t->csv, &raw, err);
    if (s != DM_OK) return s;
  }
  t->rejected++;
  t->after_reject = true;
  return dm_rows_add_reject(batch, record, raw, err);
}

/* A run ends at a reject, after 1,024 records, and after 64 KB, so that any row is found by reading little. */
static dm_status begin_run(dm_typed *t, const dm_csv_record *record, dm_rows *batch, dm_error *err) {
  if (!t->after_reject && t->block_records < BLOCK_RECORDS && record->byte_offset - t->block_bytes < BLOCK_BYTES) return DM_OK;
  t->after_reject = false;
  t->block_records = 0;
  t->block_bytes = record->byte_offset;
  return dm_rows_add_run(batch, record, err);
}

dm_status dm_typed_next(dm_typed *t, dm_rows *batch, dm_error *err) {
  dm_rows_reset(batch);
  dm_status s = dm_ctx_check(t->ctx, err);
  if (s != DM_OK) return s;
  batch->text.err = err;
  while (s == DM_OK && batch->n < batch->capacity && batch->text.n < BATCH_BYTES) {
    const dm_csv_record *record;
    if ((s = dm_csv_next(t->csv, &record, err)) != DM_OK) break;
    if (!record) {
      batch->end = true;
      break;
    }
    t->records++;
    if (record->reason != DM_REJECT_NONE) {
      s = take_reject(t, record, batch, err);
      continue;
    }
    if (!take_record(t, record, batch)) {
      batch->misfit = true;
      break;
    }
    if ((s = begin_run(t, record, batch, err)) != DM_OK) break;
    batch->n++;
    t->accepted++;
    t->block_records++;
  }
  if (s == DM_OK) s = dm_buf_status(&batch->text);
  batch->text.err = NULL;
  batch->bytes_done = dm_csv_bytes_done(t->csv);
  return s;
}

/* ---- types of the whole file ------------------------------------------------------ */

bool dm_typed_is_settled(const dm_typed *t) {
  for (size_t i = 0; i < t->d; i++) {
    const dm_typed_column *c = &t->columns[i];
    /* REAL whose formats ran out, or TEXT because the sample had only missing cells */
    if (c->type != DM_INTEGER && c->typing.n && dm_typed_found(c) != c->type) return false;
  }
  return true;
}

void dm_typed_adopt(dm_typed *t) {
  for (size_t i = 0; i < t->d; i++) {
    dm_typed_column *c = &t->columns[i];
    if (c->type != DM_INTEGER && c->typing.n) c->type = dm_typed_found(c);
  }
}

static void scan_cell(dm_typed *t, dm_typed_column *c, const dm_csv_record *record, const dm_csv_cell *cell) {
  if (!c->open || marker_of(t, cell) != SIZE_MAX) return;
  dm_type before = dm_typed_found(c);
  bool first = c->typing.n == 0 && c->n_look_alikes == 0;
  see(c, cell);
  if (dm_typed_found(c) == (first ? c->sample_type : before)) return;
  size_t n = cell->n < sizeof c->change_text ? cell->n : sizeof c->change_text - 1;
  while (n < cell->n && n > 0 && ((unsigned char)cell->p[n] & 0xC0) == 0x80) n--; /* whole characters */
  memcpy(c->change_text, cell->p, n);
  c->change_text[n] = 0;
  c->change_line = record->line;
}

dm_status dm_typed_settle(dm_typed *t, dm_error *err) {
  dm_status s = dm_typed_rewind(t, err);
  uint64_t bytes = dm_csv_bytes(t->csv);
  for (size_t n = 0; s == DM_OK; n++) {
    const dm_csv_record *record;
    if (n % 4096 == 0) {
      if ((s = dm_ctx_check(t->ctx, err)) != DM_OK) break;
      dm_progress(t->ctx, "reading types", (double)dm_csv_bytes_done(t->csv) / 1e6, (double)bytes / 1e6, "MB");
    }
    if ((s = dm_csv_next(t->csv, &record, err)) != DM_OK || !record) break;
    if (record->reason != DM_REJECT_NONE) continue;
    for (size_t i = 0; i < t->d; i++) scan_cell(t, &t->columns[i], record, &record->cells[i]);
  }
  for (size_t i = 0; s == DM_OK && i < t->d; i++) t->columns[i].type = dm_typed_found(&t->columns[i]);
  return s;
}

/* ---- what a column is, after a pass ------------------------------------------------- */

uint64_t dm_typed_n_values(const dm_typed *t, size_t column) { return t->accepted - t->columns[column].n_missing; }

dm_format dm_typed_format(const dm_typed *t, size_t column) {
  const dm_typed_column *c = &t->columns[column];
  dm_format f = {DM_FORMAT_NONE};
  if (c->type == DM_INTEGER) f.kind = DM_FORMAT_INTEGER;
  if (c->type == DM_REAL) f = dm_typing_format(&c->typing);
  uint64_t values = dm_typed_n_values(t, column), quoted_missing = c->type == DM_TEXT ? 0 : c->n_quoted_empty;
  f.quoted = values > 0 && c->n_quoted - quoted_missing == values;
  return f;
}

size_t dm_typed_n_markers(const dm_typed *t) { return MARKER_NULLS + 2 * t->options.n_nulls; }

dm_status dm_typed_marker(const dm_typed *t, size_t i, const char **spelling, dm_error *err) {
  char quote = dm_csv_get_dialect(t->csv)->quote;
  if (i == MARKER_EMPTY)
    *spelling = "";
  else if (i == MARKER_QUOTED_EMPTY)
    *spelling = dm_arena_printf(t->memory, err, "%c%c", quote, quote);
  else if (i % 2 == 0)
    *spelling = t->options.nulls[(i - MARKER_NULLS) / 2];
  else
    *spelling = dm_arena_printf(t->memory, err, "%c%s%c", quote, t->options.nulls[(i - MARKER_NULLS) / 2], quote);
  return *spelling ? DM_OK : DM_EBUDGET;
}
