/*
 * Does the first record name the columns, and what are the columns called?
 *
 * A name over a column of numbers or dates says yes, a number over numbers
 * says no; where all is text, the first record is a header unless it looks
 * like data: an empty or repeated cell, or one that comes again below.
 */
#include "csv_sample.h"

#include <stdio.h>
#include <string.h>

/* ---- header or data ----------------------------------------------------------- */

static bool has_letter(dm_str s) {
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80) return true;
  }
  return false;
}

static bool is_empty(dm_str s) {
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] != ' ' && s.p[i] != '\t') return false;
  return true;
}

static bool is_year(dm_str s, int64_t *year) {
  return dm_text_to_int(s.p, s.n, year) && *year >= 1800 && *year <= 2200;
}

/* Numbers of the first record that run on by one step, as years over a wide table do. */
static bool runs_of_years(const csv_column_seen *columns, size_t n) {
  int64_t before = 0, step = 0, year;
  size_t found = 0;
  for (size_t i = 0; i < n; i++) {
    if (has_letter(columns[i].first) || is_empty(columns[i].first)) continue;
    if (!is_year(columns[i].first, &year)) return false;
    if (found == 1) step = year - before;
    if (found > 0 && (step == 0 || year - before != step)) return false;
    before = year;
    found++;
  }
  return found >= 2;
}

static bool has_duplicates(const csv_column_seen *columns, size_t n) {
  for (size_t i = 0; i < n && i < 1000; i++)
    for (size_t j = 0; j < i; j++)
      if (dm_str_equal(columns[i].first, columns[j].first)) return true;
  return false;
}

bool csv_detect_header(const csv_column_seen *columns, size_t n, size_t n_records) {
  size_t names = 0, data = 0, other_length = 0, repeated = 0, empty = 0, quoted_only = 0, named = 0;
  for (size_t i = 0; i < n; i++) {
    const csv_column_seen *c = &columns[i];
    bool letters_below = c->letters > 0 || c->typing.n == 0;
    bool letters = has_letter(c->first), blank = is_empty(c->first);
    empty += blank;
    named += letters;
    if (!blank && !letters && (!letters_below || n_records == 0)) data++;
    if (letters && !letters_below) names++;
    if (c->same_as_first > 0 && !blank) repeated++;
    if (letters_below && c->typing.n >= 3 && c->length != SIZE_MAX && c->length != c->first.n && !blank) other_length++;
    quoted_only += c->first_quoted && c->typing.n_quoted == 0;
    if (c->first.n > 256 || (c->first.n && memchr(c->first.p, '\n', c->first.n))) return false;
  }
  if (data > 0) return named > 0 && runs_of_years(columns, n);
  if (names > 0) return true;
  if (named == 0) return false;
  if (n_records == 0) return empty == 0 && !has_duplicates(columns, n);
  if (quoted_only == n) return true;
  return empty == 0 && repeated == 0 && (other_length > 0 || !has_duplicates(columns, n));
}

/* ---- names ------------------------------------------------------------------------ */

dm_status csv_add_note(dm_csv *csv, dm_error *err, const char *format, ...) {
  if (csv->n_notes == csv->note_capacity) {
    size_t capacity = csv->note_capacity ? csv->note_capacity * 2 : 8;
    const char **notes = dm_realloc(csv->ctx, csv->notes, capacity, sizeof *notes, "notes", err);
    if (!notes) return DM_EBUDGET;
    csv->notes = notes;
    csv->note_capacity = capacity;
  }
  char text[512];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  csv->notes[csv->n_notes] = dm_arena_strdup(csv->memory, text, strlen(text), err);
  if (!csv->notes[csv->n_notes]) return DM_EBUDGET;
  csv->n_notes++;
  return DM_OK;
}

/* What a C string and SQLite can hold: NUL and bytes that are no UTF-8 become U+FFFD. */
static char *clean_name(dm_csv *csv, dm_str raw, dm_error *err) {
  dm_buf out;
  dm_buf_init(&out, csv->ctx, err);
  for (size_t i = 0; i < raw.n;) {
    size_t ok = dm_utf8_valid(raw.p + i, raw.n - i);
    const char *nul = memchr(raw.p + i, 0, ok);
    if (nul) ok = (size_t)(nul - (raw.p + i));
    dm_buf_add(&out, raw.p + i, ok);
    i += ok;
    if (i >= raw.n) break;
    dm_buf_adds(&out, "\xEF\xBF\xBD");
    i++;
  }
  char *name = dm_buf_status(&out) == DM_OK ? dm_arena_strdup(csv->memory, out.n ? out.p : "", out.n, err) : NULL;
  dm_buf_clear(&out);
  return name;
}

