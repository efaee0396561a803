/* Horizontal bars: the most frequent values of a column, each with its count and share. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#define ROW  20.0
#define SIZE 11.5

static void value_text(const dm_bar *bar, uint64_t total, char *out, size_t size) {
  char count[DM_LABEL_MAX], share[DM_LABEL_MAX];
  dm_number_count(bar->count, count);
  if (total == 0) {
    (void)snprintf(out, size, "%s", count);
    return;
  }
  dm_number_share((double)bar->count / (double)total, share);
  (void)snprintf(out, size, "%s · %s", count, share);
}

void dm_chart_bars(dm_buf *out, const dm_chart *chart, size_t n, const dm_bar *bars, uint64_t total) {
  char text[2 * DM_LABEL_MAX + 8];
  double labels = 0, values = 0, most = 0;
  for (size_t i = 0; i < n; i++) {
    labels = fmax(labels, dm_text_width(bars[i].label, SIZE, false));
    value_text(&bars[i], total, text, sizeof text);
    values = fmax(values, dm_text_width(dm_str_of(text), SIZE, false));
    most = fmax(most, (double)bars[i].count);
  }
  labels = fmin(labels, chart->width * 0.42);
  double title = chart->x_title ? DM_TITLE_SIZE + 8 : 0, needed = 4 + (double)n * ROW + title + 4;
  double height = chart->height > 0 ? chart->height : fmax(needed, 40);
  double left = labels + 8, right = chart->width - values - 8;
  dm_svg_begin(out, chart->width, height, chart->title, chart->description);
  for (size_t i = 0; i < n; i++) {
    double top = 4 + (double)i * ROW, base = top + ROW / 2 + SIZE * 0.35;
    double length = most > 0 ? fmax((double)bars[i].count / most * (right - left), bars[i].count ? 1 : 0) : 0;
    dm_svg_text_fit(out, labels + 2, base, labels + 1,
                    &(dm_font){.size = SIZE, .fill = bars[i].rest ? DM_FAINT : DM_INK, .anchor = DM_END},
                    bars[i].label);
    dm_svg_rect(out, left, top + 3, length, ROW - 6, bars[i].rest ? DM_GREY : DM_BLUE);
    value_text(&bars[i], total, text, sizeof text);
    dm_svg_text(out, left + length + 5, base, &(dm_font){.size = SIZE, .fill = DM_FAINT}, dm_str_of(text));
  }
  if (n == 0)
    dm_svg_text(out, chart->width / 2, height / 2 + 4,
                &(dm_font){.size = 12, .fill = DM_FAINT, .anchor = DM_MIDDLE}, dm_str_of("no values"));
  else
    dm_svg_line(out, left, 4, left, 4 + (double)n * ROW, DM_RULE, 1);
  if (chart->x_title && n)
    dm_svg_text_fit(out, left, 4 + (double)n * ROW + DM_TITLE_SIZE + 3, chart->width - left,
                    &(dm_font){.size = DM_TITLE_SIZE, .fill = DM_FAINT}, dm_str_of(chart->x_title));
  dm_svg_end(out);
}
