/*
 * report: every chart with ordinary and with ugly data is well-formed, holds
 * no NaN, keeps hostile names as text. With DM_DRAW_TO=DIR the drawings are
 * written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/chart.h"
#include "report/markup.h"

#include <dm/text.h>
#include <math.h>
#include <stdlib.h>

static const char long_name[] = "concentration_of_dissolved_oxygen_in_the_northern_basin_mg_l";
static const char hostile[] = "<script>alert('x')</script> & \"quotes\" \x01\x1b[31m \xff\xfe";

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

static void finish(dm_buf *b, const char *name) {
  assert_int_equal(dm_buf_status(b), DM_OK);
  const char *problem = markup_problem(b->p);
  if (problem) fail_msg("%s: malformed at: %.60s", name, problem);
  assert_int_equal(dm_utf8_valid(b->p, b->n), b->n);
  assert_null(strstr(b->p, "<script"));
  assert_false(has_nan(b->p));
  assert_null(strstr(b->p, "style="));
  assert_non_null(strstr(b->p, "<title>"));
  const char *folder = getenv("DM_DRAW_TO");
  if (folder) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
  }
  dm_ctx *ctx = b->ctx;
  dm_buf_clear(b);
  dm_ctx_free(ctx);
}

static void start(dm_buf *b) { dm_buf_init(b, new_ctx(), NULL); }

static void draw_histogram(const char *name, const char *column, size_t n, double lo, double hi,
                           uint64_t most) {
  double edges[21];
  uint64_t counts[20];
  for (size_t i = 0; i <= n; i++) edges[i] = lo + (hi - lo) * (double)i / (double)(n ? n : 1);
  for (size_t i = 0; i < n; i++) {
    double z = ((double)i - (double)n * 0.4) / 3;
    counts[i] = (uint64_t)((double)most * exp(-z * z / 2));
  }
  if (n == 1) counts[0] = most;
  dm_buf b;
  start(&b);
  dm_chart c = {.width = 330,
                .height = 170,
                .title = column,
                .description = "Histogram",
                .x_title = column,
                .y_title = "rows"};
  dm_chart_histogram(&b, &c, n, edges, counts);
  finish(&b, name);
}

static void histograms(void **state) {
  (void)state;
  draw_histogram("hist-plain", "age", 20, 17, 90, 5412);
  draw_histogram("hist-unit", "share", 20, 0, 1, 7);
  draw_histogram("hist-one-row", "x", 20, 0, 1, 1);
  draw_histogram("hist-huge", long_name, 20, -3e18, 9e18, 123456789);
  draw_histogram("hist-tiny", hostile, 13, 1e-9, 5e-8, 3);
  draw_histogram("hist-years", "year", 20, 1950, 2024, 40000);
  draw_histogram("hist-equal", "constant", 1, 42, 42, 1000);
  draw_histogram("hist-equal-0", "constant", 1, 0, 0, 1000);
  draw_histogram("hist-negative", "temperature", 20, -40.5, -3.2, 99);
  draw_histogram("hist-far", "id", 20, 10000000000, 10000000400, 20);
  draw_histogram("hist-extreme", "x", 20, -1.7e308, 1.7e308, 20);
  draw_histogram("hist-empty", "nothing", 0, 0, 0, 0);
}

static void draw_bars(const char *name, size_t n, const dm_bar *bars, uint64_t total) {
  dm_buf b;
  start(&b);
  dm_chart c = {.width = 330, .title = name, .description = "Bars", .x_title = "rows and share of all rows"};
  dm_chart_bars(&b, &c, n, bars, total);
  finish(&b, name);
}

static void bars(void **state) {
  (void)state;
  const dm_bar plain[] = {
      {dm_str_of("Private"), 22696, false},      {dm_str_of("Self-emp-not-inc"), 2541, false},
      {dm_str_of("Local-gov"), 2093, false},     {dm_str_of("Never-worked"), 7, false},
      {dm_str_of("5 other values"), 3231, true}, {dm_str_of("missing"), 1836, true}};
  draw_bars("bars-plain", 6, plain, 32404);
  const dm_bar ugly[] = {{dm_str_of(long_name), 1, false},
                         {dm_str_of(hostile), UINT64_MAX / 4, false},
                         {dm_str_of(""), 0, false},
                         {dm_str_of("日本語のとても長い名前がここにあります"), 1234567890123, false},
                         {dm_str_of("Ελληνικά και кириллица"), UINT64_MAX / 8, false}};
  draw_bars("bars-ugly", 5, ugly, UINT64_MAX / 2);
  draw_bars("bars-none", 0, NULL, 0);
}

static void draw_confusion(const char *name, size_t k, const dm_str *classes, uint64_t scale) {
  dm_ctx *ctx = new_ctx();
  uint64_t *counts = dm_alloc(ctx, k * k, sizeof *counts, "counts", NULL);
  for (size_t i = 0; i < k; i++)
    for (size_t j = 0; j < k; j++) {
      size_t apart = i > j ? i - j : j - i;
      counts[i * k + j] = apart == 0                  ? scale * (i + 3)
                          : apart == 1                ? scale / 9
                          : (i * 7 + j * 3) % 11 == 0 ? 1u
                                                      : 0u;
    }
  if (k > 4) memset(counts + 4 * k, 0, k * sizeof *counts); /* a class without rows */
  dm_buf b;
  dm_buf_init(&b, ctx, NULL);
  dm_chart c = {.width = k > 12 ? 1040 : 620,
                .title = "Confusion matrix",
                .description = "Counts of true and predicted classes"};
  dm_chart_confusion(&b, &c, k, classes, counts);
  dm_free(ctx, counts);
  finish(&b, name);
}

