/*
 * CBA in the table of methods: rules of classes, found as association rules
 * and put in one order, the first of which that fits decides.
 *
 *   cuts of the numbers -> rows as sets of items with their class -> rules -> coverage -> model
 */
#include "model/target.h"
#include "patterns/cba.h"

#include <dm/patterns.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_CLASSES = 1024 };

static const dm_param parameters[] = {
    {"min_support", DM_PARAM_DOUBLE, "0.01", 0, 9007199254740992.0, true, NULL, "rows with a rule's body and class: a share below 1, else a count"},
    {"min_confidence", DM_PARAM_DOUBLE, "0.5", 0, 1, false, NULL, "share of the rows with a rule's body that have its class"},
    {"max_size", DM_PARAM_INT, "auto", 1, INT32_MAX, false, NULL, "conditions of a rule; auto: as many as leave at most 300000 sets"},
    {"bins", DM_PARAM_INT, "auto", 2, UINT16_MAX, false, NULL, "bins of about equal counts for each number; auto: cut where classes change"},
    {"pruning", DM_PARAM_CHOICE, "pessimistic", 0, 0, false, "pessimistic|none", "leave out rules that without a condition have fewer errors to be feared"},
    {NULL},
};

/* One training. */
typedef struct job {
  dm_ctx *ctx;
  const dm_params *params;
  const dm_training *training;
  const dm_block *block;
  dm_learned target;
  dm_arena *memory; /* of cuts, sets and rules */
  uint32_t *y;      /* [n] places of the classes */
  double **cuts;    /* [d] */
  size_t *n_cuts;
  cba_data data;
  cba_rule *rules;
  size_t n_rules;
  double *count;    /* [(n_rules + 1) * classes with rows] */
} job;

/* ---- what can be learned from ----------------------------------------------------------- */

static dm_status read_data(job *j, dm_error *err) {
  const dm_dataset *train = j->training->train;
  const char *const *names = j->training->names;
  j->block = dm_dataset_block(train, DM_BLOCK_RAW);
  if (!j->block || j->block->d == 0) return dm_fail(err, DM_EINPUT, "cba: there is no column to learn from");
  if (train->n > INT32_MAX) return dm_fail(err, DM_EINPUT, "cba: %zu rows, want at most %d", train->n, INT32_MAX);
  for (size_t c = 0; c < j->block->d; c++)
    for (size_t i = 0; i < train->n; i++)
      if (isinf(j->block->raw[c][i]))
        return dm_fail(err, DM_EINPUT, "cba: column '%s' is infinite in row %zu", names && names[c] ? names[c] : "?", i + 1);
  dm_status s = dm_learned_read(j->ctx, "cba", train, MAX_CLASSES, &j->target, err);
  if (s != DM_OK) return s;
  if (!(j->y = dm_alloc(j->ctx, train->n, sizeof *j->y, "cba", err))) return DM_EBUDGET;
  for (size_t i = 0; i < train->n; i++) j->y[i] = (uint32_t)j->target.y[i];
  j->data = (cba_data){.ctx = j->ctx, .n = train->n, .d = j->block->d, .k = j->target.fitted, .y = j->y};
  return DM_OK;
}

static size_t levels_of(const job *j, size_t c) { return j->block->levels ? j->block->levels[c] : 0; }

static dm_status cut_columns(job *j, dm_error *err) {
  size_t d = j->data.d, bins = dm_params_size_or(j->params, "bins", 0);
  dm_status s = dm_arena_new(j->ctx, 0, &j->memory, err);
  if (s != DM_OK) return s;
  j->cuts = dm_arena_alloc(j->memory, d, sizeof *j->cuts, err);
  j->n_cuts = dm_arena_alloc(j->memory, d, sizeof *j->n_cuts, err);
  if (!j->cuts || !j->n_cuts) return DM_EBUDGET;
  for (size_t c = 0; s == DM_OK && c < d; c++) {
    if (levels_of(j, c)) continue;
    s = dm_ctx_check(j->ctx, err);
    if (s == DM_OK) s = cba_cuts(j->ctx, j->block->raw[c], j->y, j->data.n, j->data.k, bins, &j->cuts[c], &j->n_cuts[c], err);
  }
  return s;
}

/* ---- rows as sets ------------------------------------------------------------------------- */

/* Numbers the items; a column of numbers that is not cut has none. */
static dm_status number_items(job *j, dm_error *err) {
  size_t n = 0;
  j->data.first = dm_arena_alloc(j->memory, j->data.d + 1, sizeof *j->data.first, err);
  if (!j->data.first) return DM_EBUDGET;
  for (size_t c = 0; c < j->data.d; c++) {
    n += levels_of(j, c) ? levels_of(j, c) : j->n_cuts[c] ? j->n_cuts[c] + 1 : 0;
    if (n > INT32_MAX) return dm_fail(err, DM_EINPUT, "cba: columns have more than %d levels and bins together", INT32_MAX);
    j->data.first[c + 1] = (uint32_t)n;
  }
  j->data.n_items = n + j->data.k;
  return DM_OK;
}

static uint32_t item_at(const job *j, size_t c, size_t row) {
  double x = j->block->raw[c][row];
  if (levels_of(j, c)) return x >= 0 && x < (double)levels_of(j, c) ? j->data.first[c] + (uint32_t)x : CBA_NO_ITEM;
  if (isnan(x) || !j->n_cuts[c]) return CBA_NO_ITEM;
  size_t low = 0, high = j->n_cuts[c];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (x > j->cuts[c][middle])
      low = middle + 1;
    else
      high = middle;
  }
  return j->data.first[c] + (uint32_t)low;
}

