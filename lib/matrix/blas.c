/*
 * Which CBLAS the program really has. GSL brings a slow one of its own with
 * the same names; the order on the linker's line decides silently, so this
 * asks the dynamic linker instead of believing the build.
 */
#define _GNU_SOURCE
#include <dm/matrix.h>

#include <dlfcn.h>
#include <gsl/gsl_cblas.h>
#include <string.h>

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
