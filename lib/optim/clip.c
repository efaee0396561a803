/* Gradients kept within bounds. */
#include <dm/optim.h>

#include <math.h>

enum { CHUNK = 4096 };

double dm_clip_norm(float *g, size_t n, double max) {
  double sum = 0;
  for (size_t from = 0; from < n; from += CHUNK) {
    double part = 0;
    for (size_t i = from; i < n && i < from + CHUNK; i++) part += (double)g[i] * (double)g[i];
    sum += part;
  }
  double norm = sqrt(sum), scale = max / (norm + 1e-6);
  if (isfinite(norm) && scale < 1)
    for (size_t i = 0; i < n; i++) g[i] *= (float)scale;
  return norm;
}

void dm_clip_value(float *g, size_t n, double max) {
  float high = (float)max, low = -high;
  for (size_t i = 0; i < n; i++) g[i] = g[i] > high ? high : g[i] < low ? low : g[i];
}
