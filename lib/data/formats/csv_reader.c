/*
 * The record loop: index entries become cells, cells a record that fits or one
 * with the reason why not.
 *
 * Linear in any input. Bytes are read twice only behind a quote that finds no
 * proper end: the record is rejected with its first line, and reading resumes
 * on the second. All line ends up to where that quote failed are then known to
 * lie on a doomed path (doomed_until): a record that ends a line inside quotes
 * before that place is in the same state on the same byte as the path that
 * failed, so it fails too, and is rejected without following it again.
 */
#include "csv.h"

#include <stdio.h>
#include <string.h>

/* ---- the window ----------------------------------------------------------- */

/* Source offset of a place in the window that ends a line or follows one. */
static uint64_t source_at(const dm_csv *csv, size_t place) {
  if (csv->decoder.coding == CSV_UTF8) return csv->offset + (place - csv->begin);
  if (csv->decoder.coding == CSV_ICONV) return csv_decoder_anchor(&csv->decoder, csv->text_base + place);
  return csv->offset + csv_decoder_bytes(&csv->decoder, csv->text + csv->begin, place - csv->begin);
}

/* Column of a place on the record's first line: in source bytes, where these can be counted. */
static size_t column_of(const dm_csv *csv, size_t place) {
  if (csv->overlong) return 0;
  return csv_decoder_bytes(&csv->decoder, csv->text + csv->begin, place - csv->begin) + 1;
}

/* The record is too long to hold: only its place and its count of cells go on. */
static void let_go(dm_csv *csv) {
  csv->overlong = true;
  csv->offset = source_at(csv, csv->scanned);
  csv->begin = csv->scanned;
}

/* Does a block of the last window that lies in [from, to] hold NUL or a byte beyond ASCII? */
static bool suspect_between(const dm_csv *csv, size_t from, size_t to) {
  size_t first = from > csv->window_at ? (from - csv->window_at) / CSV_BLOCK : 0;
  size_t last = to > csv->window_at ? (to - csv->window_at) / CSV_BLOCK : 0;
  if (first >= CSV_WINDOW_BLOCKS) return false;
  uint64_t upto = last >= CSV_WINDOW_BLOCKS - 1 ? ~UINT64_C(0) : (UINT64_C(2) << last) - 1;
  return (csv->scan.suspect & upto) >> first;
}

/* Makes room behind end, moving the record to the front; cells keep pointing into it. */
static dm_status make_room(dm_csv *csv, dm_error *err) {
  size_t keep = csv->end - csv->begin, gone = csv->begin;
  char *old = csv->text;
  size_t want = keep + csv->decoder.block + CSV_DECODE_MIN;
  if (want > csv->capacity) {
    size_t capacity = want > csv->capacity * 2 ? want : csv->capacity * 2;
    char *text = dm_alloc(csv->ctx, capacity, 1, "record", err);
    if (!text) return DM_EBUDGET;
    memcpy(text, old + gone, keep);
    csv->text = text;
    csv->capacity = capacity;
  } else if (gone > 0) {
    memmove(old, old + gone, keep);
  }
  if (!csv->overlong)
    for (size_t i = 0; i < csv->n_cells && i < csv->cell_capacity; i++)
      csv->cells[i].p = csv->text + ((size_t)(csv->cells[i].p - old) - gone);
  if (csv->text != old) dm_free(csv->ctx, old);
  csv->begin = 0;
  csv->scanned -= gone;
  csv->end = keep;
  csv->resume_at -= csv->lines_inside ? gone : 0;
  csv->text_base += gone;
  csv_decoder_forget(&csv->decoder, csv->text_base);
  return DM_OK;
}

/* Reads on; sets eof at the end. */
static dm_status refill(dm_csv *csv, dm_error *err) {
  dm_status status = dm_ctx_check(csv->ctx, err);
  if (status != DM_OK) return status;
  csv->suspect = csv->suspect || suspect_between(csv, csv->begin, csv->scanned);
  csv->scan.suspect = 0;
  if (csv->overlong || csv->scanned - csv->begin > csv_record_limit(csv)) let_go(csv);
  status = make_room(csv, err);
  if (status != DM_OK) return status;
  size_t got;
  status = csv_decoder_fill(&csv->decoder, csv->text + csv->end, csv->capacity - csv->end, &got, err);
  if (status != DM_OK) return status;
  csv->end += got;
  if (got == 0) {
    csv->eof = true;
    csv_source_hash(csv->source, csv->decoder.at, NULL, 0);
  }
  return DM_OK;
}

