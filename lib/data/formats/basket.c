/*
 * Transaction files: one transaction a line.
 *
 *   milk bread            items between blanks and tabs
 *   "1,5 l milk", bread   items between delimiters, in quotes where they hold one, a quote (doubled) or a newline
 *
 * The file is read in blocks; a line that the block's end cuts is moved to the front:
 *
 *   0        begin            end     capacity
 *   | gone   | lines …  cut   | room  |
 */
#include <dm/data.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

typedef struct basket {
  dm_ctx *ctx;
  const char *name; /* for messages */
  char delimiter;   /* 0 = blanks and tabs */
  int fd;
  bool eof;
  char *text;
  size_t begin, end, capacity;
  bool suspect;     /* the text may hold NUL or bytes beyond ASCII */
  uint64_t line;    /* at begin */
  dm_buf item;      /* a quoted item with doubled quotes in it */
  dm_transactions_builder *builder;
} basket;

static dm_status fail_io(const basket *b, const char *what, dm_error *err) {
  (void)dm_fail(err, DM_EIO, "%s: %s", what, strerror(errno));
  dm_error_at(err, b->name, 0, 0);
  return DM_EIO;
}

/* Puts the place to an error that is filled: byte `at` of the record at begin. */
static dm_status fail_at(const basket *b, const char *at, const char *end, dm_error *err) {
  const char *first = b->text + b->begin, *last;
  uint64_t line = b->line;
  for (const char *p; (p = memchr(first, '\n', (size_t)(at - first))); first = p + 1) line++;
  last = memchr(first, '\n', (size_t)(end - first));
  dm_error_at(err, b->name, (size_t)line, (size_t)(at - first) + 1);
  dm_error_excerpt(err, first, (size_t)((last ? last : end) - first), (size_t)(at - first));
  return DM_EINPUT;
}

/* ---- bytes ------------------------------------------------------------------- */

static dm_status open_file(basket *b, const char *path, dm_error *err) {
  struct stat about;
  b->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (b->fd < 0) return fail_io(b, "cannot be opened", err);
  if (fstat(b->fd, &about) != 0) return fail_io(b, "cannot be read", err);
  if (S_ISDIR(about.st_mode)) {
    errno = EISDIR;
    return fail_io(b, "cannot be read", err);
  }
  return DM_OK;
}

static bool is_suspect(const char *p, size_t n) {
  unsigned high = 0, zero = 0;
  for (size_t i = 0; i < n; i++) {
    high |= (unsigned char)p[i];
    zero |= p[i] == 0;
  }
  return (high & 0x80) != 0 || zero != 0;
}

/* Adds bytes behind end: a block that is full of one line gets twice the room. */
static dm_status fill(basket *b, dm_error *err) {
  dm_status s = dm_ctx_check(b->ctx, err);
  if (s != DM_OK) return s;
  memmove(b->text, b->text + b->begin, b->end - b->begin);
  b->end -= b->begin;
  b->begin = 0;
  if (b->end == b->capacity) {
    char *text = dm_realloc(b->ctx, b->text, b->capacity * 2, 1, "transaction file", err);
    if (!text) return DM_EBUDGET;
    b->text = text;
    b->capacity *= 2;
  }
  ssize_t got;
  do got = read(b->fd, b->text + b->end, b->capacity - b->end);
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail_io(b, "cannot be read", err);
  b->eof = got == 0;
  b->suspect = is_suspect(b->text, b->end + (size_t)got);
  b->end += (size_t)got;
  return DM_OK;
}

/* First byte of a line that is NUL or no UTF-8. */
static dm_status check_bytes(const basket *b, const char *p, const char *end, dm_error *err) {
  size_t n = (size_t)(end - p), valid = dm_utf8_valid(p, n);
  const char *nul = memchr(p, 0, n);
  if (valid == n && !nul) return DM_OK;
  if (nul && nul < p + valid) {
    (void)dm_fail(err, DM_EINPUT, "NUL byte, want text");
    return fail_at(b, nul, end, err);
  }
  (void)dm_fail(err, DM_EINPUT, "byte 0x%02X is not UTF-8", (unsigned char)p[valid]);
  dm_error_hint(err, "convert the file first: iconv -f ISO-8859-1 -t UTF-8");
  return fail_at(b, p + valid, end, err);
}

/* ---- lines ------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static dm_status parse_blanks(basket *b, const char *p, const char *end, dm_error *err) {
  dm_status s = DM_OK;
  while (s == DM_OK) {
    while (p < end && is_blank(*p)) p++;
    const char *first = p;
    while (p < end && !is_blank(*p)) p++;
    if (p == first) break;
    s = dm_transactions_builder_item(b->builder, first, (size_t)(p - first), err);
  }
  return s;
}

/* Behind the quote that ends a quoted item, NULL when it is not in sight. */
static const char *quoted_end(const char *p, const char *end) {
  for (p++; (p = memchr(p, '"', (size_t)(end - p))); p += 2)
    if (p + 1 == end || p[1] != '"') return p + 1;
  return NULL;
}

