/* Bit matrix: one block, columns padded so that each begins on a cache line and kernels need no tail. */
#include <dm/matrix.h>

enum { WORD_BITS = 64, LANES = 8 };

dm_status dm_bits_new(dm_ctx *ctx, size_t n, size_t d, dm_bits *out, dm_error *err) {
  size_t lanes = n / (WORD_BITS * LANES) + (n % (WORD_BITS * LANES) != 0), words;
  if (!dm_size_mul(lanes * LANES, d, &words))
    return dm_fail(err, DM_EBUDGET, "bit matrix: %zu x %zu bits are more than memory can hold", n, d);
  uint64_t *x = dm_alloc(ctx, words, sizeof *x, "bit matrix", err);
  if (!x) return DM_EBUDGET;
  *out = (dm_bits){.n = n, .d = d, .stride = lanes * LANES, .x = x};
  return DM_OK;
}

dm_status dm_bits_from_csr(dm_ctx *ctx, const dm_csr *m, size_t first, size_t d, dm_bits *out, dm_error *err) {
  dm_bits bits;
  dm_status s = dm_bits_new(ctx, m->n, d, &bits, err);
  if (s != DM_OK) return s;
  for (size_t r = 0; r < m->n; r++) {
    uint64_t bit = (uint64_t)1 << r % WORD_BITS, *word = bits.x + r / WORD_BITS;
    for (size_t i = m->start[r]; i < m->start[r + 1]; i++) {
      size_t c = m->index[i] - first; /* a column before first becomes a huge number */
      if (c < d) word[c * bits.stride] |= bit;
    }
  }
  *out = bits;
  return DM_OK;
}

void dm_bits_clear(dm_ctx *ctx, dm_bits *m) {
  dm_free(ctx, m->x);
  *m = (dm_bits){0};
}
