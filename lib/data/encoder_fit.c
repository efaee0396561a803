/*
 * Fitting encoders, on training rows only and in double.
 *
 * The order is that of scikit-learn's pipelines: impute first, then fit the
 * scaler or the bins to the imputed column.
 */
#include "data/encoder.h"
#include "matrix/distinct.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* Room for one column, used again for each. */
typedef struct fitting {
  dm_ctx *ctx;
  const dm_encode_options *o;
  dm_encoder *e;
  size_t n, n_present;
  double *x; /* [n] values present, then one fill for each that is missing */
  dm_distinct distinct;
} fitting;

/* ---- statistics ------------------------------------------------------------ */

/* Sum of f(x) by Neumaier: the error of each addition is carried along. */
typedef struct running {
  double sum, lost;
} running;

static void add(running *r, double v) {
  double t = r->sum + v;
  r->lost += fabs(r->sum) >= fabs(v) ? (r->sum - t) + v : (v - t) + r->sum;
  r->sum = t;
}

static double mean_of(const double *x, size_t n) {
  running r = {0};
  for (size_t i = 0; i < n; i++) add(&r, x[i]);
  return (r.sum + r.lost) / (double)n;
}

/* Standard deviation with division by n. */
static double deviation_of(const double *x, size_t n, double mean) {
  running squares = {0}, rest = {0};
  for (size_t i = 0; i < n; i++) {
    double v = x[i] - mean;
    add(&squares, v * v);
    add(&rest, v);
  }
  double off = rest.sum + rest.lost; /* what rounding left in the mean */
  return sqrt((squares.sum + squares.lost - off * off / (double)n) / (double)n);
}

static void range_of(const double *x, size_t n, double *low, double *high) {
  *low = *high = x[0];
  for (size_t i = 1; i < n; i++) {
    *low = x[i] < *low ? x[i] : *low;
    *high = x[i] > *high ? x[i] : *high;
  }
}

static double mode_of(const dm_distinct *d) {
  size_t best = 0;
  for (size_t i = 1; i < d->k; i++)
    if (d->counts[i] > d->counts[best]) best = i; /* the smallest of the most frequent */
  return d->values[best];
}

/* Order statistic at place p between 0 and n-1, linear between neighbours as numpy has it. */
static double quantile_of(const double *sorted, size_t n, double p) {
  size_t i = (size_t)p;
  if (i + 1 >= n) return sorted[n - 1];
  double t = p - (double)i, a = sorted[i], b = sorted[i + 1], step = b - a;
  return t < 0.5 ? a + step * t : b - step * (1 - t);
}

static double median_of(const double *sorted, size_t n) {
  double a = sorted[(n - 1) / 2], b = sorted[n / 2];
  return a / 2 + b / 2;
}

/* Writes the distinct values back as the sorted column. */
static void sort_column(fitting *f, size_t n) {
  dm_distinct_run(&f->distinct, n, f->x);
  size_t at = 0;
  for (size_t i = 0; i < f->distinct.k; i++)
    for (uint32_t c = 0; c < f->distinct.counts[i]; c++) f->x[at++] = f->distinct.values[i];
}

/* ---- numbers ---------------------------------------------------------------- */

static void gather(fitting *f, const double *values, const size_t *rows) {
  size_t m = 0;
  for (size_t i = 0; i < f->n; i++) {
    double v = values[rows ? rows[i] : i];
    if (!isnan(v)) f->x[m++] = v;
  }
  f->n_present = m;
}

static double fill_of(fitting *f) {
  switch (f->o->impute_numeric) {
  case DM_IMPUTE_NONE: return (double)NAN;
  case DM_IMPUTE_MEAN: return mean_of(f->x, f->n_present);
  case DM_IMPUTE_MEDIAN: sort_column(f, f->n_present); return median_of(f->x, f->n_present);
  case DM_IMPUTE_MODE: dm_distinct_run(&f->distinct, f->n_present, f->x); return mode_of(&f->distinct);
  case DM_IMPUTE_CONSTANT: return f->o->constant;
  }
  return (double)NAN;
}

