/*
 * One tree with default parameters on a file: seconds of the training (bins,
 * cross-validation and all), metrics on another file, and how fast the bare
 * tree predicts. bench_tree.py runs it beside scikit-learn.
 *
 *   bench_tree TRAIN TEST THREADS [PARAMETER VALUE]...
 *
 * Both files have 15 columns, the last is the class; a first line that begins
 * with a letter is a header.
 */
#include <dm/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 15, REPEATS = 3, PREDICT_REPEATS = 20 };

static void check(dm_status s, const dm_error *err) {
  if (s == DM_OK) return;
  fprintf(stderr, "bench_tree: %s\n", err->message);
  exit(1);
}

static dm_value cell_value(const dm_csv_cell *c) {
  dm_value v = {DM_NULL};
  if (c->n == 0 || (c->n == 1 && c->p[0] == '?')) return v;
  v.text = (dm_str){c->p, c->n};
  if (c->p[c->n - 1] == '.') v.text.n--; /* the test file ends its classes with a point */
  v.type = dm_text_to_int(c->p, c->n, &v.integer) ? DM_INTEGER : DM_TEXT;
  return v;
}

static dm_frame *read_frame(dm_ctx *ctx, const char *path) {
  static const char *const names[COLUMNS] = {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15"};
  dm_error err = {0};
  dm_csv *csv = NULL;
  dm_frame_builder *b = NULL;
  dm_frame *frame = NULL;
  const dm_csv_record *r = NULL;
  FILE *f = fopen(path, "r");
  int first = f ? fgetc(f) : 'a';
  if (f) (void)fclose(f);
  dm_csv_options o = {.delimiter = ',', .header = first >= 'a' ? DM_YES : DM_NO, .trim = DM_YES, .columns = names, .n_columns = COLUMNS};
  check(dm_csv_open(ctx, path, &o, &csv, &err), &err);
  check(dm_frame_builder_new(ctx, COLUMNS, names, false, 50000, &b, &err), &err);
  while (dm_csv_next(csv, &r, &err) == DM_OK && r) {
    dm_value row[COLUMNS];
    if (r->reason != DM_REJECT_NONE) continue;
    for (size_t j = 0; j < COLUMNS; j++) row[j] = cell_value(&r->cells[j]);
    check(dm_frame_builder_add(b, row, 0, &err), &err);
  }
  check(err.code, &err);
  check(dm_frame_builder_finish(b, &frame, &err), &err);
  dm_csv_close(csv);
  return frame;
}

/* Best of a few trainings. */
static dm_model *train(dm_ctx *ctx, const dm_frame *frame, const dm_params *params, double *seconds) {
  const double *raw[COLUMNS - 1];
  size_t levels[COLUMNS - 1];
  for (size_t j = 0; j < COLUMNS - 1; j++) {
    raw[j] = frame->columns[j].values;
    levels[j] = frame->columns[j].kind == DM_CATEGORY ? frame->columns[j].levels.n : 0;
  }
  const dm_frame_column *target = &frame->columns[COLUMNS - 1];
  dm_block block = {.kind = DM_BLOCK_RAW, .d = COLUMNS - 1, .raw = raw, .levels = levels};
  dm_dataset data = {.n = frame->n, .n_blocks = 1, .blocks = &block, .target = target->values, .n_classes = target->levels.n};
  dm_model *model = NULL;
  dm_error err = {0};
  for (size_t i = 0; i < REPEATS; i++) {
    if (model) dm_learner_tree.free(model);
    double begin = dm_seconds();
    check(dm_learner_tree.train(ctx, &(dm_training){.train = &data}, params, &model, &err), &err);
    double took = dm_seconds() - begin;
    if (i == 0 || took < *seconds) *seconds = took;
  }
  return model;
}

static void evaluate(dm_ctx *ctx, const dm_scorer *s, const dm_frame *test) {
  dm_error err = {0};
  size_t n = test->n, k = s->target.levels.n;
  double *value = calloc(n, sizeof *value), *proba = calloc(n * k, sizeof *proba), *truth = calloc(n, sizeof *truth);
  const dm_frame_column *target = &test->columns[COLUMNS - 1];
  if (!value || !proba || !truth) exit(1);
  check(dm_scorer_frame(s, test, NULL, n, value, NULL, proba, &err), &err);
  for (size_t i = 0; i < n; i++)
    truth[i] = (double)dm_levels_find(&s->target.levels, (dm_value){.type = DM_TEXT, .text = target->levels.names[(size_t)target->values[i]]});
  dm_metric metrics[DM_METRICS_MAX];
  size_t n_metrics = dm_metrics(ctx, n, k, truth, value, proba, metrics, &err);
  for (size_t i = 0; i < n_metrics; i++) printf(" %s=%.4f", metrics[i].name, metrics[i].value);
  free(value);
  free(proba);
  free(truth);
}

/* Rows a second of the bare tree, rows in memory. */
static double predict_rate(const dm_model *m, const dm_frame *frame) {
  size_t n = frame->n, d = COLUMNS - 1;
  double *x = calloc(n * d, sizeof *x), *value = calloc(n, sizeof *value);
  if (!x || !value) exit(1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < d; j++) x[i * d + j] = frame->columns[j].values[i];
  dm_batch batch = {.n = n, .d = d, .x = x, .value = value};
  double best = 0; /* of the repeats: other work on the machine only slows */
  for (size_t i = 0; i < PREDICT_REPEATS; i++) {
    double begin = dm_seconds();
    (void)dm_learner_tree.predict(m, DM_OUT_VALUE, &batch, NULL);
    double rate = (double)n / (dm_seconds() - begin);
    if (rate > best) best = rate;
  }
  free(x);
  free(value);
  return best;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  static const dm_learner *const learners[] = {&dm_learner_tree, NULL};
  dm_ctx *ctx = NULL;
  dm_error err = {0};
  dm_params *params = NULL;
  dm_encoder *encoder = NULL;
  dm_scorer *scorer = NULL;
  double seconds = 0;
  size_t columns[COLUMNS - 1];
  for (size_t j = 0; j < COLUMNS - 1; j++) columns[j] = j;
  check(dm_ctx_new(&(dm_ctx_options){.threads = (unsigned)atoi(argv[3]), .learners = learners}, &ctx, &err), &err);
  check(dm_params_new(ctx, "tree", dm_learner_tree.params, &params, &err), &err);
  for (int i = 4; i + 1 < argc; i += 2) check(dm_params_set(params, argv[i], argv[i + 1], &err), &err);
  dm_frame *frame = read_frame(ctx, argv[1]), *test = read_frame(ctx, argv[2]);
  dm_model *model = train(ctx, frame, params, &seconds);
  check(dm_encoder_passthrough(ctx, COLUMNS - 1, &encoder, &err), &err);
  check(dm_scorer_new(ctx, frame, columns, COLUMNS - 1, COLUMNS - 1, encoder, model, &scorer, &err), &err);
  printf("seconds=%.4f rows=%zu predict_rate=%.0f", seconds, frame->n, predict_rate(model, frame));
  evaluate(ctx, scorer, test);
  printf("\n");
  dm_scorer_free(scorer);
  dm_frame_free(frame);
  dm_frame_free(test);
  dm_params_free(params);
  dm_ctx_free(ctx);
  return 0;
}
