/*
 * Bytes of many tasks, in the order of the tasks, with bounded memory.
 *
 *   task 4 (lowest)  block --------------------------------> sink
 *   task 5 (closed)  chunk chunk            go to the sink when 4 is closed, by who closes it
 *   task 6 (open)    chunk chunk chunk block
 *   task 7 (open)    chunk block            full, and no memory left: waits
 *
 * Only who works on the lowest task, or has just closed it, writes to the
 * sink; so no lock is held meanwhile. The lowest never waits, and the lowest is
 * always worked on: there is no dead end. Who finds no memory for a chunk waits
 * until it needs none, when its task is the lowest.
 */
#include "patterns/reporter_state.h"

#include <string.h>
#include <time.h>

/* ---- chunks ------------------------------------------------------------------------ */

dm_status dm_chunk_new(dm_reporter *r, size_t capacity, dm_chunk **out, dm_error *err) {
  dm_chunk *c = dm_alloc(r->ctx, 1, sizeof *c + capacity + SLACK, "search: what is found", err);
  if (!c) return DM_EBUDGET;
  c->capacity = capacity + SLACK;
  *out = c;
  return DM_OK;
}

static void free_chain(dm_reporter *r, dm_chunk *c) {
  while (c) {
    dm_chunk *next = c->next;
    dm_free(r->ctx, c);
    c = next;
  }
}

void dm_reporter_free_chunks(dm_reporter *r) {
  free_chain(r, r->spare);
  free_chain(r, r->carry);
  for (size_t i = 0; i < r->n_tasks; i++) free_chain(r, r->tasks[i].first);
  for (dm_emit_state *s = r->all; s; s = s->next) {
    free_chain(r, s->first);
    free_chain(r, s->block);
  }
}

/* With the lock held. */
static void give_back(dm_reporter *r, dm_chunk *c) {
  r->waiting -= c->capacity;
  if (c->capacity == r->block + SLACK) {
    c->next = r->spare;
    c->n = 0;
    r->spare = c;
  } else {
    dm_free(r->ctx, c);
  }
}

static void add_chunk(dm_emit_state *s, dm_chunk *c) {
  c->next = NULL;
  if (s->last)
    s->last->next = c;
  else
    s->first = c;
  s->last = c;
}

/* ---- to the sink, by whose turn it is -------------------------------------------------- */

static dm_status to_sink(dm_reporter *r, const char *p, size_t n, dm_error *err) {
  dm_chunk *carry = r->carry;
  if (carry->n + n > BLOCK) {
    dm_status status = carry->n ? r->o.sink->write(r->o.sink->user, dm_chunk_bytes(carry), carry->n, err) : DM_OK;
    carry->n = 0;
    if (status != DM_OK) return status;
  }
  if (n >= BLOCK / 4) {
    dm_status status = carry->n ? r->o.sink->write(r->o.sink->user, dm_chunk_bytes(carry), carry->n, err) : DM_OK;
    carry->n = 0;
    return status != DM_OK ? status : r->o.sink->write(r->o.sink->user, p, n, err);
  }
  memcpy(dm_chunk_bytes(carry) + carry->n, p, n);
  carry->n += n;
  return DM_OK;
}

dm_status dm_reporter_flush(dm_reporter *r, dm_error *err) {
  if (!r->carry || r->carry->n == 0) return DM_OK;
  size_t n = r->carry->n;
  r->carry->n = 0;
  return r->o.sink->write(r->o.sink->user, dm_chunk_bytes(r->carry), n, err);
}

/* Writes a chain unless all is to stop; it is gone in any case. */
static void write_chain(dm_reporter *r, size_t task, dm_chunk *c) {
  while (c) {
    dm_chunk *next = c->next;
    dm_error err = {0};
    dm_status status = atomic_load(&r->stopped) ? DM_OK : to_sink(r, dm_chunk_bytes(c), c->n, &err);
    if (status != DM_OK) dm_reporter_fail(r, task, status, &err);
    (void)pthread_mutex_lock(&r->lock);
    give_back(r, c);
    (void)pthread_cond_broadcast(&r->moved);
    (void)pthread_mutex_unlock(&r->lock);
    c = next;
  }
}

