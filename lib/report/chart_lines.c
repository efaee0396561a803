/* Lines over a common x, named at their right ends; one x may be marked. */
#include "report/chart.h"

#include <math.h>
#include <string.h>

#define SIZE 11.5
#define SWATCH 18.0 /* piece of the line before its name */
#define APART 15.0  /* between names */

/* Yellow is too light for a thin line on white. */
static const char *line_colour(size_t i) { return i == DM_N_COLOURS - 1 ? DM_INK : dm_svg_colour(i * 3 % DM_N_COLOURS); }

static const char *line_dash(size_t i) {
  static const char *const dashes[] = {"", "7 3", "2 2", "9 3 2 3", "5 2", "12 4"};
  return dashes[i % 6];
}

typedef struct bounds {
  double x_lo, x_hi, y_lo, y_hi;
  size_t points;
} bounds;

static bounds find_bounds(size_t n, const dm_line *lines) {
  double inf = (double)INFINITY;
  bounds b = {inf, -inf, inf, -inf, 0};
  for (size_t i = 0; i < n; i++)
    for (size_t p = 0; p < lines[i].n; p++) {
      b.x_lo = fmin(b.x_lo, lines[i].x[p]);
      b.x_hi = fmax(b.x_hi, lines[i].x[p]);
      b.y_lo = fmin(b.y_lo, lines[i].y[p]);
      b.y_hi = fmax(b.y_hi, lines[i].y[p]);
      b.points++;
    }
  return b;
}

static void choose_axes(const dm_chart *chart, const bounds *b, dm_axis *x, dm_axis *y) {
  double lo = b->x_lo, hi = b->x_hi;
  size_t ticks = 8;
  if (chart->whole) {
    if (hi - lo < 7) ticks = (size_t)(hi - lo) + 1;
    if (hi - lo < 1) {
      lo -= 0.5;
      hi += 0.5;
    }
  }
  dm_axis_linear(x, lo, hi, 0, 1, ticks, false);
  while (chart->whole && fabs(x->step - round(x->step)) > 1e-9 && ticks > 2) dm_axis_linear(x, lo, hi, 0, 1, --ticks, false);
  if (!chart->linear && b->y_lo > 0 && b->y_hi / b->y_lo >= 10)
    dm_axis_log_near(y, b->y_lo, b->y_hi, 0, 1, 7, true);
  else
    dm_axis_linear(y, b->y_lo, b->y_hi, 0, 1, 6, true);
}

static void draw_line(dm_buf *out, const dm_line *line, const dm_axis *x, const dm_axis *y, size_t i) {
  double px[512], py[512];
  size_t n = line->n < 512 ? line->n : 512;
  for (size_t p = 0; p < n; p++) {
    px[p] = dm_axis_at(x, line->x[p]);
    py[p] = dm_axis_at(y, line->y[p]);
  }
  if (n > 1) {
    dm_svg_polyline(out, n, px, py, line_colour(i), 2, line_dash(i));
  } else if (n == 1) {
    dm_svg_dot(out, px[0], py[0], line_colour(i), 7);
  }
}

/* A ring on the line where it has a point at that x. */
static void draw_ring(dm_buf *out, const dm_line *line, double at, const dm_axis *x, const dm_axis *y, size_t i) {
  for (size_t p = 0; p < line->n; p++) {
    if (fabs(line->x[p] - at) > 0) continue;
    dm_svg_dot(out, dm_axis_at(x, at), dm_axis_at(y, line->y[p]), line_colour(i), 9);
    dm_svg_dot(out, dm_axis_at(x, at), dm_axis_at(y, line->y[p]), "#FFFFFF", 4);
    return;
  }
}

/* Each name beside the end of its line; those that would overlap are pushed apart, the lowest first kept inside. */
static void draw_names(dm_buf *out, dm_area area, size_t n, const dm_line *lines, const dm_axis *y, double room) {
  size_t order[DM_LINES], count = 0;
  double at[DM_LINES];
  for (size_t i = 0; i < n; i++) {
    if (lines[i].n == 0) continue;
    at[i] = dm_axis_at(y, lines[i].y[lines[i].n - 1]);
    size_t place = count++;
    for (; place > 0 && at[order[place - 1]] > at[i]; place--) order[place] = order[place - 1];
    order[place] = i;
  }
  for (size_t k = 1; k < count; k++) at[order[k]] = fmax(at[order[k]], at[order[k - 1]] + APART);
  double limit = area.bottom - 2;
  for (size_t k = count; k-- > 0;) {
    at[order[k]] = fmin(at[order[k]], limit);
    limit = at[order[k]] - APART;
  }
  for (size_t k = 0; k < count; k++) {
    size_t i = order[k];
    double px[2] = {area.right + 8, area.right + 8 + SWATCH}, py[2] = {at[i], at[i]};
    dm_svg_polyline(out, 2, px, py, line_colour(i), 2, line_dash(i));
    dm_svg_text_fit(out, px[1] + 6, at[i] + 4, room, &(dm_font){.size = SIZE, .fill = DM_INK}, lines[i].name);
  }
}

static void draw_mark(dm_buf *out, const dm_chart *chart, dm_area area, const dm_axis *x) {
  double at = dm_axis_at(x, chart->line), px[2] = {at, at}, py[2] = {area.bottom, area.top};
  dm_svg_polyline(out, 2, px, py, DM_FAINT, 1, "3 3");
  dm_str text = dm_str_of(chart->line_label);
  double width = dm_text_width(text, DM_LABEL_SIZE, false);
  bool left = at + width + 8 > chart->width;
  dm_svg_text(out, left ? at - 5 : at + 5, area.top - 4,
              &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_FAINT, .anchor = left ? DM_END : DM_START}, text);
}

void dm_chart_lines(dm_buf *out, const dm_chart *chart, size_t n, const dm_line *lines) {
  n = n < DM_LINES ? n : DM_LINES;
  bounds b = find_bounds(n, lines);
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  if (b.points == 0 || !(fabs(b.y_lo) < 1e300 && fabs(b.y_hi) < 1e300)) {
    dm_svg_text(out, chart->width / 2, chart->height / 2, &(dm_font){.size = 12, .fill = DM_FAINT, .anchor = DM_MIDDLE},
                dm_str_of(b.points ? "values too large to draw" : "no values"));
    dm_svg_end(out);
    return;
  }
  dm_axis x, y;
  choose_axes(chart, &b, &x, &y);
  double room = 0;
  for (size_t i = 0; i < n && n > 1; i++) room = fmax(room, dm_text_width(lines[i].name, SIZE, false) + 1);
  room = fmin(room, chart->width * 0.3);
  dm_area area = dm_axes_area(chart, &x, &y, n > 1 ? SWATCH + 16 + room : 12);
  if (chart->line_label) {
    area.top += DM_LABEL_SIZE + 2;
    y.to = area.top;
  }
  dm_axes_draw(out, chart, area, &x, &y, false);
  if (chart->line_label) draw_mark(out, chart, area, &x);
  for (size_t i = n; i-- > 0;) draw_line(out, &lines[i], &x, &y, i);
  for (size_t i = n; i-- > 0 && chart->line_label;) draw_ring(out, &lines[i], chart->line, &x, &y, i);
  if (n > 1) draw_names(out, area, n, lines, &y, room);
  dm_svg_end(out);
}
