/*
 * Scoring: one chain of fused multiply-adds for each output, then our own exp
 * in a fixed order, so that a row has the same bits in every batch and on every
 * CPU.
 */
#include "linear/model.h"
#include "matrix/kernels/kernels.h"
#include "model/proba.h"

#include <math.h>

enum { BLOCK = 16 }; /* outputs scored at once where no probabilities are wanted */

static dm_status not_finite(const linear_model *m, size_t row, double z, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "%s: the score of row %zu of the batch is %g: its inputs are too large", m->base.learner->name, row + 1, z);
}

static dm_status probabilities(const linear_model *m, const double *x, size_t row, double *p, dm_error *err) {
  if (m->outputs == 1) {
    double z;
    dm_k_affine(x, m->base.d, m->by_column, 1, m->intercept, &z, 1);
    if (!isfinite(z)) return not_finite(m, row, z, err);
    dm_proba_of_score(z, p);
  } else {
    dm_k_affine(x, m->base.d, m->by_column, m->outputs, m->intercept, p, m->outputs);
    for (size_t c = 0; c < m->outputs; c++)
      if (!isfinite(p[c])) return not_finite(m, row, p[c], err);
    dm_proba_of_scores(p, m->outputs);
  }
  dm_proba_spread(m->classes, m->fitted, p, m->base.n_classes);
  return DM_OK;
}

/* Walks the scores in blocks: largest score, then the sum, then the class, without room for all of them. */
static dm_status class_only(const linear_model *m, const double *x, size_t row, double *value, dm_error *err) {
  double z[BLOCK], top = -(double)INFINITY, sum = 0, best = -1;
  for (int pass = 0; pass < 3; pass++)
    for (size_t from = 0; from < m->outputs; from += BLOCK) {
      size_t n = m->outputs - from < BLOCK ? m->outputs - from : BLOCK;
      dm_k_affine(x, m->base.d, m->by_column + from, m->outputs, m->intercept + from, z, n);
      for (size_t c = 0; c < n; c++) {
        if (!isfinite(z[c])) return not_finite(m, row, z[c], err);
        double e = pass ? dm_k_exp(z[c] - top) : 0;
        if (pass == 0) {
          top = z[c] > top ? z[c] : top;
        } else if (pass == 1) {
          sum += e;
        } else if (e / sum > best) {
          best = e / sum;
          *value = (double)m->classes[from + c];
        }
      }
    }
  return DM_OK;
}

static dm_status predict_class(const linear_model *m, unsigned what, dm_batch *batch, size_t i, dm_error *err) {
  const double *x = batch->x + i * batch->d;
  size_t k = m->base.n_classes;
  if (what & DM_OUT_PROBA) {
    double *p = batch->proba + i * k;
    dm_status s = probabilities(m, x, i, p, err);
    if (s == DM_OK && what & DM_OUT_VALUE) batch->value[i] = (double)dm_proba_best(p, k);
    return s;
  }
  if (!(what & DM_OUT_VALUE)) return DM_OK;
  if (m->outputs > 1) return class_only(m, x, i, &batch->value[i], err);
  double z, p[2];
  dm_k_affine(x, m->base.d, m->by_column, 1, m->intercept, &z, 1);
  if (!isfinite(z)) return not_finite(m, i, z, err);
  dm_proba_of_score(z, p);
  batch->value[i] = (double)m->classes[p[1] > p[0]];
  return DM_OK;
}

dm_status linear_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err) {
  const linear_model *m = (const linear_model *)model;
  for (size_t i = 0; i < batch->n; i++) {
    if (model->n_classes) {
      dm_status s = predict_class(m, what, batch, i, err);
      if (s != DM_OK) return s;
    } else if (what & DM_OUT_VALUE) {
      double z;
      dm_k_affine(batch->x + i * batch->d, model->d, m->by_column, 1, m->intercept, &z, 1);
      if (!isfinite(z)) return not_finite(m, i, z, err);
      batch->value[i] = z;
    }
    if (what & DM_OUT_LEAF) batch->leaf[i] = 0;
  }
  return DM_OK;
}
