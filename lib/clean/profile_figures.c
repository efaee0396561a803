#include "clean/profile_figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- histogram ---- */

/* j * m * 10^power, rounded once: edges read 0.3, not 0.30000000000000004. */
static double edge(double j, double m, int power) {
  double scale = pow(10, abs(power));
  return power < 0 ? j * m / scale : j * m * scale;
}

size_t dm_histogram_edges(double min, double max, bool whole, double edges[DM_PROFILE_BINS + 1]) {
  static const struct {
    double m;
    int power; /* m * 10^power: 1, 2, 2.5, 5 */
  } steps[] = {{1, 0}, {2, 0}, {25, -1}, {5, 0}};
  double range = max - min;
  if (!isfinite(range)) return 0;
  int power = range > 0 ? (int)floor(log10(range / DM_PROFILE_BINS)) : 0;
  if (whole && power < 0) power = 0;
  for (;; power++)
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      int p = power + steps[i].power;
      if (whole && p < 0) continue;
      if (abs(p) > 300) return 0;
      double first = floor(min / edge(1, steps[i].m, p)), last = ceil(max / edge(1, steps[i].m, p));
      if (!(fabs(first) < 0x1p52 && fabs(last) < 0x1p52)) continue;
      while (edge(first, steps[i].m, p) > min) first--; /* the division may have rounded over an edge */
      while (edge(last, steps[i].m, p) < max) last++;
      if (last == first || (whole && edge(last, steps[i].m, p) == max)) last++;
      if (last - first > DM_PROFILE_BINS) continue;
      size_t n = (size_t)(last - first);
      for (size_t k = 0; k <= n; k++) edges[k] = edge(first + (double)k, steps[i].m, p);
      return n;
    }
}

static void count_bin(dm_figures *f, double v, uint64_t count) {
  dm_profile_column *c = f->out;
  if (!c->n_bins) return;
  while (f->bin + 1 < c->n_bins && v >= c->edges[f->bin + 1]) f->bin++;
  c->counts[f->bin] += count;
}

/* ---- most frequent ---- */

static int by_value(const dm_value *a, const dm_value *b) {
  bool ta = a->type >= DM_TEXT, tb = b->type >= DM_TEXT;
  if (ta != tb) return ta ? 1 : -1;
  if (ta) return dm_str_compare(a->text, b->text);
  if (a->type == DM_INTEGER && b->type == DM_INTEGER) return (a->integer > b->integer) - (a->integer < b->integer);
  double x = a->type == DM_INTEGER ? (double)a->integer : a->real, y = b->type == DM_INTEGER ? (double)b->integer : b->real;
  return (x > y) - (x < y);
}

static bool before(uint64_t count, const dm_value *v, const dm_top_entry *e) {
  return count != e->count ? count > e->count : by_value(v, &e->value) < 0;
}

static dm_status offer(dm_figures *f, const dm_value *v, uint64_t count) {
  if (f->n_top == DM_PROFILE_TOP && !before(count, v, &f->top[f->n_top - 1])) return DM_OK;
  if (f->n_top < DM_PROFILE_TOP) f->n_top++;
  size_t at = f->n_top - 1;
  dm_top_entry spare = f->top[at];
  for (; at > 0 && before(count, v, &f->top[at - 1]); at--) f->top[at] = f->top[at - 1];
  f->top[at] = spare;
  dm_top_entry *e = &f->top[at];
  e->value = *v;
  e->count = count;
  if (v->type < DM_TEXT) return DM_OK;
  dm_buf_reset(&e->text);
  dm_buf_add(&e->text, v->text.p, v->text.n);
  e->value.text = (dm_str){e->text.p ? e->text.p : "", e->text.n};
  return dm_buf_status(&e->text);
}

/* ---- the groups ---- */

static const double shares[7] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

void dm_figures_begin(dm_figures *f, dm_ctx *ctx, const dm_table_column *column, uint64_t n_numbers, double min, double max,
                      dm_profile_column *out) {
  *f = (dm_figures){.ctx = ctx, .out = out, .column = column};
  for (size_t i = 0; i < 7; i++) dm_clean_quantile_init(&f->quantiles[i], shares[i], n_numbers);
  for (size_t i = 0; i < DM_PROFILE_TOP; i++) dm_buf_init(&f->top[i].text, ctx, NULL);
  dm_buf_init(&f->first, ctx, NULL);
  dm_buf_init(&f->last, ctx, NULL);
  out->min = out->max = (double)NAN;
  if (!n_numbers) return;
  out->min = min;
  out->max = max;
  out->n_bins = dm_histogram_edges(min, max, column->type == DM_INTEGER, out->edges);
}

static void add_number(dm_figures *f, double v, uint64_t count) {
  dm_clean_moments_add(&f->moments, v, count);
  for (size_t i = 0; i < 7; i++) dm_clean_quantile_add(&f->quantiles[i], v, f->numbers, count);
  f->numbers += count;
  if (v == 0) f->out->zeros += count;
  if (v < 0) f->out->negatives += count;
  count_bin(f, v, count);
}

