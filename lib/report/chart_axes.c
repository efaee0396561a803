/* Axes of the charts that have two: margins from the labels' widths, grid, ticks, titles. */
#include "report/chart.h"

#include <math.h>
#include <string.h>

static double widest_label(const dm_axis *s) {
  char label[DM_LABEL_MAX];
  double widest = 0;
  for (size_t i = 0; i < s->n; i++) {
    dm_axis_label(s, i, label);
    widest = fmax(widest, dm_text_width(dm_str_of(label), DM_LABEL_SIZE, false));
  }
  return widest;
}

dm_area dm_axes_area(const dm_chart *chart, dm_axis *x, dm_axis *y, double right_margin) {
  dm_area area = {.left = widest_label(y) + 8 + (chart->y_title ? DM_TITLE_SIZE + 8 : 0),
                  .top = 10,
                  .right = chart->width - right_margin,
                  .bottom = chart->height - DM_LABEL_SIZE - 9 - (chart->x_title ? DM_TITLE_SIZE + 7 : 0)};
  x->from = area.left;
  x->to = area.right;
  y->from = area.bottom;
  y->to = area.top;
  dm_axis_fit_labels(x, DM_LABEL_SIZE, 10);
  /* the outermost label may reach beyond the axis: pull the axis in */
  char label[DM_LABEL_MAX];
  dm_axis_label(x, x->n - 1, label);
  double beyond = dm_axis_at(x, x->ticks[x->n - 1]) +
                  dm_text_width(dm_str_of(label), DM_LABEL_SIZE, false) / 2 + 2 - chart->width;
  if (beyond > 0) {
    area.right -= beyond;
    x->to = area.right;
    dm_axis_fit_labels(x, DM_LABEL_SIZE, 8);
  }
  return area;
}

static void draw_y(dm_buf *out, dm_area area, const dm_axis *y) {
  char label[DM_LABEL_MAX];
  double lines[DM_TICKS_MAX][4];
  for (size_t i = 0; i < y->n; i++) {
    double at = dm_axis_at(y, y->ticks[i]);
    memcpy(lines[i], (double[4]){area.left, at, area.right, at}, sizeof lines[i]);
  }
  dm_svg_segments(out, y->n, (const double(*)[4])lines, DM_GRID);
  dm_svg_labels_begin(out, &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_FAINT, .anchor = DM_END});
  for (size_t i = 0; i < y->n; i++) {
    dm_axis_label(y, i, label);
    dm_svg_labels_add(out, area.left - 6, dm_axis_at(y, y->ticks[i]) + DM_LABEL_SIZE * 0.35, label);
  }
  dm_svg_group_end(out);
}

static void draw_x(dm_buf *out, dm_area area, const dm_axis *x, bool grid) {
  char label[DM_LABEL_MAX];
  double lines[DM_TICKS_MAX][4], ticks[DM_TICKS_MAX + 1][4];
  for (size_t i = 0; i < x->n; i++) {
    double at = dm_axis_at(x, x->ticks[i]);
    memcpy(lines[i], (double[4]){at, area.top, at, area.bottom}, sizeof lines[i]);
    memcpy(ticks[i], (double[4]){at, area.bottom, at, area.bottom + 4}, sizeof ticks[i]);
  }
  memcpy(ticks[x->n], (double[4]){area.left, area.bottom, area.right, area.bottom}, sizeof ticks[0]);
  if (grid) dm_svg_segments(out, x->n, (const double(*)[4])lines, DM_GRID);
  dm_svg_segments(out, x->n + 1, (const double(*)[4])ticks, DM_RULE);
  dm_svg_labels_begin(out, &(dm_font){.size = DM_LABEL_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE});
  for (size_t i = 0; i < x->n; i++) {
    dm_axis_label(x, i, label);
    dm_svg_labels_add(out, dm_axis_at(x, x->ticks[i]), area.bottom + DM_LABEL_SIZE + 5, label);
  }
  dm_svg_group_end(out);
}

void dm_axes_draw(dm_buf *out, const dm_chart *chart, dm_area area, const dm_axis *x, const dm_axis *y,
                  bool vertical_grid) {
  draw_y(out, area, y);
  draw_x(out, area, x, vertical_grid);
  dm_font font = {.size = DM_TITLE_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE};
  if (chart->x_title)
    dm_svg_text_fit(out, (area.left + area.right) / 2, chart->height - 4, area.right - area.left, &font,
                    dm_str_of(chart->x_title));
  font.turn = -90;
  if (chart->y_title)
    dm_svg_text_fit(out, DM_TITLE_SIZE, (area.top + area.bottom) / 2, area.bottom - area.top, &font,
                    dm_str_of(chart->y_title));
}
