/* What came in: files with their dialect and counts, then the records that were rejected, with place and
 * reason. */
#include "report/sections.h"

#include <stdio.h>
#include <string.h>

#define SOURCES_SHOWN 40
#define REJECTS_SHOWN 20
#define RAW_SHOWN     160

static dm_str base_name(dm_str path) {
  for (size_t i = path.n; i > 0; i--)
    if (path.p[i - 1] == '/') return (dm_str){path.p + i, path.n - i};
  return path;
}

static const char *delimiter_name(const char *delimiter) {
  switch (*delimiter) {
  case ',':
    return "comma";
  case ';':
    return "semicolon";
  case '\t':
    return "tab";
  case '|':
    return "bar";
  case ':':
    return "colon";
  case ' ':
    return "space";
  default:
    return delimiter;
  }
}

/* "csv, delimiter semicolon, UTF-8, with header" */
static dm_status describe_format(const dm_section *s, dm_str format, dm_str options, dm_buf *out,
                                 dm_error *err) {
  const dm_json *o = NULL;
  dm_status status = dm_json_parse(s->memory, options.p, options.n, &o, NULL);
  if (status == DM_EBUDGET) return dm_fail(err, DM_EBUDGET, "report: no memory left");
  dm_buf_add(out, format.p, format.n);
  if (status != DM_OK) return DM_OK; /* what another tool wrote there is not worth a failure */
  const char *delimiter = dm_json_get_string(o, "delimiter", ""),
             *encoding = dm_json_get_string(o, "encoding", "");
  if (*delimiter) dm_buf_printf(out, ", delimiter %s", delimiter_name(delimiter));
  if (*encoding) dm_buf_printf(out, ", %s", encoding);
  if (dm_json_get(o, "header"))
    dm_buf_adds(out, dm_json_get_bool(o, "header", true) ? ", with header" : ", no header");
  return DM_OK;
}

static dm_status source_row(const dm_section *s, const dm_stmt *q, dm_buf *piece, dm_error *err) {
  char text[DM_LABEL_MAX], when[32];
  dm_str uri = dm_stmt_value(q, 1).text, sha = dm_stmt_value(q, 4).text, at = dm_stmt_value(q, 9).text;
  dm_html_wrap(piece, "<tr><td title=\"", uri, "\">");
  dm_html_wrap(piece, "", base_name(uri), "</td>");
  dm_html_cell(piece, dm_stmt_value(q, 8).text);
  dm_buf format;
  dm_buf_init(&format, piece->ctx, err);
  dm_status status = describe_format(s, dm_stmt_value(q, 2).text, dm_stmt_value(q, 3).text, &format, err);
  dm_html_cell(piece, (dm_str){format.p, format.n});
  if (format.failed) piece->failed = true;
  dm_buf_clear(&format);
  dm_number_bytes((uint64_t)dm_stmt_int(q, 5), text);
  dm_html_wrap(piece, "<td class=\"n\">", dm_str_of(text), "</td>");
  dm_html_cell_count(piece, (uint64_t)dm_stmt_int(q, 6));
  uint64_t rejected = (uint64_t)dm_stmt_int(q, 7);
  dm_number_count(rejected, text);
  dm_html_wrap(piece, rejected ? "<td class=\"n bad\">" : "<td class=\"n\">", dm_str_of(text), "</td>");
  dm_html_wrap(piece, "<td title=\"", sha, "\"><code>");
  dm_html_wrap(piece, "", (dm_str){sha.p, sha.n < 12 ? sha.n : 12}, "</code></td>");
  char iso[32] = "";
  (void)snprintf(iso, sizeof iso, "%.*s", (int)(at.n < 31 ? at.n : 31), at.p ? at.p : "");
  dm_html_time(iso, when);
  dm_html_wrap(piece, "<td class=\"n\">", dm_str_of(when), "</td></tr>\n");
  return status;
}

static dm_status source_table(const dm_section *s, uint64_t n, dm_error *err) {
  static const char *const headings[] = {"File",      "Table",   "Read as",         "#Size", "#Accepted",
                                         "#Rejected", "SHA-256", "#Imported (UTC)", NULL};
  dm_stmt *q = NULL;
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, err);
  uint64_t shown = 0;
  dm_status status = dm_stmt_prepare(
      s->store,
      "SELECT id, uri, format, options, sha256, bytes, accepted, rejected, table_name, imported_at"
      " FROM main.dm_source ORDER BY id",
      &q, err);
  if (status == DM_OK) dm_html_table(&s->page->body, headings);
  for (bool row = true; status == DM_OK && shown < SOURCES_SHOWN; shown++) {
    status = dm_stmt_step(q, &row, err);
    if (status != DM_OK || !row) break;
    status = source_row(s, q, &piece, err);
    if (status == DM_OK && !dm_html_admit(s->page, &piece)) break;
  }
  dm_html_table_end(&s->page->body);
  if (shown < n)
    dm_html_note(s->page, "%llu of %llu files shown.", (unsigned long long)shown, (unsigned long long)n);
  dm_stmt_free(q);
  dm_buf_clear(&piece);
  return status;
}

