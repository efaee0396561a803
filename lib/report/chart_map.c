/* Points in the plane in a few colours, with a legend beside the plot. */
#include "report/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIZE   11.5
#define LEGEND 150.0
#define LABELLED 10 /* fewer points are hidden by the name */

/* Seven named colours are told apart by everybody; beyond, ten by most (Tableau 10). */
static const char *dot_colour(const dm_dots *groups, size_t n, size_t i) {
  static const char *const ten[] = {"#4E79A7", "#F28E2B", "#59A14F", "#E15759", "#B07AA1",
                                    "#9C755F", "#FF9DA7", "#76B7B2", "#EDC948", "#1F2933"};
  if (groups[i].colour) return groups[i].colour;
  if (n <= DM_N_COLOURS) return dm_svg_colour(i);
  return i < sizeof ten / sizeof *ten ? ten[i] : DM_GREY;
}

/* Rows lie apart on an axis that reaches a little beyond them, so that no dot is cut. */
static void choose_axis(dm_axis *axis, size_t n, const dm_dots *groups, size_t at, size_t ticks, bool log) {
  double lo = (double)INFINITY, hi = -lo;
  for (size_t i = 0; i < n; i++)
    for (size_t p = 0; p < groups[i].n; p++) {
      lo = fmin(lo, groups[i].xy[2 * p + at]);
      hi = fmax(hi, groups[i].xy[2 * p + at]);
    }
  if (log && lo > 0 && hi > 4 * lo) {
    dm_axis_log_near(axis, lo / 1.1, hi * 1.1, 0, 1, ticks, false);
    return;
  }
  double margin = 0.05 * (hi / 2 - lo / 2);
  dm_axis_linear(axis, lo - margin, hi + margin, 0, 1, ticks, false);
}

static void draw_dots(dm_buf *out, const dm_dots *g, const char *colour, double width, const dm_axis *x, const dm_axis *y) {
  double(*points)[2] = dm_alloc(out->ctx, g->n, sizeof *points, "chart", out->err);
  if (!points) {
    out->failed = true;
    return;
  }
  for (size_t p = 0; p < g->n; p++) {
    points[p][0] = dm_axis_at(x, g->xy[2 * p]);
    points[p][1] = dm_axis_at(y, g->xy[2 * p + 1]);
  }
  dm_svg_dots(out, g->n, points, colour, width);
  dm_free(out->ctx, points);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The middle of the points, one coordinate at a time. @param v [n] is sorted. */
static double median(size_t n, double *v) {
  qsort(v, n, sizeof *v, by_value);
  return v[n / 2];
}

static void draw_label(dm_buf *out, const dm_dots *g, const dm_axis *x, const dm_axis *y) {
  double *v = dm_alloc(out->ctx, g->n, sizeof *v, "chart", out->err);
  if (!v) {
    out->failed = true;
    return;
  }
  for (size_t p = 0; p < g->n; p++) v[p] = g->xy[2 * p];
  double px = dm_axis_at(x, median(g->n, v));
  for (size_t p = 0; p < g->n; p++) v[p] = g->xy[2 * p + 1];
  double py = dm_axis_at(y, median(g->n, v));
  dm_free(out->ctx, v);
  dm_svg_text_fit(out, px, py + 4, 90, &(dm_font){.size = 12.5, .fill = DM_INK, .anchor = DM_MIDDLE, .bold = true, .halo = true},
                  g->name);
}

static void draw_legend(dm_buf *out, dm_area area, size_t n, const dm_dots *groups, const char *heading) {
  double left = area.right + 18, at = area.top + 6;
  dm_svg_text_fit(out, left, at + 4, LEGEND - 22, &(dm_font){.size = SIZE, .fill = DM_FAINT}, dm_str_of(heading));
  for (size_t i = 0; i < n; i++) {
    if (groups[i].n == 0) continue;
    at += 19;
    dm_svg_dot(out, left + 5, at, dot_colour(groups, n, i), 9);
    dm_svg_text_fit(out, left + 16, at + 4, LEGEND - 38, &(dm_font){.size = SIZE, .fill = DM_INK}, groups[i].name);
  }
}

void dm_chart_map(dm_buf *out, const dm_chart *chart, size_t n, const dm_dots *groups, const char *legend) {
  size_t points = 0;
  bool drawable = true;
  for (size_t i = 0; i < n; i++) {
    points += groups[i].n;
    for (size_t p = 0; p < 2 * groups[i].n; p++) drawable = drawable && fabs(groups[i].xy[p]) < 1e300;
  }
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  if (points == 0 || !drawable) {
    dm_svg_text(out, chart->width / 2, chart->height / 2, &(dm_font){.size = 12, .fill = DM_FAINT, .anchor = DM_MIDDLE},
                dm_str_of(points ? "values too large to draw" : "no values"));
    dm_svg_end(out);
    return;
  }
  dm_axis x, y;
  choose_axis(&x, n, groups, 0, 6, chart->log);
  choose_axis(&y, n, groups, 1, 6, false);
  dm_area area = dm_axes_area(chart, &x, &y, LEGEND);
  dm_axes_draw(out, chart, area, &x, &y, true);
  double width = points > 600 ? 4 : points > 100 ? 5 : 7;
  for (size_t i = 0; i < n; i++)
    if (groups[i].n) draw_dots(out, &groups[i], dot_colour(groups, n, i), width, &x, &y);
  for (size_t i = 0; i < n; i++)
    if (groups[i].label && groups[i].n >= LABELLED) draw_label(out, &groups[i], &x, &y);
  draw_legend(out, area, n, groups, legend);
  dm_svg_end(out);
}
