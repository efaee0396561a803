/* UTF-8 without tables: what scoring needs of it. */
#include <dm/text.h>

#include <string.h>

enum { REPLACEMENT = 0xFFFD };

/* Length of the well-formed sequence at p (RFC 3629: no overlongs, no surrogates, at most U+10FFFF), 0 when
 * there is none. */
static size_t sequence(const unsigned char *p, size_t n, uint32_t *code) {
  unsigned a = p[0];
  if (a < 0x80) {
    *code = a;
    return 1;
  }
  if (a < 0xC2 || a > 0xF4 || n < 2 || (p[1] & 0xC0) != 0x80) return 0;
  if (a < 0xE0) {
    *code = (a & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    return 2;
  }
  if (n < 3 || (p[2] & 0xC0) != 0x80) return 0;
  if (a < 0xF0) {
    uint32_t c = (a & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    if (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF)) return 0;
    *code = c;
    return 3;
  }
  if (n < 4 || (p[3] & 0xC0) != 0x80) return 0;
  uint32_t c = (a & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
  if (c < 0x10000 || c > 0x10FFFF) return 0;
  *code = c;
  return 4;
}

/* Bytes at p that are ASCII, in steps of 16. */
static size_t ascii_run(const char *p, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint64_t w[2];
    memcpy(w, p + i, sizeof w);
    if ((w[0] | w[1]) & 0x8080808080808080) break;
  }
  return i;
}

size_t dm_utf8_valid(const char *p, size_t n) {
  size_t i = ascii_run(p, n);
  while (i < n) {
    uint32_t code;
    size_t step = sequence((const unsigned char *)p + i, n - i, &code);
    if (step == 0) return i;
    i += step;
    if (step == 1) i += ascii_run(p + i, n - i);
  }
  return n;
}

size_t dm_utf8_next(const char *p, size_t n, uint32_t *code) {
  if (n == 0) return 0;
  size_t step = sequence((const unsigned char *)p, n, code);
  if (step) return step;
  *code = REPLACEMENT;
  return 1;
}

/* Unicode's White_Space property. */
static bool is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

dm_str dm_utf8_trim(const char *p, size_t n) {
  uint32_t code;
  size_t step;
  while (n > 0 && (step = dm_utf8_next(p, n, &code)) > 0 && is_space(code)) p += step, n -= step;
  while (n > 0) {
    size_t last = 1;
    while (last < n && last < 4 && ((unsigned char)p[n - last] & 0xC0) == 0x80) last++;
    if (dm_utf8_next(p + n - last, last, &code) != last || !is_space(code)) break;
    n -= last;
  }
  return (dm_str){p, n};
}
