/*
 * Growing one tree, depth first, left before right.
 *
 *   rows   | node A's rows        | node B's rows | ...    ascending in each node
 *   lists  | the same rows by one feature's value ... |    one for each feature with many values
 *
 * A split partitions rows and lists stably, so that every node is a range and
 * nothing is sorted again. Features are independent: threads take one each,
 * and the best is taken in the order of the features, so the tree does not
 * depend on their number.
 * Source: Breiman, Friedman, Olshen & Stone, 1984.
 */
#include "tree/grow.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { PARALLEL_FROM = 200000 }; /* rows * features of a node that is worth waking threads for */

/* ---- room --------------------------------------------------------------------- */

static dm_status room_init(const tree_grower *g, tree_room *room, dm_error *err) {
  const tree_data *t = g->data;
  size_t groups = g->n < t->max_bins || t->n_lists ? g->n : t->max_bins, cells;
  if (!dm_size_mul(t->max_bins, t->q, &cells)) return dm_fail(err, DM_EBUDGET, "tree: the histogram is more than memory can hold");
  bool tally = t->k && !t->weights, ok = true;
  struct {
    void **to;
    size_t count, size;
  } parts[] = {
      {(void **)&room->tally, tally ? cells : 0, sizeof *room->tally},
      {(void **)&room->more, tally ? 3 * 256 * t->k : 0, sizeof *room->more},
      {(void **)&room->sums, tally ? 0 : cells, sizeof *room->sums},
      {(void **)&room->rows_in, tally ? 0 : t->max_bins, sizeof *room->rows_in},
      {(void **)&room->touched, t->max_bins / 64 + 1, sizeof *room->touched},
      {(void **)&room->groups.code, groups, sizeof *room->groups.code},
      {(void **)&room->groups.count, groups, sizeof *room->groups.count},
      {(void **)&room->groups.stat, groups * t->q, sizeof *room->groups.stat},
      {(void **)&room->groups.missing_stat, t->q, sizeof *room->groups.missing_stat},
      {(void **)&room->left, t->q, sizeof *room->left},
      {(void **)&room->right, t->q, sizeof *room->right},
      {(void **)&room->with, t->q, sizeof *room->with},
      {(void **)&room->order, groups, sizeof *room->order},
      {(void **)&room->vector, 3 * t->q, sizeof *room->vector},
      {(void **)&room->spare_items, t->n_lists ? g->n : 0, sizeof *room->spare_items},
  };
  for (size_t i = 0; i < sizeof parts / sizeof *parts && ok; i++)
    if (parts[i].count) ok = (*parts[i].to = dm_arena_alloc(g->memory, parts[i].count, parts[i].size, err)) != NULL;
  return ok ? DM_OK : DM_EBUDGET;
}

static uint32_t code_at(const tree_column *c, size_t i) {
  if (c->width == 1) return ((const uint8_t *)c->codes)[i];
  return c->width == 2 ? ((const uint16_t *)c->codes)[i] : ((const uint32_t *)c->codes)[i];
}

/* This tree's rows of an ordered column, in its order. */
static dm_status list_init(tree_grower *g, const tree_column *c, dm_error *err) {
  tree_item *list = dm_arena_alloc(g->memory, g->n, sizeof *list, err);
  if (!list) return DM_EBUDGET;
  size_t n = 0;
  for (size_t i = 0; i < g->data->n; i++) {
    uint32_t row = c->order[i];
    if (g->goes_left[row]) list[n++] = (tree_item){row, code_at(c, row)};
  }
  g->lists[c->list] = list;
  return DM_OK;
}

static dm_status lists_init(tree_grower *g, dm_error *err) {
  const tree_data *t = g->data;
  if (!t->n_lists) return DM_OK;
  if (!(g->lists = dm_arena_alloc(g->memory, t->n_lists, sizeof *g->lists, err))) return DM_EBUDGET;
  for (size_t i = 0; i < g->n; i++) g->goes_left[g->rows[i]] = 1; /* for a moment: rows of this tree */
  for (size_t j = 0; j < t->d; j++)
    if (t->columns[j].order && list_init(g, &t->columns[j], err) != DM_OK) return DM_EBUDGET;
  return DM_OK;
}

