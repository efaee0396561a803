/*
 * Decision tree, root at the left. A node is a box: what it asks (or, at a
 * leaf, what it answers), its classes as a bar, its rows. The test that leads
 * into a node stands above its box; edges are as thick as their share of rows.
 */
#include "report/tree_layout.h"

#include <math.h>
#include <stdio.h>

#define BOX_H      42.0
#define ROW        66.0
#define TEST_SIZE  10.5
#define LEGEND_ROW 20.0

typedef struct drawing {
  dm_buf *out;
  const dm_tree_view *tree;
  const dm_tree_place *places;
  size_t *rank;                     /* [k] colour of each class */
  double pitch, box_w, top, lo, hi; /* lo, hi: least and largest mean of a regression */
} drawing;

static double box_x(const drawing *d, size_t i) { return 2 + (double)d->places[i].level * d->pitch; }
static double box_y(const drawing *d, size_t i) { return d->top + d->places[i].row * ROW; }

static size_t majority(const drawing *d, size_t i) {
  size_t best = 0;
  for (size_t c = 1; c < d->tree->k; c++)
    if (d->tree->nodes[i].share[c] > d->tree->nodes[i].share[best]) best = c;
  return best;
}

static bool is_leaf(const drawing *d, size_t i) { return d->tree->nodes[i].left == DM_TREE_NONE; }

/* Bar of class shares in the order of the colours, what has none last; or the mean between the least and the
 * largest. */
static void draw_bar(const drawing *d, size_t i, double x, double y, double width) {
  const dm_tree_node *node = &d->tree->nodes[i];
  size_t k = d->tree->k;
  if (k == 0) {
    double share = d->hi > d->lo ? (node->value - d->lo) / (d->hi - d->lo) : 1;
    dm_svg_rect(d->out, x, y, width, 8, DM_GRID);
    dm_svg_rect(d->out, x, y, fmax(1, width * share), 8, DM_BLUE);
    return;
  }
  double at = 0;
  for (size_t colour = 0; colour < DM_N_COLOURS && colour < k; colour++)
    for (size_t c = 0; c < k; c++) {
      if (d->rank[c] != colour) continue;
      double share = fmax(0, fmin(node->share[c], 1 - at));
      if (share * width >= 0.2)
        dm_svg_rect(d->out, x + at * width, y, share * width, 8, dm_svg_colour(colour));
      at += share;
    }
  if ((1 - at) * width >= 0.2) dm_svg_rect(d->out, x + at * width, y, (1 - at) * width, 8, DM_GREY);
}

static void node_tip(const drawing *d, size_t i, dm_buf *tip) {
  const dm_tree_node *node = &d->tree->nodes[i];
  char text[DM_LABEL_MAX];
  dm_number_value(node->count, 6, text);
  dm_buf_printf(tip, "%s rows", text);
  if (d->tree->k == 0) {
    dm_number_value(node->value, 6, text);
    dm_buf_printf(tip, ", mean %s", text);
  }
  size_t told = 0;
  for (size_t c = 0; c < d->tree->k && told < 8; c++) {
    if (!(node->share[c] > 0)) continue;
    dm_number_share(fmin(node->share[c], 1), text);
    dm_buf_adds(tip, told++ ? ", " : ": ");
    (void)dm_text_fit(tip, d->tree->classes[c], 10, false, 200);
    dm_buf_printf(tip, " %s", text);
  }
}

