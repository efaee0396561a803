/*
 * The model registry's inside: a model as rows, between the database and the
 * scorer.
 *
 *   dm_model   method task target params inputs transform       } all of these, and nothing else,
 *   dm_tensor  "0/feature" i32 [31] bytes, "0/threshold" ...    } are what sha256 is taken over
 *
 * inputs     what dm_scorer_save_inputs writes
 * transform  {"stages":[{"encoder":…,"method":"tree","scalars":{…}}]}; a
 *            tensor of stage 0 has the name "0/…". Of several stages those
 *            before the last also have "classes", as their targets are not
 *            kept; method and target are those of the last one
 *
 * A model that scores no rows (rules) has no stages, but scalars and tensors
 * that only its method understands, see registry_content.c.
 *
 * A training that is not finished has a row as well, see registry_training.c.
 * Tensors "eval/…" are what a report keeps of the test part: not of the model,
 * nor of its hash, but dropped and copied with it.
 */
#ifndef DM_STORE_REGISTRY_H
#define DM_STORE_REGISTRY_H

#include <dm/store.h>

enum { DM_TENSOR_RANK_MAX = 8, DM_TENSOR_PART = 64 << 20, DM_TENSORS_MAX = 1 << 16 };

typedef struct dm_tensor {
  const char *name;
  dm_dtype type;
  size_t rank, shape[DM_TENSOR_RANK_MAX];
  size_t bytes;
  const void *data;
} dm_tensor;

/** Everything of a model that its hash covers; texts and tensors in an arena. target NULL = none. */
typedef struct dm_model_rows {
  const char *method, *task, *target, *params, *inputs, *transform;
  size_t n_tensors;
  dm_tensor *tensors; /* ascending names */
} dm_model_rows;

/** Tensors that a learner writes or reads through its writer's or reader's user; in the rows their names begin with the prefix and '/'. */
typedef struct dm_tensor_set {
  dm_arena *arena; /* of what is put */
  const char *prefix; /* "0": stage 0 */
  dm_tensor *tensors;
  size_t n, capacity;
} dm_tensor_set;
/** dm_model_writer.tensor and dm_model_reader.tensor over a dm_tensor_set. */
dm_status dm_tensor_set_put(dm_model_writer *w, const char *name, dm_dtype type, const size_t *shape, size_t rank, const void *data,
                            dm_error *err);
dm_status dm_tensor_set_get(dm_model_reader *r, const char *name, dm_dtype type, size_t rank, size_t *shape, const void **data,
                            dm_error *err);

/** Names of the tensors begin with "checkpoint/". */
struct dm_checkpoint {
  dm_ctx *ctx;
  dm_arena *arena; /* of the tensors */
  dm_tensor_set tensors;
  dm_buf scalars;
  dm_json_out json;
  dm_model_writer writer;
  bool whole;
};

/** Bytes that a tensor of this type and shape has. @return false when that is more than memory can hold. */
bool dm_tensor_size(dm_dtype type, const size_t *shape, size_t rank, size_t *bytes);
void dm_tensors_sort(dm_tensor *tensors, size_t n);

/** SHA-256 over canonical JSON and tensors. DM_EINPUT when a text is not JSON. @param arena for the parsed texts. */
dm_status dm_model_rows_hash(dm_arena *arena, dm_ctx *ctx, const dm_model_rows *rows, char out[DM_SHA256_HEX], dm_error *err);
/** Reads model `id` without looking at its hash, which is given as it is stored. */
dm_status dm_model_rows_collect(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, char hash[DM_SHA256_HEX], dm_error *err);
/** Reads model `id` and verifies its hash; every count and size is checked before it is used. */
dm_status dm_model_rows_read(dm_store *store, int64_t id, dm_arena *arena, dm_model_rows *out, dm_error *err);
/** Next version of a name: above all that are or ever were there. */
dm_status dm_registry_next_version(dm_store *store, const char *name, int64_t *version, dm_error *err);
dm_status dm_registry_write_tensors(dm_store *store, int64_t id, const dm_tensor *tensors, size_t n, dm_error *err);
dm_status dm_registry_set_active(dm_store *store, const char *name, int64_t id, dm_error *err);
/**
 * Makes room for the row to be written: that of the training meta->id goes with its tensors, and id and version stay; where it
 * is not there any more, or id is 0, the version is the next one and id 0. Part of the open transaction.
 */
dm_status dm_registry_replace_training(dm_store *store, dm_model_meta *meta, dm_error *err);
/** Hash, date and what else only saving knows go into meta, then all is written and made active; one transaction, unless one is open. */
dm_status dm_registry_save_rows(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, const dm_model_metric *metrics,
                                size_t n_metrics, dm_arena *arena, dm_error *err);
/** Fails when the model scores no rows, and says what it is for. */
dm_status dm_registry_check_scores(dm_store *store, const dm_model_meta *meta, dm_error *err);
/** dm_model's row with the hash given in meta; id 0 = a new one, which is written back. */
dm_status dm_registry_write_model(dm_store *store, const dm_model_rows *rows, dm_model_meta *meta, dm_error *err);

#endif