static void write_through(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  write_chain(r, s->e.task, s->first);
  s->first = s->last = NULL;
  dm_error err = {0};
  dm_status status = atomic_load(&r->stopped) ? DM_OK : to_sink(r, dm_chunk_bytes(s->block), s->block->n, &err);
  if (status != DM_OK) dm_reporter_fail(r, s->e.task, status, &err);
  s->block->n = 0;
}

/* ---- waiting ---------------------------------------------------------------------------- */

static bool has_turn(const dm_emit_state *s) { return atomic_load(&s->e.reporter->lowest) == s->e.task; }

/* With the lock held: until something moved, or for a moment, after which it is looked whether the user has given up. */
static void wait_a_moment(dm_reporter *r) {
  struct timespec until;
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 50000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    until.tv_sec++;
  }
  (void)pthread_cond_timedwait(&r->moved, &r->lock, &until);
  if (dm_ctx_cancelled(r->ctx)) atomic_store(&r->stopped, true);
}

/* With the lock held: an empty chunk of at least n bytes, NULL when there is no memory for it now. */
static dm_chunk *room_for(dm_reporter *r, size_t n) {
  if (r->waiting + n > r->waiting_max) return NULL;
  dm_chunk *c = NULL;
  if (n > r->block / 2) n = r->block;
  if (n == r->block && r->spare) {
    c = r->spare;
    r->spare = c->next;
    c->next = NULL;
  } else if (dm_chunk_new(r, n, &c, NULL) != DM_OK) {
    return NULL;
  }
  return c;
}

/* Puts the bytes of a full block aside. @return false: it is the task's turn now, or all is to stop */
static bool put_aside(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  bool aside = false;
  (void)pthread_mutex_lock(&r->lock);
  while (!aside && !has_turn(s) && !atomic_load(&r->stopped)) {
    dm_chunk *fresh = room_for(r, s->block->capacity - SLACK);
    if (fresh) {
      r->waiting += s->block->capacity;
      add_chunk(s, s->block);
      s->block = fresh;
      aside = true;
    } else {
      wait_a_moment(r);
    }
  }
  (void)pthread_mutex_unlock(&r->lock);
  return aside;
}

void dm_emit_flush(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  dm_emit_look(s);
  if (!has_turn(s) && put_aside(s)) return;
  if (has_turn(s)) write_through(s);
  if (atomic_load(&r->stopped)) atomic_store(&s->e.stop, true);
  s->block->n = 0;
}

/* ---- the end of a task --------------------------------------------------------------------- */

/* Leaves the bytes behind for who comes to them. @return false: it is the task's turn now */
static bool leave_behind(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  dm_task *task = &r->tasks[s->e.task];
  (void)pthread_mutex_lock(&r->lock);
  while (!has_turn(s)) {
    dm_chunk *c = NULL;
    bool useless = atomic_load(&r->stopped) || s->block->n == 0;
    if (!useless && (c = room_for(r, s->block->n))) {
      memcpy(dm_chunk_bytes(c), dm_chunk_bytes(s->block), s->block->n);
      c->n = s->block->n;
      r->waiting += c->capacity;
      add_chunk(s, c);
    }
    if (useless || c) {
      task->first = s->first;
      task->closed = true;
      s->first = s->last = NULL;
      s->block->n = 0;
      break;
    }
    wait_a_moment(r);
  }
  bool left = task->closed;
  (void)pthread_mutex_unlock(&r->lock);
  return left;
}

/* The turn goes on to the next task that is not closed. */
static void pass_on(dm_reporter *r) {
  (void)pthread_mutex_lock(&r->lock);
  size_t next = atomic_load(&r->lowest) + 1;
  while (next < r->n_tasks && r->tasks[next].closed) {
    dm_chunk *first = r->tasks[next].first;
    r->tasks[next].first = NULL;
    (void)pthread_mutex_unlock(&r->lock);
    write_chain(r, next, first);
    (void)pthread_mutex_lock(&r->lock);
    next++;
  }
  atomic_store(&r->lowest, next);
  (void)pthread_cond_broadcast(&r->moved);
  (void)pthread_mutex_unlock(&r->lock);
}

void dm_emit_leave(dm_emit_state *s) {
  if (!has_turn(s) && leave_behind(s)) return;
  write_through(s);
  pass_on(s->e.reporter);
}
