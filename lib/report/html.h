/* HTML in pieces: the frame of a page, headings with their table of contents, cells, notes. */
#ifndef DM_REPORT_HTML_H
#define DM_REPORT_HTML_H

#include "report/axis.h"
#include "report/svg.h"

/** A page while it grows; sections append to body. */
typedef struct dm_html {
  dm_buf body, contents;
  size_t n_headings;
  bool nested;      /* the table of contents has an open inner list */
  size_t limit;     /* what is optional is appended while body is shorter than this */
} dm_html;

void dm_html_init(dm_html *page, dm_ctx *ctx, dm_error *err);
void dm_html_clear(dm_html *page);
/** The finished document. @param subtitle plain text under the title. */
void dm_html_finish(dm_html *page, const char *title, const char *subtitle, dm_buf *out);

/** Level 2 or 3; both stand in the table of contents, under generated names. */
void dm_html_heading(dm_html *page, int level, dm_str text);
/** A paragraph of plain text in grey: statements about what is shown. */
void dm_html_note(dm_html *page, const char *format, ...) DM_PRINTF(2, 3);
/** Moves a piece (a card, a drawing, a row) into the body when the limit allows it. @return false: left out. The piece is emptied. */
bool dm_html_admit(dm_html *page, dm_buf *piece);

/** open, the escaped text, close; open and close are markup of ours. */
void dm_html_wrap(dm_buf *out, const char *open, dm_str text, const char *close);
/** Table cells: text, count, number (5 digits), share. */
void dm_html_cell(dm_buf *out, dm_str text);
void dm_html_cell_count(dm_buf *out, uint64_t v);
void dm_html_cell_value(dm_buf *out, double v);
void dm_html_cell_share(dm_buf *out, double v);
/** A scrollable table with these headings; those that begin with '#' are of numbers. NULL ends them. */
void dm_html_table(dm_buf *out, const char *const *headings);
void dm_html_table_end(dm_buf *out);
/** One line of a description list. */
void dm_html_fact(dm_buf *out, const char *name, const char *value);
/** "2026-01-31 12:34:56" out of ISO 8601 with fractions and zone. */
void dm_html_time(const char *iso, char out[32]);

#endif
