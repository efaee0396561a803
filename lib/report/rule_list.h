/* Rules of a model as the charts show them, read from dm_rule. */
#ifndef DM_REPORT_RULE_LIST_H
#define DM_REPORT_RULE_LIST_H

#include "report/chart.h"

#include <dm/store.h>

/** One rule; items are places in the list's names. */
typedef struct dm_rule_row {
  const uint32_t *body, *head;
  size_t n_body, n_head;
  uint64_t support; /* transactions with body and head */
  double share, confidence, lift;
} dm_rule_row;

typedef struct dm_rule_list {
  uint64_t of; /* rules the model has */
  size_t n;
  const dm_rule_row *rows;
  size_t n_names;
  const dm_str *names;
} dm_rule_list;

/**
 * The `most` rules with the largest lift; among equals the larger support, then the id.
 * @return DM_EINPUT when a row holds something else than lists of texts and finite numbers.
 */
dm_status dm_rule_list_read(dm_store *store, int64_t model_id, size_t most, dm_arena *arena, dm_rule_list *out, dm_error *err);

/** Colour of a value among `n` ascending cuts: of the classes below the first cut … above the last; n < DM_HEAT. */
#define DM_HEAT 5
const char *dm_heat_colour(size_t n, const double *cuts, double v);
/** Cuts between DM_HEAT classes of about equal counts; equal ones once. @param v [n] is sorted. @return how many, at most DM_HEAT - 1 */
size_t dm_heat_cuts(size_t n, double *v, double cuts[DM_HEAT - 1]);

/** Items and rules as nodes, arrows from the body to the rule and from the rule to the head. */
dm_status dm_chart_rule_graph(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_error *err);
/** Items from top to bottom, places in the rule from left to right: one line a rule, which ends in its head. */
dm_status dm_chart_rule_lines(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_error *err);

#define DM_MATRIX_ROWS 12
#define DM_MATRIX_COLUMNS 12
typedef struct dm_matrix_left { /* what a grouped matrix has no room for */
  size_t heads, rules;
} dm_matrix_left;
/**
 * Heads as rows and groups of bodies as columns: size is the largest support, colour the mean lift of the rules of a place. Bodies are
 * grouped by the item that most rules not yet grouped have in theirs.
 * After: Hahsler & Karpienko, Visualizing association rules in hierarchical groups, J. Bus. Econ. 87, 2017 (groups there by clusters of lift).
 */
dm_status dm_chart_rule_matrix(dm_buf *out, const dm_chart *chart, const dm_rule_list *rules, dm_matrix_left *left, dm_error *err);

#endif