/* Indexes the next window. @return false when there is nothing more to index yet */
static bool index_more(dm_csv *csv) {
  size_t left = csv->end - csv->scanned;
  size_t n = left < csv->window ? left : csv->window;
  if (!(csv->eof && n == left)) n -= n % CSV_BLOCK;
  if (n == 0) return false;
  csv->suspect = csv->suspect || suspect_between(csv, csv->begin, csv->scanned);
  csv->n_index = csv_scan_window(&csv->scan, csv->text + csv->scanned, n, (uint32_t)csv->scanned, csv->index);
  csv->next = 0;
  csv->window_at = csv->scanned;
  csv->scanned += n;
  csv->n_scanned += n;
  if (csv->window < CSV_WINDOW) csv->window *= 2;
  return true;
}

static void forget_index(dm_csv *csv, size_t at) {
  csv->scanned = at;
  csv->n_index = csv->next = 0;
  csv->window_at = at;
  csv->scan.suspect = 0;
  csv->window = CSV_BLOCK * 2; /* restarts may come line by line */
  csv_scan_restart(&csv->scan);
}

/* ---- delimiting a record ---------------------------------------------------- */

static dm_status more_cells(dm_csv *csv, dm_error *err) {
  size_t capacity = csv->cell_capacity * 2;
  dm_csv_cell *cells = dm_realloc(csv->ctx, csv->cells, capacity, sizeof *cells, "cells of a record", err);
  if (!cells) return DM_EBUDGET;
  csv->cells = cells;
  csv->cell_capacity = capacity;
  return DM_OK;
}

static inline dm_status add_cell(dm_csv *csv, size_t from, size_t to, dm_error *err) {
  if (csv->n_cells == csv->cell_capacity && csv->n_cells <= CSV_MAX_COLUMNS) {
    dm_status status = more_cells(csv, err);
    if (status != DM_OK) return status;
  }
  if (csv->n_cells < csv->cell_capacity && !csv->overlong) {
    const char *p = csv->text + from;
    bool quoted = to > from && *p == csv->shape.chars.quote;
    csv->cells[csv->n_cells] = (dm_csv_cell){p, to - from, quoted};
    csv->any_quoted |= quoted;
  }
  csv->n_cells++;
  csv->cell_lines = 0;
  return DM_OK;
}

/* A line ends inside quotes. @return false when the record is doomed */
static bool line_inside(dm_csv *csv, size_t cell_begin, size_t place) {
  uint64_t here = source_at(csv, place);
  csv->lines_inside++;
  csv->cell_lines++;
  if (csv->lines_inside == 1) {
    csv->resume_at = place + 1;
    csv->resume_offset = source_at(csv, place + 1);
    csv->resume_cr = csv->text[place] == '\r';
    csv->quote_column = column_of(csv, cell_begin);
  }
  csv->last_inside = here;
  return here >= csv->doomed_until;
}

typedef enum found { FOUND_RECORD, FOUND_BROKEN, FOUND_END } found;