static void draw_node(const drawing *d, size_t i) {
  const dm_tree_node *node = &d->tree->nodes[i];
  double x = box_x(d, i), y = box_y(d, i), inner = d->box_w - 14;
  char n[DM_LABEL_MAX], value[DM_LABEL_MAX], line[2 * DM_LABEL_MAX + 32];
  dm_number_value(node->count, 6, n);
  dm_buf tip;
  dm_buf_init(&tip, d->out->ctx, d->out->err);
  node_tip(d, i, &tip);
  dm_svg_group(d->out, tip.p);
  dm_svg_box(d->out, x, y, d->box_w, BOX_H, is_leaf(d, i) ? "#F5F7FA" : "#FFFFFF", "#9AA5B1");
  dm_font head = {.size = 11.5, .bold = true}, small = {.size = 10, .fill = DM_FAINT};
  if (d->tree->k == 0)
    dm_number_value(node->value, 4, value);
  else
    dm_number_share(fmin(1, node->share[majority(d, i)]), value);
  dm_str answer = d->tree->k ? d->tree->classes[majority(d, i)] : dm_str_of(value);
  dm_svg_text_fit(d->out, x + 7, y + 14, inner, &head, is_leaf(d, i) ? answer : node->feature);
  draw_bar(d, i, x + 7, y + 19, inner);
  if (d->tree->k == 0 && is_leaf(d, i))
    (void)snprintf(line, sizeof line, "n = %s", n);
  else if (d->tree->k == 0)
    (void)snprintf(line, sizeof line, "n = %s · mean %s", n, value);
  else
    (void)snprintf(line, sizeof line, is_leaf(d, i) ? "n = %s · %s" : "n = %s", n, value);
  if (dm_text_width(dm_str_of(line), small.size, false) > inner)
    (void)snprintf(line, sizeof line, "n = %s", n);
  dm_svg_text_fit(d->out, x + 7, y + BOX_H - 5, inner, &small, dm_str_of(line));
  if (d->places[i].hidden) {
    (void)snprintf(line, sizeof line, "+%zu nodes", d->places[i].hidden);
    dm_svg_text(d->out, x + d->box_w + 5, y + BOX_H / 2 + 4, &small, dm_str_of(line));
  }
  dm_svg_group_end(d->out);
  if (tip.failed) d->out->failed = true;
  dm_buf_clear(&tip);
}

static void draw_edge(const drawing *d, size_t i) {
  const dm_tree_node *node = &d->tree->nodes[i], *parent = &d->tree->nodes[node->parent];
  double x1 = box_x(d, node->parent) + d->box_w, y1 = box_y(d, node->parent) + BOX_H / 2;
  double x2 = box_x(d, i), y2 = box_y(d, i) + BOX_H / 2, bend = x1 + (x2 - x1) * 0.4;
  double root = d->tree->nodes[0].count, share = root > 0 ? fmin(1, node->count / root) : 0;
  double px[4] = {x1, bend, bend, x2}, py[4] = {y1, y1, y2, y2};
  dm_svg_polyline(d->out, 4, px, py, "#9AA5B1", 1 + 4 * share, "");
  bool left = parent->left == i;
  dm_str test = left ? parent->left_test : parent->right_test;
  dm_buf text;
  dm_buf_init(&text, d->out->ctx, d->out->err);
  bool missing = parent->missing == (left ? -1 : 1);
  const char *suffix = " or missing";
  double room = d->box_w - 1, needed = missing ? dm_text_width(dm_str_of(suffix), TEST_SIZE, false) : 0;
  bool whole = dm_text_fit(&text, test, TEST_SIZE, false, room - needed);
  if (missing) dm_buf_adds(&text, suffix);
  if (!whole) { /* the whole test as tooltip */
    dm_buf all;
    dm_buf_init(&all, d->out->ctx, d->out->err);
    dm_buf_printf(&all, "%.*s %.*s%s", (int)parent->feature.n, parent->feature.p, (int)test.n, test.p,
                  missing ? suffix : "");
    dm_svg_group(d->out, all.p);
    if (all.failed) d->out->failed = true;
    dm_buf_clear(&all);
  }
  dm_svg_text(d->out, x2 + 1, box_y(d, i) - 4, &(dm_font){.size = TEST_SIZE}, (dm_str){text.p, text.n});
  if (!whole) dm_svg_group_end(d->out);
  if (text.failed) d->out->failed = true;
  dm_buf_clear(&text);
}