static dm_status grower_init(tree_grower *g, const uint32_t *rows, dm_error *err) {
  const tree_data *t = g->data;
  dm_status s = dm_arena_new(t->ctx, 0, &g->memory, err);
  if (s != DM_OK) return s;
  if (!(g->rows = dm_arena_alloc(g->memory, g->n, sizeof *g->rows, err)) ||
      !(g->spare = dm_arena_alloc(g->memory, g->n, sizeof *g->spare, err)) ||
      !(g->goes_left = dm_arena_alloc(g->memory, t->n, 1, err)) ||
      !(g->splits = dm_arena_alloc(g->memory, t->d, sizeof *g->splits, err)) ||
      !(g->subsets = dm_arena_alloc(g->memory, t->d, sizeof *g->subsets, err)) ||
      !(g->sides = dm_arena_alloc(g->memory, t->max_bins, 1, err)) ||
      !(g->rooms = dm_arena_alloc(g->memory, g->threads, sizeof *g->rooms, err)))
    return DM_EBUDGET;
  memcpy(g->rows, rows, g->n * sizeof *rows);
  for (size_t j = 0; j < t->d; j++)
    if (t->columns[j].category && !(g->subsets[j] = dm_arena_alloc(g->memory, t->columns[j].n_bins / 32 + 1, sizeof(uint32_t), err)))
      return DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < g->threads; i++) s = room_init(g, &g->rooms[i], err);
  return s == DM_OK ? lists_init(g, err) : s;
}

/* ---- nodes ----------------------------------------------------------------------- */

static dm_status reserve(tree_grown *tree, size_t words, dm_error *err) {
  if (tree->m == tree->capacity) {
    size_t capacity = tree->capacity ? 2 * tree->capacity : 256;
    tree_node *nodes = dm_realloc(tree->ctx, tree->nodes, capacity, sizeof *nodes, "tree", err);
    if (!nodes) return DM_EBUDGET;
    tree->nodes = nodes;
    double *stat = dm_realloc(tree->ctx, tree->stat, capacity, tree->q * sizeof *stat, "tree", err);
    if (!stat) return DM_EBUDGET;
    tree->stat = stat;
    tree->capacity = capacity;
  }
  if (tree->n_subset + words > tree->subset_capacity) {
    size_t capacity = 2 * tree->subset_capacity + words;
    uint32_t *subset = dm_realloc(tree->ctx, tree->subset, capacity, sizeof *subset, "tree", err);
    if (!subset) return DM_EBUDGET;
    tree->subset = subset;
    tree->subset_capacity = capacity;
  }
  return DM_OK;
}

/* Statistics of the node's rows. @return true when there is only one class, or one value */
static bool add_up(const tree_grower *g, const tree_task *task, double *stat, double *weight, double *impurity) {
  const tree_data *t = g->data;
  const uint32_t *rows = g->rows + task->first;
  double w = 0, spread = 0;
  for (size_t j = 0; j < t->q; j++) stat[j] = 0;
  if (t->k) {
    size_t classes = 0;
    for (size_t i = 0; i < task->n; i++) stat[t->classes[rows[i]]] += t->weights ? t->weights[rows[i]] : 1;
    for (size_t j = 0; j < t->q; j++) {
      w += stat[j];
      classes += stat[j] > 0;
    }
    *weight = w;
    *impurity = classes > 1 ? tree_impurity(g->limits->criterion, stat, t->q) : 0;
    return classes < 2;
  }
  bool same = true;
  for (size_t i = 0; i < task->n; i++) {
    double wi = t->weights ? t->weights[rows[i]] : 1;
    stat[0] += wi;
    stat[1] += wi * t->y[rows[i]];
    same &= t->y[rows[i]] == t->y[rows[0]];
  }
  double mean = stat[1] / stat[0];
  for (size_t i = 0; i < task->n && !same; i++) {
    double e = t->y[rows[i]] - mean;
    spread += (t->weights ? t->weights[rows[i]] : 1) * e * e;
  }
  *weight = stat[0];
  *impurity = spread / stat[0];
  return same;
}

static void split_feature(tree_grower *g, size_t j, const tree_task *task, tree_room *room) {
  if (g->data->columns[j].category)
    tree_split_category(g, j, task, room, &g->splits[j], g->subsets[j]);
  else
    tree_split_numeric(g, j, task, room, &g->splits[j]);
}

