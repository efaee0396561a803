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
  dm_axis_linear(&x, edges[0] - shift, edges[n_bins] - shift, 0, 1, 8, false);
  dm_area area = dm_axes_area(chart, &x, &y, 12);
  dm_axes_draw(out, chart, area, &x, &y, false);
  if (chart->plain)
    dm_svg_cells_begin(out, DM_BLUE);
  else
    dm_svg_rects_begin(out, DM_BLUE);
  for (size_t i = 0; i < n_bins; i++) {
    if (counts[i] == 0) continue;
    double left = dm_axis_at(&x, edges[i] - shift), right = dm_axis_at(&x, edges[i + 1] - shift);
    double top = dm_axis_at(&y, (double)counts[i]);
    if (!(right - left >= 1)) { /* all values equal: a bar of its own around the value */
      double middle = (left + right) / 2, half = n_bins == 1 ? 14 : 0.5;
      left = middle - half;
      right = middle + half;
    }
    if (area.bottom - top < 1) top = area.bottom - 1; /* one row among a million still shows */
    double gap = right - left > 5 ? 1 : 0;
    left += gap / 2;
    if (chart->plain) {
      dm_svg_cells_add(out, left, top, right - left - gap / 2, area.bottom - top);
      continue;
    }
    char tip[3 * DM_LABEL_MAX + 16];
    bar_tip(tip, sizeof tip, edges[i], edges[i + 1], chart->whole, counts[i]);
    dm_svg_rects_add(out, left, top, right - left - gap / 2, area.bottom - top, tip);
  }
  if (chart->plain)
    dm_svg_cells_end(out);
  else
    dm_svg_group_end(out);
  dm_svg_end(out);
}
