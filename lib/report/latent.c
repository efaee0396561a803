/* Codes of a sample of rows on their first two principal components, grouped by class or by the size of the error. */
#include "report/reconstruction.h"

#include <dm/matrix.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 256     /* codes wider than this: */
#define WIDE_ROWS 500 /* fewer rows, so that the eigenproblem stays small */

/* ---- sample ----------------------------------------------------------------------- */

static int by_place(const void *a, const void *b) {
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return x < y ? -1 : x > y;
}

static bool can_be_drawn(const dm_report_codes *codes, size_t i) {
  return (!codes->error || isfinite(codes->error[i])) && (!codes->label || !isnan(codes->label[i]));
}

/* Rows without repetition, each as likely as any other, in their order. @param rows capacity codes->n. @return their number. */
static size_t draw_rows(const dm_report_codes *codes, uint64_t seed, uint64_t *of, size_t *rows) {
  size_t n = 0, most = codes->m > WIDE ? WIDE_ROWS : DM_REPORT_MAP_ROWS;
  for (size_t i = 0; i < codes->n; i++)
    if (can_be_drawn(codes, i)) rows[n++] = i;
  *of = n;
  if (n <= most) return n;
  dm_rng rng;
  dm_rng_init(&rng, seed, DM_STREAM_SAMPLE);
  for (size_t i = 0; i < most; i++) {
    size_t other = i + (size_t)dm_rng_below(&rng, n - i), row = rows[other];
    rows[other] = rows[i];
    rows[i] = row;
  }
  qsort(rows, most, sizeof *rows, by_place);
  return most;
}

/* Codes of those rows in double; rows whose code is not finite are left out. */
static dm_status read_codes(dm_ctx *ctx, const dm_report_codes *codes, size_t *rows, size_t *n, double *out, dm_error *err) {
  float *code = dm_alloc(ctx, *n, codes->m * sizeof *code, "codes", err);
  if (!code) return DM_EBUDGET;
  dm_status s = codes->codes(codes->user, rows, *n, code, err);
  size_t kept = 0;
  for (size_t i = 0; i < *n && s == DM_OK; i++) {
    bool finite = true;
    for (size_t c = 0; c < codes->m; c++) {
      out[kept * codes->m + c] = (double)code[i * codes->m + c];
      finite = finite && isfinite(code[i * codes->m + c]);
    }
    if (finite) rows[kept++] = rows[i];
  }
  *n = kept;
  dm_free(ctx, code);
  return s;
}

static dm_status project(dm_arena *arena, dm_ctx *ctx, size_t n, size_t m, const double *x, dm_report_latent *out, dm_error *err) {
  double *xy = dm_arena_alloc(arena, n, 2 * sizeof *xy, err), *share = dm_arena_alloc(arena, 2, sizeof *share, err);
  double *projected = dm_arena_alloc(arena, n, 2 * sizeof *projected, err);
  if (!xy || !share || !projected) return DM_EBUDGET;
  dm_pca pca;
  size_t k = m < 2 ? m : 2;
  dm_status s = dm_pca_fit(ctx, n, m, x, k, &pca, err);
  if (s != DM_OK) return s;
  dm_pca_project(&pca, n, x, projected);
  for (size_t c = 0; c < k; c++) {
    share[c] = fmin(pca.share[c], 1);
    for (size_t i = 0; i < n; i++) xy[2 * i + c] = projected[i * k + c];
  }
  dm_pca_clear(&pca);
  out->n = n;
  out->xy = xy;
  out->share = share;
  return DM_OK;
}

/* ---- groups ------------------------------------------------------------------------ */

