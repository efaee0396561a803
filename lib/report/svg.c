/* Writer of SVG elements. Coordinates are pixels; every number goes through put_number. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *dm_svg_colour(size_t i) {
  static const char *const colours[DM_N_COLOURS] = {DM_BLUE,   "#E69F00", "#009E73", DM_VERMILION,
                                                    "#CC79A7", "#56B4E9", "#F0E442"};
  return i < DM_N_COLOURS ? colours[i] : DM_GREY;
}

/* At most two decimals, no exponent; what is not finite is drawn at 0, so that no output ever holds "nan". */
static void put_number(dm_buf *out, double v) {
  if (!(fabs(v) < 1e9)) v = 0;
  long long cents = llround(v * 100);
  if (cents < 0) {
    dm_buf_addc(out, '-');
    cents = -cents;
  }
  dm_buf_printf(out, "%lld", cents / 100);
  int rest = (int)(cents % 100);
  if (rest == 0) return;
  if (rest % 10 == 0)
    dm_buf_printf(out, ".%d", rest / 10);
  else
    dm_buf_printf(out, ".%02d", rest);
}

static void attribute(dm_buf *out, const char *name, double v) {
  dm_buf_addc(out, ' ');
  dm_buf_adds(out, name);
  dm_buf_adds(out, "=\"");
  put_number(out, v);
  dm_buf_addc(out, '"');
}

static void text_attribute(dm_buf *out, const char *name, const char *v) {
  dm_buf_addc(out, ' ');
  dm_buf_adds(out, name);
  dm_buf_adds(out, "=\"");
  dm_escape(out, dm_str_of(v));
  dm_buf_addc(out, '"');
}

static void child_text(dm_buf *out, const char *element, const char *text) {
  if (!text || !*text) return;
  dm_buf_printf(out, "<%s>", element);
  dm_escape(out, dm_str_of(text));
  dm_buf_printf(out, "</%s>", element);
}

