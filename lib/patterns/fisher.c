/*
 * Fisher's exact test by logarithms of factorials.
 *
 *             head        no head
 *   body      both        body - both            | body
 *   no body   head - both total - body - head + both | total - body
 *             head        total - head           | total
 *
 * The probability of one table is (product of the margins' factorials) /
 * (total! product of the cells' factorials). Factorials of millions have
 * logarithms of 10^8, whose differences would keep half of their digits only.
 * So log n! = n log n - n + rest(n) is taken apart: the large parts together
 * are how far each cell is from its expectation, which is small where it
 * matters, and the rests are small in any case.
 *
 * Sources: Fisher, Journal of the Royal Statistical Society 85, 1922; the idea of the deviance: Loader, "Fast and accurate
 * computation of binomial probabilities", 2000.
 */
#include "patterns/fisher.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double TWO_PI = 6.283185307179586477;

/* log n! - (n log n - n): by Stirling's series, from the factorial itself where that has few digits. */
static double rest(double n) {
  static const double factorial[] = {1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600,
                                     6227020800, 87178291200, 1307674368000};
  if (n < 16) return n < 1 ? 0 : log(factorial[(size_t)n]) - n * log(n) + n;
  double r = 1 / n, r2 = r * r;
  return 0.5 * log(TWO_PI * n) + r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260 - r2 * (1.0 / 1680 - r2 / 1188))));
}

/* x log(x / expected) - (x - expected): 0 at x = expected, never negative. */
static double deviance(double x, double expected) {
  if (x <= 0) return expected;
  double d = (x - expected) / expected;
  if (fabs(d) < 0.01) { /* (1 + d) log(1 + d) - d as a series: the difference would lose its digits */
    double d2 = d * d;
    return expected * d2 * (1.0 / 2 - d * (1.0 / 6 - d * (1.0 / 12 - d * (1.0 / 20 - d * (1.0 / 30 - d * (1.0 / 42 - d / 56))))));
  }
  return x * log(x / expected) - (x - expected);
}

/* P(X = x) */
static double probability(double x, double body, double head, double total) {
  double no_body = total - body, no_head = total - head;
  double cell[4] = {x, body - x, head - x, no_head - (body - x)};
  double expected[4] = {body * head / total, body * no_head / total, no_body * head / total, no_body * no_head / total};
  double sum = rest(body) + rest(no_body) + rest(head) + rest(no_head) - rest(total);
  for (size_t i = 0; i < 4; i++) sum -= rest(cell[i]) + deviance(cell[i], expected[i]);
  return exp(sum);
}

double dm_fisher_greater(const dm_rule_counts *c) {
  double x = (double)c->both, body = (double)c->body, head = (double)c->head, total = (double)c->total;
  double others = total - body - head; /* may be negative */
  if (c->both == 0 || x + others <= 0) return 1; /* fewer are impossible */
  if (x * total > body * head) {
    double term = probability(x, body, head, total), sum = term, top = body < head ? body : head;
    for (double i = x; i < top; i++) {
      term *= (body - i) * (head - i) / ((i + 1) * (others + i + 1));
      if (!(term > sum * (DBL_EPSILON / 64))) break;
      sum += term;
    }
    return sum < 1 ? sum : 1;
  }
  double term = probability(x - 1, body, head, total), sum = term, bottom = others < 0 ? -others : 0;
  for (double i = x - 1; i > bottom; i--) { /* below the expectation the other side is the shorter one */
    term *= i * (others + i) / ((body - i + 1) * (head - i + 1));
    if (!(term > sum * (DBL_EPSILON / 64))) break;
    sum += term;
  }
  return sum < 1 ? 1 - sum : 0;
}

typedef struct ranked {
  double p;
  size_t at;
} ranked;

static int by_p(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->p < y->p || x->p > y->p) return x->p < y->p ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

dm_status dm_q_values(dm_ctx *ctx, const double *p, size_t n, double tests, double *q, dm_error *err) {
  ranked *order = dm_alloc(ctx, n ? n : 1, sizeof *order, "q-values", err);
  if (!order) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) order[i] = (ranked){p[i], i};
  qsort(order, n, sizeof *order, by_p);
  double least = 1;
  for (size_t i = n; i-- > 0;) {
    double v = order[i].p * (tests / (double)(i + 1));
    if (v < least) least = v;
    q[order[i].at] = least;
  }
  dm_free(ctx, order);
  return DM_OK;
}
