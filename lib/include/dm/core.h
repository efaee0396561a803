/**
 * core: what every other room stands on. Status codes and errors, the context
 * (memory, budget, log, progress, cancel, threads, seed), arenas, random
 * numbers, growable buffers, string views and the string dictionary.
 */
#ifndef DM_CORE_H
#define DM_CORE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DM_API __attribute__((visibility("default")))
#define DM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define DM_VERSION "0.1.0"

/* ---- status and error ------------------------------------------------- */

/** What can fail returns a dm_status; the numbers below 10 are the exit codes of the commands. */
typedef enum dm_status {
  DM_OK = 0,
  DM_EUSAGE = 2,    /* unknown option, method, table, column; parameter out of range */
  DM_EINPUT = 3,    /* data, recipe or model that cannot be used */
  DM_EIO = 4,       /* file system or database */
  DM_EBUDGET = 5,   /* memory: the budget or the machine's */
  DM_ECANCEL = 130, /* the cancel flag was seen */
  DM_EINTERNAL = 70 /* a bug of ours that was caught */
} dm_status;

/**
 * Caller-owned error. Zero-initialise it; a function that fails fills it, a
 * function that succeeds leaves it alone. line and column count from 1, 0 is
 * "none"; excerpt is the offending line (UTF-8, cut, control characters shown
 * as '.'), caret the 1-based display column in excerpt under which '^' goes.
 */
typedef struct dm_error {
  dm_status code;
  char message[768];
  char hint[512];
  char file[1024];
  size_t line, column;
  char excerpt[256];
  size_t caret;
} dm_error;

/** Fills err (NULL allowed) and returns code, so that `return dm_fail(err, DM_EINPUT, "...")` reads well. */
DM_API dm_status dm_fail(dm_error *err, dm_status code, const char *format, ...) DM_PRINTF(3, 4);
/** Adds the place to a filled error; file may be NULL (kept), line/column 0 (none). */
DM_API void dm_error_at(dm_error *err, const char *file, size_t line, size_t column);
/** Sets the line shown under the message; bytes before caret_byte decide the caret's place. */
DM_API void dm_error_excerpt(dm_error *err, const char *text, size_t length, size_t caret_byte);
DM_API void dm_error_hint(dm_error *err, const char *format, ...) DM_PRINTF(2, 3);
/** Puts `prefix: ` before the message (for instance "model 'm'"). */
DM_API void dm_error_prefix(dm_error *err, const char *format, ...) DM_PRINTF(2, 3);
DM_API void dm_error_clear(dm_error *err);
DM_API const char *dm_status_name(dm_status s); /* "usage", "input", "io", "budget", "cancelled", "internal", "ok" */

/* ---- context ---------------------------------------------------------- */

typedef enum dm_log_level { DM_LOG_WARNING = 0, DM_LOG_NOTICE = 1, DM_LOG_INFO = 2, DM_LOG_DEBUG = 3 } dm_log_level;

struct dm_learner;

typedef struct dm_ctx dm_ctx;

typedef struct dm_ctx_options {
  void *(*allocate)(void *user, size_t size, size_t alignment); /* NULL: aligned_alloc; may return NULL */
  void (*release)(void *user, void *block);                     /* NULL: free */
  void *user;                                                   /* for allocate, release, log and progress */
  size_t budget;                                                /* bytes; 0 = no limit */
  unsigned threads;                                             /* 0 = processors this process may use */
  uint64_t seed;
  void (*log)(void *user, dm_log_level level, const char *message);
  /** done of total (0 = unknown) in unit ("rows", "MB"); called at most about 10 times a second. Behind a ':' `what` may say more, which changes from call to call: "net: loss 0.31". */
  void (*progress)(void *user, const char *what, double done, double total, const char *unit);
  const struct dm_learner *const *learners; /* NULL-ended table of methods, borrowed; see model.h */
} dm_ctx_options;

/** @param options copied; NULL means all defaults. @return DM_OK or DM_EBUDGET. */
DM_API dm_status dm_ctx_new(const dm_ctx_options *options, dm_ctx **out, dm_error *err);
/** Frees the context; every block of it must have been freed (checked by assert). NULL allowed. */
DM_API void dm_ctx_free(dm_ctx *ctx);

