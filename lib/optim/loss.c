/*
 * The table of losses: value, gradient and Hessian of each stand together.
 *
 * Exponentials are taken of numbers <= 0 only, so that nothing overflows on
 * the way to a finite result.
 */
#include <dm/optim.h>
#include <dm/text.h>

#include <math.h>
#include <string.h>

#define NONE ((double)NAN)
#define UNBOUNDED ((double)INFINITY)

/* ---- numbers --------------------------------------------------------------- */

/* (s - y)^2 / 2 */
static double squared_value(size_t k, const double *s, double y, double p) {
  (void)k, (void)p;
  return (s[0] - y) * (s[0] - y) / 2;
}

static void squared_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k, (void)p;
  g[0] = s[0] - y;
}

static void squared_diagonal(size_t k, const double *s, double y, double p, double *h) {
  (void)k, (void)s, (void)y, (void)p;
  h[0] = 1;
}

/* |s - y| */
static double absolute_value(size_t k, const double *s, double y, double p) {
  (void)k, (void)p;
  return fabs(s[0] - y);
}

static void absolute_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k, (void)p;
  g[0] = (s[0] > y) - (s[0] < y);
}

/* r^2 / 2 for |r| <= p, else p (|r| - p / 2) */
static double huber_value(size_t k, const double *s, double y, double p) {
  (void)k;
  double r = fabs(s[0] - y);
  return r <= p ? r * r / 2 : p * (r - p / 2);
}

static void huber_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k;
  g[0] = fmin(fmax(s[0] - y, -p), p);
}

static void huber_diagonal(size_t k, const double *s, double y, double p, double *h) {
  (void)k;
  h[0] = fabs(s[0] - y) <= p;
}

/* max(p r, (p - 1) r), r = y - s */
static double quantile_value(size_t k, const double *s, double y, double p) {
  (void)k;
  double r = y - s[0];
  return r >= 0 ? p * r : (p - 1) * r;
}

static void quantile_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k;
  g[0] = s[0] < y ? -p : s[0] > y ? 1 - p : 0;
}

/* max(0, |s - y| - p) */
static double insensitive_value(size_t k, const double *s, double y, double p) {
  (void)k;
  return fmax(fabs(s[0] - y) - p, 0);
}

static void insensitive_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k;
  g[0] = (s[0] - y > p) - (y - s[0] > p);
}

/* ---- two classes -------------------------------------------------------------- */

/* 1 / (1 + exp(-s)) */
static double sigmoid(double s) {
  double e = exp(-fabs(s));
  return (s >= 0 ? 1 : e) / (1 + e);
}

/* The share of class 1 that is learned: y itself, or p/2 nearer the middle. */
static double smooth(double y, double p) { return p > 0 ? y + p * (0.5 - y) : y; }

/* log(1 + exp(s)) - y s */
static double logistic_value(size_t k, const double *s, double y, double p) {
  (void)k;
  y = smooth(y, p);
  double tail = log1p(exp(-fabs(s[0])));
  return s[0] >= 0 ? (1 - y) * s[0] + tail : tail - y * s[0];
}

/* For y = 1 as -sigmoid(-s): the difference would lose all digits where s is large. */
static void logistic_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k;
  y = smooth(y, p);
  g[0] = y == 1 ? -sigmoid(-s[0]) : sigmoid(s[0]) - y;
}

static void logistic_diagonal(size_t k, const double *s, double y, double p, double *h) {
  (void)k, (void)y, (void)p;
  h[0] = sigmoid(s[0]) * sigmoid(-s[0]);
}

/* max(0, 1 - t s), t = 2 y - 1 */
static double hinge_value(size_t k, const double *s, double y, double p) {
  (void)k, (void)p;
  return fmax(1 - (2 * y - 1) * s[0], 0);
}

static void hinge_gradient(size_t k, const double *s, double y, double p, double *g) {
  (void)k, (void)p;
  double t = 2 * y - 1;
  g[0] = t * s[0] < 1 ? -t : 0;
}

/* max(0, 1 - t s)^2 */
static double squared_hinge_value(size_t k, const double *s, double y, double p) {
  double v = hinge_value(k, s, y, p);
  return v * v;
}

static void squared_hinge_gradient(size_t k, const double *s, double y, double p, double *g) {
  g[0] = -2 * (2 * y - 1) * hinge_value(k, s, y, p);
}

static void squared_hinge_diagonal(size_t k, const double *s, double y, double p, double *h) {
  h[0] = hinge_value(k, s, y, p) > 0 ? 2 : 0;
}

/* ---- many classes ---------------------------------------------------------------- */

static double largest(size_t k, const double *s) {
  double m = s[0];
  for (size_t c = 1; c < k; c++) m = s[c] > m ? s[c] : m;
  return m;
}

/* Probabilities exp(s_c) / sum exp(s_j) into q; q may be s. */
static void softmax(size_t k, const double *s, double *q) {
  double m = largest(k, s), sum = 0;
  for (size_t c = 0; c < k; c++) sum += q[c] = exp(s[c] - m);
  for (size_t c = 0; c < k; c++) q[c] /= sum;
}

