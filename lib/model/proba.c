/* Probabilities by our own exp in a fixed order, the same on every CPU. */
#include "model/proba.h"
#include "matrix/kernels/kernels.h"

#include <math.h>

void dm_proba_of_score(double z, double p[2]) {
  double e = dm_k_exp(-fabs(z)), large = 1 / (1 + e), small = e / (1 + e);
  p[0] = z >= 0 ? small : large;
  p[1] = z >= 0 ? large : small;
}

void dm_proba_of_scores(double *z, size_t k) {
  double top = z[0], sum = 0;
  for (size_t c = 1; c < k; c++) top = z[c] > top ? z[c] : top;
  for (size_t c = 0; c < k; c++) sum += z[c] = dm_k_exp(z[c] - top);
  for (size_t c = 0; c < k; c++) z[c] /= sum;
}

/* Backwards, as codes are never less than places. */
void dm_proba_spread(const uint32_t *classes, size_t fitted, double *p, size_t k) {
  if (fitted == k) return;
  for (size_t c = k, at = fitted; c-- > 0;) {
    bool is_fitted = at > 0 && classes[at - 1] == c;
    p[c] = is_fitted ? p[--at] : 0;
  }
}

size_t dm_proba_best(const double *p, size_t k) {
  size_t best = 0;
  for (size_t c = 1; c < k; c++)
    if (p[c] > p[best]) best = c;
  return best;
}
