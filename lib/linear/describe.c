/*
 * A linear model as text, the largest coefficients first:
 *
 *   logistic regression (C 1): 30 columns, 2 classes, 21 iterations
 *   score of malignant
 *     -0.312   (intercept)
 *      1.43    worst texture
 *     …
 */
#include "linear/model.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS_SHOWN = 60, CLASSES_SHOWN = 20 };

/* A coefficient and its place. */
typedef struct weighted {
  double size;
  size_t column;
} weighted;

static int by_size(const void *a, const void *b) {
  const weighted *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return (x->column > y->column) - (x->column < y->column);
}

void linear_print_column(const dm_scorer *scorer, size_t column, dm_buf *out) {
  if (!scorer || !scorer->encoder) {
    dm_buf_printf(out, "x%zu", column + 1);
    return;
  }
  const char *name = dm_encoder_output_name(scorer->encoder, column);
  dm_buf_adds(out, name && name[0] ? name : dm_scorer_feature_name(scorer, dm_encoder_source(scorer->encoder, column)));
}

void linear_print_class(const linear_model *m, const dm_scorer *scorer, size_t output, dm_buf *out) {
  uint32_t code = m->classes[m->outputs == 1 ? 1 : output];
  if (scorer && code < scorer->target.levels.n)
    dm_buf_add(out, scorer->target.levels.names[code].p, scorer->target.levels.names[code].n);
  else
    dm_buf_printf(out, "class %u", code);
}

/* @param order [d] room */
static void print_output(const linear_model *m, const dm_scorer *scorer, size_t output, size_t shown, weighted *order, dm_buf *out) {
  const double *coef = m->coef + output * m->base.d;
  if (m->fitted) {
    dm_buf_adds(out, "score of ");
    linear_print_class(m, scorer, output, out);
    dm_buf_addc(out, '\n');
  }
  dm_buf_printf(out, "  %- 12.5g (intercept)\n", m->intercept[output]);
  for (size_t j = 0; j < m->base.d; j++) order[j] = (weighted){fabs(coef[j]), j};
  if (m->base.d) qsort(order, m->base.d, sizeof *order, by_size);
  for (size_t i = 0; i < m->base.d && i < shown; i++) {
    dm_buf_printf(out, "  %- 12.5g ", coef[order[i].column]);
    linear_print_column(scorer, order[i].column, out);
    dm_buf_addc(out, '\n');
  }
  if (shown < m->base.d) dm_buf_printf(out, "  ... %zu smaller ones\n", m->base.d - shown);
}

dm_status linear_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err) {
  const linear_model *m = (const linear_model *)model;
  weighted *order = dm_alloc(model->ctx, model->d + 1, sizeof *order, "description", err);
  if (!order) return DM_EBUDGET;
  dm_buf_printf(out, "%s regression (%s %g): %zu %s, ", m->fitted ? "logistic" : "linear", linear_penalty_name(m), m->penalty, model->d,
                model->d == 1 ? "column" : "columns");
  if (m->fitted) dm_buf_printf(out, "%zu classes, ", m->fitted);
  dm_buf_printf(out, "%lld %s\n", (long long)m->iterations, m->iterations == 1 ? "iteration" : "iterations");
  size_t shown = m->outputs > 1 ? COLUMNS_SHOWN / 6 : COLUMNS_SHOWN;
  for (size_t c = 0; c < m->outputs && c < CLASSES_SHOWN; c++) print_output(m, scorer, c, shown, order, out);
  if (m->outputs > CLASSES_SHOWN) dm_buf_printf(out, "... %zu more classes\n", m->outputs - CLASSES_SHOWN);
  dm_free(model->ctx, order);
  return dm_buf_status(out);
}
