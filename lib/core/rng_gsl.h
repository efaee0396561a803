/* Philox behind GSL: GSL's distributions draw from a dm_rng. */
#ifndef DM_CORE_RNG_GSL_H
#define DM_CORE_RNG_GSL_H

#include <dm/core.h>
#include <gsl/gsl_rng.h>

/** Generator type for gsl_rng_alloc; gsl_rng_set gives stream 0, dm_rng_gsl_use any other. */
extern const gsl_rng_type *const dm_rng_gsl_type;
/** Makes r continue the sequence of *rng (copied). */
void dm_rng_gsl_use(gsl_rng *r, const dm_rng *rng);

#endif