/* Follows the index to the end of the record at begin; place: its END, or the end of the text. */
static dm_status delimit(dm_csv *csv, found *what, size_t *place, dm_error *err) {
  size_t cell_begin = csv->begin;
  for (;;) {
    while (csv->next < csv->n_index) {
      uint32_t entry = csv->index[csv->next++];
      size_t at = CSV_PLACE(entry);
      dm_status status;
      switch ((csv_mark)(entry >> CSV_MARK_SHIFT)) {
      case CSV_DELIMITER:
        status = add_cell(csv, cell_begin, at, err);
        if (status != DM_OK) return status;
        cell_begin = at + 1;
        break;
      case CSV_END:
        *what = FOUND_RECORD;
        *place = at;
        return add_cell(csv, cell_begin, at, err);
      case CSV_NEWLINE:
        if (line_inside(csv, cell_begin, at)) break;
        *what = FOUND_BROKEN;
        return DM_OK;
      case CSV_BROKEN: /* on the line where it opened the rest is text; further on the quote was not meant to close here */
        if (csv->cell_lines == 0) {
          csv->n_literal++;
          break;
        }
        csv->doomed_until = csv->last_inside + 1;
        *what = FOUND_BROKEN;
        return DM_OK;
      }
    }
    if (index_more(csv)) continue;
    if (csv->eof) break;
    uint64_t base = csv->text_base;
    dm_status status = refill(csv, err);
    if (status != DM_OK) return status;
    cell_begin = csv->overlong ? csv->begin : cell_begin - (size_t)(csv->text_base - base);
  }
  *place = csv->end;
  if (csv->begin == csv->end && csv->n_cells == 0 && !csv->overlong) {
    *what = FOUND_END;
    return DM_OK;
  }
  if (csv->scan.state == CSV_QUOTED || csv->scan.state == CSV_ESCAPED) {
    if (csv->lines_inside == 0) csv->quote_column = column_of(csv, cell_begin);
    if (csv->lines_inside > 0) csv->doomed_until = csv->last_inside + 1;
    csv->open_at_end = true;
    *what = FOUND_BROKEN;
    return DM_OK;
  }
  *what = FOUND_RECORD;
  return add_cell(csv, cell_begin, csv->end, err);
}

/* ---- raw bytes and rejects ------------------------------------------------------ */

/* Bytes [begin, begin + n) of the source. */
static dm_status read_raw(dm_csv *csv, uint64_t begin, uint64_t n, dm_error *err) {
  dm_buf_reset(&csv->raw);
  csv->raw.err = err;
  csv->raw.failed = false;
  if (n > SIZE_MAX / 2 || !dm_buf_reserve(&csv->raw, (size_t)n)) return DM_EBUDGET;
  while (csv->raw.n < n) {
    size_t got;
    dm_status status = csv_source_read(csv->source, begin + csv->raw.n, csv->raw.p + csv->raw.n, (size_t)n - csv->raw.n, &got, err);
    if (status != DM_OK) return status;
    if (got == 0) break;
    csv->raw.n += got;
  }
  return DM_OK;
}

/* The record as a reject: source bytes [record_offset, + raw_n). */
static dm_status reject(dm_csv *csv, dm_reject_reason reason, size_t column, uint64_t raw_n, dm_error *err) {
  dm_csv_record *r = &csv->record;
  r->reason = reason;
  r->message = csv->message;
  r->column = column;
  r->n_cells = csv->n_cells;
  r->cells = NULL;
  uint64_t cut = csv->overlong && raw_n > CSV_MAX_CUT ? CSV_MAX_CUT : raw_n;
  dm_status status = read_raw(csv, csv->record_offset, cut, err);
  r->raw = csv->raw.p;
  r->raw_n = csv->raw.n;
  return status;
}

/* A quote without a proper end: the first line goes, reading resumes on the second. */
static dm_status reject_quote(dm_csv *csv, size_t place, dm_error *err) {
  (void)snprintf(csv->message, sizeof csv->message, "a quote opens and is not closed");
  csv->n_cells = 0; /* how far a doomed record was followed is no count */
  uint64_t raw_n;
  size_t column = csv->quote_column;
  if (csv->lines_inside == 0) { /* nothing but the last line */
    uint64_t behind = source_at(csv, place);
    raw_n = behind - csv->record_offset;
    csv->next_begin = place;
    csv->next_offset = behind;
    csv->ended_open = true;
  } else {
    raw_n = csv->resume_offset - csv->record_offset - csv_decoder_unit(&csv->decoder);
    csv->next_offset = csv->resume_offset;
    csv->skip_lf = csv->resume_cr;
    if (csv->overlong) {
      csv_decoder_seek(&csv->decoder, csv->resume_offset);
      csv->begin = csv->end = csv->next_begin = 0;
      csv->text_base = 0;
      csv->eof = false;
    } else {
      csv->next_begin = csv->resume_at;
    }
    forget_index(csv, csv->next_begin);
    csv->scan.cr = csv->resume_cr;
  }
  csv->raw_bytes = raw_n;
  csv->next_line = csv->line + 1;
  return reject(csv, DM_REJECT_QUOTE, column, raw_n, err);
}

