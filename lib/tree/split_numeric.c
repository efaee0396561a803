/*
 * The best threshold of a numeric feature in one node: every cut between two
 * neighbouring values, with the rows that have no value on either side, and
 * the split in rows with and without a value.
 */
#include "tree/grow.h"

#include <float.h>
#include <math.h>

/* A number t with low <= t < high: the midpoint, as scikit-learn cuts. */
static double cut_between(double low, double high) {
  double t = low / 2 + high / 2;
  return t >= low && t < high ? t : low;
}

/* One scan over the groups of a node. */
typedef struct scan {
  const tree_grower *g;
  const tree_groups *groups;
  size_t n, q, min_leaf;
  tree_room *room;
  size_t best_group;
  bool best_missing_left;
  double best;
} scan;

/* Scores the split whose left side is room->left (n_left rows), and keeps it when it is better. */
static inline void consider(scan *s, size_t group, size_t n_left, const double *left, bool missing_left) {
  if (n_left < s->min_leaf || s->n - n_left < s->min_leaf) return;
  double score = tree_split_score(s->g, left, s->room);
  if (!(score > s->best)) return;
  s->best = score;
  s->best_group = group;
  s->best_missing_left = missing_left;
}

static void run(scan *s) {
  const tree_groups *groups = s->groups;
  double *left = s->room->left, *with = s->room->with;
  size_t n_left = 0, missing = groups->missing, last = missing ? groups->n : groups->n - 1;
  for (size_t j = 0; j < s->q; j++) left[j] = 0;
  for (size_t i = 0; i < last; i++) {
    const double *stat = groups->stat + i * s->q;
    for (size_t j = 0; j < s->q; j++) left[j] += stat[j];
    n_left += groups->count[i];
    consider(s, i, n_left, left, false);
    if (!missing || i + 1 == groups->n) continue;
    for (size_t j = 0; j < s->q; j++) with[j] = left[j] + groups->missing_stat[j];
    consider(s, i, n_left + missing, with, true);
  }
}

/* ---- lists without missing values --------------------------------------------------
 * The same scan, of two classes or numbers without weights, straight over the
 * rows: most values of such a feature have one row, and groups of one are a
 * detour.
 */

static bool can_stream(const tree_grower *g, const tree_column *c, const tree_item *items, size_t n) {
  const tree_data *t = g->data;
  if (!c->order || t->weights || items[n - 1].code == c->n_bins) return false;
  return t->k == 0 || (t->k == 2 && g->limits->criterion == TREE_GINI);
}

/* @return the row after which the best cut lies, SIZE_MAX = none */
static size_t stream_classes(const tree_grower *g, const tree_item *items, size_t n, double *best) {
  const uint16_t *classes = g->data->classes;
  size_t first = g->limits->min_samples_leaf - 1, last = n - g->limits->min_samples_leaf, ones = 0, at = SIZE_MAX;
  double all0 = g->total[0], all1 = g->total[1];
  for (size_t i = 0; i < last; i++) {
    ones += classes[items[i].row];
    if (i < first || items[i].code == items[i + 1].code) continue;
    double l = (double)(i + 1), l1 = (double)ones, l0 = l - l1, r1 = all1 - l1, r0 = all0 - l0;
    double score = (l0 * l0 + l1 * l1) / l + (r0 * r0 + r1 * r1) / (r0 + r1);
    if (score > *best) {
      *best = score;
      at = i;
    }
  }
  return at;
}

static size_t stream_numbers(const tree_grower *g, const tree_item *items, size_t n, double *best) {
  const double *y = g->data->y;
  size_t first = g->limits->min_samples_leaf - 1, last = n - g->limits->min_samples_leaf, at = SIZE_MAX;
  double left = 0, all = g->total[1];
  for (size_t i = 0; i < last; i++) {
    left += y[items[i].row];
    if (i < first || items[i].code == items[i + 1].code) continue;
    double right = all - left, score = left * left / (double)(i + 1) + right * right / (double)(n - i - 1);
    if (score > *best) {
      *best = score;
      at = i;
    }
  }
  return at;
}

static void stream(const tree_grower *g, size_t feature, const tree_item *items, size_t n, tree_split *best) {
  double score = -(double)INFINITY;
  size_t at = g->data->k ? stream_classes(g, items, n, &score) : stream_numbers(g, items, n, &score);
  if (at == SIZE_MAX) return;
  const double *values = g->data->columns[feature].values;
  *best = (tree_split){.score = score, .feature = feature, .bin = items[at].code,
                       .threshold = cut_between(values[items[at].code], values[items[at + 1].code])};
}

void tree_split_numeric(const tree_grower *g, size_t feature, const tree_task *node, tree_room *room, tree_split *best) {
  const tree_column *c = &g->data->columns[feature];
  const tree_item *items = c->order ? g->lists[c->list] + node->first : NULL;
  best->feature = SIZE_MAX;
  if (items && can_stream(g, c, items, node->n)) {
    stream(g, feature, items, node->n, best);
    return;
  }
  tree_collect(g, c, node, room);
  const tree_groups *groups = &room->groups;
  if (groups->n == 0 || (groups->n == 1 && !groups->missing)) return;
  scan s = {.g = g, .groups = groups, .n = node->n, .q = g->data->q, .min_leaf = g->limits->min_samples_leaf, .room = room,
            .best_group = SIZE_MAX, .best = -(double)INFINITY};
  run(&s);
  if (s.best_group == SIZE_MAX) return;
  uint32_t bin = groups->code[s.best_group];
  bool all = s.best_group + 1 == groups->n; /* whoever has a value goes left */
  *best = (tree_split){.score = s.best, .feature = feature, .bin = bin, .saw_missing = groups->missing > 0, .missing_left = s.best_missing_left,
                       .threshold = all ? DBL_MAX : cut_between(c->values[bin], c->values[groups->code[s.best_group + 1]])};
}
