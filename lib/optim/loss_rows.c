/*
 * Losses of a whole batch, as nets want them. Squared errors and softmax, which
 * have many scores a row or a batch, have loops of their own; the others go
 * through the table's functions.
 */
#include <dm/optim.h>

#include <math.h>
#include <string.h>

enum { LANES = 8 };

/* (s - y)^2 / 2, scores side by side: partial sums in fixed lanes, added in their order */
static double squared_side_by_side(size_t n, const float *s, const float *y, double scale, float *g) {
  double lane[LANES] = {0}, sum = 0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t l = 0; l < LANES; l++) {
      double r = (double)s[i + l] - (double)y[i + l];
      lane[l] += r * r / 2;
      if (g) g[i + l] = (float)(scale * r);
    }
  for (; i < n; i++) {
    double r = (double)s[i] - (double)y[i];
    sum += r * r / 2;
    if (g) g[i] = (float)(scale * r);
  }
  for (size_t l = 0; l < LANES; l++) sum += lane[l];
  return sum;
}

/* log(sum_j exp(s_j)) - (1 - p) s_y - p mean(s) of one row; exponentials are kept in g */
static double softmax_row(size_t k, const float *s, size_t truth, double p, double scale, float *g) {
  double top = (double)s[0], sum = 0, mean = 0;
  for (size_t c = 1; c < k; c++) top = (double)s[c] > top ? (double)s[c] : top;
  for (size_t c = 0; c < k; c++) {
    double e = exp((double)s[c] - top);
    sum += e;
    if (g) g[c] = (float)e;
  }
  if (g) {
    float part = (float)(scale / sum), even = (float)(scale * p / (double)k);
    for (size_t c = 0; c < k; c++) g[c] = g[c] * part - even;
    g[truth] -= (float)(scale * (1 - p));
  }
  for (size_t c = 0; p > 0 && c < k; c++) mean += ((double)s[c] - (double)s[truth]) / (double)k;
  return top - (double)s[truth] + log(sum) - p * mean;
}

double dm_loss_rows(const dm_loss *loss, double p, size_t n, size_t k, const float *s, size_t s_row, const float *y, const float *weights,
                    double scale, float *g, size_t g_row) {
  double sum = 0;
  if (strcmp(loss->name, "squared") == 0 && !weights && s_row == 1 && (!g || g_row == 1)) return squared_side_by_side(n, s, y, scale, g);
  bool many = loss->many;
  for (size_t i = 0; i < n; i++) {
    double w = weights ? (double)weights[i] : 1;
    float *at = g ? g + i * g_row : NULL;
    if (many) {
      sum += w * softmax_row(k, s + i * s_row, (size_t)y[i], p, scale * w, at);
      continue;
    }
    double z = (double)s[i * s_row], gradient;
    sum += w * loss->value(1, &z, (double)y[i], p);
    if (!at) continue;
    loss->gradient(1, &z, (double)y[i], p, &gradient);
    *at = (float)(scale * w * gradient);
  }
  return sum;
}
