/* Scalars and tensors in memory, written by whoever knows what they mean: states of trainings, and models that score no rows. */
#include "store/registry.h"

dm_status dm_checkpoint_new(dm_ctx *ctx, dm_checkpoint **out, dm_error *err) {
  dm_checkpoint *c = dm_alloc(ctx, 1, sizeof *c, "checkpoint", err);
  if (!c) return DM_EBUDGET;
  dm_status s = dm_arena_new(ctx, (size_t)1 << 20, &c->arena, err);
  if (s != DM_OK) {
    dm_free(ctx, c);
    return s;
  }
  c->ctx = ctx;
  dm_buf_init(&c->scalars, ctx, NULL);
  *out = c;
  return DM_OK;
}

void dm_checkpoint_free(dm_checkpoint *c) {
  if (!c) return;
  dm_buf_clear(&c->scalars);
  dm_arena_free(c->arena);
  dm_free(c->ctx, c);
}

dm_model_writer *dm_checkpoint_open(dm_checkpoint *c) {
  c->whole = false;
  dm_arena_reset(c->arena);
  c->tensors = (dm_tensor_set){.arena = c->arena, .prefix = "checkpoint"};
  dm_buf_clear(&c->scalars);
  dm_buf_init(&c->scalars, c->ctx, NULL);
  dm_json_out_init(&c->json, &c->scalars, false);
  dm_json_object(&c->json);
  c->writer = (dm_model_writer){.user = &c->tensors, .json = &c->json, .tensor = dm_tensor_set_put};
  return &c->writer;
}

dm_status dm_checkpoint_close(dm_checkpoint *c, dm_error *err) {
  dm_json_end_object(&c->json);
  c->whole = dm_buf_status(&c->scalars) == DM_OK;
  return c->whole ? DM_OK : dm_fail(err, DM_EBUDGET, "checkpoint: out of memory");
}

bool dm_checkpoint_is_whole(const dm_checkpoint *c) { return c->whole; }
