/* Tasks of a search on several threads, from the lowest number on. */
#ifndef DM_PATTERNS_TASKS_H
#define DM_PATTERNS_TASKS_H

#include "patterns/reporter.h"

/** One task by one worker. @return what it ended with; it goes to the reporter. */
typedef dm_status (*dm_task_run)(void *worker, size_t task, dm_emit *e, dm_error *err);

/**
 * @param workers [n_workers] of `size` bytes each: what a thread has for itself, made by the caller.
 * @return what could not even begin. Failures of tasks go to the reporter, which stops all others.
 */
dm_status dm_tasks_run(dm_ctx *ctx, dm_reporter *out, size_t n_tasks, void *workers, size_t size, size_t n_workers, dm_task_run run,
                       dm_error *err);

#endif
