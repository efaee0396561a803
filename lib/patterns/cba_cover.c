/*
 * From rules in order to a classifier (M1): a rule is kept when it classifies
 * a row right that no rule before it has; the rows that it has are then done
 * with. Behind each kept rule a classifier could end, with the most frequent
 * class of the rows that are left as its default: the one with the fewest
 * errors is taken, the shortest of several.
 *
 * Source: Liu, Hsu & Ma, KDD 1998, section 4.1, algorithm M1.
 */
#include "patterns/cba.h"
#include "patterns/item_rows.h"

#include <string.h>

typedef struct cover {
  const cba_data *data;
  item_rows index;
  uint32_t *rows;   /* [n] of the rule at hand */
  bool *done;       /* [n] */
  double *left;     /* [k] rows of each class that are not done */
  double *at_end;   /* [k] left where the best classifier ends */
  size_t errors;    /* of the rules so far */
  size_t least, best; /* fewest errors with the default; how many rules that takes */
} cover;

static size_t default_errors(const cover *c) {
  double all = 0, most = 0;
  for (size_t y = 0; y < c->data->k; y++) {
    all += c->left[y];
    if (c->left[y] > most) most = c->left[y];
  }
  return (size_t)(all - most);
}

/* The classifier may end here, after n rules. */
static void consider_end(cover *c, size_t n) {
  size_t errors = c->errors + default_errors(c);
  if (errors >= c->least) return;
  c->least = errors;
  c->best = n;
  memcpy(c->at_end, c->left, c->data->k * sizeof *c->left);
}

/* Takes the rule when it is right for a row that is left. @param count [k] out: rows of each class with its body */
static bool take_rule(cover *c, const cba_rule *rule, double *count) {
  const uint32_t *y = c->data->y;
  size_t n = item_rows_of(&c->index, rule->items, rule->n, c->rows), right = 0;
  for (size_t i = 0; i < n; i++) right += !c->done[c->rows[i]] && y[c->rows[i]] == rule->y;
  if (!right) return false;
  memset(count, 0, c->data->k * sizeof *count);
  for (size_t i = 0; i < n; i++) {
    uint32_t r = c->rows[i];
    count[y[r]]++;
    if (c->done[r]) continue;
    c->done[r] = true;
    c->left[y[r]]--;
    c->errors += y[r] != rule->y;
  }
  return true;
}

static dm_status go_through(cover *c, cba_rule *rules, size_t n, double *count, dm_error *err) {
  size_t kept = 0, k = c->data->k;
  dm_status s = DM_OK;
  for (size_t r = 0; r < c->data->n; r++) c->left[c->data->y[r]]++;
  consider_end(c, 0);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    if (i % 1024 == 0) s = dm_ctx_check(c->data->ctx, err);
    if (s != DM_OK || !take_rule(c, &rules[i], count + kept * k)) continue;
    rules[kept++] = rules[i];
    consider_end(c, kept);
  }
  return s;
}

dm_status cba_cover(const cba_data *data, cba_rule *rules, size_t *n, double *count, dm_error *err) {
  cover c = {.data = data, .least = SIZE_MAX};
  size_t k = data->k;
  dm_status s = item_rows_init(data->ctx, &data->rows, &c.index, err);
  if (s == DM_OK && (!(c.rows = dm_alloc(data->ctx, data->n, sizeof *c.rows, "cba", err)) ||
                     !(c.done = dm_alloc(data->ctx, data->n, sizeof *c.done, "cba", err)) ||
                     !(c.left = dm_alloc(data->ctx, k, sizeof *c.left, "cba", err)) ||
                     !(c.at_end = dm_alloc(data->ctx, k, sizeof *c.at_end, "cba", err))))
    s = DM_EBUDGET;
  if (s == DM_OK) s = go_through(&c, rules, *n, count, err);
  if (s == DM_OK) {
    *n = c.best;
    double rest = 0;
    for (size_t y = 0; y < k; y++) rest += c.at_end[y];
    for (size_t r = 0; rest == 0 && r < data->n; r++) c.at_end[data->y[r]]++; /* the rules have all rows: what is new has the classes of all */
    memcpy(count + *n * k, c.at_end, k * sizeof *count);
  }
  item_rows_clear(&c.index);
  dm_free(data->ctx, c.rows);
  dm_free(data->ctx, c.done);
  dm_free(data->ctx, c.left);
  dm_free(data->ctx, c.at_end);
  return s;
}