void dm_svg_begin(dm_buf *out, double width, double height, const char *title, const char *description) {
  width = ceil(width); /* HTML takes whole pixels only */
  height = ceil(height);
  dm_buf_adds(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
  attribute(out, "width", width);
  attribute(out, "height", height);
  dm_buf_adds(out, " viewBox=\"0 0 ");
  put_number(out, width);
  dm_buf_addc(out, ' ');
  put_number(out, height);
  dm_buf_adds(out, "\" font-family=\"Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif\">");
  child_text(out, "title", title);
  child_text(out, "desc", description);
}

void dm_svg_end(dm_buf *out) { dm_buf_adds(out, "</svg>\n"); }

void dm_svg_group(dm_buf *out, const char *tip) {
  dm_buf_adds(out, "<g>");
  child_text(out, "title", tip);
}

void dm_svg_group_end(dm_buf *out) { dm_buf_adds(out, "</g>"); }

static void open_rect(dm_buf *out, double x, double y, double width, double height, const char *fill) {
  dm_buf_adds(out, "<rect");
  attribute(out, "x", x);
  attribute(out, "y", y);
  attribute(out, "width", width > 0 ? width : 0);
  attribute(out, "height", height > 0 ? height : 0);
  if (fill) text_attribute(out, "fill", fill);
}

void dm_svg_rect(dm_buf *out, double x, double y, double width, double height, const char *fill) {
  open_rect(out, x, y, width, height, fill);
  dm_buf_adds(out, "/>");
}

void dm_svg_box(dm_buf *out, double x, double y, double width, double height, const char *fill,
                const char *stroke) {
  open_rect(out, x, y, width, height, fill);
  text_attribute(out, "stroke", stroke);
  attribute(out, "rx", 3);
  dm_buf_adds(out, "/>");
}

void dm_svg_line(dm_buf *out, double x1, double y1, double x2, double y2, const char *stroke, double width) {
  dm_buf_adds(out, "<line");
  attribute(out, "x1", x1);
  attribute(out, "y1", y1);
  attribute(out, "x2", x2);
  attribute(out, "y2", y2);
  text_attribute(out, "stroke", stroke);
  if (width > 1 || width < 1) attribute(out, "stroke-width", width);
  dm_buf_adds(out, "/>");
}

void dm_svg_polyline(dm_buf *out, size_t n, const double *x, const double *y, const char *stroke,
                     double width, const char *dash) {
  dm_buf_adds(out, "<polyline fill=\"none\" stroke-linejoin=\"round\"");
  text_attribute(out, "stroke", stroke);
  attribute(out, "stroke-width", width);
  if (*dash) text_attribute(out, "stroke-dasharray", dash);
  dm_buf_adds(out, " points=\"");
  for (size_t i = 0; i < n; i++) {
    if (i) dm_buf_addc(out, ' ');
    put_number(out, x[i]);
    dm_buf_addc(out, ',');
    put_number(out, y[i]);
  }
  dm_buf_adds(out, "\"/>");
}

static int by_place(const void *a, const void *b) {
  const double *p = a, *q = b;
  return p[0] < q[0] ? -1 : p[0] > q[0] ? 1 : p[1] < q[1] ? -1 : p[1] > q[1];
}

/* A line of no length with round ends is a dot; from one to the next in half pixels it has eight bytes. */
void dm_svg_dots(dm_buf *out, size_t n, double (*points)[2], const char *fill, double width) {
  for (size_t i = 0; i < 2 * n; i++) points[i / 2][i % 2] = round(2 * points[i / 2][i % 2]);
  if (n) qsort(points, n, sizeof *points, by_place);
  dm_buf_adds(out, "<path fill=\"none\" stroke-linecap=\"round\" transform=\"scale(.5)\"");
  text_attribute(out, "stroke", fill);
  attribute(out, "stroke-width", 2 * width);
  dm_buf_adds(out, " d=\"M0 0");
  double x = 0, y = 0;
  for (size_t i = 0; i < n; i++) {
    double dx = points[i][0] - x, dy = points[i][1] - y;
    if (i && !(fabs(dx) + fabs(dy) > 0)) continue;
    dm_buf_addc(out, 'm');
    put_number(out, dx);
    if (!(dy < 0)) dm_buf_addc(out, ' ');
    put_number(out, dy);
    dm_buf_adds(out, "h0");
    x += dx;
    y += dy;
  }
  dm_buf_adds(out, "\"/>");
}

void dm_svg_dot(dm_buf *out, double x, double y, const char *fill, double width) {
  double point[1][2] = {{x, y}};
  dm_svg_dots(out, 1, point, fill, width);
}

void dm_svg_segments(dm_buf *out, size_t n, const double (*lines)[4], const char *stroke) {
  if (n == 0) return;
  dm_buf_adds(out, "<path");
  text_attribute(out, "stroke", stroke);
  dm_buf_adds(out, " d=\"");
  for (size_t i = 0; i < n; i++)
    for (size_t end = 0; end < 2; end++) {
      dm_buf_addc(out, end ? 'L' : 'M');
      put_number(out, lines[i][2 * end]);
      dm_buf_addc(out, ' ');
      put_number(out, lines[i][2 * end + 1]);
    }
  dm_buf_adds(out, "\"/>");
}

void dm_svg_rects_begin(dm_buf *out, const char *fill) {
  dm_buf_adds(out, "<g");
  text_attribute(out, "fill", fill);
  dm_buf_addc(out, '>');
}

void dm_svg_rects_add(dm_buf *out, double x, double y, double width, double height, const char *tip) {
  open_rect(out, x, y, width, height, NULL);
  dm_buf_addc(out, '>');
  child_text(out, "title", tip);
  dm_buf_adds(out, "</rect>");
}

void dm_svg_cells_begin(dm_buf *out, const char *fill) {
  dm_buf_adds(out, "<path");
  text_attribute(out, "fill", fill);
  dm_buf_adds(out, " d=\"");
}

void dm_svg_cells_add(dm_buf *out, double x, double y, double width, double height) {
  dm_buf_addc(out, 'M');
  put_number(out, x);
  dm_buf_addc(out, ' ');
  put_number(out, y);
  dm_buf_addc(out, 'h');
  put_number(out, width);
  dm_buf_addc(out, 'v');
  put_number(out, height);
  dm_buf_addc(out, 'h');
  put_number(out, -width);
  dm_buf_addc(out, 'z');
}

void dm_svg_cells_end(dm_buf *out) { dm_buf_adds(out, "\"/>"); }

static void font_attributes(dm_buf *out, const dm_font *font) {
  static const char *const anchors[] = {"start", "middle", "end"};
  attribute(out, "font-size", font->size);
  text_attribute(out, "fill", font->fill ? font->fill : DM_INK);
  if (font->anchor != DM_START) text_attribute(out, "text-anchor", anchors[font->anchor]);
  if (font->bold) dm_buf_adds(out, " font-weight=\"bold\"");
  if (font->halo) dm_buf_adds(out, " stroke=\"#FFFFFF\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
}

void dm_svg_labels_begin(dm_buf *out, const dm_font *font) {
  dm_buf_adds(out, "<g");
  font_attributes(out, font);
  dm_buf_addc(out, '>');
}

void dm_svg_labels_add(dm_buf *out, double x, double y, const char *text) {
  dm_buf_adds(out, "<text");
  attribute(out, "x", x);
  attribute(out, "y", y);
  dm_buf_addc(out, '>');
  dm_escape(out, dm_str_of(text));
  dm_buf_adds(out, "</text>");
}

static void open_text(dm_buf *out, double x, double y, const dm_font *font) {
  dm_buf_adds(out, "<text");
  attribute(out, "x", x);
  attribute(out, "y", y);
  font_attributes(out, font);
  if (fabs(font->turn) > 0) {
    dm_buf_adds(out, " transform=\"rotate(");
    put_number(out, font->turn);
    dm_buf_addc(out, ' ');
    put_number(out, x);
    dm_buf_addc(out, ' ');
    put_number(out, y);
    dm_buf_adds(out, ")\"");
  }
  dm_buf_addc(out, '>');
}

void dm_svg_text(dm_buf *out, double x, double y, const dm_font *font, dm_str text) {
  open_text(out, x, y, font);
  dm_escape(out, text);
  dm_buf_adds(out, "</text>");
}

void dm_svg_text_fit(dm_buf *out, double x, double y, double width, const dm_font *font, dm_str text) {
  dm_buf cut;
  dm_buf_init(&cut, out->ctx, out->err);
  bool whole = dm_text_fit(&cut, text, font->size, font->bold, width);
  open_text(out, x, y, font);
  if (!whole) {
    dm_buf_adds(out, "<title>");
    dm_escape(out, text);
    dm_buf_adds(out, "</title>");
  }
  dm_escape(out, (dm_str){cut.p, cut.n});
  dm_buf_adds(out, "</text>");
  if (cut.failed) out->failed = true;
  dm_buf_clear(&cut);
}
