/* Learning rates over time. */
#include <dm/optim.h>

#include <math.h>
#include <string.h>

static dm_status wrong(dm_error *err, const char *field, double value, const char *wanted) {
  return dm_fail(err, DM_EUSAGE, "schedule: %s = %g, want %s", field, value, wanted);
}

bool dm_schedule_parse(const char *name, dm_schedule_kind *out) {
  static const char *const names[] = {"constant", "step", "exponential", "cosine", "plateau"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (dm_schedule_kind)i;
      return true;
    }
  return false;
}

dm_status dm_schedule_init(dm_schedule *s, dm_error *err) {
  bool falls = s->kind == DM_SCHEDULE_STEP || s->kind == DM_SCHEDULE_EXPONENTIAL || s->kind == DM_SCHEDULE_PLATEAU;
  bool bounded = s->kind == DM_SCHEDULE_COSINE || s->kind == DM_SCHEDULE_PLATEAU;
  if (!(s->lr > 0) || isinf(s->lr)) return wrong(err, "lr", s->lr, "a number > 0");
  if (falls && !(s->factor > 0 && s->factor <= 1)) return wrong(err, "factor", s->factor, "> 0 and <= 1");
  if (bounded && !(s->min_lr >= 0 && s->min_lr <= s->lr)) return wrong(err, "min-lr", s->min_lr, ">= 0 and <= lr");
  if (s->kind == DM_SCHEDULE_STEP && s->every == 0) return wrong(err, "every", 0, ">= 1");
  if (s->kind == DM_SCHEDULE_COSINE && s->total <= s->warmup) return wrong(err, "total", (double)s->total, "more than warmup");
  if (s->kind == DM_SCHEDULE_PLATEAU && s->warmup) return wrong(err, "warmup", (double)s->warmup, "0 for plateau");
  if (s->kind == DM_SCHEDULE_PLATEAU && !(s->threshold >= 0 && s->threshold < 1)) return wrong(err, "threshold", s->threshold, ">= 0 and < 1");
  s->rate = s->lr;
  s->best = (double)INFINITY;
  s->bad = 0;
  return DM_OK;
}

double dm_schedule_rate(const dm_schedule *s, uint64_t t) {
  if (s->kind == DM_SCHEDULE_PLATEAU) return s->rate;
  if (t < s->warmup) return s->lr * (double)(t + 1) / (double)s->warmup;
  double since = (double)(t - s->warmup);
  switch (s->kind) {
  case DM_SCHEDULE_STEP: return s->lr * pow(s->factor, floor(since / (double)s->every));
  case DM_SCHEDULE_EXPONENTIAL: return s->lr * pow(s->factor, since);
  case DM_SCHEDULE_COSINE:
    if (t >= s->total) return s->min_lr;
    return s->min_lr + (s->lr - s->min_lr) * (1 + cos(acos(-1) * since / (double)(s->total - s->warmup))) / 2;
  case DM_SCHEDULE_CONSTANT:
  case DM_SCHEDULE_PLATEAU: break;
  }
  return s->lr;
}

void dm_schedule_observe(dm_schedule *s, double loss) {
  if (s->kind != DM_SCHEDULE_PLATEAU) return;
  if (loss < s->best && (isinf(s->best) || loss < s->best - fabs(s->best) * s->threshold)) {
    s->best = loss;
    s->bad = 0;
  } else if (++s->bad > s->patience) {
    s->rate = fmax(s->rate * s->factor, s->min_lr);
    s->bad = 0;
  }
}
