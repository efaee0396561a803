/*
 * The classifier of class-association rules: what is scored, saved and
 * described, and what training is made of.
 *
 *   columns --cuts--> items (column = level, column in an interval) --sets--> rules --coverage--> rules in order, a default class
 */
#ifndef DM_PATTERNS_CBA_H
#define DM_PATTERNS_CBA_H

#include <dm/model.h>

#define CBA_NO_ITEM UINT32_MAX

typedef struct cba_model {
  dm_model base;
  dm_arena *memory;
  size_t n_rules, n_conditions, n_cuts;
  uint32_t *levels;     /* [d] 0 = numeric */
  uint32_t *cut_start;  /* [d + 1] cuts of column j: cuts[cut_start[j]] …; categories have none */
  double *cuts;         /* ascending in a column: bin b holds cut[b - 1] < x <= cut[b] */
  uint32_t *start;      /* [n_rules + 1] conditions of rule r */
  uint32_t *feature, *code; /* [n_conditions] column, ascending in a rule; its bin or level */
  double *count;        /* [n_rules + 1, k] training rows of each class that the rule's body holds; last of the default: that no rule did */
  double *proba;        /* [n_rules + 1, k] (count + 1) / (rows + k) */
  double *best;         /* [n_rules + 1] the class with the largest count, the lowest of several */
} cba_model;

/* ---- cba_model.c ----------------------------------------------------------------------- */

typedef struct cba_size {
  size_t d, k, rules, conditions, cuts;
} cba_size;

/** An empty model of that size, to be filled and then given to cba_model_finish. */
dm_status cba_model_new(dm_ctx *ctx, const dm_learner *learner, const cba_size *size, cba_model **out, dm_error *err);
/** Fills what follows from the counts. */
void cba_model_finish(cba_model *m);
void cba_free(dm_model *model);

/** The item of a column that a value is: its bin, its level, or CBA_NO_ITEM. */
static inline uint32_t cba_item(const cba_model *m, size_t j, double x) {
  if (m->levels[j]) return x >= 0 && x < (double)m->levels[j] ? (uint32_t)x : CBA_NO_ITEM;
  if (x != x) return CBA_NO_ITEM;
  const double *cuts = m->cuts + m->cut_start[j];
  uint32_t low = 0, high = m->cut_start[j + 1] - m->cut_start[j];
  while (low < high) { /* cuts below x */
    uint32_t middle = low + (high - low) / 2;
    if (x > cuts[middle])
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/** The first rule whose conditions all hold, or n_rules. @param work [d] */
size_t cba_fires(const cba_model *m, const double *x, uint32_t *work);

dm_status cba_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err);
dm_status cba_save(const dm_model *model, dm_model_writer *w, dm_error *err);
dm_status cba_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err);
dm_status cba_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err);
dm_status cba_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err);

/* ---- cba_cuts.c --------------------------------------------------------------------------- */

/**
 * Where a numeric column is cut: by classes, or into bins of about equal counts where classes tell nothing or bins > 0.
 * @param y [n] classes 0 … k-1 @param x [n], NaN = missing @param bins 0 = by classes
 * @param cuts [*n_cuts] ascending, owned by the caller; NULL when there is none
 */
dm_status cba_cuts(dm_ctx *ctx, const double *x, const uint32_t *y, size_t n, size_t k, size_t bins, double **cuts, size_t *n_cuts,
                   dm_error *err);

/* ---- cba_rules.c ---------------------------------------------------------------------------- */

/** Training rows as sets: items of column j are first[j] …, those of the classes first[d] …. */
typedef struct cba_data {
  dm_ctx *ctx;
  size_t n, d, k;
  const uint32_t *y;  /* [n] places of the classes */
  uint32_t *first;    /* [d + 1] */
  size_t n_items;     /* with classes */
  dm_csr rows;        /* items and the class, which comes last */
} cba_data;

typedef struct cba_limits {
  uint64_t min_support;  /* rows with body and class */
  double min_confidence;
  size_t max_size;       /* conditions of a rule; 0 = as many as leave the sets below MAX_SETS */
  bool pessimistic;
} cba_limits;

/** A rule on its way: items of its body, ascending; place of its class. */
typedef struct cba_rule {
  const uint32_t *items;
  uint32_t n, y;
} cba_rule;

/** Class-association rules by confidence, support (both falling), number of items, items; without those that a shorter one makes needless. */
dm_status cba_find_rules(const cba_data *data, const cba_limits *limits, dm_arena *arena, cba_rule **rules, size_t *n, dm_error *err);

/* ---- cba_cover.c ------------------------------------------------------------------------------ */

/**
 * Goes through the rules in their order and keeps those that classify a row right that none before has; then cuts the list where it makes
 * the fewest errors on the training rows.
 * @param rules in: n of them; out: the first *n that are kept @param count [(n + 1) * k] out: rows of each class with the body of the
 *   kept ones; of the default at n: that none of the kept has
 */
dm_status cba_cover(const cba_data *data, cba_rule *rules, size_t *n, double *count, dm_error *err);

#endif
