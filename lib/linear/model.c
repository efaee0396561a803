/* Making and freeing linear models. */
#include "linear/model.h"

dm_status linear_model_new(dm_ctx *ctx, const dm_learner *learner, size_t d, size_t n_classes, size_t fitted, linear_model **out,
                           dm_error *err) {
  linear_model *m = dm_alloc(ctx, 1, sizeof *m, "linear model", err);
  if (!m) return DM_EBUDGET;
  *m = (linear_model){.base = {learner, ctx, d, n_classes}, .fitted = fitted, .outputs = fitted > 2 ? fitted : 1};
  size_t cells;
  dm_status s = dm_size_mul(d, m->outputs, &cells) ? dm_arena_new(ctx, 0, &m->memory, err)
                                                   : dm_fail(err, DM_EBUDGET, "%s: its coefficients are more than memory can hold", learner->name);
  if (s == DM_OK && (!(m->classes = dm_arena_alloc(m->memory, fitted, sizeof *m->classes, err)) ||
                     !(m->coef = dm_arena_alloc(m->memory, cells, sizeof *m->coef, err)) ||
                     !(m->intercept = dm_arena_alloc(m->memory, m->outputs, sizeof *m->intercept, err)) ||
                     !(m->by_column = dm_arena_alloc(m->memory, cells, sizeof *m->by_column, err))))
    s = DM_EBUDGET;
  if (s != DM_OK) {
    linear_free(&m->base);
    return s;
  }
  *out = m;
  return DM_OK;
}

void linear_model_finish(linear_model *m) {
  for (size_t c = 0; c < m->outputs; c++)
    for (size_t j = 0; j < m->base.d; j++) m->by_column[j * m->outputs + c] = m->coef[c * m->base.d + j];
}

void linear_free(dm_model *model) {
  if (!model) return;
  linear_model *m = (linear_model *)model;
  dm_arena_free(m->memory);
  dm_free(model->ctx, m);
}

const char *linear_penalty_name(const linear_model *m) { return m->base.n_classes ? "C" : "alpha"; }
