/* Every column of every table: a card with its figures and its distribution, and what is worth a look first.
 */
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TABLES_SHOWN 20
#define HINTS_SHOWN  16
#define BARS_SHOWN   7
#define TIPS_UP_TO   24 /* columns on the page: beyond, bars have no tooltips */

/* ---- hints ---------------------------------------------------------------------- */

/* One sentence about a column that needs a look before it is used; false: nothing to say. */
static bool hint_for(const dm_profile_column *c, char *out, size_t size) {
  uint64_t known = c->rows - c->missing;
  char share[DM_LABEL_MAX];
  if (c->rows < 2) return false;
  if (known == 0) {
    (void)snprintf(out, size, "all values are missing");
  } else if (c->distinct == 1) {
    (void)snprintf(out, size, "constant: all known values are equal");
  } else if (c->missing * 5 >= c->rows) {
    dm_number_share((double)c->missing / (double)c->rows, share);
    (void)snprintf(out, size, "%s of the values are missing", share);
  } else if (c->distinct == known && known >= 20 && c->type != DM_REAL) {
    (void)snprintf(out, size, "every value is different: an identifier?");
  } else if (c->n_top && c->top[0].count * 20 >= known * 19) {
    dm_number_share((double)c->top[0].count / (double)known, share);
    (void)snprintf(out, size, "%s of the known values are the same", share);
  } else {
    return false;
  }
  return true;
}

static void hints(const dm_section *s, const dm_profile *p) {
  dm_buf *out = &s->page->body;
  char text[160];
  size_t told = 0, more = 0;
  for (size_t i = 0; i < p->n_columns; i++) {
    if (!hint_for(&p->columns[i], text, sizeof text)) continue;
    if (told == HINTS_SHOWN) {
      more++;
      continue;
    }
    if (told++ == 0) dm_buf_adds(out, "<p class=\"note\">Worth a look:</p>\n<ul class=\"hints\">\n");
    dm_html_wrap(out, "<li><strong>", dm_str_of(p->columns[i].name), "</strong>: ");
    dm_html_wrap(out, "", dm_str_of(text), "</li>\n");
  }
  if (told) dm_buf_adds(out, "</ul>\n");
  if (more) dm_html_note(s->page, "%zu further columns have such a remark.", more);
}

/* ---- a card ----------------------------------------------------------------------- */

static void fact_range(dm_buf *out, const char *name, double from, const char *between, double to) {
  char a[DM_LABEL_MAX], b[DM_LABEL_MAX], text[2 * DM_LABEL_MAX + 16];
  dm_number_value(from, 6, a);
  dm_number_value(to, 6, b);
  (void)snprintf(text, sizeof text, "%s%s%s", a, between, b);
  dm_html_fact(out, name, text);
}

static void fact_count(dm_buf *out, const char *name, uint64_t v) {
  char text[DM_LABEL_MAX];
  dm_number_count(v, text);
  dm_html_fact(out, name, text);
}

/* Share in words and as a bar. */
static void fact_missing(dm_buf *out, const dm_profile_column *c) {
  char share[DM_LABEL_MAX], count[DM_LABEL_MAX], text[2 * DM_LABEL_MAX + 8];
  if (c->missing == 0) {
    dm_html_fact(out, "missing", "none");
    return;
  }
  double part = (double)c->missing / (double)c->rows;
  dm_number_share(part, share);
  dm_number_count(c->missing, count);
  (void)snprintf(text, sizeof text, "%s (%s)", share, count);
  dm_html_wrap(out, "<dt>missing</dt><dd>", dm_str_of(text), "");
  dm_svg_begin(out, 120, 8, "share of missing values", text);
  dm_svg_rect(out, 0, 1, 120, 6, DM_GRID);
  dm_svg_rect(out, 0, 1, fmax(1, 120 * part), 6, DM_VERMILION);
  dm_svg_end(out);
  dm_buf_adds(out, "</dd>\n");
}

