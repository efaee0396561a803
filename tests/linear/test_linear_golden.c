/* linear: the coefficients of scikit-learn on real data, to 1e-4. */
#include "cmocka_all.h"
#include "linear/model.h"
#include "linear/rows.h"
#include "golden/linear.h"

enum { MAX_ROWS = 2000, MAX_CELLS = 80, MAX_CLASSES = 8 };

/* Cells of one line; false when one is empty or NA. */
static bool cut_line(char *line, char **cells, size_t *n) {
  bool whole = true;
  *n = 0;
  for (char *p = strtok(line, ",\r\n"); p && *n < MAX_CELLS; p = strtok(NULL, ",\r\n")) {
    whole &= strcmp(p, "NA") != 0;
    cells[(*n)++] = p;
  }
  return whole;
}

static double class_code(char (*names)[32], size_t *n, const char *name) {
  for (size_t i = 0; i < *n; i++)
    if (strcmp(names[i], name) == 0) return (double)i;
  assert_true(*n < MAX_CLASSES);
  (void)snprintf(names[(*n)++], 32, "%s", name);
  return (double)(*n - 1);
}

/* Codes by first appearance to places in sorted order, as the golden numbers have them. */
static void sort_classes(rows *t, char (*names)[32], size_t k) {
  for (size_t i = 0; i < t->n; i++) {
    double place = 0;
    for (size_t j = 0; j < k; j++) place += strcmp(names[j], names[(size_t)t->target[i]]) < 0;
    t->target[i] = place;
  }
}

static void scale_columns(double (*x)[MAX_CELLS], size_t n, size_t d) {
  for (size_t j = 0; j < d; j++) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) mean += x[i][j] / (double)n;
    for (size_t i = 0; i < n; i++) square += (x[i][j] - mean) * (x[i][j] - mean) / (double)n;
    for (size_t i = 0; i < n; i++) x[i][j] = (x[i][j] - mean) / sqrt(square);
  }
}

static void read_rows(dm_ctx *ctx, const struct linear_case *c, rows *t) {
  static double x[MAX_ROWS][MAX_CELLS], y[MAX_ROWS];
  char path[512], line[4096], names[MAX_CLASSES][32], *cells[MAX_CELLS];
  const char *source = getenv("DM_SOURCE");
  size_t d = 0, n = 0, k = 0, target = 0;
  (void)snprintf(path, sizeof path, "%s/datasets/%s.csv", source ? source : "../..", c->data);
  FILE *f = fopen(path, "r");
  if (!f) fail_msg("%s is not there", path);
  assert_non_null(fgets(line, sizeof line, f));
  (void)cut_line(line, cells, &d);
  while (strcmp(cells[target], c->target) != 0) assert_true(++target < d);
  while (fgets(line, sizeof line, f)) {
    if (!cut_line(line, cells, &d)) continue;
    for (size_t j = 0, at = 0; j < d; j++)
      if (j != target) x[n][at++] = strtod(cells[j], NULL);
    y[n++] = c->classify ? class_code(names, &k, cells[target]) : strtod(cells[target], NULL);
  }
  (void)fclose(f);
  if (c->scale) scale_columns(x, n, d - 1);
  rows_init(t, ctx, n, d - 1, k);
  if (c->weights) t->weights = dm_alloc(ctx, n, sizeof(double), "weights", NULL);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j + 1 < d; j++) *cell(t, i, j) = (float)x[i][j];
    t->target[i] = y[i];
    if (c->weights) t->weights[i] = 1 + (double)(i % 3);
  }
  if (k) sort_classes(t, names, k);
}

static double off(double got, double want) { return fabs(got - want) / fmax(fabs(want), 1); }

static void check_case(dm_ctx *ctx, const struct linear_case *c) {
  rows t;
  char penalty[32];
  read_rows(ctx, c, &t);
  (void)snprintf(penalty, sizeof penalty, "%.17g", c->penalty);
  const char *const set[] = {c->classify ? "C" : "alpha", penalty, NULL};
  dm_model *model = train(ctx, &t, set);
  const linear_model *m = (const linear_model *)model;
  double worst = 0, proba[5 * MAX_CLASSES], row[MAX_CELLS];
  assert_int_equal(m->outputs * t.d, c->n_coef);
  for (size_t i = 0; i < c->n_coef; i++) worst = fmax(worst, off(m->coef[i], c->coef[i]));
  for (size_t i = 0; i < m->outputs; i++) worst = fmax(worst, off(m->intercept[i], c->intercept[i]));
  for (size_t i = 0; c->proba && i < 5; i++) {
    for (size_t j = 0; j < t.d; j++) row[j] = (double)*cell(&t, i, j);
    dm_batch batch = {.n = 1, .d = t.d, .x = row, .proba = proba + i * t.k};
    assert_int_equal(model->learner->predict(model, DM_OUT_PROBA, &batch, NULL), DM_OK);
    for (size_t k = 0; k < t.k; k++) worst = fmax(worst, off(proba[i * t.k + k], c->proba[i * t.k + k]));
  }
  print_message("%s%s, penalty %g: %lld iterations, largest difference %.2g\n", c->data, c->scale ? " scaled" : "", c->penalty,
                (long long)m->iterations, worst);
  if (!(worst < 1e-4)) fail_msg("%s: differs by %g", c->data, worst);
  linear_free(model);
  rows_clear(&t, ctx);
}

static void coefficients_are_those_of_scikit_learn(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx(2, NULL);
  for (size_t i = 0; i < sizeof golden_cases / sizeof *golden_cases; i++) check_case(ctx, &golden_cases[i]);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(coefficients_are_those_of_scikit_learn)};
  return cmocka_run_group_tests_name("linear_golden", tests, NULL, NULL);
}
