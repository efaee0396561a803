/*
 * Which CBLAS the program really has. GSL brings a slow one of its own with
 * the same names; the order on the linker's line decides silently, so this
 * asks the dynamic linker instead of believing the build.
 */
#define _GNU_SOURCE
#include "matrix/blas.h"

#include <dm/matrix.h>

#include <dlfcn.h>
#include <gsl/gsl_cblas.h>
#include <string.h>

/* Of OpenBLAS alone: another CBLAS leaves them null. */
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern int blas_thread_shutdown_(void) __attribute__((weak));

const char *dm_blas_library(void) {
  Dl_info info;
  void *symbol;
  /* a function pointer's bits, without the cast ISO C has no word for */
  void (*sgemm)(const enum CBLAS_ORDER, const enum CBLAS_TRANSPOSE, const enum CBLAS_TRANSPOSE, const int, const int, const int,
                const float, const float *, const int, const float *, const int, const float, float *, const int) = cblas_sgemm;
  memcpy(&symbol, &sgemm, sizeof symbol);
  return dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "unknown";
}

bool dm_blas_is_fast(void) {
  const char *path = dm_blas_library(), *name = strrchr(path, '/');
  name = name ? name + 1 : path;
  return strstr(name, "blas") != NULL && strstr(name, "gslcblas") == NULL;
}

int dm_blas_one_thread(void) {
  if (!openblas_get_num_threads || !openblas_set_num_threads) return 0;
  int before = openblas_get_num_threads();
  if (before > 1) openblas_set_num_threads(1);
  return before;
}

void dm_blas_restore(int threads) {
  if (threads > 1 && openblas_set_num_threads) openblas_set_num_threads(threads);
}

void dm_blas_stop_threads(void) {
  if (blas_thread_shutdown_) (void)blas_thread_shutdown_();
}