static void figures(dm_buf *out, const dm_profile_column *c) {
  uint64_t known = c->rows - c->missing;
  dm_buf_adds(out, "<dl>\n");
  fact_missing(out, c);
  fact_count(out, "distinct", c->distinct);
  if (c->numeric && known && !(c->max > c->min)) {
    char value[DM_LABEL_MAX];
    dm_number_value(c->min, 6, value);
    dm_html_fact(out, "only value", value);
  } else if (c->numeric && known) {
    char mean[DM_LABEL_MAX], sd[DM_LABEL_MAX], text[2 * DM_LABEL_MAX + 8], median[DM_LABEL_MAX];
    fact_range(out, "range", c->min, " to ", c->max);
    dm_number_value(c->mean, 5, mean);
    dm_number_value(c->sd, 3, sd);
    (void)snprintf(text, sizeof text, isfinite(c->sd) ? "%s ± %s" : "%s", mean, sd);
    dm_html_fact(out, isfinite(c->sd) ? "mean ± sd" : "mean", text);
    dm_number_value(c->q50, 6, median);
    dm_html_fact(out, "median", median);
    fact_range(out, "middle half", c->q25, " to ", c->q75);
    fact_range(out, "5 % to 95 %", c->q05, " to ", c->q95);
    if (c->zeros) fact_count(out, "zeros", c->zeros);
    if (c->negatives) fact_count(out, "negative", c->negatives);
  } else if (known && c->type == DM_TEXT) {
    char text[2 * DM_LABEL_MAX], a[DM_LABEL_MAX], b[DM_LABEL_MAX];
    dm_number_count(c->min_length, a);
    dm_number_count(c->max_length, b);
    (void)snprintf(text, sizeof text, c->min_length < c->max_length ? "%s to %s characters" : "%s characters",
                   a, b);
    dm_html_fact(out, "length", text);
  }
  dm_buf_adds(out, "</dl>\n");
}

/* The most frequent values; those that occur once stay out of the report, they could be anybody's. */
static void bars(dm_buf *out, const dm_profile_column *c, const dm_chart *chart) {
  dm_bar list[BARS_SHOWN + 2];
  char rest[64];
  size_t n = 0;
  uint64_t counted = 0, known = c->rows - c->missing;
  for (size_t i = 0; i < c->n_top && n < BARS_SHOWN && c->top[i].count > 1; i++) {
    list[n++] = (dm_bar){.label = c->top[i].text, .count = c->top[i].count};
    counted += c->top[i].count;
  }
  if (c->numeric) /* in the order of the axis that they would have */
    for (size_t i = 1; i < n; i++)
      for (size_t j = i; j > 0; j--) {
        double a = 0, b = 0;
        bool both = dm_text_to_double(list[j - 1].label.p, list[j - 1].label.n, &a) &&
                    dm_text_to_double(list[j].label.p, list[j].label.n, &b);
        if (!both || a <= b) break;
        dm_bar t = list[j];
        list[j] = list[j - 1];
        list[j - 1] = t;
      }
  uint64_t others = c->distinct - n;
  if (others && n) {
    char count[DM_LABEL_MAX];
    dm_number_count(others, count);
    (void)snprintf(rest, sizeof rest, others == 1 ? "%s other value" : "%s other values", count);
    list[n++] = (dm_bar){.label = dm_str_of(rest), .count = known - counted, .rest = true};
  }
  if (c->missing && n) list[n++] = (dm_bar){.label = dm_str_of("missing"), .count = c->missing, .rest = true};
  dm_chart_bars(out, chart, n, list, c->rows);
}

static void distribution(dm_buf *out, const dm_profile_column *c, bool plain) {
  uint64_t known = c->rows - c->missing;
  if (known == 0) {
    dm_buf_adds(out, "<p class=\"note\">No values to draw.</p>\n");
    return;
  }
  char title[200];
  (void)snprintf(title, sizeof title, "Distribution of %.150s", c->name);
  /* a cut name must not end within a character */
  title[dm_utf8_valid(title, strlen(title))] = 0;
  dm_chart chart = {.width = 290,
                    .height = 165,
                    .title = title,
                    .x_title = c->name,
                    .y_title = "rows",
                    .plain = plain,
                    .whole = c->type == DM_INTEGER};
  if (c->numeric && c->n_bins && c->distinct > BARS_SHOWN) {
    dm_chart_histogram(out, &chart, c->n_bins, c->edges, c->counts);
  } else if (c->n_top && c->top[0].count > 1) {
    chart.height = 0;
    chart.x_title = "rows and share of all rows";
    bars(out, c, &chart);
  } else if (c->numeric && c->n_bins) {
    dm_chart_histogram(out, &chart, c->n_bins, c->edges, c->counts);
  } else {
    dm_buf_adds(out, "<p class=\"note\">No value occurs twice; single values are not shown.</p>\n");
  }
}

