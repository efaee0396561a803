/* Evaluations among the report's tensors. */
#include "report/evaluation.h"
#include "report/figures.h"

#include <stdio.h>

/* ---- writing ------------------------------------------------------------------- */

static dm_status write_classes(dm_figures *f, const dm_report_evaluation *e, dm_error *err) {
  double auc[DM_EVALUATION_CLASSES + 1];
  for (size_t i = 0; i < e->k; i++) auc[i] = e->roc[i].auc;
  dm_status s = dm_figures_put_codes(f, "classes", e->k, 0, e->classes, err);
  if (s == DM_OK) s = dm_figures_put_counts(f, "confusion", e->k, e->k, e->confusion, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "auc", e->k, 0, auc, err);
  for (size_t i = 0; i < e->k && s == DM_OK; i++) {
    if (e->roc[i].n == 0) continue;
    double points[2 * DM_EVALUATION_POINTS];
    for (size_t p = 0; p < e->roc[i].n && p < DM_EVALUATION_POINTS; p++) {
      points[2 * p] = e->roc[i].fpr[p];
      points[2 * p + 1] = e->roc[i].tpr[p];
    }
    char name[32];
    (void)snprintf(name, sizeof name, "roc/%zu", i);
    s = dm_figures_put_reals(f, name, e->roc[i].n, 2, points, err);
  }
  return s;
}

static dm_status write_regression(dm_figures *f, const dm_report_evaluation *e, dm_error *err) {
  dm_status s = dm_figures_put_reals(f, "edges", e->n_bins + 1, 0, e->edges, err);
  if (s == DM_OK) s = dm_figures_put_counts(f, "residuals", e->n_bins, 0, e->residuals, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "range", 2, 0, (double[2]){e->lo, e->hi}, err);
  if (s == DM_OK) s = dm_figures_put_counts(f, "scatter", e->grid, e->grid, e->scatter, err);
  return s;
}

dm_status dm_report_evaluation_save(dm_store *store, int64_t model_id, const char *split, size_t n, size_t k,
                                    const double *truth, const double *value, const double *proba,
                                    dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_arena *arena = NULL;
  dm_report_evaluation e;
  dm_figures f = {0};
  dm_status s = dm_figures_check_split(split, err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_report_evaluation_compute(arena, ctx, n, k, truth, value, proba, &e, err);
  if (s != DM_OK || e.n == 0) goto done;
  s = dm_figures_open_write(store, model_id, split, "", &f, err);
  if (s == DM_OK) s = dm_figures_put_counts(&f, "rows", 1, 0, &e.n, err);
  if (s == DM_OK) s = e.k ? write_classes(&f, &e, err) : write_regression(&f, &e, err);
done:
  dm_figures_close(&f);
  dm_arena_free(arena);
  return s;
}

/* ---- reading -------------------------------------------------------------------- */

static dm_status read_curve(dm_figures *f, size_t i, dm_report_roc *roc, dm_error *err) {
  char name[32];
  (void)snprintf(name, sizeof name, "roc/%zu", i);
  const double *points = NULL;
  dm_status s = dm_figures_get_reals(f, name, 2, DM_EVALUATION_POINTS, false, &roc->n, &points, err);
  if (s != DM_OK || roc->n == 0) return s;
  double *x = dm_arena_alloc(f->arena, 2 * roc->n, sizeof *x, err);
  if (!x) return DM_EBUDGET;
  for (size_t p = 0; p < roc->n; p++) {
    x[p] = points[2 * p];
    x[roc->n + p] = points[2 * p + 1];
    if (!(x[p] >= 0 && x[p] <= 1 && x[roc->n + p] >= 0 && x[roc->n + p] <= 1))
      return dm_figures_damaged(f, name, err);
  }
  roc->fpr = x;
  roc->tpr = x + roc->n;
  return DM_OK;
}

static dm_status read_classes(dm_figures *f, dm_report_evaluation *out, dm_error *err) {
  const double *auc = NULL;
  size_t n_auc = 0;
  dm_status s = dm_figures_get_counts(f, "confusion", out->k, out->k, &out->confusion, err);
  if (s == DM_OK) s = dm_figures_get_reals(f, "auc", 0, out->k, true, &n_auc, &auc, err);
  if (s != DM_OK) return s;
  if (n_auc != out->k) return dm_figures_damaged(f, "auc", err);
  dm_report_roc *roc = dm_arena_alloc(f->arena, out->k, sizeof *roc, err);
  if (!roc) return DM_EBUDGET;
  out->roc = roc;
  for (size_t i = 0; i < out->k && s == DM_OK; i++) {
    roc[i].auc = auc[i];
    s = read_curve(f, i, &roc[i], err);
  }
  return s;
}

static dm_status read_regression(dm_figures *f, dm_report_evaluation *out, dm_error *err) {
  const double *range = NULL;
  size_t n = 0;
  dm_status s = dm_figures_get_reals(f, "edges", 0, DM_EVALUATION_BINS + 1, false, &n, &out->edges, err);
  if (s != DM_OK) return s;
  if (n < 2) return dm_figures_damaged(f, "edges", err);
  for (size_t i = 1; i < n; i++)
    if (!(out->edges[i] > out->edges[i - 1])) return dm_figures_damaged(f, "edges", err);
  out->n_bins = n - 1;
  s = dm_figures_get_counts(f, "residuals", out->n_bins, 0, &out->residuals, err);
  if (s == DM_OK) s = dm_figures_get_reals(f, "range", 0, 2, false, &n, &range, err);
  if (s != DM_OK) return s;
  if (n != 2 || !(range[1] > range[0])) return dm_figures_damaged(f, "range", err);
  out->lo = range[0];
  out->hi = range[1];
  out->grid = DM_EVALUATION_GRID;
  return dm_figures_get_counts(f, "scatter", out->grid, out->grid, &out->scatter, err);
}

dm_status dm_report_evaluation_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena,
                                    dm_report_evaluation *out, bool *found, dm_error *err) {
  dm_figures f;
  dm_report_evaluation e = {0};
  const int64_t *rows = NULL;
  size_t n = 0;
  *found = false;
  dm_status s = dm_figures_open_read(store, model_id, split, "", arena, &f, err);
  if (s != DM_OK) return s;
  s = dm_figures_get_codes(&f, "rows", 0, 1, 0, (int64_t)1 << 53, &n, &rows, err);
  if (s != DM_OK || n == 0) goto done;
  e.n = (uint64_t)rows[0];
  s = dm_figures_get_codes(&f, "classes", 0, DM_EVALUATION_CLASSES + 1, -1, INT64_MAX, &e.k, &e.classes, err);
  if (s == DM_OK) s = e.k ? read_classes(&f, &e, err) : read_regression(&f, &e, err);
  if (s == DM_OK) {
    *out = e;
    *found = true;
  }
done:
  dm_figures_close(&f);
  return s;
}
