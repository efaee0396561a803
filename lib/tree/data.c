/*
 * Training rows as the growers read them: bins of every feature, the values
 * behind the bins, rows ordered by the features that have many values, and
 * the target.
 *
 * Levels of a category with fewer than five rows count as missing, and so will
 * levels that were never seen: a column of names or numbers of documents would
 * else split the training rows perfectly and teach nothing.
 *
 * Features with up to 255 values (and all categories) are split from
 * histograms of their bins. For others every grower keeps a list of its rows in
 * the order of the feature, and partitions it with the nodes.
 */
#include "tree/grow.h"

#include <math.h>
#include <string.h>

enum { MAX_CLASSES = UINT16_MAX, MAX_BINS = 4096, FREQUENT = 5, FEW_ROWS = 100 };

static dm_status refuse(dm_error *err, const char *what, const char *hint) {
  (void)dm_fail(err, DM_EINPUT, "tree: %s", what);
  if (hint) dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

static uint32_t code_at(const tree_column *c, size_t i) {
  if (c->width == 1) return ((const uint8_t *)c->codes)[i];
  return c->width == 2 ? ((const uint16_t *)c->codes)[i] : ((const uint32_t *)c->codes)[i];
}

/* Value of each bin: that of any row in it. */
static dm_status fill_values(tree_data *t, tree_column *c, dm_error *err) {
  if (!(c->values = dm_arena_alloc(t->memory, c->n_bins, sizeof *c->values, err))) return DM_EBUDGET;
  for (size_t i = 0; i < t->n; i++) {
    uint32_t code = code_at(c, i);
    if (code < c->n_bins) c->values[code] = c->raw[i];
  }
  return DM_OK;
}

/* Rows by bin, ascending within a bin: a counting sort. */
static dm_status fill_order(tree_data *t, tree_column *c, dm_error *err) {
  if (!(c->order = dm_arena_alloc(t->memory, t->n, sizeof *c->order, err))) return DM_EBUDGET;
  uint32_t *start = dm_alloc(t->ctx, c->n_bins + 2, sizeof *start, "tree", err);
  if (!start) return DM_EBUDGET;
  for (size_t i = 0; i < t->n; i++) start[code_at(c, i) + 1]++;
  for (size_t b = 0; b <= c->n_bins; b++) start[b + 1] += start[b];
  for (size_t i = 0; i < t->n; i++) c->order[start[code_at(c, i)]++] = (uint32_t)i;
  dm_free(t->ctx, start);
  c->list = t->n_lists++;
  return DM_OK;
}

/* The smallest count that makes a level frequent, so that at most MAX_BINS levels are. @param counts [levels] */
static uint32_t frequent_from(const uint32_t *counts, size_t levels, size_t n) {
  for (uint32_t least = n < FEW_ROWS ? 2 : FREQUENT;; least += least / 4 + 1) {
    size_t frequent = 0;
    for (size_t l = 0; l < levels; l++) frequent += counts[l] >= least;
    if (frequent <= MAX_BINS) return least;
  }
}

/* Numbers the frequent levels in their order. */
static dm_status number_levels(tree_data *t, tree_column *c, dm_error *err) {
  uint32_t *counts = dm_alloc(t->ctx, c->n_levels, sizeof *counts, "tree", err);
  if (!counts) return DM_EBUDGET;
  for (size_t i = 0; i < t->n; i++)
    if (c->raw[i] >= 0) counts[(size_t)c->raw[i]]++;
  uint32_t least = frequent_from(counts, c->n_levels, t->n);
  for (size_t l = 0; l < c->n_levels; l++) c->n_bins += counts[l] >= least;
  uint32_t next = 0;
  for (size_t l = 0; l < c->n_levels; l++) c->bin_of[l] = counts[l] >= least ? next++ : (uint32_t)c->n_bins;
  dm_free(t->ctx, counts);
  return DM_OK;
}

static dm_status fill_category(tree_data *t, tree_column *c, dm_error *err) {
  if (!(c->bin_of = dm_arena_alloc(t->memory, c->n_levels, sizeof *c->bin_of, err))) return DM_EBUDGET;
  dm_status s = number_levels(t, c, err);
  if (s != DM_OK) return s;
  c->width = c->n_bins < 256 ? 1 : 2;
  uint8_t *narrow = dm_arena_alloc(t->memory, t->n, c->width, err);
  uint16_t *wide = (uint16_t *)(void *)narrow;
  if (!narrow) return DM_EBUDGET;
  for (size_t i = 0; i < t->n; i++) {
    uint32_t bin = c->raw[i] >= 0 ? c->bin_of[(size_t)c->raw[i]] : (uint32_t)c->n_bins;
    if (c->width == 1)
      narrow[i] = (uint8_t)bin;
    else
      wide[i] = (uint16_t)bin;
  }
  c->codes = narrow;
  return DM_OK;
}

static dm_status fill_column(tree_data *t, const dm_block *block, size_t j, dm_error *err) {
  const dm_bin_column *b = &t->binned.columns[j];
  tree_column *c = &t->columns[j];
  *c = (tree_column){.category = b->category, .raw = block->raw[j]};
  dm_status s;
  if (c->category) {
    c->n_levels = b->n_bins;
    s = fill_category(t, c, err);
  } else {
    c->width = b->width;
    c->n_bins = b->n_bins;
    c->codes = b->bins;
    s = fill_values(t, c, err);
    if (s == DM_OK && c->width > 1) return fill_order(t, c, err);
  }
  if (c->n_bins + 1 > t->max_bins) t->max_bins = c->n_bins + 1;
  return s;
}

static dm_status fill_classes(tree_data *t, const double *target, dm_error *err) {
  if (t->k > MAX_CLASSES) return dm_fail(err, DM_EINPUT, "tree: the target has %zu classes, want at most %d", t->k, MAX_CLASSES);
  if (!(t->classes = dm_arena_alloc(t->memory, t->n, sizeof *t->classes, err))) return DM_EBUDGET;
  bool several = false;
  for (size_t i = 0; i < t->n; i++) {
    if (!(target[i] >= 0 && target[i] < (double)t->k)) return dm_fail(err, DM_EINPUT, "tree: row %zu has no class", i + 1);
    t->classes[i] = (uint16_t)target[i];
    several |= t->classes[i] != t->classes[0];
  }
  if (several) return DM_OK;
  return refuse(err, "all rows are of one class: nothing to learn", "look at the target column, or at the rows that were selected");
}

/* Whole numbers stay whole when the centre is whole: their sums are exact then. */
static dm_status fill_numbers(tree_data *t, const double *target, dm_error *err) {
  if (!(t->y = dm_arena_alloc(t->memory, t->n, sizeof *t->y, err))) return DM_EBUDGET;
  double mean = 0;
  bool whole = true;
  for (size_t i = 0; i < t->n; i++) {
    if (!isfinite(target[i])) return dm_fail(err, DM_EINPUT, "tree: the target of row %zu is %s", i + 1, isnan(target[i]) ? "missing" : "infinite");
    mean += (target[i] - mean) / (double)(i + 1);
    whole &= target[i] == rint(target[i]);
  }
  t->centre = whole ? rint(mean) : mean;
  for (size_t i = 0; i < t->n; i++) t->y[i] = target[i] - t->centre;
  return DM_OK;
}

static dm_status check_weights(const double *weights, size_t n, dm_error *err) {
  double sum = 0;
  for (size_t i = 0; weights && i < n; i++) {
    if (!(weights[i] >= 0) || !isfinite(weights[i])) return dm_fail(err, DM_EINPUT, "tree: the weight of row %zu is %g, want >= 0", i + 1, weights[i]);
    sum += weights[i];
  }
  return weights && !(sum > 0) ? refuse(err, "all weights are 0", NULL) : DM_OK;
}

static dm_status check_cells(const dm_block *block, const char *const *names, size_t n, dm_error *err) {
  for (size_t j = 0; j < block->d; j++)
    for (size_t i = 0; i < n; i++)
      if (isinf(block->raw[j][i]))
        return dm_fail(err, DM_EINPUT, "tree: column '%s' is infinite in row %zu", names && names[j] ? names[j] : "?", i + 1);
  return DM_OK;
}

static dm_status fill(tree_data *t, const dm_training *training, const dm_block *block, dm_error *err) {
  const dm_dataset *train = training->train;
  dm_status s = check_weights(train->weights, t->n, err);
  if (s == DM_OK) s = check_cells(block, training->names, t->n, err);
  if (s == DM_OK) s = t->k ? fill_classes(t, train->target, err) : fill_numbers(t, train->target, err);
  if (s == DM_OK) s = dm_binned_new(t->ctx, t->n, t->d, block->raw, block->levels, 0, &t->binned, err);
  if (s == DM_OK && !(t->columns = dm_arena_alloc(t->memory, t->d, sizeof *t->columns, err))) s = DM_EBUDGET;
  for (size_t j = 0; s == DM_OK && j < t->d; j++) s = fill_column(t, block, j, err);
  return s;
}

dm_status tree_data_init(dm_ctx *ctx, const dm_training *training, tree_data *out, dm_error *err) {
  const dm_dataset *train = training->train;
  const dm_block *block = dm_dataset_block(train, DM_BLOCK_RAW);
  if (!block || block->d == 0) return refuse(err, "there is no column to learn from", NULL);
  if (!train->target) return refuse(err, "there is no target", "name one with --target");
  if (train->n < 2) return dm_fail(err, DM_EINPUT, "tree: %zu row%s to learn from, want 2 or more", train->n, train->n == 1 ? "" : "s");
  if (train->n > INT32_MAX) return dm_fail(err, DM_EINPUT, "tree: %zu rows, want at most %d", train->n, INT32_MAX);
  tree_data t = {.ctx = ctx, .n = train->n, .d = block->d, .k = train->n_classes, .weights = train->weights, .max_bins = 1};
  t.q = t.k ? t.k : 2;
  dm_status s = dm_arena_new(ctx, 0, &t.memory, err);
  if (s == DM_OK) s = fill(&t, training, block, err);
  if (s != DM_OK) {
    tree_data_clear(&t);
    return s;
  }
  *out = t;
  return DM_OK;
}

void tree_data_clear(tree_data *data) {
  if (data->binned.memory) dm_binned_clear(&data->binned);
  dm_arena_free(data->memory);
  *data = (tree_data){0};
}
