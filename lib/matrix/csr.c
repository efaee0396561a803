/* Sparse 0/1 rows: where each begins, and the columns of its ones. */
#include <dm/matrix.h>

dm_status dm_csr_new(dm_ctx *ctx, size_t n, size_t d, size_t ones, dm_csr *out, dm_error *err) {
  size_t places;
  if (!dm_size_add(n, 1, &places)) return dm_fail(err, DM_EBUDGET, "sparse matrix: %zu rows are more than memory can hold", n);
  size_t *start = dm_alloc(ctx, places, sizeof *start, "sparse matrix", err);
  if (!start) return DM_EBUDGET;
  uint32_t *index = dm_alloc(ctx, ones, sizeof *index, "sparse matrix", err);
  if (!index) {
    dm_free(ctx, start);
    return DM_EBUDGET;
  }
  *out = (dm_csr){.n = n, .d = d, .start = start, .index = index};
  return DM_OK;
}

void dm_csr_clear(dm_ctx *ctx, dm_csr *m) {
  dm_free(ctx, m->start);
  dm_free(ctx, m->index);
  *m = (dm_csr){0};
}
