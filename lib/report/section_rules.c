/* Rules: how many there are, the best in words, and six pictures of them. */
#include "report/rule_list.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLE_ROWS = 15, GRAPH_RULES = 24, LINES_RULES = 20, MATRIX_RULES = 5000, POINTS = 2000, BARS = 20, SIZES = 7 };

/* ---- all rules as points --------------------------------------------------------- */

/* Of `of` rules every step-th. */
typedef struct points {
  uint64_t of;
  size_t n, step;
  double (*xy)[2], *lift; /* support as a share, confidence */
  size_t *size;           /* items of body and head */
} points;

static dm_status read_points(const dm_section *s, int64_t model, points *p, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  *p = (points){0};
  dm_status status = dm_stmt_prepare(s->store, "SELECT count(*) FROM main.dm_rule WHERE model_id = ?1", &q, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 1, model, err);
  if (status == DM_OK) status = dm_stmt_step(q, &row, err);
  if (status == DM_OK) p->of = (uint64_t)dm_stmt_int(q, 0);
  dm_stmt_free(q);
  p->step = (size_t)((p->of + POINTS - 1) / POINTS);
  if (status != DM_OK || p->of == 0) return status;
  p->xy = dm_arena_alloc(s->memory, POINTS, sizeof *p->xy, err);
  p->lift = dm_arena_alloc(s->memory, POINTS, sizeof *p->lift, err);
  p->size = dm_arena_alloc(s->memory, POINTS, sizeof *p->size, err);
  if (!p->xy || !p->lift || !p->size) return DM_EBUDGET;
  status = dm_stmt_prepare(s->store,
                           "SELECT share, confidence, lift, json_array_length(antecedent) + json_array_length(consequent) FROM"
                           " (SELECT *, row_number() OVER (ORDER BY id) AS place FROM main.dm_rule WHERE model_id = ?1) WHERE place % ?2 = 1 % ?2",
                           &q, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 1, model, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 2, (int64_t)p->step, err);
  while (status == DM_OK && (status = dm_stmt_step(q, &row, err)) == DM_OK && row && p->n < POINTS) {
    p->xy[p->n][0] = dm_stmt_value(q, 0).real;
    p->xy[p->n][1] = dm_stmt_value(q, 1).real;
    p->lift[p->n] = dm_stmt_value(q, 2).real;
    p->size[p->n++] = (size_t)dm_stmt_int(q, 3);
  }
  dm_stmt_free(q);
  return status;
}

/* Points of one class, in an array of their own. */
static dm_status pick(const dm_section *s, const points *p, const size_t *class_of, size_t k, dm_dots *out, dm_error *err) {
  double(*xy)[2] = dm_arena_alloc(s->memory, p->n + 1, sizeof *xy, err);
  size_t n = 0;
  if (!xy) return DM_EBUDGET;
  for (size_t i = 0; i < p->n; i++)
    if (class_of[i] == k) xy[n][0] = p->xy[i][0], xy[n++][1] = p->xy[i][1];
  out->n = n;
  out->xy = &xy[0][0];
  return DM_OK;
}

static void draw_points(const dm_section *s, const char *caption, const char *description, size_t k, const dm_dots *groups, const char *legend) {
  dm_chart chart = {.width = 640, .height = 320, .title = caption, .description = description, .x_title = "support, share of the transactions",
                    .y_title = "confidence", .log = true};
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, s->page->body.err);
  dm_chart_map(&drawing, &chart, k, groups, legend);
  dm_section_figure(s, caption, &drawing);
  dm_buf_clear(&drawing);
}

static dm_status draw_scatter(const dm_section *s, const points *p, dm_error *err) {
  double cuts[DM_HEAT - 1], *sorted = dm_arena_alloc(s->memory, p->n + 1, sizeof *sorted, err);
  size_t *class_of = dm_arena_alloc(s->memory, p->n + 1, sizeof *class_of, err);
  dm_dots groups[DM_HEAT] = {0};
  dm_status status = sorted && class_of ? DM_OK : DM_EBUDGET;
  if (status != DM_OK) return status;
  for (size_t i = 0; i < p->n; i++) sorted[i] = p->lift[i];
  size_t n_cuts = dm_heat_cuts(p->n, sorted, cuts);
  for (size_t i = 0; i < p->n; i++)
    while (class_of[i] < n_cuts && p->lift[i] >= cuts[class_of[i]]) class_of[i]++;
  for (size_t k = 0; k <= n_cuts && status == DM_OK; k++) {
    char from[DM_LABEL_MAX], to[DM_LABEL_MAX];
    dm_number_value(k ? cuts[k - 1] : sorted[0], 3, from);
    dm_number_value(k < n_cuts ? cuts[k] : sorted[p->n - 1], 3, to);
    const char *name = dm_arena_printf(s->memory, err, "%s – %s", from, to);
    if (!name) return DM_EBUDGET;
    groups[k] = (dm_dots){.name = dm_str_of(name), .colour = dm_heat_colour(n_cuts, cuts, k ? cuts[k - 1] : sorted[0])};
    status = pick(s, p, class_of, k, &groups[k], err);
  }
  if (status == DM_OK) draw_points(s, "Support, confidence and lift", "Each dot is a rule; its colour tells the lift.", n_cuts + 1, groups, "lift");
  return status;
}

