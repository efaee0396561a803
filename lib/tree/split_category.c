/*
 * The best subset of a category's levels in one node.
 *
 * Two classes and regressions: with the levels in order of the mean of the
 * target the best of all 2^(L-1)-1 subsets is one of the L-1 prefixes
 * (Breiman et al., 1984, theorem 4.5). More classes: every subset for up to
 * ten levels, else prefixes of the order along the first principal component
 * of the levels' class shares (Coppersmith, Hong & Hosking, 1999), and of the
 * orders by the share of each class when classes are few.
 *
 * Rows without a value, or with a rare one, go with either side; frequent
 * levels that the node has not seen go with its larger side.
 */
#include "tree/grow.h"

#include <math.h>

enum { MAX_EXHAUSTIVE = 10, MAX_ONE_VERSUS_REST = 16, POWER_STEPS = 30 };

typedef struct scan {
  const tree_grower *g;
  const tree_column *column;
  const tree_groups *groups;
  size_t n, q;
  tree_room *room;
  uint32_t *subset;
  double best, best_left_weight;
  bool found, missing_left;
} scan;

static double weight_of(const scan *s, const double *stat) {
  if (!s->g->data->k) return stat[0];
  double w = 0;
  for (size_t j = 0; j < s->q; j++) w += stat[j];
  return w;
}

/* True when the split with `left` (n_left rows) is the best so far; it is kept then, but for its subset. */
static inline bool consider(scan *s, const double *left, size_t n_left, bool missing_left) {
  size_t min_leaf = s->g->limits->min_samples_leaf;
  if (n_left < min_leaf || s->n - n_left < min_leaf) return false;
  double score = tree_split_score(s->g, left, s->room);
  if (!(score > s->best)) return false;
  s->best = score;
  s->missing_left = missing_left;
  s->found = true;
  s->best_left_weight = weight_of(s, left);
  return true;
}

/* The split as it is, and with the rows that have no value on the left. @param all every level is on the left */
static bool consider_both(scan *s, const double *left, size_t n_left, bool all) {
  bool better = !(all && !s->groups->missing) && consider(s, left, n_left, false);
  if (all || !s->groups->missing) return better;
  double *with = s->room->with;
  for (size_t j = 0; j < s->q; j++) with[j] = left[j] + s->groups->missing_stat[j];
  return consider(s, with, n_left + s->groups->missing, true) || better;
}

static void clear_subset(scan *s) {
  for (size_t w = 0; w < (s->column->n_bins + 31) / 32; w++) s->subset[w] = 0;
}

static void add_to_subset(scan *s, size_t group) {
  uint32_t level = s->groups->code[group];
  s->subset[level / 32] |= (uint32_t)1 << level % 32;
}

/* ---- prefixes of an order -------------------------------------------------- */

static bool is_before(const tree_keyed *a, const tree_keyed *b) { return a->key != b->key ? a->key < b->key : a->group < b->group; }

/* Shell sort: no memory, and the order is total. */
static void sort_keys(tree_keyed *order, size_t n) {
  static const size_t gaps[] = {29524, 9841, 3280, 1093, 364, 121, 40, 13, 4, 1};
  for (size_t s = 0; s < sizeof gaps / sizeof *gaps; s++)
    for (size_t i = gaps[s]; i < n; i++) {
      tree_keyed moved = order[i];
      size_t at = i;
      for (; at >= gaps[s] && is_before(&moved, &order[at - gaps[s]]); at -= gaps[s]) order[at] = order[at - gaps[s]];
      order[at] = moved;
    }
}

static void try_prefixes(scan *s) {
  const tree_groups *groups = s->groups;
  tree_keyed *order = s->room->order;
  sort_keys(order, groups->n);
  double *left = s->room->left;
  size_t n_left = 0, better = 0;
  for (size_t j = 0; j < s->q; j++) left[j] = 0;
  for (size_t i = 0; i < groups->n; i++) {
    size_t at = order[i].group;
    for (size_t j = 0; j < s->q; j++) left[j] += groups->stat[at * s->q + j];
    n_left += groups->count[at];
    if (consider_both(s, left, n_left, i + 1 == groups->n)) better = i + 1;
  }
  if (!better) return;
  clear_subset(s);
  for (size_t i = 0; i < better; i++) add_to_subset(s, order[i].group);
}

/* By the share of class c, or the mean of the target. */
static void order_by(scan *s, size_t c) {
  for (size_t i = 0; i < s->groups->n; i++) {
    const double *stat = s->groups->stat + i * s->q;
    s->room->order[i] = (tree_keyed){stat[c] / weight_of(s, stat), (uint32_t)i};
  }
}

/* ---- several classes --------------------------------------------------------- */

