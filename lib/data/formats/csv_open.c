/*
 * Opening: sample, encoding, dialect, header, types, in this order; each step
 * reads the sample anew with what the steps before found.
 */
#include "csv_sample.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- sample -------------------------------------------------------------------- */

static dm_status read_piece(csv_source *source, dm_ctx *ctx, uint64_t offset, size_t want, char **out, size_t *n, dm_error *err) {
  char *p = dm_alloc(ctx, want, 1, "sample", err);
  if (!p) return DM_EBUDGET;
  *out = p;
  *n = 0;
  while (*n < want) {
    size_t got;
    dm_status status = csv_source_read(source, offset + *n, p + *n, want - *n, &got, err);
    if (status != DM_OK) return status;
    if (got == 0) break;
    *n += got;
  }
  return DM_OK;
}

static void sample_clear(csv_sample *s, dm_ctx *ctx) {
  dm_free(ctx, s->head);
  dm_free(ctx, s->part[0]);
  dm_free(ctx, s->part[1]);
}

static dm_status take_sample(csv_source *source, csv_sample *s, dm_error *err) {
  *s = (csv_sample){.ctx = source->ctx, .name = source->name, .line = 1};
  uint64_t size = source->size;
  dm_status status = read_piece(source, s->ctx, 0, size < CSV_SAMPLE ? (size_t)size + 1 : CSV_SAMPLE, &s->head, &s->n, err);
  s->whole = s->n >= size;
  /* the reader starts behind a BOM, and the digest is of all bytes */
  if (status == DM_OK && s->n) csv_source_hash(source, 0, s->head, s->n);
  if (status != DM_OK || size < CSV_SAMPLE + 2 * CSV_SAMPLE_PART) return status;
  uint64_t at[2] = {size / 2 / 4 * 4, (size - CSV_SAMPLE_PART) / 4 * 4}; /* whole characters of UTF-16 and UTF-32 */
  for (size_t i = 0; i < 2 && status == DM_OK; i++)
    status = read_piece(source, s->ctx, at[i], i ? CSV_SAMPLE_PART + 4 : CSV_SAMPLE_PART, &s->part[i], &s->part_n[i], err);
  return status;
}

static dm_status piece_reader(const csv_sample *s, const char *p, size_t n, const csv_shape *shape, dm_csv **out, dm_error *err) {
  csv_source *source = NULL;
  dm_status status = csv_source_open_memory(s->ctx, s->name, p, n, false, &source, err);
  if (status != DM_OK) return status;
  return csv_reader_new(source, s->encoding, shape, n < CSV_SAMPLE_PART ? n + 1 : CSV_SAMPLE_PART, out, err);
}

dm_status csv_sample_reader(const csv_sample *sample, const csv_shape *shape, dm_csv **out, dm_error *err) {
  dm_status status = piece_reader(sample, sample->head, sample->n, shape, out, err);
  if (status == DM_OK) csv_reader_seek(*out, 1, sample->line, sample->start);
  return status;
}

dm_status csv_sample_next(const csv_sample *sample, dm_csv *csv, const dm_csv_record **record, dm_error *err) {
  dm_status status = dm_csv_next(csv, record, err);
  if (status != DM_OK || !*record || sample->whole) return status;
  if (csv->next_offset >= sample->n || csv->open_at_end) *record = NULL;
  return DM_OK;
}

/* Excel's first line `sep=;` */
static dm_status read_separator(csv_sample *s, dm_error *err) {
  static const csv_shape lines = {.chars = {.delimiter = '\x1f', .quote = '\x1e'}, .max_cell = CSV_MAX_CELL};
  dm_csv *csv = NULL;
  const dm_csv_record *r;
  dm_status status = csv_sample_reader(s, &lines, &csv, err);
  if (status != DM_OK) return status;
  status = dm_csv_next(csv, &r, err);
  if (status == DM_OK && r && r->reason == DM_REJECT_NONE && r->line == s->line && r->cells[0].n == 5 &&
      strncasecmp(r->cells[0].p, "sep=", 4) == 0) {
    s->separator = r->cells[0].p[4];
    status = dm_csv_next(csv, &r, err); /* past \r\n */
    s->line++;
    s->start = status == DM_OK && r ? (size_t)r->byte_offset : s->n;
  }
  dm_csv_close(csv);
  return status;
}

/* ---- options ---------------------------------------------------------------------- */

static dm_status check_options(const dm_csv_options *o, dm_error *err) {
  const char structural[] = {o->delimiter, o->quote};
  for (size_t i = 0; i < sizeof structural; i++) {
    unsigned char c = (unsigned char)structural[i];
    if (c == '\n' || c == '\r' || c >= 0x80)
      return dm_fail(err, DM_EUSAGE, "%s: byte 0x%02X, want one ASCII character that is no newline",
                     i == 0 ? "--delimiter" : "--quote", c);
  }
  if (o->delimiter && o->delimiter == (o->quote ? o->quote : '"'))
    return dm_fail(err, DM_EUSAGE, "--delimiter and --quote are both '%c'", o->delimiter);
  if (o->max_cell > CSV_CEILING) return dm_fail(err, DM_EUSAGE, "max_cell = %zu, want at most 512 MB", o->max_cell);
  return DM_OK;
}

