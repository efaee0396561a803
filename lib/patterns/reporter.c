/* The reporter: what a search is told to open and close, and how many sets there were. */
#include "patterns/reporter_state.h"

#include <stdio.h>

/* ---- what goes on ------------------------------------------------------------- */

/* With the lock held. */
static void stop_all(dm_reporter *r) {
  atomic_store(&r->stopped, true);
  for (dm_emit_state *s = r->all; s; s = s->next) atomic_store(&s->e.stop, true);
  (void)pthread_cond_broadcast(&r->moved);
}

void dm_reporter_fail(dm_reporter *r, size_t task, dm_status status, const dm_error *err) {
  (void)pthread_mutex_lock(&r->lock);
  if (r->status == DM_OK || task < r->failed_task) {
    r->status = status;
    r->failed_task = task;
    if (err)
      r->error = *err;
    else
      (void)dm_fail(&r->error, status, "search: stopped");
  }
  stop_all(r);
  (void)pthread_mutex_unlock(&r->lock);
}

void dm_emit_overflow(dm_emit_state *s) {
  dm_error err = {0};
  dm_status status = dm_fail(&err, DM_EINPUT, "search: there are more sets than 64 bits can count (18446744073709551615)");
  dm_error_hint(&err, "raise --min-support, bound the sets with --max-size, or ask for --kind closed");
  dm_reporter_fail(s->e.reporter, s->e.task, status, &err);
}

static void show_progress(dm_reporter *r) {
  char what[64];
  (void)snprintf(what, sizeof what, "search: %llu sets", (unsigned long long)r->total);
  dm_progress(r->ctx, what, (double)r->done, (double)r->n_tasks, "parts");
}

/* With the lock held. false: overflow. */
static bool sync_count(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  uint64_t more = s->e.count - s->synced;
  s->synced = s->e.count;
  if (__builtin_add_overflow(r->total, more, &r->total)) return false;
  if (r->o.limit && r->total > r->o.limit) {
    r->limited = true;
    stop_all(r);
  }
  return true;
}

void dm_emit_look(dm_emit_state *s) {
  dm_reporter *r = s->e.reporter;
  s->until_look = LOOK;
  (void)pthread_mutex_lock(&r->lock);
  bool fits = sync_count(s);
  if (dm_ctx_cancelled(r->ctx)) stop_all(r);
  show_progress(r);
  (void)pthread_mutex_unlock(&r->lock);
  if (!fits) dm_emit_overflow(s);
}

void dm_emit_count(dm_emit *e, uint64_t n) {
  dm_emit_state *s = e->state;
  if (__builtin_add_overflow(e->count, n, &e->count))
    dm_emit_overflow(s);
  else if (--s->until_look == 0)
    dm_emit_look(s);
}

/* ---- tasks ---------------------------------------------------------------------- */

dm_status dm_reporter_tasks(dm_reporter *r, size_t n_tasks, dm_error *err) {
  dm_free(r->ctx, r->tasks);
  r->done = r->n_tasks = 0;
  atomic_store(&r->lowest, 0);
  if (!(r->tasks = dm_alloc(r->ctx, n_tasks ? n_tasks : 1, sizeof *r->tasks, "search", err))) return DM_EBUDGET;
  r->n_tasks = n_tasks;
  return DM_OK;
}

static void free_emit(dm_reporter *r, dm_emit_state *s) {
  dm_free(r->ctx, s->e.items);
  dm_free(r->ctx, s->e.perfect);
  dm_free(r->ctx, s->whole);
  dm_free(r->ctx, s->chosen);
  dm_free(r->ctx, s->line);
  dm_free(r->ctx, s->end);
  dm_free(r->ctx, s);
}

static bool has_room(dm_reporter *r, dm_emit_state *s, dm_error *err) {
  size_t n = r->o.db->n_items + 1;
  s->e.items = dm_alloc(r->ctx, n, sizeof *s->e.items, "search", err);
  s->e.perfect = dm_alloc(r->ctx, n, sizeof *s->e.perfect, "search", err);
  s->whole = dm_alloc(r->ctx, n, sizeof *s->whole, "search", err);
  s->chosen = dm_alloc(r->ctx, n, sizeof *s->chosen, "search", err);
  if (!s->e.items || !s->e.perfect || !s->whole || !s->chosen) return false;
  if (!r->o.sink) return true;
  s->line = dm_alloc(r->ctx, r->longest_text + 2 * SLACK, 1, "search", err);
  s->end = dm_alloc(r->ctx, r->longest + 1, sizeof *s->end, "search", err);
  return s->line && s->end && dm_chunk_new(r, r->block, &s->block, err) == DM_OK;
}

static dm_emit_state *new_emit(dm_reporter *r, dm_error *err) {
  dm_emit_state *s = dm_alloc(r->ctx, 1, sizeof *s, "search", err);
  if (!s) return NULL;
  if (!has_room(r, s, err)) {
    free_emit(r, s);
    return NULL;
  }
  s->e.counts = r->o.format == DM_REPORT_COUNT && r->o.min_size <= 1 && r->o.max_size == SIZE_MAX && !r->o.parent_start;
  s->e.set = r->set;
  s->e.reporter = r;
  s->e.state = s;
  (void)pthread_mutex_lock(&r->lock);
  s->next = r->all;
  r->all = s;
  (void)pthread_mutex_unlock(&r->lock);
  return s;
}

