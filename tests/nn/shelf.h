/* Tensors and scalars of one model or checkpoint, kept in memory. */
#ifndef DM_TESTS_NN_SHELF_H
#define DM_TESTS_NN_SHELF_H

#include <dm/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHELF_TENSORS = 16 };

typedef struct shelf_tensor {
  char name[32];
  dm_dtype type;
  size_t shape[4], rank, bytes;
  void *data;
} shelf_tensor;

typedef struct shelf {
  dm_ctx *ctx;
  shelf_tensor tensors[SHELF_TENSORS];
  size_t n;
  dm_buf text;
  dm_json_out json;
  dm_arena *memory;
  const dm_json *doc;
  dm_model_writer writer;
  dm_model_reader reader;
} shelf;

static inline dm_status shelf_put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data,
                                  dm_error *err) {
  shelf *s = w->user;
  assert_true(s->n < SHELF_TENSORS);
  shelf_tensor *t = &s->tensors[s->n++];
  *t = (shelf_tensor){.type = type, .rank = rank};
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  t->bytes = dm_dtype_size(type);
  for (size_t i = 0; i < rank; i++) t->bytes *= t->shape[i] = shape[i];
  t->data = dm_alloc(s->ctx, t->bytes + 1, 1, "tensor", err);
  if (!t->data) return DM_EBUDGET;
  memcpy(t->data, data, t->bytes);
  return DM_OK;
}

static inline dm_status shelf_get(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data,
                                  dm_error *err) {
  const shelf *s = r->user;
  for (size_t i = 0; i < s->n; i++) {
    const shelf_tensor *t = &s->tensors[i];
    if (strcmp(t->name, name) != 0) continue;
    if (t->type != type || t->rank != rank) return dm_fail(err, DM_EINPUT, "tensor '%s' is of another type", name);
    for (size_t j = 0; j < rank; j++) shape[j] = t->shape[j];
    *data = t->data;
    return DM_OK;
  }
  return dm_fail(err, DM_EINPUT, "tensor '%s' is not there", name);
}

/** Opens it for writing. */
static inline void shelf_open(shelf *s, dm_ctx *ctx) {
  *s = (shelf){.ctx = ctx};
  dm_buf_init(&s->text, ctx, NULL);
  dm_json_out_init(&s->json, &s->text, false);
  dm_json_object(&s->json);
  s->writer = (dm_model_writer){.user = s, .json = &s->json, .tensor = shelf_put};
}

/** Ends writing: what was written can be read. @param d, k as the scorer would know them */
static inline void shelf_close(shelf *s, size_t d, size_t k, const size_t *levels) {
  dm_json_end_object(&s->json);
  assert_int_equal(dm_arena_new(s->ctx, 0, &s->memory, NULL), DM_OK);
  assert_int_equal(dm_json_parse(s->memory, s->text.p, s->text.n, &s->doc, NULL), DM_OK);
  s->reader = (dm_model_reader){.user = s, .json = s->doc, .d = d, .n_classes = k, .levels = levels, .tensor = shelf_get};
}

static inline void shelf_clear(shelf *s) {
  if (!s->ctx) return;
  for (size_t i = 0; i < s->n; i++) dm_free(s->ctx, s->tensors[i].data);
  dm_buf_clear(&s->text);
  dm_arena_free(s->memory);
  *s = (shelf){0};
}

static inline shelf_tensor *shelf_find(shelf *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->tensors[i].name, name) == 0) return &s->tensors[i];
  fail_msg("no tensor %s", name);
  return NULL;
}

/** Replaces the scalars by other JSON. */
static inline void shelf_scalars(shelf *s, const char *json) {
  assert_int_equal(dm_json_parse(s->memory, json, strlen(json), &s->doc, NULL), DM_OK);
  s->reader.json = s->doc;
}

#endif