/* Where the next record begins: behind the line ending at place, or at the end of the text. */
static void step_over_ending(dm_csv *csv, size_t place, uint64_t behind) {
  csv->next_line = csv->line + 1 + csv->lines_inside;
  csv->next_begin = place;
  csv->next_offset = behind;
  csv->ended_open = place == csv->end;
  if (csv->ended_open) return;
  csv->next_begin++;
  csv->next_offset += csv_decoder_unit(&csv->decoder);
  csv->skip_lf = csv->text[place] == '\r';
  csv->n_lf += !csv->skip_lf;
}

/* The record from begin to place, good or not. */
static dm_status give(dm_csv *csv, size_t place, dm_error *err) {
  uint64_t behind = source_at(csv, place);
  csv->raw_bytes = behind - csv->record_offset;
  size_t length = place - csv->begin, at = 0;
  step_over_ending(csv, place, behind);
  csv->suspect = csv->suspect || suspect_between(csv, csv->begin, place);
  dm_reject_reason reason = csv_judge(csv, length, &at);
  if (reason != DM_REJECT_NONE) {
    bool first_line = !csv->overlong && !memchr(csv->text + csv->begin, '\n', at) && !memchr(csv->text + csv->begin, '\r', at);
    size_t column = first_line ? column_of(csv, csv->begin + at) : 0;
    return reject(csv, reason, column, csv->raw_bytes, err);
  }
  csv_finish_cells(csv);
  csv->record.reason = DM_REJECT_NONE;
  csv->record.cells = csv->cells;
  csv->record.n_cells = csv->n_cells;
  csv->record.column = 0;
  csv->record.message = NULL;
  csv->record.raw = NULL;
  csv->record.raw_n = 0;
  return DM_OK;
}

/* Moves to the record behind the one given before. */
dm_status csv_reader_begin(dm_csv *csv, dm_error *err) {
  if (csv->pending) {
    csv->begin = csv->next_begin;
    csv->offset = csv->next_offset;
    csv->line = csv->next_line;
    csv->pending = false;
  }
  csv->n_cells = csv->lines_inside = csv->cell_lines = 0;
  csv->any_quoted = csv->suspect = csv->overlong = false;
  if (csv->skip_lf) {
    while (csv->begin == csv->end && !csv->eof) {
      dm_status status = refill(csv, err);
      if (status != DM_OK) return status;
    }
    csv->skip_lf = false;
    if (csv->begin < csv->end && csv->text[csv->begin] == '\n') {
      csv->begin++;
      csv->offset += csv_decoder_unit(&csv->decoder);
      csv->n_crlf++;
      if (csv->begin > csv->scanned) csv->scanned = csv->begin, csv->scan.cr = false;
    } else {
      csv->n_cr++;
    }
  }
  csv->record_offset = csv->offset;
  return DM_OK;
}

/* The end was reached: what only the whole file shows. */
static void conclude(dm_csv *csv) {
  csv->dialect.final_newline = !csv->ended_open;
  csv->dialect.spaced = csv->shape.chars.trim && csv->n_unspaced == 0;
  csv->dialect.mixed_endings |= (csv->n_lf > 0) + (csv->n_crlf > 0) + (csv->n_cr > 0) > 1;
}

dm_status dm_csv_next(dm_csv *csv, const dm_csv_record **record, dm_error *err) {
  *record = NULL;
  for (;;) {
    found what = FOUND_END;
    size_t place = 0;
    dm_status status = csv_reader_begin(csv, err);
    if (status == DM_OK) status = delimit(csv, &what, &place, err);
    if (status != DM_OK) return status;
    if (what == FOUND_END) {
      conclude(csv);
      return DM_OK;
    }
    csv->pending = true;
    bool blank = what == FOUND_RECORD && place == csv->begin && csv->n_cells == 1 && !csv->overlong;
    if (blank && csv->shape.n_columns != 1) {
      step_over_ending(csv, place, csv->offset);
      csv->n_blank++;
      continue;
    }
    csv->record.record = csv->number++;
    csv->record.line = csv->line;
    csv->record.byte_offset = csv->record_offset;
    status = what == FOUND_BROKEN ? reject_quote(csv, place, err) : give(csv, place, err);
    if (status == DM_OK) *record = &csv->record;
    return status;
  }
}

/* ---- opening and moving ------------------------------------------------------------ */