static size_t cell_limit(const dm_ctx *ctx, const dm_csv_options *o) {
  if (o->max_cell) return o->max_cell;
  size_t budget = dm_ctx_budget(ctx) / 8; /* a record is held at most three times while its buffer grows */
  return budget && budget < CSV_MAX_CELL ? budget : CSV_MAX_CELL;
}

/* ---- opening ---------------------------------------------------------------------- */

static dm_status find_encoding(csv_opening *o, dm_error *err) {
  const char *wanted = NULL;
  if (o->sample.n == 0) return csv_fail_input(o, err, "the file is empty", NULL);
  if (o->options.encoding) {
    wanted = csv_encoding_name(o->memory, o->options.encoding, err);
    if (!wanted) return DM_EBUDGET;
  }
  csv_detect_encoding(&o->sample, wanted);
  const char *format = csv_binary_format(&o->sample);
  if (format) {
    char what[96];
    (void)snprintf(what, sizeof what, "%s data, want delimited text", format);
    return csv_fail_input(o, err, what, "unpack it, or export it as CSV, first");
  }
  o->sample.start = o->sample.bom;
  return read_separator(&o->sample, err);
}

static dm_status make_columns(csv_opening *o, dm_csv *csv, dm_error *err) {
  csv->n_columns = o->n;
  csv->columns = dm_alloc(o->ctx, o->n, sizeof *csv->columns, "columns", err);
  dm_str *names = dm_arena_alloc(o->memory, o->n, sizeof *names, err);
  if (!csv->columns || !names) return DM_EBUDGET;
  bool given = o->options.n_columns > 0;
  if (given && o->options.n_columns != o->n)
    return dm_fail(err, DM_EUSAGE, "--columns names %zu columns, %s has %zu", o->options.n_columns, o->sample.name, o->n);
  csv->dialect.header_quoted = o->header;
  for (size_t i = 0; i < o->n; i++) {
    names[i] = given ? dm_str_of(o->options.columns[i]) : o->header ? o->first[i] : (dm_str){0};
    csv->columns[i].type = o->options.all_text ? DM_TEXT : dm_typing_type(&o->seen[i].typing);
    if (o->header && !o->first_quoted[i]) csv->dialect.header_quoted = false;
  }
  return csv_name_columns(csv, given || o->header ? names : NULL, err);
}

/* Reads up to the first record of data. */
static dm_status pass_header(csv_opening *o, dm_csv *csv, dm_error *err) {
  const dm_csv_record *r;
  csv_reader_seek(csv, 1, o->sample.line, o->sample.start);
  if (o->header) {
    csv->shape.n_columns = 0;
    csv->shape.any_bytes = true;
    dm_status status = dm_csv_next(csv, &r, err);
    if (status == DM_OK) status = csv_reader_begin(csv, err);
    if (status != DM_OK) return status;
    csv->shape = o->shape;
  }
  csv->first_line = csv->line;
  csv->first_offset = csv->offset;
  return dm_csv_rewind(csv, err);
}

static dm_status describe(csv_opening *o, dm_csv *csv, dm_error *err) {
  const csv_sample *s = &o->sample;
  dm_csv_dialect *d = &csv->dialect;
  d->delimiter = o->shape.chars.delimiter;
  d->quote = o->shape.chars.quote;
  d->escape = o->shape.chars.escape;
  d->trim = o->shape.chars.trim;
  d->trailing = o->shape.trailing;
  d->header = o->header;
  d->bom = s->bom > 0;
  d->crlf = o->n_crlf > o->n_lf && o->n_crlf >= o->n_cr;
  d->line_ending = d->crlf ? "\r\n" : o->n_cr > o->n_lf ? "\r" : "\n";
  d->mixed_endings = (o->n_lf > 0) + (o->n_crlf > 0) + (o->n_cr > 0) > 1;
  d->sample_records = o->n_records;
  d->sample_bytes = s->n + s->part_n[0] + s->part_n[1];
  dm_status status = DM_OK;
  if (s->separator) status = csv_add_note(csv, err, "line 1 is a 'sep=%c' line, no data", s->separator);
  if (status == DM_OK && o->n_titles)
    status = csv_add_note(csv, err, "%zu line%s above the table left out: '%.*s%s", o->n_titles, o->n_titles == 1 ? "" : "s",
                          (int)(o->title.n < 80 ? o->title.n : 80), o->title.p, o->n_titles == 1 ? "'" : "' …");
  if (status == DM_OK && d->mixed_endings) status = csv_add_note(csv, err, "lines end in several ways; each is understood");
  if (status == DM_OK && o->shape.trailing)
    status = csv_add_note(csv, err, "records end in one delimiter more than the header: it is left out");
  if (status == DM_OK && d->escape) status = csv_add_note(csv, err, "quotes inside quoted cells are written \\%c", d->quote);
  if (status == DM_OK && o->n_literal)
    status = csv_add_note(csv, err, "text follows the closing quote of a cell in %zu places of the sample: it is kept as text",
                          o->n_literal);
  return status;
}

