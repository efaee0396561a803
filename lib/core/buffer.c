/* Growable bytes and borrowed views. */
#include <dm/core.h>

#include <stdio.h>
#include <string.h>

dm_str dm_str_of(const char *s) { return (dm_str){s, s ? strlen(s) : 0}; }

bool dm_str_equal(dm_str a, dm_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

int dm_str_compare(dm_str a, dm_str b) {
  size_t n = a.n < b.n ? a.n : b.n;
  int c = n ? memcmp(a.p, b.p, n) : 0;
  return c ? c : (a.n > b.n) - (a.n < b.n);
}

void dm_buf_init(dm_buf *buf, dm_ctx *ctx, dm_error *err) { *buf = (dm_buf){.ctx = ctx, .err = err}; }

void dm_buf_clear(dm_buf *buf) {
  dm_free(buf->ctx, buf->p);
  *buf = (dm_buf){.ctx = buf->ctx, .err = buf->err};
}

void dm_buf_reset(dm_buf *buf) {
  buf->n = 0;
  if (buf->p) buf->p[0] = 0;
}

bool dm_buf_reserve(dm_buf *buf, size_t more) {
  if (buf->failed) return false;
  size_t want;
  if (!dm_size_add(buf->n, more, &want) || !dm_size_add(want, 1, &want)) {
    buf->failed = true;
    (void)dm_fail(buf->err, DM_EBUDGET, "buffer: request too large");
    return false;
  }
  if (want <= buf->capacity) return true;
  size_t capacity = buf->capacity ? buf->capacity : 256;
  while (capacity < want) capacity = capacity > SIZE_MAX / 2 ? want : capacity * 2;
  char *p = dm_realloc(buf->ctx, buf->p, capacity, 1, "buffer", buf->err);
  if (!p) {
    buf->failed = true;
    return false;
  }
  buf->p = p;
  buf->capacity = capacity;
  return true;
}

void dm_buf_add(dm_buf *buf, const char *p, size_t n) {
  if (!dm_buf_reserve(buf, n)) return;
  if (n) memcpy(buf->p + buf->n, p, n);
  buf->n += n;
  buf->p[buf->n] = 0;
}

void dm_buf_adds(dm_buf *buf, const char *s) { dm_buf_add(buf, s, strlen(s)); }

void dm_buf_addc(dm_buf *buf, char c) { dm_buf_add(buf, &c, 1); }

void dm_buf_printf(dm_buf *buf, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (n < 0 || !dm_buf_reserve(buf, (size_t)n)) return;
  va_start(args, format);
  (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, format, args);
  va_end(args);
  buf->n += (size_t)n;
}

dm_status dm_buf_status(const dm_buf *buf) { return buf->failed ? DM_EBUDGET : DM_OK; }
