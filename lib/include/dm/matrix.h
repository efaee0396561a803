/**
 * matrix: the numeric blocks that every method shares. This version brings
 * dense float32 rows and the binned matrix of the trees, and the guard around
 * the CBLAS that is linked.
 */
#ifndef DM_MATRIX_H
#define DM_MATRIX_H

#include <dm/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Dense float32 (n, d), row-major, rows padded to `stride` floats (a multiple of 16), padding zero. */
typedef struct dm_dense {
  size_t n, d, stride;
  float *x; /* owned */
} dm_dense;

DM_API dm_status dm_dense_new(dm_ctx *ctx, size_t n, size_t d, dm_dense *out, dm_error *err);
DM_API void dm_dense_clear(dm_ctx *ctx, dm_dense *m);

/**
 * One column of the binned matrix. Numeric: cut[0..n_cuts) ascending, bin of
 * v is the number of cuts c with v > c... that is, bin b holds
 * cut[b-1] < v ≤ cut[b]. Category: bin = level code. Bin n_bins is "missing".
 *
 *   value[]  12.5  3.0   NaN  7.1            cuts  5.0  9.8
 *   bin      2     0     3    1              n_bins 3, missing = 3
 */
typedef struct dm_bin_column {
  bool category;
  uint8_t width;      /* bytes of a bin: 1, 2 or 4 */
  bool has_missing;
  bool exact;         /* one bin for each distinct value: cuts lose nothing */
  size_t n_bins;      /* without the missing bin */
  const void *bins;   /* [n] of `width` bytes */
  const double *cuts; /* [n_bins - 1] midpoints between neighbouring values; NULL for categories */
} dm_bin_column;

/** Binned matrix (n, d), column-major, cut in double. */
typedef struct dm_binned {
  size_t n, d;
  dm_bin_column *columns;
  dm_arena *memory; /* holds columns, bins and cuts */
} dm_binned;

/**
 * Cuts n values into bins. Where a column has at most max_bins distinct values
 * (0 = no limit: exact), every distinct value gets its own bin and the cut is
 * the midpoint of neighbours (rounded so that low < cut ≤ ... stays true: the
 * cut is ≥ low and < high); else bins hold about equal counts.
 * @param values [d] pointers to n doubles, NaN = missing; for categories codes 0…levels-1, negative or NaN = missing.
 * @param levels [d] 0 = numeric, else number of levels.
 * Cost: O(n log n) for a numeric column. Threads over columns; same bits for any count.
 */
DM_API dm_status dm_binned_new(dm_ctx *ctx, size_t n, size_t d, const double *const *values, const size_t *levels,
                               size_t max_bins, dm_binned *out, dm_error *err);
DM_API void dm_binned_clear(dm_binned *m);

/** Which library cblas_sgemm came from, by dladdr: path of the shared object (static storage). */
DM_API const char *dm_blas_library(void);
/** True when that library is the one libdm was linked for (not libgslcblas). */
DM_API bool dm_blas_is_fast(void);

#ifdef __cplusplus
}
#endif
#endif
