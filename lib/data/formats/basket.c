/*
 * Transaction files: one transaction a line.
 *
 *   milk bread            items between blanks and tabs
 *   "1,5 l milk", bread   items between delimiters, in quotes where they hold one, a quote (doubled) or a newline
 *
 * A large file without delimiter is read in parts by several threads. Each
 * part has its own codes; put behind each other in the order of the file,
 * the names get the codes that one reader would have given them.
 */
#define _GNU_SOURCE
#include "basket.h"
#include "core/team.h"
#include "basket_split.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST_PART = 1 << 17, MAX_PARTS = 64 }; /* bytes for which another thread is worth its while */

static dm_status fail_io(const char *name, const char *what, dm_error *err) {
  (void)dm_fail(err, DM_EIO, "%s: %s", what, strerror(errno));
  dm_error_at(err, name, 0, 0);
  return DM_EIO;
}

/* ---- bytes ------------------------------------------------------------------- */

static dm_status open_file(basket_part *b, const char *path, uint64_t *size, dm_error *err) {
  struct stat about;
  b->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (b->fd < 0) return fail_io(b->name, "cannot be opened", err);
  if (fstat(b->fd, &about) != 0) return fail_io(b->name, "cannot be read", err);
  if (S_ISDIR(about.st_mode)) {
    errno = EISDIR;
    return fail_io(b->name, "cannot be read", err);
  }
  b->seekable = S_ISREG(about.st_mode) && lseek(b->fd, 0, SEEK_CUR) == 0;
  *size = b->seekable ? (uint64_t)about.st_size : 0;
  return DM_OK;
}

static dm_status new_text(basket_part *b, size_t capacity, dm_error *err) {
  char *block = dm_alloc(b->ctx, capacity + 2 * (size_t)BASKET_MARGIN, 1, "transaction file", err);
  if (!block) return DM_EBUDGET;
  if (b->block) memcpy(block + BASKET_MARGIN, b->text, b->end);
  dm_free(b->ctx, b->block);
  b->block = block;
  b->text = block + BASKET_MARGIN;
  b->capacity = capacity;
  return DM_OK;
}

/* Adds bytes behind end. Text that is all one line gets twice the room. */
static dm_status fill(basket_part *b, dm_error *err) {
  dm_status s = dm_ctx_check(b->ctx, err);
  memmove(b->text, b->text + b->begin, b->end - b->begin);
  b->end -= b->begin;
  b->begin = 0;
  if (s == DM_OK && b->capacity - b->end < b->capacity / 2) s = new_text(b, b->capacity * 2, err);
  if (s != DM_OK) return s;
  ssize_t got;
  do got = b->seekable ? pread(b->fd, b->text + b->end, b->capacity - b->end, (off_t)b->offset) : read(b->fd, b->text + b->end, b->capacity - b->end);
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail_io(b->name, "cannot be read", err);
  b->eof = got == 0;
  b->end += (size_t)got;
  b->offset += (size_t)got;
  if (b->eof && !b->delimiter && b->end > 0 && b->text[b->end - 1] != '\n') b->text[b->end++] = '\n'; /* so that each line has its end */
  return DM_OK;
}

/* ---- parts ------------------------------------------------------------------- */

/* Whole lines without delimiter, up to `end`. */
static dm_status read_lines(basket_part *b, const char *end, dm_error *err) {
  dm_status s = DM_OK;
  const char *p = b->text + b->begin;
  while (s == DM_OK && (p = basket_scan(b, p, end, &s, err)) < end && s == DM_OK) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    s = basket_line(b, p, newline, err);
    b->line++;
    p = newline + 1;
  }
  b->begin = (size_t)(end - b->text);
  return s;
}

/* The end of the lines in the text that are ours and whole; NULL when there is none. @param done these are the last */
static const char *lines_end(const basket_part *b, bool *done) {
  const char *p = b->text + b->begin, *end = b->text + b->end, *newline;
  uint64_t first = b->offset - b->end; /* of the text; at the end of the file one too low */
  bool limited = b->limit != UINT64_MAX;
  *done = limited && first + b->begin >= b->limit;
  if (*done) return NULL;
  if (limited && b->limit <= b->offset) {
    const char *from = b->limit - 1 > first + b->begin ? b->text + (b->limit - 1 - first) : p; /* where the line before the limit may end */
    newline = memchr(from, '\n', (size_t)(end - from));
    *done = newline != NULL;
    if (newline) return newline + 1;
  }
  newline = memrchr(p, '\n', (size_t)(end - p));
  return newline ? newline + 1 : NULL;
}

