/* Room for scoring: one block for all that is written on the way through the stages. */
#include "model/scorer.h"

#include <stdint.h>

enum { ALIGN = 64 };

/* Widest of the stages in each respect. */
typedef struct widths {
  size_t features, encoded, code, work;
} widths;

static void widen(widths *w, const dm_encoder *encoder, const dm_model *model) {
  size_t features = dm_encoder_n_inputs(encoder), encoded = dm_encoder_n_outputs(encoder);
  if (features > w->features) w->features = features;
  if (encoded > w->encoded) w->encoded = encoded;
  if (model->n_code > w->code) w->code = model->n_code;
  if (model->work > w->work) w->work = model->work;
}

/* Takes rows x count x size bytes of the block that is laid out. */
static bool take(size_t *used, size_t rows, size_t count, size_t size, size_t *at) {
  size_t bytes;
  *at = *used;
  if (!dm_size_mul(rows, count, &bytes) || !dm_size_mul(bytes, size, &bytes) || !dm_size_add(bytes, ALIGN - 1, &bytes)) return false;
  return dm_size_add(*used, bytes / ALIGN * ALIGN, used);
}

dm_status dm_scratch_init_rows(dm_scratch *scratch, const dm_scorer *s, size_t rows, dm_error *err) {
  widths w = {0};
  for (size_t i = 0; i < s->n_before; i++) widen(&w, s->before[i].encoder, s->before[i].model);
  widen(&w, s->encoder, s->model);
  size_t used = 0, raw, encoded, value, proba, parts, code, work;
  if (!take(&used, 1, w.features, sizeof(double), &raw) || !take(&used, rows, w.encoded, sizeof(double), &encoded) ||
      !take(&used, rows, 1, sizeof(double), &value) || !take(&used, rows, s->model->n_classes, sizeof(double), &proba) ||
      !take(&used, s->target.name ? 0 : rows, s->model->d, sizeof(double), &parts) || !take(&used, rows, w.code, sizeof(float), &code) ||
      !take(&used, 1, w.work, 1, &work))
    return dm_fail(err, DM_EBUDGET, "scorer: a block of %zu rows is more than memory can hold", rows);
  char *block = dm_alloc(s->ctx, used, 1, "scratch", err);
  if (!block) return DM_EBUDGET;
  *scratch = (dm_scratch){.rows = rows,
                          .raw = (double *)(void *)(block + raw),
                          .encoded = (double *)(void *)(block + encoded),
                          .value = (double *)(void *)(block + value),
                          .proba = (double *)(void *)(block + proba),
                          .parts = (double *)(void *)(block + parts),
                          .code = (float *)(void *)(block + code),
                          .work = block + work,
                          .block = block};
  return DM_OK;
}

dm_status dm_scratch_init(dm_scratch *scratch, const dm_scorer *s, dm_error *err) { return dm_scratch_init_rows(scratch, s, 1, err); }

void dm_scratch_clear(dm_scratch *scratch, const dm_scorer *s) {
  dm_free(s->ctx, scratch->block);
  *scratch = (dm_scratch){0};
}
