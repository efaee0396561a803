/* Axes without drawing: domain to pixels, round ticks, labels; and numbers as people write them. */
#ifndef DM_REPORT_AXIS_H
#define DM_REPORT_AXIS_H

#include <dm/core.h>

#define DM_TICKS_MAX 12

/** Linear or logarithmic axis: lo … hi of the data to from … to in pixels. */
typedef struct dm_axis {
  double lo, hi, from, to;
  bool log;
  size_t n;                  /* ticks, strictly increasing */
  double ticks[DM_TICKS_MAX];
  double step;               /* between ticks; 0 for logarithmic axes */
} dm_axis;

/**
 * Round ticks (1, 2, 2.5 or 5 times a power of ten) for lo … hi, at most
 * `most` (2, or 3 to cover, … DM_TICKS_MAX). With `cover` the domain grows to the outer ticks,
 * else ticks lie inside it. Equal, reversed or not finite bounds are made a
 * range; one that doubles cannot resolve is widened.
 * @param from,to pixels; from > to for an axis that grows upwards.
 */
void dm_axis_linear(dm_axis *s, double lo, double hi, double from, double to, size_t most, bool cover);
/** Powers of ten, thinned to `most`; lo must be > 0, else the axis is linear. Covers. */
void dm_axis_log(dm_axis *s, double lo, double hi, double from, double to, size_t most);
/** Axis of counts, 0 … most: covers, and its ticks are whole numbers. Pixels 0 … 1 until they are set. */
void dm_axis_count(dm_axis *s, uint64_t most, size_t ticks);
/**
 * The same with ticks at 1, 2 and 5 times powers of ten where those are at most `most`, else at powers of ten; with `cover` the domain
 * grows to the outer ticks, else ticks lie inside it. Ranges below four times are covered by powers of ten.
 */
void dm_axis_log_near(dm_axis *s, double lo, double hi, double from, double to, size_t most, bool cover);
double dm_axis_at(const dm_axis *s, double v);
/** Fewer ticks until labels of this size fit beside each other with a gap (horizontal axes). Covering axes keep their domain. */
void dm_axis_fit_labels(dm_axis *s, double size, double gap);

#define DM_LABEL_MAX 48
/** Label of tick i: as many decimals as the step needs, one power of ten for the whole axis beyond 1e6 and below 1e-4. */
void dm_axis_label(const dm_axis *s, size_t i, char out[DM_LABEL_MAX]);

/** A count: 12,345. */
void dm_number_count(uint64_t v, char out[DM_LABEL_MAX]);
/** A count where room is short: 9999 · 12k · 1.5M. */
void dm_number_short(uint64_t v, char out[DM_LABEL_MAX]);
/** A measured value in at most `digits` significant digits: 0.5 · 12,345.7 · 1.2×10⁻⁷; "–" when it is not finite. */
void dm_number_value(double v, unsigned digits, char out[DM_LABEL_MAX]);
/** A share 0 … 1 in per cent: 0 % · <0.1 % · 3.4 % · 57 % · >99.9 % · 100 %; only exact 0 and 1 print as such. */
void dm_number_share(double v, char out[DM_LABEL_MAX]);
/** Bytes: 640 B · 12.5 kB · 225 MB. */
void dm_number_bytes(uint64_t v, char out[DM_LABEL_MAX]);

#endif
