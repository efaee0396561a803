/* Dense float32 rows: one block, rows padded so that each begins on a cache line and kernels need no tail. */
#include <dm/matrix.h>

enum { LANES = 16 };

dm_status dm_dense_new(dm_ctx *ctx, size_t n, size_t d, dm_dense *out, dm_error *err) {
  size_t stride, cells;
  if (!dm_size_add(d, LANES - 1, &stride) || !dm_size_mul(n, stride / LANES * LANES, &cells))
    return dm_fail(err, DM_EBUDGET, "matrix: %zu x %zu floats are more than memory can hold", n, d);
  stride = stride / LANES * LANES;
  float *x = dm_alloc(ctx, cells, sizeof *x, "matrix", err);
  if (!x) return DM_EBUDGET;
  *out = (dm_dense){.n = n, .d = d, .stride = stride, .x = x};
  return DM_OK;
}

void dm_dense_clear(dm_ctx *ctx, dm_dense *m) {
  dm_free(ctx, m->x);
  *m = (dm_dense){0};
}
