/* core: threads that wait for jobs. */
#include "cmocka_all.h"
#include "core/team.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 8, CELLS = 300, JOBS = 100 };

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = MOST}, &ctx, NULL), DM_OK);
  return ctx;
}

/* Two passes with a barrier between: each cell becomes the sum of its neighbours' first values. */
typedef struct ring {
  size_t rounds, most;
  uint64_t first[CELLS], second[CELLS];
} ring;

static void turn(void *user, const dm_member *m) {
  ring *r = user;
  assert_true(m->thread < m->threads && m->threads <= r->most);
  for (size_t i = m->thread; i < CELLS; i += m->threads) r->first[i] = r->second[i] + i;
  dm_team_barrier(m);
  for (size_t i = m->thread; i < CELLS; i += m->threads) r->second[i] = r->first[(i + 1) % CELLS] + r->first[(i + CELLS - 1) % CELLS];
}

typedef struct script {
  dm_ctx *ctx;
  ring *r;
  size_t jobs;
  bool pauses;
} script;

static void play(void *user) {
  script *s = user;
  for (size_t j = 0; j < s->jobs; j++) {
    if (s->pauses && j % 16 == 0) (void)usleep(500); /* long enough for the others to fall asleep */
    s->r->most = 1 + j % MOST;
    dm_team_run(s->ctx, s->r->most, turn, s->r);
  }
}

static void jobs_of_a_team_are_whole(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  ring *want = calloc(1, sizeof *want), *got = calloc(1, sizeof *got);
  assert_true(want && got);
  for (size_t j = 0; j < JOBS; j++) {
    want->most = 1;
    turn(want, &(dm_member){0, 1, NULL});
  }
  for (size_t threads = 1; threads <= MOST; threads *= 2)
    for (int pauses = 0; pauses < 2; pauses++) {
      script s = {ctx, got, JOBS, pauses};
      memset(got, 0, sizeof *got);
      dm_team_open(ctx, threads, play, &s);
      assert_memory_equal(got->second, want->second, sizeof want->second);
      assert_null(dm_ctx_team(ctx));
    }
  memset(got, 0, sizeof *got);
  play(&(script){ctx, got, JOBS, false}); /* a team for each job */
  assert_memory_equal(got->second, want->second, sizeof want->second);
  free(want);
  free(got);
  dm_ctx_free(ctx);
}

typedef struct inside {
  dm_ctx *ctx;
  atomic_size_t calls, inner;
  dm_team *team;
} inside;

static void inner_job(void *user, const dm_member *m) {
  inside *in = user;
  assert_int_equal(m->threads, 1);
  dm_team_barrier(m);
  atomic_fetch_add(&in->inner, 1);
}

static void outer_job(void *user, const dm_member *m) {
  inside *in = user;
  atomic_fetch_add(&in->calls, 1);
  if (m->thread == 0) dm_team_run(in->ctx, 4, inner_job, in);
  dm_team_barrier(m);
}

static void again(void *user) {
  inside *in = user;
  assert_ptr_equal(dm_ctx_team(in->ctx), in->team);
  dm_team_run(in->ctx, 4, outer_job, in);
}

static void *of_another_thread(void *user) {
  inside *in = user;
  if (dm_ctx_team(in->ctx)) return NULL;
  dm_team_run(in->ctx, 2, outer_job, in); /* has a team of its own, as long as the job lasts */
  return in;
}

static void body(void *user) {
  inside *in = user;
  pthread_t other;
  void *result = NULL;
  in->team = dm_ctx_team(in->ctx);
  assert_non_null(in->team);
  dm_team_run(in->ctx, 4, outer_job, in);
  assert_int_equal(atomic_load(&in->inner), 1);
  dm_team_open(in->ctx, 4, again, in); /* the same team */
  assert_int_equal(atomic_load(&in->inner), 2);
  assert_int_equal(pthread_create(&other, NULL, of_another_thread, in), 0);
  assert_int_equal(pthread_join(other, &result), 0);
  assert_ptr_equal(result, in);
  assert_ptr_equal(dm_ctx_team(in->ctx), in->team);
}

static void a_team_is_of_the_thread_that_opened_it(void **state) {
  (void)state;
  inside in = {.ctx = new_ctx()};
  dm_team_open(in.ctx, 4, body, &in);
  assert_true(atomic_load(&in.calls) >= 3);
  assert_null(dm_ctx_team(in.ctx));
  dm_ctx_free(in.ctx);
}

typedef struct nest {
  dm_ctx *ctx;
  atomic_size_t inner;
} nest;

static void within_region(void *user) {
  nest *n = user;
  assert_null(dm_ctx_team(n->ctx));
}

static void alone(void *user, const dm_member *m) {
  nest *n = user;
  assert_int_equal(m->threads, 1);
  atomic_fetch_add(&n->inner, 1);
}

static void from_all(void *user, const dm_member *m) {
  nest *n = user;
  dm_ctx *other = NULL;
  dm_team_run(n->ctx, 4, alone, n);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 4}, &other, NULL), DM_OK);
  dm_team_run(other, 4, alone, n);
  dm_team_open(other, 4, within_region, &(nest){.ctx = other});
  dm_ctx_free(other);
  dm_team_barrier(m);
  if (m->thread == 0) atomic_store(&n->inner, atomic_load(&n->inner) == 2 * m->threads ? 0 : 1);
}

static void play_nest(void *user) { dm_team_run(((nest *)user)->ctx, 4, from_all, user); }

/* Even where the host lets regions nest. */
static void jobs_within_jobs_are_run_by_one_thread(void **state) {
  (void)state;
  nest n = {.ctx = new_ctx()};
  omp_set_max_active_levels(3);
  dm_team_open(n.ctx, 4, play_nest, &n);
  assert_int_equal(atomic_load(&n.inner), 0);
  dm_team_run(n.ctx, 4, from_all, &n);
  assert_int_equal(atomic_load(&n.inner), 0);
  omp_set_max_active_levels(1);
  dm_ctx_free(n.ctx);
}

/* What is left of the threads that were asked for does the work. */
static void fewer_threads_than_asked_are_enough(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  ring *want = calloc(1, sizeof *want), *got = calloc(1, sizeof *got);
  assert_true(want && got);
  for (size_t j = 0; j < JOBS; j++) {
    want->most = 1;
    turn(want, &(dm_member){0, 1, NULL});
  }
  omp_set_dynamic(1); /* more than there are processors are not given */
  dm_team_open(ctx, MOST, play, &(script){ctx, got, JOBS, false});
  omp_set_dynamic(0);
  assert_memory_equal(got->second, want->second, sizeof want->second);
  free(want);
  free(got);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(jobs_of_a_team_are_whole), cmocka_unit_test(a_team_is_of_the_thread_that_opened_it),
                                     cmocka_unit_test(jobs_within_jobs_are_run_by_one_thread), cmocka_unit_test(fewer_threads_than_asked_are_enough)};
  return cmocka_run_group_tests_name("core/team", tests, NULL, NULL);
}
