/* Writer of SVG charts: presentation attributes only, so that a browser, librsvg and a printer draw the same. */
#ifndef DM_REPORT_SVG_H
#define DM_REPORT_SVG_H

#include <dm/core.h>

/* Okabe & Ito, 2008: distinguishable with every common colour blindness, and light enough in print. */
#define DM_BLUE "#0072B2"
#define DM_VERMILION "#D55E00"
#define DM_GREY "#9AA3AD" /* what is not one of the named classes */
#define DM_INK "#1F2933"  /* text */
#define DM_FAINT "#52606D" /* axis titles and tick labels: 6:1 on white */
#define DM_RULE "#CBD2D9" /* axes */
#define DM_GRID "#E9EDF1"
#define DM_N_COLOURS 7
/** Colour of class i: seven named colours, grey from there on. */
const char *dm_svg_colour(size_t i);

typedef enum dm_anchor { DM_START, DM_MIDDLE, DM_END } dm_anchor;

/** A run of text: everything but x, y and the text itself. */
typedef struct dm_font {
  double size;
  const char *fill;
  dm_anchor anchor;
  bool bold;
  bool halo;   /* white around the letters: legible over dots */
  double turn; /* degrees about (x, y) */
} dm_font;

/** Opens the drawing; title and description are read aloud instead of it. */
void dm_svg_begin(dm_buf *out, double width, double height, const char *title, const char *description);
void dm_svg_end(dm_buf *out);
/** A group with a tooltip; tip may be empty. */
void dm_svg_group(dm_buf *out, const char *tip);
void dm_svg_group_end(dm_buf *out);

void dm_svg_rect(dm_buf *out, double x, double y, double width, double height, const char *fill);
void dm_svg_box(dm_buf *out, double x, double y, double width, double height, const char *fill, const char *stroke);
void dm_svg_line(dm_buf *out, double x1, double y1, double x2, double y2, const char *stroke, double width);
/** @param dash "" or as in stroke-dasharray. */
void dm_svg_polyline(dm_buf *out, size_t n, const double *x, const double *y, const char *stroke, double width, const char *dash);
/** Round dots of one colour as one element, to half a pixel; what falls on one place is drawn once. @param points [n] are sorted. */
void dm_svg_dots(dm_buf *out, size_t n, double (*points)[2], const char *fill, double width);
void dm_svg_dot(dm_buf *out, double x, double y, const char *fill, double width);
/** n separate lines {x1, y1, x2, y2} as one element. */
void dm_svg_segments(dm_buf *out, size_t n, const double (*lines)[4], const char *stroke);
/** Rectangles of one colour, each with a tooltip: begin, then any number, then dm_svg_group_end. */
void dm_svg_rects_begin(dm_buf *out, const char *fill);
void dm_svg_rects_add(dm_buf *out, double x, double y, double width, double height, const char *tip);
/** The same without tooltips as one element. */
void dm_svg_cells_begin(dm_buf *out, const char *fill);
void dm_svg_cells_add(dm_buf *out, double x, double y, double width, double height);
void dm_svg_cells_end(dm_buf *out);
/** Texts of one font: begin, then any number, then dm_svg_group_end. */
void dm_svg_labels_begin(dm_buf *out, const dm_font *font);
void dm_svg_labels_add(dm_buf *out, double x, double y, const char *text);
void dm_svg_text(dm_buf *out, double x, double y, const dm_font *font, dm_str text);
/** The text cut with an ellipsis to at most `width`; the whole text stays as tooltip. */
void dm_svg_text_fit(dm_buf *out, double x, double y, double width, const dm_font *font, dm_str text);

/** Width of UTF-8 text in a wide sans font (DejaVu Sans), so that narrower fonts only leave air. */
double dm_text_width(dm_str text, double size, bool bold);
/** Appends the longest beginning that fits in width, with an ellipsis when something was cut. @return true when whole. */
bool dm_text_fit(dm_buf *out, dm_str text, double size, bool bold, double width);

/** Appends UTF-8 text for element content and quoted attributes; what XML cannot hold or would reorder the line becomes U+FFFD. */
void dm_escape(dm_buf *out, dm_str text);
/** Appends raw bytes for people: control characters and bytes that are not UTF-8 as \x1B, then escaped. @param most bytes shown. */
void dm_escape_bytes(dm_buf *out, dm_str raw, size_t most);

#endif
