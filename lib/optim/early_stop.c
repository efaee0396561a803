/* Early stopping: the weights of the best loss are kept, and come back at the end. */
#include <dm/optim.h>

#include <math.h>
#include <string.h>

struct dm_early_stop {
  dm_ctx *ctx;
  size_t n;
  uint64_t patience, seen, best_at; /* observations */
  double min_delta, best;
  float *weights; /* [n] */
};

dm_status dm_early_stop_new(dm_ctx *ctx, size_t n, uint64_t patience, double min_delta, dm_early_stop **out, dm_error *err) {
  if (!(min_delta >= 0) || isinf(min_delta))
    return dm_fail(err, DM_EUSAGE, "early stopping: min-delta = %g, want a number >= 0", min_delta);
  dm_early_stop *e = dm_alloc(ctx, 1, sizeof *e, "early stopping", err);
  if (!e) return DM_EBUDGET;
  *e = (dm_early_stop){.ctx = ctx, .n = n, .patience = patience, .min_delta = min_delta, .best = (double)INFINITY};
  if (!(e->weights = dm_alloc(ctx, n, sizeof *e->weights, "early stopping", err))) {
    dm_free(ctx, e);
    return DM_EBUDGET;
  }
  *out = e;
  return DM_OK;
}

void dm_early_stop_free(dm_early_stop *e) {
  if (!e) return;
  dm_free(e->ctx, e->weights);
  dm_free(e->ctx, e);
}

bool dm_early_stop_observe(dm_early_stop *e, double loss, const float *w) {
  uint64_t at = e->seen++;
  if (loss < e->best && (isinf(e->best) || loss < e->best - e->min_delta)) {
    e->best = loss;
    e->best_at = at;
    if (e->n) memcpy(e->weights, w, e->n * sizeof *w);
    return false;
  }
  uint64_t waited = isinf(e->best) ? e->seen : at - e->best_at;
  return waited > e->patience;
}

double dm_early_stop_best(const dm_early_stop *e, uint64_t *at) {
  if (at) *at = e->best_at;
  return e->best;
}

bool dm_early_stop_restore(const dm_early_stop *e, float *w) {
  if (isinf(e->best)) return false;
  if (e->n) memcpy(w, e->weights, e->n * sizeof *w);
  return true;
}

void dm_early_stop_state_of(const dm_early_stop *e, dm_early_stop_state *out) {
  *out = (dm_early_stop_state){.seen = e->seen, .best_at = e->best_at, .best = e->best, .weights = e->weights};
}

dm_status dm_early_stop_resume(dm_early_stop *e, const dm_early_stop_state *state, dm_error *err) {
  bool none = isinf(state->best) && state->best > 0;
  if (isnan(state->best) || (none ? state->best_at != 0 : state->best_at >= state->seen))
    return dm_fail(err, DM_EINPUT, "early stopping: a state with the best loss %g at observation %llu of %llu", state->best,
                   (unsigned long long)state->best_at, (unsigned long long)state->seen);
  for (size_t i = 0; i < e->n; i++)
    if (!isfinite(state->weights[i])) return dm_fail(err, DM_EINPUT, "early stopping: weight %zu of the best is not finite", i);
  if (e->n) memcpy(e->weights, state->weights, e->n * sizeof *e->weights);
  e->seen = state->seen;
  e->best_at = state->best_at;
  e->best = state->best;
  return DM_OK;
}
