/**
 * report: charts as SVG and the one-page report. No network, no fonts, no
 * scripts fetched; presentation attributes only, so that librsvg draws the same.
 */
#ifndef DM_REPORT_H
#define DM_REPORT_H

#include <dm/clean.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- evaluation of a part, kept with the model -------------------------------- */

/**
 * What the report draws of a model's held-out rows, small whatever their
 * number. Kept in dm_tensor under names that the model's hash leaves out:
 *   eval/<split>/rows i64[1]
 *   classification, k = min(classes, 30) most frequent true classes, and one more for all others together:
 *     …/classes i64[k] (code; -1 = the others)   …/confusion i64[k, k] (row = truth)
 *     …/auc f64[k] (NaN undefined)               …/roc/<i> f64[p, 2] (fpr, tpr; p ≤ 202)
 *   regression:
 *     …/edges f64[b + 1], …/residuals i64[b] (predicted - true)   …/range f64[2], …/scatter i64[g, g] (row = predicted)
 */
typedef struct dm_report_roc {
  double auc; /* NaN: undefined, n is 0 */
  size_t n;
  const double *fpr, *tpr;
} dm_report_roc;

typedef struct dm_report_evaluation {
  uint64_t n;                /* rows with a known truth */
  size_t k;                  /* classes; 0 = regression */
  const int64_t *classes;    /* [k] */
  const uint64_t *confusion; /* [k, k] */
  const dm_report_roc *roc;  /* [k] */
  size_t n_bins, grid;
  const double *edges;       /* [n_bins + 1] */
  const uint64_t *residuals; /* [n_bins] */
  double lo, hi;             /* of the grid, both ways */
  const uint64_t *scatter;   /* [grid, grid] */
} dm_report_evaluation;

/**
 * Computes and writes (anew) the evaluation of one split; part of the open
 * transaction. Does nothing when no row has a truth.
 * @param split "test" (1–32 letters, digits, '-', '_').
 * @param truth,value [n] codes or values as for dm_metrics; @param proba [n, k] or NULL (no ROC).
 */
DM_API dm_status dm_report_evaluation_save(dm_store *store, int64_t model_id, const char *split, size_t n, size_t k, const double *truth,
                                           const double *value, const double *proba, dm_error *err);
/** @param found false when the model has none for this split. @return DM_EINPUT when what is stored cannot be. */
DM_API dm_status dm_report_evaluation_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena,
                                           dm_report_evaluation *out, bool *found, dm_error *err);

/* ---- the page -------------------------------------------------------------------- */

/** One-page HTML: sources and rejects, profiles of the tables, cleaning runs, models. Reads a snapshot. */
typedef struct dm_report_options {
  const char *title;               /* NULL: the database's file name */
  const char *const *tables;       /* NULL = all user tables */
  size_t n_tables;
  const char *target;              /* profile target, NULL = the active models' */
  bool profiles_only;              /* dm-clean profile --report */
} dm_report_options;
DM_API dm_status dm_report_html(dm_store *store, const dm_report_options *options, dm_buf *out, dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