/* The text between the quotes p and end. */
static dm_status add_quoted(basket *b, const char *p, const char *end, dm_error *err) {
  dm_buf_reset(&b->item);
  for (p++, end--; p < end; p++) {
    dm_buf_addc(&b->item, *p);
    p += *p == '"';
  }
  if (dm_buf_status(&b->item) != DM_OK) return dm_fail(err, DM_EBUDGET, "transaction file: no memory for an item");
  return b->item.n ? dm_transactions_builder_item(b->builder, b->item.p, b->item.n, err) : DM_OK;
}

static dm_status parse_delimited(basket *b, const char *p, const char *end, dm_error *err) {
  dm_status s = DM_OK;
  while (s == DM_OK && p < end) {
    while (p < end && is_blank(*p) && *p != b->delimiter) p++;
    const char *first = p, *last = p < end && *p == '"' ? quoted_end(p, end) : NULL;
    const char *next = memchr(last ? last : p, b->delimiter, (size_t)(end - (last ? last : p)));
    if (!next) next = end;
    p = next;
    while (p > (last ? last : first) && is_blank(p[-1])) p--;
    if (last && p > last) {
      (void)dm_fail(err, DM_EINPUT, "text behind a closing quote");
      dm_error_hint(err, "a quote inside an item in quotes is written twice: \"\"");
      return fail_at(b, last, end, err);
    }
    if (last)
      s = add_quoted(b, first, last, err);
    else if (p > first)
      s = dm_transactions_builder_item(b->builder, first, (size_t)(p - first), err);
    p = next < end ? next + 1 : end;
  }
  return s;
}

/* The newline behind the record at p that is not in quotes; NULL when it is not in sight. @param open the quote that is not closed, or NULL */
static const char *record_end(const basket *b, const char *p, const char *end, const char **open) {
  *open = NULL;
  if (!b->delimiter) return memchr(p, '\n', (size_t)(end - p));
  while (p < end) {
    while (p < end && is_blank(*p) && *p != b->delimiter) p++;
    if (p < end && *p == '"') {
      const char *last = quoted_end(p, end);
      if (!last) *open = p;
      if (!last) return NULL;
      p = last;
    }
    while (p < end && *p != b->delimiter && *p != '\n') p++;
    if (p < end && *p++ == '\n') return p - 1;
  }
  return NULL;
}

static dm_status parse_line(basket *b, const char *p, const char *end, dm_error *err) {
  if (end > p && end[-1] == '\r') end--;
  dm_status s = b->suspect ? check_bytes(b, p, end, err) : DM_OK;
  if (s == DM_OK) s = b->delimiter ? parse_delimited(b, p, end, err) : parse_blanks(b, p, end, err);
  return s == DM_OK ? dm_transactions_builder_end(b->builder, 1, err) : s;
}

static dm_status parse_all(basket *b, dm_error *err) {
  dm_status s = DM_OK;
  bool first = true;
  for (;;) {
    const char *p = b->text + b->begin, *end = b->text + b->end, *open, *newline;
    newline = record_end(b, p, end, &open);
    if (!newline && !b->eof) {
      s = fill(b, err);
      if (s != DM_OK) return s;
      continue;
    }
    if (open) {
      (void)dm_fail(err, DM_EINPUT, "a quote is opened here and never closed");
      return fail_at(b, open, end, err);
    }
    if (first && end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) b->begin += 3;
    first = false;
    p = b->text + b->begin;
    if (!newline && p == end) return DM_OK;
    s = parse_line(b, p, newline ? newline : end, err);
    if (s != DM_OK || !newline) return s;
    b->line++;
    if (b->delimiter)
      for (const char *q = p; (q = memchr(q, '\n', (size_t)(newline - q))); q++) b->line++;
    b->begin = (size_t)(newline + 1 - b->text);
  }
}

dm_status dm_basket_read(dm_ctx *ctx, const char *path, const dm_basket_options *options, dm_transactions **out, dm_error *err) {
  basket b = {.ctx = ctx, .name = strcmp(path, "-") == 0 ? "standard input" : path, .fd = -1, .capacity = BLOCK, .line = 1};
  if (options && options->delimiter) {
    b.delimiter = options->delimiter[0];
    if (strlen(options->delimiter) != 1 || strchr("\"\r\n", b.delimiter))
      return dm_fail(err, DM_EUSAGE, "delimiter '%s': want one character, and not a quote or a newline", options->delimiter);
  }
  dm_buf_init(&b.item, ctx, NULL);
  dm_status s = open_file(&b, path, err);
  if (s == DM_OK && !(b.text = dm_alloc(ctx, b.capacity, 1, "transaction file", err))) s = DM_EBUDGET;
  if (s == DM_OK) s = dm_transactions_builder_new(ctx, &b.builder, err);
  if (s == DM_OK) s = parse_all(&b, err);
  if (b.fd > STDIN_FILENO) (void)close(b.fd);
  dm_free(ctx, b.text);
  dm_buf_clear(&b.item);
  if (s != DM_OK) {
    dm_transactions_builder_free(b.builder);
    return s;
  }
  s = dm_transactions_builder_finish(b.builder, out, err);
  if (s != DM_OK) dm_error_at(err, b.name, 0, 0);
  return s;
}
