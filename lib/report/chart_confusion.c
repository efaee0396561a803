/*
 * Confusion matrix: a cell for each pair of true and predicted class, its
 * colour the share of the true class, its text the count (and the share where
 * there is room); recall at the right of each row, precision under each column.
 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#define SMALL 11.0

/* White to a dark blue; the root spreads small shares, so that one error in fifty is seen, too. */
static void cell_rgb(double share, int rgb[3]) {
  const double ink[3] = {0x00, 0x57, 0x8A};
  for (int i = 0; i < 3; i++) rgb[i] = (int)lround(255 + (ink[i] - 255) * sqrt(share));
}

static void cell_colour(double share, char out[8]) {
  int c[3];
  cell_rgb(share, c);
  (void)snprintf(out, 8, "#%02X%02X%02X", (unsigned)c[0] & 255, (unsigned)c[1] & 255, (unsigned)c[2] & 255);
}

/* White or dark, whichever has a contrast of 4.5:1 or more (WCAG's relative luminance). */
static const char *text_colour(double share) {
  const double weights[3] = {0.2126, 0.7152, 0.0722};
  int c[3];
  cell_rgb(share, c);
  double luminance = 0;
  for (int i = 0; i < 3; i++) luminance += weights[i] * pow((c[i] / 255.0 + 0.055) / 1.055, 2.4);
  return luminance < 0.18 ? "#FFFFFF" : luminance < 0.3 ? "#000000" : DM_INK;
}

typedef struct matrix {
  dm_buf *out;
  size_t k;
  const dm_str *classes;
  const uint64_t *counts;
  double cell_w, cell_h, left, top; /* of the first cell */
  double font;
  bool slanted, shares;
} matrix;

static uint64_t row_sum(const matrix *m, size_t row) {
  uint64_t sum = 0;
  for (size_t j = 0; j < m->k; j++) sum += m->counts[row * m->k + j];
  return sum;
}

static uint64_t column_sum(const matrix *m, size_t column) {
  uint64_t sum = 0;
  for (size_t i = 0; i < m->k; i++) sum += m->counts[i * m->k + column];
  return sum;
}

