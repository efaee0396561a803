/* Matrix product of nets: C = A B, each output one chain of fused multiply-adds in the order of l. */
#include "matrix/kernels/net.h"
#include "matrix/kernels/real_math.h"

enum { STRIP = 32 };

/* One row and up to STRIP columns, whose chains run side by side. */
DM_INLINE void strip(const dm_gemm *g, size_t i, size_t j, size_t n) {
  dm_real z[STRIP] = {0}, *c = g->c + i * g->c_row + j;
  const dm_real *a = g->a + i * g->a_row, *b = g->b + j;
  if (g->accumulate || g->bias) memcpy(z, g->accumulate ? c : g->bias + j, n * sizeof *z);
  for (size_t l = 0; l < g->k; l++)
    for (size_t e = 0; e < n; e++) z[e] = real_fma(a[l * g->a_col], b[l * g->b_row + e], z[e]);
  for (size_t e = 0; e < n; e++) c[e] = g->relu && 0 > z[e] ? 0 : z[e];
}

DM_INLINE void product(const dm_gemm *g) {
  for (size_t i = 0; i < g->m; i++) {
    size_t j = 0;
    for (; j + STRIP <= g->n; j += STRIP) strip(g, i, j, STRIP);
    if (j < g->n) strip(g, i, j, g->n - j);
  }
}

#if DM_HAS_SIMD
DM_AVX2 static void product_avx2(const dm_gemm *g) { product(g); }
#endif

void dm_k_gemm(const dm_gemm *g) {
#if DM_HAS_SIMD
  if (dm_k_simd() != DM_SIMD_SCALAR)
    product_avx2(g);
  else
#endif
    product(g);
}