/* The two-key plot: order is the number of items. */
static dm_status draw_two_key(const dm_section *s, const points *p, dm_error *err) {
  static const char *const names[SIZES] = {"1 item", "2 items", "3 items", "4 items", "5 items", "6 items", "7 and more"};
  size_t *class_of = dm_arena_alloc(s->memory, p->n + 1, sizeof *class_of, err);
  dm_dots groups[SIZES] = {0};
  dm_status status = class_of ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; i < p->n && status == DM_OK; i++) class_of[i] = p->size[i] < 1 ? 0 : p->size[i] < SIZES ? p->size[i] - 1 : SIZES - 1;
  for (size_t k = 0; k < SIZES && status == DM_OK; k++) {
    groups[k] = (dm_dots){.name = dm_str_of(names[k])};
    status = pick(s, p, class_of, k, &groups[k], err);
  }
  if (status == DM_OK) draw_points(s, "Two-key plot", "Each dot is a rule; its colour tells how many items it has.", SIZES, groups, "order");
  return status;
}

/* ---- the best rules ------------------------------------------------------------------ */

static void add_names(dm_buf *out, const dm_rule_list *l, const uint32_t *items, size_t n) {
  for (size_t i = 0; i < n; i++) dm_html_wrap(out, i ? ", " : "", l->names[items[i]], "");
}

static void draw_table(const dm_section *s, const dm_rule_list *l) {
  static const char *const headings[] = {"Body", "Head", "#Support", "#Share", "#Confidence", "#Lift", NULL};
  dm_buf *out = &s->page->body;
  dm_html_table(out, headings);
  for (size_t r = 0; r < l->n && r < TABLE_ROWS; r++) {
    const dm_rule_row *row = &l->rows[r];
    dm_buf_adds(out, "<tr><td>");
    add_names(out, l, row->body, row->n_body);
    dm_buf_adds(out, "</td><td>");
    add_names(out, l, row->head, row->n_head);
    dm_buf_adds(out, "</td>");
    dm_html_cell_count(out, row->support);
    dm_html_cell_share(out, row->share);
    dm_html_cell_share(out, row->confidence);
    dm_html_cell_value(out, row->lift);
    dm_buf_adds(out, "</tr>\n");
  }
  dm_html_table_end(out);
  if (l->of > TABLE_ROWS)
    dm_html_note(s->page, "The %d rules with the largest lift of %llu; dm_rules('…') in SQL gives all.", TABLE_ROWS, (unsigned long long)l->of);
}

static dm_status draw_matrix(const dm_section *s, const dm_rule_list *l, dm_error *err) {
  dm_buf drawing;
  dm_matrix_left left = {0};
  dm_chart chart = {.width = 640, .title = "Grouped matrix", .description = "Heads as rows, groups of bodies as columns: size is support, colour is lift."};
  dm_buf_init(&drawing, s->page->body.ctx, err);
  dm_status status = dm_chart_rule_matrix(&drawing, &chart, l, &left, err);
  if (status == DM_OK && dm_section_figure(s, "Grouped matrix: bodies by their most common item, heads; size is support, darker is more lift", &drawing)) {
    if (l->of > l->n) dm_html_note(s->page, "Grouped matrix: the %zu rules with the largest lift of %llu.", l->n, (unsigned long long)l->of);
    if (left.rules && left.heads)
      dm_html_note(s->page, "Grouped matrix: %zu rules have no place in it: none of its items is in their body, or their head is one of %zu more.", left.rules, left.heads);
    else if (left.rules)
      dm_html_note(s->page, "Grouped matrix: %zu rules have no place in it: none of its items is in their body.", left.rules);
  }
  dm_buf_clear(&drawing);
  return status;
}

