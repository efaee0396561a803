/*
 * Delimiter, escape, quote, trim: each candidate reads the sample, and the
 * reading with the most even records and the most telling cells wins.
 *
 *   score = share(mode)^1.5 · (L - 1)/L · mean score of cells · habit
 *
 * mode: the number L of fields most records have. A text without delimiter is
 * scored as one column. Source: the idea is van den Burg, Nazábal, Sutton:
 * Wrangling messy CSV files by detecting row and type patterns, DMKD 2019.
 */
#define _GNU_SOURCE
#include "csv_sample.h"

#include <math.h>
#include <string.h>

enum { MAX_RECORDS = 1000, MAX_COUNTS = 64 };

static const struct candidate {
  char delimiter;
  double habit; /* how readily such a file is written */
} candidates[] = {{',', 1.0}, {'\t', 1.0}, {';', 1.0}, {'|', 1.0}, {'^', 0.8}, {'~', 0.8}, {':', 0.3}, {' ', 0.35}, {'\x1f', 1.0}};
static const double habit_of_one_column = 0.3, ragged_one_column = 0.2;

/* How a reading came out. */
typedef struct reading {
  size_t n;               /* records */
  size_t lengths[MAX_COUNTS], times[MAX_COUNTS], n_lengths;
  size_t bad, literal;    /* records with a broken quote; quoted cells with text behind */
  double cells, cell_score;
  size_t n_dense;          /* cells in which a usual delimiter stands between two others than blanks */
  size_t mode, mode_times; /* most frequent number of fields */
} reading;

/* ---- cells ------------------------------------------------------------------- */

static bool in(char c, const char *set) { return c && strchr(set, c); }

/* How much a cell looks like one: numbers, dates and words do, pieces that hold other delimiters do not. */
static double score_cell(const char *p, size_t n, bool quoted, char delimiter) {
  if (quoted) return 1;
  while (n > 0 && (*p == ' ' || *p == '\t')) p++, n--;
  while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) n--;
  if (n == 0) return 0.6;
  size_t digits = 0, numeric = 0, foreign = 0, blanks = 0, quotes = 0;
  for (size_t i = 0; i < n; i++) {
    char c = p[i];
    digits += c >= '0' && c <= '9';
    numeric += (c >= '0' && c <= '9') || in(c, "+-.,:/%$TZ");
    blanks += c == ' ';
    quotes += c == '"';
    /* a comma before a blank belongs to prose, one between digits to a number */
    if (c != delimiter && in(c, ";\t|")) foreign++;
    if (c == ',' && delimiter != ',' && !(i + 1 < n && p[i + 1] == ' ') &&
        !(i > 0 && i + 1 < n && p[i - 1] >= '0' && p[i - 1] <= '9' && p[i + 1] >= '0' && p[i + 1] <= '9'))
      foreign++;
  }
  if (quotes) return 0.2;
  if (foreign) return 0.3;
  if (digits && numeric + (digits >= 6 ? (blanks <= 1 ? blanks : 0) : 0) == n) return 1;
  if (digits && numeric + blanks == n) return 0.3; /* several numbers */
  return 0.9;
}

/* ---- reading the sample ---------------------------------------------------------- */

static bool is_dense(const dm_csv_cell *cell) {
  for (size_t i = 1; !cell->quoted && i + 1 < cell->n; i++)
    if (in(cell->p[i], ",;\t|") && cell->p[i - 1] != ' ' && cell->p[i + 1] != ' ') return true;
  return false;
}

static void count_length(reading *r, size_t length) {
  r->n++;
  for (size_t i = 0; i < r->n_lengths; i++) {
    if (r->lengths[i] != length) continue;
    r->times[i]++;
    return;
  }
  if (r->n_lengths == MAX_COUNTS) return;
  r->lengths[r->n_lengths] = length;
  r->times[r->n_lengths++] = 1;
}

static dm_status read_with(const csv_sample *sample, const csv_chars *chars, reading *r, dm_error *err) {
  csv_shape shape = {.chars = *chars, .max_cell = CSV_MAX_CELL};
  dm_csv *csv = NULL;
  *r = (reading){0};
  dm_status status = csv_sample_reader(sample, &shape, &csv, err);
  if (status != DM_OK) return status;
  const dm_csv_record *record;
  while (r->n + r->bad < MAX_RECORDS) {
    status = csv_sample_next(sample, csv, &record, err);
    if (status != DM_OK || !record) break;
    if (record->reason == DM_REJECT_QUOTE) r->bad++;
    if (record->reason == DM_REJECT_TOO_MANY) { /* wider than any table: what stands in the cells is not known, and does not matter */
      count_length(r, record->n_cells);
      r->cells += 1;
      r->cell_score += 1;
    }
    if (record->reason != DM_REJECT_NONE) continue;
    count_length(r, record->n_cells);
    r->n_dense += is_dense(&record->cells[0]);
    for (size_t i = 0; i < record->n_cells; i++)
      r->cell_score += score_cell(record->cells[i].p, record->cells[i].n, record->cells[i].quoted, chars->delimiter);
    r->cells += (double)record->n_cells;
  }
  r->literal = csv->n_literal;
  dm_csv_close(csv);
  for (size_t i = 0; i < r->n_lengths; i++) {
    if (r->times[i] < r->mode_times || (r->times[i] == r->mode_times && r->lengths[i] < r->mode)) continue;
    r->mode = r->lengths[i];
    r->mode_times = r->times[i];
  }
  return status;
}