/* @return values to fit on: those present, and the fills where there are any. */
static size_t impute(fitting *f, dm_step *step, const char *name) {
  if (f->n_present == 0 && (f->o->impute_numeric == DM_IMPUTE_MEAN || f->o->impute_numeric == DM_IMPUTE_MEDIAN ||
                            f->o->impute_numeric == DM_IMPUTE_MODE)) {
    dm_log(f->ctx, DM_LOG_WARNING, "column '%s' has no value in the training rows; 0 stands for all", name);
    step->fill = 0;
  } else {
    step->fill = fill_of(f);
    if (isnan(step->fill) && f->o->impute_numeric != DM_IMPUTE_NONE) step->fill = (double)INFINITY; /* overflow */
  }
  if (isnan(step->fill)) return f->n_present;
  for (size_t i = f->n_present; i < f->n; i++) f->x[i] = step->fill;
  return f->n;
}

static void fit_scale(fitting *f, dm_step *step, size_t n) {
  double low, high;
  if (n == 0 || f->o->scale == DM_SCALE_NONE) return;
  range_of(f->x, n, &low, &high);
  step->center = low;
  if (low == high) return; /* a constant column becomes 0 */
  if (f->o->scale == DM_SCALE_ROBUST) {
    sort_column(f, n);
    double last = (double)(n - 1), quartiles = quantile_of(f->x, n, 0.75 * last) - quantile_of(f->x, n, 0.25 * last);
    step->center = median_of(f->x, n);
    step->scale = quartiles > 0 ? quartiles : high / 2 - low / 2;
  } else if (f->o->scale == DM_SCALE_STANDARD) {
    step->center = mean_of(f->x, n);
    step->scale = deviation_of(f->x, n, step->center);
  } else {
    step->scale = high - low;
  }
}

/* Knots and their scores; pass 1 counts them (scores NULL), pass 2 writes. @return knots */
static size_t find_knots(const double *sorted, size_t n, double *knots, double *scores) {
  size_t asked = n < DM_ENCODER_KNOTS ? n : DM_ENCODER_KNOTS, k = 0;
  double last = (double)(asked - 1), margin = 0.5 / (double)n;
  for (size_t from = 0, to; from < asked; from = to) {
    double knot = asked == 1 ? sorted[0] : quantile_of(sorted, n, (double)from / last * (double)(n - 1));
    for (to = from + 1; to < asked && !(quantile_of(sorted, n, (double)to / last * (double)(n - 1)) > knot);) to++;
    if (scores) {
      double share = asked == 1 ? 0.5 : (double)(from + to - 1) / 2 / last;
      share = share < margin ? margin : share > 1 - margin ? 1 - margin : share;
      knots[k] = knot;
      scores[k] = gsl_cdf_ugaussian_Pinv(share);
    }
    k++;
  }
  return k;
}

static dm_status fit_quantiles(fitting *f, dm_step *step, size_t n, dm_error *err) {
  step->kind = DM_STEP_QUANTILE;
  sort_column(f, n);
  if (n && !isfinite(f->x[n - 1] - f->x[0])) {
    step->scale = (double)INFINITY; /* too far to be interpolated */
    return DM_OK;
  }
  step->n = n ? find_knots(f->x, n, NULL, NULL) : 0;
  step->edges = dm_arena_alloc(f->e->memory, step->n, sizeof *step->edges, err);
  step->scores = step->edges ? dm_arena_alloc(f->e->memory, step->n, sizeof *step->scores, err) : NULL;
  if (!step->scores) return DM_EBUDGET;
  if (n) (void)find_knots(f->x, n, step->edges, step->scores);
  return DM_OK;
}