static uint64_t letters(dm_str t) {
  uint64_t n = 0;
  for (size_t i = 0; i < t.n; i++) n += ((unsigned char)t.p[i] & 0xC0) != 0x80;
  return n;
}

static void keep(dm_buf *buf, dm_str t) {
  dm_buf_reset(buf);
  dm_buf_add(buf, t.p, t.n);
}

static dm_status add_text(dm_figures *f, dm_str t) {
  uint64_t n = letters(t);
  if (!f->has_text || n < f->out->min_length) f->out->min_length = n;
  if (!f->has_text || n > f->out->max_length) f->out->max_length = n;
  if (!f->has_text || dm_str_compare(t, (dm_str){f->first.p, f->first.n}) < 0) keep(&f->first, t);
  if (!f->has_text || dm_str_compare(t, (dm_str){f->last.p, f->last.n}) > 0) keep(&f->last, t);
  f->has_text = true;
  dm_status s = dm_buf_status(&f->first);
  return s == DM_OK ? dm_buf_status(&f->last) : s;
}

dm_status dm_figures_add(void *figures, dm_value v, uint64_t count, dm_error *err) {
  dm_figures *f = figures;
  dm_status s = DM_OK;
  f->out->distinct++;
  if (v.type == DM_INTEGER || v.type == DM_REAL) add_number(f, v.type == DM_INTEGER ? (double)v.integer : v.real, count);
  else if (v.type == DM_TEXT) s = add_text(f, v.text);
  else f->has_blob = true;
  if (s == DM_OK) s = offer(f, &v, count);
  return s == DM_OK ? s : dm_fail(err, s, "profile: no memory left for column '%s'", f->column->name);
}

/* ---- the end ---- */

static dm_status print_top(const dm_top_entry *e, const dm_table_column *column, dm_arena *arena, dm_profile_top *out, dm_error *err) {
  char number[512];
  dm_str text = e->value.text;
  if (e->value.type == DM_BLOB) {
    size_t n = 0;
    n += (size_t)snprintf(number, sizeof number, "x'");
    for (size_t i = 0; i < text.n && i < 16; i++) n += (size_t)snprintf(number + n, sizeof number - n, "%02x", (unsigned char)text.p[i]);
    n += (size_t)snprintf(number + n, sizeof number - n, text.n > 16 ? "…'" : "'");
    text = (dm_str){number, n};
  } else if (e->value.type == DM_REAL && column->format.kind != DM_FORMAT_NONE && column->format.kind != DM_FORMAT_INTEGER) {
    text = (dm_str){number, dm_format_print(column->format, e->value, number, sizeof number)};
  } else if (e->value.type == DM_REAL) {
    text = (dm_str){number, dm_text_of_double(e->value.real, true, number)};
  } else if (e->value.type == DM_INTEGER) {
    text = (dm_str){number, dm_text_of_int(e->value.integer, number)};
  }
  *out = (dm_profile_top){{dm_arena_strdup(arena, text.p, text.n, err), text.n}, e->count};
  return out->text.p ? DM_OK : DM_EBUDGET;
}

void dm_figures_clear(dm_figures *f) {
  for (size_t i = 0; i < DM_PROFILE_TOP; i++) dm_buf_clear(&f->top[i].text);
  dm_buf_clear(&f->first);
  dm_buf_clear(&f->last);
}

dm_status dm_figures_end(dm_figures *f, dm_arena *arena, dm_error *err) {
  dm_profile_column *c = f->out;
  double *quantiles[7] = {&c->q01, &c->q05, &c->q25, &c->q50, &c->q75, &c->q95, &c->q99};
  dm_status s = DM_OK;
  c->mean = dm_clean_moments_mean(&f->moments);
  c->sd = dm_clean_moments_sd(&f->moments);
  for (size_t i = 0; i < 7; i++) *quantiles[i] = f->numbers ? dm_clean_quantile_value(&f->quantiles[i]) : (double)NAN;
  c->numeric = c->type == DM_INTEGER || c->type == DM_REAL || (c->type == DM_NULL && f->numbers && !f->has_text && !f->has_blob);
  for (; c->n_top < f->n_top && s == DM_OK; c->n_top++) s = print_top(&f->top[c->n_top], f->column, arena, &c->top[c->n_top], err);
  if (f->has_text && s == DM_OK) {
    c->text_min = (dm_str){dm_arena_strdup(arena, f->first.p, f->first.n, err), f->first.n};
    c->text_max = (dm_str){dm_arena_strdup(arena, f->last.p, f->last.n, err), f->last.n};
    if (!c->text_min.p || !c->text_max.p) s = DM_EBUDGET;
  }
  dm_figures_clear(f);
  return s;
}
