/*
 * One row as delimited text (RFC 4180, quotes only where needed, or as the
 * column had them) or as a line of JSON.
 *
 * A number is printed in its column's format when that text reads back as the
 * same number, else in the shortest that does: a mean filled into a column of
 * two decimals keeps its digits.
 */
#include "store/export_row.h"

#include <math.h>
#include <string.h>

enum { NUMBER_ROOM = 400 };

static dm_status make_keys(dm_export_layout *layout, dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  dm_buf text;
  dm_json_out json;
  dm_status s = DM_OK;
  dm_buf_init(&text, ctx, err);
  for (size_t i = 0; s == DM_OK && i < layout->d; i++) {
    dm_buf_reset(&text);
    dm_buf_addc(&text, i ? ',' : '{');
    dm_json_out_init(&json, &text, false);
    dm_json_string(&json, layout->columns[i].name);
    dm_buf_addc(&text, ':');
    s = dm_buf_status(&text);
    const char *key = s == DM_OK ? dm_arena_strdup(arena, text.p, text.n, err) : NULL;
    if (!key) s = DM_EBUDGET;
    layout->columns[i].key = (dm_str){key, text.n};
  }
  dm_buf_clear(&text);
  return s;
}

dm_status dm_export_layout_finish(dm_export_layout *layout, dm_ctx *ctx, dm_arena *arena, dm_error *err) {
  memset(layout->special, 0, sizeof layout->special);
  layout->special[(unsigned char)layout->delimiter] = true;
  layout->special[(unsigned char)layout->quote] = true;
  layout->special['\n'] = layout->special['\r'] = true;
  return make_keys(layout, ctx, arena, err);
}

/* The cell as it is; a text that SQLite has no memory for is NULL, and the step behind it fails. */
static dm_value cell_of(sqlite3_stmt *row, int place) {
  sqlite3_value *cell = sqlite3_column_value(row, place);
  dm_value v = {DM_NULL};
  switch (sqlite3_value_type(cell)) {
  case SQLITE_INTEGER:
    v.type = DM_INTEGER;
    v.integer = sqlite3_value_int64(cell);
    break;
  case SQLITE_FLOAT:
    v.type = DM_REAL;
    v.real = sqlite3_value_double(cell);
    break;
  case SQLITE_TEXT:
    v.type = DM_TEXT;
    v.text.p = (const char *)sqlite3_value_text(cell);
    break;
  case SQLITE_BLOB:
    v.type = DM_BLOB;
    v.text.p = sqlite3_value_blob(cell);
    break;
  default: break;
  }
  if (v.type >= DM_TEXT) v.text.n = v.text.p ? (size_t)sqlite3_value_bytes(cell) : 0;
  if (v.type >= DM_TEXT && !v.text.p) v.text.p = "";
  return v;
}

/* ---- delimited ----------------------------------------------------------------- */

