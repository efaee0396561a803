/*
 * Numbers into intervals for rules of classes.
 *
 * By classes: a range of values is cut where the classes on both sides are
 * purest, as long as that says more than it costs to write down the cut, and
 * both sides are looked at again. With N values, entropy E and c classes in the
 * range, E1, c1 and E2, c2 in its sides, a cut stays when
 *
 *   E - (N1 E1 + N2 E2) / N  >  (log2(N - 1) + log2(3^c - 2) - (c E - c1 E1 - c2 E2)) / N
 *
 * A column where no cut stays, which may still tell something beside others, is
 * cut into quarters.
 *
 * Source: Fayyad & Irani, Multi-interval discretization of continuous-valued
 * attributes for classification learning, IJCAI 1993.
 */
#include "patterns/cba.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_BINS = 4 };

typedef struct point {
  double x;
  uint32_t y;
} point;

/* Distinct values with the rows of each class up to them. */
typedef struct values {
  size_t n, k;
  double *x;
  uint32_t *below; /* [n + 1, k] rows with a value before the i-th */
} values;

typedef struct range {
  size_t from, to; /* values from … to - 1 */
} range;

static int by_value(const void *a, const void *b) {
  const point *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->y > q->y) - (p->y < q->y);
}

static void fill_values(values *v, const point *points, size_t n) {
  v->n = 0;
  for (size_t i = 0; i < n; i++) {
    if (!v->n || points[i].x != v->x[v->n - 1]) {
      v->x[v->n++] = points[i].x;
      memcpy(v->below + v->n * v->k, v->below + (v->n - 1) * v->k, v->k * sizeof *v->below);
    }
    v->below[v->n * v->k + points[i].y]++;
  }
}

/* Bits a row of a range needs for its class. @param classes out: how many there are @param rows out */
static double entropy(const values *v, size_t from, size_t to, double *classes, double *rows) {
  const uint32_t *low = v->below + from * v->k, *high = v->below + to * v->k;
  double sum = 0, n = 0, some = 0;
  for (size_t c = 0; c < v->k; c++) {
    double count = (double)(high[c] - low[c]);
    n += count;
    some += count > 0;
    if (count > 0) sum += count * log2(count);
  }
  *classes = some;
  *rows = n;
  return n > 0 ? log2(n) - sum / n : 0;
}

/* Neighbours of which all rows are of one class: the best cut is never between them. */
static bool is_inside(const values *v, size_t at) {
  size_t own = SIZE_MAX;
  for (size_t c = 0; c < v->k; c++) {
    if (v->below[(at + 1) * v->k + c] == v->below[(at - 1) * v->k + c]) continue;
    if (own != SIZE_MAX) return false;
    own = c;
  }
  return true;
}

/* Where a range is best cut: before the value that comes out; `from` when no cut stays. */
static size_t best_cut(const values *v, range r) {
  double c, n, c1, n1, c2, n2, whole = entropy(v, r.from, r.to, &c, &n), least = INFINITY;
  size_t best = r.from;
  for (size_t at = r.from + 1; at < r.to; at++) {
    if (is_inside(v, at)) continue;
    double e1 = entropy(v, r.from, at, &c1, &n1), e2 = entropy(v, at, r.to, &c2, &n2), split = (n1 * e1 + n2 * e2) / n;
    if (split < least) {
      least = split;
      best = at;
    }
  }
  if (best == r.from) return best;
  double e1 = entropy(v, r.from, best, &c1, &n1), e2 = entropy(v, best, r.to, &c2, &n2);
  double ways = c < 30 ? log2(pow(3, c) - 2) : c * log2(3);
  return whole - least > (log2(n - 1) + ways - (c * whole - c1 * e1 - c2 * e2)) / n ? best : r.from;
}

/* The number between two values at which the column is cut. */
static double cut_between(double low, double high) {
  double cut = low + (high - low) / 2;
  return cut < high && cut >= low ? cut : low; /* neighbours in double, or so far apart that their distance is infinite */
}

static size_t cut_by_classes(const values *v, range *waiting, bool *is_cut) {
  size_t n = 0, cuts = 0;
  waiting[n++] = (range){0, v->n};
  while (n) {
    range r = waiting[--n];
    size_t at = best_cut(v, r);
    if (at == r.from) continue;
    is_cut[at] = true;
    cuts++;
    waiting[n++] = (range){r.from, at};
    waiting[n++] = (range){at, r.to};
  }
  return cuts;
}

static double rows_below(const values *v, size_t at) {
  double rows = 0;
  for (size_t c = 0; c < v->k; c++) rows += v->below[at * v->k + c];
  return rows;
}

/* Bins of about equal counts: cuts before those values that are nearest to the shares. */
static size_t cut_by_counts(const values *v, size_t bins, bool *is_cut) {
  double rows = rows_below(v, v->n);
  size_t at = 1, cuts = 0;
  for (size_t b = 1; b < bins && v->n > 1; b++) {
    double share = rows * (double)b / (double)bins;
    while (at + 1 < v->n && fabs(rows_below(v, at + 1) - share) < fabs(rows_below(v, at) - share)) at++;
    cuts += !is_cut[at];
    is_cut[at] = true;
  }
  return cuts;
}

static dm_status find_cuts(dm_ctx *ctx, const values *v, size_t bins, double **cuts, size_t *n_cuts, dm_error *err) {
  dm_status s = DM_EBUDGET;
  range *waiting = dm_alloc(ctx, v->n + 2, sizeof *waiting, "cuts", err);
  bool *is_cut = waiting ? dm_alloc(ctx, v->n + 1, sizeof *is_cut, "cuts", err) : NULL;
  if (!is_cut) goto done;
  size_t n = bins ? cut_by_counts(v, bins, is_cut) : cut_by_classes(v, waiting, is_cut);
  if (!n && !bins) n = cut_by_counts(v, FEW_BINS, is_cut);
  s = DM_OK;
  if (!n) goto done;
  double *out = dm_alloc(ctx, n, sizeof *out, "cuts", err);
  if (!out) {
    s = DM_EBUDGET;
    goto done;
  }
  n = 0;
  for (size_t i = 1; i < v->n; i++)
    if (is_cut[i]) out[n++] = cut_between(v->x[i - 1], v->x[i]);
  *cuts = out;
  *n_cuts = n;
done:
  dm_free(ctx, waiting);
  dm_free(ctx, is_cut);
  return s;
}

dm_status cba_cuts(dm_ctx *ctx, const double *x, const uint32_t *y, size_t n, size_t k, size_t bins, double **cuts, size_t *n_cuts,
                   dm_error *err) {
  values v = {.k = k};
  dm_status s = DM_EBUDGET;
  size_t m = 0;
  *cuts = NULL;
  *n_cuts = 0;
  point *points = dm_alloc(ctx, n, sizeof *points, "cuts", err);
  if (!points) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++)
    if (x[i] == x[i]) points[m++] = (point){x[i], y[i]};
  qsort(points, m, sizeof *points, by_value);
  size_t distinct = 0;
  for (size_t i = 0; i < m; i++) distinct += i == 0 || points[i].x != points[i - 1].x;
  v.x = dm_alloc(ctx, distinct, sizeof *v.x, "cuts", err);
  v.below = v.x ? dm_alloc(ctx, distinct + 1, k * sizeof *v.below, "cuts", err) : NULL;
  if (v.below) {
    fill_values(&v, points, m);
    s = find_cuts(ctx, &v, bins, cuts, n_cuts, err);
  }
  dm_free(ctx, points);
  dm_free(ctx, v.x);
  dm_free(ctx, v.below);
  return s;
}
