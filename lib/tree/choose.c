/*
 * Choice of alpha by validation.
 *
 * Every fold's tree grows on the other folds, its own rows walk down it, and
 * each node notes what it would cost them as a leaf; the pruning path then
 * gives the fold's cost as a step function of alpha. The candidates are the
 * geometric means of neighbouring alphas of the whole tree's path, as CART
 * does; the one with the smallest mean cost wins, the larger one at ties.
 *
 * The whole tree and the folds' trees are independent: threads take one each.
 * Source: Breiman, Friedman, Olshen & Stone, 1984, sections 3.4 and 8.5.
 */
#include "tree/grow.h"

#include <math.h>

enum { FOLDS = 5 };

/*
 * Alphas below half of what one row is worth are hardly ever chosen, and
 * nodes that no larger alpha would keep split need not be split at all: most
 * of a large tree. When the best alpha lies near the floor all is done again
 * without it.
 */
static const double FLOOR = 0.5;

/* Rows to validate on. */
typedef struct held_out {
  const double *const *raw;
  const double *target, *weights;
  const uint32_t *fold; /* rows of this fold only, or NULL = all */
  uint32_t this_fold;
  size_t n;
} held_out;

/* A step function of alpha. */
typedef struct curve {
  tree_step *steps;
  size_t n;
  double weight; /* of the rows validated on */
} curve;

/* One tree to grow. */
typedef struct job {
  tree_grown tree;
  curve curve;
  dm_status status;
  dm_error err;
} job;

/* ---- what a node costs --------------------------------------------------------- */

/* What a row needs to know of a node. */
typedef struct guess {
  double value;   /* mean of a regression */
  double squares; /* sum of squared class shares */
  double weight;
} guess;

static guess guess_of(const tree_data *t, const double *stat) {
  if (!t->k) return (guess){.value = t->centre + stat[1] / stat[0]};
  guess g = {0};
  for (size_t c = 0; c < t->k; c++) g.weight += stat[c];
  for (size_t c = 0; c < t->k; c++) g.squares += stat[c] / g.weight * (stat[c] / g.weight);
  return g;
}

/* Squared error, of the class shares too: it sees a leaf become surer where the error rate sees nothing. */
static double loss(const tree_data *t, const guess *g, const double *stat, double truth) {
  if (!t->k) return (truth - g->value) * (truth - g->value);
  double p = stat[(size_t)truth] / g->weight;
  return 1 - 2 * p + g->squares;
}

/* cost [m]: sum over the held-out rows that pass a node of their loss there. */
static double add_costs(const tree_data *t, const tree_grown *tree, const guess *guesses, const held_out *rows, double *cost) {
  double weight = 0;
  for (size_t i = 0; i < rows->n; i++) {
    if (rows->fold && rows->fold[i] != rows->this_fold) continue;
    double w = rows->weights ? rows->weights[i] : 1;
    weight += w;
    for (uint32_t at = 0;;) {
      const tree_node *node = &tree->nodes[at];
      cost[at] += w * loss(t, &guesses[at], tree->stat + at * tree->q, rows->target[i]);
      if (node->feature < 0) break;
      at = tree_grown_step(t, tree, node, rows->raw, i);
    }
  }
  return weight;
}

static dm_status validate(const tree_data *t, const tree_grown *tree, const held_out *rows, curve *out, dm_error *err) {
  double *cost = dm_alloc(t->ctx, tree->m, sizeof *cost, "tree pruning", err);
  guess *guesses = cost ? dm_alloc(t->ctx, tree->m, sizeof *guesses, "tree pruning", err) : NULL;
  out->steps = guesses ? dm_alloc(t->ctx, tree->m, sizeof *out->steps, "tree pruning", err) : NULL;
  dm_status s = out->steps ? DM_OK : DM_EBUDGET;
  if (s == DM_OK) {
    for (size_t i = 0; i < tree->m; i++) guesses[i] = guess_of(t, tree->stat + i * tree->q);
    out->weight = add_costs(t, tree, guesses, rows, cost);
    s = tree_path(tree, cost, NULL, out->steps, &out->n, err);
  }
  dm_free(t->ctx, guesses);
  dm_free(t->ctx, cost);
  return s;
}

