/* How well a model did on the rows it was not trained on: matrix, curves and classes, or residuals and
 * predictions. */
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>

#define CLASSES_OPEN 12 /* more go behind a fold */

/* Names of the classes that were kept; codes that the model does not know are shown as numbers. */
static dm_status class_names(const dm_section *s, const dm_report_evaluation *e, const dm_scorer *scorer,
                             dm_str **out, dm_error *err) {
  const dm_levels *levels = &scorer->target.levels;
  dm_str *names = dm_arena_alloc(s->memory, e->k, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (size_t i = 0; i < e->k; i++) {
    if (e->classes[i] < 0)
      names[i] = dm_str_of("other classes");
    else if ((uint64_t)e->classes[i] < levels->n)
      names[i] = levels->names[e->classes[i]];
    else
      names[i] = dm_str_of("(unknown class)");
  }
  *out = names;
  return DM_OK;
}

/* Two classes: their curves mirror each other, the second class's is drawn. Beyond what the chart holds: the
 * worst. */
static size_t choose_curves(const dm_report_evaluation *e, const dm_str *names, dm_roc_curve *out) {
  size_t n = 0;
  for (size_t i = e->k == 2 ? 1 : 0; i < e->k; i++) {
    if (e->roc[i].n < 2) continue;
    dm_roc_curve c = {names[i], e->roc[i].auc, e->roc[i].n, e->roc[i].fpr, e->roc[i].tpr};
    size_t at = n;
    if (e->k > DM_ROC_CURVES)
      for (; at > 0 && out[at - 1].auc > c.auc; at--) out[at] = out[at - 1];
    out[at] = c;
    n++;
  }
  return n;
}

static void roc_figure(const dm_section *s, const dm_report_evaluation *e, const dm_str *names,
                       dm_buf *drawing) {
  dm_roc_curve curves[64];
  char caption[160];
  if (e->k > 64) return;
  size_t n = choose_curves(e, names, curves);
  if (n == 0) return;
  dm_chart chart = {
      .width = 680, /* room for the classes' names beside the square plot */
      .height = 320,
      .title = "ROC curves of the test rows",
      .description =
          "True positive rate against false positive rate for every threshold, one curve per class."};
  dm_chart_roc(drawing, &chart, n, curves);
  if (n > DM_ROC_CURVES)
    (void)snprintf(caption, sizeof caption, "ROC, test rows: the %d of %zu classes with the smallest AUC",
                   DM_ROC_CURVES, n);
  else
    (void)snprintf(caption, sizeof caption,
                   e->k == 2 ? "ROC, test rows" : "ROC, test rows: each class against the others");
  dm_section_figure(s, caption, drawing);
}

static void class_table(const dm_section *s, const dm_report_evaluation *e, const dm_str *names) {
  static const char *const headings[] = {"Class",      "#True rows", "#Predicted", "#Right", "#Recall",
                                         "#Precision", "#F1",        "#AUC",       NULL};
  dm_buf *out = &s->page->body;
  if (e->k > CLASSES_OPEN) dm_buf_adds(out, "<details><summary>Figures of every class</summary>\n");
  dm_html_table(out, headings);
  for (size_t c = 0; c < e->k; c++) {
    uint64_t truth = 0, predicted = 0, right = e->confusion[c * e->k + c];
    for (size_t j = 0; j < e->k; j++) {
      truth += e->confusion[c * e->k + j];
      predicted += e->confusion[j * e->k + c];
    }
    double f1 = truth + predicted ? 2 * (double)right / (double)(truth + predicted) : -1;
    dm_buf_adds(out, "<tr>");
    dm_html_cell(out, names[c]);
    dm_html_cell_count(out, truth);
    dm_html_cell_count(out, predicted);
    dm_html_cell_count(out, right);
    dm_html_cell_share(out, truth ? (double)right / (double)truth : -1);
    dm_html_cell_share(out, predicted ? (double)right / (double)predicted : -1);
    dm_html_cell_value(out, f1 < 0 ? (double)NAN : f1);
    dm_html_cell_value(out, e->roc[c].auc);
    dm_buf_adds(out, "</tr>\n");
  }
  dm_html_table_end(out);
  if (e->k > CLASSES_OPEN) dm_buf_adds(out, "</details>\n");
}

static dm_status classes(const dm_section *s, const dm_report_evaluation *e, const dm_scorer *scorer,
                         dm_error *err) {
  dm_str *names = NULL;
  dm_status status = class_names(s, e, scorer, &names, err);
  if (status != DM_OK) return status;
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, err);
  char rows[DM_LABEL_MAX], caption[160];
  dm_number_count(e->n, rows);
  (void)snprintf(caption, sizeof caption, "Confusion matrix, %s test rows", rows);
  dm_chart chart = {.width = e->k > 12  ? 1030
                             : e->k > 5 ? 560
                                        : 460,
                    .title = caption,
                    .description = "Counts of true classes (rows) and predicted classes (columns)."};
  dm_buf_adds(&s->page->body, "<div class=\"row\">\n");
  dm_chart_confusion(&drawing, &chart, e->k, names, e->confusion);
  dm_section_figure(s, caption, &drawing);
  roc_figure(s, e, names, &drawing);
  dm_buf_adds(&s->page->body, "</div>\n");
  class_table(s, e, names);
  dm_buf_clear(&drawing);
  return DM_OK;
}

static void numbers(const dm_section *s, const dm_report_evaluation *e) {
  dm_buf drawing;
  dm_buf_init(&drawing, s->page->body.ctx, s->page->body.err);
  char rows[DM_LABEL_MAX], caption[160];
  dm_number_count(e->n, rows);
  dm_buf_adds(&s->page->body, "<div class=\"row\">\n");
  dm_chart chart = {.width = 390,
                    .height = 360,
                    .title = "Predicted against true values of the test rows",
                    .description =
                        "Squares grow with the number of rows; on the dashed line predictions are exact.",
                    .x_title = "true value",
                    .y_title = "predicted value"};
  (void)snprintf(caption, sizeof caption, "Predicted against true values, %s test rows", rows);
  dm_chart_scatter(&drawing, &chart, e->grid, e->lo, e->hi, e->scatter);
  dm_section_figure(s, caption, &drawing);
  chart = (dm_chart){.width = 480,
                     .height = 360,
                     .title = "Residuals of the test rows",
                     .description = "Histogram of predicted minus true values.",
                     .x_title = "predicted − true",
                     .y_title = "rows"};
  dm_chart_histogram(&drawing, &chart, e->n_bins, e->edges, e->residuals);
  dm_section_figure(s, "Residuals", &drawing);
  dm_buf_adds(&s->page->body, "</div>\n");
  dm_buf_clear(&drawing);
}

dm_status dm_section_evaluation(const dm_section *s, const dm_model_meta *meta, const dm_scorer *scorer,
                                dm_error *err) {
  dm_report_evaluation e = {0};
  dm_error problem = {0};
  bool found = false;
  dm_status status = dm_report_evaluation_load(s->store, meta->id, "test", s->memory, &e, &found, &problem);
  status = dm_section_told(s, status, &problem, err);
  if (status != DM_OK || !found) return status;
  if (e.k) return classes(s, &e, scorer, err);
  numbers(s, &e);
  return DM_OK;
}
