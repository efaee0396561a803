/* What the files that grow a tree share. */
#ifndef DM_TREE_GROW_H
#define DM_TREE_GROW_H

#include <dm/model.h>

typedef enum tree_criterion { TREE_GINI, TREE_ENTROPY, TREE_SQUARED_ERROR } tree_criterion;

typedef struct tree_limits {
  tree_criterion criterion;
  size_t max_depth, min_samples_split, min_samples_leaf;
  double min_impurity_decrease;
  double floor; /* impurity * share of the rows up to which a node stays a leaf: no alpha >= floor would keep it split */
} tree_limits;

/**
 * One feature: bins of all rows; the bin n_bins means missing. The bins of a
 * category are its frequent levels; rare ones count as missing.
 */
typedef struct tree_column {
  bool category;
  uint8_t width; /* bytes of a code */
  size_t n_bins;
  size_t n_levels;     /* category: of the input */
  uint32_t *bin_of;    /* [n_levels] n_bins = rare */
  const void *codes; /* [n] */
  const double *raw; /* [n] */
  double *values;    /* [n_bins] numeric: the distinct values, ascending */
  uint32_t *order;   /* [n] numeric with many bins: rows by value, missing last; else NULL */
  size_t list;       /* which list of the grower when there is an order */
} tree_column;

/**
 * The training rows as all growers of one training read them. Statistics of a
 * set of rows are q doubles: the weights of the k classes, or for a regression
 * {sum w, sum w*y} with y measured from `centre`.
 */
typedef struct tree_data {
  dm_ctx *ctx;
  dm_arena *memory;
  size_t n, d, k, q;
  dm_binned binned;
  tree_column *columns;
  size_t n_lists;         /* columns with an order */
  size_t max_bins;        /* of columns without an order, missing included */
  uint16_t *classes;      /* [n] or NULL */
  double *y;              /* [n] or NULL */
  double centre;
  const double *weights;  /* [n] or NULL = all 1 */
} tree_data;

/** @param training its RAW block. DM_EINPUT for targets that teach nothing. */
dm_status tree_data_init(dm_ctx *ctx, const dm_training *training, tree_data *out, dm_error *err);
void tree_data_clear(tree_data *data);

/** Statistics of one bin within a node. */
typedef struct tree_groups {
  size_t n;
  uint32_t *code, *count; /* [n] */
  double *stat;           /* [n, q] */
  uint32_t missing;       /* rows without a value, and their statistics */
  double *missing_stat;   /* [q] */
} tree_groups;

/** The best split of a node found so far; feature SIZE_MAX = none. */
typedef struct tree_split {
  double score; /* sum over both sides of what the criterion wants large */
  size_t feature;
  uint32_t bin; /* numeric: bins <= bin go left */
  double threshold;
  bool saw_missing, missing_left;
} tree_split;

/** A group and its place in an order of groups. */
typedef struct tree_keyed {
  double key;
  uint32_t group;
} tree_keyed;

/** A row in a list ordered by one feature. */
typedef struct tree_item {
  uint32_t row, code;
} tree_item;

/** One thread's room; histograms are zero between uses. */
typedef struct tree_room {
  uint32_t *tally;    /* [max_bins, k] unweighted classification */
  uint32_t *more;     /* [3, 256, k] three tallies more, for columns of one byte */
  double *sums;       /* [max_bins, q] otherwise */
  uint32_t *rows_in;  /* [max_bins] otherwise */
  uint64_t *touched;  /* bit for each bin */
  tree_groups groups;
  double *left, *right, *with; /* [q] */
  tree_keyed *order;           /* [groups] categories in the order of a scan */
  double *vector;              /* [3, q] principal component */
  tree_item *spare_items;      /* [n] when there are lists */
} tree_room;

/** A node with its rows at [first, first + n). */
typedef struct tree_task {
  size_t first, n;
  uint32_t parent, depth;
  bool is_left;
} tree_task;

typedef struct tree_node {
  int32_t feature; /* -1 = leaf */
  uint32_t left, right;
  bool missing_left, missing_seen;
  double threshold, weight, impurity;
  size_t subset; /* categories: first word of the left-going bins */
} tree_node;

/** A tree in preorder: node 0 the root, a left child follows its parent. */
typedef struct tree_grown {
  dm_ctx *ctx;
  size_t m, capacity, q;
  tree_node *nodes; /* [m] */
  double *stat;     /* [m, q] statistics of the node's rows */
  uint32_t *subset;
  size_t n_subset, subset_capacity;
  double weight; /* of all rows */
} tree_grown;