static double share_of(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

static void draw_text(const matrix *m, double x, double y, uint64_t count, double share) {
  char number[DM_LABEL_MAX], percent[DM_LABEL_MAX];
  dm_number_count(count, number);
  dm_number_share(share, percent);
  const char *fill = count ? text_colour(share) : DM_FAINT;
  double middle = x + m->cell_w / 2, centre = y + m->cell_h / 2;
  double size = m->font, width = dm_text_width(dm_str_of(number), size, m->shares);
  if (width * 7 >
      (m->cell_w - 3) * size) { /* below 7 pixels nothing is readable; the tooltip has all digits */
    dm_number_short(count, number);
    width = dm_text_width(dm_str_of(number), size, m->shares);
  }
  if (width > m->cell_w - 3) size *= (m->cell_w - 3) / width;
  bool both = m->shares && count > 0;
  dm_svg_text(m->out, middle, both ? centre - 1 : centre + size * 0.36,
              &(dm_font){.size = size, .fill = fill, .anchor = DM_MIDDLE, .bold = m->shares},
              dm_str_of(number));
  if (both)
    dm_svg_text(m->out, middle, centre + 13, &(dm_font){.size = SMALL, .fill = fill, .anchor = DM_MIDDLE},
                dm_str_of(percent));
}

static void draw_cell(const matrix *m, size_t i, size_t j, uint64_t of_class) {
  uint64_t count = m->counts[i * m->k + j];
  double share = share_of(count, of_class), x = m->left + (double)j * m->cell_w,
         y = m->top + (double)i * m->cell_h;
  if (count == 0) {
    /* a field of zeros would hide the errors of many classes */
    if (m->k <= 12) draw_text(m, x, y, 0, 0);
    return;
  }
  char colour[8], number[DM_LABEL_MAX], percent[DM_LABEL_MAX], tip[2 * DM_LABEL_MAX + 32];
  cell_colour(share, colour);
  dm_number_count(count, number);
  dm_number_share(share, percent);
  (void)snprintf(tip, sizeof tip, "%s rows, %s of the true class", number, percent);
  dm_svg_group(m->out, tip);
  dm_svg_rect(m->out, x + 0.5, y + 0.5, m->cell_w - 1, m->cell_h - 1, colour);
  draw_text(m, x, y, count, share);
  dm_svg_group_end(m->out);
}

static void draw_class_names(const matrix *m, double room_left, double room_top) {
  double size = m->cell_h < 16 ? 10 : SMALL;
  for (size_t i = 0; i < m->k; i++) {
    dm_svg_text_fit(m->out, m->left - 7, m->top + ((double)i + 0.5) * m->cell_h + size * 0.36, room_left,
                    &(dm_font){.size = size, .anchor = DM_END}, m->classes[i]);
    double x = m->left + ((double)i + 0.5) * m->cell_w;
    if (m->slanted)
      dm_svg_text_fit(m->out, x + size * 0.3, m->top - 6, room_top, &(dm_font){.size = size, .turn = -50},
                      m->classes[i]);
    else
      dm_svg_text_fit(m->out, x, m->top - 7, m->cell_w - 4, &(dm_font){.size = size, .anchor = DM_MIDDLE},
                      m->classes[i]);
  }
}

/* Recall beside the rows, precision under the columns. */
static void draw_margins(const matrix *m) {
  char text[DM_LABEL_MAX];
  double right = m->left + (double)m->k * m->cell_w, bottom = m->top + (double)m->k * m->cell_h;
  double size = m->cell_h < 16 ? 10 : SMALL;
  dm_font head = {.size = SMALL, .fill = DM_FAINT, .bold = true}, plain = {.size = size, .fill = DM_FAINT};
  dm_svg_text(m->out, right + 8, m->slanted ? bottom + SMALL + 6 : m->top - 7, &head, dm_str_of("recall"));
  for (size_t i = 0; i < m->k; i++) {
    uint64_t sum = row_sum(m, i);
    dm_number_share(sum ? share_of(m->counts[i * m->k + i], sum) : -1, text);
    dm_svg_text(m->out, right + 8, m->top + ((double)i + 0.5) * m->cell_h + size * 0.36, &plain,
                dm_str_of(text));
  }
  if (m->cell_w < 44) return; /* the table beside the chart has it */
  head.anchor = DM_END;
  plain.anchor = DM_MIDDLE;
  dm_svg_text(m->out, m->left - 7, bottom + SMALL + 6, &head, dm_str_of("precision"));
  for (size_t j = 0; j < m->k; j++) {
    uint64_t sum = column_sum(m, j);
    dm_number_share(sum ? share_of(m->counts[j * m->k + j], sum) : -1, text);
    dm_svg_text(m->out, m->left + ((double)j + 0.5) * m->cell_w, bottom + SMALL + 6, &plain, dm_str_of(text));
  }
}

/* What the colours mean, under the matrix. */
static void draw_key(const matrix *m, double y) {
  static const double shares[] = {0, 0.05, 0.25, 0.5, 0.75, 1};
  static const char *const labels[] = {"0", "5", "25", "50", "75", "100 %"};
  dm_font font = {.size = SMALL, .fill = DM_FAINT};
  char colour[8];
  double x = m->left;
  dm_svg_text(m->out, x, y + 10, &font, dm_str_of("share of true class"));
  x += dm_text_width(dm_str_of("share of true class"), SMALL, false) + 8;
  for (size_t i = 0; i < 6; i++) {
    cell_colour(shares[i], colour);
    dm_svg_box(m->out, x, y, 12, 12, colour, DM_RULE);
    dm_svg_text(m->out, x + 16, y + 10, &font, dm_str_of(labels[i]));
    x += 22 + dm_text_width(dm_str_of(labels[i]), SMALL, false);
  }
}

void dm_chart_confusion(dm_buf *out, const dm_chart *chart, size_t k, const dm_str *classes,
                        const uint64_t *counts) {
  matrix m = {.out = out, .k = k, .classes = classes, .counts = counts};
  double widest = 0;
  for (size_t i = 0; i < k; i++) widest = fmax(widest, dm_text_width(classes[i], SMALL, false));
  double room_left = fmin(fmax(widest + 1, 60), 150), right = 58, title = 22;
  m.left = title + room_left + 10;
  m.cell_w = fmin(110, (chart->width - m.left - right) / (double)k);
  m.cell_h = fmax(15, fmin(m.cell_w, m.cell_w >= 44 ? 46 : 24));
  m.shares = m.cell_w >= 52 && m.cell_h >= 36;
  m.font = m.shares ? 14 : fmin(SMALL, m.cell_h * 0.62);
  m.slanted = widest > m.cell_w - 4;
  double room_top = 0;
  if (m.slanted) { /* at 50 degrees a label of length l rises .77 l and reaches .64 l to the right */
    room_top = fmin(widest, 130) + 2;
    double reach = m.left + ((double)k - 0.5) * m.cell_w + room_top * 0.65 + 8;
    if (reach > chart->width) m.cell_w -= (reach - chart->width) / ((double)k - 0.5);
  }
  m.top = title + (m.slanted ? room_top * 0.77 + 16 : 26);
  double bottom = m.top + (double)k * m.cell_h;
  double key_width = 330;
  double width = fmax(m.left + (double)k * m.cell_w + right, m.left + key_width);
  if (m.slanted) width = fmax(width, m.left + ((double)k - 0.5) * m.cell_w + room_top * 0.65 + 8);
  dm_svg_begin(out, fmin(width, fmax(chart->width, m.left + key_width)), bottom + 46, chart->title,
               chart->description);
  dm_font axis = {.size = DM_TITLE_SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE};
  dm_svg_text(out, m.left + (double)k * m.cell_w / 2, DM_TITLE_SIZE + 2, &axis, dm_str_of("predicted class"));
  axis.turn = -90;
  dm_svg_text(out, DM_TITLE_SIZE, m.top + (double)k * m.cell_h / 2, &axis, dm_str_of("true class"));
  dm_svg_rect(out, m.left, m.top, (double)k * m.cell_w, (double)k * m.cell_h, "#F5F7FA");
  for (size_t i = 1; i < k; i++) {
    double x = m.left + (double)i * m.cell_w, y = m.top + (double)i * m.cell_h;
    dm_svg_line(out, x, m.top, x, bottom, "#FFFFFF", 1);
    dm_svg_line(out, m.left, y, m.left + (double)k * m.cell_w, y, "#FFFFFF", 1);
  }
  for (size_t i = 0; i < k; i++) {
    uint64_t sum = row_sum(&m, i);
    for (size_t j = 0; j < k; j++) draw_cell(&m, i, j, sum);
  }
  draw_class_names(&m, room_left, room_top);
  draw_margins(&m);
  draw_key(&m, bottom + 28);
  dm_svg_end(out);
}