/* Inner edges of bins of equal counts; equal edges fall together. */
static dm_status fit_bins(fitting *f, dm_step *step, size_t n, dm_error *err) {
  size_t bins = f->o->quantile_bins;
  step->kind = DM_STEP_BINS;
  step->edges = dm_arena_alloc(f->e->memory, bins, sizeof *step->edges, err);
  if (!step->edges) return DM_EBUDGET;
  if (n == 0) return DM_OK;
  sort_column(f, n);
  double last = f->x[0];
  for (size_t i = 1; i < bins; i++) {
    double edge = quantile_of(f->x, n, (double)i / (double)bins * (double)(n - 1));
    if (!(edge > last) || !(edge < f->x[n - 1])) continue;
    step->edges[step->n++] = last = edge;
  }
  return DM_OK;
}

static dm_status too_far(const char *name, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "column '%s': its values reach too far for double to be imputed or scaled", name);
  dm_error_hint(err, "take logarithms or another unit in a recipe");
  return DM_EINPUT;
}

static dm_status fit_number(fitting *f, const dm_frame_column *c, const size_t *rows, dm_step *step, dm_error *err) {
  gather(f, c->values, rows);
  size_t n = impute(f, step, c->name);
  if (isinf(step->fill)) return too_far(c->name, err);
  step->indicator = f->o->indicators && f->n_present < f->n;
  if (f->o->quantile_bins) return fit_bins(f, step, n, err);
  step->kind = f->o->scale == DM_SCALE_ROBUST ? DM_STEP_ROBUST : DM_STEP_NUMBER;
  step->scale = 1;
  if (f->o->scale == DM_SCALE_QUANTILE) {
    dm_status s = fit_quantiles(f, step, n, err);
    if (s != DM_OK) return s;
  } else {
    fit_scale(f, step, n);
  }
  bool finite = isfinite(step->center) && isfinite(step->scale) && step->scale > 0;
  return finite ? DM_OK : too_far(c->name, err);
}

/* ---- categories --------------------------------------------------------------- */

/* Which levels have a code of their own. */
typedef struct kept_levels {
  size_t n;
  uint32_t least; /* count that a level needs */
  size_t ties;    /* levels of just that count that are kept: the first */
} kept_levels;

static size_t n_frequent(const dm_distinct *d, uint32_t count) {
  size_t n = 0;
  for (size_t i = 0; i < d->k; i++) n += d->counts[i] >= count;
  return n;
}

static kept_levels choose_levels(const dm_distinct *d, size_t max_levels) {
  if (max_levels == 0 || d->k <= max_levels) return (kept_levels){.n = d->k};
  uint32_t enough = 1, too_few = UINT32_MAX; /* n_frequent(enough) > max_levels >= n_frequent(too_few) */
  while (too_few - enough > 1) {
    uint32_t middle = enough + (too_few - enough) / 2;
    if (n_frequent(d, middle) > max_levels)
      enough = middle;
    else
      too_few = middle;
  }
  return (kept_levels){max_levels, enough, max_levels - n_frequent(d, too_few)};
}

static dm_status fit_category(fitting *f, const dm_frame_column *c, const size_t *rows, dm_step *step, dm_error *err) {
  gather(f, c->values, rows);
  dm_distinct_run(&f->distinct, f->n_present, f->x);
  const dm_distinct *d = &f->distinct;
  step->kind = f->o->categories == DM_CODE_ONE_HOT ? DM_STEP_ONE_HOT : DM_STEP_ORDINAL;
  step->fill = (double)NAN;
  if (f->o->impute_category == DM_IMPUTE_MODE && d->k) step->fill = mode_of(d);
  step->missing_level = f->o->impute_category == DM_IMPUTE_CONSTANT;
  step->other = f->o->other;
  kept_levels kept = choose_levels(d, f->o->max_levels);
  step->seen = dm_arena_alloc(f->e->memory, kept.n, sizeof *step->seen, err);
  if (!step->seen) return DM_EBUDGET;
  for (size_t i = 0; i < d->k; i++) {
    bool tie = d->counts[i] == kept.least;
    if (d->counts[i] < kept.least || (tie && kept.ties == 0)) continue;
    kept.ties -= tie;
    step->seen[step->n++] = (uint32_t)d->values[i];
  }
  return DM_OK;
}

