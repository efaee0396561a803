/* How well a model without a target gives rows back: means of its error over numbers, categories and rows. */
#include <dm/model.h>

#include <math.h>
#include <string.h>

enum { CHUNK = 4096 };

typedef struct sums {
  double error, number, category;
  size_t rows, numbers, categories, unusual;
} sums;

static void add_rows(const dm_scorer *s, const dm_scored *scored, size_t n, sums *out) {
  size_t features = dm_encoder_n_inputs(s->encoder);
  for (size_t i = 0; i < n; i++) {
    out->error += scored->score[i];
    out->unusual += scored->value[i] > 0;
    for (size_t j = 0; j < features; j++) {
      double part = scored->parts[i * features + j];
      if (isnan(part)) continue;
      bool category = s->features[j].kind == DM_CATEGORY;
      *(category ? &out->category : &out->number) += part;
      *(category ? &out->categories : &out->numbers) += 1;
    }
  }
  out->rows += n;
}

static size_t put_mean(dm_metric *out, size_t n, const char *name, double sum, size_t count) {
  if (count) out[n++] = (dm_metric){name, sum / (double)count};
  return n;
}

size_t dm_encoder_metrics(const dm_scorer *s, const dm_frame *frame, const size_t *rows, size_t n, double *error,
                          dm_metric out[DM_METRICS_MAX], dm_error *err) {
  size_t features = dm_encoder_n_inputs(s->encoder), chunk = n < CHUNK ? n : CHUNK, count = 0;
  dm_arena *memory = NULL;
  sums sum = {0};
  dm_status status = dm_arena_new(s->ctx, 0, &memory, err);
  if (status != DM_OK) return 0;
  dm_scored scored = {.value = dm_arena_alloc(memory, chunk, sizeof(double), err), .score = dm_arena_alloc(memory, chunk, sizeof(double), err)};
  size_t *places = dm_arena_alloc(memory, chunk, sizeof *places, err);
  scored.parts = places ? dm_arena_alloc(memory, chunk, features * sizeof(double), err) : NULL;
  if (!scored.value || !scored.score || !scored.parts) status = DM_EBUDGET;
  for (size_t at = 0; status == DM_OK && at < n; at += chunk) {
    size_t here = n - at < chunk ? n - at : chunk;
    for (size_t i = 0; i < here; i++) places[i] = rows ? rows[at + i] : at + i;
    status = dm_scorer_frame_rows(s, frame, places, here, &scored, err);
    if (status == DM_OK) add_rows(s, &scored, here, &sum);
    if (status == DM_OK && error) memcpy(error + at, scored.score, here * sizeof *error);
  }
  dm_arena_free(memory);
  if (status != DM_OK) return 0;
  count = put_mean(out, count, "reconstruction_mse", sum.number, sum.numbers);
  count = put_mean(out, count, "reconstruction_log_loss", sum.category, sum.categories);
  count = put_mean(out, count, "reconstruction_error", sum.error, sum.rows);
  return put_mean(out, count, "unusual", (double)sum.unusual, sum.rows);
}
