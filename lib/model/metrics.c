/*
 * Metrics of predictions, as scikit-learn defines them. Rows without a truth
 * are left out; what is undefined (AUC of one class, r2 of a constant) is NaN.
 */
#include "model/metrics.h"

#include <assert.h>
#include <math.h>

typedef struct writer {
  dm_metric *out;
  size_t n;
} writer;

/* a / b, NaN when there is nothing to divide by. */
static double ratio(double a, double b) { return b > 0 ? a / b : (double)NAN; }

static void put(writer *w, const char *name, double value) {
  assert(w->n < DM_METRICS_MAX);
  w->out[w->n++] = (dm_metric){name, value};
}

void dm_confusion(size_t n, size_t k, const double *truth, const double *value, uint64_t *counts) {
  for (size_t c = 0; c < k * k; c++) counts[c] = 0;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) counts[(size_t)truth[i] * k + (size_t)value[i]]++;
}

/* Accuracy, mean recall of the classes that occur, mean F1 of the classes that occur or are predicted. */
static void put_confusion(writer *w, size_t k, const uint64_t *counts) {
  double right = 0, all = 0, recalls = 0, f1s = 0;
  size_t occur = 0, either = 0;
  for (size_t c = 0; c < k; c++) {
    double row = 0, column = 0, hit = (double)counts[c * k + c];
    for (size_t o = 0; o < k; o++) {
      row += (double)counts[c * k + o];
      column += (double)counts[o * k + c];
    }
    right += hit;
    all += row;
    if (row > 0) {
      occur++;
      recalls += hit / row;
    }
    if (row + column > 0) {
      either++;
      f1s += 2 * hit / (row + column);
    }
  }
  put(w, "accuracy", ratio(right, all));
  put(w, "balanced_accuracy", ratio(recalls, (double)occur));
  put(w, "f1_macro", ratio(f1s, (double)either));
}

/* Two classes: area for class 1. More: mean of one-vs-rest over the classes that occur, not alone. */
static double mean_auc(size_t n, size_t k, const double *truth, const double *proba, dm_ranked *rows) {
  double sum = 0;
  size_t defined = 0;
  for (size_t c = k == 2 ? 1 : 0; c < k; c++) {
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
      if (!isnan(truth[i])) rows[used++] = (dm_ranked){proba[i * k + c], truth[i] == (double)c};
    double auc = dm_rank_auc(rows, used);
    if (isnan(auc)) continue;
    sum += auc;
    defined++;
  }
  return ratio(sum, (double)defined);
}

static double log_loss(size_t n, size_t k, const double *truth, const double *proba) {
  double sum = 0;
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    if (isnan(truth[i])) continue;
    double total = 0, mine = 0;
    for (size_t c = 0; c < k; c++) {
      double p = fmin(fmax(proba[i * k + c], 1e-15), 1 - 1e-15);
      total += p;
      if (truth[i] == (double)c) mine = p;
    }
    sum -= log(mine / total);
    used++;
  }
  return ratio(sum, (double)used);
}

/* Mean squared distance of the probabilities: of class 1 for two classes, of all for more. */
static double brier(size_t n, size_t k, const double *truth, const double *proba) {
  double sum = 0;
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    if (isnan(truth[i])) continue;
    for (size_t c = k == 2 ? 1 : 0; c < k; c++) {
      double e = proba[i * k + c] - (truth[i] == (double)c ? 1 : 0);
      sum += e * e;
    }
    used++;
  }
  return ratio(sum, (double)used);
}

static size_t classification(dm_ctx *ctx, size_t n, size_t k, const double *truth, const double *value, const double *proba, writer *w,
                             dm_error *err) {
  size_t cells;
  if (!dm_size_mul(k, k, &cells)) {
    (void)dm_fail(err, DM_EBUDGET, "metrics: %zu classes are more than memory can hold", k);
    return 0;
  }
  uint64_t *counts = dm_alloc(ctx, cells, sizeof *counts, "metrics", err);
  dm_ranked *rows = counts && proba ? dm_alloc(ctx, n, sizeof *rows, "metrics", err) : NULL;
  if (counts && (rows || !proba)) {
    dm_confusion(n, k, truth, value, counts);
    put_confusion(w, k, counts);
    if (proba) {
      put(w, "auc", mean_auc(n, k, truth, proba, rows));
      put(w, "log_loss", log_loss(n, k, truth, proba));
      put(w, "brier", brier(n, k, truth, proba));
    }
  }
  dm_free(ctx, rows);
  dm_free(ctx, counts);
  return w->n;
}

static size_t regression(size_t n, const double *truth, const double *value, writer *w) {
  double mean = 0, squares = 0, absolute = 0, spread = 0;
  size_t used = 0;
  for (size_t i = 0; i < n; i++)
    if (!isnan(truth[i])) {
      used++;
      mean += (truth[i] - mean) / (double)used;
    }
  for (size_t i = 0; i < n; i++) {
    if (isnan(truth[i])) continue;
    double e = truth[i] - value[i], s = truth[i] - mean;
    squares += e * e;
    absolute += fabs(e);
    spread += s * s;
  }
  put(w, "rmse", sqrt(ratio(squares, (double)used)));
  put(w, "mae", ratio(absolute, (double)used));
  put(w, "r2", 1 - ratio(squares, spread));
  return w->n;
}

size_t dm_metrics(dm_ctx *ctx, size_t n, size_t k, const double *truth, const double *value, const double *proba,
                  dm_metric out[DM_METRICS_MAX], dm_error *err) {
  writer w = {.out = out};
  return k ? classification(ctx, n, k, truth, value, proba, &w, err) : regression(n, truth, value, &w);
}