/* The most frequent classes of the sample, by code; those beyond the limit are one group with code -1. */
static dm_status group_by_class(dm_arena *arena, const dm_report_codes *codes, const size_t *rows, dm_report_latent *out, dm_error *err) {
  size_t k = codes->n_labels, *place = dm_arena_alloc(arena, k, sizeof *place, err);
  uint64_t *counts = dm_arena_alloc(arena, k, sizeof *counts, err);
  int64_t *group = dm_arena_alloc(arena, out->n, sizeof *group, err);
  int64_t *groups = dm_arena_alloc(arena, DM_REPORT_MAP_GROUPS + 1, sizeof *groups, err);
  if (!place || !counts || !group || !groups) return DM_EBUDGET;
  for (size_t i = 0; i < out->n; i++) {
    double label = codes->label[rows[i]];
    if (!(label >= 0 && label < (double)k))
      return dm_fail(err, DM_EINTERNAL, "report: row %zu has class %g, want a code below %zu", rows[i], label, k);
    counts[(size_t)label]++;
  }
  size_t present = 0, kept, n = 0;
  for (size_t c = 0; c < k; c++) present += counts[c] > 0 ? 1 : 0;
  kept = present < DM_REPORT_MAP_GROUPS ? present : DM_REPORT_MAP_GROUPS;
  for (size_t i = 0; i < kept; i++) {
    size_t best = SIZE_MAX;
    for (size_t c = 0; c < k; c++)
      if (!place[c] && counts[c] && (best == SIZE_MAX || counts[c] > counts[best])) best = c;
    place[best] = 1;
  }
  for (size_t c = 0; c < k; c++)
    if (place[c]) {
      groups[n] = (int64_t)c;
      place[c] = n++;
    } else {
      place[c] = kept;
    }
  if (present > kept) groups[n++] = -1;
  for (size_t i = 0; i < out->n; i++) group[i] = (int64_t)place[(size_t)codes->label[rows[i]]];
  out->by_class = true;
  out->group = group;
  out->groups = groups;
  out->n_groups = n;
  return DM_OK;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* By the quantiles of all rows' errors, not of the sample's alone. */
static dm_status group_by_error(dm_arena *arena, dm_ctx *ctx, const dm_report_codes *codes, const size_t *rows, dm_report_latent *out,
                                dm_error *err) {
  static const double quantiles[] = {0.5, 0.75, 0.9, 0.99};
  int64_t *group = dm_arena_alloc(arena, out->n, sizeof *group, err);
  double *cuts = dm_arena_alloc(arena, 4, sizeof *cuts, err);
  if (!group || !cuts) return DM_EBUDGET;
  out->group = group;
  out->cuts = cuts;
  out->n_groups = 1;
  if (!codes->error) return DM_OK;
  double *sorted = dm_alloc(ctx, codes->n, sizeof *sorted, "errors of reconstruction", err);
  if (!sorted) return DM_EBUDGET;
  size_t n = 0;
  for (size_t i = 0; i < codes->n; i++)
    if (isfinite(codes->error[i])) sorted[n++] = codes->error[i];
  qsort(sorted, n, sizeof *sorted, by_value);
  for (size_t q = 0; q < 4; q++) {
    double cut = sorted[(size_t)(quantiles[q] * (double)(n - 1))];
    if (cut < sorted[n - 1] && (out->n_groups == 1 || cut > cuts[out->n_groups - 2])) cuts[out->n_groups++ - 1] = cut;
  }
  dm_free(ctx, sorted);
  for (size_t i = 0; i < out->n; i++)
    for (size_t q = 0; q + 1 < out->n_groups; q++) group[i] += codes->error[rows[i]] > cuts[q] ? 1 : 0;
  return DM_OK;
}

dm_status dm_report_latent_compute(dm_arena *arena, dm_ctx *ctx, const dm_report_codes *codes, uint64_t seed, dm_report_latent *out,
                                   dm_error *err) {
  *out = (dm_report_latent){.m = codes->m};
  if (codes->m == 0 || codes->n == 0 || !codes->codes) return DM_OK;
  size_t *rows = dm_alloc(ctx, codes->n, sizeof *rows, "sample", err);
  if (!rows) return DM_EBUDGET;
  size_t n = draw_rows(codes, seed, &out->of, rows);
  double *x = n ? dm_alloc(ctx, n, codes->m * sizeof *x, "codes", err) : NULL;
  dm_status s = n && !x ? DM_EBUDGET : DM_OK;
  if (s == DM_OK && n) s = read_codes(ctx, codes, rows, &n, x, err);
  if (s == DM_OK && n) s = project(arena, ctx, n, codes->m, x, out, err);
  if (s == DM_OK && n)
    s = codes->label ? group_by_class(arena, codes, rows, out, err) : group_by_error(arena, ctx, codes, rows, out, err);
  dm_free(ctx, x);
  dm_free(ctx, rows);
  return s;
}