DM_API unsigned dm_ctx_threads(const dm_ctx *ctx);
DM_API uint64_t dm_ctx_seed(const dm_ctx *ctx);
DM_API size_t dm_ctx_budget(const dm_ctx *ctx);      /* 0 = no limit */
DM_API size_t dm_ctx_memory(const dm_ctx *ctx);      /* bytes held now */
DM_API size_t dm_ctx_memory_peak(const dm_ctx *ctx); /* most bytes held so far */
DM_API const struct dm_learner *const *dm_ctx_learners(const dm_ctx *ctx);

DM_API void dm_log(const dm_ctx *ctx, dm_log_level level, const char *format, ...) DM_PRINTF(3, 4);
/** Cheap to call in a loop: throttled inside. */
DM_API void dm_progress(dm_ctx *ctx, const char *what, double done, double total, const char *unit);

/** Async-signal-safe: may be called from a signal handler or another thread. */
DM_API void dm_ctx_cancel(dm_ctx *ctx);
DM_API bool dm_ctx_cancelled(const dm_ctx *ctx);
/** DM_OK, or DM_ECANCEL with the message "interrupted". Long loops call it every few thousand rows. */
DM_API dm_status dm_ctx_check(const dm_ctx *ctx, dm_error *err);

/**
 * count*size bytes, zeroed, 64-byte aligned. The product is checked for
 * overflow and compared with the budget before anything is asked of the
 * machine. For many small things use an arena.
 * @return NULL after filling err (DM_EBUDGET: `what: needs 6200 MB, limit 4096 MB`).
 */
DM_API void *dm_alloc(dm_ctx *ctx, size_t count, size_t size, const char *what, dm_error *err);
/** Grows or shrinks; the new part is zeroed. On failure the old block stays valid and NULL comes back. */
DM_API void *dm_realloc(dm_ctx *ctx, void *block, size_t count, size_t size, const char *what, dm_error *err);
DM_API void dm_free(dm_ctx *ctx, void *block); /* NULL allowed */
DM_API char *dm_strdup(dm_ctx *ctx, const char *s, dm_error *err);

/** false when a*b or a+b does not fit; *out untouched then. */
DM_API bool dm_size_mul(size_t a, size_t b, size_t *out);
DM_API bool dm_size_add(size_t a, size_t b, size_t *out);

/* ---- arena ------------------------------------------------------------ */

/** Bump allocator over dm_alloc blocks; everything goes at once with dm_arena_free. */
typedef struct dm_arena dm_arena;
DM_API dm_status dm_arena_new(dm_ctx *ctx, size_t block_size /* 0 = 64 KiB */, dm_arena **out, dm_error *err);
DM_API void dm_arena_free(dm_arena *arena);
/** Zeroed, 16-byte aligned; NULL after filling err. */
DM_API void *dm_arena_alloc(dm_arena *arena, size_t count, size_t size, dm_error *err);
DM_API char *dm_arena_strdup(dm_arena *arena, const char *s, size_t length, dm_error *err); /* NUL added */
DM_API char *dm_arena_printf(dm_arena *arena, dm_error *err, const char *format, ...) DM_PRINTF(3, 4);
DM_API void dm_arena_reset(dm_arena *arena); /* keeps the blocks for use again */

/* ---- buffers and views ------------------------------------------------ */

/** Borrowed bytes, not NUL-ended. */
typedef struct dm_str {
  const char *p;
  size_t n;
} dm_str;

DM_API dm_str dm_str_of(const char *s); /* s NULL gives {NULL, 0} */
DM_API bool dm_str_equal(dm_str a, dm_str b);
DM_API int dm_str_compare(dm_str a, dm_str b); /* by bytes, then by length */

/**
 * Growable bytes; p is always NUL-ended once anything was added. A failed
 * append sets `failed` and keeps the error in err; later appends do nothing,
 * so that a writer checks once at the end with dm_buf_status.
 */
typedef struct dm_buf {
  dm_ctx *ctx;
  char *p;
  size_t n, capacity;
  bool failed;
  dm_error *err; /* borrowed, NULL allowed; filled at the first failure */
} dm_buf;

