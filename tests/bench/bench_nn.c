/*
 * Trains one of two nets on images through the library's own loop, one
 * process a run, so that bench_nn.py can run PyTorch in between:
 *
 *   bench_nn mlp IMAGES LABELS THREADS EPOCHS FOLDER    784-256-128-10, batch 64, softmax cross-entropy
 *   bench_nn ae  IMAGES LABELS THREADS EPOCHS FOLDER    784-256-64-256-784, batch 128, squared error
 *
 * FOLDER gets weights.f32, the first weights as they stand in the parameter
 * block, and order.i64, the rows of all epochs in the order in which they were
 * fed. Images and labels are unpacked IDX files. Prints the best seconds an
 * epoch took and the mean loss of the first and last one.
 */
#include "nn/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 784, CLASSES = 10, EPOCHS_MAX = 100 };

typedef struct world {
  size_t n;
  float *x, *y;
  bool mlp;
  double times[EPOCHS_MAX + 1], first, last;
  size_t n_times;
} world;

static void check(dm_status s, const dm_error *err) {
  if (s == DM_OK) return;
  fprintf(stderr, "bench_nn: %s\n", err->message);
  exit(1);
}

static void stop(const char *what) {
  fprintf(stderr, "bench_nn: %s\n", what);
  exit(1);
}

/* Bytes of an IDX file as numbers, divided. @param count bytes of one item */
static float *read_idx(const char *path, size_t count, float divisor, size_t *n) {
  unsigned char head[16], *bytes;
  FILE *f = fopen(path, "rb");
  size_t offset = count > 1 ? 16 : 8;
  if (!f || fread(head, 1, offset, f) != offset) stop(path);
  *n = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
  bytes = malloc(*n * count);
  float *x = malloc(*n * count * sizeof *x);
  if (!bytes || !x || fread(bytes, count, *n, f) != *n) stop(path);
  for (size_t i = 0; i < *n * count; i++) x[i] = (float)bytes[i] / divisor;
  free(bytes);
  (void)fclose(f);
  return x;
}

static void feed(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  const world *w = user;
  (void)training, (void)rng;
  for (size_t i = 0; i < n; i++) memcpy(out + i * PIXELS, w->x + rows[i] * PIXELS, PIXELS * sizeof *out);
}

static double cross_entropy(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const world *w = user;
  float y[128];
  double sum = 0;
  const dm_loss *loss = dm_loss_find("softmax", NULL);
  for (size_t from = 0; from < n; from += 128) {
    size_t m = n - from < 128 ? n - from : 128;
    for (size_t i = 0; i < m; i++) y[i] = w->y[rows[from + i]];
    sum += dm_loss_rows(loss, 0, m, CLASSES, out + from * CLASSES, CLASSES, y, NULL, scale, g_out ? g_out + from * CLASSES : NULL, CLASSES);
  }
  *weight = (double)n;
  return sum;
}

static double squared_error(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const world *w = user;
  float factor = (float)(2 * scale / PIXELS);
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    const float *x = w->x + rows[i] * PIXELS, *y = out + i * PIXELS;
    float parts[16] = {0}; /* in lanes, so that the loop is vectorised */
    for (size_t j = 0; j < PIXELS; j += 16)
      for (size_t l = 0; l < 16; l++) {
        float r = y[j + l] - x[j + l];
        parts[l] += r * r;
        if (g_out) g_out[i * PIXELS + j + l] = factor * r;
      }
    for (size_t l = 0; l < 16; l++) sum += (double)parts[l] / PIXELS;
  }
  *weight = (double)n;
  return sum;
}

static dm_status heard(void *user, uint64_t epoch, const char *name, double value, dm_error *err) {
  world *w = user;
  (void)epoch, (void)err;
  if (strcmp(name, "train_loss") != 0) return DM_OK;
  if (w->n_times == 1) w->first = value;
  w->last = value;
  w->times[w->n_times++] = dm_seconds();
  return DM_OK;
}

static void write_file(const char *folder, const char *name, const void *data, size_t size, size_t n, const char *mode) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, mode);
  if (!f || fwrite(data, size, n, f) != n || fclose(f) != 0) stop(path);
}

/* The training loop's own order (train.c). */
static void write_orders(dm_ctx *ctx, const char *folder, const size_t *rows, size_t n, size_t epochs) {
  size_t *order = malloc(n * sizeof *order);
  if (!order) stop("memory");
  for (size_t e = 0; e < epochs; e++) {
    dm_rng rng;
    dm_rng_init(&rng, dm_ctx_seed(ctx), DM_STREAM_NET_ORDER | e << 16);
    memcpy(order, rows, n * sizeof *order);
    dm_rng_shuffle(&rng, order, n);
    write_file(folder, "order.i64", order, sizeof *order, n, e ? "ab" : "wb");
  }
  free(order);
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  size_t epochs = (size_t)atoi(argv[5]), n_labels, last;
  world w = {.mlp = strcmp(argv[1], "mlp") == 0};
  dm_ctx *ctx = NULL;
  dm_error err = {0};
  nn_graph *graph = NULL;
  nn_run *run = NULL;
  nn_train_result result;
  if (epochs < 1 || epochs > EPOCHS_MAX) return 2;
  w.x = read_idx(argv[2], PIXELS, 255, &w.n);
  w.y = read_idx(argv[3], 1, 1, &n_labels);
  nn_train_options o = {.name = "bench", .epochs = epochs, .batch = w.mlp ? 64 : 128, .schedule = DM_SCHEDULE_CONSTANT};
  check(dm_ctx_new(&(dm_ctx_options){.threads = (unsigned)atoi(argv[4])}, &ctx, &err), &err);
  check(dm_optimizer_defaults("adam", &o.optimizer, &err), &err);
  check(nn_graph_new(ctx, PIXELS, &graph, &err), &err);
  check(nn_spec_add(graph, w.mlp ? "dense 256 relu | dense 128 relu | dense 10" : "dense 256 relu | dense 64 relu | dense 256 relu | dense 784 sigmoid",
                    0, &last, &err), &err);
  check(nn_run_new(ctx, graph, last, o.batch, 0, &run, &err), &err);
  size_t *rows = malloc(w.n * sizeof *rows);
  if (!rows || n_labels != w.n) stop(argv[3]);
  for (size_t i = 0; i < w.n; i++) rows[i] = i;
  write_file(argv[6], "weights.f32", run->w, sizeof *run->w, graph->n_w, "wb");
  write_orders(ctx, argv[6], rows, w.n, epochs);
  w.times[w.n_times++] = dm_seconds();
  check(nn_train(run, &(nn_feed){.user = &w, .rows = feed}, &(nn_head){.user = &w, .loss = w.mlp ? cross_entropy : squared_error}, rows, w.n, NULL, 0,
                 &o, &(dm_training_hooks){.user = &w, .epoch = heard}, &result, &err), &err);
  double best = (double)INFINITY;
  for (size_t e = 1; e < w.n_times; e++) best = fmin(best, w.times[e] - w.times[e - 1]);
  printf("seconds=%.5f rate=%.0f loss=%.9g last=%.9g\n", best, (double)w.n / best, w.first, w.last);
  nn_run_free(run);
  nn_graph_free(graph);
  dm_ctx_free(ctx);
  free(rows);
  free(w.x);
  free(w.y);
  return 0;
}
