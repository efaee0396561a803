/*
 * Sorting sets of one chunk, and merging of chunks; see set_sort.h.
 *
 * A chunk is sorted by keys of 64 bits, most significant first: the size, the
 * support turned around, two codes, two codes more. A range of sets is put in
 * order of a key, 8 bits at a time from the lowest (bits that are the same in
 * all are passed over), then each range of equal keys by the next.
 */
#define _GNU_SOURCE
#include "store/set_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 3, CHUNK = 4 << 20, READ = 1 << 16 /* words */, FEW = 24, DIGITS = 256 };

typedef struct entry {
  uint64_t key;
  const uint32_t *set;
} entry;

/* Where a run is read; the last chunk is a run that is in memory. */
typedef struct source {
  uint64_t at, end;     /* words of the file that were not read yet */
  uint32_t *words;      /* [capacity] */
  size_t next, n, capacity;
  const uint32_t *set;  /* the first that was not handed out, NULL at the end */
} source;

struct dm_set_sort {
  dm_ctx *ctx;
  const char *directory;
  uint32_t *words; /* [chunk] */
  size_t n_words, chunk;
  entry *entries, *other; /* [capacity] */
  size_t n, capacity, handed; /* sets of the chunk; those of them that were handed out */
  int file;
  uint64_t written; /* words */
  source *sources;  /* [n_sources] runs of the file */
  size_t n_sources, source_capacity;
  size_t *heap;     /* [n_heap] sources with a set, and n_sources for the chunk in memory, the least first */
  size_t n_heap;
  bool merging;
};

dm_status dm_set_sort_new(dm_ctx *ctx, const char *directory, size_t chunk, dm_set_sort **out, dm_error *err) {
  dm_set_sort *s = dm_alloc(ctx, 1, sizeof *s, "itemsets", err);
  if (!s) return DM_EBUDGET;
  s->ctx = ctx;
  s->directory = directory;
  s->file = -1;
  s->chunk = chunk ? chunk : CHUNK;
  s->words = dm_alloc(ctx, s->chunk, sizeof *s->words, "itemsets", err);
  if (!s->words) {
    dm_set_sort_free(s);
    return DM_EBUDGET;
  }
  *out = s;
  return DM_OK;
}

void dm_set_sort_free(dm_set_sort *s) {
  if (!s) return;
  if (s->file >= 0) (void)close(s->file);
  for (size_t i = 0; i < s->n_sources; i++) dm_free(s->ctx, s->sources[i].words);
  dm_free(s->ctx, s->sources);
  dm_free(s->ctx, s->heap);
  dm_free(s->ctx, s->words);
  dm_free(s->ctx, s->entries);
  dm_free(s->ctx, s->other);
  dm_free(s->ctx, s);
}

/* ---- a chunk in order -------------------------------------------------------------------- */

static int compare(const uint32_t *a, const uint32_t *b) {
  uint64_t x = dm_set_support(a), y = dm_set_support(b);
  if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
  if (x != y) return x > y ? -1 : 1;
  for (size_t i = HEAD; i < HEAD + a[0]; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

static uint64_t key_of(const uint32_t *set, size_t depth) {
  if (depth == 0) return set[0];
  if (depth == 1) return ~dm_set_support(set);
  size_t at = HEAD + 2 * (depth - 2), end = HEAD + set[0];
  if (at >= end) return 0;
  return (uint64_t)set[at] << 32 | (at + 1 < end ? set[at + 1] : 0);
}

static void insert_sort(entry *e, size_t n) {
  for (size_t i = 1; i < n; i++) {
    entry x = e[i];
    size_t at = i;
    for (; at > 0 && compare(x.set, e[at - 1].set) < 0; at--) e[at] = e[at - 1];
    e[at] = x;
  }
}

/* By one digit of the key, stable. */
static void deal(const entry *from, entry *to, size_t n, unsigned shift) {
  size_t start[DIGITS + 1] = {0};
  for (size_t i = 0; i < n; i++) start[(from[i].key >> shift & 0xFF) + 1]++;
  for (size_t d = 1; d < DIGITS; d++) start[d] += start[d - 1];
  for (size_t i = 0; i < n; i++) to[start[from[i].key >> shift & 0xFF]++] = from[i];
}

/* By the keys of that depth; @return whether they are not all the same. */
static bool sort_keys(entry *e, entry *other, size_t n, size_t depth) {
  uint64_t ones = 0, zeros = 0;
  entry *from = e, *to = other;
  for (size_t i = 0; i < n; i++) {
    e[i].key = key_of(e[i].set, depth);
    ones |= e[i].key;
    zeros |= ~e[i].key;
  }
  uint64_t differ = ones & zeros;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if (!(differ >> shift & 0xFF)) continue;
    deal(from, to, n, shift);
    entry *swap = from;
    from = to;
    to = swap;
  }
  if (from != e) memcpy(e, from, n * sizeof *e);
  return differ != 0;
}

static void sort_range(entry *e, entry *other, size_t n, size_t depth) {
  while (n > FEW && !sort_keys(e, other, n, depth)) { /* all the same: without a call, as long prefixes may be */
    if (depth > 1 && 2 * (depth - 1) >= e[0].set[0]) return; /* equal sets */
    depth++;
  }
  if (n <= FEW) {
    insert_sort(e, n);
    return;
  }
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && e[end].key == e[i].key; end++)
      ;
    if (end - i > 1) sort_range(e + i, other, end - i, depth + 1);
  }
}

