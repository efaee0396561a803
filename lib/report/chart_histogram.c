/* Histogram: bars over their edges, a count axis from 0. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

/* Tooltip of a bar: "2.5 to 5: 1,204"; of whole numbers "2 to 4: 1,204" or "2: 1,204". */
static void bar_tip(char *tip, size_t size, double from, double to, bool whole, uint64_t count) {
  char a[DM_LABEL_MAX], b[DM_LABEL_MAX], c[DM_LABEL_MAX];
  if (whole && to > from) to -= 1;
  dm_number_value(from, 6, a);
  dm_number_value(to, 6, b);
  dm_number_count(count, c);
  if (to > from)
    (void)snprintf(tip, size, "%s to %s: %s", a, b, c);
  else
    (void)snprintf(tip, size, "%s: %s", a, c);
}

/* Where the bar of one bin stands. */
static void bar_place(const dm_chart *chart, size_t n_bins, const double *edges, size_t i, const dm_axis *x,
                      double *left, double *right) {
  double shift = chart->whole && edges[n_bins] > edges[0] ? 0.5 : 0;
  *left = dm_axis_at(x, edges[i] - shift);
  *right = dm_axis_at(x, edges[i + 1] - shift);
  if (!(*right - *left >= 1)) { /* all values equal: a bar of its own around the value */
    double middle = (*left + *right) / 2, half = n_bins == 1 ? 14 : 0.5;
    *left = middle - half;
    *right = middle + half;
  }
  *left += *right - *left > 5 ? 0.5 : 0;
}

static bool is_beyond(const dm_chart *chart, double edge) { return chart->line_label && edge >= chart->line; }

/* Bars on one side of the line, in one colour. */
static void draw_bars(dm_buf *out, const dm_chart *chart, dm_area area, size_t n_bins, const double *edges,
                      const uint64_t *counts, const dm_axis *x, const dm_axis *y, bool beyond) {
  const char *colour = beyond ? DM_VERMILION : DM_BLUE;
  if (chart->plain)
    dm_svg_cells_begin(out, colour);
  else
    dm_svg_rects_begin(out, colour);
  for (size_t i = 0; i < n_bins; i++) {
    if (counts[i] == 0 || is_beyond(chart, edges[i]) != beyond) continue;
    double left, right, top = dm_axis_at(y, (double)counts[i]);
    bar_place(chart, n_bins, edges, i, x, &left, &right);
    double gap = right - left > 4.5 ? 0.5 : 0;
    if (area.bottom - top < 1) top = area.bottom - 1; /* one row among a million still shows */
    if (chart->plain) {
      dm_svg_cells_add(out, left, top, right - left - gap, area.bottom - top);
      continue;
    }
    char tip[3 * DM_LABEL_MAX + 16];
    bar_tip(tip, sizeof tip, edges[i], edges[i + 1], chart->whole, counts[i]);
    dm_svg_rects_add(out, left, top, right - left - gap, area.bottom - top, tip);
  }
  if (chart->plain)
    dm_svg_cells_end(out);
  else
    dm_svg_group_end(out);
}

/* The line and its label above the plot, on the side where it fits. */
static void draw_threshold(dm_buf *out, const dm_chart *chart, dm_area area, const dm_axis *x) {
  double at = dm_axis_at(x, chart->line), px[2] = {at, at}, py[2] = {area.bottom, area.top - 6};
  dm_str text = dm_str_of(chart->line_label);
  bool left = at + dm_text_width(text, DM_LABEL_SIZE, false) + 8 > chart->width;
  dm_svg_polyline(out, 2, px, py, DM_INK, 1.5, "5 3");
  dm_svg_text(out, left ? at - 5 : at + 5, area.top - 4,
              &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_INK, .anchor = left ? DM_END : DM_START}, text);
}

void dm_chart_histogram(dm_buf *out, const dm_chart *chart, size_t n_bins, const double *edges,
                        const uint64_t *counts) {
  uint64_t most = 0;
  for (size_t i = 0; i < n_bins; i++)
    if (counts[i] > most) most = counts[i];
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  bool drawable = most > 0 && fabs(edges[0]) < 1e300 && fabs(edges[n_bins]) < 1e300;
  if (!drawable) {
    dm_svg_text(out, chart->width / 2, chart->height / 2,
                &(dm_font){.size = 12, .fill = DM_FAINT, .anchor = DM_MIDDLE},
                dm_str_of(most ? "values too large to draw" : "no values"));
    dm_svg_end(out);
    return;
  }
  dm_axis x, y;
  dm_axis_count(&y, most, 5);
  double shift = chart->whole && edges[n_bins] > edges[0] ? 0.5 : 0;
  if (chart->log)
    dm_axis_log_near(&x, edges[0], edges[n_bins], 0, 1, 8, false);
  else
    dm_axis_linear(&x, edges[0] - shift, edges[n_bins] - shift, 0, 1, 8, false);
  dm_area area = dm_axes_area(chart, &x, &y, 12);
  if (chart->line_label) {
    area.top += DM_LABEL_SIZE + 4;
    y.to = area.top;
  }
  dm_axes_draw(out, chart, area, &x, &y, false);
  draw_bars(out, chart, area, n_bins, edges, counts, &x, &y, false);
  if (chart->line_label) {
    draw_bars(out, chart, area, n_bins, edges, counts, &x, &y, true);
    draw_threshold(out, chart, area, &x);
  }
  dm_svg_end(out);
}
