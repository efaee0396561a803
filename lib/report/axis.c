/*
 * Axes: the domain, round ticks inside it and their labels.
 *
 * The step is the smallest of {1, 2, 2.5, 5} * 10^k that gives at most `most`
 * ticks; ticks are integer multiples of it, so that 0 is one when in range.
 */
#include "report/axis.h"
#include "report/svg.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A usable range out of any two numbers. */
static void make_range(double *lo, double *hi) {
  double limit = DBL_MAX / 16; /* so that no sum below overflows */
  if (isnan(*lo)) *lo = 0;
  if (isnan(*hi)) *hi = *lo;
  *lo = fmax(-limit, fmin(limit, *lo));
  *hi = fmax(-limit, fmin(limit, *hi));
  if (*lo > *hi) {
    double t = *lo;
    *lo = *hi;
    *hi = t;
  }
  double largest = fmax(fabs(*lo), fabs(*hi)), least = fmax(largest * 1e-9, DBL_MIN * 1e20);
  if (*hi - *lo >= least) return;
  double middle = *lo / 2 + *hi / 2, half = *hi > *lo || largest > 1e8 ? least
                                            : largest > 0              ? largest / 2
                                                                       : 0.5;
  *lo = middle - half;
  *hi = middle + half;
}

static double next_step(double step) {
  double power = pow(10, floor(log10(step) + 1e-9)), m = step / power;
  return m < 1.5 ? 2 * power : m < 2.2 ? 2.5 * power : m < 3.5 ? 5 * power : 10 * power;
}

static void set_ticks(dm_axis *s, double lo, double hi, size_t most, bool cover) {
  double slack = 1e-9;
  double step = pow(10, floor(log10((hi - lo) / (double)most)));
  for (;; step = next_step(step)) {
    double first = cover ? floor(lo / step + slack) : ceil(lo / step - slack);
    double last = cover ? ceil(hi / step - slack) : floor(hi / step + slack);
    if (last - first + 1 > (double)most) continue;
    s->step = step;
    s->n = 0;
    for (double i = first; i <= last; i++) s->ticks[s->n++] = i * step;
    if (cover) {
      lo = fmin(lo, first * step);
      hi = fmax(hi, last * step);
    }
    break;
  }
  s->lo = lo;
  s->hi = hi;
}

void dm_axis_linear(dm_axis *s, double lo, double hi, double from, double to, size_t most, bool cover) {
  *s = (dm_axis){.from = from, .to = to};
  size_t least = cover ? 3 : 2; /* a range around 0 is covered by three */
  if (most < least) most = least;
  if (most > DM_TICKS_MAX) most = DM_TICKS_MAX;
  make_range(&lo, &hi);
  set_ticks(s, lo, hi, most, cover);
}

void dm_axis_log(dm_axis *s, double lo, double hi, double from, double to, size_t most) {
  if (!(lo > 0) || !(hi >= lo) || !isfinite(hi)) {
    dm_axis_linear(s, lo, hi, from, to, most, true);
    return;
  }
  if (most < 2) most = 2;
  if (most > DM_TICKS_MAX) most = DM_TICKS_MAX;
  int first = (int)fmax(-307, floor(log10(lo) + 1e-9)), last = (int)fmin(308, ceil(log10(hi) - 1e-9));
  if (last <= first) last = first + 1;
  int step = 1;
  while ((last - first + step - 1) / step + 1 > (int)most) step++;
  last = first + (last - first + step - 1) / step * step;
  *s = (dm_axis){.from = from, .to = to, .log = true};
  for (int e = first; e <= last && e <= 308; e += step) s->ticks[s->n++] = pow(10, e);
  s->lo = s->ticks[0];
  s->hi = fmax(hi, s->ticks[s->n - 1]);
}

/* Number i of … 0.1 0.2 0.5 1 2 5 10 … */
static double near_tick(int i) {
  static const double firsts[] = {1, 2, 5};
  int power = i >= 0 ? i / 3 : -((2 - i) / 3);
  return firsts[i - 3 * power] * pow(10, power);
}

/* Numbers first … last of that sequence, every third alone when they are too many. */
static void set_near_ticks(dm_axis *s, int first, int last, size_t most) {
  int step = 1;
  if ((size_t)(last - first) + 1 > most) {
    first += ((-first) % 3 + 3) % 3;
    for (step = 3; (size_t)((last - first) / step) + 1 > most;) step += 3;
  }
  s->n = 0;
  for (int i = first; i <= last; i += step) s->ticks[s->n++] = near_tick(i);
}

