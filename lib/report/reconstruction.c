/*
 * Errors of reconstruction made small: a histogram whose edges meet the
 * threshold, so that bars lie on one side of it, and the largest errors with
 * the columns that add most to them.
 */
#include "report/reconstruction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BINS    24   /* about: the threshold decides */
#define SKEWED  8.0  /* largest error over the median from which bins are logarithmic */
#define DRAWN   1e299 /* larger ones are binned as this */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* ---- histogram ------------------------------------------------------------------ */

/* Ends of the bins: of skewed errors on a scale of logarithms, where what is far below the median joins the first bin. */
static void choose_range(size_t n, const double *sorted, double threshold, bool *log_scale, double *lo, double *hi) {
  double median = sorted[n / 2], most = fmin(sorted[n - 1], DRAWN);
  *log_scale = median > 0 && most >= SKEWED * median;
  *hi = most;
  if (*log_scale) {
    size_t first = 0;
    while (!(sorted[first] >= median * 1e-3)) first++;
    *lo = sorted[first];
    if (threshold > 0 && threshold < DRAWN && threshold > *lo / 100 && threshold < *hi * 100) {
      *lo = fmin(*lo, threshold);
      *hi = fmax(*hi, threshold);
    }
    return;
  }
  *lo = sorted[0] < 0.3 * most ? 0 : fmin(sorted[0], DRAWN);
  if (threshold >= *lo && threshold < fmin(*hi * 3, DRAWN)) *hi = fmax(*hi, threshold);
  if (*hi - *lo > 1e-9 * *hi) return;
  *lo = most / 2; /* all equal */
  *hi = most > 0 ? most * 1.5 : 1;
}

/* Equal bins from lo to at least hi, as wide as brings the threshold onto an edge. @return their number. */
static size_t choose_edges(double lo, double hi, double threshold, bool log_scale, double edges[DM_RECONSTRUCTION_BINS + 1]) {
  double from = log_scale ? log(lo) : lo, to = log_scale ? log(hi) : hi, width = (to - from) / BINS, below = 0;
  double at = log_scale ? log(threshold) : threshold;
  if (at > from && at <= to) below = round((at - from) / width);
  if (below > 0) width = (at - from) / below;
  size_t n = (size_t)ceil((to - from) / width - 1e-9);
  if (n > DM_RECONSTRUCTION_BINS) n = DM_RECONSTRUCTION_BINS;
  for (size_t i = 0; i <= n; i++) {
    double edge = from + (double)i * width;
    edges[i] = log_scale ? exp(edge) : edge;
  }
  edges[0] = lo;
  if (below > 0) edges[(size_t)below] = threshold;
  edges[n] = fmax(edges[n], hi);
  return n;
}

static dm_status bin_errors(dm_arena *arena, size_t n, const double *sorted, dm_report_reconstruction *out, dm_error *err) {
  double lo, hi;
  choose_range(n, sorted, out->threshold, &out->log, &lo, &hi);
  double *edges = dm_arena_alloc(arena, DM_RECONSTRUCTION_BINS + 1, sizeof *edges, err);
  uint64_t *counts = dm_arena_alloc(arena, DM_RECONSTRUCTION_BINS, sizeof *counts, err);
  if (!edges || !counts) return DM_EBUDGET;
  out->n_bins = choose_edges(lo, hi, out->threshold, out->log, edges);
  size_t bin = 0;
  for (size_t i = 0; i < n; i++) {
    while (bin + 1 < out->n_bins && sorted[i] > edges[bin + 1]) bin++;
    counts[bin]++;
    out->below += sorted[i] < edges[0] ? 1 : 0;
    out->above += sorted[i] > out->threshold ? 1 : 0;
  }
  out->edges = edges;
  out->counts = counts;
  return DM_OK;
}

/* ---- largest errors -------------------------------------------------------------- */

