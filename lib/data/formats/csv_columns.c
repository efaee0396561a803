/*
 * The sample's columns: how many, is the first record their header, of what
 * types. First all records are counted by their fields, then those that fit
 * are typed.
 */
#include "csv_sample.h"

#include <string.h>

dm_status csv_fail_input(const csv_opening *o, dm_error *err, const char *what, const char *hint) {
  (void)dm_fail(err, DM_EINPUT, "%s", what);
  dm_error_at(err, o->sample.name, 0, 0);
  if (hint) dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

/* ---- missing cells ----------------------------------------------------------------- */

dm_status csv_keep_nulls(dm_csv *csv, const dm_csv_options *options, bool quoted, dm_error *err) {
  csv->null_quoted = quoted;
  csv->n_nulls = options->n_nulls;
  csv->nulls = dm_arena_alloc(csv->memory, options->n_nulls, sizeof *csv->nulls, err);
  if (!csv->nulls && options->n_nulls) return DM_EBUDGET;
  for (size_t i = 0; i < options->n_nulls; i++) {
    size_t n = strlen(options->nulls[i]);
    char *copy = dm_arena_strdup(csv->memory, options->nulls[i], n, err);
    if (!copy) return DM_EBUDGET;
    csv->nulls[i] = (dm_str){copy, n};
  }
  return DM_OK;
}

bool dm_csv_is_missing(const dm_csv *csv, const dm_csv_cell *cell) {
  if (cell->n == 0 && !cell->quoted) return true;
  if (csv->n_nulls == 0 || (cell->quoted && !csv->null_quoted)) return false;
  for (size_t i = 0; i < csv->n_nulls; i++)
    if (csv->nulls[i].n == cell->n && memcmp(csv->nulls[i].p, cell->p, cell->n) == 0) return true;
  return false;
}

static bool names_null(const dm_csv_options *o, const dm_csv_cell *cell) {
  for (size_t i = 0; i < o->n_nulls; i++)
    if (strlen(o->nulls[i]) == cell->n && memcmp(o->nulls[i], cell->p, cell->n) == 0) return true;
  return false;
}

enum { MAX_TITLES = 20 };

/* ---- counting ------------------------------------------------------------------------ */

typedef struct counts {
  uint32_t *times;  /* [CSV_MAX_COLUMNS + 1] records by number of fields, without the first */
  size_t n;         /* records behind the first */
  size_t second_offset;
  uint64_t second_line; /* place of the second record */
  size_t usual;     /* the most frequent number, 0 = no record behind the first */
  size_t empty_end; /* records whose last field is the empty one, by one more than the first has */
  size_t null_plain, null_quoted;
} counts;

static dm_status keep_first(csv_opening *o, const dm_csv_record *r, dm_error *err) {
  o->first_fits = r->reason == DM_REJECT_NONE;
  o->first_too_wide = r->reason == DM_REJECT_TOO_MANY;
  if (!o->first_fits) return DM_OK;
  o->n_first = r->n_cells;
  o->first = dm_arena_alloc(o->memory, r->n_cells, sizeof *o->first, err);
  o->first_quoted = dm_arena_alloc(o->memory, r->n_cells, sizeof *o->first_quoted, err);
  if (!o->first || !o->first_quoted) return DM_EBUDGET;
  for (size_t i = 0; i < r->n_cells; i++) {
    char *copy = dm_arena_strdup(o->memory, r->cells[i].p, r->cells[i].n, err);
    if (!copy) return DM_EBUDGET;
    o->first[i] = (dm_str){copy, r->cells[i].n};
    o->first_quoted[i] = r->cells[i].quoted;
  }
  return DM_OK;
}

static void count_record(const csv_opening *o, counts *c, const dm_csv_record *r) {
  if (r->reason != DM_REJECT_NONE) return;
  c->times[r->n_cells]++;
  const dm_csv_cell *last = &r->cells[r->n_cells - 1];
  c->empty_end += r->n_cells == o->n_first + 1 && last->n == 0 && !last->quoted;
  for (size_t i = 0; i < r->n_cells && o->options.n_nulls; i++) {
    if (!names_null(&o->options, &r->cells[i])) continue;
    if (r->cells[i].quoted)
      c->null_quoted++;
    else
      c->null_plain++;
  }
}

static dm_status count_fields(csv_opening *o, counts *c, dm_error *err) {
  dm_csv *csv = NULL;
  const dm_csv_record *r;
  memset(c->times, 0, (CSV_MAX_COLUMNS + 1) * sizeof *c->times);
  o->shape.n_columns = 0;
  o->shape.any_bytes = true;
  dm_status status = csv_sample_reader(&o->sample, &o->shape, &csv, err);
  o->shape.any_bytes = false;
  if (status != DM_OK) return status;
  status = dm_csv_next(csv, &r, err);
  if (status == DM_OK && r)
    status = keep_first(o, r, err);
  else if (status == DM_OK)
    status = csv_fail_input(o, err, "the file holds no record, only line ends", NULL);
  csv->shape.any_bytes = false;
  while (status == DM_OK) {
    status = csv_sample_next(&o->sample, csv, &r, err);
    if (status != DM_OK || !r) break;
    if (c->n++ == 0) c->second_offset = (size_t)r->byte_offset, c->second_line = r->line;
    count_record(o, c, r);
  }
  for (size_t n = 1; n <= CSV_MAX_COLUMNS; n++)
    if (c->times[n] > c->times[c->usual]) c->usual = n;
  o->null_quoted = c->null_quoted > 0 && c->null_plain == 0;
  o->n_lf = csv->n_lf, o->n_crlf = csv->n_crlf, o->n_cr = csv->n_cr, o->n_literal = csv->n_literal;
  dm_csv_close(csv);
  return status;
}

/* ---- typing ------------------------------------------------------------------------------ */

static void see_cell(csv_column_seen *c, const csv_opening *o, const dm_csv_cell *cell) {
  bool missing = cell->n == 0; /* "" is text among texts, but says nothing against numbers */
  if (missing || ((!cell->quoted || o->null_quoted) && names_null(&o->options, cell))) {
    dm_typing_see_missing(&c->typing);
    return;
  }
  bool letter = false;
  for (size_t i = 0; i < cell->n && !letter; i++) {
    unsigned char b = (unsigned char)cell->p[i];
    letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b >= 0x80;
  }
  c->letters += letter;
  c->same_as_first += c->first.p && dm_str_equal(c->first, (dm_str){cell->p, cell->n});
  if (c->typing.n == 0) c->length = cell->n;
  if (c->length != cell->n) c->length = SIZE_MAX;
  dm_typing_see(&c->typing, cell->p, cell->n, cell->quoted);
}

/* Types the records of one piece that fit, behind the first `skip`. */
static dm_status see_piece(const csv_opening *o, const csv_sample *piece, size_t skip, csv_column_seen *seen, size_t *good,
                           size_t *all, dm_error *err) {
  dm_csv *csv = NULL;
  dm_status status = csv_sample_reader(piece, &o->shape, &csv, err);
  *good = *all = 0;
  for (size_t i = 0; status == DM_OK; i++) {
    const dm_csv_record *r;
    status = csv_sample_next(piece, csv, &r, err);
    if (status != DM_OK || !r) break;
    if (i < skip) continue;
    ++*all;
    if (r->reason != DM_REJECT_NONE) continue;
    ++*good;
    for (size_t k = 0; k < o->n; k++) see_cell(&seen[k], o, &r->cells[k]);
  }
  dm_csv_close(csv);
  return status;
}

/* The middle or the end counts when it reads as evenly as text should: it may start inside quotes. */
static dm_status see_part(csv_opening *o, size_t part, dm_error *err) {
  csv_sample piece = o->sample;
  piece.head = o->sample.part[part];
  piece.n = o->sample.part_n[part];
  piece.start = 0;
  piece.whole = part == 1;
  if (piece.n == 0) return DM_OK;
  size_t good, all, bytes = o->n * sizeof *o->seen;
  csv_column_seen *trial = dm_alloc(o->ctx, o->n, sizeof *trial, "sample", err);
  if (!trial) return DM_EBUDGET;
  memcpy(trial, o->seen, bytes);
  dm_status status = see_piece(o, &piece, 1, trial, &good, &all, err);
  if (status == DM_OK && good * 20 >= all * 19) {
    memcpy(o->seen, trial, bytes);
    o->n_records += good;
  }
  dm_free(o->ctx, trial);
  return status;
}

/* Types n columns on the head, without the first record. */
static dm_status see_head(csv_opening *o, size_t n, dm_error *err) {
  size_t all;
  o->n = o->shape.n_columns = n;
  o->seen = dm_arena_alloc(o->memory, n, sizeof *o->seen, err);
  if (!o->seen) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    dm_typing_init(&o->seen[i].typing);
    o->seen[i].length = SIZE_MAX;
    if (i >= o->n_first) continue;
    o->seen[i].first = o->first[i];
    o->seen[i].first_quoted = o->first_quoted[i];
  }
  return see_piece(o, &o->sample, 1, o->seen, &o->n_records, &all, err);
}