DM_API void dm_buf_init(dm_buf *buf, dm_ctx *ctx, dm_error *err);
DM_API void dm_buf_clear(dm_buf *buf); /* frees */
DM_API void dm_buf_reset(dm_buf *buf); /* n = 0, keeps memory */
DM_API bool dm_buf_reserve(dm_buf *buf, size_t more);
DM_API void dm_buf_add(dm_buf *buf, const char *p, size_t n);
DM_API void dm_buf_adds(dm_buf *buf, const char *s);
DM_API void dm_buf_addc(dm_buf *buf, char c);
DM_API void dm_buf_printf(dm_buf *buf, const char *format, ...) DM_PRINTF(2, 3);
DM_API dm_status dm_buf_status(const dm_buf *buf); /* DM_OK or DM_EBUDGET */

/* ---- dictionary -------------------------------------------------------- */

/** Strings to 0, 1, 2, … in order of first appearance; keys copied. Hash order never shows. */
typedef struct dm_dict dm_dict;
#define DM_DICT_NONE SIZE_MAX
DM_API dm_status dm_dict_new(dm_ctx *ctx, dm_dict **out, dm_error *err);
DM_API void dm_dict_free(dm_dict *dict);
DM_API size_t dm_dict_n(const dm_dict *dict);
DM_API size_t dm_dict_find(const dm_dict *dict, const char *key, size_t length); /* or DM_DICT_NONE */
/** Finds or adds. @param index written on success. */
DM_API dm_status dm_dict_add(dm_dict *dict, const char *key, size_t length, size_t *index, dm_error *err);
DM_API dm_str dm_dict_key(const dm_dict *dict, size_t index); /* borrowed until the dict is freed */

/* ---- output files ------------------------------------------------------- */

/** A file written beside its path and renamed when whole; "-" is standard output. */
typedef struct dm_outfile dm_outfile;
/** @return DM_EIO naming the path when it cannot be made, DM_EBUDGET. */
DM_API dm_status dm_outfile_open(dm_ctx *ctx, const char *path, dm_outfile **out, dm_error *err);
/** Buffered. */
DM_API dm_status dm_outfile_write(dm_outfile *f, const char *p, size_t n, dm_error *err);
/** Flushes, syncs, renames; frees f in any case. */
DM_API dm_status dm_outfile_commit(dm_outfile *f, dm_error *err);
/** Leaves the path as it was; frees f (NULL allowed). */
DM_API void dm_outfile_abort(dm_outfile *f);

/* ---- time --------------------------------------------------------------- */

DM_API double dm_seconds(void);             /* monotonic clock */
DM_API void dm_time_utc(char out[32]);      /* "2026-01-31T12:34:56.789Z" */

/* ---- random numbers ---------------------------------------------------- */

/**
 * Philox4x32-10 counter generator as a value: copy it to fork it. Same seed
 * and stream give the same numbers on every machine. One stream per consumer.
 * Source: Salmon et al., SC 2011.
 */
typedef struct dm_rng {
  uint32_t key[2];
  uint64_t stream, counter;
  uint32_t out[4];
  unsigned used; /* words of out already handed out, 4 = none left */
} dm_rng;

/** Streams: one per consumer, so that adding one never shifts another's numbers. */
enum { DM_STREAM_SPLIT = 1, DM_STREAM_FOLDS = 2, DM_STREAM_TREE = 3, DM_STREAM_SAMPLE = 4, DM_STREAM_NET_INIT = 5, DM_STREAM_NET_STEP = 6,
       DM_STREAM_NET_ORDER = 7 };

DM_API void dm_rng_init(dm_rng *rng, uint64_t seed, uint64_t stream);
DM_API uint32_t dm_rng_u32(dm_rng *rng);
DM_API double dm_rng_uniform(dm_rng *rng);                    /* [0, 1), 53 bits */
DM_API uint64_t dm_rng_below(dm_rng *rng, uint64_t n);        /* unbiased 0 … n-1, n ≥ 1 */
DM_API void dm_rng_shuffle(dm_rng *rng, size_t *p, size_t n); /* Fisher–Yates, in place */

#ifdef __cplusplus
}
#endif
#endif