/* Places of the largest errors, falling; of equal ones the first. */
static size_t find_largest(const dm_report_codes *codes, size_t largest[DM_REPORT_LARGEST]) {
  size_t n = 0;
  for (size_t i = 0; i < codes->n; i++) {
    if (!isfinite(codes->error[i])) continue;
    size_t at = n < DM_REPORT_LARGEST ? n++ : DM_REPORT_LARGEST;
    for (; at > 0 && codes->error[largest[at - 1]] < codes->error[i]; at--)
      if (at < DM_REPORT_LARGEST) largest[at] = largest[at - 1];
    if (at < DM_REPORT_LARGEST) largest[at] = i;
  }
  return n;
}

/* The columns that add most to one error, as shares of it. */
static void choose_parts(size_t d, const double *parts, int64_t columns[DM_REPORT_PARTS], double shares[DM_REPORT_PARTS]) {
  double sum = 0;
  for (size_t c = 0; c < d; c++) sum += parts[c] > 0 ? parts[c] : 0;
  for (size_t k = 0; k < DM_REPORT_PARTS; k++) {
    size_t best = d;
    for (size_t c = 0; c < d; c++) {
      bool taken = false;
      for (size_t q = 0; q < k; q++) taken = taken || columns[q] == (int64_t)c;
      if (!taken && parts[c] > 0 && (best == d || parts[c] > parts[best])) best = c;
    }
    bool found = best < d && isfinite(sum);
    columns[k] = found ? (int64_t)best : -1;
    shares[k] = found ? parts[best] / sum : (double)NAN;
  }
}

static dm_status list_largest(dm_arena *arena, const dm_report_codes *codes, dm_report_reconstruction *out, dm_error *err) {
  size_t largest[DM_REPORT_LARGEST];
  size_t n = find_largest(codes, largest);
  int64_t *ids = dm_arena_alloc(arena, n, sizeof *ids, err), *columns = dm_arena_alloc(arena, n * DM_REPORT_PARTS, sizeof *columns, err);
  double *errors = dm_arena_alloc(arena, n, sizeof *errors, err), *shares = dm_arena_alloc(arena, n * DM_REPORT_PARTS, sizeof *shares, err);
  double *parts = dm_arena_alloc(arena, codes->d + 1, sizeof *parts, err);
  if (!ids || !columns || !errors || !shares || !parts) return DM_EBUDGET;
  dm_status s = DM_OK;
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    ids[i] = codes->ids ? codes->ids[largest[i]] : (int64_t)largest[i] + 1;
    errors[i] = codes->error[largest[i]];
    size_t d = codes->parts ? codes->d : 0;
    if (d) s = codes->parts(codes->user, largest[i], parts, err);
    choose_parts(d, parts, columns + i * DM_REPORT_PARTS, shares + i * DM_REPORT_PARTS);
  }
  out->n_largest = n;
  out->ids = ids;
  out->errors = errors;
  out->columns = columns;
  out->parts = shares;
  return s;
}

dm_status dm_report_reconstruction_compute(dm_arena *arena, dm_ctx *ctx, const dm_report_codes *codes, dm_report_reconstruction *out,
                                           dm_error *err) {
  *out = (dm_report_reconstruction){.threshold = isfinite(codes->threshold) ? codes->threshold : (double)NAN};
  if (!codes->error || codes->n == 0) return DM_OK;
  double *sorted = dm_alloc(ctx, codes->n, sizeof *sorted, "errors of reconstruction", err);
  if (!sorted) return DM_EBUDGET;
  for (size_t i = 0; i < codes->n; i++)
    if (isfinite(codes->error[i])) sorted[out->n++] = fmax(codes->error[i], 0);
  dm_status s = DM_OK;
  if (out->n) {
    qsort(sorted, out->n, sizeof *sorted, by_value);
    s = bin_errors(arena, out->n, sorted, out, err);
    if (s == DM_OK) s = list_largest(arena, codes, out, err);
  }
  dm_free(ctx, sorted);
  return s;
}