/* The first record is data. */
static void see_first(csv_opening *o) {
  if (!o->first_fits || o->n_first != o->n) return;
  o->n_records++;
  for (size_t i = 0; i < o->n; i++)
    see_cell(&o->seen[i], o, &(dm_csv_cell){o->first[i].p, o->first[i].n, o->first_quoted[i]});
}

/* Columns of a file whose first record is its header. */
static size_t width_of_header(csv_opening *o, const counts *c) {
  size_t n = o->n_first;
  o->shape.trailing = c->times[n + 1 <= CSV_MAX_COLUMNS ? n + 1 : n] >= 2 && c->usual == n + 1 && c->empty_end == c->times[n + 1];
  bool longer = n > 1 && c->usual == n - 1 && o->first[n - 1].n == 0 && !o->first_quoted[n - 1];
  return longer ? n - 1 : n; /* the header ends in a delimiter, the records do not */
}

/* A title above the table: one field, where nearly all records have more. */
static bool is_title(const csv_opening *o, const counts *c) {
  return o->options.header == DM_AUTO && o->first_fits && o->n_first == 1 && c->usual > 1 && c->times[c->usual] >= 2 &&
         c->times[c->usual] * 5 >= c->n * 4 && o->n_titles < MAX_TITLES;
}

/* Counts fields, passing over titles. */
static dm_status count_below_titles(csv_opening *o, counts *c, dm_error *err) {
  for (;;) {
    *c = (counts){.times = c->times};
    dm_status status = count_fields(o, c, err);
    if (status != DM_OK || !is_title(o, c)) return status;
    if (o->n_titles++ == 0) o->title = o->first[0];
    o->sample.start = c->second_offset;
    o->sample.line = c->second_line;
  }
}

