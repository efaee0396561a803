/*
 * Rules as a graph: items are named dots, each rule is a coloured dot between
 * its body and its head. Nodes push each other away and edges pull, from a
 * fixed start and with falling steps: the same rules give the same drawing.
 * Source: Fruchterman & Reingold, Softw. Pract. Exper. 21, 1991.
 */
#include "report/rule_list.h"

#include <math.h>
#include <stdio.h>

enum { STEPS = 300 };
#define SIZE 11.0

typedef struct graph {
  size_t n, n_items; /* nodes: items, then rules */
  double (*at)[2], (*move)[2];
  const dm_rule_list *rules;
} graph;

/* Items on a spiral, a rule in the middle of its items. */
static void start(graph *g) {
  for (size_t i = 0; i < g->n_items; i++) {
    double angle = 2.399963229728653 * (double)i, radius = sqrt(((double)i + 0.5) / (double)g->n_items);
    g->at[i][0] = radius * cos(angle);
    g->at[i][1] = radius * sin(angle);
  }
  for (size_t r = 0; r < g->rules->n; r++) {
    const dm_rule_row *row = &g->rules->rows[r];
    double *p = g->at[g->n_items + r], n = (double)(row->n_body + row->n_head);
    p[0] = p[1] = 0.01 * (double)(r + 1) / (double)g->rules->n; /* no two on one place */
    for (size_t i = 0; i < row->n_body + row->n_head; i++) {
      const double *q = g->at[i < row->n_body ? row->body[i] : row->head[i - row->n_body]];
      p[0] += q[0] / n;
      p[1] += q[1] / n;
    }
  }
}

static void push(graph *g, double k) {
  for (size_t i = 0; i < g->n; i++)
    for (size_t j = 0; j < i; j++) {
      double dx = g->at[i][0] - g->at[j][0], dy = g->at[i][1] - g->at[j][1], d2 = dx * dx + dy * dy + 1e-9, f = k * k / d2;
      g->move[i][0] += dx * f;
      g->move[i][1] += dy * f;
      g->move[j][0] -= dx * f;
      g->move[j][1] -= dy * f;
    }
}

static void pull_edge(graph *g, size_t i, size_t j, double k) {
  double dx = g->at[i][0] - g->at[j][0], dy = g->at[i][1] - g->at[j][1], f = sqrt(dx * dx + dy * dy) / k;
  g->move[i][0] -= dx * f;
  g->move[i][1] -= dy * f;
  g->move[j][0] += dx * f;
  g->move[j][1] += dy * f;
}

static void step(graph *g, double k, double longest) {
  for (size_t i = 0; i < g->n; i++) g->move[i][0] = -1.5 * g->at[i][0], g->move[i][1] = -1.5 * g->at[i][1]; /* parts that hang on nothing stay near */
  push(g, k);
  for (size_t r = 0; r < g->rules->n; r++) {
    const dm_rule_row *row = &g->rules->rows[r];
    for (size_t i = 0; i < row->n_body; i++) pull_edge(g, g->n_items + r, row->body[i], k);
    for (size_t i = 0; i < row->n_head; i++) pull_edge(g, g->n_items + r, row->head[i], k);
  }
  for (size_t i = 0; i < g->n; i++) {
    double length = sqrt(g->move[i][0] * g->move[i][0] + g->move[i][1] * g->move[i][1]) + 1e-12, f = fmin(length, longest) / length;
    g->at[i][0] += g->move[i][0] * f;
    g->at[i][1] += g->move[i][1] * f;
  }
}

/* From where it came to lie to pixels. */
static void fit(graph *g, const dm_chart *chart) {
  const double margin[2] = {62, 22}, room[2] = {chart->width - 124, chart->height - 44};
  for (size_t axis = 0; axis < 2; axis++) {
    double lo = (double)INFINITY, hi = -lo;
    for (size_t i = 0; i < g->n; i++) {
      lo = fmin(lo, g->at[i][axis]);
      hi = fmax(hi, g->at[i][axis]);
    }
    for (size_t i = 0; i < g->n; i++) g->at[i][axis] = margin[axis] + (hi > lo ? (g->at[i][axis] - lo) / (hi - lo) : 0.5) * room[axis];
  }
}

