/* The one place that chooses between the kernels for wide and for narrow registers. */
#include "matrix/kernels/simd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int chosen = -1; /* asked from every kernel, so the environment is read once */

static dm_simd widest(void) {
#if DM_HAS_SIMD
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return DM_SIMD_SCALAR;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return DM_SIMD_AVX512;
  return DM_SIMD_AVX2;
#else
  return DM_SIMD_SCALAR;
#endif
}

/* Two threads that come here at once find the same. */
static __attribute__((noinline, cold)) dm_simd choose(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512"};
  const char *wanted = getenv("DM_SIMD");
  dm_simd best = widest();
  for (int i = 0; wanted && i < (int)best; i++)
    if (strcmp(names[i], wanted) == 0) best = (dm_simd)i;
  atomic_store_explicit(&chosen, (int)best, memory_order_relaxed);
  return best;
}

dm_simd dm_k_simd(void) {
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  return level >= 0 ? (dm_simd)level : choose();
}

dm_simd dm_k_simd_set(dm_simd level) {
  dm_simd best = widest();
  if (level > best) level = best;
  atomic_store_explicit(&chosen, (int)level, memory_order_relaxed);
  return level;
}