/* Best split over the features; the lowest feature at ties. */
static const tree_split *find_split(tree_grower *g, const tree_task *task) {
  size_t d = g->data->d;
  const tree_split *best = NULL;
  if (g->threads > 1 && task->n * d >= PARALLEL_FROM) {
#pragma omp parallel for schedule(dynamic) num_threads((int)g->threads)
    for (size_t j = 0; j < d; j++) split_feature(g, j, task, &g->rooms[omp_get_thread_num()]);
  } else { /* a region of one thread would still cost */
    for (size_t j = 0; j < d; j++) split_feature(g, j, task, &g->rooms[0]);
  }
  for (size_t j = 0; j < d; j++)
    if (g->splits[j].feature != SIZE_MAX && (!best || g->splits[j].score > best->score)) best = &g->splits[j];
  return best;
}

/* ---- partition --------------------------------------------------------------------- */

/* Marks which rows of the node go left. */
static void mark_sides(tree_grower *g, const tree_task *task, const tree_split *split) {
  const tree_column *c = &g->data->columns[split->feature];
  if (c->order) {
    const tree_item *items = g->lists[c->list] + task->first;
    for (size_t i = 0; i < task->n; i++)
      g->goes_left[items[i].row] = items[i].code == c->n_bins ? split->missing_left : items[i].code <= split->bin;
    return;
  }
  const uint32_t *subset = g->subsets[split->feature], *rows = g->rows + task->first;
  for (uint32_t b = 0; b < c->n_bins; b++) g->sides[b] = c->category ? (subset[b / 32] >> b % 32 & 1) != 0 : b <= split->bin;
  g->sides[c->n_bins] = split->missing_left;
  for (size_t i = 0; i < task->n; i++) g->goes_left[rows[i]] = g->sides[code_at(c, rows[i])];
}

/* Stable: each side keeps its order. Both are written and one advances, so that no branch is guessed. @return rows on the left */
static size_t partition_rows(tree_grower *g, const tree_task *task) {
  uint32_t *rows = g->rows + task->first;
  size_t left = 0, right = 0;
  for (size_t i = 0; i < task->n; i++) {
    uint32_t row = rows[i];
    size_t goes = g->goes_left[row];
    rows[left] = row;
    g->spare[right] = row;
    left += goes;
    right += 1 - goes;
  }
  memcpy(rows + left, g->spare, right * sizeof *rows);
  return left;
}

static void partition_list(tree_grower *g, const tree_task *task, size_t list, tree_item *spare) {
  tree_item *items = g->lists[list] + task->first;
  size_t left = 0, right = 0;
  for (size_t i = 0; i < task->n; i++) {
    tree_item item = items[i];
    size_t goes = g->goes_left[item.row];
    items[left] = item;
    spare[right] = item;
    left += goes;
    right += 1 - goes;
  }
  memcpy(items + left, spare, right * sizeof *items);
}

static size_t partition(tree_grower *g, const tree_task *task, const tree_split *split) {
  size_t n_lists = g->data->n_lists;
  mark_sides(g, task, split);
  if (g->threads > 1 && n_lists > 1 && task->n * n_lists >= PARALLEL_FROM) {
#pragma omp parallel for schedule(static) num_threads((int)g->threads)
    for (size_t l = 0; l < n_lists; l++) partition_list(g, task, l, g->rooms[omp_get_thread_num()].spare_items);
  } else {
    for (size_t l = 0; l < n_lists; l++) partition_list(g, task, l, g->rooms[0].spare_items);
  }
  return partition_rows(g, task);
}

/* ---- growing ----------------------------------------------------------------------- */

/* Nodes that wait. */
typedef struct stack {
  tree_task *tasks;
  size_t n, capacity;
} stack;

static dm_status push(dm_ctx *ctx, stack *s, tree_task task, dm_error *err) {
  if (s->n == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 128;
    tree_task *tasks = dm_realloc(ctx, s->tasks, capacity, sizeof *tasks, "tree", err);
    if (!tasks) return DM_EBUDGET;
    s->tasks = tasks;
    s->capacity = capacity;
  }
  s->tasks[s->n++] = task;
  return DM_OK;
}

/* True when the first `left` rows of the node weigh at least half: missing values follow them when the node saw none. */
static bool is_larger(const tree_grower *g, const tree_task *task, size_t left) {
  const double *weights = g->data->weights;
  if (!weights) return left >= task->n - left;
  double sides[2] = {0, 0};
  for (size_t i = 0; i < task->n; i++) sides[i < left] += weights[g->rows[task->first + i]];
  return sides[1] >= sides[0];
}

