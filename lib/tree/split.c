/*
 * Criteria, and the statistics of a node's rows by bin.
 *
 * The score of a split is a sum over its two sides of what the criterion
 * wants large; scores of one node differ from the decrease of impurity by a
 * constant:
 *
 *   Gini           sum_c w_c^2 / w           (w: weight of the side, w_c: of class c)
 *   entropy        sum_c w_c log2(w_c / w)
 *   squared error  (sum w*y)^2 / w
 */
#include "tree/grow.h"

#include <math.h>
#include <string.h>

static double weight_of(const double *stat, size_t q) {
  double w = 0;
  for (size_t c = 0; c < q; c++) w += stat[c];
  return w;
}

double tree_side_score(tree_criterion c, const double *stat, size_t q) {
  if (c == TREE_SQUARED_ERROR) return stat[0] > 0 ? stat[1] * stat[1] / stat[0] : 0;
  double w = weight_of(stat, q), sum = 0;
  if (!(w > 0)) return 0;
  if (c == TREE_GINI) {
    for (size_t j = 0; j < q; j++) sum += stat[j] * stat[j];
    return sum / w;
  }
  for (size_t j = 0; j < q; j++)
    if (stat[j] > 0) sum += stat[j] * log2(stat[j] / w);
  return sum;
}

double tree_impurity(tree_criterion c, const double *stat, size_t q) {
  double w = weight_of(stat, q), sum = 0;
  for (size_t j = 0; j < q; j++) {
    double p = stat[j] / w;
    if (c == TREE_GINI)
      sum += p * p;
    else if (p > 0)
      sum -= p * log2(p);
  }
  return c == TREE_GINI ? 1 - sum : sum;
}

/* ---- groups ------------------------------------------------------------- */

static uint32_t code_at(const tree_column *c, size_t i) {
  if (c->width == 1) return ((const uint8_t *)c->codes)[i];
  return c->width == 2 ? ((const uint16_t *)c->codes)[i] : ((const uint32_t *)c->codes)[i];
}

/* Adds a row to statistics. */
static inline void add_row(const tree_data *t, size_t row, double *stat) {
  double w = t->weights ? t->weights[row] : 1;
  if (t->k) {
    stat[t->classes[row]] += w;
  } else {
    stat[0] += w;
    stat[1] += w * t->y[row];
  }
}

/* Where statistics of the next bin go: a new group, or those of the missing. */
static double *next_group(const tree_column *c, tree_groups *groups, size_t q, size_t bin, uint32_t count) {
  if (bin == c->n_bins) {
    groups->missing = count;
    return groups->missing_stat;
  }
  size_t at = groups->n++;
  groups->code[at] = (uint32_t)bin;
  groups->count[at] = count;
  return groups->stat + at * q;
}

/* Rows in the order of the feature: runs of one code are groups. */
static void collect_list(const tree_grower *g, const tree_column *c, const tree_task *node, tree_room *room) {
  const tree_data *t = g->data;
  const tree_item *items = g->lists[c->list] + node->first;
  size_t q = t->q;
  for (size_t i = 0; i < node->n;) {
    uint32_t code = items[i].code;
    size_t end = i + 1;
    while (end < node->n && items[end].code == code) end++;
    double *stat = next_group(c, &room->groups, q, code, (uint32_t)(end - i));
    for (size_t j = 0; j < q; j++) stat[j] = 0;
    for (; i < end; i++) add_row(t, items[i].row, stat);
  }
}

/* Moves the tally of one bin out, leaving zeros. */
static void take_tally(const tree_column *c, tree_room *room, size_t k, size_t bin) {
  uint32_t *tally = room->tally + bin * k, count = 0;
  for (size_t j = 0; j < k; j++) count += tally[j];
  if (count == 0) return;
  double *stat = next_group(c, &room->groups, k, bin, count);
  for (size_t j = 0; j < k; j++) {
    stat[j] = tally[j];
    tally[j] = 0;
  }
}

static void take_sums(const tree_column *c, tree_room *room, size_t q, size_t bin) {
  uint32_t count = room->rows_in[bin];
  if (count == 0) return;
  room->rows_in[bin] = 0;
  double *stat = next_group(c, &room->groups, q, bin, count), *sums = room->sums + bin * q;
  for (size_t j = 0; j < q; j++) {
    stat[j] = sums[j];
    sums[j] = 0;
  }
}

static void take(const tree_data *t, const tree_column *c, tree_room *room, size_t bin) {
  if (room->tally)
    take_tally(c, room, t->k, bin);
  else
    take_sums(c, room, t->q, bin);
}

/*
 * The common case, kept tight. Neighbouring rows often share a bin, and each
 * addition then waits for the one before: four tallies in turn do not.
 */
static void tally_rows(const tree_data *t, const tree_column *c, const uint32_t *rows, size_t n, tree_room *room) {
  const uint8_t *codes = c->codes;
  const uint16_t *classes = t->classes;
  size_t k = t->k, cells = (c->n_bins + 1) * k, i = 0;
  uint32_t *a = room->tally;
  if (n >= 8 * cells) {
    uint32_t *b = room->more, *e = b + cells, *f = e + cells;
    for (; i + 4 <= n; i += 4) {
      a[codes[rows[i]] * k + classes[rows[i]]]++;
      b[codes[rows[i + 1]] * k + classes[rows[i + 1]]]++;
      e[codes[rows[i + 2]] * k + classes[rows[i + 2]]]++;
      f[codes[rows[i + 3]] * k + classes[rows[i + 3]]]++;
    }
    for (size_t j = 0; j < cells; j++) a[j] += b[j] + e[j] + f[j];
    memset(b, 0, 3 * cells * sizeof *b);
  }
  for (; i < n; i++) a[codes[rows[i]] * k + classes[rows[i]]]++;
}

static void add_rows(const tree_data *t, const tree_column *c, const uint32_t *rows, size_t n, tree_room *room) {
  if (room->tally && c->width == 1) {
    tally_rows(t, c, rows, n, room);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    uint32_t bin = code_at(c, rows[i]);
    if (room->tally) {
      room->tally[bin * t->k + t->classes[rows[i]]]++;
    } else {
      room->rows_in[bin]++;
      add_row(t, rows[i], room->sums + bin * t->q);
    }
  }
}

void tree_collect(const tree_grower *g, const tree_column *c, const tree_task *node, tree_room *room) {
  const tree_data *t = g->data;
  room->groups.n = 0;
  room->groups.missing = 0;
  if (c->order) {
    collect_list(g, c, node, room);
    return;
  }
  const uint32_t *rows = g->rows + node->first;
  add_rows(t, c, rows, node->n, room);
  if (node->n >= c->n_bins) {
    for (size_t b = 0; b <= c->n_bins; b++) take(t, c, room, b);
    return;
  }
  /* few rows and many bins: visit only bins that have rows */
  size_t words = c->n_bins / 64 + 1;
  for (size_t i = 0; i < node->n; i++) {
    uint32_t bin = code_at(c, rows[i]);
    room->touched[bin / 64] |= (uint64_t)1 << bin % 64;
  }
  for (size_t w = 0; w < words; w++)
    for (; room->touched[w]; room->touched[w] &= room->touched[w] - 1)
      take(t, c, room, w * 64 + (size_t)__builtin_ctzll(room->touched[w]));
}
