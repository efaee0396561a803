/*
 * What the files of the reporter share: an emit with all that belongs to it,
 * and the reporter itself.
 *
 *   reporter.c        options, opening and closing of tasks, counting
 *   reporter_order.c  bytes of the tasks, in their order
 *   reporter_sets.c   the sets that one with perfect items stands for: numbers of them, one by one, as records
 *   reporter_text.c   lines of text
 */
#ifndef DM_PATTERNS_REPORTER_STATE_H
#define DM_PATTERNS_REPORTER_STATE_H

#include "patterns/reporter.h"

#include <pthread.h>

enum {
  BLOCK = 1 << 18, /* bytes gathered before they are handed on: they stay in the cache of a core */
  SLACK = 64,      /* what a copy in whole vectors may write behind its end */
  LOOK = 4096,     /* calls between two looks at what others did */
  BATCH = 8        /* sets written together that differ in their last perfect items only */
};

/* Bytes of a task that waits for its turn; they stand behind the header. */
typedef struct dm_chunk {
  struct dm_chunk *next;
  size_t n, capacity;
} dm_chunk;

/* Text of an item with what separates it from the next, padded to whole vectors of 16 bytes. */
typedef struct dm_item_text {
  const char *p;
  size_t n;
} dm_item_text;

typedef struct dm_emit_state {
  dm_emit e; /* first: a search knows no more than this */
  dm_chunk *block;             /* what is being gathered; NULL when only counted */
  dm_chunk *first, *last;      /* full ones that wait */
  uint64_t synced;             /* of e.count, what the reporter knows */
  unsigned until_look;
  uint32_t *whole;             /* a set item by item, where the choices are gone through one by one */
  uint32_t *chosen;            /* places of the chosen perfect items */
  char *line;                  /* text of the items that the last sets have in common */
  size_t *end;                 /* [longest + 1] length of the line with so many items */
  size_t written;              /* items whose text is on the line */
  uint64_t support;            /* whose text is in suffix */
  char suffix[SLACK];
  size_t suffix_n;
  char tail[BATCH][SLACK];     /* choices of the last perfect items, with the suffix */
  size_t tail_n[BATCH];
  struct dm_emit_state *next_idle, *next;
} dm_emit_state;

typedef struct dm_task {
  dm_chunk *first; /* what it left behind */
  bool closed;
} dm_task;

struct dm_reporter {
  dm_ctx *ctx;
  dm_reporter_options o;
  size_t longest;          /* items of the longest row: no set has more */
  size_t longest_text;     /* bytes of the longest line of items */
  size_t block;            /* bytes of a block */
  const dm_item_text *texts;
  dm_arena *memory;        /* of the texts */
  void (*set)(dm_emit *e, uint64_t support);
  void (*one)(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support); /* how one set is written when they come one by one */

  pthread_mutex_t lock;    /* for all that follows */
  pthread_cond_t moved;    /* lowest went on, memory was given back, or all is to stop */
  dm_task *tasks;
  size_t n_tasks, done;
  atomic_size_t lowest;    /* the task whose bytes go to the sink; only who works on it, or closed it, writes */
  atomic_bool stopped;
  bool limited;
  uint64_t total;          /* sets that are known of */
  dm_status status;        /* the first failure */
  dm_error error;
  size_t failed_task;
  size_t waiting, waiting_max; /* bytes in chunks */
  dm_chunk *spare;
  dm_chunk *carry;         /* small pieces on their way to the sink */
  dm_emit_state *all, *idle;
};

/* reporter.c */
/** Ends the search with an error; the one of the lowest task is kept. */
void dm_reporter_fail(dm_reporter *r, size_t task, dm_status status, const dm_error *err);
/** Tells the reporter what was counted, and looks whether all is to stop. */
void dm_emit_look(dm_emit_state *s);
/** The count is more than 64 bits hold. */
void dm_emit_overflow(dm_emit_state *s);

/* reporter_order.c */
dm_status dm_chunk_new(dm_reporter *r, size_t capacity, dm_chunk **out, dm_error *err);
static inline char *dm_chunk_bytes(dm_chunk *c) { return (char *)(c + 1); }
/** The block is empty afterwards. */
void dm_emit_flush(dm_emit_state *s);
/** Whatever the task has left goes to the sink, or waits there for its turn. */
void dm_emit_leave(dm_emit_state *s);
dm_status dm_reporter_flush(dm_reporter *r, dm_error *err);
void dm_reporter_free_chunks(dm_reporter *r);
/** Room for n bytes and SLACK at the end of the block. n is at most BLOCK or a longest line. */
static inline char *dm_emit_room(dm_emit_state *s, size_t n) {
  if (s->block->n + n + SLACK > s->block->capacity) dm_emit_flush(s);
  return dm_chunk_bytes(s->block) + s->block->n;
}

/* reporter_sets.c */
void dm_emit_set_counted(dm_emit *e, uint64_t support);
/** Goes through the choices and calls r->one. */
void dm_emit_set_each(dm_emit *e, uint64_t support);
void dm_emit_one_counted(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support);
void dm_emit_one_record(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support);

/* reporter_text.c */
dm_status dm_reporter_texts(dm_reporter *r, dm_error *err);
void dm_emit_one_text(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support);
typedef void (*dm_set_writer)(dm_emit *e, uint64_t support);
/** Writes sets of any size, whole batches at once; for the registers that the CPU has. */
dm_set_writer dm_emit_text_writer(void);

#endif