static dm_status sort_chunk(dm_set_sort *s, dm_error *err) {
  if (s->n > s->capacity) {
    dm_free(s->ctx, s->entries);
    dm_free(s->ctx, s->other);
    s->other = NULL;
    s->capacity = 0;
    s->entries = dm_alloc(s->ctx, s->n, sizeof *s->entries, "itemsets", err);
    if (s->entries) s->other = dm_alloc(s->ctx, s->n, sizeof *s->other, "itemsets", err);
    if (!s->other) return DM_EBUDGET;
    s->capacity = s->n;
  }
  const uint32_t *set = s->words;
  for (size_t i = 0; i < s->n; set += HEAD + set[0]) s->entries[i++].set = set;
  sort_range(s->entries, s->other, s->n, 0);
  return dm_ctx_check(s->ctx, err);
}

/* ---- the file ------------------------------------------------------------------------------ */

static dm_status fail_file(const dm_set_sort *s, const char *what, dm_error *err) {
  (void)dm_fail(err, DM_EIO, "itemsets: a temporary file in '%s' cannot be %s: %s", s->directory, what, strerror(errno));
  return DM_EIO;
}

/* A file that goes with its last descriptor. */
static dm_status open_file(dm_set_sort *s, dm_error *err) {
  s->file = open(s->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (s->file >= 0) return DM_OK;
  dm_buf name; /* file systems without such files */
  dm_buf_init(&name, s->ctx, err);
  dm_buf_printf(&name, "%s/.dm-sets-XXXXXX", s->directory);
  dm_status status = dm_buf_status(&name);
  if (status == DM_OK) {
    s->file = mkostemp(name.p, O_CLOEXEC);
    if (s->file >= 0)
      (void)unlink(name.p);
    else
      status = fail_file(s, "made", err);
  }
  dm_buf_clear(&name);
  return status;
}

static dm_status write_words(dm_set_sort *s, const uint32_t *words, size_t n, dm_error *err) {
  const char *p = (const char *)words;
  for (size_t left = n * sizeof *words; left > 0;) {
    ssize_t done = write(s->file, p, left);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return fail_file(s, "written", err);
    p += done;
    left -= (size_t)done;
  }
  s->written += n;
  return DM_OK;
}

static dm_status read_words(const dm_set_sort *s, uint32_t *words, size_t n, uint64_t at, dm_error *err) {
  char *p = (char *)words;
  off_t offset = (off_t)(at * sizeof *words);
  for (size_t left = n * sizeof *words; left > 0;) {
    ssize_t done = pread(s->file, p, left, offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return fail_file(s, "read", err);
    p += done;
    offset += done;
    left -= (size_t)done;
  }
  return DM_OK;
}

static dm_status add_source(dm_set_sort *s, source from, dm_error *err) {
  if (s->n_sources == s->source_capacity) {
    size_t capacity = s->source_capacity ? s->source_capacity * 2 : 16;
    source *grown = dm_realloc(s->ctx, s->sources, capacity, sizeof *grown, "itemsets", err);
    if (!grown) return DM_EBUDGET;
    s->sources = grown;
    s->source_capacity = capacity;
  }
  s->sources[s->n_sources++] = from;
  return DM_OK;
}

/* The chunk becomes a run of the file. */
static dm_status spill(dm_set_sort *s, dm_error *err) {
  size_t n = 0;
  dm_status status = s->file < 0 ? open_file(s, err) : DM_OK;
  uint32_t *out = status == DM_OK ? dm_alloc(s->ctx, READ, sizeof *out, "itemsets", err) : NULL;
  if (!out) return status == DM_OK ? DM_EBUDGET : status;
  source run = {.at = s->written};
  status = sort_chunk(s, err);
  for (size_t i = 0; status == DM_OK && i < s->n; i++) {
    const uint32_t *set = s->entries[i].set;
    size_t size = HEAD + set[0];
    if (size > READ - n) {
      status = write_words(s, out, n, err);
      n = 0;
    }
    if (status == DM_OK && size > READ) {
      status = write_words(s, set, size, err);
    } else if (status == DM_OK) {
      memcpy(out + n, set, size * sizeof *out);
      n += size;
    }
  }
  if (status == DM_OK) status = write_words(s, out, n, err);
  dm_free(s->ctx, out);
  run.end = s->written;
  s->n = s->n_words = 0;
  return status == DM_OK ? add_source(s, run, err) : status;
}

/* ---- adding ----------------------------------------------------------------------------------- */

static dm_status grow(dm_set_sort *s, size_t size, dm_error *err) {
  size_t chunk = s->chunk * 2 > s->n_words + size ? s->chunk * 2 : s->n_words + size;
  uint32_t *words = dm_realloc(s->ctx, s->words, chunk, sizeof *words, "itemsets", err);
  if (!words) return DM_EBUDGET;
  s->words = words;
  s->chunk = chunk;
  return DM_OK;
}

dm_status dm_set_sort_add(dm_set_sort *s, const uint32_t *codes, size_t n, uint64_t support, dm_error *err) {
  size_t size = HEAD + n;
  if (size > s->chunk - s->n_words) {
    dm_status status = s->directory && s->n ? spill(s, err) : DM_OK;
    if (status == DM_OK && size > s->chunk - s->n_words) status = grow(s, size, err);
    if (status != DM_OK) return status;
  }
  uint32_t *set = s->words + s->n_words;
  set[0] = (uint32_t)n;
  set[1] = (uint32_t)support;
  set[2] = (uint32_t)(support >> 32);
  if (n) memcpy(set + HEAD, codes, n * sizeof *set);
  s->n_words += size;
  s->n++;
  return DM_OK;
}

/* ---- merging ---------------------------------------------------------------------------------- */

/* Words up to `need` behind next, more when there are. */
static dm_status fill(dm_set_sort *s, source *from, size_t need, dm_error *err) {
  size_t left = from->n - from->next;
  memmove(from->words, from->words + from->next, left * sizeof *from->words);
  from->next = 0;
  from->n = left;
  if (need > from->capacity) {
    uint32_t *grown = dm_realloc(s->ctx, from->words, need, sizeof *grown, "itemsets", err);
    if (!grown) return DM_EBUDGET;
    from->words = grown;
    from->capacity = need;
  }
  size_t n = from->capacity - left;
  if (n > from->end - from->at) n = (size_t)(from->end - from->at);
  dm_status status = read_words(s, from->words + left, n, from->at, err);
  from->at += n;
  from->n += n;
  return status;
}

static dm_status advance(dm_set_sort *s, source *from, dm_error *err) {
  dm_status status = DM_OK;
  from->next += from->set ? HEAD + from->set[0] : 0;
  from->set = NULL;
  if (from->next == from->n && from->at == from->end) return DM_OK;
  if (from->n - from->next < HEAD) status = fill(s, from, HEAD, err);
  size_t size = status == DM_OK ? HEAD + from->words[from->next] : 0;
  if (status == DM_OK && from->n - from->next < size) status = fill(s, from, size, err);
  if (status == DM_OK) from->set = from->words + from->next;
  return status;
}

static const uint32_t *first_of(const dm_set_sort *s, size_t i) {
  if (i < s->n_sources) return s->sources[i].set;
  return s->handed < s->n ? s->entries[s->handed].set : NULL;
}

static void sift(dm_set_sort *s, size_t at) {
  size_t moved = s->heap[at];
  for (size_t child; (child = 2 * at + 1) < s->n_heap; at = child) {
    if (child + 1 < s->n_heap && compare(first_of(s, s->heap[child + 1]), first_of(s, s->heap[child])) < 0) child++;
    if (compare(first_of(s, moved), first_of(s, s->heap[child])) <= 0) break;
    s->heap[at] = s->heap[child];
  }
  s->heap[at] = moved;
}

dm_status dm_set_sort_finish(dm_set_sort *s, dm_error *err) {
  dm_status status = sort_chunk(s, err);
  s->heap = dm_alloc(s->ctx, s->n_sources + 1, sizeof *s->heap, "itemsets", err);
  if (!s->heap && status == DM_OK) status = DM_EBUDGET;
  for (size_t i = 0; status == DM_OK && i < s->n_sources; i++) {
    source *from = &s->sources[i];
    from->capacity = READ;
    from->words = dm_alloc(s->ctx, READ, sizeof *from->words, "itemsets", err);
    status = from->words ? advance(s, from, err) : DM_EBUDGET;
  }
  for (size_t i = 0; status == DM_OK && i <= s->n_sources; i++)
    if (first_of(s, i)) s->heap[s->n_heap++] = i;
  for (size_t i = s->n_heap / 2; status == DM_OK && i-- > 0;) sift(s, i);
  return status;
}

dm_status dm_set_sort_next(dm_set_sort *s, const uint32_t **set, dm_error *err) {
  if (s->merging) { /* the one that was handed out makes room for its follower */
    size_t i = s->heap[0];
    dm_status status = i < s->n_sources ? advance(s, &s->sources[i], err) : DM_OK;
    if (status != DM_OK) return status;
    if (i == s->n_sources) s->handed++;
    if (!first_of(s, i)) s->heap[0] = s->heap[--s->n_heap];
    if (s->n_heap) sift(s, 0);
  }
  s->merging = s->n_heap > 0;
  *set = s->merging ? first_of(s, s->heap[0]) : NULL;
  return DM_OK;
}