/* Bytes of a level that a name shows: 200 at most, no letter cut in two. */
static int shown_length(dm_str level) {
  size_t n = level.n < 200 ? level.n : 200;
  while (n && n < level.n && ((unsigned char)level.p[n] & 0xC0) == 0x80) n--;
  return (int)n;
}

static dm_status name_outputs(dm_encoder *e, size_t input, const dm_frame_column *c, dm_error *err) {
  const dm_step *step = &e->steps[input];
  for (size_t k = 0; k < step->n_outputs; k++) {
    char *name;
    if (step->indicator && k == 1) {
      name = dm_arena_printf(e->memory, err, "%s missing", c->name);
    } else if (step->kind != DM_STEP_ONE_HOT) {
      name = dm_arena_strdup(e->memory, c->name, strlen(c->name), err);
    } else if (k == step->n) {
      name = dm_arena_printf(e->memory, err, "%s=(missing)", c->name);
    } else {
      dm_str level = c->levels.names[step->seen[k]];
      name = dm_arena_printf(e->memory, err, "%s=%.*s", c->name, shown_length(level), level.p);
    }
    if (!name) return DM_EBUDGET;
    e->names[step->output + k] = name;
  }
  return DM_OK;
}

static dm_status check_options(const dm_encode_options *o, dm_error *err) {
  if (o->categories == DM_CODE_QUANTILE) return dm_fail(err, DM_EUSAGE, "encoder: categories have no quantiles; want one-hot or ordinal");
  if (o->impute_category == DM_IMPUTE_MEAN || o->impute_category == DM_IMPUTE_MEDIAN)
    return dm_fail(err, DM_EUSAGE, "encoder: categories have no mean and no median; want none, mode or constant");
  if (o->other && o->categories != DM_CODE_ORDINAL) return dm_fail(err, DM_EUSAGE, "encoder: `other` is a code of ordinal categories");
  if (o->quantile_bins == 1) return dm_fail(err, DM_EUSAGE, "encoder: quantile bins = 1, want 2 or more, or 0 for none");
  if (o->impute_numeric == DM_IMPUTE_CONSTANT && !isfinite(o->constant))
    return dm_fail(err, DM_EUSAGE, "encoder: constant = %g, want a finite number", o->constant);
  return DM_OK;
}

dm_status dm_encoder_fit(dm_ctx *ctx, const dm_frame *frame, const size_t *columns, size_t d, const size_t *rows, size_t n,
                         const dm_encode_options *options, dm_encoder **out, dm_error *err) {
  fitting f = {.ctx = ctx, .o = options, .n = n};
  dm_status s = check_options(options, err);
  if (s == DM_OK) s = dm_encoder_new(ctx, d, &f.e, err);
  if (s == DM_OK) s = dm_distinct_init(&f.distinct, ctx, n, err);
  if (s == DM_OK && !(f.x = dm_alloc(ctx, n, sizeof *f.x, "encoder", err))) s = DM_EBUDGET;
  for (size_t c = 0; s == DM_OK && c < d; c++) {
    const dm_frame_column *column = &frame->columns[columns[c]];
    s = column->kind == DM_NUMERIC ? fit_number(&f, column, rows, &f.e->steps[c], err)
                                   : fit_category(&f, column, rows, &f.e->steps[c], err);
  }
  if (s == DM_OK) s = dm_encoder_place_outputs(f.e, err);
  for (size_t c = 0; s == DM_OK && c < d; c++) s = name_outputs(f.e, c, &frame->columns[columns[c]], err);
  dm_free(ctx, f.x);
  dm_distinct_clear(&f.distinct);
  if (s != DM_OK) {
    dm_encoder_free(f.e);
    return s;
  }
  *out = f.e;
  return DM_OK;
}
