/*
 * Parallel coordinates of rules: items from top to bottom, places in the rule
 * from left to right, the head last. A rule is a line through its items.
 *
 *   bread   o------o
 *   butter   \    / \
 *   milk      o--    >   head
 *           body 2  body 1
 *
 * After: Yang, Visualizing frequent itemsets and association rules with
 * parallel coordinates, 2003.
 */
#include "report/rule_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 11.0
#define ROW 17.0
enum { BODY_MOST = 8 };

typedef struct order {
  uint32_t item;
  size_t uses;
} order;

static int by_uses(const void *a, const void *b) {
  const order *x = a, *y = b;
  if (x->uses != y->uses) return x->uses > y->uses ? -1 : 1;
  return x->item < y->item ? -1 : x->item > y->item;
}

/* Items that most rules have come first, so that lines stay short. @param row [n_names] its line from the top */
static void place_items(const dm_rule_list *rules, order *items, size_t *row) {
  for (size_t i = 0; i < rules->n_names; i++) items[i] = (order){(uint32_t)i, 0};
  for (size_t r = 0; r < rules->n; r++) {
    for (size_t i = 0; i < rules->rows[r].n_body; i++) items[rules->rows[r].body[i]].uses++;
    for (size_t i = 0; i < rules->rows[r].n_head; i++) items[rules->rows[r].head[i]].uses++;
  }
  qsort(items, rules->n_names, sizeof *items, by_uses);
  for (size_t i = 0; i < rules->n_names; i++) row[items[i].item] = i;
}

typedef struct frame {
  double left, right, top;
  size_t bodies; /* places of body items */
  const size_t *row;
} frame;

static double x_at(const frame *f, size_t place) { return f->left + (f->right - f->left) * (double)place / (double)f->bodies; }
static double y_at(const frame *f, uint32_t item) { return f->top + ROW * ((double)f->row[item] + 0.5); }

static int by_row(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The line ends in an arrow at the head, with one end for each of its items. */
static void draw_rule(dm_buf *out, const frame *f, const dm_rule_row *rule, double width, const char *colour) {
  double x[BODY_MOST + 1], y[BODY_MOST + 1];
  size_t n = rule->n_body < BODY_MOST ? rule->n_body : BODY_MOST;
  for (size_t i = 0; i < n; i++) {
    x[i] = x_at(f, f->bodies - n + i);
    y[i] = y_at(f, rule->body[i]);
  }
  qsort(y, n, sizeof *y, by_row);
  char tip[128];
  (void)snprintf(tip, sizeof tip, "support %llu, confidence %.3g, lift %.3g", (unsigned long long)rule->support, rule->confidence, rule->lift);
  dm_svg_group(out, tip);
  for (size_t h = 0; h < rule->n_head; h++) {
    x[n] = x_at(f, f->bodies);
    y[n] = y_at(f, rule->head[h]);
    dm_svg_polyline(out, n + 1, x, y, colour, width, "");
    const double ax[] = {x[n] - 7, x[n], x[n] - 7}, ay[] = {y[n] - 4, y[n], y[n] + 4};
    dm_svg_polyline(out, 3, ax, ay, colour, 1.6, "");
  }
  dm_svg_group_end(out);
}

static void draw_frame(dm_buf *out, const frame *f, const dm_rule_list *rules, double bottom) {
  char label[32];
  const dm_font heading = {.size = SIZE, .fill = DM_FAINT, .anchor = DM_MIDDLE};
  for (size_t p = 0; p <= f->bodies; p++) {
    dm_svg_line(out, x_at(f, p), f->top, x_at(f, p), bottom, DM_GRID, 1);
    (void)snprintf(label, sizeof label, p == f->bodies ? "head" : "body %zu", f->bodies - p);
    dm_svg_text(out, x_at(f, p), f->top - 6, &heading, dm_str_of(label));
  }
  for (size_t i = 0; i < rules->n_names; i++)
    dm_svg_text_fit(out, f->left - 10, y_at(f, (uint32_t)i) + 4, f->left - 12, &(dm_font){.size = SIZE, .fill = DM_INK, .anchor = DM_END}, rules->names[i]);
}

dm_status dm_chart_rule_lines(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_error *err) {
  double cuts[DM_HEAT - 1], labels = 0, largest = 1;
  size_t *row = dm_alloc(out->ctx, rules->n_names + 1, sizeof *row, "chart", err);
  order *items = dm_alloc(out->ctx, rules->n_names + 1, sizeof *items, "chart", err);
  double *lifts = dm_alloc(out->ctx, rules->n + 1, sizeof *lifts, "chart", err);
  dm_status s = row && items && lifts ? DM_OK : DM_EBUDGET;
  if (s == DM_OK) {
    frame f = {.right = chart->width - 24, .top = 24, .bodies = 1, .row = row};
    place_items(rules, items, row);
    for (size_t i = 0; i < rules->n_names; i++) labels = fmax(labels, dm_text_width(rules->names[i], SIZE, false));
    f.left = fmin(labels, 0.35 * chart->width) + 16;
    for (size_t r = 0; r < rules->n; r++) {
      size_t n = rules->rows[r].n_body;
      f.bodies = n > f.bodies ? (n < BODY_MOST ? n : BODY_MOST) : f.bodies;
      largest = fmax(largest, (double)rules->rows[r].support);
      lifts[r] = rules->rows[r].lift;
    }
    size_t n_cuts = dm_heat_cuts(rules->n, lifts, cuts);
    double bottom = f.top + ROW * (double)rules->n_names;
    dm_svg_begin(out, chart->width, bottom + 10, chart->title, chart->description);
    draw_frame(out, &f, rules, bottom);
    for (size_t r = rules->n; r-- > 0;)
      draw_rule(out, &f, &rules->rows[r], 1 + 3 * sqrt((double)rules->rows[r].support / largest), dm_heat_colour(n_cuts, cuts, rules->rows[r].lift));
    dm_svg_end(out);
  }
  dm_free(out->ctx, row);
  dm_free(out->ctx, items);
  dm_free(out->ctx, lifts);
  return s;
}
