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

void dm_export_layout_finish(dm_export_layout *layout) {
  memset(layout->special, 0, sizeof layout->special);
  layout->special[(unsigned char)layout->delimiter] = true;
  layout->special[(unsigned char)layout->quote] = true;
  layout->special['\n'] = layout->special['\r'] = true;
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

static void add_number(const dm_export_layout *layout, const dm_export_column *c, sqlite3_stmt *row, bool integer, dm_buf *out) {
  if (!dm_buf_reserve(out, NUMBER_ROOM + 2)) return;
  char *start = out->p + out->n, *text = start;
  if (c->format.quoted) *text++ = layout->quote;
  text += integer ? dm_text_of_int(sqlite3_column_int64(row, c->place), text) : print_real(c->format, sqlite3_column_double(row, c->place), text);
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
    if (i) dm_buf_addc(out, layout->delimiter);
    switch (sqlite3_column_type(row, c->place)) {
    case SQLITE_NULL: add_null(layout, c, out); break;
    case SQLITE_INTEGER: add_number(layout, c, row, true, out); break;
    case SQLITE_FLOAT: add_number(layout, c, row, false, out); break;
    case SQLITE_BLOB: add_blob(sqlite3_column_blob(row, c->place), (size_t)sqlite3_column_bytes(row, c->place), out); break;
    default: {
      const char *p = (const char *)sqlite3_column_text(row, c->place);
      add_text(layout, c, p ? p : "", p ? (size_t)sqlite3_column_bytes(row, c->place) : 0, out);
    }
    }
  }
  add_line_end(layout, out);
}

void dm_export_csv_header(const dm_export_layout *layout, dm_buf *out) {
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

static void add_json_blob(const char *p, size_t n, dm_buf *out) {
  dm_buf_addc(out, '"');
  add_blob(p, n, out);
  dm_buf_addc(out, '"');
}

void dm_export_json_row(const dm_export_layout *layout, sqlite3_stmt *row, dm_buf *out) {
  dm_json_out json;
  dm_json_out_init(&json, out, false);
  dm_json_object(&json);
  for (size_t i = 0; i < layout->d; i++) {
    const dm_export_column *c = &layout->columns[i];
    dm_json_key(&json, c->name);
    switch (sqlite3_column_type(row, c->place)) {
    case SQLITE_NULL: dm_json_null(&json); break;
    case SQLITE_INTEGER: dm_json_int(&json, sqlite3_column_int64(row, c->place)); break;
    case SQLITE_FLOAT: dm_json_double(&json, sqlite3_column_double(row, c->place)); break;
    case SQLITE_BLOB: {
      dm_buf blob;
      dm_buf_init(&blob, out->ctx, out->err);
      add_json_blob(sqlite3_column_blob(row, c->place), (size_t)sqlite3_column_bytes(row, c->place), &blob);
      if (!blob.failed) dm_json_raw(&json, blob.p, blob.n);
      out->failed |= blob.failed;
      dm_buf_clear(&blob);
      break;
    }
    default: {
      const char *p = (const char *)sqlite3_column_text(row, c->place);
      dm_json_string_n(&json, p ? p : "", p ? (size_t)sqlite3_column_bytes(row, c->place) : 0);
    }
    }
  }
  dm_json_end_object(&json);
  dm_buf_addc(out, '\n');
}
