/* Errors and latent maps among the report's tensors. */
#include "report/figures.h"
#include "report/reconstruction.h"

#include <math.h>

#define MOST_ROWS ((int64_t)1 << 53)

/* ---- errors ------------------------------------------------------------------------ */

static dm_status write_reconstruction(dm_figures *f, const dm_report_reconstruction *r, dm_error *err) {
  dm_status s = dm_figures_put_counts(f, "rows", 4, 0, (uint64_t[4]){r->n, r->above, r->below, r->log}, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "threshold", 1, 0, &r->threshold, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "edges", r->n_bins + 1, 0, r->edges, err);
  if (s == DM_OK) s = dm_figures_put_counts(f, "counts", r->n_bins, 0, r->counts, err);
  if (s == DM_OK) s = dm_figures_put_codes(f, "ids", r->n_largest, 0, r->ids, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "errors", r->n_largest, 0, r->errors, err);
  if (s == DM_OK) s = dm_figures_put_codes(f, "columns", r->n_largest, DM_REPORT_PARTS, r->columns, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "parts", r->n_largest, DM_REPORT_PARTS, r->parts, err);
  return s;
}

dm_status dm_report_reconstruction_save(dm_store *store, int64_t model_id, const char *split, const dm_report_codes *codes, dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_arena *arena = NULL;
  dm_report_reconstruction r = {0};
  dm_figures f = {0};
  dm_status s = dm_figures_open_write(store, model_id, split, "reconstruction/", &f, err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_report_reconstruction_compute(arena, ctx, codes, &r, err);
  if (s == DM_OK && r.n) s = write_reconstruction(&f, &r, err);
  dm_figures_close(&f);
  dm_arena_free(arena);
  return s;
}

/* Edges rise; of logarithmic bins all are > 0. */
static dm_status read_bins(dm_figures *f, dm_report_reconstruction *r, dm_error *err) {
  size_t n = 0;
  dm_status s = dm_figures_get_reals(f, "edges", 0, DM_RECONSTRUCTION_BINS + 1, false, &n, &r->edges, err);
  if (s != DM_OK) return s;
  if (n < 2 || (r->log && !(r->edges[0] > 0))) return dm_figures_damaged(f, "edges", err);
  for (size_t i = 1; i < n; i++)
    if (!(r->edges[i] > r->edges[i - 1])) return dm_figures_damaged(f, "edges", err);
  r->n_bins = n - 1;
  return dm_figures_get_counts(f, "counts", r->n_bins, 0, &r->counts, err);
}

static dm_status read_largest(dm_figures *f, dm_report_reconstruction *r, dm_error *err) {
  size_t n = 0;
  dm_status s = dm_figures_get_codes(f, "ids", 0, DM_REPORT_LARGEST, INT64_MIN, INT64_MAX, &r->n_largest, &r->ids, err);
  if (s == DM_OK) s = dm_figures_get_reals(f, "errors", 0, DM_REPORT_LARGEST, false, &n, &r->errors, err);
  if (s == DM_OK && n != r->n_largest) return dm_figures_damaged(f, "errors", err);
  if (s == DM_OK) s = dm_figures_get_codes(f, "columns", DM_REPORT_PARTS, DM_REPORT_LARGEST, -1, INT64_MAX, &n, &r->columns, err);
  if (s == DM_OK && n != r->n_largest) return dm_figures_damaged(f, "columns", err);
  if (s == DM_OK) s = dm_figures_get_reals(f, "parts", DM_REPORT_PARTS, DM_REPORT_LARGEST, true, &n, &r->parts, err);
  if (s == DM_OK && n != r->n_largest) return dm_figures_damaged(f, "parts", err);
  return s;
}

dm_status dm_report_reconstruction_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena,
                                        dm_report_reconstruction *out, bool *found, dm_error *err) {
  dm_figures f;
  dm_report_reconstruction r = {0};
  const int64_t *rows = NULL;
  const double *threshold = NULL;
  size_t n = 0;
  *found = false;
  dm_status s = dm_figures_open_read(store, model_id, split, "reconstruction/", arena, &f, err);
  if (s != DM_OK) return s;
  s = dm_figures_get_codes(&f, "rows", 0, 4, 0, MOST_ROWS, &n, &rows, err);
  if (s != DM_OK || n == 0) goto done;
  if (n != 4 || rows[1] > rows[0] || rows[2] > rows[0] || rows[3] > 1) {
    s = dm_figures_damaged(&f, "rows", err);
    goto done;
  }
  r.n = (uint64_t)rows[0];
  r.above = (uint64_t)rows[1];
  r.below = (uint64_t)rows[2];
  r.log = rows[3] == 1;
  s = dm_figures_get_reals(&f, "threshold", 0, 1, true, &n, &threshold, err);
  if (s == DM_OK && n != 1) s = dm_figures_damaged(&f, "threshold", err);
  if (s == DM_OK) r.threshold = threshold[0];
  if (s == DM_OK) s = read_bins(&f, &r, err);
  if (s == DM_OK) s = read_largest(&f, &r, err);
  if (s == DM_OK) {
    *out = r;
    *found = true;
  }
done:
  dm_figures_close(&f);
  return s;
}

