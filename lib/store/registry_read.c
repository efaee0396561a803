/*
 * A model's rows into memory. Nothing of them is believed: a file may have
 * been made by anybody. Tensors are measured before they are allocated, parts
 * must be 0, 1, 2, … of one type and shape, and their bytes exactly what the
 * shape says; the hash is verified before anything is used.
 */
#include "store/registry.h"
#include "store/store.h"

#include <string.h>

static dm_status bad(dm_error *err, const char *tensor, const char *what) {
  return dm_fail(err, DM_EINPUT, "tensor '%.100s': %s", tensor, what);
}

/* [2,3] -> 2, 3. */
static dm_status read_shape(dm_arena *arena, dm_str text, dm_tensor *t, dm_error *err) {
  const dm_json *shape;
  if (text.n > 256) return bad(err, t->name, "the shape is too long");
  dm_status s = dm_json_parse(arena, text.p, text.n, &shape, err);
  if (s == DM_EBUDGET) return s;
  if (s != DM_OK || shape->type != DM_JSON_ARRAY) return bad(err, t->name, "the shape is not a JSON array");
  if (shape->n > DM_TENSOR_RANK_MAX) return bad(err, t->name, "more than 8 dimensions");
  for (const dm_json *e = shape->first; e; e = e->next) {
    if (e->type != DM_JSON_INT || e->integer < 0) return bad(err, t->name, "the shape holds something else than sizes");
    t->shape[t->rank++] = (size_t)e->integer;
  }
  return DM_OK;
}

static bool is_text(dm_value v) { return v.type == DM_TEXT && memchr(v.text.p, 0, v.text.n) == NULL; }

/* Head of one tensor: row of name, parts, dtype, shape, bytes; the last three the same in all parts. */
static dm_status read_head(const dm_stmt *s, dm_arena *arena, dm_tensor *t, dm_error *err) {
  dm_value name = dm_stmt_value(s, 0), type = dm_stmt_value(s, 3), shape = dm_stmt_value(s, 4);
  if (!is_text(name) || name.text.n == 0 || name.text.n > 512) return dm_fail(err, DM_EINPUT, "a tensor has no usable name");
  *t = (dm_tensor){.name = dm_arena_strdup(arena, name.text.p, name.text.n, err)};
  if (!t->name) return DM_EBUDGET;
  if (dm_stmt_int(s, 1) != 0 || dm_stmt_int(s, 2) != dm_stmt_int(s, 6)) return bad(err, t->name, "parts are missing");
  if (dm_stmt_int(s, 5) != 1) return bad(err, t->name, "its parts are of different types or shapes, or are not BLOBs");
  if (!is_text(type) || !dm_dtype_parse(type.text.p, &t->type)) return bad(err, t->name, "unknown dtype");
  if (!is_text(shape)) return bad(err, t->name, "the shape is not a JSON array");
  dm_status status = read_shape(arena, shape.text, t, err);
  if (status != DM_OK) return status;
  if (!dm_tensor_size(t->type, t->shape, t->rank, &t->bytes)) return bad(err, t->name, "the shape is too large");
  if ((int64_t)t->bytes < 0 || dm_stmt_int(s, 7) != (int64_t)t->bytes) return bad(err, t->name, "its bytes are not what its shape says");
  return DM_OK;
}

static dm_status read_heads(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  dm_stmt *s = NULL;
  size_t capacity = 0;
  dm_status status = dm_stmt_prepare(
      store,
      "SELECT name, min(part), max(part), min(dtype), min(shape),"
      " min(dtype) = max(dtype) AND min(shape) = max(shape) AND min(typeof(data)) = 'blob' AND max(typeof(data)) = 'blob'"
      " AND min(typeof(part)) = 'integer' AND max(typeof(part)) = 'integer' AND count(DISTINCT part) = count(*),"
      " count(*) - 1, sum(length(data)) FROM main.dm_tensor WHERE model_id = ?1 AND name NOT GLOB 'eval/*'"
      " GROUP BY name ORDER BY name",
      &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, id, err);
  for (bool row; status == DM_OK;) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    if (out->n_tensors >= DM_TENSORS_MAX) status = dm_fail(err, DM_EINPUT, "more than %d tensors", DM_TENSORS_MAX);
    if (status == DM_OK && out->n_tensors == capacity) {
      size_t more = capacity ? capacity * 2 : 16;
      dm_tensor *grown = dm_arena_alloc(arena, more, sizeof *grown, err);
      if (grown && capacity) memcpy(grown, out->tensors, capacity * sizeof *grown);
      out->tensors = grown;
      capacity = more;
      if (!grown) status = DM_EBUDGET;
    }
    if (status == DM_OK) status = read_head(s, arena, &out->tensors[out->n_tensors++], err);
  }
  dm_stmt_free(s);
  return status;
}