static void fold_ascii(char *to, const char *from, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
}

/* Adds the name to those taken; false when it was, without regard to ASCII case, as SQLite compares. */
static dm_status take_name(dm_dict *taken, dm_arena *memory, const char *name, bool *fresh, dm_error *err) {
  size_t n = strlen(name), before = dm_dict_n(taken), index;
  char *folded = dm_arena_alloc(memory, n + 1, 1, err);
  if (!folded) return DM_EBUDGET;
  fold_ascii(folded, name, n);
  dm_status status = dm_dict_add(taken, folded, n, &index, err);
  *fresh = dm_dict_n(taken) > before;
  return status;
}

/* name, or name_2, name_3 … */
static dm_status unique_name(dm_csv *csv, dm_dict *taken, const char *name, const char **out, dm_error *err) {
  bool fresh = false;
  dm_status status = take_name(taken, csv->memory, name, &fresh, err);
  *out = name;
  for (size_t k = 2; status == DM_OK && !fresh; k++) {
    *out = dm_arena_printf(csv->memory, err, "%s_%zu", name, k);
    if (!*out) return DM_EBUDGET;
    status = take_name(taken, csv->memory, *out, &fresh, err);
  }
  return status;
}

/* Names that stand once come first, so that `a, a, a_2` leaves a_2 alone. */
static dm_status reserve_names(dm_csv *csv, dm_dict *taken, char *const *names, bool *settled, dm_error *err) {
  dm_status status = DM_OK;
  bool fresh = false;
  for (size_t i = 0; status == DM_OK && i < csv->n_columns; i++) {
    if (!names[i][0]) continue;
    status = take_name(taken, csv->memory, names[i], &fresh, err);
    settled[i] = fresh;
    csv->columns[i].name = names[i];
  }
  return status;
}

static dm_status repair_name(dm_csv *csv, dm_dict *taken, const char *name, size_t i, dm_error *err) {
  const char *base = name;
  if (!*name) base = dm_arena_printf(csv->memory, err, "c%zu", i + 1);
  if (!base) return DM_EBUDGET;
  dm_status status = unique_name(csv, taken, base, &csv->columns[i].name, err);
  if (status != DM_OK) return status;
  csv->columns[i].header = name;
  if (!*name) return csv_add_note(csv, err, "column %zu has no name: called '%s'", i + 1, csv->columns[i].name);
  return csv_add_note(csv, err, "column %zu: the name '%.100s' is taken: called '%.100s'", i + 1, name, csv->columns[i].name);
}

dm_status csv_name_columns(dm_csv *csv, const dm_str *header, dm_error *err) {
  dm_dict *taken = NULL;
  size_t n = csv->n_columns;
  char **names = dm_arena_alloc(csv->memory, n, sizeof *names, err);
  bool *settled = dm_arena_alloc(csv->memory, n, sizeof *settled, err);
  if (!names || !settled) return DM_EBUDGET;
  dm_status status = dm_dict_new(csv->ctx, &taken, err);
  size_t index;
  if (status == DM_OK) status = dm_dict_add(taken, "dm_id", 5, &index, err); /* the table's own column */
  for (size_t i = 0; status == DM_OK && i < n; i++) {
    names[i] = header ? clean_name(csv, header[i], err) : dm_arena_printf(csv->memory, err, "c%zu", i + 1);
    if (!names[i]) status = DM_EBUDGET;
    if (status == DM_OK && header && (strlen(names[i]) != header[i].n || memcmp(names[i], header[i].p, header[i].n) != 0))
      status = csv_add_note(csv, err, "column %zu: bytes of its name that are no text were replaced", i + 1);
  }
  if (status == DM_OK) status = reserve_names(csv, taken, names, settled, err);
  for (size_t i = 0; status == DM_OK && i < n; i++)
    if (!settled[i]) status = repair_name(csv, taken, names[i], i, err);
  dm_dict_free(taken);
  return status;
}
