/* Making and freeing the classifier, and scoring: the first rule whose conditions all hold. */
#include "patterns/cba.h"

#include <string.h>

dm_status cba_model_new(dm_ctx *ctx, const dm_learner *learner, const cba_size *size, cba_model **out, dm_error *err) {
  cba_model *m = dm_alloc(ctx, 1, sizeof *m, "cba", err);
  if (!m) return DM_EBUDGET;
  *m = (cba_model){.base = {learner, ctx, size->d, size->k}, .n_rules = size->rules, .n_conditions = size->conditions, .n_cuts = size->cuts};
  m->base.work = size->d * sizeof(uint32_t);
  size_t values;
  dm_status s = dm_size_mul(size->rules + 1, size->k, &values) ? dm_arena_new(ctx, 0, &m->memory, err)
                                                               : dm_fail(err, DM_EBUDGET, "cba: its counts are more than memory can hold");
  if (s == DM_OK && (!(m->levels = dm_arena_alloc(m->memory, size->d, sizeof *m->levels, err)) ||
                     !(m->cut_start = dm_arena_alloc(m->memory, size->d + 1, sizeof *m->cut_start, err)) ||
                     !(m->cuts = dm_arena_alloc(m->memory, size->cuts, sizeof *m->cuts, err)) ||
                     !(m->start = dm_arena_alloc(m->memory, size->rules + 1, sizeof *m->start, err)) ||
                     !(m->feature = dm_arena_alloc(m->memory, size->conditions, sizeof *m->feature, err)) ||
                     !(m->code = dm_arena_alloc(m->memory, size->conditions, sizeof *m->code, err)) ||
                     !(m->count = dm_arena_alloc(m->memory, values, sizeof *m->count, err)) ||
                     !(m->proba = dm_arena_alloc(m->memory, values, sizeof *m->proba, err)) ||
                     !(m->best = dm_arena_alloc(m->memory, size->rules + 1, sizeof *m->best, err))))
    s = DM_EBUDGET;
  if (s != DM_OK) {
    cba_free(&m->base);
    return s;
  }
  *out = m;
  return DM_OK;
}

void cba_model_finish(cba_model *m) {
  size_t k = m->base.n_classes;
  for (size_t r = 0; r <= m->n_rules; r++) {
    const double *count = m->count + r * k;
    double rows = 0;
    size_t best = 0;
    for (size_t c = 0; c < k; c++) {
      rows += count[c];
      if (count[c] > count[best]) best = c;
    }
    for (size_t c = 0; c < k; c++) m->proba[r * k + c] = (count[c] + 1) / (rows + (double)k);
    m->best[r] = (double)best;
  }
}

void cba_free(dm_model *model) {
  if (!model) return;
  cba_model *m = (cba_model *)model;
  dm_arena_free(m->memory);
  dm_free(model->ctx, m);
}

size_t cba_fires(const cba_model *m, const double *x, uint32_t *work) {
  for (size_t j = 0; j < m->base.d; j++) work[j] = cba_item(m, j, x[j]);
  for (size_t r = 0; r < m->n_rules; r++) {
    uint32_t i = m->start[r], end = m->start[r + 1];
    while (i < end && work[m->feature[i]] == m->code[i]) i++;
    if (i == end) return r;
  }
  return m->n_rules;
}

dm_status cba_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err) {
  const cba_model *m = (const cba_model *)model;
  size_t k = model->n_classes;
  (void)err;
  for (size_t i = 0; i < batch->n; i++) {
    size_t rule = cba_fires(m, batch->x + i * batch->d, batch->work);
    if (what & DM_OUT_VALUE) batch->value[i] = m->best[rule];
    if (what & DM_OUT_PROBA) memcpy(batch->proba + i * k, m->proba + rule * k, k * sizeof *batch->proba);
    if (what & DM_OUT_LEAF) batch->leaf[i] = (uint32_t)rule;
  }
  return DM_OK;
}
