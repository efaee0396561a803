/*
 * The hash of a model: SHA-256 over
 *
 *   {"inputs":…,"method":…,"params":…,"target":…,"task":…,"transform":…} \n
 *   and for each tensor, by name: ["name","dtype",[shape]] \n bytes
 *
 * in canonical JSON. Names, versions and times are left out: the same model
 * trained again has the same hash. Tensors "eval/…" (its evaluations) are no part of it.
 */
#include "store/registry.h"

#include <stdlib.h>
#include <string.h>

/* Tensors are stored with the little end first, and used as they are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors need their bytes swapped on this machine");

bool dm_tensor_size(dm_dtype type, const size_t *shape, size_t rank, size_t *bytes) {
  size_t n = dm_dtype_size(type);
  for (size_t i = 0; i < rank; i++)
    if (!dm_size_mul(n, shape[i], &n)) return false;
  *bytes = n;
  return true;
}

static int by_name(const void *a, const void *b) {
  const dm_tensor *x = a, *y = b;
  return strcmp(x->name, y->name);
}

void dm_tensors_sort(dm_tensor *tensors, size_t n) {
  if (n) qsort(tensors, n, sizeof *tensors, by_name);
}

static dm_status add_json(dm_json_out *j, dm_arena *arena, const char *key, const char *text, dm_error *err) {
  const dm_json *value;
  dm_status s = dm_json_parse(arena, text, strlen(text), &value, err);
  if (s != DM_OK) {
    dm_error_prefix(err, "%s", key);
    return s;
  }
  dm_buf canonical;
  dm_buf_init(&canonical, j->buf->ctx, err);
  dm_json_canonical(value, &canonical);
  s = dm_buf_status(&canonical);
  if (s == DM_OK) {
    dm_json_key(j, key);
    dm_json_raw(j, canonical.p, canonical.n);
  }
  dm_buf_clear(&canonical);
  return s;
}

static dm_status add_head(dm_buf *buf, dm_arena *arena, const dm_model_rows *rows, dm_error *err) {
  dm_json_out j;
  dm_json_out_init(&j, buf, false);
  dm_json_object(&j);
  dm_status s = add_json(&j, arena, "inputs", rows->inputs, err);
  dm_json_put_string(&j, "method", rows->method);
  if (s == DM_OK) s = add_json(&j, arena, "params", rows->params, err);
  dm_json_put_string(&j, "target", rows->target);
  dm_json_put_string(&j, "task", rows->task);
  if (s == DM_OK) s = add_json(&j, arena, "transform", rows->transform, err);
  dm_json_end_object(&j);
  dm_buf_addc(buf, '\n');
  return s == DM_OK ? dm_buf_status(buf) : s;
}

static void add_tensor_head(dm_buf *buf, const dm_tensor *t) {
  dm_json_out j;
  dm_json_out_init(&j, buf, false);
  dm_json_array(&j);
  dm_json_string(&j, t->name);
  dm_json_string(&j, dm_dtype_name(t->type));
  dm_json_array(&j);
  for (size_t i = 0; i < t->rank; i++) dm_json_int(&j, (int64_t)t->shape[i]);
  dm_json_end_array(&j);
  dm_json_end_array(&j);
  dm_buf_addc(buf, '\n');
}

dm_status dm_model_rows_hash(dm_arena *arena, dm_ctx *ctx, const dm_model_rows *rows, char out[DM_SHA256_HEX], dm_error *err) {
  dm_buf buf;
  dm_sha256 *hash = NULL;
  dm_buf_init(&buf, ctx, err);
  dm_status s = dm_sha256_new(ctx, &hash, err);
  if (s == DM_OK) s = add_head(&buf, arena, rows, err);
  for (size_t i = 0; s == DM_OK && i < rows->n_tensors; i++) {
    add_tensor_head(&buf, &rows->tensors[i]);
    s = dm_buf_status(&buf);
    if (s != DM_OK) break;
    dm_sha256_add(hash, buf.p, buf.n);
    dm_sha256_add(hash, rows->tensors[i].data, rows->tensors[i].bytes);
    dm_buf_reset(&buf);
  }
  if (s == DM_OK) {
    dm_sha256_add(hash, buf.p, buf.n); /* the head of a model without tensors */
    dm_sha256_hex(hash, out);
  }
  if (hash) dm_sha256_free(hash);
  dm_buf_clear(&buf);
  return s;
}
