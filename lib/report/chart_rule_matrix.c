/* Grouped matrix of rules: heads as rows, groups of bodies as columns, a dot for the rules that meet there. */
#include "report/rule_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE   11.0
#define CELL   26.0
#define LABELS 118.0 /* height of the columns' names */

typedef struct group { /* bodies with this item that no earlier group has */
  uint32_t item;
  size_t rules, others; /* other items in their bodies */
} group;

typedef struct head {
  const dm_rule_row *first; /* the head is its */
  size_t rules;
} head;

typedef struct place {
  double support, lift; /* the largest; the sum */
  size_t n;
} place;

typedef struct matrix {
  const dm_rule_list *rules;
  size_t *group_of, *head_of; /* [rules]; SIZE_MAX: left out */
  size_t n_groups, n_heads;
  group groups[DM_MATRIX_COLUMNS];
  head heads[DM_MATRIX_ROWS];
  place cells[DM_MATRIX_ROWS][DM_MATRIX_COLUMNS];
} matrix;

static bool same_head(const dm_rule_row *a, const dm_rule_row *b) {
  return a->n_head == b->n_head && memcmp(a->head, b->head, a->n_head * sizeof *a->head) == 0;
}

static bool has_item(const dm_rule_row *r, uint32_t item) {
  for (size_t i = 0; i < r->n_body; i++)
    if (r->body[i] == item) return true;
  return false;
}

/* The item that is in most bodies not yet grouped; the first of several. @param uses [n_names] scratch */
static bool next_group(matrix *m, size_t *uses) {
  const dm_rule_list *l = m->rules;
  memset(uses, 0, l->n_names * sizeof *uses);
  for (size_t r = 0; r < l->n; r++)
    for (size_t i = 0; m->group_of[r] == SIZE_MAX && i < l->rows[r].n_body; i++) uses[l->rows[r].body[i]]++;
  size_t best = 0;
  for (size_t i = 1; i < l->n_names; i++) best = uses[i] > uses[best] ? i : best;
  if (l->n_names == 0 || uses[best] == 0) return false;
  group *g = &m->groups[m->n_groups];
  *g = (group){.item = (uint32_t)best};
  memset(uses, 0, l->n_names * sizeof *uses);
  for (size_t r = 0; r < l->n; r++) {
    const dm_rule_row *row = &l->rows[r];
    if (m->group_of[r] != SIZE_MAX || !has_item(row, g->item)) continue;
    m->group_of[r] = m->n_groups;
    g->rules++;
    for (size_t i = 0; i < row->n_body; i++)
      if (row->body[i] != g->item && uses[row->body[i]]++ == 0) g->others++;
  }
  m->n_groups++;
  return true;
}

/* Heads in the order of their best rule. */
static void find_heads(matrix *m) {
  for (size_t r = 0; r < m->rules->n; r++) {
    size_t h = 0;
    while (h < m->n_heads && !same_head(m->heads[h].first, &m->rules->rows[r])) h++;
    if (h == DM_MATRIX_ROWS) continue;
    if (h == m->n_heads) m->heads[m->n_heads++] = (head){.first = &m->rules->rows[r]};
    m->heads[h].rules++;
    m->head_of[r] = h;
  }
}

static size_t count_heads(const dm_rule_list *l) {
  size_t n = 0;
  for (size_t r = 0; r < l->n; r++) {
    size_t before = 0;
    while (before < r && !same_head(&l->rows[before], &l->rows[r])) before++;
    n += before == r;
  }
  return n;
}

static void fill(matrix *m, dm_matrix_left *left) {
  for (size_t r = 0; r < m->rules->n; r++) {
    if (m->group_of[r] == SIZE_MAX || m->head_of[r] == SIZE_MAX) {
      left->rules++;
      continue;
    }
    place *c = &m->cells[m->head_of[r]][m->group_of[r]];
    c->support = fmax(c->support, (double)m->rules->rows[r].support);
    c->lift += m->rules->rows[r].lift;
    c->n++;
  }
}

static void name_head(dm_buf *text, const matrix *m, const dm_rule_row *r) {
  dm_buf_reset(text);
  for (size_t i = 0; i < r->n_head; i++) {
    if (i) dm_buf_adds(text, ", ");
    dm_buf_add(text, m->rules->names[r->head[i]].p, m->rules->names[r->head[i]].n);
  }
}

