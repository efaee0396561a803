/*
 * What a report needs of the rows a model was tested on, made small: counts of
 * a confusion matrix, thinned ROC curves, binned residuals, a grid of
 * predicted against true values.
 */
#include "report/evaluation.h"
#include "report/axis.h"

#include <math.h>
#include <string.h>

/* The most frequent true classes, by code; classes beyond the limit share a last place with code -1. */
static dm_status choose_classes(dm_arena *arena, size_t n, size_t k, const double *truth,
                                dm_report_evaluation *out, size_t **place, dm_error *err) {
  uint64_t *counts = dm_arena_alloc(arena, k, sizeof *counts, err);
  int64_t *classes = dm_arena_alloc(arena, DM_EVALUATION_CLASSES + 1, sizeof *classes, err);
  *place = dm_arena_alloc(arena, k, sizeof **place, err);
  if (!counts || !classes || !*place) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) counts[(size_t)truth[i]]++;
  for (size_t c = 0; c < k; c++) (*place)[c] = SIZE_MAX;
  size_t kept = k < DM_EVALUATION_CLASSES ? k : DM_EVALUATION_CLASSES;
  for (size_t i = 0; i < kept; i++) { /* at most 30 passes */
    size_t best = SIZE_MAX;
    for (size_t c = 0; c < k; c++)
      if ((*place)[c] == SIZE_MAX && (best == SIZE_MAX || counts[c] > counts[best])) best = c;
    (*place)[best] = 0;
  }
  size_t at = 0;
  for (size_t c = 0; c < k; c++)
    if ((*place)[c] == 0) {
      classes[at] = (int64_t)c;
      (*place)[c] = at++;
    } else {
      (*place)[c] = kept;
    }
  if (k > kept) classes[at++] = -1;
  out->k = at;
  out->classes = classes;
  return DM_OK;
}

static dm_status count_confusion(dm_arena *arena, size_t n, const double *truth, const double *value,
                                 const size_t *place, dm_report_evaluation *out, dm_error *err) {
  uint64_t *counts = dm_arena_alloc(arena, out->k * out->k, sizeof *counts, err);
  if (!counts) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) counts[place[(size_t)truth[i]] * out->k + place[(size_t)value[i]]]++;
  out->confusion = counts;
  return DM_OK;
}

/* Keeps the ends, and of the rest what is 0.01 or more from the last point kept: the curve is 2 long. */
static size_t thin(size_t n, double *fpr, double *tpr) {
  size_t kept = 1;
  for (size_t i = 1; i < n; i++) {
    bool last = i + 1 == n;
    bool near = fabs(fpr[i] - fpr[kept - 1]) + fabs(tpr[i] - tpr[kept - 1]) < 0.01;
    if (!last && (near || kept + 1 == DM_EVALUATION_POINTS)) continue;
    fpr[kept] = fpr[i];
    tpr[kept++] = tpr[i];
  }
  return kept;
}

static dm_status keep_curve(dm_arena *arena, size_t n, double *fpr, double *tpr, dm_report_roc *out,
                            dm_error *err) {
  out->n = thin(n, fpr, tpr);
  double *x = dm_arena_alloc(arena, 2 * out->n, sizeof *x, err);
  if (!x) return DM_EBUDGET;
  memcpy(x, fpr, out->n * sizeof *x);
  memcpy(x + out->n, tpr, out->n * sizeof *x);
  out->fpr = x;
  out->tpr = x + out->n;
  return DM_OK;
}

static dm_status compute_roc(dm_arena *arena, dm_ctx *ctx, size_t n, size_t k, const double *truth,
                             const double *proba, dm_report_evaluation *out, dm_error *err) {
  dm_report_roc *roc = dm_arena_alloc(arena, out->k, sizeof *roc, err);
  if (!roc) return DM_EBUDGET;
  for (size_t i = 0; i < out->k; i++) roc[i].auc = (double)NAN;
  out->roc = roc;
  if (!proba) return DM_OK;
  double *buffer = dm_alloc(ctx, 3 * (n + 1), sizeof *buffer, "ROC", err);
  dm_status s = buffer ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; i < out->k && s == DM_OK; i++) {
    if (out->classes[i] < 0) continue;
    double *fpr = buffer, *tpr = buffer + n + 1, auc = (double)NAN;
    dm_error failure = {0};
    size_t points = dm_roc(ctx, n, truth, proba + out->classes[i], k, (double)out->classes[i], fpr, tpr,
                           buffer + 2 * (n + 1), &auc, &failure);
    if (failure.code != DM_OK) {
      s = failure.code;
      if (err) *err = failure;
    } else if (points > 0) {
      roc[i].auc = auc;
      s = keep_curve(arena, points, fpr, tpr, &roc[i], err);
    }
  }
  dm_free(ctx, buffer);
  return s;
}

