/*
 * Columns of double into bins, cut in double.
 *
 *   distinct values  3.0 7.1 12.5     every one a bin, or several in one;
 *   cuts               5.0  9.8       a cut lies between the last value of a
 *   bins               0   1    2     bin and the first of the next
 *
 * Columns are independent: threads take one each and share nothing but the
 * arena, so the bits do not depend on their number.
 */
#include "matrix/distinct.h"

#include <dm/matrix.h>

#include <omp.h>
#include <string.h>

/* One thread's room for a column. */
typedef struct worker {
  dm_distinct distinct;
  uint32_t *bin_of; /* [n + 1] place of a distinct value → its bin */
} worker;

/* What all threads see. */
typedef struct job {
  dm_ctx *ctx;
  size_t n, d, max_bins;
  const double *const *values;
  const size_t *levels;
  dm_binned *out;
  dm_status status;
  dm_error *err;
} job;

/* A number c with low ≤ c < high, the midpoint where double has one. */
static double cut_between(double low, double high) {
  double middle = low / 2 + high / 2;
  return middle >= low && middle < high ? middle : low;
}

/*
 * Places of k > max_bins distinct values into max_bins bins of about equal
 * counts: a bin closes where that leaves it nearest to an even share of what
 * is left, so that one value of many rows does not starve the others.
 * @return bins
 */
static size_t equal_counts(const dm_distinct *w, size_t max_bins, uint32_t *bin_of) {
  double left = 0, held = 0;
  for (size_t i = 0; i < w->k; i++) left += w->counts[i];
  size_t bin = 0;
  for (size_t i = 0; i < w->k; i++) {
    double share = left / (double)(max_bins - bin), count = w->counts[i];
    bool closes = held > 0 && held + count > share && held + count - share > share - held;
    if (closes && bin + 1 < max_bins) {
      left -= held;
      held = 0;
      bin++;
    }
    bin_of[i] = (uint32_t)bin;
    held += count;
  }
  return bin + 1;
}

/* Bins of the distinct values; the cuts take the values' place, which they never overtake. @return bins */
static size_t cut_column(const job *j, worker *w) {
  dm_distinct *distinct = &w->distinct;
  size_t n_bins = distinct->k;
  if (j->max_bins && distinct->k > j->max_bins)
    n_bins = equal_counts(distinct, j->max_bins, w->bin_of);
  else
    for (size_t i = 0; i < distinct->k; i++) w->bin_of[i] = (uint32_t)i;
  double low = distinct->k ? distinct->values[0] : 0;
  for (size_t i = 1; i < distinct->k; i++) {
    double high = distinct->values[i];
    if (w->bin_of[i] != w->bin_of[i - 1]) distinct->values[w->bin_of[i - 1]] = cut_between(low, high);
    low = high;
  }
  return n_bins;
}

static void *take(job *j, size_t count, size_t size) {
  void *p = NULL;
#pragma omp critical(dm_binned)
  {
    if (j->status == DM_OK && !(p = dm_arena_alloc(j->out->memory, count, size, j->err))) j->status = DM_EBUDGET;
  }
  return p;
}

static uint8_t width_of(size_t n_codes) { return n_codes <= 256 ? 1 : n_codes <= 65536 ? 2 : 4; }

static void store_bin(void *bins, uint8_t width, size_t i, uint32_t bin) {
  if (width == 1)
    ((uint8_t *)bins)[i] = (uint8_t)bin;
  else if (width == 2)
    ((uint16_t *)bins)[i] = (uint16_t)bin;
  else
    ((uint32_t *)bins)[i] = bin;
}

