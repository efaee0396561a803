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

void tree_split_numeric(const tree_grower *g, size_t feature, const tree_task *node, tree_room *room, tree_split *best) {
  const tree_column *c = &g->data->columns[feature];
  tree_collect(g, c, node, room);
  const tree_groups *groups = &room->groups;
  best->feature = SIZE_MAX;
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
