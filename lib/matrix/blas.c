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
#include <link.h>
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

/* Which objects of the process hold two addresses, in the order in which they were loaded. */
typedef struct load_order {
  uintptr_t ours, theirs;
  size_t at, our_place, their_place; /* places from 1, 0 = not seen */
} load_order;

static int look_at_object(struct dl_phdr_info *object, size_t size, void *user) {
  load_order *order = user;
  (void)size;
  order->at++;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    uintptr_t from = object->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD) continue;
    if (order->ours - from < part->p_memsz) order->our_place = order->at;
    if (order->theirs - from < part->p_memsz) order->their_place = order->at;
  }
  return 0;
}

void dm_blas_stop_threads(void) {
  if (!blas_thread_shutdown_) return;
  load_order order = {.ours = (uintptr_t)look_at_object, .theirs = (uintptr_t)blas_thread_shutdown_};
  (void)dl_iterate_phdr(look_at_object, &order);
  if (order.our_place && order.our_place < order.their_place) (void)blas_thread_shutdown_();
}