static dm_status detect(csv_opening *o, dm_error *err) {
  dm_status status = check_options(&o->options, err);
  if (status == DM_OK) status = take_sample(o->source, &o->sample, err);
  if (status == DM_OK) status = find_encoding(o, err);
  if (status == DM_OK) status = csv_detect_chars(&o->sample, &o->options, &o->shape.chars, err);
  if (status == DM_OK) status = csv_settle_columns(o, err);
  o->shape.n_columns = o->n;
  o->shape.header = o->header;
  return status;
}

static dm_status build(csv_opening *o, dm_csv **out, dm_error *err) {
  dm_csv *csv = NULL;
  csv_source *source = o->source;
  o->source = NULL; /* the reader's from now on */
  csv_source_hash(source, 0, o->sample.head, o->sample.start); /* what the reader never sees */
  size_t block = o->sample.whole && o->sample.n < o->block ? o->sample.n + 1 : o->block;
  dm_status status = csv_reader_new(source, o->sample.encoding, &o->shape, block, &csv, err);
  if (status != DM_OK) return status;
  csv->dialect.encoding = dm_arena_strdup(csv->memory, o->sample.encoding, strlen(o->sample.encoding), err);
  status = csv->dialect.encoding ? make_columns(o, csv, err) : DM_EBUDGET;
  if (status == DM_OK) status = describe(o, csv, err);
  if (status == DM_OK) status = pass_header(o, csv, err);
  if (status == DM_OK) status = csv_keep_nulls(csv, &o->options, o->null_quoted, err);
  if (status == DM_OK)
    *out = csv;
  else
    dm_csv_close(csv);
  return status;
}

dm_status csv_open_source(csv_source *source, const dm_csv_options *options, size_t block, dm_csv **out, dm_error *err) {
  csv_opening o = {.ctx = source->ctx, .source = source, .block = block};
  if (options) o.options = *options;
  o.shape.on_extra = o.options.on_extra;
  o.shape.max_cell = cell_limit(o.ctx, &o.options);
  dm_status status = dm_arena_new(o.ctx, 0, &o.memory, err);
  if (status == DM_OK) status = detect(&o, err);
  if (status == DM_OK) status = build(&o, out, err);
  csv_source_close(o.source);
  sample_clear(&o.sample, o.ctx);
  dm_arena_free(o.memory);
  return status;
}

dm_status dm_csv_open(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_csv **out, dm_error *err) {
  csv_source *source = NULL;
  dm_status status = csv_source_open(ctx, path, &source, err);
  return status == DM_OK ? csv_open_source(source, options, CSV_READ_BLOCK, out, err) : status;
}

dm_status dm_csv_open_memory(dm_ctx *ctx, const char *name, const char *p, size_t n, const dm_csv_options *options,
                             dm_csv **out, dm_error *err) {
  csv_source *source = NULL;
  dm_status status = csv_source_open_memory(ctx, name, p, n, true, &source, err);
  return status == DM_OK ? csv_open_source(source, options, CSV_READ_BLOCK, out, err) : status;
}

dm_status dm_csv_reopen(dm_ctx *ctx, const char *path, const dm_csv_dialect *dialect, size_t n_columns, dm_on_extra on_extra,
                        dm_csv **out, dm_error *err) {
  csv_source *source = NULL;
  dm_csv *csv = NULL;
  csv_shape shape = {.n_columns = n_columns, .header = dialect->header, .trailing = dialect->trailing, .on_extra = on_extra,
                     .max_cell = CSV_CEILING}; /* it was good with the limit of then */
  shape.chars = (csv_chars){.delimiter = dialect->delimiter, .quote = dialect->quote, .escape = dialect->escape, .trim = dialect->trim};
  dm_status status = csv_source_open(ctx, path, &source, err);
  if (status == DM_OK) status = csv_reader_new(source, dialect->encoding, &shape, CSV_SAMPLE_PART, &csv, err);
  if (status != DM_OK) return status;
  csv->dialect = *dialect;
  csv->dialect.encoding = dm_arena_strdup(csv->memory, dialect->encoding, strlen(dialect->encoding), err);
  if (!csv->dialect.encoding) {
    dm_csv_close(csv);
    return DM_EBUDGET;
  }
  *out = csv;
  return DM_OK;
}

const dm_csv_dialect *dm_csv_get_dialect(const dm_csv *csv) { return &csv->dialect; }
size_t dm_csv_n_columns(const dm_csv *csv) { return csv->n_columns; }
const dm_csv_column *dm_csv_get_column(const dm_csv *csv, size_t i) { return &csv->columns[i]; }
size_t dm_csv_n_notes(const dm_csv *csv) { return csv->n_notes; }
const char *dm_csv_note(const dm_csv *csv, size_t i) { return csv->notes[i]; }
