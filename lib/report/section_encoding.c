/* What a model makes of rows on its way: errors of reconstruction, the rows it knows least, where the codes lie. */
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Light to dark, then warm: the fifth that matters most stands out. */
static const char *const error_colours[] = {"#B3CDE3", "#5FA2CE", DM_BLUE, "#E69F00", DM_VERMILION};

/* One split and how it is called. */
typedef struct part {
  const char *split, *rows;
} part;
static const part parts[] = {{"test", "test rows"}, {"train", "training rows"}};

/* ---- errors -------------------------------------------------------------------------- */

static void draw_errors(const dm_section *s, const dm_report_reconstruction *r, const part *p) {
  char rows[DM_LABEL_MAX], number[DM_LABEL_MAX], caption[160], label[96];
  dm_number_count(r->n, rows);
  dm_number_value(r->threshold, 3, number);
  (void)snprintf(caption, sizeof caption, "Errors of reconstruction, %s %s", rows, p->rows);
  (void)snprintf(label, sizeof label, "threshold %s", number);
  bool inside = r->threshold >= r->edges[0] && r->threshold <= r->edges[r->n_bins];
  dm_chart chart = {.width = 430,
                    .height = 380,
                    .title = caption,
                    .description = "Histogram of the errors of reconstruction; bars beyond the threshold have another colour.",
                    .x_title = r->log ? "error of reconstruction (log scale)" : "error of reconstruction",
                    .y_title = "rows",
                    .log = r->log,
                    .line = r->threshold,
                    .line_label = inside ? label : NULL};
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, s->page->body.err);
  dm_chart_histogram(&drawing, &chart, r->n_bins, r->edges, r->counts);
  dm_section_figure(s, caption, &drawing);
  dm_buf_clear(&drawing);
}

static void explain_errors(const dm_section *s, const dm_report_reconstruction *r, const part *p) {
  char above[DM_LABEL_MAX], rows[DM_LABEL_MAX], share[DM_LABEL_MAX], number[DM_LABEL_MAX], below[DM_LABEL_MAX], tail[96] = "";
  dm_number_count(r->above, above);
  dm_number_count(r->n, rows);
  dm_number_count(r->below, below);
  dm_number_share((double)r->above / (double)r->n, share);
  dm_number_value(r->threshold, 4, number);
  if (r->below) (void)snprintf(tail, sizeof tail, " The first bar also has %s smaller errors.", below);
  if (isnan(r->threshold))
    dm_html_note(s->page, "The model has no threshold for unusual rows.%s", tail);
  else
    dm_html_note(s->page, "%s of %s %s (%s) have an error above the threshold %s: the model calls them unusual.%s", above, rows, p->rows,
                 share, number, tail);
}

/* "hours 41 %, age 22 %" */
static void print_parts(dm_buf *out, const dm_scorer *scorer, const int64_t *columns, const double *shares) {
  for (size_t k = 0; k < DM_REPORT_PARTS && columns[k] >= 0; k++) {
    char share[DM_LABEL_MAX];
    dm_number_share(shares[k], share);
    if (k) dm_buf_adds(out, ", ");
    if ((uint64_t)columns[k] < dm_encoder_n_inputs(scorer->encoder))
      dm_escape(out, dm_str_of(dm_scorer_feature_name(scorer, (size_t)columns[k])));
    else
      dm_buf_printf(out, "column %lld", (long long)columns[k] + 1);
    dm_buf_printf(out, " %s", share);
  }
}

static void largest_table(const dm_section *s, const dm_report_reconstruction *r, const dm_scorer *scorer, const part *p) {
  static const char *const headings[] = {"#dm_id", "#Error", "Columns that add most to it", NULL};
  if (r->n_largest == 0) return;
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, s->page->body.err);
  if (r->n_largest == 1)
    dm_buf_printf(&piece, "<figure><figcaption>The largest error of the %s</figcaption>\n", p->rows);
  else
    dm_buf_printf(&piece, "<figure><figcaption>The %zu largest errors of the %s</figcaption>\n", r->n_largest, p->rows);
  dm_html_table(&piece, headings);
  for (size_t i = 0; i < r->n_largest; i++) {
    dm_buf_printf(&piece, "<tr><td class=\"n\">%lld</td>", (long long)r->ids[i]);
    dm_html_cell_value(&piece, r->errors[i]);
    dm_buf_adds(&piece, "<td>");
    print_parts(&piece, scorer, r->columns + i * DM_REPORT_PARTS, r->parts + i * DM_REPORT_PARTS);
    dm_buf_adds(&piece, "</td></tr>\n");
  }
  dm_html_table_end(&piece);
  dm_buf_adds(&piece, "</figure>\n");
  if (!dm_html_admit(s->page, &piece)) dm_html_note(s->page, "The largest errors are left out, so that the page stays small.");
  dm_buf_clear(&piece);
}

/* ---- map ------------------------------------------------------------------------------ */