dm_emit *dm_reporter_open(dm_reporter *r, size_t task, dm_error *err) {
  (void)pthread_mutex_lock(&r->lock);
  dm_emit_state *s = r->idle;
  if (s) r->idle = s->next_idle;
  (void)pthread_mutex_unlock(&r->lock);
  dm_error why = {0};
  if (!s && !(s = new_emit(r, &why))) {
    dm_reporter_fail(r, task, why.code, &why); /* or others would wait for this task for ever */
    if (err) *err = why;
    return NULL;
  }
  s->e.n = s->e.kept = s->e.n_perfect = 0;
  s->e.count = s->synced = 0;
  s->e.task = task;
  s->written = 0;
  s->until_look = LOOK;
  atomic_store(&s->e.stop, atomic_load(&r->stopped));
  return &s->e;
}

void dm_reporter_close(dm_reporter *r, dm_emit *e, dm_status status, const dm_error *err) {
  dm_emit_state *s = e->state;
  if (status != DM_OK) dm_reporter_fail(r, e->task, status, err);
  (void)pthread_mutex_lock(&r->lock);
  bool fits = sync_count(s);
  (void)pthread_mutex_unlock(&r->lock);
  if (!fits) dm_emit_overflow(s);
  if (s->block) dm_emit_leave(s);
  (void)pthread_mutex_lock(&r->lock);
  r->done++;
  if (dm_ctx_cancelled(r->ctx)) stop_all(r);
  show_progress(r);
  s->next_idle = r->idle;
  r->idle = s;
  (void)pthread_mutex_unlock(&r->lock);
}

dm_status dm_reporter_finish(dm_reporter *r, uint64_t *count, dm_error *err) {
  if (r->status != DM_OK) {
    if (err) *err = r->error;
    return r->status;
  }
  dm_status status = dm_ctx_check(r->ctx, err);
  if (status == DM_OK && !r->limited) status = dm_reporter_flush(r, err);
  if (status == DM_OK) *count = r->total;
  return status;
}

bool dm_reporter_limited(const dm_reporter *r) { return r->limited; }

/* ---- beginning and end ------------------------------------------------------------ */

static void choose_writer(dm_reporter *r) {
  bool all = r->o.min_size <= 1 && r->o.max_size == SIZE_MAX && !r->o.parent_start;
  if (r->o.format == DM_REPORT_COUNT) {
    r->set = r->o.parent_start ? dm_emit_set_each : dm_emit_set_counted;
    r->one = dm_emit_one_counted;
  } else if (r->o.format == DM_REPORT_RECORDS) {
    r->set = dm_emit_set_each;
    r->one = dm_emit_one_record;
  } else {
    r->set = all ? dm_emit_text_writer() : dm_emit_set_each;
    r->one = dm_emit_one_text;
  }
}

dm_status dm_reporter_new(dm_ctx *ctx, const dm_reporter_options *options, dm_reporter **out, dm_error *err) {
  dm_reporter *r = dm_alloc(ctx, 1, sizeof *r, "search", err);
  if (!r) return DM_EBUDGET;
  r->ctx = ctx;
  r->o = *options;
  if (r->o.min_size < 1) r->o.min_size = 1;
  if (r->o.max_size < 1) r->o.max_size = SIZE_MAX;
  (void)pthread_mutex_init(&r->lock, NULL);
  (void)pthread_cond_init(&r->moved, NULL);
  size_t share = (size_t)4 << 20, budget = dm_ctx_budget(ctx) / 16;
  if (budget && budget < share) share = budget;
  r->waiting_max = share * dm_ctx_threads(ctx);
  choose_writer(r);
  const dm_csr *rows = &r->o.db->rows;
  for (size_t i = 0; i < rows->n; i++) {
    size_t n = rows->start[i + 1] - rows->start[i];
    if (n > r->longest) r->longest = n;
  }
  dm_status status = r->o.sink ? dm_chunk_new(r, BLOCK, &r->carry, err) : DM_OK;
  if (status == DM_OK && r->one == dm_emit_one_text) status = dm_reporter_texts(r, err);
  r->block = BLOCK + 2 * BATCH * (r->longest_text + 4 * r->longest + 4 * SLACK); /* whole batches of the longest sets, too */
  if (status == DM_OK)
    *out = r;
  else
    dm_reporter_free(r);
  return status;
}

void dm_reporter_free(dm_reporter *r) {
  if (!r) return;
  dm_reporter_free_chunks(r);
  while (r->all) {
    dm_emit_state *s = r->all;
    r->all = s->next;
    free_emit(r, s);
  }
  dm_free(r->ctx, r->tasks);
  dm_arena_free(r->memory);
  (void)pthread_mutex_destroy(&r->lock);
  (void)pthread_cond_destroy(&r->moved);
  dm_free(r->ctx, r);
}
