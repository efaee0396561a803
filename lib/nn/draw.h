/* Random numbers that parameters start from: the same on every machine, as no libm is asked. */
#ifndef DM_NN_DRAW_H
#define DM_NN_DRAW_H

#include "matrix/real.h"

#include <dm/core.h>

/** w [n] uniform in ±spread. */
void nn_draw_uniform(dm_rng *rng, double spread, size_t n, dm_real *w);
/** w [n] normal with mean 0 and deviation sigma. */
void nn_draw_normal(dm_rng *rng, double sigma, size_t n, dm_real *w);

#endif