static dm_status fail_first(const csv_opening *o, dm_error *err) {
  if (!o->first_too_wide)
    return csv_fail_input(o, err, "the first record cannot be read: a quote opens and is not closed, or it is too long",
                          "is the quote character another one (--quote)?");
  (void)dm_fail(err, DM_EINPUT, "more than %d fields in the first record", CSV_MAX_COLUMNS);
  dm_error_at(err, o->sample.name, o->sample.line, 0);
  dm_error_hint(err, "is the delimiter another one than '%c' (--delimiter)?", o->shape.chars.delimiter);
  return DM_EINPUT;
}

dm_status csv_settle_columns(csv_opening *o, dm_error *err) {
  counts c = {0};
  c.times = dm_arena_alloc(o->memory, CSV_MAX_COLUMNS + 1, sizeof *c.times, err);
  if (!c.times) return DM_EBUDGET;
  dm_status status = count_below_titles(o, &c, err);
  if (status != DM_OK) return status;
  if (!o->first_fits && (o->options.header == DM_YES || c.usual == 0)) return fail_first(o, err);
  if (o->options.n_columns > CSV_MAX_COLUMNS) return dm_fail(err, DM_EUSAGE, "--columns: more than %d names", CSV_MAX_COLUMNS);
  status = see_head(o, c.usual ? c.usual : o->n_first, err);
  if (status != DM_OK) return status;
  size_t common = o->n < o->n_first ? o->n : o->n_first;
  o->header = o->first_fits && (o->options.header == DM_YES ||
                                (o->options.header == DM_AUTO && csv_detect_header(o->seen, common, o->n_records)));
  if (o->header) {
    size_t n = width_of_header(o, &c);
    if (n != o->n) status = see_head(o, n, err);
  } else {
    see_first(o);
  }
  for (size_t i = 0; i < 2 && status == DM_OK; i++) status = see_part(o, i, err);
  return status;
}
