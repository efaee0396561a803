/*
 * The context: allocation with a budget, log, progress, cancel.
 *
 * Every block carries its size in a 64-byte header, so that the bytes held are
 * known and data stays aligned for the widest vector loads:
 *
 *   | size (8) ........ 56 unused | data, 64-byte aligned ...
 *
 * Blocks of 2 MiB and more are mapped pages (core/pages.h), unless the user
 * brought an allocator.
 */
#define _GNU_SOURCE
#include "core/pages.h"
#include "core/team.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEADER = 64 };

struct dm_ctx {
  dm_ctx_options options;
  atomic_size_t held, peak;
  atomic_int cancelled;
  atomic_llong last_progress; /* ns of the last progress call */
  atomic_uintptr_t team_owner; /* thread that opened the team, 0: nobody */
  dm_team *team;               /* read and written by its owner only */
};

static void *default_allocate(void *user, size_t size, size_t alignment) {
  (void)user;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void default_release(void *user, void *block) {
  (void)user;
  free(block);
}

static unsigned processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int n = CPU_COUNT(&set);
  return n > 0 ? (unsigned)n : 1;
}

dm_status dm_ctx_new(const dm_ctx_options *options, dm_ctx **out, dm_error *err) {
  dm_ctx_options o = {0};
  if (options) o = *options;
  if (!o.allocate) o.allocate = default_allocate;
  if (!o.release) o.release = default_release;
  if (!o.threads) o.threads = processors();
  dm_ctx *ctx = o.allocate(o.user, sizeof *ctx, HEADER);
  if (!ctx) return dm_fail(err, DM_EBUDGET, "context: out of memory");
  memset(ctx, 0, sizeof *ctx);
  ctx->options = o;
  *out = ctx;
  return DM_OK;
}

void dm_ctx_free(dm_ctx *ctx) {
  if (!ctx) return;
  assert(atomic_load(&ctx->held) == 0 && "a block of this context was not freed");
  ctx->options.release(ctx->options.user, ctx);
}

unsigned dm_ctx_threads(const dm_ctx *ctx) { return ctx->options.threads; }
uint64_t dm_ctx_seed(const dm_ctx *ctx) { return ctx->options.seed; }
size_t dm_ctx_budget(const dm_ctx *ctx) { return ctx->options.budget; }
size_t dm_ctx_memory(const dm_ctx *ctx) { return atomic_load(&ctx->held); }
size_t dm_ctx_memory_peak(const dm_ctx *ctx) { return atomic_load(&ctx->peak); }
const struct dm_learner *const *dm_ctx_learners(const dm_ctx *ctx) { return ctx->options.learners; }

void dm_log(const dm_ctx *ctx, dm_log_level level, const char *format, ...) {
  if (!ctx->options.log) return;
  char message[1024];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(message, sizeof message, format, args);
  va_end(args);
  ctx->options.log(ctx->options.user, level, message);
}

