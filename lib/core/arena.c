/* Bump allocator: blocks in a list, newest first; a large request gets a block of its own. */
#include <dm/core.h>

#include <stdio.h>
#include <string.h>

typedef struct block {
  struct block *next;
  size_t capacity, used;
  char *data; /* behind this header, 16-byte aligned */
} block;

struct dm_arena {
  dm_ctx *ctx;
  size_t block_size;
  block *blocks; /* the first one is filled next */
  block *spare;  /* kept by a reset */
};

enum { ALIGN = 16, HEAD = (sizeof(block) + ALIGN - 1) / ALIGN * ALIGN };

dm_status dm_arena_new(dm_ctx *ctx, size_t block_size, dm_arena **out, dm_error *err) {
  dm_arena *a = dm_alloc(ctx, 1, sizeof *a, "arena", err);
  if (!a) return DM_EBUDGET;
  a->ctx = ctx;
  a->block_size = block_size ? block_size : (size_t)64 << 10;
  *out = a;
  return DM_OK;
}

static void free_list(dm_ctx *ctx, block *b) {
  while (b) {
    block *next = b->next;
    dm_free(ctx, b);
    b = next;
  }
}

void dm_arena_free(dm_arena *arena) {
  if (!arena) return;
  free_list(arena->ctx, arena->blocks);
  free_list(arena->ctx, arena->spare);
  dm_free(arena->ctx, arena);
}

void dm_arena_reset(dm_arena *arena) {
  while (arena->blocks) {
    block *b = arena->blocks;
    arena->blocks = b->next;
    memset(b->data, 0, b->used);
    b->used = 0;
    b->next = arena->spare;
    arena->spare = b;
  }
}

static block *take_block(dm_arena *arena, size_t bytes, dm_error *err) {
  for (block **at = &arena->spare; *at; at = &(*at)->next)
    if ((*at)->capacity >= bytes) {
      block *b = *at;
      *at = b->next;
      return b;
    }
  size_t capacity = bytes > arena->block_size / 4 ? bytes : arena->block_size, whole;
  if (!dm_size_add(capacity, HEAD, &whole)) {
    (void)dm_fail(err, DM_EBUDGET, "arena: request too large");
    return NULL;
  }
  block *b = dm_alloc(arena->ctx, whole, 1, "arena", err);
  if (!b) return NULL;
  b->capacity = capacity;
  b->data = (char *)b + HEAD;
  return b;
}

void *dm_arena_alloc(dm_arena *arena, size_t count, size_t size, dm_error *err) {
  size_t bytes;
  if (!dm_size_mul(count, size, &bytes) || bytes > SIZE_MAX - 2 * (size_t)ALIGN) {
    (void)dm_fail(err, DM_EBUDGET, "arena: %zu x %zu bytes is more than memory can hold", count, size);
    return NULL;
  }
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  if (bytes == 0) bytes = ALIGN;
  block *b = arena->blocks;
  if (!b || b->capacity - b->used < bytes) {
    b = take_block(arena, bytes, err);
    if (!b) return NULL;
    if (arena->blocks && b->capacity - bytes < arena->blocks->capacity - arena->blocks->used) {
      b->next = arena->blocks->next; /* the current block has more room left: keep filling it */
      arena->blocks->next = b;
    } else {
      b->next = arena->blocks;
      arena->blocks = b;
    }
  }
  void *p = b->data + b->used;
  b->used += bytes;
  return p;
}

char *dm_arena_strdup(dm_arena *arena, const char *s, size_t length, dm_error *err) {
  if (length == SIZE_MAX) {
    (void)dm_fail(err, DM_EBUDGET, "arena: request too large");
    return NULL;
  }
  char *copy = dm_arena_alloc(arena, length + 1, 1, err);
  if (copy && length) memcpy(copy, s, length);
  return copy;
}

char *dm_arena_printf(dm_arena *arena, dm_error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *out = dm_arena_alloc(arena, (size_t)(n < 0 ? 0 : n) + 1, 1, err);
  if (!out) return NULL;
  va_start(args, format);
  (void)vsnprintf(out, (size_t)(n < 0 ? 0 : n) + 1, format, args);
  va_end(args);
  return out;
}
