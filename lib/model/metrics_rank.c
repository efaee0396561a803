/*
 * ROC and the area under it.
 *
 * Rows by falling score; rows of one score are one step of the curve. The
 * area in units of half a pair of rows is a whole number,
 *
 *   sum over steps  negatives in it * (2 * positives above + positives in it)
 *
 * so that neither the order of the rows nor rounding shows in it.
 */
#include "model/metrics.h"

#include <math.h>
#include <stdlib.h>

static int by_falling_score(const void *a, const void *b) {
  double x = ((const dm_ranked *)a)->score, y = ((const dm_ranked *)b)->score;
  return (x < y) - (x > y);
}

/* Bounds of the step that begins at row i: the row after it; its positives added to *positives. */
static size_t next_step(const dm_ranked *rows, size_t n, size_t i, size_t *positives) {
  size_t end = i;
  for (; end < n && rows[end].score == rows[i].score; end++) *positives += rows[end].positive;
  return end;
}

double dm_rank_auc(dm_ranked *rows, size_t n) {
  qsort(rows, n, sizeof *rows, by_falling_score);
  uint64_t halves = 0, above = 0;
  for (size_t i = 0; i < n;) {
    size_t positives = 0, end = next_step(rows, n, i, &positives);
    halves += (uint64_t)(end - i - positives) * (2 * above + positives);
    above += positives;
    i = end;
  }
  uint64_t below = n - above;
  return above && below ? (double)halves / 2 / ((double)above * (double)below) : (double)NAN;
}

size_t dm_roc(dm_ctx *ctx, size_t n, const double *truth, const double *score, size_t stride, double positive, double *fpr, double *tpr,
              double *threshold, double *auc, dm_error *err) {
  dm_ranked *rows = dm_alloc(ctx, n, sizeof *rows, "ROC", err);
  if (!rows) return 0;
  size_t used = 0, n_positive = 0, points = 0;
  for (size_t i = 0; i < n; i++) {
    if (isnan(truth[i])) continue;
    rows[used] = (dm_ranked){score[i * stride], truth[i] == positive};
    n_positive += rows[used++].positive;
  }
  double area = dm_rank_auc(rows, used);
  if (n_positive && n_positive < used) {
    fpr[0] = tpr[0] = 0;
    threshold[points++] = (double)INFINITY;
    size_t above = 0;
    for (size_t i = 0; i < used;) {
      size_t end = next_step(rows, used, i, &above);
      tpr[points] = (double)above / (double)n_positive;
      fpr[points] = (double)(end - above) / (double)(used - n_positive);
      threshold[points++] = rows[i].score;
      i = end;
    }
    if (auc) *auc = area;
  }
  dm_free(ctx, rows);
  return points;
}
