/* Threads that wait for jobs: a moment of spinning, then sleep. */
#include "core/team.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

enum { SPINS = 2000 }; /* about as long as it takes to sleep and to be woken */

/* Counts how often it was passed; those who wait look for a change. */
typedef struct gate {
  _Alignas(64) atomic_uint passed;
  atomic_size_t arrived;
} gate;

struct dm_team {
  gate asked, within, done;
  size_t threads;
  dm_team_job job; /* NULL: no more */
  void *user;
  size_t members;  /* threads that the job wants */
  bool is_busy;    /* a job runs: what it gives itself is run by one thread */
  pthread_mutex_t lock;
  pthread_cond_t wake;
  atomic_uint sleepers;
};

/* ---- gates ------------------------------------------------------------------------ */

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/* Waits until the gate was passed more often than `before`. */
static void await(dm_team *t, gate *g, unsigned before) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&g->passed, memory_order_acquire) != before) return;
    relax();
  }
  (void)pthread_mutex_lock(&t->lock);
  atomic_fetch_add(&t->sleepers, 1); /* before the look at the gate: who opens it looks at the sleepers after */
  while (atomic_load(&g->passed) == before) (void)pthread_cond_wait(&t->wake, &t->lock);
  atomic_fetch_sub(&t->sleepers, 1);
  (void)pthread_mutex_unlock(&t->lock);
}

static void open_gate(dm_team *t, gate *g) {
  atomic_fetch_add(&g->passed, 1);
  if (atomic_load(&t->sleepers) == 0) return;
  (void)pthread_mutex_lock(&t->lock);
  (void)pthread_cond_broadcast(&t->wake);
  (void)pthread_mutex_unlock(&t->lock);
}

/* The last of n opens it. */
static void arrive(dm_team *t, gate *g, size_t n) {
  unsigned before = atomic_load(&g->passed);
  if (atomic_fetch_add(&g->arrived, 1) + 1 < n) {
    await(t, g, before);
    return;
  }
  atomic_store(&g->arrived, 0);
  open_gate(t, g);
}

/* ---- jobs -------------------------------------------------------------------------- */

static void take_part(dm_team *t, size_t thread) {
  if (thread < t->members) t->job(t->user, &(dm_member){thread, t->members, t});
  arrive(t, &t->done, t->threads); /* all, so that nobody reads this job when the next is written */
}

static void work(dm_team *t, size_t thread) {
  for (unsigned seen = 0;; seen++) {
    await(t, &t->asked, seen);
    if (!t->job) return;
    take_part(t, thread);
  }
}

static void give(dm_team *t, size_t threads, dm_team_job job, void *user) {
  size_t members = threads < t->threads ? threads : t->threads;
  if (members == 1 || t->is_busy) {
    job(user, &(dm_member){0, 1, t});
    return;
  }
  t->job = job;
  t->user = user;
  t->members = members;
  t->is_busy = true;
  open_gate(t, &t->asked);
  take_part(t, 0);
  t->is_busy = false;
}

void dm_team_barrier(const dm_member *m) {
  if (m->threads > 1) arrive(m->team, &m->team->within, m->threads);
}

/* ---- regions ------------------------------------------------------------------------ */

/* What thread 0 of a region does with its team. */
typedef struct lead {
  dm_ctx *ctx;
  void (*body)(void *user); /* NULL: one job */
  dm_team_job job;
  void *user;
  size_t threads;
} lead;

static void lead_team(dm_team *t, const lead *l) {
  if (l->body) {
    bool is_open = dm_ctx_set_team(l->ctx, t);
    l->body(l->user);
    if (is_open) (void)dm_ctx_set_team(l->ctx, NULL);
  } else {
    give(t, l->threads, l->job, l->user);
  }
  t->job = NULL;
  open_gate(t, &t->asked);
}

static void region(const lead *l) {
  dm_team t = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
#pragma omp parallel num_threads((int)l->threads)
  {
    size_t thread = (size_t)omp_get_thread_num();
    if (thread == 0) {
      t.threads = (size_t)omp_get_num_threads();
      lead_team(&t, l);
    } else {
      work(&t, thread);
    }
  }
  (void)pthread_cond_destroy(&t.wake);
  (void)pthread_mutex_destroy(&t.lock);
}

/* Whether a team would be one too many: the other threads of the region around have work of their own. */
static bool is_crowded(size_t threads) { return threads <= 1 || omp_in_parallel(); }

void dm_team_open(dm_ctx *ctx, size_t threads, void (*body)(void *user), void *user) {
  if (dm_ctx_team(ctx) || is_crowded(threads))
    body(user);
  else
    region(&(lead){.ctx = ctx, .body = body, .user = user, .threads = threads});
}

void dm_team_run(dm_ctx *ctx, size_t threads, dm_team_job job, void *user) {
  dm_team *t = dm_ctx_team(ctx);
  if (t && threads > 1)
    give(t, threads, job, user);
  else if (is_crowded(threads))
    job(user, &(dm_member){0, 1, NULL});
  else
    region(&(lead){.ctx = ctx, .job = job, .user = user, .threads = threads});
}