static dm_status read_data(dm_stmt *s, int64_t id, dm_arena *arena, dm_tensor *t, dm_error *err) {
  char *data = dm_arena_alloc(arena, t->bytes, 1, err);
  size_t done = 0;
  bool row = true;
  if (!data) return DM_EBUDGET;
  dm_status status = dm_stmt_bind_int(s, 1, id, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 2, t->name, err);
  while (status == DM_OK) {
    status = dm_stmt_step(s, &row, err);
    if (status != DM_OK || !row) break;
    dm_value v = dm_stmt_value(s, 0);
    if (v.type != DM_BLOB || v.text.n > t->bytes - done) {
      status = bad(err, t->name, "its bytes are not what its shape says");
      break;
    }
    if (v.text.n) memcpy(data + done, v.text.p, v.text.n);
    done += v.text.n;
  }
  if (status == DM_OK && done != t->bytes) status = bad(err, t->name, "its bytes are not what its shape says");
  (void)dm_stmt_reset(s, NULL);
  t->data = data;
  return status;
}

static dm_status read_texts(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, char hash[DM_SHA256_HEX], dm_error *err) {
  static const char *const names[] = {"method", "task", "target", "params", "inputs", "transform", "sha256"};
  const char *texts[7] = {NULL};
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(
      store, "SELECT method, task, target, params, inputs, transform, sha256 FROM main.dm_model WHERE id = ?1", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, id, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK && !row) status = dm_fail(err, DM_EINPUT, "its row is not in dm_model");
  for (int i = 0; status == DM_OK && i < 7; i++) {
    dm_value v = dm_stmt_value(s, i);
    if (v.type == DM_NULL && i == 2) continue; /* no target */
    if (!is_text(v)) {
      status = dm_fail(err, DM_EINPUT, "dm_model.%s is not a text", names[i]);
      break;
    }
    texts[i] = dm_arena_strdup(arena, v.text.p, v.text.n, err);
    if (!texts[i]) status = DM_EBUDGET;
  }
  dm_stmt_free(s);
  if (status != DM_OK) return status;
  if (strlen(texts[6]) != 64) return dm_fail(err, DM_EINPUT, "dm_model.sha256 is not a SHA-256");
  *out = (dm_model_rows){
      .method = texts[0], .task = texts[1], .target = texts[2], .params = texts[3], .inputs = texts[4], .transform = texts[5]};
  memcpy(hash, texts[6], DM_SHA256_HEX);
  return DM_OK;
}

dm_status dm_model_rows_collect(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, char hash[DM_SHA256_HEX], dm_error *err) {
  dm_model_rows rows;
  dm_stmt *s = NULL;
  dm_status status = read_texts(store, id, arena, &rows, hash, err);
  if (status == DM_OK) status = read_heads(store, id, arena, &rows, err);
  if (status == DM_OK)
    status = dm_stmt_prepare(store, "SELECT data FROM main.dm_tensor WHERE model_id = ?1 AND name = ?2 ORDER BY part", &s, err);
  for (size_t i = 0; status == DM_OK && i < rows.n_tensors; i++) status = read_data(s, id, arena, &rows.tensors[i], err);
  dm_stmt_free(s);
  if (status != DM_OK) return status;
  dm_tensors_sort(rows.tensors, rows.n_tensors); /* SQL's order depends on the encoding of the database */
  *out = rows;
  return DM_OK;
}

dm_status dm_model_rows_read(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, dm_error *err) {
  char stored[DM_SHA256_HEX], computed[DM_SHA256_HEX];
  dm_model_rows rows;
  dm_status s = dm_model_rows_collect(store, id, arena, &rows, stored, err);
  if (s == DM_OK) s = dm_model_rows_hash(arena, store->ctx, &rows, computed, err);
  if (s == DM_OK && strcmp(stored, computed) != 0) {
    s = dm_fail(err, DM_EINPUT, "its rows were changed: they have the SHA-256 %s, dm_model says %s", computed, stored);
    dm_error_hint(err, "train it again, or activate another version");
  }
  if (s == DM_OK) *out = rows;
  return s;
}
