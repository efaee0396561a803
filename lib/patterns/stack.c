/* Memory of a depth-first search. */
#include "patterns/stack.h"

enum { ALIGN = 64, HEAD = 64, BLOCK_SIZE = 1 << 18 };

struct dm_stack_block {
  dm_stack_block *next, *before;
  size_t capacity, used;
};
_Static_assert(sizeof(dm_stack_block) <= HEAD, "the header of a block must leave its bytes aligned");

static char *bytes_of(dm_stack_block *b) { return (char *)b + HEAD; }

void dm_stack_init(dm_stack *s, dm_ctx *ctx) { *s = (dm_stack){.ctx = ctx}; }

void dm_stack_clear(dm_stack *s) {
  while (s->first) {
    dm_stack_block *next = s->first->next;
    dm_free(s->ctx, s->first);
    s->first = next;
  }
  s->top = NULL;
}

/* An empty block of at least so many bytes behind the top; one that was kept but is too small goes. */
static dm_stack_block *next_block(dm_stack *s, size_t bytes, dm_error *err) {
  dm_stack_block **at = s->top ? &s->top->next : &s->first;
  if (*at && (*at)->capacity >= bytes) return *at;
  if (*at) {
    dm_stack_block *small = *at;
    *at = small->next;
    if (small->next) small->next->before = s->top;
    dm_free(s->ctx, small);
  }
  size_t capacity = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE, whole;
  if (!dm_size_add(capacity, HEAD, &whole)) {
    (void)dm_fail(err, DM_EBUDGET, "search: request too large");
    return NULL;
  }
  dm_stack_block *b = dm_alloc(s->ctx, whole, 1, "search", err);
  if (!b) return NULL;
  b->capacity = capacity;
  b->before = s->top;
  b->next = *at;
  if (b->next) b->next->before = b;
  return *at = b;
}

void *dm_stack_take(dm_stack *s, size_t count, size_t size, dm_error *err) {
  size_t bytes;
  if (!dm_size_mul(count, size, &bytes) || bytes > SIZE_MAX / 2) {
    (void)dm_fail(err, DM_EBUDGET, "search: %zu x %zu bytes is more than memory can hold", count, size);
    return NULL;
  }
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  dm_stack_block *b = s->top;
  if (!b || b->capacity - b->used < bytes) {
    b = next_block(s, bytes, err);
    if (!b) return NULL;
    b->used = 0;
    s->top = b;
  }
  void *p = bytes_of(b) + b->used;
  b->used += bytes;
  return p;
}

void dm_stack_shrink(dm_stack *s, const void *last, size_t bytes) {
  s->top->used = (size_t)((const char *)last - bytes_of(s->top)) + (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

dm_stack_mark dm_stack_at(const dm_stack *s) { return (dm_stack_mark){s->top, s->top ? s->top->used : 0}; }

void dm_stack_back(dm_stack *s, dm_stack_mark mark) {
  s->top = mark.block;
  if (s->top) s->top->used = mark.used;
}
