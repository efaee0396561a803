#include "nn/draw.h"
#include "matrix/kernels/kernels.h"

void nn_draw_uniform(dm_rng *rng, double spread, size_t n, dm_real *w) {
  for (size_t i = 0; i < n; i++) w[i] = (dm_real)(spread * (2 * dm_rng_uniform(rng) - 1));
}

/*
 * The ratio of two uniform numbers is normal where they fall below the curve
 *   u <= exp(-(v/u)^2 / 4)
 * which asks for exp alone.
 * Source: Kinderman & Monahan, ACM Trans. Math. Softw. 3 (1977), the ratio of uniform deviates.
 */
static double normal(dm_rng *rng) {
  const double half_width = 0.8577638849607068; /* sqrt(2 / e) */
  for (;;) {
    double u = 1 - dm_rng_uniform(rng), v = half_width * (2 * dm_rng_uniform(rng) - 1), x = v / u;
    if (dm_k_exp(-x * x / 4) >= u) return x;
  }
}

void nn_draw_normal(dm_rng *rng, double sigma, size_t n, dm_real *w) {
  for (size_t i = 0; i < n; i++) w[i] = (dm_real)(sigma * normal(rng));
}
