/* Axes of the charts that have two: margins from the labels' widths, grid, ticks, titles. */
#include "report/chart.h"

#include <math.h>

static double widest_label(const dm_scale *s) {
  char label[DM_LABEL_MAX];
  double widest = 0;
  for (size_t i = 0; i < s->n; i++) {
    dm_scale_label(s, i, label);
    widest = fmax(widest, dm_text_width(dm_str_of(label), DM_LABEL_SIZE, false));
  }
  return widest;
}

dm_area dm_axes_area(const dm_chart *chart, dm_scale *x, dm_scale *y, double right_margin) {
  dm_area area = {.left = widest_label(y) + 8 + (chart->y_title ? DM_TITLE_SIZE + 8 : 0),
                  .top = 10,
                  .right = chart->width - right_margin,
                  .bottom = chart->height - DM_LABEL_SIZE - 9 - (chart->x_title ? DM_TITLE_SIZE + 7 : 0)};
  x->from = area.left;
  x->to = area.right;
  y->from = area.bottom;
  y->to = area.top;
  dm_scale_fit_labels(x, DM_LABEL_SIZE, 10);
  /* the outermost label may reach beyond the axis: pull the axis in */
  char label[DM_LABEL_MAX];
  dm_scale_label(x, x->n - 1, label);
  double beyond = dm_scale_at(x, x->ticks[x->n - 1]) +
                  dm_text_width(dm_str_of(label), DM_LABEL_SIZE, false) / 2 + 2 - chart->width;
  if (beyond > 0) {
    area.right -= beyond;
    x->to = area.right;
    dm_scale_fit_labels(x, DM_LABEL_SIZE, 8);
  }
  return area;
}

void dm_axes_draw(dm_buf *out, const dm_chart *chart, dm_area area, const dm_scale *x, const dm_scale *y,
                  bool vertical_grid) {
  char label[DM_LABEL_MAX];
  for (size_t i = 0; i < y->n; i++) {
    double at = dm_scale_at(y, y->ticks[i]);
    dm_svg_line(out, area.left, at, area.right, at, DM_GRID, 1);
    dm_scale_label(y, i, label);
    dm_svg_text(out, area.left - 6, at + DM_LABEL_SIZE * 0.35,
                &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_FAINT, .anchor = DM_END}, dm_str_of(label));
  }
  for (size_t i = 0; i < x->n; i++) {
    double at = dm_scale_at(x, x->ticks[i]);
    if (vertical_grid) dm_svg_line(out, at, area.top, at, area.bottom, DM_GRID, 1);
    dm_svg_line(out, at, area.bottom, at, area.bottom + 4, DM_RULE, 1);
    dm_scale_label(x, i, label);
    dm_svg_text(out, at, area.bottom + DM_LABEL_SIZE + 5,
                &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE}, dm_str_of(label));
  }
  dm_svg_line(out, area.left, area.bottom, area.right, area.bottom, DM_RULE, 1);
  if (chart->x_title)
    dm_svg_text_fit(out, (area.left + area.right) / 2, chart->height - 4, area.right - area.left,
                    &(dm_font){.size = DM_TITLE_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE},
                    dm_str_of(chart->x_title));
  if (chart->y_title)
    dm_svg_text_fit(out, DM_TITLE_SIZE, (area.top + area.bottom) / 2, area.bottom - area.top,
                    &(dm_font){.size = DM_TITLE_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE, .turn = -90},
                    dm_str_of(chart->y_title));
}