/* Room for what is still to come, if it is like what came: growing later costs more than a few pages that nobody touches. */
static dm_status reserve(basket_part *b, uint64_t from, dm_error *err) {
  uint64_t done = b->offset - (b->end - b->begin) - from;
  if (done == 0 || b->last <= b->offset) return DM_OK;
  double more = 1.02 * (double)(b->last - from) / (double)done - 1;
  return dm_code_rows_reserve(&b->rows, (size_t)(more * (double)b->rows.n_index), (size_t)(more * (double)b->rows.n) + 1, err);
}

/* Without delimiter. */
static dm_status read_part(basket_part *b, dm_error *err) {
  uint64_t from = b->offset - (b->end - b->begin);
  bool reserved = false;
  for (bool done;;) {
    const char *end = lines_end(b, &done);
    dm_status s = end ? read_lines(b, end, err) : DM_OK;
    if (s != DM_OK || done || b->eof) return s;
    if (end && !reserved) s = reserve(b, from, err);
    reserved |= end != NULL;
    if (s == DM_OK) s = fill(b, err);
    if (s != DM_OK) return s;
  }
}

/* To the first line that begins behind byte offset - 1; at the end of the file to the end. */
static dm_status skip_line(basket_part *b, dm_error *err) {
  b->offset--;
  for (;;) {
    dm_status s = fill(b, err);
    if (s != DM_OK || b->eof) return s;
    const char *newline = memchr(b->text, '\n', b->end);
    b->begin = newline ? (size_t)(newline + 1 - b->text) : b->end;
    if (newline) return DM_OK;
  }
}

static dm_status read_delimited(basket_part *b, dm_error *err) {
  dm_status s = DM_OK;
  while (s == DM_OK) {
    const char *p = b->text + b->begin, *end = b->text + b->end, *open, *newline = basket_line_end(b, p, end, &open);
    if (!newline && !b->eof) {
      s = fill(b, err);
      continue;
    }
    if (open) {
      (void)dm_fail(err, DM_EINPUT, "a quote is opened here and never closed");
      return basket_fail_at(b, p, open, end, err);
    }
    if (!newline && p == end) return DM_OK;
    s = basket_line(b, p, newline ? newline : end, err);
    for (const char *q = p; newline && (q = memchr(q, '\n', (size_t)(newline + 1 - q))); q++) b->line++;
    b->begin = (size_t)((newline ? newline + 1 : end) - b->text);
  }
  return s;
}

static dm_status run_part(basket_part *b, dm_error *err) {
  dm_status s = new_text(b, BASKET_BLOCK, err);
  if (s == DM_OK) s = dm_items_new(b->ctx, &b->items, err);
  if (s == DM_OK) s = dm_code_rows_init(&b->rows, b->ctx, err);
  if (s == DM_OK && b->offset > 0) s = skip_line(b, err);
  if (s == DM_OK && b->offset == 0) {
    while (s == DM_OK && !b->eof && b->end < 3) s = fill(b, err);
    if (b->end >= 3 && memcmp(b->text, "\xEF\xBB\xBF", 3) == 0) b->begin = 3;
  }
  if (s == DM_OK) s = b->delimiter ? read_delimited(b, err) : read_part(b, err);
  dm_free(b->ctx, b->block);
  b->block = NULL;
  dm_buf_clear(&b->item);
  return s;
}

/* ---- the whole ----------------------------------------------------------------- */

/* Codes of a later part in the first one's. */
static dm_status map_codes(dm_items *items, const basket_part *part, uint32_t *map, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < part->items->n; i++) s = dm_items_add(items, part->items->names[i].p, part->items->names[i].n, &map[i], err);
  return s;
}