/* ---- the choice ------------------------------------------------------------------ */

/* Candidate i of the whole path: between its alpha and the next larger one. @return the step after those of equal alpha */
static size_t candidate(const curve *whole, size_t i, double *alpha) {
  size_t next = i + 1;
  while (next < whole->n && whole->steps[next].alpha <= whole->steps[i].alpha) next++;
  *alpha = next < whole->n ? sqrt(whole->steps[i].alpha * whole->steps[next].alpha) : whole->steps[i].alpha;
  return next;
}

static double choose(const curve *whole, const job *folds, size_t n_folds) {
  size_t at[FOLDS] = {0};
  double best = (double)INFINITY, chosen = 0;
  for (size_t i = 0; i < whole->n;) {
    double alpha, cost = 0, weight = 0;
    i = candidate(whole, i, &alpha);
    for (size_t f = 0; f < n_folds; f++) {
      const curve *c = &folds[f].curve;
      while (at[f] + 1 < c->n && c->steps[at[f] + 1].alpha <= alpha) at[f]++;
      cost += c->steps[at[f]].cost;
      weight += c->weight;
    }
    cost /= weight;
    if (cost <= best) {
      best = cost;
      chosen = alpha;
    }
  }
  return chosen;
}

/* ---- growing ------------------------------------------------------------------------ */

/* What all threads see. */
typedef struct plan {
  const tree_data *data;
  const tree_limits *limits;
  const uint32_t *rows; /* [n] rows that have weight */
  size_t n;
  const uint32_t *fold; /* [data->n] */
  held_out held;
  job *jobs; /* 0: the whole tree; f + 1: without fold f */
  size_t n_jobs;
} plan;

static dm_status run_fold(const plan *p, uint32_t f, job *j) {
  const tree_data *t = p->data;
  uint32_t *rows = dm_alloc(t->ctx, p->n, sizeof *rows, "tree folds", &j->err);
  if (!rows) return DM_EBUDGET;
  size_t n = 0;
  for (size_t i = 0; i < p->n; i++)
    if (p->fold[p->rows[i]] != f) rows[n++] = p->rows[i];
  dm_status s = n ? tree_grow(t, p->limits, rows, n, 1, &j->tree, &j->err) : DM_OK;
  dm_free(t->ctx, rows);
  if (s != DM_OK || !n) return s;
  held_out held = p->held;
  held.this_fold = f;
  s = validate(t, &j->tree, &held, &j->curve, &j->err);
  tree_grown_clear(&j->tree);
  return s;
}

static dm_status run_whole(const plan *p, job *j) {
  dm_status s = tree_grow(p->data, p->limits, p->rows, p->n, p->n_jobs > 1 ? 1 : dm_ctx_threads(p->data->ctx), &j->tree, &j->err);
  if (s != DM_OK) return s;
  j->curve.steps = dm_alloc(p->data->ctx, j->tree.m, sizeof *j->curve.steps, "tree pruning", &j->err);
  return j->curve.steps ? tree_path(&j->tree, NULL, NULL, j->curve.steps, &j->curve.n, &j->err) : DM_EBUDGET;
}

static dm_status run(plan *p, dm_error *err) {
  int threads = (int)dm_ctx_threads(p->data->ctx);
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1 && p->n_jobs > 1)
  for (size_t i = 0; i < p->n_jobs; i++) {
    job *j = &p->jobs[i];
    j->status = i ? run_fold(p, (uint32_t)i - 1, j) : run_whole(p, j);
  }
  for (size_t i = 0; i < p->n_jobs; i++)
    if (p->jobs[i].status != DM_OK) {
      if (err) *err = p->jobs[i].err;
      return p->jobs[i].status;
    }
  return DM_OK;
}

/* As many folds as the rows and their groups allow; a single group cannot be kept together. */
static dm_status cut_folds(const plan *p, const dm_dataset *train, uint32_t *fold, size_t *n_folds, dm_error *err) {
  const tree_data *t = p->data;
  const double *classes = t->k ? train->target : NULL, *groups = train->groups;
  dm_error first = {0};
  size_t k = p->n < FOLDS ? p->n : FOLDS;
  dm_status s = dm_split_folds(t->ctx, t->n, k, dm_ctx_seed(t->ctx), classes, groups, fold, &first);
  while (s == DM_EINPUT && groups && k > 2) s = dm_split_folds(t->ctx, t->n, --k, dm_ctx_seed(t->ctx), classes, groups, fold, NULL);
  if (s == DM_EINPUT && groups) s = dm_split_folds(t->ctx, t->n, k, dm_ctx_seed(t->ctx), classes, NULL, fold, NULL);
  if (s != DM_OK && err) *err = first;
  *n_folds = k;
  return s;
}