/* log(sum_j exp(s_j)) - (1 - p) s_y - p mean(s); the class of the largest score is left out of log1p's sum. */
static double softmax_value(size_t k, const double *s, double y, double p) {
  size_t top = 0;
  double rest = 0, spread = 0;
  for (size_t c = 1; c < k; c++) top = s[c] > s[top] ? c : top;
  for (size_t c = 0; c < k; c++) rest += c == top ? 0 : exp(s[c] - s[top]);
  for (size_t c = 0; p > 0 && c < k; c++) spread += (s[(size_t)y] - s[c]) / (double)k;
  return s[top] - s[(size_t)y] + log1p(rest) + p * spread;
}

/* q - e_y; for the true class minus the sum of the others, which keeps its digits. */
static void softmax_gradient(size_t k, const double *s, double y, double p, double *g) {
  size_t truth = (size_t)y;
  double others = 0;
  softmax(k, s, g);
  for (size_t c = 0; c < k; c++) others += c == truth ? 0 : g[c];
  g[truth] = -others;
  if (p > 0) {
    for (size_t c = 0; c < k; c++) g[c] -= p / (double)k;
    g[truth] += p;
  }
}

static void softmax_diagonal(size_t k, const double *s, double y, double p, double *h) {
  (void)y, (void)p;
  softmax(k, s, h);
  for (size_t c = 0; c < k; c++) h[c] *= 1 - h[c];
}

/* q (v - q'v) */
static void softmax_product(size_t k, const double *s, double y, double p, const double *v, double *hv) {
  (void)y, (void)p;
  double mean = 0;
  softmax(k, s, hv);
  for (size_t c = 0; c < k; c++) mean += hv[c] * v[c];
  for (size_t c = 0; c < k; c++) hv[c] *= v[c] - mean;
}

/* ---- products of losses of one score: diagonal times v ----------------------------- */

static void squared_product(size_t k, const double *s, double y, double p, const double *v, double *hv) {
  squared_diagonal(k, s, y, p, hv);
  hv[0] *= v[0];
}

static void huber_product(size_t k, const double *s, double y, double p, const double *v, double *hv) {
  huber_diagonal(k, s, y, p, hv);
  hv[0] *= v[0];
}

static void logistic_product(size_t k, const double *s, double y, double p, const double *v, double *hv) {
  logistic_diagonal(k, s, y, p, hv);
  hv[0] *= v[0];
}

static void squared_hinge_product(size_t k, const double *s, double y, double p, const double *v, double *hv) {
  squared_hinge_diagonal(k, s, y, p, hv);
  hv[0] *= v[0];
}

/* ---- the table ------------------------------------------------------------------------ */

const dm_loss dm_losses[] = {
    {"squared", false, false, NONE, 0, false, squared_value, squared_gradient, squared_diagonal, squared_product},
    {"absolute", false, false, NONE, 0, false, absolute_value, absolute_gradient, NULL, NULL},
    {"huber", false, false, 1, UNBOUNDED, false, huber_value, huber_gradient, huber_diagonal, huber_product},
    {"quantile", false, false, 0.5, 1, false, quantile_value, quantile_gradient, NULL, NULL},
    {"epsilon_insensitive", false, false, 0.1, UNBOUNDED, true, insensitive_value, insensitive_gradient, NULL, NULL},
    {"logistic", true, false, 0, 1, true, logistic_value, logistic_gradient, logistic_diagonal, logistic_product},
    {"hinge", true, false, NONE, 0, false, hinge_value, hinge_gradient, NULL, NULL},
    {"squared_hinge", true, false, NONE, 0, false, squared_hinge_value, squared_hinge_gradient, squared_hinge_diagonal, squared_hinge_product},
    {"softmax", true, true, 0, 1, true, softmax_value, softmax_gradient, softmax_diagonal, softmax_product},
    {0},
};

const dm_loss *dm_loss_find(const char *name, dm_error *err) {
  const char *names[sizeof dm_losses / sizeof *dm_losses];
  size_t n = 0;
  for (; dm_losses[n].name; n++) {
    if (strcmp(dm_losses[n].name, name) == 0) return &dm_losses[n];
    names[n] = dm_losses[n].name;
  }
  (void)dm_fail(err, DM_EUSAGE, "loss '%s' is not known", name);
  const char *near = dm_text_nearest(name, names, n);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return NULL;
}

dm_status dm_loss_check(const dm_loss *loss, double p, dm_error *err) {
  if (isnan(loss->otherwise)) return DM_OK;
  if ((p > 0 || (loss->zero && p == 0)) && p < loss->max) return DM_OK;
  if (isinf(loss->max)) return dm_fail(err, DM_EUSAGE, "%s: parameter = %g, want %s 0", loss->name, p, loss->zero ? ">=" : ">");
  return dm_fail(err, DM_EUSAGE, "%s: parameter = %g, want %s 0 and < %g", loss->name, p, loss->zero ? ">=" : ">", loss->max);
}
