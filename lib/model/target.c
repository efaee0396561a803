/* Targets of supervised learners: classes to places, numbers to deviations. */
#include "model/target.h"

#include <math.h>

typedef struct job {
  dm_ctx *ctx;
  const char *name;
  const dm_dataset *data;
  dm_learned *out;
} job;

static double weight_of(const job *j, size_t i) { return j->data->weights ? j->data->weights[i] : 1; }

static dm_status refuse(const job *j, const char *what, const char *hint, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "%s: %s", j->name, what);
  if (hint) dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

static dm_status read_weights(const job *j, dm_error *err) {
  double total = 0;
  for (size_t i = 0; i < j->data->n; i++) {
    double w = weight_of(j, i);
    if (!(w >= 0) || isinf(w)) return dm_fail(err, DM_EINPUT, "%s: the weight of row %zu is %g, want >= 0", j->name, i + 1, w);
    total += w;
  }
  j->out->total = total;
  if (isinf(total)) return refuse(j, "the weights add up to more than double holds", NULL, err);
  return total > 0 ? DM_OK : refuse(j, "all weights are 0", NULL, err);
}

/* Classes with rows that weigh get places 0, 1, … in the order of their codes. */
static dm_status read_classes(const job *j, size_t max_classes, dm_error *err) {
  size_t k = j->data->n_classes;
  const double *target = j->data->target;
  dm_learned *out = j->out;
  if (k > max_classes) return dm_fail(err, DM_EINPUT, "%s: the target has %zu classes, want at most %zu", j->name, k, max_classes);
  uint32_t *place = dm_alloc(j->ctx, k, sizeof *place, "classes", err);
  out->classes = place ? dm_alloc(j->ctx, k, sizeof *out->classes, "classes", err) : NULL;
  dm_status s = out->classes ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < j->data->n; i++) {
    if (target[i] >= 0 && target[i] < (double)k)
      place[(size_t)target[i]] |= weight_of(j, i) > 0;
    else
      s = dm_fail(err, DM_EINPUT, "%s: row %zu has no class", j->name, i + 1);
  }
  for (size_t c = 0; s == DM_OK && c < k; c++) {
    if (!place[c]) continue;
    place[c] = (uint32_t)out->fitted;
    out->classes[out->fitted++] = (uint32_t)c;
  }
  for (size_t i = 0; s == DM_OK && i < j->data->n; i++) out->y[i] = (double)place[(size_t)target[i]];
  dm_free(j->ctx, place);
  if (s == DM_OK && out->fitted < 2)
    s = refuse(j, "all rows are of one class: nothing to learn", "look at the target column, or at the rows that were selected", err);
  return s;
}

/* The target in units of its deviation: tolerances and rates mean the same for every target. */
static dm_status read_numbers(const job *j, dm_error *err) {
  const double *target = j->data->target;
  double mean = 0, square = 0, total = j->out->total;
  for (size_t i = 0; i < j->data->n; i++) {
    if (!isfinite(target[i]))
      return dm_fail(err, DM_EINPUT, "%s: the target of row %zu is %s", j->name, i + 1, isnan(target[i]) ? "missing" : "infinite");
    mean += weight_of(j, i) / total * target[i];
  }
  for (size_t i = 0; i < j->data->n; i++) square += weight_of(j, i) / total * (target[i] - mean) * (target[i] - mean);
  if (!isfinite(mean) || !isfinite(square)) return refuse(j, "the target reaches too far for double to be averaged", "take logarithms or another unit in a recipe", err);
  j->out->mean = mean;
  j->out->scale = square > 0 ? sqrt(square) : 1;
  for (size_t i = 0; i < j->data->n; i++) j->out->y[i] = (target[i] - mean) / j->out->scale;
  return DM_OK;
}

dm_status dm_learned_read(dm_ctx *ctx, const char *name, const dm_dataset *data, size_t max_classes, dm_learned *out, dm_error *err) {
  job j = {ctx, name, data, out};
  *out = (dm_learned){0};
  if (!data->target) return refuse(&j, "there is no target", "name one with --target", err);
  if (data->n < 2) return dm_fail(err, DM_EINPUT, "%s: %zu row%s to learn from, want 2 or more", name, data->n, data->n == 1 ? "" : "s");
  dm_status s = read_weights(&j, err);
  if (s == DM_OK && !(out->y = dm_alloc(ctx, data->n, sizeof *out->y, "target", err))) s = DM_EBUDGET;
  if (s == DM_OK) s = data->n_classes ? read_classes(&j, max_classes, err) : read_numbers(&j, err);
  if (s != DM_OK) dm_learned_clear(ctx, out);
  return s;
}

void dm_learned_clear(dm_ctx *ctx, dm_learned *t) {
  dm_free(ctx, t->y);
  dm_free(ctx, t->classes);
  *t = (dm_learned){0};
}