static void confusions(void **state) {
  (void)state;
  const dm_str two[] = {dm_str_of("benign"), dm_str_of("malignant")};
  const dm_str three[] = {dm_str_of("setosa"), dm_str_of("versicolor"), dm_str_of("virginica")};
  const dm_str ugly[] = {dm_str_of(long_name), dm_str_of(hostile), dm_str_of("日本語の名前"), dm_str_of("")};
  draw_confusion("confusion-1", 1, two, 12);
  draw_confusion("confusion-2", 2, two, 57);
  draw_confusion("confusion-2-large", 2, two, 1234567);
  draw_confusion("confusion-3", 3, three, 9);
  draw_confusion("confusion-ugly", 4, ugly, 100);
  dm_str many[30];
  char names[30][32];
  for (size_t i = 0; i < 30; i++) {
    (void)snprintf(names[i], sizeof names[i], "%c", (int)('A' + (int)i));
    many[i] = dm_str_of(names[i]);
  }
  draw_confusion("confusion-10", 10, many, 45);
  draw_confusion("confusion-26", 26, many, 220);
  for (size_t i = 0; i < 30; i++) {
    (void)snprintf(names[i], sizeof names[i], "class number %zu of thirty", i + 1);
    many[i] = dm_str_of(names[i]);
  }
  draw_confusion("confusion-7-long", 7, many, 22000);
  draw_confusion("confusion-30-long", 30, many, 22000);
}

static void draw_roc(const char *name, size_t n, const dm_str *classes) {
  double fpr[30][50], tpr[30][50];
  dm_roc_curve curves[30];
  for (size_t i = 0; i < n; i++) {
    double power = 0.08 + 0.13 * (double)i;
    for (size_t p = 0; p < 50; p++) {
      fpr[i][p] = (double)p / 49;
      tpr[i][p] = pow(fpr[i][p], power);
    }
    curves[i] = (dm_roc_curve){classes[i % 3], 1 / (1 + power), 50, fpr[i], tpr[i]};
  }
  if (n > 1) curves[1].auc = (double)NAN;
  dm_buf b;
  start(&b);
  dm_chart c = {.width = 620, .height = 330, .title = "ROC", .description = "ROC curves"};
  dm_chart_roc(&b, &c, n, curves);
  finish(&b, name);
}

static void rocs(void **state) {
  (void)state;
  const dm_str three[] = {dm_str_of("setosa"), dm_str_of("versicolor"), dm_str_of("virginica")};
  const dm_str ugly[] = {dm_str_of(long_name), dm_str_of(hostile),
                         dm_str_of("日本語の名前がここにもとても長くあります")};
  draw_roc("roc-0", 0, three);
  draw_roc("roc-1", 1, three);
  draw_roc("roc-3", 3, three);
  draw_roc("roc-26-ugly", 26, ugly);
}

static void draw_scatter(const char *name, size_t g, double lo, double hi) {
  dm_ctx *ctx = new_ctx();
  uint64_t *counts = dm_alloc(ctx, g * g, sizeof *counts, "counts", NULL);
  for (size_t i = 0; i < g; i++)
    for (size_t j = 0; j < g; j++) {
      double far = (double)i - (double)j;
      counts[i * g + j] = (uint64_t)(60 * exp(-far * far / 9));
    }
  dm_buf b;
  dm_buf_init(&b, ctx, NULL);
  dm_chart c = {.width = 380,
                .height = 340,
                .title = "Predicted and true",
                .x_title = "true value",
                .y_title = "predicted value"};
  dm_chart_scatter(&b, &c, g, lo, hi, counts);
  dm_free(ctx, counts);
  finish(&b, name);
}

static void scatters(void **state) {
  (void)state;
  draw_scatter("scatter-plain", 40, 0, 35);
  draw_scatter("scatter-huge", 40, -4e9, 9e12);
  draw_scatter("scatter-one", 1, 3, 3);
}

/* Falling curves of n epochs, the valid one rising again after a third. */
static void draw_lines(const char *name, size_t n, size_t lines, double scale, double fall, const char *best) {
  static const char *const names[] = {"train_loss", "valid_loss", long_name, hostile, "e", "f", "g"};
  double x[400], y[7][400];
  dm_line list[7];
  for (size_t i = 0; i < lines; i++) {
    for (size_t p = 0; p < n; p++) {
      double t = (double)p / (double)(n > 1 ? n - 1 : 1);
      x[p] = (double)(p + 1);
      y[i][p] = scale * (exp(-fall * t) * (1 + 0.02 * sin((double)(p * (i + 3)))) + (double)i * 0.05 * t * t);
    }
    list[i] = (dm_line){dm_str_of(names[i]), n, x, y[i]};
  }
  dm_buf b;
  start(&b);
  dm_chart c = {.width = 640, .height = 300, .title = "Loss", .description = "Lines", .x_title = "epoch", .y_title = "loss",
                .whole = true, .line = (double)(n / 3 + 1), .line_label = best};
  dm_chart_lines(&b, &c, lines, list);
  if (n > 1 && scale < 1e299) assert_non_null(strstr(b.p, "<polyline"));
  finish(&b, name);
}

