/* Datasets and the batches a cursor cuts from them. */
#include <dm/data.h>

const dm_block *dm_dataset_block(const dm_dataset *data, dm_block_kind kind) {
  for (size_t i = 0; i < data->n_blocks; i++)
    if (data->blocks[i].kind == kind) return &data->blocks[i];
  return NULL;
}

void dm_cursor_init(dm_cursor *c, const dm_dataset *data, const size_t *order, size_t batch) {
  *c = (dm_cursor){.data = data, .order = order, .batch = batch ? batch : data->n};
}

size_t dm_cursor_next(dm_cursor *c, const size_t **rows, size_t *first) {
  size_t left = c->data->n - c->at, n = left < c->batch ? left : c->batch;
  *rows = c->order ? c->order + c->at : NULL;
  *first = c->at;
  c->at += n;
  return n;
}
