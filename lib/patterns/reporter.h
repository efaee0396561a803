/*
 * What a search tells about the sets it finds. The search never knows what
 * becomes of them: they are counted, written as text, or kept.
 *
 *   search (a task)  --push, pop, perfect, set-->  dm_emit  --bytes, in the order of the tasks-->  dm_sink
 *
 * A search is cut in tasks, numbered in the order in which their sets are to
 * come out; threads take them from the lowest number on. Each task that runs
 * has one dm_emit, with the set it is at:
 *
 *   dm_emit_push(e, item)      the set gets an item (a code of the itemdb)
 *   dm_emit_perfect(e, item)   an item that is in every row of the set: each set reported from now on stands for
 *                              itself and for itself with any choice of the perfect items (closed and maximal
 *                              searches push such items instead)
 *   dm_emit_set(e, support)    the set, with its perfect items, is one of those wanted
 *   dm_emit_pop(e), dm_emit_unperfect(e, n)   back to what it was
 *
 * What comes out is the same for any number of threads: the emit of the lowest
 * task that is not done writes through to the sink; others fill buffers, and
 * wait when these reach their share of the memory.
 */
#ifndef DM_PATTERNS_REPORTER_H
#define DM_PATTERNS_REPORTER_H

#include "patterns/itemdb.h"

#include <stdatomic.h>

#define DM_SUPPORT_MAX UINT64_MAX

typedef struct dm_reporter dm_reporter;
typedef struct dm_emit dm_emit;

struct dm_emit {
  uint32_t *items;   /* [n_items of the database] */
  size_t n;          /* items in the set */
  size_t kept;       /* of them, how many are as they were at the last set: what a writer need not write anew */
  uint32_t *perfect; /* [n_items] */
  size_t n_perfect;
  bool counts;       /* only the number of sets is wanted, of any size: the search may call dm_emit_count and leave all else out */
  atomic_bool stop;  /* looked at by long loops: somebody failed, was cancelled, or has enough */
  uint64_t count;    /* sets so far, checked for overflow */
  void (*set)(dm_emit *e, uint64_t support);
  dm_reporter *reporter;
  /* what follows is the reporter's */
  size_t task;
  void *state;
};

static inline void dm_emit_push(dm_emit *e, uint32_t item) { e->items[e->n++] = item; }
static inline void dm_emit_pop(dm_emit *e) {
  if (--e->n < e->kept) e->kept = e->n;
}
static inline void dm_emit_perfect(dm_emit *e, uint32_t item) { e->perfect[e->n_perfect++] = item; }
static inline void dm_emit_unperfect(dm_emit *e, size_t n) { e->n_perfect = n; } /* back to n of them */
static inline void dm_emit_set(dm_emit *e, uint64_t support) { e->set(e, support); }
/** So many sets more, when e->counts. At overflow the search ends with an error. */
void dm_emit_count(dm_emit *e, uint64_t n);

/** Where bytes of a reporter go: called by one thread at a time, in order. */
typedef struct dm_sink {
  void *user;
  dm_status (*write)(void *user, const char *p, size_t n, dm_error *err);
} dm_sink;

typedef enum dm_report_format {
  DM_REPORT_COUNT = 0, /* nothing is written */
  DM_REPORT_TEXT,      /* "a b c (12)\n": for people and for measuring */
  DM_REPORT_CSV,       /* items as one JSON array in a cell, support */
  DM_REPORT_TSV,
  DM_REPORT_JSONL,     /* {"items":["a","b"],"support":12} */
  DM_REPORT_RECORDS    /* u32 n, u32 items[n] (codes of the itemdb, ascending), u64 support; little end first; whole records in each write */
} dm_report_format;

typedef struct dm_reporter_options {
  dm_report_format format;
  const dm_itemdb *db;
  const dm_str *names;       /* [items of the transactions]; NULL for COUNT and RECORDS */
  size_t min_size, max_size; /* others are not reported; 1 and SIZE_MAX: all */
  const uint32_t *parent_start, *parent; /* ancestors as in dm_transactions: a set with an item and its ancestor is not reported; NULL none */
  uint64_t limit;            /* sets after which the search is stopped; 0 = none. Then dm_reporter_limited is true, and what came out is not to be used unless it is counted */
  const dm_sink *sink;       /* NULL for COUNT */
} dm_reporter_options;

dm_status dm_reporter_new(dm_ctx *ctx, const dm_reporter_options *options, dm_reporter **out, dm_error *err);
void dm_reporter_free(dm_reporter *r);
/** Before the search: how many tasks there are. May be called once more after all tasks of the last call are closed (level-wise searches). */
dm_status dm_reporter_tasks(dm_reporter *r, size_t n_tasks, dm_error *err);
/** By any thread; every task is opened once, in no order at all but so that the lowest open or unopened one always runs. NULL after filling err: out of memory. */
dm_emit *dm_reporter_open(dm_reporter *r, size_t task, dm_error *err);
/** The task is done, or given up: err_or_ok is what it ended with; the first failure (lowest task) is kept, and all others are stopped. */
void dm_reporter_close(dm_reporter *r, dm_emit *e, dm_status status, const dm_error *err);
/** After the search: flushes; the first failure, overflow, cancellation. @param count sets reported */
dm_status dm_reporter_finish(dm_reporter *r, uint64_t *count, dm_error *err);
bool dm_reporter_limited(const dm_reporter *r);

#endif