/* Puts the rows of a part behind those that are there. */
static dm_status append(basket_part *whole, basket_part *part, dm_error *err) {
  dm_code_rows *to = &whole->rows, *from = &part->rows;
  uint32_t *map = dm_alloc(whole->ctx, part->items->n, sizeof *map, "transaction file", err);
  dm_status s = map ? map_codes(whole->items, part, map, err) : DM_EBUDGET;
  if (s == DM_OK) s = dm_code_rows_codes(to, whole->items->n, err);
  if (s == DM_OK) s = dm_code_rows_reserve(to, from->n_index, from->n + 1, err);
  for (size_t i = 0; s == DM_OK && i < from->n_index; i++) to->index[to->n_index + i] = map[from->index[i]];
  for (size_t r = 0; s == DM_OK && r < from->n; r++) to->start[to->n + r + 1] = to->n_index + from->start[r + 1];
  for (size_t i = 0; s == DM_OK && i < part->items->n; i++) to->seen[map[i]].count += from->seen[i].count;
  dm_free(whole->ctx, map);
  to->n += from->n;
  to->n_index += from->n_index;
  to->empty += from->empty;
  to->repeated += from->repeated;
  return s;
}

static void free_parts(basket_part *parts, size_t n) {
  for (size_t i = 0; i < n; i++) {
    dm_items_free(parts[i].items);
    dm_code_rows_clear(&parts[i].rows);
  }
  dm_free(parts->ctx, parts);
}

typedef struct job {
  basket_part *parts;
  size_t n;
} job;

static void work(void *user, const dm_member *m) {
  job *j = user;
  for (size_t i = m->thread; i < j->n; i += m->threads) j->parts[i].status = run_part(&j->parts[i], &j->parts[i].error);
}

/* All parts of the file, then as one. @param parts [n], freed */
static dm_status run(basket_part *parts, size_t n, dm_transactions **out, dm_error *err) {
  basket_part *whole = &parts[0];
  dm_team_run(whole->ctx, n, work, &(job){parts, n});
  dm_status s = whole->status;
  if (s != DM_OK && err) *err = whole->error;
  for (size_t i = 1; s == DM_OK && i < n; i++) {
    s = parts[i].status;
    if (s != DM_OK && err) *err = parts[i].error;
    if (s != DM_OK && err && err->line) err->line += whole->line - 1;
    if (s == DM_OK) s = append(whole, &parts[i], err);
    whole->line += parts[i].line - 1;
  }
  if (s == DM_OK) {
    s = dm_code_rows_finish(&whole->rows, whole->items, NULL, whole->rows.n + whole->rows.empty, whole->rows.empty, out, err);
    if (s == DM_OK) whole->items = NULL;
    if (s == DM_EINPUT) dm_error_at(err, whole->name, 0, 0);
  }
  free_parts(parts, n);
  return s;
}

dm_status dm_basket_read(dm_ctx *ctx, const char *path, const dm_basket_options *options, dm_transactions **out, dm_error *err) {
  basket_part first = {.ctx = ctx, .name = strcmp(path, "-") == 0 ? "standard input" : path, .limit = UINT64_MAX, .line = 1};
  uint64_t size = 0;
  dm_status s = basket_delimiter(options, &first.delimiter, err);
  if (s != DM_OK) return s;
  s = open_file(&first, path, &size, err);
  size_t n = first.delimiter ? 1 : (size_t)(size / LEAST_PART);
  if (n > dm_ctx_threads(ctx)) n = dm_ctx_threads(ctx);
  if (n > MAX_PARTS) n = MAX_PARTS;
  if (n == 0) n = 1;
  basket_part *parts = s == DM_OK ? dm_alloc(ctx, n, sizeof *parts, "transaction file", err) : NULL;
  if (s == DM_OK && !parts) s = DM_EBUDGET;
  if (s == DM_OK) {
    for (size_t i = 0; i < n; i++) {
      parts[i] = first;
      parts[i].offset = size / n * i;
      if (i + 1 < n) parts[i].limit = size / n * (i + 1);
      parts[i].last = i + 1 < n ? parts[i].limit : size;
      dm_buf_init(&parts[i].item, ctx, NULL);
    }
    s = run(parts, n, out, err);
  }
  if (first.fd > STDIN_FILENO) (void)close(first.fd);
  return s;
}
