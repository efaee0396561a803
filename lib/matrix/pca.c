/*
 * Principal components by the eigenvectors of the smaller product:
 *
 *   n >= d:  C = Xc' Xc [d, d]    C v = l v            v is the component
 *   n <  d:  G = Xc Xc' [n, n]    G u = l u            v = Xc' u / sqrt(l)
 *
 * Both are products of m vectors with each other: m columns of length n, or m
 * rows of length d. An entry is one sum in fixed chunks, whichever thread has
 * it. Before, Xc is divided by a power of two, so that squares neither
 * overflow nor vanish.
 */
#include "matrix/blas.h"

#include <dm/matrix.h>

#include <float.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

enum { CHUNK = 512, LANES = 8 };

typedef struct job {
  dm_ctx *ctx;
  size_t n, d, m, length; /* m vectors of that length */
  bool gram;
  int exponent;           /* vectors are Xc / 2^exponent */
  double *vectors;        /* [m, length] */
  double *product;        /* [m, m], destroyed by the solver */
  double *values;         /* [m] by falling size */
  double *eigenvectors;   /* [m, m] in columns */
  double total;           /* trace of the product */
} job;

static dm_status check_values(size_t n, size_t d, const double *x, dm_error *err) {
  for (size_t i = 0; i < n * d; i++)
    if (!(fabs(x[i]) < 1e150))
      return dm_fail(err, DM_EINPUT, "pca: row %zu, column %zu is %g, want a number below 1e150", i / d, i % d, x[i]);
  return DM_OK;
}

/* Two passes: the second takes away what rounding left in the first. */
static void column_means(const job *j, const double *x, double *mean) {
  memset(mean, 0, j->d * sizeof *mean);
  for (int pass = 0; pass < 2; pass++)
    for (size_t c = 0; c < j->d; c++) {
      double sum = 0;
      for (size_t from = 0; from < j->n; from += CHUNK) {
        double part = 0;
        for (size_t i = from; i < j->n && i < from + CHUNK; i++) part += x[i * j->d + c] - mean[c];
        sum += part;
      }
      mean[c] += sum / (double)j->n;
    }
}

/* Centred numbers as m vectors, scaled so that the largest lies between 0.5 and 1. */
static void centre(job *j, const double *x, const double *mean) {
  double largest = 0;
  for (size_t i = 0; i < j->n; i++)
    for (size_t c = 0; c < j->d; c++) {
      double v = x[i * j->d + c] - mean[c];
      /* a column of equal numbers is constant, whatever its mean was rounded to */
      if (fabs(v) <= DBL_EPSILON * fabs(mean[c])) v = 0;
      j->vectors[j->gram ? i * j->d + c : c * j->n + i] = v;
      largest = fmax(largest, fabs(v));
    }
  (void)frexp(largest, &j->exponent);
  for (size_t i = 0; i < j->n * j->d; i++) j->vectors[i] = ldexp(j->vectors[i], -j->exponent);
}

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t from = 0; from < n; from += CHUNK) {
    size_t to = n - from < CHUNK ? n : from + CHUNK, i = from;
    double lane[LANES] = {0};
    for (; i + LANES <= to; i += LANES)
      for (size_t l = 0; l < LANES; l++) lane[l] += a[i + l] * b[i + l];
    for (size_t l = 0; i < to; i++, l++) lane[l] += a[i] * b[i];
    sum += ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
  }
  return sum;
}

static void multiply(job *j) {
  size_t threads = dm_ctx_threads(j->ctx);
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1 && j->m > 32)
  for (size_t row = 0; row < j->m; row++)
    for (size_t column = 0; column <= row; column++) {
      double v = dot(j->vectors + row * j->length, j->vectors + column * j->length, j->length);
      j->product[row * j->m + column] = v;
      j->product[column * j->m + row] = v;
    }
  for (size_t i = 0; i < j->m; i++) j->total += j->product[i * j->m + i];
}

/* GSL's handler would end the process: off while it works, and BLAS on one thread, so that the bits do not hang on the machine. */
static dm_status solve(job *j, dm_error *err) {
  gsl_matrix_view product = gsl_matrix_view_array(j->product, j->m, j->m);
  gsl_matrix_view vectors = gsl_matrix_view_array(j->eigenvectors, j->m, j->m);
  gsl_vector_view values = gsl_vector_view_array(j->values, j->m);
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  int threads = dm_blas_one_thread();
  dm_status s = DM_OK;
  gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(j->m);
  if (!work) {
    s = dm_fail(err, DM_EBUDGET, "pca: no memory left for the eigenvectors of a %zu x %zu matrix", j->m, j->m);
  } else {
    int code = gsl_eigen_symmv(&product.matrix, &values.vector, &vectors.matrix, work);
    if (code == GSL_SUCCESS) code = gsl_eigen_symmv_sort(&values.vector, &vectors.matrix, GSL_EIGEN_SORT_VAL_DESC);
    if (code != GSL_SUCCESS) s = dm_fail(err, DM_EINTERNAL, "pca: the eigenvectors were not found: %s", gsl_strerror(code));
    gsl_eigen_symmv_free(work);
  }
  dm_blas_restore(threads);
  gsl_set_error_handler(handler);
  return s;
}

