/* nn: the gradient of rebuilt cells (numbers, categories, missing ones) against differences, in double. */
#include "cmocka_all.h"
#include "nn/cells.h"
#include "nn/gradcheck.h"

enum { ROWS = 45, COLUMNS = 11 };

typedef struct table {
  nn_cells cells;
  float y[ROWS][COLUMNS];
  gradcheck_job rows; /* what feeds the net */
} table;

static double loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const table *t = user;
  const nn_cells *c = &t->cells;
  double sum = 0;
  size_t n_cells = 0;
  for (size_t i = 0; i < n; i++)
    sum += nn_cells_loss(c, t->y[rows[i]], out + i * c->size, scale, g_out ? g_out + i * c->size : NULL, &n_cells);
  *weight = (double)n_cells;
  return sum;
}

static dm_status evaluate(void *user, const double *w, double *value, double *gradient, dm_error *err) {
  table *t = user;
  nn_run *run = t->rows.run;
  const nn_feed feed = {&t->rows, gradcheck_feed};
  const nn_head head = {t, loss};
  double sum, weight;
  for (size_t i = 0; i < run->graph->n_w; i++) run->w[i] = (dm_real)w[i];
  dm_status s = nn_run_step(run, &feed, &head, t->rows.rows, ROWS, 0, &sum, &weight, err);
  if (s != DM_OK) return s;
  *value = sum / weight;
  for (size_t i = 0; gradient && i < run->graph->n_w; i++) gradient[i] = (double)run->g[i];
  return DM_OK;
}

static void check(const size_t *levels) {
  dm_ctx *ctx = NULL;
  dm_arena *memory = NULL;
  table t = {0};
  size_t rows[ROWS];
  dm_gradient_report report;
  dm_error err = {0};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 2, .seed = 5}, &ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(ctx, 0, &memory, NULL), DM_OK);
  assert_int_equal(nn_cells_init(&t.cells, memory, levels, COLUMNS, NULL), DM_OK);
  for (size_t i = 0; i < ROWS; i++) {
    rows[i] = i;
    for (size_t j = 0; j < COLUMNS; j++) {
      double v = gradcheck_number(500 + i * COLUMNS + j);
      t.y[i][j] = levels && levels[j] ? (float)((size_t)((v + 1) / 2 * (double)levels[j])) : v > 0.6 ? (float)NAN : (float)(2 * v);
    }
  }
  nn_graph *g = gradcheck_graph(ctx, 5);
  size_t hidden = gradcheck_add(g, &nn_op_dense, 0, (nn_attributes){.units = 4, .activation = DM_ACT_TANH});
  size_t out = gradcheck_add(g, &nn_op_dense, hidden, (nn_attributes){.units = t.cells.size});
  t.rows = (gradcheck_job){.d = 5, .rows = rows, .n = ROWS};
  assert_int_equal(nn_run_new(ctx, g, out, ROWS, 0, &t.rows.run, NULL), DM_OK);
  double *w = dm_alloc(ctx, g->n_w, sizeof *w, "test", NULL);
  for (size_t i = 0; i < g->n_w; i++) w[i] = (double)t.rows.run->w[i] + 0.2 * gradcheck_number(4000000 + i);
  dm_objective f = {.n = g->n_w, .user = &t, .evaluate = evaluate};
  if (dm_gradient_check(ctx, &f, w, &report, &err) != DM_OK) fail_msg("%s", err.message);
  if (!(report.error < 1e-6)) fail_msg("parameter %zu: gradient %.12g, by differences %.12g", report.index, report.analytic, report.numeric);
  dm_free(ctx, w);
  nn_run_free(t.rows.run);
  nn_graph_free(g);
  dm_arena_free(memory);
  dm_ctx_free(ctx);
}

static void numbers(void **state) {
  (void)state;
  check(NULL);
}

static void numbers_and_categories(void **state) {
  (void)state;
  const size_t levels[COLUMNS] = {0, 5, 0, 0, 2, 0, 0, 9, 0, 0, 3};
  check(levels);
}

static void categories(void **state) {
  (void)state;
  const size_t levels[COLUMNS] = {5, 5, 4, 3, 2, 3, 4, 9, 3, 4, 3};
  check(levels);
}

/* Masks by hand: cells that are missing have no loss and no gradient. */
static void missing_cells_cost_nothing(void **state) {
  (void)state;
  const size_t of[1] = {4}, numbers_at[2] = {0, 2}, categories_at[1] = {1};
  const nn_cells c = {.d = 3, .n_numbers = 2, .n_categories = 1, .numbers = numbers_at, .categories = categories_at, .levels = of, .size = 6};
  const dm_real out[6] = {1, -2, 0.5, 0, 3, -1};
  dm_real g[6];
  size_t n = 0;
  double v = nn_cells_loss(&c, (float[]){(float)NAN, 2, 1}, out, 1, g, &n); /* code 2 of 4 is missing */
  assert_true(v == 9 && n == 1 && g[0] == 0 && g[1] == -6);
  for (size_t j = 2; j < 6; j++) assert_true(g[j] == 0);
  n = 0;
  v = nn_cells_loss(&c, (float[]){(float)NAN, 3, (float)NAN}, out, 2, g, &n); /* code 3: other */
  double sum = exp(0.5) + 1 + exp(3) + exp(-1);
  assert_true(fabs(v - (log(sum) + 1)) < 1e-12 && n == 1 && g[1] == 0);
  assert_true(fabs((double)g[5] - 2 * (exp(-1) / sum - 1)) < 1e-12 && fabs((double)g[3] - 2 / sum) < 1e-12);
  n = 0;
  assert_true(nn_cells_loss(&c, (float[]){(float)NAN, -1, (float)NAN}, out, 1, NULL, &n) == 0 && n == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),
      cmocka_unit_test(numbers_and_categories),
      cmocka_unit_test(categories),
      cmocka_unit_test(missing_cells_cost_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