void dm_axis_log_near(dm_axis *s, double lo, double hi, double from, double to, size_t most, bool cover) {
  dm_axis_log(s, lo, hi, from, to, most);
  if (!s->log || lo < 1e-300 || hi > 1e300 || hi < 4 * lo) return;
  if (most > DM_TICKS_MAX) most = DM_TICKS_MAX;
  int first = 3 * ((int)floor(log10(lo)) - 1), last = 3 * ((int)ceil(log10(hi)) + 1);
  while (near_tick(first) < lo * (1 - 1e-9)) first++;
  while (near_tick(last) > hi * (1 + 1e-9)) last--;
  if (cover) {
    first -= near_tick(first) > lo * (1 + 1e-9) ? 1 : 0;
    last += near_tick(last) < hi * (1 - 1e-9) ? 1 : 0;
    if ((size_t)(last - first) + 1 > most) return; /* powers of ten cover */
  }
  set_near_ticks(s, first, last, most);
  s->lo = cover ? fmin(lo, s->ticks[0]) : lo;
  s->hi = cover ? fmax(hi, s->ticks[s->n - 1]) : hi;
}

void dm_axis_count(dm_axis *s, uint64_t most, size_t ticks) {
  dm_axis_linear(s, 0, (double)most, 0, 1, ticks, true);
  double whole = s->step < 1 ? 1 : s->step < 3 && s->step > 2 ? 5 : s->step; /* 0.5 and 2.5 rows are none */
  if (!(fabs(whole - s->step) > 0)) return;
  s->step = whole;
  s->n = 0;
  do {
    s->hi = (double)s->n * whole;
    s->ticks[s->n++] = s->hi;
  } while (s->hi < (double)most || s->n < 2);
}

double dm_axis_at(const dm_axis *s, double v) {
  double share = s->log ? (v > 0 ? log(v / s->lo) / log(s->hi / s->lo) : 0) : (v - s->lo) / (s->hi - s->lo);
  if (isnan(share)) share = 0;
  share = fmax(0, fmin(1, share)); /* nothing is drawn outside the plot */
  return s->from + share * (s->to - s->from);
}

/* True when two neighbours come nearer than gap, or a label would be wider than the whole axis. */
static bool labels_collide(const dm_axis *s, double size, double gap) {
  char label[DM_LABEL_MAX];
  double end = -(double)INFINITY;
  for (size_t i = 0; i < s->n; i++) {
    size_t k = s->from <= s->to ? i : s->n - 1 - i;
    dm_axis_label(s, k, label);
    double width = dm_text_width(dm_str_of(label), size, false), middle = dm_axis_at(s, s->ticks[k]);
    if (middle - width / 2 < end + gap) return true;
    end = middle + width / 2;
  }
  return false;
}

void dm_axis_fit_labels(dm_axis *s, double size, double gap) {
  if (s->log) {
    while (s->n > 2 && labels_collide(s, size, gap)) { /* every other one goes */
      s->n = (s->n + 1) / 2;
      for (size_t i = 1; i < s->n; i++) s->ticks[i] = s->ticks[2 * i];
    }
    return;
  }
  for (size_t most = s->n; most-- > 1 && labels_collide(s, size, gap);) {
    double lo = s->lo, hi = s->hi;
    size_t was = s->n;
    set_ticks(s, lo, hi, most < 2 ? 2 : most, false);
    if (s->n == 0) { /* no multiple inside: the middle alone says more than nothing */
      s->n = 1;
      s->ticks[0] = lo + (hi - lo) / 2;
    }
    if (s->n == was && most < 2) break;
  }
}

static void add_exponent(char *out, int exponent) {
  static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  char plain[16];
  (void)snprintf(plain, sizeof plain, "%d", exponent);
  strcat(out, "×10");
  for (const char *p = plain; *p; p++) strcat(out, *p == '-' ? "⁻" : digits[*p - '0']);
}

/* Commas between thousands from five digits on, as in 12,345; a minus sign instead of a hyphen. */
static void group(const char *plain, char out[DM_LABEL_MAX]) {
  size_t n = 0, digits = strspn(plain + (*plain == '-'), "0123456789");
  if (*plain == '-') {
    memcpy(out, "−", 3);
    n = 3;
    plain++;
  }
  for (size_t i = 0; plain[i] && n + 2 < DM_LABEL_MAX; i++) {
    if (digits > 4 && i > 0 && i < digits && (digits - i) % 3 == 0) out[n++] = ',';
    out[n++] = plain[i];
  }
  out[n] = 0;
}

/* Digits after the point that tell multiples of step apart. */
static int decimals_of(double step) {
  for (int k = 0; k < 17; k++) {
    double scaled = step * pow(10, k);
    if (scaled >= 0.999 && fabs(scaled - round(scaled)) < 1e-6 * scaled) return k;
  }
  return 17;
}