static void edge(dm_buf *out, const double *from, const double *to, bool arrow) {
  dm_svg_line(out, from[0], from[1], to[0], to[1], "#B8C2CC", 1);
  double dx = to[0] - from[0], dy = to[1] - from[1], d = sqrt(dx * dx + dy * dy);
  if (!arrow || d < 16) return;
  dx /= d, dy /= d;
  double tip[2] = {to[0] - 5 * dx, to[1] - 5 * dy};
  const double x[] = {tip[0] - 7 * dx - 3.5 * dy, tip[0], tip[0] - 7 * dx + 3.5 * dy}, y[] = {tip[1] - 7 * dy + 3.5 * dx, tip[1], tip[1] - 7 * dy - 3.5 * dx};
  dm_svg_polyline(out, 3, x, y, "#7B8794", 1.2, "");
}

static void draw_rule(dm_buf *out, const graph *g, size_t r, double largest, size_t n_cuts, const double *cuts) {
  const dm_rule_row *row = &g->rules->rows[r];
  const double *p = g->at[g->n_items + r];
  char tip[160];
  (void)snprintf(tip, sizeof tip, "support %llu, confidence %.3g, lift %.3g", (unsigned long long)row->support, row->confidence, row->lift);
  dm_svg_group(out, tip);
  dm_svg_dot(out, p[0], p[1], dm_heat_colour(n_cuts, cuts, row->lift), 6 + 10 * sqrt((double)row->support / largest));
  dm_svg_group_end(out);
}

static void draw(dm_buf *out, const graph *g, size_t n_cuts, const double *cuts) {
  double largest = 1;
  for (size_t r = 0; r < g->rules->n; r++) largest = fmax(largest, (double)g->rules->rows[r].support);
  for (size_t r = 0; r < g->rules->n; r++) {
    const dm_rule_row *row = &g->rules->rows[r];
    for (size_t i = 0; i < row->n_body; i++) edge(out, g->at[row->body[i]], g->at[g->n_items + r], false);
    for (size_t i = 0; i < row->n_head; i++) edge(out, g->at[g->n_items + r], g->at[row->head[i]], true);
  }
  for (size_t r = 0; r < g->rules->n; r++) draw_rule(out, g, r, largest, n_cuts, cuts);
  for (size_t i = 0; i < g->n_items; i++) {
    dm_svg_dot(out, g->at[i][0], g->at[i][1], DM_INK, 5);
    dm_svg_text_fit(out, g->at[i][0], g->at[i][1] - 6, 120, &(dm_font){.size = SIZE, .fill = DM_INK, .anchor = DM_MIDDLE, .halo = true}, g->rules->names[i]);
  }
}

dm_status dm_chart_rule_graph(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_error *err) {
  graph g = {.n = rules->n_names + rules->n, .n_items = rules->n_names, .rules = rules};
  double cuts[DM_HEAT - 1];
  dm_status s = DM_OK;
  g.at = dm_alloc(out->ctx, g.n + 1, sizeof *g.at, "chart", err);
  g.move = dm_alloc(out->ctx, g.n + 1, sizeof *g.move, "chart", err);
  double *lifts = dm_alloc(out->ctx, rules->n + 1, sizeof *lifts, "chart", err);
  if (!g.at || !g.move || !lifts) {
    s = DM_EBUDGET;
    goto done;
  }
  for (size_t r = 0; r < rules->n; r++) lifts[r] = rules->rows[r].lift;
  size_t n_cuts = dm_heat_cuts(rules->n, lifts, cuts);
  start(&g);
  double k = g.n ? 1.6 / sqrt((double)g.n) : 1;
  for (size_t i = 0; i < STEPS; i++) step(&g, k, 0.12 * (1 - (double)i / STEPS) + 0.001);
  fit(&g, chart);
  dm_svg_begin(out, chart->width, chart->height, chart->title, chart->description);
  draw(out, &g, n_cuts, cuts);
  dm_svg_end(out);
done:
  dm_free(out->ctx, g.at);
  dm_free(out->ctx, g.move);
  dm_free(out->ctx, lifts);
  return s;
}
