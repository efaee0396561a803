/* The loops of the optimizers. No products and sums are fused: the formulas are rounded as they are written. */
#include "optim/update.h"
#include "matrix/kernels/simd.h"

#include <float.h>
#include <math.h>

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

static size_t chunk_size(size_t n, size_t from) { return n - from < CHUNK ? n - from : CHUNK; }

bool dm_update_finite(size_t n, const float *x, unsigned threads) {
  bool good = true;
#pragma omp parallel for schedule(static) num_threads((int)threads) if (threads > 1 && n >= PARALLEL_FROM) reduction(&& : good)
  for (size_t from = 0; from < n; from += CHUNK) good = chunk_is_finite(chunk_size(n, from), x + from) && good;
  return good;
}

bool dm_update(update_rule rule, const update_scalars *s, size_t n, float *w, const float *g, float *a, float *b, unsigned threads) {
  bool good = true;
#pragma omp parallel for schedule(static) num_threads((int)threads) if (threads > 1 && n >= PARALLEL_FROM) reduction(&& : good)
  for (size_t from = 0; from < n; from += CHUNK)
    good = update_chunk(rule, s, chunk_size(n, from), w + from, g + from, a ? a + from : NULL, b ? b + from : NULL) && good;
  return good;
}
