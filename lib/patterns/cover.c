/* Covers as bits and as lists. */
#include "patterns/cover.h"

#include "matrix/kernels/simd.h"

#include <string.h>

#if DM_HAS_SIMD
#define POPCOUNT __attribute__((target("avx2,popcnt")))
#endif

/* ---- digits of the weights ------------------------------------------------------ */

size_t cover_planes_words(cover_rows *rows) {
  size_t words = 0;
  uint32_t most = rows->n ? rows->weight[0] : 0;
  rows->n_planes = 0;
  for (size_t p = 0; p < COVER_PLANES && most >> p; p++) {
    size_t heavy = rows->n; /* rows of at least 2^p: the first ones */
    if (p) {
      size_t low = 0;
      while (low < heavy) {
        size_t middle = (low + heavy) / 2;
        if (rows->weight[middle] >> p)
          low = middle + 1;
        else
          heavy = middle;
      }
    }
    words += rows->plane_words[rows->n_planes++] = (heavy + 63) / 64;
  }
  return words;
}

void cover_planes(cover_rows *rows, uint64_t *block) {
  for (size_t p = 0; p < rows->n_planes; p++) {
    rows->planes[p] = block;
    block += rows->plane_words[p];
    memset(rows->planes[p], 0, rows->plane_words[p] * sizeof *block);
    for (size_t r = 0; r < rows->n && rows->weight[r] >> p; r++)
      rows->planes[p][r / 64] |= (uint64_t)(rows->weight[r] >> p & 1) << r % 64;
  }
}

/* ---- bits ------------------------------------------------------------------------ */

DM_INLINE uint64_t count_planes(const cover_rows *rows, const uint64_t *a, const uint64_t *b) {
  uint64_t support = 0;
  for (size_t p = rows->even; p < rows->n_planes; p++) {
    const uint64_t *plane = rows->planes[p];
    uint64_t n = 0;
    for (size_t w = 0; w < rows->plane_words[p]; w++) n += (uint64_t)__builtin_popcountll(a[w] & b[w] & plane[w]);
    support += n << p;
  }
  return support;
}

/* Rows of weight 1 alone: the only plane is full, and padding is zero in every cover. */
DM_INLINE uint64_t count_even(const cover_rows *rows, const uint64_t *a, const uint64_t *b) {
  uint64_t n = 0;
  for (size_t w = 0; w < rows->words; w++) n += (uint64_t)__builtin_popcountll(a[w] & b[w]);
  return n;
}

DM_INLINE uint64_t count(const cover_rows *rows, const uint64_t *a, const uint64_t *b) {
  return rows->even ? count_even(rows, a, b) : count_planes(rows, a, b);
}

static uint64_t count_scalar(const cover_rows *rows, const uint64_t *a, const uint64_t *b) { return count(rows, a, b); }

#if DM_HAS_SIMD
POPCOUNT static uint64_t count_popcount(const cover_rows *rows, const uint64_t *a, const uint64_t *b) { return count(rows, a, b); }
#endif

uint64_t cover_and_support(const cover_rows *rows, const uint64_t *a, const uint64_t *b) {
#if DM_HAS_SIMD
  if (dm_k_simd() >= DM_SIMD_AVX2) return count_popcount(rows, a, b); /* every such CPU counts bits */
#endif
  return count_scalar(rows, a, b);
}

uint64_t cover_and(const cover_rows *rows, const uint64_t *a, const uint64_t *b, uint64_t *out) {
  for (size_t w = 0; w < rows->words; w++) out[w] = a[w] & b[w];
  return cover_and_support(rows, a, b);
}

bool cover_is_within(const cover_rows *rows, const uint64_t *a, const uint64_t *b) {
  for (size_t w = 0; w < rows->words; w++)
    if (a[w] & ~b[w]) return false;
  return true;
}

/* ---- lists ----------------------------------------------------------------------- */

/* Both are written and advance without a branch: which row comes next cannot be guessed. */
size_t cover_meet(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, uint32_t *out) {
  size_t n = 0;
  for (size_t i = 0, j = 0; i < na && j < nb;) {
    uint32_t x = a[i], y = b[j];
    out[n] = x;
    n += x == y;
    i += x <= y;
    j += y <= x;
  }
  return n;
}

size_t cover_less(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, uint32_t *out) {
  size_t n = 0, i = 0;
  for (size_t j = 0; i < na && j < nb;) {
    uint32_t x = a[i], y = b[j];
    out[n] = x;
    n += x < y;
    i += x <= y;
    j += y <= x;
  }
  if (i < na) memcpy(out + n, a + i, (na - i) * sizeof *a);
  return n + (na - i);
}

uint64_t cover_weight(const cover_rows *rows, const uint32_t *list, size_t n) {
  if (rows->even) return n;
  uint64_t weight = 0;
  for (size_t i = 0; i < n; i++) weight += rows->weight[list[i]];
  return weight;
}