void dm_axis_label(const dm_axis *s, size_t i, char out[DM_LABEL_MAX]) {
  double v = s->ticks[i], largest = fmax(fabs(s->ticks[0]), fabs(s->ticks[s->n - 1]));
  char plain[DM_LABEL_MAX];
  if (fabs(v) <= 0) {
    (void)snprintf(out, DM_LABEL_MAX, "0");
    return;
  }
  if (s->log) {
    dm_number_value(v, 6, out);
    if (strncmp(out, "1×", 3) == 0) memmove(out, out + 3, strlen(out + 3) + 1); /* 10⁻⁷ */
    return;
  }
  int exponent = largest >= 1e6 || largest < 1e-3 ? (int)floor(log10(largest) + 1e-12) : 0;
  /* whole numbers far from 0 read better in full: 10,000,000,200 */
  if (largest < 1e15 && s->step >= 1 && decimals_of(s->step / pow(10, exponent)) > 3) exponent = 0;
  double power = pow(10, exponent), step = s->step / power;
  (void)snprintf(plain, sizeof plain, "%.*f", decimals_of(step), v / power);
  group(plain, out);
  if (exponent) add_exponent(out, exponent);
}

void dm_number_count(uint64_t v, char out[DM_LABEL_MAX]) {
  char plain[24];
  (void)snprintf(plain, sizeof plain, "%llu", (unsigned long long)v);
  group(plain, out);
}

void dm_number_short(uint64_t v, char out[DM_LABEL_MAX]) {
  static const char units[] = {'k', 'M', 'G', 'T', 'P', 'E'};
  if (v < 10000) {
    dm_number_count(v, out);
    return;
  }
  double scaled = (double)v / 1000;
  size_t unit = 0;
  while (scaled >= 999.5 && unit < 5) {
    scaled /= 1000;
    unit++;
  }
  (void)snprintf(out, DM_LABEL_MAX, scaled < 9.95 ? "%.1f%c" : "%.0f%c", scaled, units[unit]);
}

/* Drops zeros after the point, and the point with them. */
static void trim_zeros(char *plain) {
  if (!strchr(plain, '.')) return;
  size_t n = strlen(plain);
  while (plain[n - 1] == '0') n--;
  if (plain[n - 1] == '.') n--;
  plain[n] = 0;
}

void dm_number_value(double v, unsigned digits, char out[DM_LABEL_MAX]) {
  if (!isfinite(v)) {
    (void)snprintf(out, DM_LABEL_MAX, "–");
    return;
  }
  if (fabs(v) <= 0) {
    (void)snprintf(out, DM_LABEL_MAX, "0");
    return;
  }
  char plain[DM_LABEL_MAX];
  if (digits < 1) digits = 1;
  if (digits > 15) digits = 15;
  /* the exponent after rounding: 9.99996 in 5 digits is 10 */
  (void)snprintf(plain, sizeof plain, "%.*e", (int)digits - 1, v);
  char *e = strchr(plain, 'e');
  int exponent = 0;
  (void)sscanf(e + 1, "%d", &exponent);
  bool whole = fabs(v) < 1e15 && !(fabs(v - round(v)) > 0);
  if (whole || (exponent >= -4 && exponent < 9)) {
    int decimals = whole ? 0 : (int)digits - 1 - exponent;
    (void)snprintf(plain, sizeof plain, "%.*f", decimals > 0 ? decimals : 0, v);
    trim_zeros(plain);
    group(plain, out);
    return;
  }
  *e = 0;
  trim_zeros(plain);
  group(plain, out);
  add_exponent(out, exponent);
}

void dm_number_share(double v, char out[DM_LABEL_MAX]) {
  if (!(v >= 0 && v <= 1))
    (void)snprintf(out, DM_LABEL_MAX, "–");
  else if (v <= 0 || v >= 1)
    (void)snprintf(out, DM_LABEL_MAX, "%d %%", v > 0 ? 100 : 0);
  else if (v < 0.001)
    (void)snprintf(out, DM_LABEL_MAX, "<0.1 %%");
  else if (v > 0.999)
    (void)snprintf(out, DM_LABEL_MAX, ">99.9 %%");
  else
    (void)snprintf(out, DM_LABEL_MAX, v < 0.0995 || v > 0.995 ? "%.1f %%" : "%.0f %%", v * 100);
}

void dm_number_bytes(uint64_t v, char out[DM_LABEL_MAX]) {
  static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (v < 1000) {
    (void)snprintf(out, DM_LABEL_MAX, "%d B", (int)v);
    return;
  }
  double scaled = (double)v / 1000;
  size_t unit = 0;
  while (scaled >= 999.5 && unit < 5) {
    scaled /= 1000;
    unit++;
  }
  (void)snprintf(out, DM_LABEL_MAX, scaled < 9.95 ? "%.1f %s" : "%.0f %s", scaled, units[unit]);
}