/* Every subset without the last level, in Gray code: neighbours differ in one level. */
static void try_all(scan *s) {
  const tree_groups *groups = s->groups;
  double *left = s->room->left;
  size_t n_left = 0, subsets = (size_t)1 << (groups->n - 1), better = 0;
  for (size_t j = 0; j < s->q; j++) left[j] = 0;
  for (size_t i = 1; i < subsets; i++) {
    size_t gray = i ^ i >> 1, moved = (size_t)__builtin_ctzll(i);
    const double *stat = groups->stat + moved * s->q;
    bool joins = gray >> moved & 1;
    for (size_t j = 0; j < s->q; j++) left[j] += joins ? stat[j] : -stat[j];
    n_left = joins ? n_left + groups->count[moved] : n_left - groups->count[moved];
    if (consider_both(s, left, n_left, false)) better = gray;
  }
  for (size_t j = 0; j < s->q; j++) left[j] = s->g->total[j] - groups->missing_stat[j];
  if (groups->missing && consider_both(s, left, s->n - groups->missing, true)) better = 2 * subsets - 1;
  if (!better) return;
  clear_subset(s);
  for (size_t i = 0; i < groups->n; i++)
    if (better >> i & 1) add_to_subset(s, i);
}

/* Mean class shares of the levels, by weight. */
static void mean_shares(const scan *s, double *mean) {
  double all = 0;
  for (size_t j = 0; j < s->q; j++) mean[j] = 0;
  for (size_t i = 0; i < s->groups->n; i++)
    for (size_t j = 0; j < s->q; j++) mean[j] += s->groups->stat[i * s->q + j];
  for (size_t j = 0; j < s->q; j++) all += mean[j];
  for (size_t j = 0; j < s->q; j++) mean[j] /= all;
}

/* Place of level i along v. */
static double along(const scan *s, size_t i, const double *mean, const double *v) {
  const double *stat = s->groups->stat + i * s->q;
  double w = weight_of(s, stat), sum = 0;
  for (size_t j = 0; j < s->q; j++) sum += (stat[j] / w - mean[j]) * v[j];
  return sum;
}

/* v <- covariance * v, scaled to length 1. @return false when it vanishes */
static bool power_step(const scan *s, const double *mean, double *v, double *next) {
  double length = 0;
  for (size_t j = 0; j < s->q; j++) next[j] = 0;
  for (size_t i = 0; i < s->groups->n; i++) {
    const double *stat = s->groups->stat + i * s->q;
    double w = weight_of(s, stat), a = along(s, i, mean, v);
    for (size_t j = 0; j < s->q; j++) next[j] += a * (stat[j] - w * mean[j]);
  }
  for (size_t j = 0; j < s->q; j++) length += next[j] * next[j];
  length = sqrt(length);
  if (!(length > 0)) return false;
  for (size_t j = 0; j < s->q; j++) v[j] = next[j] / length;
  return true;
}

/* Along the first principal component of the class shares. */
static void order_by_component(scan *s) {
  double *mean = s->room->vector, *v = mean + s->q, *next = v + s->q;
  mean_shares(s, mean);
  for (size_t j = 0; j < s->q; j++) v[j] = 1 / (double)(j + 1); /* no symmetry that could hide the component */
  for (size_t i = 0; i < POWER_STEPS && power_step(s, mean, v, next); i++) {
  }
  for (size_t i = 0; i < s->groups->n; i++) s->room->order[i] = (tree_keyed){along(s, i, mean, v), (uint32_t)i};
}

static void try_several_classes(scan *s) {
  if (s->groups->n <= MAX_EXHAUSTIVE) {
    try_all(s);
    return;
  }
  order_by_component(s);
  try_prefixes(s);
  for (size_t c = 0; c < s->q && s->q <= MAX_ONE_VERSUS_REST; c++) {
    order_by(s, c);
    try_prefixes(s);
  }
}

/* Levels without rows here join the larger side. */
static void place_absent(scan *s) {
  double all = weight_of(s, s->g->total);
  if (s->best_left_weight < all - s->best_left_weight) return;
  size_t at = 0;
  for (uint32_t level = 0; level < s->column->n_bins; level++) {
    if (at < s->groups->n && s->groups->code[at] == level)
      at++;
    else
      s->subset[level / 32] |= (uint32_t)1 << level % 32;
  }
}

void tree_split_category(const tree_grower *g, size_t feature, const tree_task *node, tree_room *room, tree_split *best, uint32_t *subset) {
  const tree_column *c = &g->data->columns[feature];
  tree_collect(g, c, node, room);
  best->feature = SIZE_MAX;
  if (room->groups.n == 0 || (room->groups.n == 1 && !room->groups.missing)) return;
  scan s = {.g = g, .column = c, .groups = &room->groups, .n = node->n, .q = g->data->q, .room = room, .subset = subset,
            .best = -(double)INFINITY};
  if (g->data->k > 2) {
    try_several_classes(&s);
  } else {
    order_by(&s, 1);
    try_prefixes(&s);
  }
  if (!s.found) return;
  place_absent(&s);
  *best = (tree_split){.score = s.best, .feature = feature, .saw_missing = s.groups->missing > 0, .missing_left = s.missing_left};
}
