/* The loops of the optimizers. No products and sums are fused: the formulas are rounded as they are written. */
#include "optim/update.h"
#include "core/team.h"
#include "matrix/kernels/simd.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>

enum { CHUNK = 1 << 14, PARALLEL_FROM = 1 << 16 };

/* ---- one chunk ----------------------------------------------------------------- */

DM_INLINE bool all_finite(size_t n, const float *x) {
  unsigned bad = 0; /* no way out of the loop, so that it is vectorised */
  for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return !bad;
}

/* w -= lr (g + decay w) */
DM_INLINE void sgd(const update_scalars *s, size_t n, float *restrict w, const float *restrict g) {
  float lr = s->lr, decay = s->decay;
  for (size_t i = 0; i < n; i++) w[i] -= lr * (g[i] + decay * w[i]);
}

/* b = m b + g; the first b is g, which m 0 + g is, too */
DM_INLINE void momentum(const update_scalars *s, size_t n, float *restrict w, const float *restrict g, float *restrict b) {
  float lr = s->lr, decay = s->decay, m = s->momentum;
  for (size_t i = 0; i < n; i++) {
    b[i] = m * b[i] + (g[i] + decay * w[i]);
    w[i] -= lr * b[i];
  }
}

/* w -= lr (g + m b) */
DM_INLINE void nesterov(const update_scalars *s, size_t n, float *restrict w, const float *restrict g, float *restrict b) {
  float lr = s->lr, decay = s->decay, m = s->momentum;
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + decay * w[i];
    b[i] = m * b[i] + d;
    w[i] -= lr * (d + m * b[i]);
  }
}

/* a += g^2; w -= lr g / (sqrt(a) + eps) */
DM_INLINE void adagrad(const update_scalars *s, size_t n, float *restrict w, const float *restrict g, float *restrict a) {
  float lr = s->lr, decay = s->decay, eps = s->epsilon;
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + decay * w[i];
    a[i] += d * d;
    w[i] -= lr * d / (sqrtf(a[i]) + eps);
  }
}

/* a = r a + (1 - r) g^2 */
DM_INLINE void rmsprop(const update_scalars *s, size_t n, float *restrict w, const float *restrict g, float *restrict a) {
  float lr = s->lr, decay = s->decay, eps = s->epsilon, keep = s->keep2, take = s->take2;
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + decay * w[i];
    a[i] = keep * a[i] + take * d * d;
    w[i] -= lr * d / (sqrtf(a[i]) + eps);
  }
}

/* m and v decay to the means of g and g^2; w = shrink w - lr m / (sqrt(v) unbias + eps) */
DM_INLINE void adam(const update_scalars *s, size_t n, float *restrict w, const float *restrict g, float *restrict m, float *restrict v) {
  float lr = s->lr, decay = s->decay, eps = s->epsilon, unbias = s->unbias, shrink = s->shrink;
  float keep1 = s->keep1, take1 = s->take1, keep2 = s->keep2, take2 = s->take2;
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + decay * w[i];
    m[i] = keep1 * m[i] + take1 * d;
    v[i] = keep2 * v[i] + take2 * d * d;
    w[i] = shrink * w[i] - lr * m[i] / (sqrtf(v[i]) * unbias + eps);
  }
}

DM_INLINE bool update(update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b) {
  switch (rule) {
  case UPDATE_SGD: sgd(s, n, w, g); break;
  case UPDATE_MOMENTUM: momentum(s, n, w, g, a); break;
  case UPDATE_NESTEROV: nesterov(s, n, w, g, a); break;
  case UPDATE_ADAGRAD: adagrad(s, n, w, g, a); break;
  case UPDATE_RMSPROP: rmsprop(s, n, w, g, a); break;
  case UPDATE_ADAM: adam(s, n, w, g, a, b); break;
  }
  return all_finite(n, w); /* they are still in the nearest caches */
}

/* ---- its levels ---------------------------------------------------------------------- */

#if DM_HAS_SIMD
DM_AVX2 static bool finite_avx2(size_t n, const float *x) { return all_finite(n, x); }
DM_AVX512 static bool finite_avx512(size_t n, const float *x) { return all_finite(n, x); }
DM_AVX2 static bool update_avx2(update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b) {
  return update(rule, s, n, w, g, a, b);
}
DM_AVX512 static bool update_avx512(update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b) {
  return update(rule, s, n, w, g, a, b);
}
#endif

static bool chunk_is_finite(size_t n, const float *x) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512) return finite_avx512(n, x);
  if (level == DM_SIMD_AVX2) return finite_avx2(n, x);
#endif
  return all_finite(n, x);
}

static bool update_chunk(update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b) {
#if DM_HAS_SIMD
  dm_simd level = dm_k_simd();
  if (level == DM_SIMD_AVX512) return update_avx512(rule, s, n, w, g, a, b);
  if (level == DM_SIMD_AVX2) return update_avx2(rule, s, n, w, g, a, b);
#endif
  return update(rule, s, n, w, g, a, b);
}

/* ---- all of it --------------------------------------------------------------------------- */

/* One step, or a look at x; threads take chunks in turn. */
typedef struct update_job {
  update_rule rule;
  const update_scalars *s;
  size_t n;
  float *w, *a, *b;
  const float *g, *x;
  atomic_bool bad;
} update_job;

static void run_chunks(void *user, const dm_member *m) {
  update_job *j = user;
  bool good = true;
  for (size_t from = m->thread * CHUNK; from < j->n; from += m->threads * CHUNK) {
    size_t n = j->n - from < CHUNK ? j->n - from : CHUNK;
    if (j->x)
      good &= chunk_is_finite(n, j->x + from);
    else
      good &= update_chunk(j->rule, j->s, n, j->w + from, j->g + from, j->a ? j->a + from : NULL, j->b ? j->b + from : NULL);
  }
  if (!good) atomic_store(&j->bad, true);
}

static bool run(dm_ctx *ctx, update_job *j) {
  dm_team_run(ctx, j->n >= PARALLEL_FROM ? dm_ctx_threads(ctx) : 1, run_chunks, j);
  return !atomic_load(&j->bad);
}

bool dm_update_finite(dm_ctx *ctx, size_t n, const float *x) { return run(ctx, &(update_job){.n = n, .x = x}); }

bool dm_update(dm_ctx *ctx, update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b) {
  return run(ctx, &(update_job){.rule = rule, .s = s, .n = n, .w = w, .g = g, .a = a, .b = b});
}