static void reject_row(const dm_stmt *q, dm_buf *piece) {
  dm_buf_adds(piece, "<tr>");
  dm_html_cell_count(piece, (uint64_t)dm_stmt_int(q, 0));
  dm_html_cell_count(piece, (uint64_t)dm_stmt_int(q, 1));
  if (dm_stmt_value(q, 2).type == DM_NULL)
    dm_buf_adds(piece, "<td class=\"n\">–</td>");
  else
    dm_html_cell_count(piece, (uint64_t)dm_stmt_int(q, 2));
  dm_html_cell(piece, dm_stmt_value(q, 3).text);
  dm_buf_adds(piece, "<td><code>");
  dm_escape_bytes(piece, dm_stmt_value(q, 4).text, RAW_SHOWN);
  dm_buf_adds(piece, "</code></td></tr>\n");
}

/* First rejects of one source, or of those that the page has room for. */
static dm_status reject_table(const dm_section *s, int64_t source, dm_str uri, uint64_t rejected,
                              dm_error *err) {
  static const char *const headings[] = {"#Record", "#Line", "#Column", "Reason", "Text", NULL};
  char title[512];
  dm_str name = base_name(uri);
  (void)snprintf(title, sizeof title, "Rejected records of %.*s", (int)(name.n < 400 ? name.n : 400), name.p);
  dm_html_heading(s->page, 3, dm_str_of(title));
  dm_stmt *q = NULL;
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, err);
  uint64_t shown = 0;
  dm_status status =
      dm_stmt_prepare(s->store,
                      "SELECT record, line, column, reason, substr(raw, 1, 400) FROM main.dm_reject"
                      " WHERE source_id = ?1 ORDER BY record",
                      &q, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 1, source, err);
  if (status == DM_OK) dm_html_table(&s->page->body, headings);
  for (bool row = true; status == DM_OK && shown < REJECTS_SHOWN; shown++) {
    status = dm_stmt_step(q, &row, err);
    if (status != DM_OK || !row) break;
    reject_row(q, &piece);
    if (!dm_html_admit(s->page, &piece)) break;
  }
  dm_html_table_end(&s->page->body);
  char all[DM_LABEL_MAX];
  dm_number_count(rejected, all);
  if (shown < rejected)
    dm_html_note(s->page, "Showing %llu of %s; all are in table dm_reject.", (unsigned long long)shown, all);
  dm_stmt_free(q);
  dm_buf_clear(&piece);
  return status;
}

static dm_status reject_tables(const dm_section *s, dm_error *err) {
  dm_stmt *q = NULL;
  size_t left_out = 0;
  dm_status status = dm_stmt_prepare(
      s->store, "SELECT id, uri, rejected FROM main.dm_source WHERE rejected > 0 ORDER BY id", &q, err);
  for (bool row = true; status == DM_OK;) {
    status = dm_stmt_step(q, &row, err);
    if (status != DM_OK || !row) break;
    if (s->page->body.n + 2000 > s->page->limit)
      left_out++;
    else
      status = reject_table(s, dm_stmt_int(q, 0), dm_stmt_value(q, 1).text, (uint64_t)dm_stmt_int(q, 2), err);
  }
  if (left_out)
    dm_html_note(s->page, "The rejects of %zu further files are left out; all are in table dm_reject.",
                 left_out);
  dm_stmt_free(q);
  return status;
}

dm_status dm_section_sources(const dm_section *s, dm_error *err) {
  uint64_t n = 0;
  dm_status status = dm_section_count(s, "SELECT count(*) FROM main.dm_source", &n, err);
  if (status != DM_OK) return status;
  dm_html_heading(s->page, 2, dm_str_of("What came in"));
  if (n == 0) {
    dm_html_note(s->page, "No files were imported into this database.");
    return DM_OK;
  }
  status = source_table(s, n, err);
  return status == DM_OK ? reject_tables(s, err) : status;
}