/* The graph, or the parallel coordinates, of the first rules of the list. */
static dm_status draw_best(const dm_section *s, int64_t model, bool graph, dm_error *err) {
  dm_rule_list l;
  dm_buf drawing;
  const char *title = graph ? "Rules as a graph" : "Rules as parallel coordinates";
  const char *caption = graph ? "Rules as a graph: a dot for each, between its body and its head; larger is more support, darker more lift"
                              : "Rules as parallel coordinates: a line for each, from its body to its head; wider is more support, darker more lift";
  dm_chart chart = {.width = 640, .height = 460, .title = title, .description = "The rules with the largest lift."};
  dm_status status = dm_rule_list_read(s->store, model, graph ? GRAPH_RULES : LINES_RULES, s->memory, &l, err);
  if (status != DM_OK) return status;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  status = graph ? dm_chart_rule_graph(&drawing, &chart, &l, err) : dm_chart_rule_lines(&drawing, &chart, &l, err);
  if (status == DM_OK && dm_section_figure(s, caption, &drawing) && l.of > l.n)
    dm_html_note(s->page, "%s: the %zu rules with the largest lift of %llu.", title, l.n, (unsigned long long)l.of);
  dm_buf_clear(&drawing);
  return status;
}

/* ---- items ---------------------------------------------------------------------------- */

/* Items with their supports: kept sets of one item. */
static dm_status draw_items(const dm_section *s, int64_t model, uint64_t transactions, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  dm_bar bars[BARS];
  size_t n = 0;
  uint64_t of = 0;
  dm_status status = dm_stmt_prepare(s->store,
                                     "SELECT json_extract(items, '$[0]'), support, count(*) OVER () FROM main.dm_itemset WHERE model_id = ?1 AND size = 1"
                                     " ORDER BY support DESC, id LIMIT ?2",
                                     &q, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 1, model, err);
  if (status == DM_OK) status = dm_stmt_bind_int(q, 2, BARS, err);
  while (status == DM_OK && (status = dm_stmt_step(q, &row, err)) == DM_OK && row && n < BARS) {
    dm_value name = dm_stmt_value(q, 0);
    of = (uint64_t)dm_stmt_int(q, 2);
    const char *copy = name.type == DM_TEXT ? dm_arena_strdup(s->memory, name.text.p, name.text.n, err) : "?";
    if (!copy) status = DM_EBUDGET;
    bars[n++] = (dm_bar){.label = {copy, name.type == DM_TEXT ? name.text.n : 1}, .count = (uint64_t)dm_stmt_int(q, 1)};
  }
  dm_stmt_free(q);
  if (status != DM_OK || n == 0) return status;
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  dm_chart chart = {.width = 640, .title = "Frequent items", .description = "Transactions that have each item."};
  dm_chart_bars(&drawing, &chart, n, bars, transactions);
  if (dm_section_figure(s, "Frequent items: transactions that have each", &drawing) && of > n)
    dm_html_note(s->page, "Frequent items: the first %zu of %llu.", n, (unsigned long long)of);
  dm_buf_clear(&drawing);
  return status;
}

dm_status dm_section_rules(const dm_section *s, const dm_model_meta *m, dm_error *err) {
  points p;
  dm_rule_list l;
  uint64_t transactions = m->rows > 0 ? (uint64_t)m->rows : 0;
  dm_error problem = {0};
  dm_status status = read_points(s, m->id, &p, &problem);
  if (status == DM_OK) status = dm_rule_list_read(s->store, m->id, MATRIX_RULES, s->memory, &l, &problem);
  if (status != DM_OK) return dm_section_told(s, status, &problem, err);
  if ((status = draw_items(s, m->id, transactions, err)) != DM_OK || p.n == 0) return status;
  draw_table(s, &l);
  status = draw_scatter(s, &p, err);
  if (status == DM_OK) status = draw_two_key(s, &p, err);
  if (status == DM_OK && p.step > 1)
    dm_html_note(s->page, "Both plots: %zu of %llu rules, one of each %zu.", p.n, (unsigned long long)p.of, p.step);
  if (status == DM_OK) status = draw_matrix(s, &l, err);
  if (status == DM_OK) status = draw_best(s, m->id, true, err);
  if (status == DM_OK) status = draw_best(s, m->id, false, err);
  return status;
}
