/* ROC curves, one per class, with their AUC in a legend beside the plot. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#define SIZE 11.5

/* Yellow is too light for a thin line on white: the last colour is ink. */
static const char *line_colour(size_t i) { return i == DM_N_COLOURS - 1 ? DM_INK : dm_svg_colour(i); }

static const char *line_dash(size_t i) {
  static const char *const dashes[] = {"", "7 3", "2 2", "9 3 2 3", "5 2", "12 4", "3 4"};
  return dashes[i % 7];
}

static void draw_curve(dm_buf *out, const dm_roc_curve *curve, const dm_axis *x, const dm_axis *y, size_t i) {
  double px[512], py[512];
  size_t n = curve->n < 512 ? curve->n : 512;
  for (size_t p = 0; p < n; p++) {
    px[p] = dm_axis_at(x, curve->fpr[p]);
    py[p] = dm_axis_at(y, curve->tpr[p]);
  }
  dm_svg_polyline(out, n, px, py, line_colour(i), 2, line_dash(i));
}

void dm_chart_roc(dm_buf *out, const dm_chart *chart, size_t n, const dm_roc_curve *curves) {
  dm_chart axes = *chart;
  axes.x_title = "false positive rate";
  axes.y_title = "true positive rate";
  size_t drawn = n < DM_ROC_CURVES ? n : DM_ROC_CURVES;
  dm_axis x, y;
  dm_axis_linear(&x, 0, 1, 0, 1, 6, true);
  dm_axis_linear(&y, 0, 1, 0, 1, 6, true);
  /* the plot is square; what is right of it belongs to the legend */
  double legend = chart->width - chart->height - 8;
  dm_area area = dm_axes_area(&axes, &x, &y, fmax(legend, 12));
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  dm_axes_draw(out, &axes, area, &x, &y, true);
  double diagonal_x[2] = {area.left, area.right}, diagonal_y[2] = {area.bottom, area.top};
  dm_svg_polyline(out, 2, diagonal_x, diagonal_y, DM_GREY, 1, "4 4");
  for (size_t i = drawn; i-- > 0;) draw_curve(out, &curves[i], &x, &y, i);
  double left = area.right + 24, top = area.top + 4,
         room = dm_text_width(dm_str_of("by chance"), SIZE, false) + 1;
  for (size_t i = 0; i < drawn; i++) room = fmax(room, dm_text_width(curves[i].name, SIZE, false) + 1);
  room = fmin(room, chart->width - left - 34 - 84);
  for (size_t i = 0; i <= drawn; i++) {
    double at = top + 6 + (double)i * 22;
    double lx[2] = {left, left + 26}, ly[2] = {at, at};
    bool chance = i == drawn;
    dm_svg_polyline(out, 2, lx, ly, chance ? DM_GREY : line_colour(i), chance ? 1 : 2,
                    chance ? "4 4" : line_dash(i));
    dm_str name = chance ? dm_str_of("by chance") : curves[i].name;
    dm_font font = {.size = SIZE, .fill = chance ? DM_FAINT : DM_INK};
    dm_svg_text_fit(out, left + 34, at + 4, room, &font, name);
    char auc[DM_LABEL_MAX];
    (void)snprintf(auc, sizeof auc, "AUC %.3f", chance ? 0.5 : curves[i].auc);
    if (!chance && !isfinite(curves[i].auc)) (void)snprintf(auc, sizeof auc, "AUC –");
    font.anchor = DM_END;
    dm_svg_text(out, left + 34 + room + 82, at + 4, &font, dm_str_of(auc));
  }
  dm_svg_end(out);
}