void dm_progress(dm_ctx *ctx, const char *what, double done, double total, const char *unit) {
  if (!ctx->options.progress) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long ns = (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
  long long last = atomic_load(&ctx->last_progress);
  if (ns - last < 100000000LL && !(total > 0 && done >= total)) return;
  if (atomic_compare_exchange_strong(&ctx->last_progress, &last, ns))
    ctx->options.progress(ctx->options.user, what, done, total, unit);
}

void dm_ctx_cancel(dm_ctx *ctx) { atomic_store(&ctx->cancelled, 1); }
bool dm_ctx_cancelled(const dm_ctx *ctx) { return atomic_load(&ctx->cancelled) != 0; }

dm_status dm_ctx_check(const dm_ctx *ctx, dm_error *err) {
  return dm_ctx_cancelled(ctx) ? dm_fail(err, DM_ECANCEL, "interrupted") : DM_OK;
}

dm_team *dm_ctx_team(const dm_ctx *ctx) { return atomic_load(&ctx->team_owner) == (uintptr_t)pthread_self() ? ctx->team : NULL; }

bool dm_ctx_set_team(dm_ctx *ctx, dm_team *team) {
  uintptr_t nobody = 0, self = (uintptr_t)pthread_self();
  if (team && !atomic_compare_exchange_strong(&ctx->team_owner, &nobody, self)) return false;
  ctx->team = team;
  if (!team) atomic_store(&ctx->team_owner, 0);
  return true;
}

bool dm_size_mul(size_t a, size_t b, size_t *out) {
  size_t r;
  if (__builtin_mul_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}

bool dm_size_add(size_t a, size_t b, size_t *out) {
  size_t r;
  if (__builtin_add_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}

static void print_size(size_t bytes, char out[32]) {
  if (bytes >= (size_t)10 << 20)
    (void)snprintf(out, 32, "%zu MB", (bytes + ((size_t)1 << 20) - 1) >> 20);
  else if (bytes >= (size_t)10 << 10)
    (void)snprintf(out, 32, "%zu KB", (bytes + 1023) >> 10);
  else
    (void)snprintf(out, 32, "%zu bytes", bytes);
}

/* Books `more` bytes, or says why not. */
static bool book(dm_ctx *ctx, size_t more, const char *what, dm_error *err) {
  size_t held = atomic_fetch_add(&ctx->held, more) + more;
  if (ctx->options.budget && held > ctx->options.budget) {
    atomic_fetch_sub(&ctx->held, more);
    char needs[32], limit[32];
    print_size(held, needs);
    print_size(ctx->options.budget, limit);
    (void)dm_fail(err, DM_EBUDGET, "%s: needs %s, limit %s", what, needs, limit);
    dm_error_hint(err, "raise --memory or work on fewer rows or columns");
    return false;
  }
  size_t peak = atomic_load(&ctx->peak);
  while (held > peak && !atomic_compare_exchange_weak(&ctx->peak, &peak, held)) {
  }
  return true;
}

static size_t *header_of(void *block) { return (size_t *)(void *)((char *)block - HEADER); }

static bool is_mapped(const dm_ctx *ctx, size_t whole) { return whole >= dm_pages_least() && ctx->options.allocate == default_allocate; }

/* Zeroed. */
static void *take(dm_ctx *ctx, size_t whole) {
  if (is_mapped(ctx, whole)) return dm_pages_map(whole);
  void *base = ctx->options.allocate(ctx->options.user, whole, HEADER);
  if (base) memset(base, 0, whole);
  return base;
}

static void *fail_machine(size_t bytes, const char *what, dm_error *err) {
  char needs[32];
  print_size(bytes, needs);
  (void)dm_fail(err, DM_EBUDGET, "%s: the machine has no %s left", what, needs);
  return NULL;
}

void *dm_alloc(dm_ctx *ctx, size_t count, size_t size, const char *what, dm_error *err) {
  size_t bytes, whole;
  if (!dm_size_mul(count, size, &bytes) || !dm_size_add(bytes, HEADER, &whole) || whole > SIZE_MAX / 2) {
    (void)dm_fail(err, DM_EBUDGET, "%s: %zu x %zu bytes is more than memory can hold", what, count, size);
    return NULL;
  }
  if (!book(ctx, whole, what, err)) return NULL;
  char *base = take(ctx, whole);
  if (!base) {
    atomic_fetch_sub(&ctx->held, whole);
    return fail_machine(bytes, what, err);
  }
  *(size_t *)(void *)base = whole;
  return base + HEADER;
}

/* A mapped block stays one; only the bytes that it gets are booked. */
static void *resize_mapped(dm_ctx *ctx, void *block, size_t bytes, const char *what, dm_error *err) {
  size_t old = *header_of(block), whole = bytes + HEADER;
  if (whole > old && !book(ctx, whole - old, what, err)) return NULL;
  char *base = dm_pages_resize(header_of(block), old, whole);
  if (!base) {
    atomic_fetch_sub(&ctx->held, whole - old);
    return fail_machine(bytes, what, err);
  }
  if (whole < old) atomic_fetch_sub(&ctx->held, old - whole);
  *(size_t *)(void *)base = whole;
  return base + HEADER;
}

void *dm_realloc(dm_ctx *ctx, void *block, size_t count, size_t size, const char *what, dm_error *err) {
  size_t bytes;
  bool fits = dm_size_mul(count, size, &bytes) && bytes <= SIZE_MAX / 2 - HEADER;
  if (block && fits && is_mapped(ctx, *header_of(block)) && is_mapped(ctx, bytes + HEADER)) return resize_mapped(ctx, block, bytes, what, err);
  void *fresh = dm_alloc(ctx, count, size, what, err);
  if (!fresh || !block) return fresh;
  size_t old = *header_of(block) - HEADER, now = *header_of(fresh) - HEADER;
  memcpy(fresh, block, old < now ? old : now);
  dm_free(ctx, block);
  return fresh;
}

void dm_free(dm_ctx *ctx, void *block) {
  if (!block) return;
  size_t *base = header_of(block);
  size_t whole = *base;
  atomic_fetch_sub(&ctx->held, whole);
  if (is_mapped(ctx, whole))
    dm_pages_unmap(base, whole);
  else
    ctx->options.release(ctx->options.user, base);
}

char *dm_strdup(dm_ctx *ctx, const char *s, dm_error *err) {
  size_t n = strlen(s);
  char *copy = dm_alloc(ctx, n + 1, 1, "text", err);
  if (copy) memcpy(copy, s, n + 1);
  return copy;
}
