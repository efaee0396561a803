/* Cells of a good record: quotes, blanks and escapes taken off in place, extra fields merged. */
#include "csv.h"

#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Text of a cell that begins with a quote, made in place. */
static size_t unquote(const csv_chars *c, char *out, const char *p, size_t n) {
  size_t k = 0, i = 1;
  bool open = true;
  for (; i < n && open; i++) {
    if (c->escape && p[i] == c->escape && i + 1 < n && (p[i + 1] == c->quote || p[i + 1] == c->escape)) {
      out[k++] = p[++i];
    } else if (p[i] != c->quote) {
      out[k++] = p[i];
    } else if (i + 1 < n && p[i + 1] == c->quote) {
      out[k++] = p[++i];
    } else {
      open = false;
    }
  }
  if (c->trim)
    while (n > i && is_blank(p[n - 1])) n--;
  memmove(out + k, p + i, n - i); /* text behind the closing quote is text */
  return k + n - i;
}

static void finish_cell(const csv_chars *c, dm_csv_cell *cell) {
  if (c->trim && !cell->quoted) {
    while (cell->n > 0 && is_blank(*cell->p)) cell->p++, cell->n--;
    if (cell->n > 0 && *cell->p == c->quote)
      cell->quoted = true;
    else
      while (cell->n > 0 && is_blank(cell->p[cell->n - 1])) cell->n--;
  }
  if (!cell->quoted) return;
  const char *closing = memchr(cell->p + 1, c->quote, cell->n - 1);
  if (closing == cell->p + cell->n - 1 && !(c->escape && memchr(cell->p, c->escape, cell->n))) {
    cell->p++;
    cell->n -= 2;
    return;
  }
  char *p = (char *)(uintptr_t)cell->p; /* into our own window */
  cell->n = unquote(c, p, p, cell->n);
}

/* The cells from n-1 on as one, the delimiter between them. */
static void merge_extra(dm_csv *csv, size_t n) {
  char *p = (char *)(uintptr_t)csv->cells[n - 1].p;
  size_t at = csv->cells[n - 1].n;
  for (size_t i = n; i < csv->n_cells; i++) {
    p[at++] = csv->shape.chars.delimiter;
    memmove(p + at, csv->cells[i].p, csv->cells[i].n);
    at += csv->cells[i].n;
  }
  csv->cells[n - 1].n = at;
  csv->n_cells = n;
}

/* As in `1, x, , y`: the layout that export can write again. */
static bool is_spaced(const dm_csv_cell *cell, bool first) {
  const char *p = cell->p, *end = p + cell->n;
  if (!first && (p == end || *p++ != ' ')) return false;
  return p == end || !(is_blank(*p) || is_blank(end[-1]));
}

void csv_finish_cells(dm_csv *csv) {
  size_t want = csv->shape.n_columns;
  for (size_t i = 0; csv->shape.chars.trim && i < csv->n_cells; i++) csv->n_unspaced += !is_spaced(&csv->cells[i], i == 0);
  if (csv->any_quoted || csv->shape.chars.trim)
    for (size_t i = 0; i < csv->n_cells; i++) finish_cell(&csv->shape.chars, &csv->cells[i]);
  if (want == 0 || csv->n_cells == want) return;
  if (csv->shape.on_extra == DM_EXTRA_MERGE) merge_extra(csv, want);
  csv->n_cells = want;
}
