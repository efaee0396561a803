/* Tensors between a learner and the registry's rows: a learner knows their names alone, the rows the stage as well. */
#include "store/registry.h"

#include <stdio.h>
#include <string.h>

dm_status dm_tensor_set_put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data,
                            dm_error *err) {
  dm_tensor_set *k = w->user;
  dm_tensor t = {.type = type, .rank = rank};
  if (rank > DM_TENSOR_RANK_MAX || k->n >= DM_TENSORS_MAX || !dm_tensor_size(type, shape, rank, &t.bytes))
    return dm_fail(err, DM_EINTERNAL, "tensor '%s' cannot be stored: rank %zu, tensor number %zu", name, rank, k->n + 1);
  if (k->n == k->capacity) {
    size_t capacity = k->capacity ? k->capacity * 2 : 16;
    dm_tensor *grown = dm_arena_alloc(k->arena, capacity, sizeof *grown, err);
    if (!grown) return DM_EBUDGET;
    if (k->n) memcpy(grown, k->tensors, k->n * sizeof *grown);
    k->tensors = grown;
    k->capacity = capacity;
  }
  void *copy = dm_arena_alloc(k->arena, t.bytes, 1, err);
  t.name = copy ? dm_arena_printf(k->arena, err, "%s/%s", k->prefix, name) : NULL;
  if (!t.name) return DM_EBUDGET;
  for (size_t i = 0; i < k->n; i++)
    if (strcmp(k->tensors[i].name, t.name) == 0) return dm_fail(err, DM_EINTERNAL, "tensor '%s' is saved twice", t.name);
  if (t.bytes) memcpy(copy, data, t.bytes);
  for (size_t i = 0; i < rank; i++) t.shape[i] = shape[i];
  t.data = copy;
  k->tensors[k->n++] = t;
  return DM_OK;
}

dm_status dm_tensor_set_get(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data,
                            dm_error *err) {
  const dm_tensor_set *k = r->user;
  char whole[512];
  (void)snprintf(whole, sizeof whole, "%s/%s", k->prefix, name);
  for (size_t i = 0; i < k->n; i++) {
    const dm_tensor *t = &k->tensors[i];
    if (strcmp(t->name, whole) != 0) continue;
    if (t->type != type || t->rank != rank)
      return dm_fail(err, DM_EINPUT, "tensor '%s' is %s of rank %zu, want %s of rank %zu", whole, dm_dtype_name(t->type), t->rank,
                     dm_dtype_name(type), rank);
    for (size_t d = 0; d < rank; d++) shape[d] = t->shape[d];
    *data = t->data;
    return DM_OK;
  }
  return dm_fail(err, DM_EINPUT, "tensor '%s' is missing", whole);
}
