/**
 * matrix: the numeric blocks that every method shares: dense float32 rows,
 * sparse rows, the bit matrix of the pattern miners, the binned matrix of the
 * trees; and the guard around the CBLAS that is linked.
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
 * Sparse 0/1 rows (n, d), compressed: row i has ones in the columns
 * index[start[i]] … index[start[i + 1] - 1], ascending, each once.
 *
 *   row 0  . 1 . 1      start  0 2 2 5
 *   row 1  . . . .      index  1 3 | | 0 1 2
 *   row 2  1 1 1 .
 */
typedef struct dm_csr {
  size_t n, d;
  size_t *start;   /* [n + 1], owned */
  uint32_t *index; /* [start[n]], owned */
} dm_csr;
/** Room for n rows with `ones` ones together; all rows empty. */
DM_API dm_status dm_csr_new(dm_ctx *ctx, size_t n, size_t d, size_t ones, dm_csr *out, dm_error *err);
DM_API void dm_csr_clear(dm_ctx *ctx, dm_csr *m);

/**
 * Bit matrix, column by column: bit r % 64 of word column * stride + r / 64 is
 * row r. Columns are padded to `stride` words (a multiple of 8: 64 bytes), and
 * padding is zero.
 */
typedef struct dm_bits {
  size_t n, d, stride; /* rows, columns, words of a column */
  uint64_t *x;         /* owned */
} dm_bits;
/** All zero. */
DM_API dm_status dm_bits_new(dm_ctx *ctx, size_t n, size_t d, dm_bits *out, dm_error *err);
/** Columns first … first + d - 1 of a sparse matrix. Cost: O(ones). */
DM_API dm_status dm_bits_from_csr(dm_ctx *ctx, const dm_csr *m, size_t first, size_t d, dm_bits *out, dm_error *err);
DM_API void dm_bits_clear(dm_ctx *ctx, dm_bits *m);

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

/**
 * Principal components: orthogonal directions along which the rows vary most.
 *   C = sum over rows of (x - mean)' (x - mean) / (n - 1),   C v = variance v
 * Beyond the rank of the rows (constant columns, n <= d) components are zero
 * with variance 0. The first entry of a component that is as large as its
 * largest, but for 1e-6 of it, is positive.
 */
typedef struct dm_pca {
  size_t d, k;
  double *mean;       /* [d] */
  double *components; /* [k, d] unit rows, by falling variance */
  double *variance;   /* [k] along each component, divisor n - 1 */
  double *share;      /* [k] of the variance of all d columns; 0 when there is none */
  dm_arena *memory;   /* holds them */
} dm_pca;

/**
 * Columns are centred, never scaled; all in double. The eigenproblem has the
 * smaller of n and d as its size (the Gram matrix of the rows when n < d).
 * @param x [n, d] row-major, |x| < 1e150. @param k components, 1 … d.
 * @return DM_EINPUT: no rows, NaN, infinity or a number too large (row and column are named); DM_EUSAGE: k; DM_EBUDGET.
 * Cost: O(n d min(n, d) + min(n, d)^3), min(n, d)^2 + n d doubles. Same bits for any thread count.
 * Source: Jolliffe, Principal Component Analysis, 2002, ch. 1-3; eigenvectors by GSL (Golub & Van Loan, alg. 8.3.3).
 */
DM_API dm_status dm_pca_fit(dm_ctx *ctx, size_t n, size_t d, const double *x, size_t k, dm_pca *out, dm_error *err);
/** Coordinates along the components. @param x [n, d]; @param out [n, k], may not overlap x. */
DM_API void dm_pca_project(const dm_pca *pca, size_t n, const double *x, double *out);
DM_API void dm_pca_clear(dm_pca *pca);

/** Which library cblas_sgemm came from, by dladdr: path of the shared object (static storage). */
DM_API const char *dm_blas_library(void);
/** True when that library is the one libdm was linked for (not libgslcblas). */
DM_API bool dm_blas_is_fast(void);
/**
 * Ends the threads that OpenBLAS started when it was loaded: they look for work for some 20 ms, and we give them none. Does nothing
 * where OpenBLAS was loaded before the object that holds this function: then a host may be using it. For the first thing that a
 * program or a plug-in does, once.
 */
DM_API void dm_blas_stop_threads(void);

#ifdef __cplusplus
}
#endif
#endif