static dm_status cross_validate(plan *p, const dm_dataset *train, double *alpha, dm_error *err) {
  const tree_data *t = p->data;
  size_t folds;
  uint32_t *fold = dm_alloc(t->ctx, t->n, sizeof *fold, "tree folds", err);
  if (!fold) return DM_EBUDGET;
  dm_status s = cut_folds(p, train, fold, &folds, err);
  if (s == DM_OK) {
    p->fold = p->held.fold = fold;
    p->n_jobs = folds + 1;
    s = run(p, err);
  }
  if (s == DM_OK) *alpha = choose(&p->jobs[0].curve, p->jobs + 1, folds);
  dm_free(t->ctx, fold);
  return s;
}

static dm_status use_valid(plan *p, const dm_block *block, const dm_dataset *valid, double *alpha, dm_error *err) {
  p->n_jobs = 1;
  dm_status s = run(p, err);
  if (s != DM_OK) return s;
  held_out held = {.raw = block->raw, .target = valid->target, .weights = valid->weights, .n = valid->n};
  s = validate(p->data, &p->jobs[0].tree, &held, &p->jobs[1].curve, err);
  if (s == DM_OK) *alpha = choose(&p->jobs[0].curve, p->jobs + 1, 1);
  return s;
}

static void clear_jobs(dm_ctx *ctx, job *jobs) {
  for (size_t i = 0; i < FOLDS + 1; i++) {
    if (jobs[i].tree.ctx) tree_grown_clear(&jobs[i].tree);
    dm_free(ctx, jobs[i].curve.steps);
    jobs[i] = (job){0};
  }
}

/* impurity of all rows / n: what one row is worth */
static double worth_of_a_row(const tree_data *t, const tree_limits *limits, const uint32_t *rows, size_t n, dm_error *err) {
  tree_limits stump = *limits;
  tree_grown root;
  stump.max_depth = 0;
  if (tree_grow(t, &stump, rows, n, 1, &root, err) != DM_OK) return -1;
  double worth = root.nodes[0].impurity / (double)n;
  tree_grown_clear(&root);
  return worth;
}

dm_status tree_grow_chosen(const tree_data *data, const dm_training *training, const tree_limits *limits, const uint32_t *rows, size_t n,
                           tree_grown *out, double *alpha, dm_error *err) {
  const dm_block *block = dm_dataset_block(training->train, DM_BLOCK_RAW);
  const dm_block *valid = training->valid && training->valid->n ? dm_dataset_block(training->valid, DM_BLOCK_RAW) : NULL;
  double worth = worth_of_a_row(data, limits, rows, n, err);
  if (worth < 0) return DM_EBUDGET;
  job *jobs = dm_alloc(data->ctx, FOLDS + 1, sizeof *jobs, "tree folds", err);
  if (!jobs) return DM_EBUDGET;
  tree_limits floored = *limits;
  floored.floor = worth * FLOOR;
  plan p = {.data = data, .limits = &floored, .rows = rows, .n = n, .jobs = jobs,
            .held = {.raw = block->raw, .target = training->train->target, .weights = data->weights, .n = data->n}};
  dm_status s;
  for (;;) {
    s = valid ? use_valid(&p, valid, training->valid, alpha, err) : cross_validate(&p, training->train, alpha, err);
    if (s != DM_OK || floored.floor == 0 || *alpha > 2 * floored.floor) break;
    clear_jobs(data->ctx, jobs); /* the best may lie below the floor */
    floored.floor = 0;
  }
  if (s == DM_OK) {
    *out = jobs[0].tree;
    jobs[0].tree = (tree_grown){0};
  }
  clear_jobs(data->ctx, jobs);
  dm_free(data->ctx, jobs);
  return s;
}
