#include "core/rng_gsl.h"

static void set(void *state, unsigned long seed) { dm_rng_init(state, seed, 0); }
static unsigned long get(void *state) { return dm_rng_u32(state); }
static double get_double(void *state) { return dm_rng_uniform(state); }

static const gsl_rng_type type = {"dm-philox4x32-10", UINT32_MAX, 0, sizeof(dm_rng), set, get, get_double};
const gsl_rng_type *const dm_rng_gsl_type = &type;

void dm_rng_gsl_use(gsl_rng *r, const dm_rng *rng) { *(dm_rng *)gsl_rng_state(r) = *rng; }