static size_t bin_of(double v, double lo, double hi, size_t bins) {
  double at = (v - lo) / (hi - lo) * (double)bins;
  return !(at > 0) ? 0 : at >= (double)bins ? bins - 1 : (size_t)at;
}

/* Halves of round steps as edges, so that 0 is one of them. */
static dm_status bin_residuals(dm_arena *arena, size_t n, const double *truth, const double *value,
                               dm_report_evaluation *out, dm_error *err) {
  double lo = (double)INFINITY, hi = -(double)INFINITY;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) {
      lo = fmin(lo, value[i] - truth[i]);
      hi = fmax(hi, value[i] - truth[i]);
    }
  dm_axis scale;
  dm_axis_linear(&scale, lo, hi, 0, 1, DM_EVALUATION_BINS / 2, true);
  out->n_bins = 2 * (scale.n - 1);
  double *edges = dm_arena_alloc(arena, out->n_bins + 1, sizeof *edges, err);
  uint64_t *counts = dm_arena_alloc(arena, out->n_bins, sizeof *counts, err);
  if (!edges || !counts) return DM_EBUDGET;
  for (size_t i = 0; i <= out->n_bins; i++) edges[i] = scale.ticks[i / 2] + (i % 2 ? scale.step / 2 : 0);
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) counts[bin_of(value[i] - truth[i], edges[0], edges[out->n_bins], out->n_bins)]++;
  out->edges = edges;
  out->residuals = counts;
  return DM_OK;
}

static dm_status bin_scatter(dm_arena *arena, size_t n, const double *truth, const double *value,
                             dm_report_evaluation *out, dm_error *err) {
  double lo = (double)INFINITY, hi = -(double)INFINITY;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) {
      lo = fmin(lo, fmin(value[i], truth[i]));
      hi = fmax(hi, fmax(value[i], truth[i]));
    }
  dm_axis scale; /* its domain is a usable range even of one value */
  dm_axis_linear(&scale, lo, hi, 0, 1, 6, false);
  size_t g = DM_EVALUATION_GRID;
  uint64_t *counts = dm_arena_alloc(arena, g * g, sizeof *counts, err);
  if (!counts) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i]))
      counts[bin_of(value[i], scale.lo, scale.hi, g) * g + bin_of(truth[i], scale.lo, scale.hi, g)]++;
  out->lo = scale.lo;
  out->hi = scale.hi;
  out->grid = g;
  out->scatter = counts;
  return DM_OK;
}

dm_status dm_report_evaluation_compute(dm_arena *arena, dm_ctx *ctx, size_t n, size_t k, const double *truth,
                                       const double *value, const double *proba, dm_report_evaluation *out,
                                       dm_error *err) {
  *out = (dm_report_evaluation){0};
  for (size_t i = 0; i < n; i++) out->n += isnan(truth[i]) ? 0 : 1;
  if (out->n == 0) return DM_OK;
  if (k == 0) {
    dm_status s = bin_residuals(arena, n, truth, value, out, err);
    return s == DM_OK ? bin_scatter(arena, n, truth, value, out, err) : s;
  }
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i]) && !(truth[i] >= 0 && truth[i] < (double)k && value[i] >= 0 && value[i] < (double)k))
      return dm_fail(err, DM_EINTERNAL,
                     "evaluation: row %zu has truth %g and prediction %g, want codes below %zu", i, truth[i],
                     value[i], k);
  size_t *place = NULL;
  dm_status s = choose_classes(arena, n, k, truth, out, &place, err);
  if (s == DM_OK) s = count_confusion(arena, n, truth, value, place, out, err);
  if (s == DM_OK) s = compute_roc(arena, ctx, n, k, truth, proba, out, err);
  return s;
}