/* Writes the split into the node and gives its children to the stack. */
static dm_status split_node(tree_grower *g, tree_grown *tree, uint32_t id, const tree_task *task, const tree_split *split, stack *waiting,
                            dm_error *err) {
  const tree_column *c = &g->data->columns[split->feature];
  size_t words = c->category ? (c->n_bins + 31) / 32 : 0;
  dm_status s = reserve(tree, words, err);
  if (s != DM_OK) return s;
  tree_node *node = &tree->nodes[id];
  node->feature = (int32_t)split->feature;
  node->threshold = split->threshold;
  node->missing_left = split->missing_left;
  node->missing_seen = split->saw_missing;
  node->subset = tree->n_subset;
  if (words) memcpy(tree->subset + tree->n_subset, g->subsets[split->feature], words * sizeof(uint32_t));
  tree->n_subset += words;
  size_t left = partition(g, task, split);
  if (!split->saw_missing) node->missing_left = is_larger(g, task, left);
  s = push(g->data->ctx, waiting, (tree_task){task->first + left, task->n - left, id, task->depth + 1, false}, err);
  return s == DM_OK ? push(g->data->ctx, waiting, (tree_task){task->first, left, id, task->depth + 1, true}, err) : s;
}

static dm_status grow_node(tree_grower *g, tree_grown *tree, const tree_task *task, stack *waiting, dm_error *err) {
  const tree_limits *limits = g->limits;
  dm_status s = dm_ctx_check(g->data->ctx, err);
  if (s == DM_OK) s = reserve(tree, 0, err);
  if (s != DM_OK) return s;
  uint32_t id = (uint32_t)tree->m++;
  tree_node *node = &tree->nodes[id];
  double *stat = tree->stat + id * tree->q;
  *node = (tree_node){.feature = -1};
  if (id && task->is_left)
    tree->nodes[task->parent].left = id;
  else if (id)
    tree->nodes[task->parent].right = id;
  bool pure = add_up(g, task, stat, &node->weight, &node->impurity);
  if (id == 0) tree->weight = node->weight;
  if (node->impurity * (node->weight / tree->weight) <= limits->floor) return DM_OK;
  if (pure || task->depth >= limits->max_depth || task->n < limits->min_samples_split || task->n < 2 * limits->min_samples_leaf)
    return DM_OK;
  g->total = stat;
  const tree_split *split = find_split(g, task);
  if (!split) return DM_OK;
  double decrease = (split->score - tree_side_score(limits->criterion, stat, tree->q)) / tree->weight;
  if (decrease + 0x1p-52 < limits->min_impurity_decrease) return DM_OK; /* with the slack of scikit-learn */
  return split_node(g, tree, id, task, split, waiting, err);
}

dm_status tree_grow(const tree_data *data, const tree_limits *limits, const uint32_t *rows, size_t n, size_t threads, tree_grown *out,
                    dm_error *err) {
  tree_grower g = {.data = data, .limits = limits, .n = n, .threads = threads ? threads : 1};
  tree_grown tree = {.ctx = data->ctx, .q = data->q};
  stack waiting = {0};
  dm_status s = grower_init(&g, rows, err);
  if (s == DM_OK) s = push(data->ctx, &waiting, (tree_task){.n = n}, err);
  while (s == DM_OK && waiting.n) {
    tree_task task = waiting.tasks[--waiting.n];
    s = grow_node(&g, &tree, &task, &waiting, err);
  }
  dm_free(data->ctx, waiting.tasks);
  dm_arena_free(g.memory);
  if (s != DM_OK) {
    tree_grown_clear(&tree);
    return s;
  }
  *out = tree;
  return DM_OK;
}

void tree_grown_clear(tree_grown *tree) {
  dm_free(tree->ctx, tree->nodes);
  dm_free(tree->ctx, tree->stat);
  dm_free(tree->ctx, tree->subset);
  *tree = (tree_grown){0};
}

uint32_t tree_grown_step(const tree_data *data, const tree_grown *tree, const tree_node *node, const double *const *raw,
                         size_t row) {
  const tree_column *c = &data->columns[node->feature];
  double x = raw[node->feature][row];
  bool left = node->missing_left;
  if (!c->category) {
    if (!isnan(x)) left = x <= node->threshold;
  } else if (x >= 0 && x < (double)c->n_levels) {
    uint32_t bin = c->bin_of[(size_t)x];
    if (bin < c->n_bins) left = tree->subset[node->subset + bin / 32] >> bin % 32 & 1;
  }
  return left ? node->left : node->right;
}