static void card(dm_buf *out, const dm_profile_column *c, bool target, bool plain) {
  dm_html_wrap(out, "<article class=\"col\"><h4>", dm_str_of(c->name), "<span class=\"tag\">");
  dm_buf_adds(out, dm_type_name(c->type));
  dm_buf_adds(out, target ? "</span> <span class=\"tag target\">target</span></h4>\n<div>"
                          : "</span></h4>\n<div>");
  figures(out, c);
  dm_buf_adds(out, "<div>");
  distribution(out, c, plain);
  dm_buf_adds(out, "</div></div></article>\n");
}

/* ---- tables ------------------------------------------------------------------------- */

/* The column that models predict from this table, NULL when none does. */
static const char *target_of(const dm_section *s, const dm_table *table) {
  if (s->options->target && dm_table_find(table, s->options->target) != SIZE_MAX) return s->options->target;
  for (size_t i = 0; i < s->n_models && !s->options->target; i++) {
    const dm_model_meta *m = &s->models[i];
    if (m->active && m->target && dm_table_find(table, m->target) != SIZE_MAX) return m->target;
  }
  return NULL;
}

static dm_status profile(const dm_section *s, const char *name, bool plain, dm_error *err) {
  dm_table table = {0};
  dm_profile p = {0};
  dm_status status = dm_store_table(s->store, name, s->memory, &table, err);
  if (status == DM_OK)
    status = dm_profile_table(s->store, table.name, target_of(s, &table), s->memory, &p, err);
  if (status != DM_OK) return status;
  char rows[DM_LABEL_MAX];
  dm_number_count(p.rows, rows);
  dm_html_heading(s->page, 3, dm_str_of(table.name));
  dm_html_note(s->page, "%s %s, %zu %s.", rows, p.rows == 1 ? "row" : "rows", p.n_columns,
               p.n_columns == 1 ? "column" : "columns");
  if (p.rows == 0) return DM_OK;
  hints(s, &p);
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, err);
  size_t shown = 0;
  dm_buf_adds(&s->page->body, "<div class=\"cols\">\n");
  for (size_t i = 0; i < p.n_columns; i++) {
    card(&piece, &p.columns[i], i == p.target, plain);
    shown += dm_html_admit(s->page, &piece) ? 1 : 0;
  }
  dm_buf_adds(&s->page->body, "</div>\n");
  if (shown < p.n_columns)
    dm_html_note(s->page,
                 "%zu of %zu columns shown, so that the page stays small; dm-clean profile --json has all.",
                 shown, p.n_columns);
  dm_buf_clear(&piece);
  return DM_OK;
}

dm_status dm_section_profiles(const dm_section *s, dm_error *err) {
  const char *const *names = s->options->tables;
  size_t n = s->options->n_tables, columns = 0;
  dm_status status = DM_OK;
  if (!names) status = dm_store_tables(s->store, s->memory, &names, &n, err);
  if (status != DM_OK) return status;
  dm_html_heading(s->page, 2, dm_str_of("What the columns hold"));
  if (n == 0) dm_html_note(s->page, "The database has no tables yet.");
  size_t shown = n < TABLES_SHOWN ? n : TABLES_SHOWN;
  for (size_t i = 0; i < shown && status == DM_OK; i++) {
    dm_table table = {0};
    status = dm_store_table(s->store, names[i], s->memory, &table, err);
    columns += table.n_columns;
  }
  for (size_t i = 0; i < shown && status == DM_OK; i++)
    status = profile(s, names[i], columns > TIPS_UP_TO, err);
  if (status == DM_OK && shown < n) dm_html_note(s->page, "%zu of %zu tables shown.", shown, n);
  return status;
}