static void draw_names(dm_buf *out, const matrix *m, dm_buf *text, double left) {
  dm_font font = {.size = SIZE, .fill = DM_INK, .anchor = DM_END};
  for (size_t h = 0; h < m->n_heads; h++) {
    name_head(text, m, m->heads[h].first);
    dm_svg_text_fit(out, left - 8, LABELS + CELL * ((double)h + 0.5) + 4, left - 12, &font, (dm_str){text->p, text->n});
  }
  font.anchor = DM_START;
  font.turn = -50;
  for (size_t g = 0; g < m->n_groups; g++) {
    dm_buf_reset(text);
    dm_buf_add(text, m->rules->names[m->groups[g].item].p, m->rules->names[m->groups[g].item].n);
    if (m->groups[g].others) dm_buf_printf(text, " +%zu", m->groups[g].others);
    dm_buf_printf(text, " (%zu)", m->groups[g].rules);
    dm_svg_text_fit(out, left + CELL * ((double)g + 0.5), LABELS - 6, LABELS * 1.2, &font, (dm_str){text->p, text->n});
  }
}

static void draw_cells(dm_buf *out, const matrix *m, double left, size_t n_cuts, const double *cuts) {
  double largest = 1;
  for (size_t h = 0; h < m->n_heads; h++)
    for (size_t g = 0; g < m->n_groups; g++) largest = fmax(largest, m->cells[h][g].support);
  double right = left + CELL * (double)m->n_groups, bottom = LABELS + CELL * (double)m->n_heads;
  for (size_t h = 0; h <= m->n_heads; h++) dm_svg_line(out, left, LABELS + CELL * (double)h, right, LABELS + CELL * (double)h, DM_GRID, 1);
  for (size_t g = 0; g <= m->n_groups; g++) dm_svg_line(out, left + CELL * (double)g, LABELS, left + CELL * (double)g, bottom, DM_GRID, 1);
  for (size_t h = 0; h < m->n_heads; h++)
    for (size_t g = 0; g < m->n_groups; g++) {
      const place *c = &m->cells[h][g];
      if (!c->n) continue;
      char tip[128];
      (void)snprintf(tip, sizeof tip, "%zu rules, largest support %.0f, mean lift %.3g", c->n, c->support, c->lift / (double)c->n);
      dm_svg_group(out, tip);
      dm_svg_dot(out, left + CELL * ((double)g + 0.5), LABELS + CELL * ((double)h + 0.5), dm_heat_colour(n_cuts, cuts, c->lift / (double)c->n),
                 5 + (CELL - 7) * sqrt(c->support / largest));
      dm_svg_group_end(out);
    }
}

static size_t lift_cuts(const matrix *m, double cuts[DM_HEAT - 1]) {
  double lifts[DM_MATRIX_ROWS * DM_MATRIX_COLUMNS];
  size_t n = 0;
  for (size_t h = 0; h < m->n_heads; h++)
    for (size_t g = 0; g < m->n_groups; g++)
      if (m->cells[h][g].n) lifts[n++] = m->cells[h][g].lift / (double)m->cells[h][g].n;
  return dm_heat_cuts(n, lifts, cuts);
}

dm_status dm_chart_rule_matrix(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_matrix_left *left, dm_error *err) {
  matrix *m = dm_alloc(out->ctx, 1, sizeof *m, "chart", err);
  size_t *places = dm_alloc(out->ctx, 2 * rules->n + rules->n_names + 1, sizeof *places, "chart", err), *uses = places + 2 * rules->n;
  dm_status s = m && places ? DM_OK : DM_EBUDGET;
  if (s == DM_OK) {
    dm_buf text;
    double cuts[DM_HEAT - 1], widest = 0;
    dm_buf_init(&text, out->ctx, err);
    m->rules = rules;
    m->group_of = places;
    m->head_of = places + rules->n;
    for (size_t r = 0; r < 2 * rules->n; r++) places[r] = SIZE_MAX;
    *left = (dm_matrix_left){0};
    while (m->n_groups < DM_MATRIX_COLUMNS && next_group(m, uses)) continue;
    find_heads(m);
    left->heads = count_heads(rules) - m->n_heads;
    fill(m, left);
    for (size_t h = 0; h < m->n_heads; h++) {
      name_head(&text, m, m->heads[h].first);
      widest = fmax(widest, dm_text_width((dm_str){text.p, text.n}, SIZE, false));
    }
    double x = fmin(widest + 16, chart->width - CELL * (double)m->n_groups - 60);
    dm_svg_begin(out, chart->width, LABELS + CELL * (double)m->n_heads + 6, chart->title, chart->description);
    draw_names(out, m, &text, x);
    size_t n_cuts = lift_cuts(m, cuts);
    draw_cells(out, m, x, n_cuts, cuts);
    dm_svg_end(out);
    s = dm_buf_status(&text);
    dm_buf_clear(&text);
  }
  dm_free(out->ctx, m);
  dm_free(out->ctx, places);
  return s;
}