static dm_status fill_rows(job *j, dm_error *err) {
  cba_data *data = &j->data;
  dm_status s = number_items(j, err);
  if (s == DM_OK) s = dm_csr_new(j->ctx, data->n, data->n_items, data->n * (data->d + 1), &data->rows, err);
  if (s != DM_OK) return s;
  size_t at = 0;
  for (size_t i = 0; i < data->n; i++) {
    for (size_t c = 0; c < data->d; c++) {
      uint32_t item = item_at(j, c, i);
      if (item != CBA_NO_ITEM) data->rows.index[at++] = item;
    }
    data->rows.index[at++] = data->first[data->d] + data->y[i];
    data->rows.start[i + 1] = at;
  }
  return DM_OK;
}

/* ---- rules ------------------------------------------------------------------------------------- */

static dm_status find_rules(job *j, dm_error *err) {
  double support = dm_params_double(j->params, "min_support");
  if (support >= 1 && support != floor(support)) return dm_fail(err, DM_EUSAGE, "cba: min-support = %g, want a share below 1 or a whole number", support);
  if (support < 1) support = ceil(support * (double)j->data.n * (1 - 1e-12)); /* 0.01 of 300 rows is 3, whatever double makes of it */
  if (support > (double)j->data.n) return dm_fail(err, DM_EUSAGE, "cba: min-support = %.0f, there are %zu rows", support, j->data.n);
  const cba_limits limits = {.min_support = (uint64_t)support, .min_confidence = dm_params_double(j->params, "min_confidence"),
                             .max_size = dm_params_size_or(j->params, "max_size", 0), .pessimistic = strcmp(dm_params_choice(j->params, "pruning"), "pessimistic") == 0};
  dm_status s = cba_find_rules(&j->data, &limits, j->memory, &j->rules, &j->n_rules, err);
  if (s != DM_OK) return s;
  size_t most = j->n_rules < j->data.n ? j->n_rules : j->data.n; /* each that is kept is right for a row of its own */
  j->count = dm_alloc(j->ctx, most + 1, j->data.k * sizeof *j->count, "cba", err);
  return j->count ? cba_cover(&j->data, j->rules, &j->n_rules, j->count, err) : DM_EBUDGET;
}

/* Column and bin or level of an item. */
static void write_condition(const job *j, cba_model *m, size_t at, uint32_t item) {
  size_t low = 0, high = j->data.d; /* the last column whose items begin at or before this one, and that has any */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (j->data.first[middle] <= item)
      low = middle;
    else
      high = middle;
  }
  m->feature[at] = (uint32_t)low;
  m->code[at] = item - j->data.first[low];
}

static void write_model(const job *j, cba_model *m) {
  size_t at = 0, k = m->base.n_classes, fitted = j->data.k;
  for (size_t c = 0; c < j->data.d; c++) {
    m->levels[c] = (uint32_t)levels_of(j, c);
    m->cut_start[c + 1] = m->cut_start[c] + (uint32_t)j->n_cuts[c];
    if (j->n_cuts[c]) memcpy(m->cuts + m->cut_start[c], j->cuts[c], j->n_cuts[c] * sizeof *m->cuts);
  }
  for (size_t r = 0; r < j->n_rules; r++) {
    for (uint32_t i = 0; i < j->rules[r].n; i++) write_condition(j, m, at++, j->rules[r].items[i]);
    m->start[r + 1] = (uint32_t)at;
  }
  for (size_t r = 0; r <= j->n_rules; r++)
    for (size_t c = 0; c < fitted; c++) m->count[r * k + j->target.classes[c]] = j->count[r * fitted + c];
  cba_model_finish(m);
}

static dm_status to_model(const job *j, cba_model **out, dm_error *err) {
  cba_size size = {.d = j->data.d, .k = j->training->train->n_classes, .rules = j->n_rules};
  for (size_t r = 0; r < j->n_rules; r++) size.conditions += j->rules[r].n;
  for (size_t c = 0; c < j->data.d; c++) size.cuts += j->n_cuts[c];
  if (size.conditions > INT32_MAX || size.cuts > INT32_MAX) return dm_fail(err, DM_EBUDGET, "cba: more than %d conditions or cuts", INT32_MAX);
  cba_model *m = NULL;
  dm_status s = cba_model_new(j->ctx, &dm_learner_cba, &size, &m, err);
  if (s != DM_OK) return s;
  write_model(j, m);
  *out = m;
  return DM_OK;
}

static void clear(job *j) {
  for (size_t c = 0; j->cuts && c < j->data.d; c++) dm_free(j->ctx, j->cuts[c]);
  dm_csr_clear(j->ctx, &j->data.rows);
  dm_learned_clear(j->ctx, &j->target);
  dm_free(j->ctx, j->y);
  dm_free(j->ctx, j->count);
  dm_arena_free(j->memory);
}

static dm_status train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  job j = {.ctx = ctx, .params = params, .training = training};
  cba_model *m = NULL;
  dm_status s = read_data(&j, err);
  if (s == DM_OK) s = cut_columns(&j, err);
  if (s == DM_OK) s = fill_rows(&j, err);
  if (s == DM_OK) s = find_rules(&j, err);
  if (s == DM_OK) s = to_model(&j, &m, err);
  clear(&j);
  if (s == DM_OK) *out = &m->base;
  return s;
}

const dm_learner dm_learner_cba = {
    .name = "cba",
    .summary = "rules of classes (CBA)",
    .tasks = DM_CLASSIFY,
    .takes = DM_TAKES_MISSING | DM_TAKES_CATEGORIES | DM_NEEDS_TARGET | DM_PREDICTS_CHEAPLY,
    .params = parameters,
    .block = DM_BLOCK_RAW,
    .train = train,
    .predict = cba_predict,
    .save = cba_save,
    .load = cba_load,
    .free = cba_free,
    .describe = cba_describe,
    .trace = cba_trace,
};