typedef struct tree_grower {
  const tree_data *data;
  const tree_limits *limits;
  dm_arena *memory;
  size_t n;             /* rows this tree grows on */
  uint32_t *rows;       /* [n] rows of each node together, ascending within it */
  uint32_t *spare;      /* [n] */
  tree_item **lists;    /* [n_lists] → [n] */
  uint8_t *goes_left;   /* [data->n] */
  tree_split *splits;   /* [d] best of each feature */
  uint32_t **subsets;   /* [d] words of the best subset of each category's bins */
  uint8_t *sides;       /* [max_bins] side of each bin in a partition */
  tree_room *rooms;     /* one for each thread */
  size_t threads;
  const double *total;  /* [q] statistics of the node being split */
} tree_grower;

/**
 * Grows one tree on rows, ascending.
 * @param threads over features; the tree has the same bits for any number.
 */
dm_status tree_grow(const tree_data *data, const tree_limits *limits, const uint32_t *rows, size_t n, size_t threads, tree_grown *out,
                    dm_error *err);
void tree_grown_clear(tree_grown *tree);
/** Child that a row goes to. @param raw [d] columns, of the data or of other rows */
uint32_t tree_grown_step(const tree_data *data, const tree_grown *tree, const tree_node *node, const double *const *raw, size_t row);

/* ---- split.c: criterion and histograms ---------------------------------- */

double tree_impurity(tree_criterion c, const double *stat, size_t q);
/** What a side adds to the score of a split: larger is purer. */
double tree_side_score(tree_criterion c, const double *stat, size_t q);
/** Score of the split of the node with left on the one side; room->right is overwritten. */
static inline double tree_split_score(const tree_grower *g, const double *left, tree_room *room) {
  const double *total = g->total;
  tree_criterion c = g->limits->criterion;
  size_t q = g->data->q;
  if (c == TREE_SQUARED_ERROR) {
    double right = total[1] - left[1];
    return left[1] * left[1] / left[0] + right * right / (total[0] - left[0]);
  }
  if (c == TREE_GINI && q == 2) { /* the common case, without calls */
    double r0 = total[0] - left[0], r1 = total[1] - left[1];
    return (left[0] * left[0] + left[1] * left[1]) / (left[0] + left[1]) + (r0 * r0 + r1 * r1) / (r0 + r1);
  }
  for (size_t j = 0; j < q; j++) room->right[j] = total[j] - left[j];
  return tree_side_score(c, left, q) + tree_side_score(c, room->right, q);
}

/** Statistics of the node's rows by bin of column c, ascending by bin, into room->groups. */
void tree_collect(const tree_grower *g, const tree_column *c, const tree_task *node, tree_room *room);

/* ---- split_numeric.c, split_category.c ------------------------------------ */

void tree_split_numeric(const tree_grower *g, size_t feature, const tree_task *node, tree_room *room, tree_split *best);
/** @param subset words of the left-going bins of *best. */
void tree_split_category(const tree_grower *g, size_t feature, const tree_task *node, tree_room *room, tree_split *best, uint32_t *subset);

/* ---- prune.c ------------------------------------------------------------------ */

/** One step of the path: at alpha a subtree became a leaf; what the tree costs from here on. */
typedef struct tree_step {
  double alpha;    /* never falls */
  double impurity; /* sum over leaves of impurity * share of the rows */
  double cost;     /* sum over leaves of the cost given, 0 without */
} tree_step;

/**
 * Cost-complexity path of a tree: step 0 is the whole tree (alpha 0), then one step for each subtree cut.
 * @param cost [m] what each node would cost as a leaf on other rows, or NULL
 * @param cut_at [m] or NULL: alpha at which a node becomes a leaf or goes (0 for leaves of the whole tree)
 * @param steps capacity m. @return DM_OK or DM_EBUDGET.
 * Source: Breiman et al., 1984, section 3.3.
 */
dm_status tree_path(const tree_grown *tree, const double *cost, double *cut_at, tree_step *steps, size_t *n_steps, dm_error *err);

/* ---- choose.c ------------------------------------------------------------------- */

/**
 * Grows the whole tree on rows and chooses alpha by validation: on
 * training->valid when there is one, else by cross-validation.
 */
dm_status tree_grow_chosen(const tree_data *data, const dm_training *training, const tree_limits *limits, const uint32_t *rows, size_t n,
                           tree_grown *out, double *alpha, dm_error *err);

#endif
