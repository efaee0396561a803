/*
 * A ring of batches between the reading thread and the caller.
 *
 *   slots:   0        1        2        (n counts batches from the start, slot n % 3)
 *          taken    filled   being filled
 */
#include "data/typed_pipe.h"

#include <pthread.h>

enum { SLOTS = 3 };

struct dm_typed_pipe {
  dm_typed *t;
  dm_rows slots[SLOTS];
  size_t filled, given, returned; /* batches so far */
  bool threaded, stop, ended;
  dm_status status; /* of the reader, after `ended` */
  dm_error error;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
};

static void *read_ahead(void *user) {
  dm_typed_pipe *p = user;
  for (bool more = true; more;) {
    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->filled - p->returned == SLOTS) pthread_cond_wait(&p->changed, &p->lock);
    dm_rows *batch = &p->slots[p->filled % SLOTS];
    more = !p->stop;
    pthread_mutex_unlock(&p->lock);
    if (!more) break;
    dm_status s = dm_typed_next(p->t, batch, &p->error);
    more = s == DM_OK && !batch->end && !batch->misfit;
    pthread_mutex_lock(&p->lock);
    if (s == DM_OK) p->filled++;
    p->status = s;
    p->ended = !more;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
  }
  return NULL;
}

dm_status dm_typed_pipe_open(dm_typed *t, dm_typed_pipe **out, dm_error *err) {
  dm_typed_pipe *p = dm_alloc(t->ctx, 1, sizeof *p, "rows being read", err);
  if (!p) return DM_EBUDGET;
  p->t = t;
  bool wanted = dm_ctx_threads(t->ctx) > 1;
  for (size_t i = 0; i < (wanted ? SLOTS : 1); i++)
    if (dm_rows_init(&p->slots[i], t->ctx, t->d, err) != DM_OK) {
      dm_typed_pipe_close(p);
      return DM_EBUDGET;
    }
  if (wanted) {
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->threaded = pthread_create(&p->thread, NULL, read_ahead, p) == 0; /* without one the caller reads */
    if (!p->threaded) {
      pthread_cond_destroy(&p->changed);
      pthread_mutex_destroy(&p->lock);
    }
  }
  *out = p;
  return DM_OK;
}

static dm_status next_here(dm_typed_pipe *p, const dm_rows **batch, dm_error *err) {
  dm_status s = dm_typed_next(p->t, &p->slots[0], err);
  if (s == DM_OK) *batch = &p->slots[0];
  return s;
}

dm_status dm_typed_pipe_next(dm_typed_pipe *p, const dm_rows **batch, dm_error *err) {
  if (!p->threaded) return next_here(p, batch, err);
  dm_status s = DM_OK;
  pthread_mutex_lock(&p->lock);
  p->returned = p->given;
  pthread_cond_signal(&p->changed);
  while (p->filled == p->given && !p->ended) pthread_cond_wait(&p->changed, &p->lock);
  if (p->filled > p->given)
    *batch = &p->slots[p->given++ % SLOTS];
  else
    s = p->status;
  pthread_mutex_unlock(&p->lock);
  if (s != DM_OK && err) *err = p->error;
  return s;
}

void dm_typed_pipe_close(dm_typed_pipe *p) {
  if (!p) return;
  if (p->threaded) {
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
  }
  for (size_t i = 0; i < SLOTS; i++) dm_rows_clear(&p->slots[i]);
  dm_free(p->t->ctx, p);
}
