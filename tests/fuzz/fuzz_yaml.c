/* What the YAML reader takes is a tree whose every node has a place; what it refuses is refused with one. */
#include <dm/text.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held) {
  if (!held) abort();
}

static void check_node(const dm_yaml *node, bool in_map) {
  static const char *const known[] = {"table", "steps"};
  dm_error err = {0};
  size_t n = 0;
  expect(node->line > 0 && node->column > 0 && (node->key != NULL) == in_map);
  expect(dm_yaml_fail(node, "x.yaml", &err, "%zu", node->n) == DM_EINPUT && err.line == node->line);
  if (node->type == DM_YAML_SCALAR) {
    expect(strlen(node->scalar) == node->length && dm_utf8_valid(node->scalar, node->length) == node->length);
    return;
  }
  for (const dm_yaml *child = node->first; child; child = child->next, n++) {
    check_node(child, node->type == DM_YAML_MAP);
    if (node->type == DM_YAML_MAP) expect(dm_yaml_get(node, child->key) == child);
  }
  expect(n == node->n);
  if (node->type == DM_YAML_MAP) (void)dm_yaml_check_keys(node, "x.yaml", known, 2, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_ctx *ctx = NULL;
  dm_arena *arena = NULL;
  dm_error err = {0};
  const dm_yaml *doc = NULL;
  dm_ctx_options options = {.threads = 1, .budget = (size_t)512 << 20};
  if (size > 1 << 16) return 0; /* looking up every key of a map takes quadratic time here */
  if (dm_ctx_new(&options, &ctx, &err) != DM_OK) return 0;
  if (dm_arena_new(ctx, 0, &arena, &err) == DM_OK) {
    if (dm_yaml_parse(arena, "x.yaml", (const char *)data, size, &doc, &err) == DM_OK)
      check_node(doc, false);
    else
      expect(doc == NULL && err.message[0] && err.line > 0 && err.column > 0);
  }
  dm_arena_free(arena);
  dm_ctx_free(ctx);
  return 0;
}
