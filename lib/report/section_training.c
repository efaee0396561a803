/* How a training went: losses by epoch, the best epoch, the learning rate. */
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS 240 /* of a line */

/* Figures of one name, out of a list ordered by name and epoch. */
typedef struct series {
  const char *name;
  size_t n;
  const dm_model_epoch *epochs;
} series;

typedef struct curves {
  series losses[DM_LINES], rate;
  size_t n_losses, others, left_out; /* figures that are no losses; losses that have no room */
  int64_t first, last, best;         /* epochs; best 0 = none */
  double best_loss;
  size_t step;                       /* every so many epochs are drawn */
} curves;

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static void sort_in(curves *c, const series *s) {
  if (strcmp(s->name, "lr") == 0)
    c->rate = *s;
  else if (!ends_with(s->name, "loss"))
    c->others++;
  else if (c->n_losses < DM_LINES)
    c->losses[c->n_losses++] = *s;
  else
    c->left_out++;
  int64_t first = s->epochs[0].epoch, last = s->epochs[s->n - 1].epoch;
  if (c->first == 0 || first < c->first) c->first = first;
  if (last > c->last) c->last = last;
}

/* The first epoch with the least validation loss: its weights are kept. */
static void find_best(curves *c) {
  for (size_t i = 0; i < c->n_losses; i++) {
    const series *s = &c->losses[i];
    if (strcmp(s->name, "valid_loss") != 0) continue;
    for (size_t e = 0; e < s->n; e++) {
      if (c->best && !(s->epochs[e].value < c->best_loss)) continue;
      c->best = s->epochs[e].epoch;
      c->best_loss = s->epochs[e].value;
    }
  }
}

static void read_curves(const dm_model_epoch *epochs, size_t n, curves *c) {
  *c = (curves){0};
  size_t longest = 0;
  for (size_t from = 0, to; from < n; from = to) {
    for (to = from; to < n && strcmp(epochs[to].name, epochs[from].name) == 0;) to++;
    series s = {epochs[from].name, to - from, epochs + from};
    longest = s.n > longest ? s.n : longest;
    sort_in(c, &s);
  }
  c->step = (longest + POINTS - 1) / POINTS;
  find_best(c);
}

/* Every step-th epoch, the last and the best one. */
static dm_status thin(const dm_section *section, const curves *c, const series *s, dm_line *out, dm_error *err) {
  double *x = dm_arena_alloc(section->memory, 2 * s->n, sizeof *x, err), *y = x + s->n;
  if (!x) return DM_EBUDGET;
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (i % c->step && i + 1 < s->n && s->epochs[i].epoch != c->best) continue;
    x[n] = (double)s->epochs[i].epoch;
    y[n++] = s->epochs[i].value;
  }
  *out = (dm_line){dm_str_of(s->name), n, x, y};
  return DM_OK;
}

static dm_status draw_losses(const dm_section *s, const curves *c, dm_error *err) {
  dm_line lines[DM_LINES];
  dm_status status = DM_OK;
  for (size_t i = 0; i < c->n_losses && status == DM_OK; i++) status = thin(s, c, &c->losses[i], &lines[i], err);
  if (status != DM_OK) return status;
  char mark[64];
  (void)snprintf(mark, sizeof mark, "best: epoch %lld", (long long)c->best);
  dm_chart chart = {.width = 640,
                    .height = 290,
                    .title = "Learning curves",
                    .description = "Loss after each epoch of the training.",
                    .x_title = "epoch",
                    .y_title = "loss",
                    .whole = true,
                    .line = (double)c->best,
                    .line_label = c->best ? mark : NULL};
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  dm_chart_lines(&drawing, &chart, c->n_losses, lines);
  dm_section_figure(s, "Learning curves", &drawing);
  dm_buf_clear(&drawing);
  return DM_OK;
}

static bool is_constant(const series *s) {
  for (size_t i = 1; i < s->n; i++)
    if (fabs(s->epochs[i].value - s->epochs[0].value) > 1e-12 * fabs(s->epochs[0].value)) return false;
  return true;
}

static dm_status draw_rate(const dm_section *s, const curves *c, dm_error *err) {
  dm_line line;
  dm_status status = thin(s, c, &c->rate, &line, err);
  if (status != DM_OK) return status;
  dm_chart chart = {.width = 350,
                    .height = 290,
                    .title = "Learning rate",
                    .description = "Learning rate of each epoch of the training.",
                    .x_title = "epoch",
                    .y_title = "learning rate",
                    .whole = true,
                    .linear = true};
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  dm_chart_lines(&drawing, &chart, 1, &line);
  dm_section_figure(s, "Learning rate", &drawing);
  dm_buf_clear(&drawing);
  return DM_OK;
}

/* What is drawn, what is kept, what is left out. */
static void explain(const dm_section *s, const curves *c) {
  char last[DM_LABEL_MAX], loss[DM_LABEL_MAX], rate[DM_LABEL_MAX];
  dm_buf text;
  dm_buf_init(&text, s->page->body.ctx, s->page->body.err);
  dm_number_count((uint64_t)c->last, last);
  dm_number_value(c->best_loss, 4, loss);
  dm_buf_printf(&text, "%s %s.", last, c->last == 1 ? "epoch" : "epochs");
  if (c->best)
    dm_buf_printf(&text, " The best validation loss, %s, came with epoch %lld, whose weights the model has.", loss, (long long)c->best);
  else
    dm_buf_adds(&text, " There was no validation part: the model has the last weights.");
  if (c->rate.n && is_constant(&c->rate)) {
    dm_number_value(c->rate.epochs[0].value, 4, rate);
    dm_buf_printf(&text, " Learning rate %s throughout.", rate);
  }
  if (c->step > 1) dm_buf_printf(&text, " One of %zu epochs is drawn, with the best and the last.", c->step);
  if (c->left_out) dm_buf_printf(&text, " %zu further losses are not drawn.", c->left_out);
  if (c->others) dm_buf_printf(&text, " Table dm_epoch has %zu further %s.", c->others, c->others == 1 ? "figure" : "figures");
  if (text.failed)
    s->page->body.failed = true;
  else
    dm_html_note(s->page, "%s", text.p);
  dm_buf_clear(&text);
}

dm_status dm_section_training(const dm_section *s, const dm_model_meta *meta, dm_error *err) {
  dm_model_epoch *epochs = NULL;
  dm_error problem = {0};
  size_t n = 0;
  dm_status status = dm_registry_epochs(s->store, meta->id, s->memory, &epochs, &n, &problem);
  status = dm_section_told(s, status, &problem, err);
  if (status != DM_OK || n == 0) return status;
  curves c;
  read_curves(epochs, n, &c);
  if (c.n_losses == 0 || c.first < 0) return DM_OK;
  dm_buf_adds(&s->page->body, "<div class=\"row\">\n");
  status = draw_losses(s, &c, err);
  if (status == DM_OK && c.rate.n && !is_constant(&c.rate)) status = draw_rate(s, &c, err);
  dm_buf_adds(&s->page->body, "</div>\n");
  if (status == DM_OK) explain(s, &c);
  return status;
}