static void add_quoted(const dm_export_layout *layout, const char *p, size_t n, dm_buf *out) {
  if (!dm_buf_reserve(out, 2 * n + 2)) return;
  char *to = out->p + out->n;
  *to++ = layout->quote;
  for (size_t i = 0; i < n; i++) {
    if (p[i] == layout->quote) *to++ = layout->quote;
    *to++ = p[i];
  }
  *to++ = layout->quote;
  out->n = (size_t)(to - out->p);
  out->p[out->n] = 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool needs_quotes(const dm_export_layout *layout, const char *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (layout->special[(unsigned char)p[i]]) return true;
  return layout->quote_blanks && (is_blank(p[0]) || is_blank(p[n - 1]));
}

static void add_text(const dm_export_layout *layout, const dm_export_column *c, const char *p, size_t n, dm_buf *out) {
  bool missing_look = n == 0 || (p[0] == c->null_text[0] && strlen(c->null_text) == n && memcmp(p, c->null_text, n) == 0);
  if (c->format.quoted || missing_look || needs_quotes(layout, p, n))
    add_quoted(layout, p, n, out);
  else
    dm_buf_add(out, p, n);
}

/* Formats that may print too few digits for some number. */
static bool is_lossy(dm_format f) {
  return f.kind == DM_FORMAT_DECIMALS || f.kind == DM_FORMAT_EXPONENT || f.kind == DM_FORMAT_GENERAL;
}

static size_t print_real(dm_format f, double v, char *text) {
  dm_value value = {.type = DM_REAL, .real = v};
  if (f.kind == DM_FORMAT_NONE || f.kind == DM_FORMAT_INTEGER) f.kind = DM_FORMAT_SHORTEST;
  size_t n = dm_format_print(f, value, text, NUMBER_ROOM);
  double back;
  if (is_lossy(f) && !(dm_text_to_double(text, n, &back) && back == v)) {
    f.kind = DM_FORMAT_SHORTEST;
    n = dm_format_print(f, value, text, NUMBER_ROOM);
  }
  return n;
}

static void add_number(const dm_export_layout *layout, const dm_export_column *c, dm_value v, dm_buf *out) {
  if (!dm_buf_reserve(out, NUMBER_ROOM + 2)) return;
  char *start = out->p + out->n, *text = start;
  if (c->format.quoted) *text++ = layout->quote;
  text += v.type == DM_INTEGER ? dm_text_of_int(v.integer, text) : print_real(c->format, v.real, text);
  if (c->format.quoted) *text++ = layout->quote;
  *text = 0;
  out->n += (size_t)(text - start);
}

/* As SQLite writes a blob: X'00FF'. */
static void add_blob(const char *p, size_t n, dm_buf *out) {
  static const char digits[] = "0123456789ABCDEF";
  if (!dm_buf_reserve(out, 2 * n + 3)) return;
  dm_buf_add(out, "X'", 2);
  for (size_t i = 0; i < n; i++) {
    unsigned char byte = (unsigned char)p[i];
    out->p[out->n++] = digits[byte >> 4];
    out->p[out->n++] = digits[byte & 15];
  }
  dm_buf_addc(out, '\'');
}

static void add_line_end(const dm_export_layout *layout, dm_buf *out) { dm_buf_adds(out, layout->line_ending); }

static void add_null(const dm_export_layout *layout, const dm_export_column *c, dm_buf *out) {
  const char *text = c->null_text;
  size_t n = strlen(text);
  if (n && text[0] != layout->quote && needs_quotes(layout, text, n))
    add_quoted(layout, text, n, out); /* a marker from a file with another delimiter */
  else
    dm_buf_add(out, text, n);
}

void dm_export_csv_row(const dm_export_layout *layout, sqlite3_stmt *row, dm_buf *out) {
  for (size_t i = 0; i < layout->d; i++) {
    const dm_export_column *c = &layout->columns[i];
    dm_value v = cell_of(row, c->place);
    if (i) dm_buf_addc(out, layout->delimiter);
    if (i && layout->spaced) dm_buf_addc(out, ' ');
    switch (v.type) {
    case DM_NULL: add_null(layout, c, out); break;
    case DM_INTEGER:
    case DM_REAL: add_number(layout, c, v, out); break;
    case DM_TEXT: add_text(layout, c, v.text.p, v.text.n, out); break;
    case DM_BLOB: add_blob(v.text.p, v.text.n, out); break;
    }
  }
  add_line_end(layout, out);
}

void dm_export_csv_header(const dm_export_layout *layout, dm_buf *out) {
  if (layout->preamble) {
    dm_buf_adds(out, layout->preamble);
    return;
  }
  if (layout->bom) dm_buf_adds(out, "\xEF\xBB\xBF");
  if (!layout->header) return;
  for (size_t i = 0; i < layout->d; i++) {
    const char *name = layout->columns[i].name;
    size_t n = strlen(name);
    if (i) dm_buf_addc(out, layout->delimiter);
    if (layout->header_quoted || (n == 0 && !layout->header_exact) || (n && needs_quotes(layout, name, n)))
      add_quoted(layout, name, n, out);
    else
      dm_buf_add(out, name, n);
  }
  add_line_end(layout, out);
}

/* ---- JSON lines ------------------------------------------------------------------ */

static void add_json_text(const char *p, size_t n, dm_buf *out) {
  dm_json_out json;
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)p[i] < 0x20 || (unsigned char)p[i] >= 0x7F || p[i] == '"' || p[i] == '\\') {
      dm_json_out_init(&json, out, false);
      dm_json_string_n(&json, p, n);
      return;
    }
  if (!dm_buf_reserve(out, n + 2)) return;
  out->p[out->n++] = '"';
  if (n) memcpy(out->p + out->n, p, n);
  out->n += n;
  dm_buf_addc(out, '"');
}

static void add_json_number(dm_value v, dm_buf *out) {
  if (!dm_buf_reserve(out, DM_NUMBER_MAX)) return;
  if (v.type == DM_INTEGER)
    out->n += dm_text_of_int(v.integer, out->p + out->n);
  else if (isfinite(v.real))
    out->n += dm_text_of_double(v.real, true, out->p + out->n);
  else
    dm_buf_adds(out, "null");
}

void dm_export_json_row(const dm_export_layout *layout, sqlite3_stmt *row, dm_buf *out) {
  for (size_t i = 0; i < layout->d; i++) {
    const dm_export_column *c = &layout->columns[i];
    dm_value v = cell_of(row, c->place);
    dm_buf_add(out, c->key.p, c->key.n);
    switch (v.type) {
    case DM_NULL: dm_buf_adds(out, "null"); break;
    case DM_INTEGER:
    case DM_REAL: add_json_number(v, out); break;
    case DM_TEXT: add_json_text(v.text.p, v.text.n, out); break;
    case DM_BLOB:
      dm_buf_addc(out, '"');
      add_blob(v.text.p, v.text.n, out);
      dm_buf_addc(out, '"');
      break;
    }
  }
  dm_buf_adds(out, "}\n");
}
