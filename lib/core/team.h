/*
 * Threads for work that comes in many small pieces, such as the steps of a
 * training. OpenMP's own threads spin for milliseconds between two regions and
 * at each barrier; where other programs want the processors, too, that costs
 * them their turn just before the next piece (measured: steps 10 to 20 times
 * slower). Here one region lasts for all pieces, and its threads wait for a
 * moment only before they sleep.
 *
 *   dm_team_open    thread 0   body ---- run ---- … ---- run ---- … end
 *                   thread 1   sleep --- job ---- sleep - job --- sleep
 */
#ifndef DM_CORE_TEAM_H
#define DM_CORE_TEAM_H

#include <dm/core.h>

typedef struct dm_team dm_team;

/* A thread's place in a job. */
typedef struct dm_member {
  size_t thread, threads;
  dm_team *team;
} dm_member;

typedef void (*dm_team_job)(void *user, const dm_member *m);

/**
 * Calls body on this thread while up to threads - 1 others wait for what it gives to dm_team_run. Within an open team, and within any other
 * OpenMP region, it only calls body; with one thread it touches no OpenMP, which hangs in a process that forked.
 */
void dm_team_open(dm_ctx *ctx, size_t threads, void (*body)(void *user), void *user);
/**
 * Calls job on at most `threads` threads and waits for all of them: those of the team that this thread has open for ctx, or of one that lasts
 * for this job. A job that is given from within another, by whichever of its threads, is run by that thread alone. What a job computes must not depend on how many threads came.
 */
void dm_team_run(dm_ctx *ctx, size_t threads, dm_team_job job, void *user);
/** Waits until all threads of the job are here. */
void dm_team_barrier(const dm_member *m);

/* context.c: the team that the calling thread has open, NULL when it has none. */
dm_team *dm_ctx_team(const dm_ctx *ctx);
/** false when another thread has one open. @param team NULL closes */
bool dm_ctx_set_team(dm_ctx *ctx, dm_team *team);

#endif