static void lines_(void **state) {
  (void)state;
  draw_lines("lines-plain", 60, 2, 1, 3, "best: epoch 21");
  draw_lines("lines-log", 400, 2, 2.5, 7, "best: epoch 134");
  draw_lines("lines-many", 30, 7, 10, 1, NULL);
  draw_lines("lines-one-epoch", 1, 2, 0.7, 1, "best: epoch 1");
  draw_lines("lines-two-epochs", 2, 2, 0.7, 1, "best: epoch 1");
  draw_lines("lines-three-epochs", 3, 1, 0.7, 1, "best: epoch 2");
  draw_lines("lines-constant", 20, 1, 0, 1, NULL);
  draw_lines("lines-huge", 20, 2, 1e299, 40, NULL);
  draw_lines("lines-too-large", 20, 2, 1.5e308, 1, NULL);
  draw_lines("lines-tiny", 20, 2, 1e-299, 4, NULL);
  draw_lines("lines-none", 0, 1, 1, 1, NULL);
}

static void draw_errors(const char *name, double lo, double hi, double threshold) {
  double edges[31];
  uint64_t counts[30];
  for (size_t i = 0; i <= 30; i++) edges[i] = lo * pow(hi / lo, (double)i / 30);
  for (size_t i = 0; i < 30; i++) counts[i] = (uint64_t)(900 * exp(-((double)i - 12) * ((double)i - 12) / 40));
  char label[64];
  (void)snprintf(label, sizeof label, "threshold %.3g", threshold);
  dm_buf b;
  start(&b);
  dm_chart c = {.width = 480, .height = 300, .title = "Errors", .description = "Histogram", .x_title = "error", .y_title = "rows",
                .log = true, .line = threshold, .line_label = label};
  dm_chart_histogram(&b, &c, 30, edges, counts);
  assert_non_null(strstr(b.p, "threshold"));
  finish(&b, name);
}

static void errors(void **state) {
  (void)state;
  draw_errors("errors-plain", 0.003, 2, 0.5);
  draw_errors("errors-wide", 1e-7, 4e9, 3e8);
  draw_errors("errors-narrow", 0.8, 1.7, 1.65);
  draw_errors("errors-huge", 1e-150, 1e150, 1e-100);
  draw_errors("errors-right", 0.1, 20, 20);
}

static void draw_map(const char *name, size_t groups, size_t n, double scale, bool label) {
  static const char *const names[] = {"0", "1", "a longer name of a class", hostile, "4", "5", "6", "7", "8", "9", "others"};
  dm_ctx *ctx = new_ctx();
  double *xy = dm_alloc(ctx, groups * n, 2 * sizeof *xy, "points", NULL);
  dm_dots list[11];
  dm_rng rng;
  dm_rng_init(&rng, 3, 0);
  for (size_t g = 0; g < groups; g++) {
    list[g] = (dm_dots){.name = dm_str_of(names[g]), .n = n, .xy = xy + 2 * n * g, .label = label};
    for (size_t p = 0; p < 2 * n; p++) {
      double normal = 0;
      for (int k = 0; k < 6; k++) normal += dm_rng_uniform(&rng) - 0.5;
      xy[2 * n * g + p] = scale * (normal + 2.5 * (p % 2 ? sin((double)g) : cos((double)g)));
    }
  }
  dm_buf b;
  dm_buf_init(&b, ctx, NULL);
  dm_chart c = {.width = 560, .height = 400, .title = "Map", .description = "Points", .x_title = "first component, 41 % of variance",
                .y_title = "second component, 12 % of variance"};
  dm_chart_map(&b, &c, groups, list, "class");
  assert_true(b.n < 700 * groups + 10 * groups * n + 6000);
  dm_free(ctx, xy);
  finish(&b, name);
}

static void maps(void **state) {
  (void)state;
  draw_map("map-plain", 5, 100, 1, false);
  draw_map("map-ten", 10, 200, 1, true);
  draw_map("map-eleven", 11, 20, 1e7, false);
  draw_map("map-one-row", 1, 1, 1, true);
  draw_map("map-equal", 2, 3, 0, true);
  draw_map("map-huge", 2, 3, 1e200, true);
  draw_map("map-too-large", 2, 3, 5e307, true);
  draw_map("map-none", 0, 0, 1, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(histograms), cmocka_unit_test(bars),     cmocka_unit_test(confusions),
      cmocka_unit_test(rocs),       cmocka_unit_test(scatters), cmocka_unit_test(lines_),
      cmocka_unit_test(errors),     cmocka_unit_test(maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