static double score_reading(const reading *r, double habit) {
  if (r->n == 0) return 0;
  double cells = r->cell_score / r->cells;
  if (r->mode == 1 && r->mode_times < r->n) return 0;
  if (r->mode == 1) return cells * habit_of_one_column * (r->n_dense * 5 > r->n * 3 ? 0.2 : 1);
  double share = (double)r->mode_times / (double)(r->n + r->bad);
  return share * sqrt(share) * (double)(r->mode - 1) / (double)r->mode * cells * habit;
}

/* ---- deciding ------------------------------------------------------------------------ */

/* No record of the reading is without the delimiter. */
static bool is_everywhere(const reading *r) {
  for (size_t i = 0; i < r->n_lengths; i++)
    if (r->lengths[i] == 1) return false;
  return r->n > 1;
}

/*
 * One column wins over several only with the better score, and hardly ever
 * when a usual delimiter stands in every record, header included: such a file
 * is ragged, and its records are better set aside than taken for one cell.
 */
static dm_status detect_delimiter(const csv_sample *sample, csv_chars *chars, dm_error *err) {
  double best = 0, one = 0;
  char delimiter = ',', of_one = ',';
  bool everywhere = false;
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    csv_chars c = *chars;
    c.delimiter = candidates[i].delimiter;
    if (c.delimiter == c.quote) continue;
    reading r;
    dm_status status = read_with(sample, &c, &r, err);
    if (status != DM_OK) return status;
    double score = score_reading(&r, candidates[i].habit);
    everywhere |= candidates[i].habit >= 1 && is_everywhere(&r);
    if (r.mode == 1 && score > one) one = score, of_one = c.delimiter;
    if (r.mode != 1 && score > best) best = score, delimiter = c.delimiter;
  }
  chars->delimiter = one * (everywhere ? ragged_one_column : 1) > best ? of_one : delimiter;
  return DM_OK;
}

static size_t uneven(const reading *r) { return r->n - r->mode_times + r->bad + r->literal; }

/* \" inside quotes: taken for an escape when the sample is read more evenly so. */
static dm_status detect_escape(const csv_sample *sample, csv_chars *chars, dm_error *err) {
  const char pair[] = {'\\', chars->quote};
  if (!memmem(sample->head, sample->n, pair, sizeof pair)) return DM_OK;
  csv_chars escaped = *chars;
  escaped.escape = '\\';
  reading without, with;
  dm_status status = read_with(sample, chars, &without, err);
  if (status == DM_OK) status = read_with(sample, &escaped, &with, err);
  if (status == DM_OK && uneven(&with) < uneven(&without) && with.mode >= without.mode) *chars = escaped;
  return status;
}

/* Single quotes: only when every record is even with them, some are not without, and no cell begins with a double quote. */
static dm_status detect_quote(const csv_sample *sample, csv_chars *chars, dm_error *err) {
  const char opening[] = {chars->delimiter, '\''}, other[] = {chars->delimiter, '"'};
  if (!memmem(sample->head, sample->n, opening, 2) || memmem(sample->head, sample->n, other, 2) ||
      (sample->n > sample->start && sample->head[sample->start] == '"') || memmem(sample->head, sample->n, "\n\"", 2))
    return DM_OK;
  csv_chars single = *chars;
  single.quote = '\'';
  reading without, with;
  dm_status status = read_with(sample, chars, &without, err);
  if (status == DM_OK) status = read_with(sample, &single, &with, err);
  if (status == DM_OK && uneven(&without) > 0 && uneven(&with) == 0 && with.n > 1 && with.mode > 1) *chars = single;
  return status;
}

/* Blanks behind every delimiter belong to the layout, not to the cells. */
static dm_status detect_trim(const csv_sample *sample, csv_chars *chars, dm_error *err) {
  if (chars->delimiter == ' ' || chars->delimiter == '\t') return DM_OK;
  csv_shape shape = {.chars = *chars, .max_cell = CSV_MAX_CELL};
  dm_csv *csv = NULL;
  dm_status status = csv_sample_reader(sample, &shape, &csv, err);
  size_t cells = 0, plain = 0;
  while (status == DM_OK && plain == 0) {
    const dm_csv_record *record;
    status = csv_sample_next(sample, csv, &record, err);
    if (status != DM_OK || !record) break;
    for (size_t i = 1; record->reason == DM_REJECT_NONE && i < record->n_cells; i++) {
      const dm_csv_cell *cell = &record->cells[i];
      if (cell->quoted || cell->n == 0) continue;
      cells++;
      plain += *cell->p != ' ' && *cell->p != '\t';
    }
  }
  dm_csv_close(csv);
  chars->trim = status == DM_OK && cells > 0 && plain == 0;
  return status;
}

dm_status csv_detect_chars(const csv_sample *sample, const dm_csv_options *options, csv_chars *chars, dm_error *err) {
  *chars = (csv_chars){.delimiter = options->delimiter, .quote = options->quote ? options->quote : '"',
                       .trim = options->trim == DM_YES};
  dm_status status = DM_OK;
  if (!chars->delimiter) chars->delimiter = sample->separator;
  if (!chars->delimiter) status = detect_delimiter(sample, chars, err);
  if (status == DM_OK && !options->quote) status = detect_quote(sample, chars, err);
  if (status == DM_OK) status = detect_escape(sample, chars, err);
  if (status == DM_OK && options->trim == DM_AUTO) status = detect_trim(sample, chars, err);
  return status;
}