/* The name of group g: its class, or the errors it has. */
static dm_status group_name(const dm_section *s, const dm_report_latent *l, const dm_scorer *scorer, size_t g, dm_str *out, dm_error *err) {
  const dm_levels *levels = &scorer->target.levels;
  char number[DM_LABEL_MAX];
  if (l->by_class) {
    int64_t code = l->groups[g];
    *out = code < 0 ? dm_str_of("other classes") : (uint64_t)code < levels->n ? levels->names[code] : dm_str_of("(unknown class)");
    return DM_OK;
  }
  bool last = g + 1 == l->n_groups;
  if (l->n_groups == 1) {
    *out = dm_str_of("all rows");
    return DM_OK;
  }
  dm_number_value(l->cuts[last ? g - 1 : g], 3, number);
  const char *text = dm_arena_printf(s->memory, err, "%s %s", last ? "above" : "up to", number);
  *out = dm_str_of(text ? text : "");
  return text ? DM_OK : DM_EBUDGET;
}

/* Points of each group beside each other. */
static dm_status gather_groups(const dm_section *s, const dm_report_latent *l, const dm_scorer *scorer, dm_dots *groups, dm_error *err) {
  double *xy = dm_arena_alloc(s->memory, l->n, 2 * sizeof *xy, err);
  if (!xy) return DM_EBUDGET;
  dm_status status = DM_OK;
  size_t at = 0;
  for (size_t g = 0; g < l->n_groups && status == DM_OK; g++) {
    bool rest = l->by_class && l->groups[g] < 0;
    groups[g] = (dm_dots){.xy = xy + 2 * at, .label = l->by_class && !rest};
    if (rest) groups[g].colour = DM_GREY;
    if (!l->by_class) groups[g].colour = l->n_groups == 1 ? DM_BLUE : error_colours[5 - l->n_groups + g];
    for (size_t i = 0; i < l->n; i++) {
      if ((size_t)l->group[i] != g) continue;
      memcpy(xy + 2 * at++, l->xy + 2 * i, 2 * sizeof *xy);
      groups[g].n++;
    }
    status = group_name(s, l, scorer, g, &groups[g].name, err);
  }
  return status;
}

static dm_status draw_map(const dm_section *s, const dm_report_latent *l, const dm_scorer *scorer, const part *p, bool *drawn, dm_error *err) {
  dm_dots groups[DM_REPORT_MAP_GROUPS + 1];
  dm_status status = gather_groups(s, l, scorer, groups, err);
  if (status != DM_OK) return status;
  char shown[DM_LABEL_MAX], of[DM_LABEL_MAX], share[DM_LABEL_MAX], caption[160], x[96], y[96];
  dm_number_count(l->n, shown);
  dm_number_count(l->of, of);
  if (l->n < l->of)
    (void)snprintf(caption, sizeof caption, "Latent map, %s of %s %s", shown, of, p->rows);
  else
    (void)snprintf(caption, sizeof caption, "Latent map, %s %s", shown, p->rows);
  dm_number_share(l->share[0], share);
  (void)snprintf(x, sizeof x, "first component, %s of the variance", share);
  dm_number_share(l->share[1], share);
  (void)snprintf(y, sizeof y, "second component, %s of the variance", share);
  dm_chart chart = {.width = 570,
                    .height = 380,
                    .title = caption,
                    .description = "Codes of the rows on their first two principal components; rows that the model finds alike lie together.",
                    .x_title = x,
                    .y_title = y};
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  dm_chart_map(&drawing, &chart, l->n_groups, groups, l->by_class ? scorer->target.name : "error");
  *drawn = dm_section_figure(s, caption, &drawing);
  dm_buf_clear(&drawing);
  return DM_OK;
}

static void explain_map(const dm_section *s, const dm_report_latent *l) {
  const char *sample = l->n < l->of ? " The sample is drawn at random from the model's seed." : "";
  dm_html_note(s->page, "Map: codes of %zu numbers on their first two principal components, %s.%s", l->m,
               l->by_class        ? "coloured by the true class"
               : l->n_groups > 1 ? "coloured by error: limits are the median and the 75, 90 and 99 % quantiles of all rows"
                                  : "all rows in one colour",
               sample);
}

dm_status dm_section_encoding(const dm_section *s, const dm_model_meta *meta, const dm_scorer *scorer, dm_error *err) {
  dm_report_reconstruction r = {0};
  dm_report_latent l = {0};
  dm_error problem = {0};
  bool errors = false, map = false;
  const part *p = NULL;
  dm_status status = DM_OK;
  for (size_t i = 0; i < sizeof parts / sizeof *parts && status == DM_OK && !errors && !map; i++) {
    p = &parts[i];
    status = dm_report_reconstruction_load(s->store, meta->id, p->split, s->memory, &r, &errors, &problem);
    status = dm_section_told(s, status, &problem, err);
    if (status == DM_OK) status = dm_report_latent_load(s->store, meta->id, p->split, s->memory, &l, &map, &problem);
    status = dm_section_told(s, status, &problem, err);
  }
  if (status != DM_OK || (!errors && !map)) return status;
  dm_buf_adds(&s->page->body, "<div class=\"row\">\n");
  if (errors) draw_errors(s, &r, p);
  if (map) status = draw_map(s, &l, scorer, p, &map, err);
  dm_buf_adds(&s->page->body, "</div>\n");
  if (errors) explain_errors(s, &r, p);
  if (map) explain_map(s, &l);
  if (errors) largest_table(s, &r, scorer, p);
  return status;
}
