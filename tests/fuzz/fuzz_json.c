/* What the JSON reader takes has a canonical text, which is taken again and stays the same. */
#include <dm/text.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held) {
  if (!held) abort();
}

static void check_twice(dm_ctx *ctx, dm_arena *arena, const dm_json *doc) {
  dm_error err = {0};
  dm_buf first, second;
  dm_buf_init(&first, ctx, NULL);
  dm_buf_init(&second, ctx, NULL);
  dm_json_canonical(doc, &first);
  expect(dm_buf_status(&first) == DM_OK && dm_utf8_valid(first.p, first.n) == first.n);
  expect(dm_json_parse(arena, first.p, first.n, &doc, &err) == DM_OK);
  dm_json_canonical(doc, &second);
  expect(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
  dm_buf_clear(&first);
  dm_buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_ctx *ctx = NULL;
  dm_arena *arena = NULL;
  dm_error err = {0};
  const dm_json *doc = NULL;
  dm_ctx_options options = {.threads = 1, .budget = (size_t)512 << 20};
  if (dm_ctx_new(&options, &ctx, &err) != DM_OK) return 0;
  if (dm_arena_new(ctx, 0, &arena, &err) == DM_OK) {
    if (dm_json_parse(arena, (const char *)data, size, &doc, &err) == DM_OK)
      check_twice(ctx, arena, doc);
    else
      expect(doc == NULL && err.message[0] && err.line > 0 && err.column > 0);
  }
  dm_arena_free(arena);
  dm_ctx_free(ctx);
  return 0;
}
