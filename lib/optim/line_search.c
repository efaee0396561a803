/*
 * Line search for the strong Wolfe conditions
 *
 *   f(a) <= f(0) + c1 a f'(0)      |f'(a)| <= c2 |f'(0)|
 *
 * by bracketing and zooming with safeguarded cubic interpolation. Near a
 * minimum f(a) and f(0) differ by rounding only; there the first condition is
 * asked of the slope, (2 c1 - 1) f'(0) >= f'(a), which keeps its digits.
 *
 * Source: Nocedal & Wright, 2006, Alg. 3.5 and 3.6; Hager & Zhang, 2005, eq. 4.1.
 */
#include "optim/line_search.h"

#include <math.h>

static const double C1 = 1e-4, C2 = 0.9, NOISE = 1e-13;
enum { MAX_BRACKETS = 30, MAX_ZOOMS = 40 };

/* Value and slope at a step. A value that is not finite counts as infinitely high. */
static dm_status look(line *l, double step, line_point *out, dm_error *err) {
  size_t n = l->f->n;
  for (size_t i = 0; i < n; i++) l->at[i] = l->from[i] + step * l->direction[i];
  double value, slope = 0;
  dm_status s = l->f->evaluate(l->f->user, l->at, &value, l->gradient, err);
  if (s != DM_OK) return s;
  l->evaluations++;
  for (size_t i = 0; i < n; i++) slope += l->gradient[i] * l->direction[i];
  if (!isfinite(value) || !isfinite(slope)) value = slope = (double)INFINITY;
  *out = (line_point){step, value, slope};
  return DM_OK;
}

/* Whether the values of the start and of a point differ by no more than rounding. */
static bool is_level(const line *l, const line_point *p) {
  return fabs(p->value - l->start.value) <= NOISE * fmax(fabs(l->start.value), fabs(p->value));
}

/* The first condition, or its stand-in. */
static bool is_low(const line *l, const line_point *p) {
  if (p->value <= l->start.value + C1 * p->step * l->start.slope) return true;
  return is_level(l, p) && p->slope <= (2 * C1 - 1) * l->start.slope;
}

static bool is_flat(const line *l, const line_point *p) { return fabs(p->slope) <= -C2 * l->start.slope; }

/* Minimum of the cubic through two points with their slopes, kept off the ends of the interval. */
static double between(const line_point *a, const line_point *b) {
  double low = fmin(a->step, b->step), high = fmax(a->step, b->step), width = high - low, at = (double)NAN;
  if (isfinite(a->value) && isfinite(b->value)) {
    double d1 = a->slope + b->slope - 3 * (a->value - b->value) / (a->step - b->step);
    double square = d1 * d1 - a->slope * b->slope;
    double d2 = copysign(sqrt(fmax(square, 0)), b->step - a->step);
    at = b->step - (b->step - a->step) * (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
  }
  if (!(at >= low + 0.1 * width)) at = at < low + 0.1 * width ? low + 0.1 * width : low + 0.5 * width; /* NaN: the middle */
  return at > high - 0.1 * width ? high - 0.1 * width : at;
}

/* Alg. 3.6: low satisfies the first condition and has the lower value; a good step lies between. */
static dm_status zoom(line *l, line_point low, line_point high, line_point *out, bool *found, dm_error *err) {
  for (size_t i = 0; i < MAX_ZOOMS && low.step != high.step; i++) {
    line_point p;
    dm_status s = look(l, between(&low, &high), &p, err);
    if (s != DM_OK) return s;
    if (!is_low(l, &p) || (p.value > low.value && !is_level(l, &p))) {
      high = p;
      continue;
    }
    if (is_flat(l, &p)) {
      *out = p;
      *found = true;
      return DM_OK;
    }
    if (p.slope * (high.step - low.step) >= 0) high = low;
    low = p;
  }
  if (!(low.step > 0)) return DM_OK;
  *out = low; /* lower than the start, if not flat: better than nothing */
  *found = true;
  return look(l, low.step, out, err);
}

dm_status dm_line_search(line *l, double first, line_point *out, bool *found, dm_error *err) {
  line_point before = l->start, p;
  double step = first;
  *found = false;
  for (size_t i = 0; i < MAX_BRACKETS; i++) {
    dm_status s = look(l, step, &p, err);
    if (s != DM_OK) return s;
    if (!is_low(l, &p) || (i > 0 && p.value >= before.value && !is_level(l, &p))) return zoom(l, before, p, out, found, err);
    if (is_flat(l, &p)) {
      *out = p;
      *found = true;
      return DM_OK;
    }
    if (p.slope >= 0) return zoom(l, p, before, out, found, err);
    before = p;
    step *= 2;
  }
  return DM_OK; /* falls without end */
}
