/* HTML in pieces. One small style for screen and print; drawings do not depend on it. */
#include "report/html.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
static const char style[] =
    "body{margin:0 auto;max-width:1080px;padding:28px 24px 64px;background:#fff;color:#1f2933;"
    "font:15px/1.5 Helvetica,Arial,\"Liberation Sans\",\"DejaVu Sans\",sans-serif}"
    "h1{font-size:28px;line-height:1.25;margin:0}h1,h2,h3,h4,td,dd{overflow-wrap:anywhere}"
    "h2{font-size:21px;margin:44px 0 10px;padding-top:14px;border-top:2px solid #e4e7eb}"
    "h3{font-size:17px;margin:26px 0 8px}h4{font-size:14px;margin:0 0 6px}"
    "p{margin:6px 0}.note{color:#52606d;font-size:13.5px}.lead{color:#52606d;margin:4px 0 18px}"
    "a{color:#0072b2;text-decoration:none}a:hover{text-decoration:underline}"
    "nav{background:#f5f7fa;border-radius:6px;padding:10px 18px;font-size:14px;margin:18px 0}"
    "nav ul{margin:2px 0;padding-left:18px}nav>ul{padding:0;list-style:none}nav ul ul{columns:3;column-gap:24px}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:18px 0}"
    ".tiles div{border:1px solid #e4e7eb;border-radius:6px;padding:10px 14px;font-size:13px;color:#52606d}"
    ".tiles b{display:block;font-size:22px;color:#1f2933}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:13.5px;margin:6px 0}"
    "th,td{padding:4px 18px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid #e9edf1}"
    "th{color:#52606d;font-weight:bold;white-space:nowrap}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "code,pre{font:12.5px/1.45 \"DejaVu Sans Mono\",\"Liberation Mono\",Menlo,Consolas,monospace}"
    "td code{white-space:pre-wrap}pre{overflow-x:auto;background:#f5f7fa;border-radius:6px;padding:12px 14px}"
    ".hints{columns:2;column-gap:28px;font-size:13.5px;margin:4px 0 14px;padding-left:20px}"
    ".cols{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,500px),1fr));gap:14px;margin:12px 0}"
    ".col{border:1px solid #e4e7eb;border-radius:6px;padding:12px 14px;break-inside:avoid}"
    ".col>div{display:grid;grid-template-columns:1fr 290px;gap:8px}"
    ".tag{font-weight:normal;font-size:12px;color:#52606d;margin-left:6px}"
    ".target{color:#fff;background:#0072b2;border-radius:3px;padding:1px 6px}"
    ".bad{color:#b34700;font-weight:bold}.gone{color:#52606d}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 10px;align-content:start;margin:0;font-size:12.5px}"
    "dt{color:#52606d}dd{margin:0}.facts{gap:2px 18px;font-size:14px;margin:8px 0 14px}"
    ".row{display:flex;flex-wrap:wrap;gap:10px 28px;align-items:flex-start}figure{margin:14px 0;break-inside:avoid}"
    "figcaption{font-size:14px;font-weight:bold;margin-bottom:6px}svg{display:block;max-width:100%;height:auto}"
    "details{margin:10px 0}summary{cursor:pointer;font-size:14px;color:#0072b2}"
    "@media(max-width:640px){.col>div{grid-template-columns:1fr}nav ul ul,.hints{columns:1}}"
    "@media print{body{max-width:none;padding:0;font-size:12px}h2,h3,h4{break-after:avoid}tr{break-inside:avoid}nav{display:none}}";
/* clang-format on */

void dm_html_init(dm_html *page, dm_ctx *ctx, dm_error *err) {
  *page = (dm_html){.limit = SIZE_MAX};
  dm_buf_init(&page->body, ctx, err);
  dm_buf_init(&page->contents, ctx, err);
}

void dm_html_clear(dm_html *page) {
  dm_buf_clear(&page->body);
  dm_buf_clear(&page->contents);
}

void dm_html_finish(dm_html *page, const char *title, const char *subtitle, dm_buf *out) {
  dm_buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
  dm_html_wrap(out, "<title>", dm_str_of(title), "</title>\n<style>");
  dm_buf_adds(out, style);
  dm_html_wrap(out, "</style>\n</head>\n<body>\n<header>\n<h1>", dm_str_of(title), "</h1>\n");
  dm_html_wrap(out, "<p class=\"lead\">", dm_str_of(subtitle), "</p>\n</header>\n");
  if (page->n_headings) {
    dm_buf_adds(out, "<nav aria-label=\"Contents\">\n<ul>\n");
    dm_buf_add(out, page->contents.p, page->contents.n);
    dm_buf_adds(out, page->nested ? "</ul></li>\n</ul>\n</nav>\n" : "</li>\n</ul>\n</nav>\n");
  }
  dm_buf_adds(out, "<main>\n");
  dm_buf_add(out, page->body.p, page->body.n);
  dm_buf_adds(out, "</main>\n</body>\n</html>\n");
  if (page->body.failed || page->contents.failed) out->failed = true;
}

void dm_html_heading(dm_html *page, int level, dm_str text) {
  dm_buf *c = &page->contents;
  size_t id = ++page->n_headings;
  if (level == 2)
    dm_buf_adds(c, page->nested ? "</ul></li>\n" : id > 1 ? "</li>\n" : "");
  else
    dm_buf_adds(c, page->nested ? "" : "<ul>");
  page->nested = level > 2;
  dm_buf_printf(c, "<li><a href=\"#s%zu\">", id);
  dm_html_wrap(c, "", text, level == 2 ? "</a>" : "</a></li>\n");
  dm_buf_printf(&page->body, "<h%d id=\"s%zu\">", level, id);
  dm_html_wrap(&page->body, "", text, "");
  dm_buf_printf(&page->body, "</h%d>\n", level);
}

void dm_html_note(dm_html *page, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  dm_html_wrap(&page->body, "<p class=\"note\">", dm_str_of(text), "</p>\n");
}

bool dm_html_admit(dm_html *page, dm_buf *piece) {
  bool fits = page->body.n + piece->n <= page->limit;
  if (fits) dm_buf_add(&page->body, piece->p, piece->n);
  if (piece->failed) page->body.failed = true;
  dm_buf_reset(piece);
  return fits;
}

void dm_html_wrap(dm_buf *out, const char *open, dm_str text, const char *close) {
  dm_buf_adds(out, open);
  dm_escape(out, text);
  dm_buf_adds(out, close);
}

void dm_html_cell(dm_buf *out, dm_str text) { dm_html_wrap(out, "<td>", text, "</td>"); }

static void number_cell(dm_buf *out, const char *text) {
  dm_html_wrap(out, "<td class=\"n\">", dm_str_of(text), "</td>");
}

void dm_html_cell_count(dm_buf *out, uint64_t v) {
  char text[DM_LABEL_MAX];
  dm_number_count(v, text);
  number_cell(out, text);
}

void dm_html_cell_value(dm_buf *out, double v) {
  char text[DM_LABEL_MAX];
  dm_number_value(v, 5, text);
  number_cell(out, text);
}

void dm_html_cell_share(dm_buf *out, double v) {
  char text[DM_LABEL_MAX];
  dm_number_share(v, text);
  number_cell(out, text);
}

void dm_html_table(dm_buf *out, const char *const *headings) {
  dm_buf_adds(out, "<div class=\"wide\"><table>\n<thead><tr>");
  for (; *headings; headings++) {
    bool number = **headings == '#';
    dm_html_wrap(out, number ? "<th class=\"n\" scope=\"col\">" : "<th scope=\"col\">",
                 dm_str_of(*headings + number), "</th>");
  }
  dm_buf_adds(out, "</tr></thead>\n<tbody>\n");
}

void dm_html_table_end(dm_buf *out) { dm_buf_adds(out, "</tbody></table></div>\n"); }

void dm_html_fact(dm_buf *out, const char *name, const char *value) {
  dm_html_wrap(out, "<dt>", dm_str_of(name), "</dt>");
  dm_html_wrap(out, "<dd>", dm_str_of(value), "</dd>\n");
}

void dm_html_time(const char *iso, char out[32]) {
  (void)snprintf(out, 32, "%.19s", iso ? iso : "");
  if (strlen(out) == 19 && out[10] == 'T') out[10] = ' ';
}