static void bin_numeric(job *j, worker *w, size_t c) {
  dm_bin_column *col = &j->out->columns[c];
  dm_distinct *distinct = &w->distinct;
  dm_distinct_run(distinct, j->n, j->values[c]);
  size_t n_bins = cut_column(j, w);
  w->bin_of[distinct->k] = (uint32_t)n_bins; /* the code of a missing value */
  bool has_missing = distinct->n_missing > 0;
  uint8_t width = width_of(n_bins + has_missing);
  void *bins = take(j, j->n, width);
  double *cuts = bins ? take(j, n_bins ? n_bins - 1 : 0, sizeof *cuts) : NULL;
  if (!cuts) return;
  if (n_bins) memcpy(cuts, distinct->values, (n_bins - 1) * sizeof *cuts);
  const uint32_t *code = distinct->code, *bin_of = w->bin_of;
  for (size_t i = 0; i < j->n; i++) store_bin(bins, width, i, bin_of[code[i]]);
  *col = (dm_bin_column){.width = width,
                         .has_missing = has_missing,
                         .exact = n_bins == distinct->k,
                         .n_bins = n_bins,
                         .bins = bins,
                         .cuts = cuts};
}

static void bin_category(job *j, size_t c) {
  dm_bin_column *col = &j->out->columns[c];
  size_t levels = j->levels[c];
  const double *x = j->values[c];
  bool has_missing = false;
  for (size_t i = 0; i < j->n; i++) has_missing |= !(x[i] >= 0);
  uint8_t width = width_of(levels + has_missing);
  void *bins = take(j, j->n, width);
  if (!bins) return;
  for (size_t i = 0; i < j->n; i++) store_bin(bins, width, i, x[i] >= 0 ? (uint32_t)x[i] : (uint32_t)levels);
  *col = (dm_bin_column){.category = true, .width = width, .has_missing = has_missing, .exact = true, .n_bins = levels, .bins = bins};
}

static dm_status new_worker(dm_ctx *ctx, size_t n, worker *w, dm_error *err) {
  dm_status s = dm_distinct_init(&w->distinct, ctx, n, err);
  if (s != DM_OK) return s;
  w->bin_of = dm_alloc(ctx, n + 1, sizeof *w->bin_of, "bins", err);
  return w->bin_of ? DM_OK : DM_EBUDGET;
}

static void free_workers(dm_ctx *ctx, worker *workers, size_t n) {
  for (size_t t = 0; workers && t < n; t++) {
    dm_distinct_clear(&workers[t].distinct);
    dm_free(ctx, workers[t].bin_of);
  }
  dm_free(ctx, workers);
}

static void run(job *j, worker *workers, size_t threads) {
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
  for (size_t c = 0; c < j->d; c++) {
    if (dm_ctx_cancelled(j->ctx)) continue;
    if (j->levels[c])
      bin_category(j, c);
    else
      bin_numeric(j, &workers[omp_get_thread_num()], c);
  }
}

dm_status dm_binned_new(dm_ctx *ctx, size_t n, size_t d, const double *const *values, const size_t *levels, size_t max_bins,
                        dm_binned *out, dm_error *err) {
  dm_binned m = {.n = n, .d = d};
  size_t threads = dm_ctx_threads(ctx) < d ? dm_ctx_threads(ctx) : d ? d : 1;
  worker *workers = dm_alloc(ctx, threads, sizeof *workers, "bins", err);
  if (!workers) return DM_EBUDGET;
  dm_status s = dm_arena_new(ctx, 0, &m.memory, err);
  if (s == DM_OK && !(m.columns = dm_arena_alloc(m.memory, d, sizeof *m.columns, err))) s = DM_EBUDGET;
  for (size_t t = 0; s == DM_OK && t < threads; t++) s = new_worker(ctx, n, &workers[t], err);
  if (s == DM_OK) {
    job j = {.ctx = ctx, .n = n, .d = d, .max_bins = max_bins, .values = values, .levels = levels, .out = &m, .err = err};
    run(&j, workers, threads);
    s = j.status != DM_OK ? j.status : dm_ctx_check(ctx, err);
  }
  free_workers(ctx, workers, threads);
  if (s != DM_OK) {
    dm_arena_free(m.memory);
    return s;
  }
  *out = m;
  return DM_OK;
}

void dm_binned_clear(dm_binned *m) {
  dm_arena_free(m->memory);
  *m = (dm_binned){0};
}