dm_status csv_reader_new(csv_source *source, const char *encoding, const csv_shape *shape, size_t block, dm_csv **out,
                         dm_error *err) {
  dm_ctx *ctx = source->ctx;
  dm_csv *csv = dm_alloc(ctx, 1, sizeof *csv, "reader", err);
  if (!csv) {
    csv_source_close(source);
    return DM_EBUDGET;
  }
  csv->ctx = ctx;
  csv->source = source;
  csv->shape = *shape;
  csv->capacity = block + CSV_DECODE_MIN;
  csv->cell_capacity = shape->n_columns ? shape->n_columns + 2 : 64;
  csv->dialect.encoding = encoding;
  dm_buf_init(&csv->raw, ctx, NULL);
  dm_status status = csv_decoder_init(&csv->decoder, source, encoding, block, err);
  if (status == DM_OK) status = dm_arena_new(ctx, 0, &csv->memory, err);
  if (status == DM_OK) {
    csv->text = dm_alloc(ctx, csv->capacity, 1, "read buffer", err);
    csv->index = csv->text ? dm_alloc(ctx, CSV_WINDOW, sizeof *csv->index, "index", err) : NULL;
    csv->cells = csv->index ? dm_alloc(ctx, csv->cell_capacity, sizeof *csv->cells, "cells of a record", err) : NULL;
    if (!csv->cells) status = DM_EBUDGET;
  }
  if (status != DM_OK) {
    dm_csv_close(csv);
    return status;
  }
  csv_scan_init(&csv->scan, shape->chars);
  csv_reader_seek(csv, 1, 1, 0);
  *out = csv;
  return DM_OK;
}

void dm_csv_close(dm_csv *csv) {
  if (!csv) return;
  dm_ctx *ctx = csv->ctx;
  csv_decoder_clear(&csv->decoder);
  csv_source_close(csv->source);
  dm_buf_clear(&csv->raw);
  dm_free(ctx, csv->text);
  dm_free(ctx, csv->index);
  dm_free(ctx, csv->cells);
  dm_free(ctx, csv->columns);
  dm_free(ctx, csv->notes);
  dm_arena_free(csv->memory);
  dm_free(ctx, csv);
}

void csv_reader_seek(dm_csv *csv, uint64_t number, uint64_t line, uint64_t offset) {
  csv_decoder_seek(&csv->decoder, offset);
  csv->begin = csv->end = 0;
  csv->text_base = 0;
  csv->eof = csv->skip_lf = csv->pending = csv->ended_open = false;
  csv->number = number;
  csv->line = line;
  csv->offset = offset;
  csv->doomed_until = 0;
  csv->open_at_end = false;
  forget_index(csv, 0);
  csv->window = CSV_WINDOW;
}

dm_status dm_csv_rewind(dm_csv *csv, dm_error *err) {
  (void)err;
  csv->n_lf = csv->n_crlf = csv->n_cr = csv->n_blank = csv->n_literal = 0;
  csv_reader_seek(csv, 1, csv->first_line, csv->first_offset);
  return DM_OK;
}

dm_status dm_csv_seek(dm_csv *csv, uint64_t record, uint64_t line, uint64_t byte_offset, dm_error *err) {
  if (record == 0 || line < csv->first_line || byte_offset < csv->first_offset)
    return dm_fail(err, DM_EUSAGE, "csv: record %llu, line %llu, byte %llu is before the first record", (unsigned long long)record,
                   (unsigned long long)line, (unsigned long long)byte_offset);
  csv_reader_seek(csv, record, line, byte_offset);
  return DM_OK;
}

dm_status dm_csv_raw(dm_csv *csv, dm_str *raw, dm_error *err) {
  if (!csv->pending) return dm_fail(err, DM_EUSAGE, "csv: no record was read");
  if (!csv->record.raw) {
    dm_status status = read_raw(csv, csv->record_offset, csv->raw_bytes, err);
    if (status != DM_OK) return status;
  }
  *raw = (dm_str){csv->raw.p, csv->raw.n};
  return DM_OK;
}

uint64_t dm_csv_bytes(const dm_csv *csv) { return csv->source->size; }
uint64_t dm_csv_bytes_done(const dm_csv *csv) { return csv->offset; }
const char *dm_csv_sha256(const dm_csv *csv) { return csv->source->hex; }
