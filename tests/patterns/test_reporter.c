/* The reporter: what comes out for a search that is played by hand, against plain printing; order, waits, limits, failures. */
#include "cmocka_all.h"
#include "matrix/kernels/simd.h"
#include "patterns/reporter.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 14 };

typedef struct fixture {
  dm_ctx *ctx;
  dm_itemdb db;
  size_t start[2];
  uint32_t index[256], source[256];
  dm_str names[256];
  char text[256][64];
} fixture;

/* One row with all items, whose names are of all lengths and hold what must be quoted. */
static void make(fixture *f, unsigned threads, size_t n) {
  dm_ctx_options o = {.threads = threads};
  assert_int_equal(dm_ctx_new(&o, &f->ctx, NULL), DM_OK);
  f->start[0] = 0;
  f->start[1] = n;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t code = (uint32_t)n - 1 - i;
    f->index[i] = i;
    f->source[i] = code;
    int used = i % 7 == 3 ? snprintf(f->text[code], 64, "a \"%u\",", i) : snprintf(f->text[code], 64, "%u", i);
    if (i % 7 == 5) used += snprintf(f->text[code] + used, 64 - (size_t)used, "-%.*s", (int)(i % 40), "a name that is longer than one slot has room for");
    f->names[code] = (dm_str){.p = f->text[code], .n = (size_t)used};
  }
  f->db = (dm_itemdb){.ctx = f->ctx, .total = 100, .min_support = 1, .n_items = n, .source = f->source,
                      .rows = {.n = 1, .d = n, .start = f->start, .index = f->index}};
}

typedef struct bytes {
  char *p;
  size_t n, capacity, fail_after, calls;
  bool busy;
} bytes;

static dm_status take(void *user, const char *p, size_t n, dm_error *err) {
  bytes *b = user;
  if (b->busy) fail_msg("two threads write at once");
  b->busy = true;
  b->calls++;
  if (b->fail_after && b->n + n > b->fail_after) return dm_fail(err, DM_EIO, "the disk is full");
  if (b->n + n > b->capacity) b->p = realloc(b->p, b->capacity = 2 * (b->n + n));
  memcpy(b->p + b->n, p, n);
  b->n += n;
  b->busy = false;
  return DM_OK;
}

/* ---- plain printing --------------------------------------------------------------------- */

typedef struct plain {
  const fixture *f;
  const dm_reporter_options *o;
  bytes out;
  uint64_t count;
} plain;

static void put(plain *p, const char *text, size_t n) { (void)take(&p->out, text, n, NULL); }

static void put_json(plain *p, dm_str name, const char *quote) {
  put(p, quote, strlen(quote));
  for (size_t i = 0; i < name.n; i++) {
    if (name.p[i] == '"') put(p, "\\", 1), put(p, quote, strlen(quote));
    else put(p, name.p + i, 1);
  }
  put(p, quote, strlen(quote));
}

