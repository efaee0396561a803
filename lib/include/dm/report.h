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

/* ---- encodings: errors of reconstruction, and where the codes lie -------------- */

/**
 * Rows that an encoding model, or a net with a last hidden layer, has seen; all
 * borrowed. Parts and codes are asked for only of the few rows that are kept.
 */
typedef struct dm_report_codes {
  size_t n;
  const double *error;  /* [n] of reconstruction, >= 0; NaN: the row is left out */
  double threshold;     /* errors above it are unusual; NaN = none */
  const int64_t *ids;   /* [n] dm_id, NULL: 1 … n */
  size_t d;             /* columns that an error has parts of */
  size_t m;             /* width of a code */
  const double *label;  /* [n] class codes to colour the map by, NaN = unknown; NULL: by error */
  size_t n_labels;
  void *user;
  /** @param out [d] what each column adds to the error of row i, NaN = missing */
  dm_status (*parts)(void *user, size_t i, double *out, dm_error *err);
  /** @param rows [n] places among the rows above; @param out [n, m] */
  dm_status (*codes)(void *user, const size_t *rows, size_t n, float *out, dm_error *err);
} dm_report_codes;

#define DM_REPORT_LARGEST 10
#define DM_REPORT_PARTS 3
/**
 * Errors of reconstruction as the report draws them. Kept in dm_tensor under names that the model's hash leaves out:
 *   eval/<split>/reconstruction/rows i64[4] (rows, rows above the threshold, rows below the first edge, 1 = logarithmic bins)
 *   …/threshold f64[1] (NaN none)   …/edges f64[b + 1], …/counts i64[b]
 *   …/ids i64[l], …/errors f64[l], …/columns i64[l, 3] (-1 none), …/parts f64[l, 3]: the largest errors, l ≤ 10, and the columns that add most
 */
typedef struct dm_report_reconstruction {
  uint64_t n, above, below; /* below the first edge: counted in the first bin */
  bool log;
  double threshold;
  size_t n_bins;
  const double *edges;    /* [n_bins + 1], bin i holds edges[i] < error <= edges[i + 1]; the threshold is one of them unless it lies outside, or next to an end */
  const uint64_t *counts; /* [n_bins] */
  size_t n_largest;
  const int64_t *ids;     /* [n_largest] */
  const double *errors;   /* [n_largest] falling */
  const int64_t *columns; /* [n_largest, DM_REPORT_PARTS] */
  const double *parts;    /* [n_largest, DM_REPORT_PARTS] share of the row's error, NaN where there is no column */
} dm_report_reconstruction;

/** Computes and writes (anew) what is drawn of the errors; part of the open transaction. Nothing is left when no row has an error. */
DM_API dm_status dm_report_reconstruction_save(dm_store *store, int64_t model_id, const char *split, const dm_report_codes *codes,
                                               dm_error *err);
/** @param found,split and errors as for evaluations. */
DM_API dm_status dm_report_reconstruction_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena,
                                               dm_report_reconstruction *out, bool *found, dm_error *err);

#define DM_REPORT_MAP_ROWS 2000
#define DM_REPORT_MAP_GROUPS 10
/**
 * Codes of a sample of the rows, drawn with DM_STREAM_SAMPLE, on their first two principal components:
 *   eval/<split>/latent/rows i64[3] (rows there were, width of a code, 1 = groups are classes)   …/xy f64[p, 2]   …/share f64[2]
 *   …/group i64[p]   …/groups i64[g] (class code, -1 the others), or …/cuts f64[g - 1] (errors between groups, rising)
 */
typedef struct dm_report_latent {
  uint64_t of;           /* rows that the sample was drawn from */
  size_t m;              /* width of a code */
  size_t n;              /* points */
  const double *xy;      /* [n, 2] */
  const double *share;   /* [2] of the variance of the sample's codes */
  const int64_t *group;  /* [n] 0 … n_groups-1 */
  bool by_class;
  size_t n_groups;
  const int64_t *groups; /* [n_groups] of classes */
  const double *cuts;    /* [n_groups - 1] of errors: medians and 75, 90, 99 % of all rows, equal ones once */
} dm_report_latent;

/** As above, for the map. Nothing is left when m is 0, or no row has a code. @param seed of the sample. */
DM_API dm_status dm_report_latent_save(dm_store *store, int64_t model_id, const char *split, const dm_report_codes *codes, uint64_t seed,
                                       dm_error *err);
DM_API dm_status dm_report_latent_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena, dm_report_latent *out,
                                       bool *found, dm_error *err);

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
