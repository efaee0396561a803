/*
 * Scoring: blocks of rows through the graph (score.h), then probabilities in
 * double: the same bits for a row in every batch and on every CPU.
 */
#include "model/proba.h"
#include "nn/net_model.h"

#include <math.h>
#include <string.h>

static dm_status not_finite(size_t row, double z, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "net: the score of row %zu of the batch is %g: its inputs are too large", row + 1, z);
}

/* Scores of one row to probabilities of all classes. @param p [n_classes] */
static dm_status probabilities(const net_model *m, const dm_real *z, size_t row, double *p, dm_error *err) {
  for (size_t c = 0; c < m->outputs; c++) {
    if (!isfinite(z[c])) return not_finite(row, (double)z[c], err);
    p[c] = (double)z[c];
  }
  if (m->outputs == 1)
    dm_proba_of_score((double)z[0], p);
  else
    dm_proba_of_scores(p, m->outputs);
  dm_proba_spread(m->classes, m->fitted, p, m->base.n_classes);
  return DM_OK;
}

/* @param row of the batch; z its scores, room [n_classes] */
static dm_status write_row(const net_model *m, unsigned what, const dm_batch *batch, size_t row, const dm_real *z, double *room, dm_error *err) {
  size_t k = m->base.n_classes;
  if (k && what & (DM_OUT_VALUE | DM_OUT_PROBA)) {
    double *p = what & DM_OUT_PROBA ? batch->proba + row * k : room;
    dm_status s = probabilities(m, z, row, p, err);
    if (s != DM_OK) return s;
    if (what & DM_OUT_VALUE) batch->value[row] = (double)dm_proba_best(p, k);
  } else if (what & DM_OUT_VALUE) {
    double value = m->mean + m->scale * (double)z[0];
    if (!isfinite(value)) return not_finite(row, value, err);
    batch->value[row] = value;
  }
  if (what & DM_OUT_LEAF) batch->leaf[row] = 0;
  return DM_OK;
}

static dm_status write_code(const net_model *m, const dm_batch *batch, size_t row, const dm_real *code, dm_error *err) {
  for (size_t j = 0; j < m->base.n_code; j++)
    if (!isfinite(code[j])) return not_finite(row, (double)code[j], err);
  memcpy(batch->code + row * m->base.n_code, code, m->base.n_code * sizeof *code);
  return DM_OK;
}

dm_status net_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err) {
  const net_model *m = (const net_model *)model;
  double *room = (double *)(void *)((char *)batch->work + (nn_score_work(&m->scoring) + 63) / 64 * 64);
  for (size_t from = 0; from < batch->n; from += NN_SCORE_ROWS) {
    size_t n = batch->n - from < NN_SCORE_ROWS ? batch->n - from : NN_SCORE_ROWS;
    nn_score(&m->scoring, batch->x + from * model->d, n, batch->work);
    const dm_real *z = nn_score_value(&m->scoring, batch->work, m->last), *code = nn_score_value(&m->scoring, batch->work, m->code);
    for (size_t i = 0; i < n; i++) {
      dm_status s = write_row(m, what, batch, from + i, z + i * m->outputs, room, err);
      if (s == DM_OK && what & DM_OUT_CODE) s = write_code(m, batch, from + i, code + i * model->n_code, err);
      if (s != DM_OK) return s;
    }
  }
  return DM_OK;
}