static int by_code(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void plain_set(plain *p, const uint32_t *items, size_t n, uint64_t support) {
  char text[64];
  dm_report_format format = p->o->format;
  if (n < p->o->min_size || n > p->o->max_size) return;
  p->count++;
  if (format == DM_REPORT_RECORDS) {
    uint32_t sorted[ITEMS], count = (uint32_t)n;
    memcpy(sorted, items, n * sizeof *items);
    qsort(sorted, n, sizeof *sorted, by_code);
    put(p, (char *)&count, 4);
    put(p, (char *)sorted, n * 4);
    put(p, (char *)&support, 8);
    return;
  }
  if (format == DM_REPORT_CSV) put(p, "\"[", 2);
  if (format == DM_REPORT_TSV) put(p, "[", 1);
  if (format == DM_REPORT_JSONL) put(p, "{\"items\":[", 10);
  for (size_t i = 0; i < n; i++) {
    dm_str name = p->f->names[p->f->source[items[i]]];
    if (i && format != DM_REPORT_TEXT) put(p, ",", 1);
    if (format == DM_REPORT_TEXT && !memchr(name.p, ' ', name.n))
      put(p, name.p, name.n);
    else
      put_json(p, name, format == DM_REPORT_CSV ? "\"\"" : "\"");
    if (format == DM_REPORT_TEXT) put(p, " ", 1);
  }
  int used = format == DM_REPORT_TEXT  ? snprintf(text, 64, "(%llu)\n", (unsigned long long)support)
             : format == DM_REPORT_CSV ? snprintf(text, 64, "]\",%llu\n", (unsigned long long)support)
             : format == DM_REPORT_TSV ? snprintf(text, 64, "]\t%llu\n", (unsigned long long)support)
                                       : snprintf(text, 64, "],\"support\":%llu}\n", (unsigned long long)support);
  put(p, text, (size_t)used);
}

/* ---- a search at random ------------------------------------------------------------------- */

typedef struct player {
  dm_emit *e;
  plain *p;
  dm_rng rng;
  uint64_t supports;
} player;

static void play_set(player *w, uint64_t support) {
  dm_emit_set(w->e, support);
  uint32_t items[ITEMS];
  memcpy(items, w->e->items, w->e->n * sizeof *items);
  for (uint32_t c = 0; c < 1u << w->e->n_perfect; c++) {
    size_t n = w->e->n;
    for (size_t i = 0; i < w->e->n_perfect; i++)
      if (c >> i & 1) items[n++] = w->e->perfect[i];
    plain_set(w->p, items, n, support);
  }
}

/* Items from `first` on may come into the set, or be perfect, or be passed over. */
static void play(player *w, uint32_t first) {
  size_t perfect = w->e->n_perfect;
  for (uint32_t i = first; i < ITEMS; i++) {
    uint32_t what = dm_rng_u32(&w->rng) % 8;
    if (what == 0) {
      dm_emit_perfect(w->e, i);
    } else if (what < 5) {
      dm_emit_push(w->e, i);
      if (what < 4) play_set(w, w->supports ? dm_rng_u32(&w->rng) % w->supports : UINT64_MAX);
      play(w, i + 1 + dm_rng_u32(&w->rng) % 3);
      dm_emit_pop(w->e);
    }
  }
  dm_emit_unperfect(w->e, perfect);
}

static int by_bytes(const void *a, const void *b) {
  const dm_str *x = a, *y = b;
  return dm_str_compare(*x, *y);
}

/* Lines, or records, in the order of their bytes: choices of perfect items may come in any order. */
static size_t pieces(const bytes *b, bool records, dm_str **out) {
  size_t n = 0, capacity = 1024;
  *out = malloc(capacity * sizeof **out);
  for (size_t at = 0; at < b->n; n++) {
    uint32_t items = 0;
    if (records) memcpy(&items, b->p + at, 4);
    size_t length = records ? 12 + 4 * (size_t)items : (size_t)((char *)memchr(b->p + at, '\n', b->n - at) - (b->p + at)) + 1;
    if (n == capacity) *out = realloc(*out, (capacity *= 2) * sizeof **out);
    (*out)[n] = (dm_str){.p = b->p + at, .n = length};
    at += length;
  }
  qsort(*out, n, sizeof **out, by_bytes);
  return n;
}

static void same_pieces(const bytes *got, const bytes *want, bool records) {
  dm_str *a, *b;
  assert_int_equal(got->n, want->n);
  size_t n = pieces(got, records, &a);
  assert_int_equal(n, pieces(want, records, &b));
  for (size_t i = 0; i < n; i++)
    if (!dm_str_equal(a[i], b[i])) fail_msg("got %.*s want %.*s", (int)a[i].n, a[i].p, (int)b[i].n, b[i].p);
  free(a);
  free(b);
}

static void one_game(fixture *f, dm_reporter_options o, uint64_t seed, uint64_t supports) {
  plain want = {.f = f, .o = &o};
  bytes got = {0};
  dm_sink sink = {.user = &got, .write = take};
  dm_reporter *r = NULL;
  uint64_t count = 0;
  o.db = &f->db;
  if (o.format != DM_REPORT_COUNT) o.sink = &sink;
  o.names = f->names;
  assert_int_equal(dm_reporter_new(f->ctx, &o, &r, NULL), DM_OK);
  assert_int_equal(dm_reporter_tasks(r, 1, NULL), DM_OK);
  player w = {.e = dm_reporter_open(r, 0, NULL), .p = &want, .supports = supports};
  assert_int_equal(w.e->counts, o.format == DM_REPORT_COUNT && o.min_size == 1 && o.max_size == SIZE_MAX);
  dm_rng_init(&w.rng, seed, 1);
  for (int round = 0; round < 3; round++) play(&w, 0);
  dm_reporter_close(r, w.e, DM_OK, NULL);
  assert_int_equal(dm_reporter_finish(r, &count, NULL), DM_OK);
  assert_int_equal(count, want.count);
  if (o.format != DM_REPORT_COUNT) same_pieces(&got, &want.out, o.format == DM_REPORT_RECORDS);
  dm_reporter_free(r);
  free(got.p);
  free(want.out.p);
}

static void sets_are_written_as_by_plain_printing(void **state) {
  (void)state;
  static const size_t bounds[][2] = {{1, SIZE_MAX}, {2, 5}, {4, SIZE_MAX}, {1, 3}};
  fixture f;
  make(&f, 1, ITEMS);
  dm_simd level = dm_k_simd();
  for (int simd = DM_SIMD_SCALAR; simd <= DM_SIMD_AVX512; simd++) {
    (void)dm_k_simd_set((dm_simd)simd);
    for (int format = DM_REPORT_COUNT; format <= DM_REPORT_RECORDS; format++)
      for (size_t b = 0; b < 4; b++)
        for (uint64_t seed = 0; seed < 4; seed++)
          one_game(&f, (dm_reporter_options){.format = (dm_report_format)format, .min_size = bounds[b][0], .max_size = bounds[b][1]}, seed,
                   seed % 2 ? 0 : 300);
  }
  (void)dm_k_simd_set(level);
  dm_ctx_free(f.ctx);
}

/* ---- numbers ---------------------------------------------------------------------------- */

/* One set with `own` items and `perfect` more. */
static dm_status count_of(size_t own, size_t perfect, size_t low, size_t high, uint64_t *n, dm_error *err) {
  fixture f;
  dm_reporter *r = NULL;
  make(&f, 1, 200);
  dm_reporter_options o = {.db = &f.db, .min_size = low, .max_size = high};
  assert_int_equal(dm_reporter_new(f.ctx, &o, &r, NULL), DM_OK);
  assert_int_equal(dm_reporter_tasks(r, 1, NULL), DM_OK);
  dm_emit *e = dm_reporter_open(r, 0, NULL);
  for (uint32_t i = 0; i < own + perfect; i++) i < own ? dm_emit_push(e, i) : dm_emit_perfect(e, i);
  dm_emit_set(e, 1);
  dm_reporter_close(r, e, DM_OK, NULL);
  dm_status s = dm_reporter_finish(r, n, err);
  dm_reporter_free(r);
  dm_ctx_free(f.ctx);
  return s;
}

static void numbers_are_exact_up_to_64_bits(void **state) {
  (void)state;
  static const struct {
    size_t own, perfect, low, high;
    uint64_t n; /* 0: more than 64 bits hold */
  } cases[] = {{1, 0, 1, SIZE_MAX, 1},       {1, 63, 1, SIZE_MAX, UINT64_C(1) << 63}, {1, 64, 1, SIZE_MAX, 0},
               {0, 64, 1, SIZE_MAX, UINT64_MAX}, {0, 65, 1, SIZE_MAX, 0},             {0, 5, 1, SIZE_MAX, 31},
               {2, 10, 3, 4, 10 + 45},       {2, 100, 3, 4, 100 + 4950},              {3, 100, 1, 5, 1 + 100 + 4950},
               {1, 60, 2, SIZE_MAX, (UINT64_C(1) << 60) - 1}, {1, 4, 3, SIZE_MAX, 6 + 4 + 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t n = 0;
    dm_error err = {0};
    dm_status s = count_of(cases[i].own, cases[i].perfect, cases[i].low, cases[i].high, &n, &err);
    assert_int_equal(s, cases[i].n ? DM_OK : DM_EINPUT);
    assert_true(n == cases[i].n);
    if (!cases[i].n) assert_non_null(strstr(err.message, "64 bits"));
  }
  uint64_t n = 1;
  assert_int_equal(count_of(3, 100, 1, 2, &n, NULL), DM_OK); /* all are too long */
  assert_int_equal(n, 0);
}

static void sums_of_tasks_overflow_too(void **state) {
  (void)state;
  fixture f;
  dm_reporter *r = NULL;
  dm_error err = {0};
  uint64_t n = 0;
  make(&f, 1, ITEMS);
  dm_reporter_options o = {.db = &f.db, .min_size = 1, .max_size = SIZE_MAX};
  assert_int_equal(dm_reporter_new(f.ctx, &o, &r, NULL), DM_OK);
  assert_int_equal(dm_reporter_tasks(r, 2, NULL), DM_OK);
  for (size_t t = 0; t < 2; t++) {
    dm_emit *e = dm_reporter_open(r, t, NULL);
    dm_emit_count(e, UINT64_C(1) << 63);
    dm_reporter_close(r, e, DM_OK, NULL);
  }
  assert_int_equal(dm_reporter_finish(r, &n, &err), DM_EINPUT);
  dm_reporter_free(r);
  dm_ctx_free(f.ctx);
}

/* Item 3 is an ancestor of 1, by codes of the transactions. */
static void an_item_does_not_stand_beside_its_ancestor(void **state) {
  (void)state;
  fixture f;
  dm_reporter *r = NULL;
  uint64_t n = 0;
  bytes got = {0};
  dm_sink sink = {.user = &got, .write = take};
  make(&f, 1, 4);
  uint32_t start[5] = {0, 0, 1, 1, 1}, parent[1] = {3}; /* names: code 3 is "0", code 1 is "2" */
  dm_reporter_options o = {.db = &f.db, .names = f.names, .sink = &sink, .format = DM_REPORT_TEXT, .min_size = 1, .max_size = SIZE_MAX,
                           .parent_start = start, .parent = parent};
  assert_int_equal(dm_reporter_new(f.ctx, &o, &r, NULL), DM_OK);
  assert_int_equal(dm_reporter_tasks(r, 1, NULL), DM_OK);
  dm_emit *e = dm_reporter_open(r, 0, NULL);
  dm_emit_push(e, 2);
  dm_emit_perfect(e, 0);
  dm_emit_perfect(e, 1);
  dm_emit_set(e, 7); /* 2, 2 1, but neither 2 0 nor 2 0 1 */
  dm_emit_push(e, 0);
  dm_emit_unperfect(e, 0);
  dm_emit_set(e, 7); /* nothing */
  dm_reporter_close(r, e, DM_OK, NULL);
  assert_int_equal(dm_reporter_finish(r, &n, NULL), DM_OK);
  assert_int_equal(n, 2);
  assert_int_equal(got.n, strlen("2 (7)\n2 1 (7)\n"));
  assert_memory_equal(got.p, "2 (7)\n2 1 (7)\n", got.n);
  dm_reporter_free(r);
  free(got.p);
  dm_ctx_free(f.ctx);
}

/* ---- many tasks --------------------------------------------------------------------------- */

/* Each task writes so many sets that depend on its number; the early ones are slow. */
static dm_status many_tasks(dm_ctx *ctx, const fixture *f, unsigned threads, size_t n_tasks, uint64_t limit, dm_sink *sink, bool *limited, dm_error *err) {
  dm_reporter *r = NULL;
  dm_reporter_options o = {.db = &f->db, .names = f->names, .sink = sink, .format = DM_REPORT_TEXT, .min_size = 1, .max_size = SIZE_MAX, .limit = limit};
  if (dm_reporter_new(ctx, &o, &r, err) != DM_OK) return DM_EBUDGET;
  dm_status status = dm_reporter_tasks(r, n_tasks, err);
  size_t next = 0;
#pragma omp parallel num_threads((int)threads)
  while (status == DM_OK) {
    size_t t;
#pragma omp atomic capture
    t = next++;
    if (t >= n_tasks) break;
    dm_emit *e = dm_reporter_open(r, t, NULL);
    if (!e) break;
    size_t sets = t % 5 == 0 ? 20000 : t % 5 == 1 ? 3 : t % 5 == 2 ? 0 : 30000;
    for (uint32_t i = 0; i < t % 4; i++) dm_emit_push(e, i);
    dm_emit_push(e, 5);
    for (uint32_t i = 0; i < t % 6; i++) dm_emit_perfect(e, 6 + i);
    for (size_t i = 0; i < sets && !e->stop; i++) dm_emit_set(e, i * (t + 1));
    dm_reporter_close(r, e, DM_OK, NULL);
  }
  uint64_t count = 0;
  if (status == DM_OK) status = dm_reporter_finish(r, &count, err);
  if (limited) *limited = dm_reporter_limited(r);
  dm_reporter_free(r);
  return status;
}

static void order_is_that_of_the_tasks(void **state) {
  (void)state;
  fixture f;
  make(&f, 4, ITEMS);
  bytes one = {0}, four = {0};
  assert_int_equal(many_tasks(f.ctx, &f, 1, 12, 0, &(dm_sink){.user = &one, .write = take}, NULL, NULL), DM_OK);
  size_t before = dm_ctx_memory_peak(f.ctx);
  assert_int_equal(many_tasks(f.ctx, &f, 4, 12, 0, &(dm_sink){.user = &four, .write = take}, NULL, NULL), DM_OK);
  assert_true(one.n > 60000000 / 4 && one.n == four.n);
  assert_memory_equal(one.p, four.p, one.n);
  assert_true(dm_ctx_memory_peak(f.ctx) < before + (17u << 20)); /* 4 MB a thread, and blocks */
  free(one.p);
  free(four.p);
  dm_ctx_free(f.ctx);
}

static void a_search_ends_at_limits_failures_and_interruptions(void **state) {
  (void)state;
  fixture f;
  bool limited = false;
  dm_error err = {0};
  make(&f, 4, ITEMS);
  bytes got = {0}, full = {.fail_after = 1 << 20};
  assert_int_equal(many_tasks(f.ctx, &f, 4, 12, 100000, &(dm_sink){.user = &got, .write = take}, &limited, NULL), DM_OK);
  assert_true(limited);
  assert_int_equal(many_tasks(f.ctx, &f, 1, 3, 20003 * 2, &(dm_sink){.user = &got, .write = take}, &limited, NULL), DM_OK);
  assert_false(limited); /* 20000 + 2 * 3, no more than the limit */
  assert_int_equal(many_tasks(f.ctx, &f, 4, 12, 0, &(dm_sink){.user = &full, .write = take}, &limited, &err), DM_EIO);
  assert_string_equal(err.message, "the disk is full");
  free(got.p);
  got = (bytes){0};
  dm_ctx_cancel(f.ctx);
  assert_int_equal(many_tasks(f.ctx, &f, 4, 12, 0, &(dm_sink){.user = &got, .write = take}, &limited, &err), DM_ECANCEL);
  assert_true(got.n < 1 << 21);
  free(got.p);
  free(full.p);
  dm_ctx_free(f.ctx);
}

static void of_failures_that_of_the_lowest_task_is_kept(void **state) {
  (void)state;
  fixture f;
  dm_reporter *r = NULL;
  uint64_t n = 0;
  make(&f, 1, ITEMS);
  dm_reporter_options o = {.db = &f.db};
  assert_int_equal(dm_reporter_new(f.ctx, &o, &r, NULL), DM_OK);
  assert_int_equal(dm_reporter_tasks(r, 3, NULL), DM_OK);
  dm_emit *a = dm_reporter_open(r, 0, NULL), *b = dm_reporter_open(r, 1, NULL), *c = dm_reporter_open(r, 2, NULL);
  dm_error err = {0};
  (void)dm_fail(&err, DM_EBUDGET, "second");
  dm_reporter_close(r, b, DM_EBUDGET, &err);
  assert_true(a->stop && c->stop);
  (void)dm_fail(&err, DM_EBUDGET, "third");
  dm_reporter_close(r, c, DM_EBUDGET, &err);
  dm_reporter_close(r, a, DM_OK, NULL);
  assert_int_equal(dm_reporter_finish(r, &n, &err), DM_EBUDGET);
  assert_string_equal(err.message, "second");
  dm_reporter_free(r);
  dm_ctx_free(f.ctx);
}

/* Whatever is allocated fails in turn: no leak, and nobody waits for ever. */
static void *failing_allocate(void *user, size_t size, size_t alignment) {
  long *left = user;
  if (__atomic_sub_fetch(left, 1, __ATOMIC_SEQ_CST) < 0) return NULL;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void failing_release(void *user, void *block) {
  (void)user;
  free(block);
}

static void memory_may_fail_anywhere(void **state) {
  (void)state;
  fixture f;
  make(&f, 2, ITEMS);
  size_t failed = 0;
  dm_status s = DM_EBUDGET;
  for (long allowed = 1; s != DM_OK && allowed < 200; allowed++) {
    long left = allowed;
    dm_ctx_options o = {.threads = 2, .allocate = failing_allocate, .release = failing_release, .user = &left};
    dm_ctx *ctx = NULL;
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    bytes got = {0};
    s = many_tasks(ctx, &f, 2, 4, 0, &(dm_sink){.user = &got, .write = take}, NULL, NULL);
    assert_true(s == DM_OK || s == DM_EBUDGET);
    failed += s != DM_OK;
    free(got.p);
    dm_ctx_free(ctx);
  }
  assert_int_equal(s, DM_OK);
  assert_true(failed > 10);
  dm_ctx_free(f.ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sets_are_written_as_by_plain_printing),
    cmocka_unit_test(numbers_are_exact_up_to_64_bits),
    cmocka_unit_test(sums_of_tasks_overflow_too),
    cmocka_unit_test(an_item_does_not_stand_beside_its_ancestor),
    cmocka_unit_test(order_is_that_of_the_tasks),
    cmocka_unit_test(a_search_ends_at_limits_failures_and_interruptions),
    cmocka_unit_test(of_failures_that_of_the_lowest_task_is_kept),
    cmocka_unit_test(memory_may_fail_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
