/* Gradients and Hessian products against central differences, in double. */
#include <dm/optim.h>

#include <math.h>
#include <string.h>

static const double STEP = 6e-6; /* cube root of the precision of double: truncation and rounding weigh alike */

static double largest(size_t n, const double *x) {
  double m = 0;
  for (size_t i = 0; i < n; i++) m = fmax(m, fabs(x[i]));
  return m;
}

/* The component where analytic and numeric differ most. */
static void worst(size_t n, const double *analytic, const double *numeric, dm_gradient_report *out) {
  double floor = fmax(1e-3 * fmax(largest(n, analytic), largest(n, numeric)), 1e-12);
  *out = (dm_gradient_report){.error = -1};
  for (size_t i = 0; i < n; i++) {
    double error = fabs(analytic[i] - numeric[i]) / fmax(fmax(fabs(analytic[i]), fabs(numeric[i])), floor);
    if (error > out->error) *out = (dm_gradient_report){i, analytic[i], numeric[i], error};
  }
}

static dm_status check_finite(size_t n, const double *x, const char *what, dm_error *err) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i])) return dm_fail(err, DM_EINPUT, "gradient check: %s of parameter %zu is %g, want a finite number", what, i, x[i]);
  return DM_OK;
}

/* @param room [2n]: a copy of w and the differences */
static dm_status differences(const dm_objective *f, const double *w, double *room, dm_error *err) {
  double *at = room, *numeric = room + f->n, up, down;
  memcpy(at, w, f->n * sizeof *at);
  for (size_t i = 0; i < f->n; i++) {
    double h = STEP * fmax(1, fabs(w[i])), high = w[i] + h, low = w[i] - h; /* the steps that double really makes */
    at[i] = high;
    dm_status s = f->evaluate(f->user, at, &up, NULL, err);
    at[i] = low;
    if (s == DM_OK) s = f->evaluate(f->user, at, &down, NULL, err);
    if (s != DM_OK) return s;
    at[i] = w[i];
    numeric[i] = (up - down) / (high - low);
  }
  return check_finite(f->n, numeric, "the difference", err);
}

dm_status dm_gradient_check(dm_ctx *ctx, const dm_objective *f, const double *w, dm_gradient_report *out, dm_error *err) {
  double value, *room = dm_alloc(ctx, f->n, 3 * sizeof *room, "gradient check", err);
  if (!room) return DM_EBUDGET;
  double *gradient = room + 2 * f->n;
  dm_status s = f->evaluate(f->user, w, &value, gradient, err);
  if (s == DM_OK) s = check_finite(f->n, gradient, "the gradient", err);
  if (s == DM_OK) s = differences(f, w, room, err);
  if (s == DM_OK) worst(f->n, gradient, room + f->n, out);
  dm_free(ctx, room);
  return s;
}

dm_status dm_product_check(dm_ctx *ctx, const dm_objective *f, const double *w, const double *v, dm_gradient_report *out, dm_error *err) {
  if (!f->product) return dm_fail(err, DM_EUSAGE, "gradient check: the objective has no Hessian");
  size_t n = f->n;
  double value, *room = dm_alloc(ctx, n, 4 * sizeof *room, "gradient check", err);
  if (!room) return DM_EBUDGET;
  double *at = room, *up = at + n, *down = up + n, *hv = down + n, length = fmax(largest(n, v), 1e-300);
  double h = STEP * fmax(1, largest(n, w)) / length;
  dm_status s = f->product(f->user, w, v, hv, err);
  if (s == DM_OK) s = check_finite(n, hv, "the product", err);
  for (size_t i = 0; i < n; i++) at[i] = w[i] + h * v[i];
  if (s == DM_OK) s = f->evaluate(f->user, at, &value, up, err);
  for (size_t i = 0; i < n; i++) at[i] = w[i] - h * v[i];
  if (s == DM_OK) s = f->evaluate(f->user, at, &value, down, err);
  for (size_t i = 0; i < n; i++) up[i] = (up[i] - down[i]) / (2 * h);
  if (s == DM_OK) s = check_finite(n, up, "the difference", err);
  if (s == DM_OK) worst(n, hv, up, out);
  dm_free(ctx, room);
  return s;
}
