/* Matrix product of nets: C = A B, each output one chain of fused multiply-adds in the order of l. */
#include "matrix/kernels/gemm.h"
#include "matrix/kernels/real_math.h"

/* ---- the plain loops --------------------------------------------------------------- */

enum { STRIP = 32 };

/* No zero has a sign: what is + 0 is -0 no more. */
DM_INLINE dm_real stored(const dm_gemm *g, dm_real z) { return (g->relu && 0 > z ? 0 : z) + 0; }

/* One row and up to STRIP columns, whose chains run side by side. */
DM_INLINE void plain_strip(const dm_gemm *g, size_t i, size_t j, size_t n) {
  dm_real z[STRIP] = {0}, *c = g->c + i * g->c_row + j;
  const dm_real *a = g->a + i * g->a_row, *b = g->b + j;
  if (g->accumulate || g->bias) memcpy(z, g->accumulate ? c : g->bias + j, n * sizeof *z);
  for (size_t l = 0; l < g->k; l++)
    for (size_t e = 0; e < n; e++) z[e] = real_fma(a[l * g->a_col], b[l * g->b_row + e], z[e]);
  for (size_t e = 0; e < n; e++) c[e] = stored(g, z[e]);
}

DM_INLINE void plain_dots(const dm_gemm *g) {
  for (size_t i = 0; i < g->m; i++) {
    dm_real z[GEMM_LANES] = {g->accumulate ? g->c[i * g->c_row] : g->bias ? *g->bias : 0};
    for (size_t l = 0; l < g->k; l++) z[l % GEMM_LANES] = real_fma(g->a[i * g->a_row + l], g->b[l * g->b_row], z[l % GEMM_LANES]);
    for (size_t half = GEMM_LANES / 2; half; half /= 2)
      for (size_t l = 0; l < half; l++) z[l] += z[l + half];
    g->c[i * g->c_row] = stored(g, z[0]);
  }
}

static bool is_dots(const dm_gemm *g) { return g->n == 1 && g->a_col == 1; }

DM_INLINE void plain(const dm_gemm *g) {
  if (is_dots(g)) {
    plain_dots(g);
    return;
  }
  for (size_t i = 0; i < g->m; i++) {
    size_t j = 0;
    for (; j + STRIP <= g->n; j += STRIP) plain_strip(g, i, j, STRIP);
    if (j < g->n) plain_strip(g, i, j, g->n - j);
  }
}

static __attribute__((noinline)) void narrow(const dm_gemm *g) { plain(g); }

/* ---- with wide registers ------------------------------------------------------------------ */

#if DM_HAS_SIMD && defined(DM_REAL_IS_DOUBLE)

DM_AVX2 static void wide(const dm_gemm *g, dm_simd level) {
  (void)level;
  plain(g);
}

#elif DM_HAS_SIMD

/*
 * Blocks that stay in the second cache. Between two blocks of l the chains wait in C. Rows of B that lie far apart would cost an address
 * translation each, so their strips are copied side by side when enough rows of A come to use the copy.
 */
enum { DEPTH = 1024, PACKED_DEPTH = 256, PACKED_ROWS = 512, ROWS_TO_PACK = 32, FAR = 1024, WIDEST = 64 };

static void pack(gemm_strip *s, size_t width, dm_real *out) {
  for (size_t l = 0; l < s->k; l++) memcpy(out + l * width, s->b + l * s->b_row, s->n * sizeof *out);
  s->b = out;
  s->b_row = width;
}

/* Columns of one block of rows and l. */
static void strips(const gemm_strip *block, const gemm_level *level, dm_real *packed) {
  size_t width = block->m == 1 ? level->width_of_one : level->width;
  for (size_t j = 0; j < block->n; j += width) {
    gemm_strip s = *block;
    s.n = s.n - j < width ? s.n - j : width;
    s.b += j;
    s.c += j;
    if (s.start) s.start += j;
    if (packed) pack(&s, width, packed);
    level->strip(&s);
  }
}

static void blocks(const gemm_strip *whole, const gemm_level *level, dm_real *packed) {
  size_t depth = packed ? PACKED_DEPTH : DEPTH, rows = packed ? PACKED_ROWS : whole->m;
  for (size_t l = 0; l == 0 || l < whole->k; l += depth)
    for (size_t i = 0; i < whole->m; i += rows) {
      gemm_strip s = *whole;
      bool last = s.k - l <= depth;
      s.k = last ? s.k - l : depth;
      s.m = s.m - i < rows ? s.m - i : rows;
      s.a += i * s.a_row + l * s.a_col;
      s.b += l * s.b_row;
      s.c += i * s.c_row;
      s.relu = last && s.relu;
      if (l) {
        s.start = s.c;
        s.start_row = s.c_row;
      } else if (s.start) {
        s.start += i * s.start_row;
      }
      strips(&s, level, packed);
    }
}

static __attribute__((noinline)) void packed_blocks(const gemm_strip *whole, const gemm_level *level) {
  _Alignas(64) dm_real packed[PACKED_DEPTH * WIDEST];
  blocks(whole, level, packed);
}

/* One column over rows that lie side by side is one row of the transposed product. */
static void turn(gemm_strip *s) {
  gemm_strip t = {.m = 1, .n = s->m, .k = s->k, .a = s->b, .a_col = s->b_row, .b = s->a, .b_row = s->a_col, .c = s->c, .relu = s->relu};
  if (s->start) {
    if (s->start != s->c)
      for (size_t i = 0; i < s->m; i++) s->c[i] = *s->start;
    t.start = s->c;
  }
  *s = t;
}

/* Not inlined: its loads of two fields at once would wait for what the caller has just written, in short products, too. */
static __attribute__((noinline)) void by_strips(const dm_gemm *g, const gemm_level *level) {
  gemm_strip s = {.m = g->m, .n = g->n, .k = g->k, .a = g->a, .a_row = g->a_row, .a_col = g->a_col, .b = g->b, .b_row = g->b_row, .c = g->c,
                  .c_row = g->c_row, .start = g->bias, .relu = g->relu};
  if (g->accumulate) {
    s.start = g->c;
    s.start_row = g->c_row;
  }
  if (s.n == 1 && s.a_row == 1 && s.c_row == 1) turn(&s);
  if (s.k <= DEPTH && s.n <= (s.m == 1 ? level->width_of_one : level->width))
    level->strip(&s);
  else if (s.m >= ROWS_TO_PACK && s.b_row >= FAR)
    packed_blocks(&s, level);
  else
    blocks(&s, level, NULL);
}

static void wide(const dm_gemm *g, dm_simd simd) {
  const gemm_level *level = simd == DM_SIMD_AVX512 ? &gemm_avx512 : &gemm_avx2;
  if (g->m == 1 && g->n == 64 && g->a_col == 1 && !g->accumulate)
    level->row_of_64(g);
  else if (!is_dots(g))
    by_strips(g, level);
  else if (g->b_row == 1)
    level->dots(g);
  else
    narrow(g);
}

#endif

void dm_k_gemm(const dm_gemm *g) {
  if (g->m == 0 || g->n == 0) return;
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level != DM_SIMD_SCALAR)
    wide(g, level);
  else
#endif
    narrow(g);
}
