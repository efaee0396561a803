/*
 * Memory of a depth-first search: taken on the way down, given back on the way
 * up, all that came after a mark at once.
 *
 *   block  | node 1 | node 1.1 | free ...      mark of node 1.1
 *   block  | node 1.1.1 (large) | free         kept for the next descent when it is given back
 */
#ifndef DM_PATTERNS_STACK_H
#define DM_PATTERNS_STACK_H

#include <dm/core.h>

typedef struct dm_stack_block dm_stack_block;

typedef struct dm_stack {
  dm_ctx *ctx;
  dm_stack_block *first, *top; /* blocks behind `top` are empty */
} dm_stack;

typedef struct dm_stack_mark {
  dm_stack_block *block;
  size_t used;
} dm_stack_mark;

void dm_stack_init(dm_stack *s, dm_ctx *ctx);
void dm_stack_clear(dm_stack *s);
/** Not zeroed, 64-byte aligned. @return NULL after filling err (DM_EBUDGET) */
void *dm_stack_take(dm_stack *s, size_t count, size_t size, dm_error *err);
/** Of what was taken last only so many bytes are needed. */
void dm_stack_shrink(dm_stack *s, const void *last, size_t bytes);
dm_stack_mark dm_stack_at(const dm_stack *s);
/** Gives back all that was taken since. */
void dm_stack_back(dm_stack *s, dm_stack_mark mark);

#endif
