/* Predicted against true values as a grid of counts: as many rows as there are, the same small drawing. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

void dm_chart_scatter(dm_buf *out, const dm_chart *chart, size_t g, double lo, double hi,
                      const uint64_t *counts) {
  dm_axis x, y;
  dm_axis_linear(&x, lo, hi, 0, 1, 6, false);
  dm_axis_linear(&y, lo, hi, 0, 1, 6, false);
  dm_area area = dm_axes_area(chart, &x, &y, 12);
  uint64_t most = 1;
  for (size_t i = 0; i < g * g; i++)
    if (counts[i] > most) most = counts[i];
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  dm_axes_draw(out, chart, area, &x, &y, true);
  double width = (area.right - area.left) / (double)g, height = (area.bottom - area.top) / (double)g;
  dm_svg_cells_begin(out, DM_BLUE);
  for (size_t row = 0; row < g; row++)
    for (size_t column = 0; column < g; column++) {
      uint64_t count = counts[row * g + column];
      if (count == 0) continue;
      /* area grows with the count; a lone row is still a visible dot */
      double share = fmax(0.3, sqrt((double)count / (double)most));
      double w = width * share, h = height * share;
      dm_svg_cells_add(out, area.left + ((double)column + 0.5) * width - w / 2,
                       area.bottom - ((double)row + 0.5) * height - h / 2, w, h);
    }
  dm_svg_cells_end(out);
  double line_x[2] = {area.left, area.right}, line_y[2] = {area.bottom, area.top};
  dm_svg_polyline(out, 2, line_x, line_y, DM_VERMILION, 1.5, "5 4");
  dm_svg_end(out);
}