/* Named colours go to the classes with most rows; they keep the order of the classes. */
static void rank_classes(const dm_tree_view *tree, size_t *rank) {
  size_t next = 0;
  for (size_t c = 0; c < tree->k; c++) {
    size_t larger = 0;
    for (size_t o = 0; o < tree->k; o++) {
      double a = tree->nodes[0].share[o], b = tree->nodes[0].share[c];
      larger += a > b || (!(a < b) && o < c);
    }
    rank[c] = larger < DM_N_COLOURS ? next++ : DM_N_COLOURS;
  }
}

/* Draws the legend when out is not NULL. @return its height. */
static double legend(const drawing *d, dm_buf *out, double width, double y) {
  double x = 2, start = y;
  size_t k = d->tree->k, others = k > DM_N_COLOURS ? k - DM_N_COLOURS : 0;
  char rest[64];
  (void)snprintf(rest, sizeof rest, "%zu other classes", others);
  for (size_t colour = 0; colour < DM_N_COLOURS + (others ? 1u : 0u); colour++) {
    dm_str name = dm_str_of(rest);
    bool found = colour == DM_N_COLOURS;
    for (size_t c = 0; c < k && !found; c++)
      if (d->rank[c] == colour) {
        name = d->tree->classes[c];
        found = true;
      }
    if (!found) break;
    double room = fmin(dm_text_width(name, 11, false), 260) + 1;
    if (x + 18 + room > width && x > 2) {
      x = 2;
      y += LEGEND_ROW;
    }
    if (out) {
      dm_svg_rect(out, x, y + 3, 12, 12, dm_svg_colour(colour));
      dm_svg_text_fit(out, x + 17, y + 13, room, &(dm_font){.size = 11}, name);
    }
    x += 17 + room + 16;
  }
  return y + LEGEND_ROW - start;
}

dm_status dm_chart_tree(dm_buf *out, const dm_chart *chart, const dm_tree_view *tree, dm_error *err) {
  dm_tree_place *places = dm_alloc(out->ctx, tree->n, sizeof *places, "tree chart", err);
  size_t *rank = dm_alloc(out->ctx, tree->k + 1, sizeof *rank, "tree chart", err);
  if (!places || !rank) {
    dm_free(out->ctx, places);
    dm_free(out->ctx, rank);
    return DM_EBUDGET;
  }
  size_t levels = 1;
  double rows = 1;
  dm_tree_layout(tree, places, &levels, &rows);
  rank_classes(tree, rank);
  drawing d = {
      .out = out, .tree = tree, .places = places, .rank = rank, .top = 20, .lo = (double)INFINITY, .hi = -(double)INFINITY};
  bool cut = false;
  for (size_t i = 0; i < tree->n; i++) {
    d.lo = fmin(d.lo, tree->nodes[i].value);
    d.hi = fmax(d.hi, tree->nodes[i].value);
    cut = cut || places[i].hidden;
  }
  double margin = cut ? 60 : 4;
  /* columns as wide as there is room, boxes not wider than their texts need */
  double gap = levels > 5 ? 36 : 46;
  d.pitch = fmin(230, (chart->width - margin + gap) / (double)levels);
  d.box_w = fmin(170, d.pitch - gap);
  double bottom = d.top + (rows - 1) * ROW + BOX_H + 14;
  double legend_height = tree->k ? legend(&d, NULL, chart->width, 0) : 0;
  dm_svg_begin(out, chart->width, bottom + legend_height + 2, chart->title, chart->description);
  for (size_t i = 1; i < tree->n; i++)
    if (places[i].drawn) draw_edge(&d, i);
  for (size_t i = 0; i < tree->n; i++)
    if (places[i].drawn) draw_node(&d, i);
  if (tree->k) (void)legend(&d, out, chart->width, bottom);
  dm_svg_end(out);
  dm_free(out->ctx, places);
  dm_free(out->ctx, rank);
  return dm_buf_status(out);
}