/* ---- map ---------------------------------------------------------------------------- */

static dm_status write_latent(dm_figures *f, const dm_report_latent *l, dm_error *err) {
  dm_status s = dm_figures_put_counts(f, "rows", 3, 0, (uint64_t[3]){l->of, l->m, l->by_class}, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "xy", l->n, 2, l->xy, err);
  if (s == DM_OK) s = dm_figures_put_reals(f, "share", 2, 0, l->share, err);
  if (s == DM_OK) s = dm_figures_put_codes(f, "group", l->n, 0, l->group, err);
  if (s == DM_OK && l->by_class) s = dm_figures_put_codes(f, "groups", l->n_groups, 0, l->groups, err);
  if (s == DM_OK && !l->by_class && l->n_groups > 1) s = dm_figures_put_reals(f, "cuts", l->n_groups - 1, 0, l->cuts, err);
  return s;
}

dm_status dm_report_latent_save(dm_store *store, int64_t model_id, const char *split, const dm_report_codes *codes, uint64_t seed,
                                dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_arena *arena = NULL;
  dm_report_latent l = {0};
  dm_figures f = {0};
  dm_status s = dm_figures_open_write(store, model_id, split, "latent/", &f, err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_report_latent_compute(arena, ctx, codes, seed, &l, err);
  if (s == DM_OK && l.n) s = write_latent(&f, &l, err);
  dm_figures_close(&f);
  dm_arena_free(arena);
  return s;
}

static dm_status read_groups(dm_figures *f, dm_report_latent *l, dm_error *err) {
  size_t n = 0;
  dm_status s;
  if (l->by_class) {
    s = dm_figures_get_codes(f, "groups", 0, DM_REPORT_MAP_GROUPS + 1, -1, INT64_MAX, &l->n_groups, &l->groups, err);
    if (s == DM_OK && l->n_groups == 0) return dm_figures_damaged(f, "groups", err);
  } else {
    s = dm_figures_get_reals(f, "cuts", 0, 4, false, &n, &l->cuts, err);
    for (size_t i = 1; i < n && s == DM_OK; i++)
      if (!(l->cuts[i] > l->cuts[i - 1])) return dm_figures_damaged(f, "cuts", err);
    l->n_groups = n + 1;
  }
  if (s == DM_OK) s = dm_figures_get_codes(f, "group", 0, l->n, 0, (int64_t)l->n_groups - 1, &n, &l->group, err);
  return s == DM_OK && n != l->n ? dm_figures_damaged(f, "group", err) : s;
}

dm_status dm_report_latent_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena, dm_report_latent *out, bool *found,
                                dm_error *err) {
  dm_figures f;
  dm_report_latent l = {0};
  const int64_t *rows = NULL;
  size_t n = 0;
  *found = false;
  dm_status s = dm_figures_open_read(store, model_id, split, "latent/", arena, &f, err);
  if (s != DM_OK) return s;
  s = dm_figures_get_codes(&f, "rows", 0, 3, 0, MOST_ROWS, &n, &rows, err);
  if (s != DM_OK || n == 0) goto done;
  if (n != 3 || rows[2] > 1) {
    s = dm_figures_damaged(&f, "rows", err);
    goto done;
  }
  l.of = (uint64_t)rows[0];
  l.m = (size_t)rows[1];
  l.by_class = rows[2] == 1;
  s = dm_figures_get_reals(&f, "xy", 2, DM_REPORT_MAP_ROWS, false, &l.n, &l.xy, err);
  if (s == DM_OK && (l.n == 0 || l.n > l.of)) s = dm_figures_damaged(&f, "xy", err);
  if (s == DM_OK) s = dm_figures_get_reals(&f, "share", 0, 2, false, &n, &l.share, err);
  if (s == DM_OK && (n != 2 || !(l.share[0] >= 0 && l.share[0] <= 1 && l.share[1] >= 0 && l.share[1] <= 1)))
    s = dm_figures_damaged(&f, "share", err);
  if (s == DM_OK) s = read_groups(&f, &l, err);
  if (s == DM_OK) {
    *out = l;
    *found = true;
  }
done:
  dm_figures_close(&f);
  return s;
}
