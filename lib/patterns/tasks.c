/* Tasks of a search: threads take the lowest that nobody has taken. */
#include "patterns/tasks.h"

#include "core/team.h"

#include <stdatomic.h>

typedef struct queue {
  dm_reporter *out;
  size_t n;
  dm_task_run run;
  char *workers;
  size_t size;
  atomic_size_t next;
  atomic_bool failed;
} queue;

static void work(void *user, const dm_member *m) {
  queue *q = user;
  while (!atomic_load(&q->failed)) {
    size_t task = atomic_fetch_add(&q->next, 1);
    if (task >= q->n) return;
    dm_error err = {0};
    dm_emit *e = dm_reporter_open(q->out, task, &err);
    dm_status s = e ? q->run(q->workers + m->thread * q->size, task, e, &err) : DM_EBUDGET; /* the reporter knows that it could not open one */
    if (s != DM_OK) atomic_store(&q->failed, true);
    if (e) dm_reporter_close(q->out, e, s, &err);
  }
}

dm_status dm_tasks_run(dm_ctx *ctx, dm_reporter *out, size_t n_tasks, void *workers, size_t size, size_t n_workers, dm_task_run run,
                       dm_error *err) {
  dm_status s = dm_reporter_tasks(out, n_tasks, err);
  if (s != DM_OK) return s;
  queue q = {.out = out, .n = n_tasks, .run = run, .workers = workers, .size = size};
  dm_team_run(ctx, n_workers, work, &q);
  return DM_OK;
}