/* Of v and -v one is taken by a rule that a last bit cannot turn: near ties go to the first entry. */
static void fix_sign(double *v, size_t d) {
  double largest = 0;
  for (size_t c = 0; c < d; c++) largest = fmax(largest, fabs(v[c]));
  for (size_t c = 0; c < d; c++) {
    if (fabs(v[c]) < (1 - 1e-6) * largest) continue;
    if (v[c] < 0)
      for (size_t i = 0; i < d; i++) v[i] = -v[i];
    return;
  }
}

/* Component i out of eigenvector i, of unit length. */
static void write_component(const job *j, size_t i, double *v) {
  double length = 0;
  for (size_t c = 0; c < j->d; c++) v[c] = j->gram ? 0 : j->eigenvectors[c * j->m + i];
  for (size_t r = 0; r < j->n && j->gram; r++)
    for (size_t c = 0; c < j->d; c++) v[c] += j->eigenvectors[r * j->m + i] * j->vectors[r * j->d + c];
  for (size_t c = 0; c < j->d; c++) length += v[c] * v[c];
  for (size_t c = 0; c < j->d; c++) v[c] /= sqrt(length);
  fix_sign(v, j->d);
}

static dm_status allocate(job *j, size_t k, dm_pca *out, dm_error *err) {
  size_t cells, square;
  if (!dm_size_mul(j->n, j->d, &cells) || !dm_size_mul(j->m, j->m, &square))
    return dm_fail(err, DM_EBUDGET, "pca: %zu x %zu numbers are more than memory can hold", j->n, j->d);
  dm_status s = dm_arena_new(j->ctx, 0, &out->memory, err);
  if (s != DM_OK) return s;
  out->mean = dm_arena_alloc(out->memory, j->d, sizeof(double), err);
  out->variance = dm_arena_alloc(out->memory, k, sizeof(double), err);
  out->share = dm_arena_alloc(out->memory, k, sizeof(double), err);
  if (!out->mean || !out->variance || !out->share) return DM_EBUDGET;
  out->components = dm_arena_alloc(out->memory, k, j->d * sizeof(double), err);
  if (out->components) j->vectors = dm_alloc(j->ctx, cells, sizeof(double), "pca: centred rows", err);
  if (j->vectors) j->product = dm_alloc(j->ctx, square, sizeof(double), "pca: product", err);
  if (j->product) j->eigenvectors = dm_alloc(j->ctx, square, sizeof(double), "pca: eigenvectors", err);
  if (j->eigenvectors) j->values = dm_alloc(j->ctx, j->m, sizeof(double), "pca: eigenvalues", err);
  return j->values ? DM_OK : DM_EBUDGET;
}

dm_status dm_pca_fit(dm_ctx *ctx, size_t n, size_t d, const double *x, size_t k, dm_pca *out, dm_error *err) {
  if (n == 0 || d == 0) return dm_fail(err, DM_EINPUT, "pca: %zu rows of %zu columns, want at least one of each", n, d);
  if (k == 0 || k > d) return dm_fail(err, DM_EUSAGE, "pca: %zu components of %zu columns, want 1 to %zu", k, d, d);
  dm_status s = check_values(n, d, x, err);
  if (s != DM_OK) return s;
  job j = {.ctx = ctx, .n = n, .d = d, .gram = n < d, .m = n < d ? n : d, .length = n < d ? d : n};
  dm_pca pca = {.d = d, .k = k};
  s = allocate(&j, k, &pca, err);
  if (s != DM_OK) goto done;
  column_means(&j, x, pca.mean);
  centre(&j, x, pca.mean);
  multiply(&j);
  s = solve(&j, err);
  for (size_t i = 0; i < k && i < j.m && s == DM_OK; i++) {
    double v = j.values[i];
    if (!(v > DBL_EPSILON * (double)(n > d ? n : d) * j.values[0])) break; /* beyond the rank */
    write_component(&j, i, pca.components + i * d);
    pca.variance[i] = ldexp(v / (double)(n - 1), 2 * j.exponent);
    pca.share[i] = v / j.total;
  }
done:
  dm_free(ctx, j.vectors);
  dm_free(ctx, j.product);
  dm_free(ctx, j.eigenvectors);
  dm_free(ctx, j.values);
  if (s == DM_OK)
    *out = pca;
  else
    dm_pca_clear(&pca);
  return s;
}

void dm_pca_project(const dm_pca *pca, size_t n, const double *x, double *out) {
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < pca->k; c++) {
      double sum = 0;
      for (size_t q = 0; q < pca->d; q++) sum += (x[i * pca->d + q] - pca->mean[q]) * pca->components[c * pca->d + q];
      out[i * pca->k + c] = sum;
    }
}

void dm_pca_clear(dm_pca *pca) {
  dm_arena_free(pca->memory);
  *pca = (dm_pca){0};
}
