/*
 * Structural scan.
 *
 *   text      a , " b , c " \n         bit i of a mask = byte i
 *   quote     . . 1 . . . 1 .
 *   inside    . . 1 1 1 1 . .          prefix xor of quote
 *   ends      . 1 . . . . . 1          (delimiter | newline) & ~inside
 *
 * That holds as long as each quote opens at the begin of a cell, closes at its
 * end, or is one of a pair. A block where one does not is walked byte by byte,
 * with the rules of csv_state; so is one with an escape character.
 *
 * Source: Langdale, Lemire: Parsing gigabytes of JSON per second, VLDB 2019.
 */
#include "csv_scan.h"

#include <string.h>

/* ---- masks, eight bytes at a time --------------------------------------- */

#define LOW7 UINT64_C(0x7f7f7f7f7f7f7f7f)
#define ONES UINT64_C(0x0101010101010101)

/* Bit 7 of each byte that is zero: exact, no borrow between bytes. */
static inline uint64_t zero_bytes(uint64_t x) { return ~(((x & LOW7) + LOW7) | x | LOW7); }

/* Bits 7, 15, … to bits 0 … 7. */
static inline uint64_t gather(uint64_t x) { return ((x >> 7) * UINT64_C(0x0102040810204080)) >> 56; }

static uint64_t scalar_masks(const csv_chars *c, const char *p, size_t n, csv_masks *out) {
  const uint64_t delimiter = ONES * (unsigned char)c->delimiter, quote = ONES * (unsigned char)c->quote;
  uint64_t suspect = 0;
  for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
    csv_masks m = {0};
    uint64_t odd = 0;
    for (unsigned i = 0; i < CSV_BLOCK; i += 8) {
      uint64_t x;
      memcpy(&x, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      x = __builtin_bswap64(x);
#endif
      m.delimiter |= gather(zero_bytes(x ^ delimiter)) << i;
      m.quote |= gather(zero_bytes(x ^ quote)) << i;
      m.lf |= gather(zero_bytes(x ^ ONES * '\n')) << i;
      m.cr |= gather(zero_bytes(x ^ ONES * '\r')) << i;
      odd |= (x & ~LOW7) | zero_bytes(x);
    }
    out[b] = m;
    suspect |= (uint64_t)(odd != 0) << b;
  }
  return suspect;
}

const csv_scan_ops csv_scan_scalar = {"scalar", scalar_masks};

/* ---- index ---------------------------------------------------------------- */

static inline uint64_t prefix_xor(uint64_t x) {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  x ^= x << 32;
  return x;
}

static inline uint32_t entry(size_t place, csv_mark mark) { return (uint32_t)place | (uint32_t)mark << CSV_MARK_SHIFT; }

/* One byte in the state it meets; the rules in full. */
static size_t walk(csv_scan *scan, const char *p, size_t n, uint32_t base, uint32_t *index) {
  const csv_chars c = scan->chars;
  csv_state state = scan->state;
  bool cr = scan->cr;
  size_t k = 0;
  for (size_t i = 0; i < n; i++) {
    char byte = p[i];
    bool second = byte == '\n' && cr; /* of \r\n */
    bool newline = (byte == '\n' && !cr) || byte == '\r';
    bool blank = c.trim && (byte == ' ' || byte == '\t') && byte != c.delimiter;
    cr = byte == '\r';
    switch (state) {
    case CSV_QUOTED:
      if (newline) index[k++] = entry(base + i, CSV_NEWLINE);
      if (byte == c.quote)
        state = CSV_CLOSED;
      else if (c.escape && byte == c.escape)
        state = CSV_ESCAPED;
      continue;
    case CSV_ESCAPED:
      if (newline) index[k++] = entry(base + i, CSV_NEWLINE);
      state = CSV_QUOTED;
      continue;
    case CSV_START:
      if (second || blank) continue;
      if (byte == c.quote) {
        state = CSV_QUOTED;
        continue;
      }
      break;
    case CSV_CLOSED:
      if (byte == c.quote) {
        state = CSV_QUOTED;
        continue;
      }
      break;
    case CSV_CLOSED_BLANK:
    case CSV_PLAIN: break;
    }
    if (byte == c.delimiter || newline) {
      index[k++] = entry(base + i, newline ? CSV_END : CSV_DELIMITER);
      state = CSV_START;
    } else if (state == CSV_CLOSED || state == CSV_CLOSED_BLANK) {
      if (!blank) index[k++] = entry(base + i, CSV_BROKEN);
      state = blank ? CSV_CLOSED_BLANK : CSV_PLAIN;
    } else {
      state = CSV_PLAIN;
    }
  }
  scan->state = state;
  scan->cr = cr;
  return k;
}

/* With trim, a cell of which only blanks were seen can still open a quote. */
static csv_state state_behind(const csv_scan *scan, const char *p, uint64_t boundary) {
  if (boundary >> 63) return CSV_START;
  if (!scan->chars.trim) return CSV_PLAIN;
  unsigned i = CSV_BLOCK;
  while (i > 0 && !(boundary >> (i - 1) & 1) && (p[i - 1] == ' ' || p[i - 1] == '\t')) i--;
  if (i == 0) return scan->state == CSV_START ? CSV_START : CSV_PLAIN;
  return boundary >> (i - 1) & 1 ? CSV_START : CSV_PLAIN;
}

static size_t index_block(csv_scan *scan, const char *p, const csv_masks *m, uint32_t base, uint32_t *index) {
  if (scan->state == CSV_ESCAPED || scan->state == CSV_CLOSED_BLANK ||
      (scan->chars.escape && memchr(p, scan->chars.escape, CSV_BLOCK)))
    return walk(scan, p, CSV_BLOCK, base, index);
  const uint64_t newline = m->cr | (m->lf & ~(m->cr << 1 | (uint64_t)scan->cr));
  const uint64_t boundary = m->delimiter | m->lf | m->cr;
  uint64_t inside = scan->state == CSV_QUOTED ? ~UINT64_C(0) : 0, closing = 0;
  if (m->quote | (scan->state == CSV_CLOSED)) {
    inside ^= prefix_xor(m->quote);
    closing = m->quote & ~inside;
    const uint64_t behind_closing = closing << 1 | (scan->state == CSV_CLOSED);
    const uint64_t may_open = (boundary & ~inside) << 1 | behind_closing | (scan->state == CSV_START);
    if ((m->quote & inside & ~may_open) | (behind_closing & ~(boundary | m->quote)))
      return walk(scan, p, CSV_BLOCK, base, index);
  }
  size_t k = 0;
  uint64_t marks = (m->delimiter | newline) & ~inside;
  if (newline & inside) {
    for (marks |= newline; marks; marks &= marks - 1) {
      unsigned i = (unsigned)__builtin_ctzll(marks);
      index[k++] = entry(base + i, inside >> i & 1 ? CSV_NEWLINE : newline >> i & 1 ? CSV_END : CSV_DELIMITER);
    }
  } else {
    for (; marks; marks &= marks - 1) {
      unsigned i = (unsigned)__builtin_ctzll(marks);
      index[k++] = (base + i) | (uint32_t)(newline >> i & 1) << CSV_MARK_SHIFT;
    }
  }
  scan->state = inside >> 63 ? CSV_QUOTED : closing >> 63 ? CSV_CLOSED : state_behind(scan, p, boundary);
  scan->cr = m->cr >> 63;
  return k;
}

void csv_scan_init(csv_scan *scan, csv_chars chars) {
  *scan = (csv_scan){.ops = csv_scan_best(), .chars = chars};
}

void csv_scan_restart(csv_scan *scan) {
  scan->state = CSV_START;
  scan->cr = false;
}

size_t csv_scan_window(csv_scan *scan, const char *p, size_t n, uint32_t base, uint32_t *index) {
  csv_masks masks[CSV_WINDOW_BLOCKS];
  size_t blocks = n / CSV_BLOCK, k = 0, at = blocks * CSV_BLOCK;
  scan->suspect = scan->ops->masks(&scan->chars, p, blocks, masks);
  for (size_t b = 0; b < blocks; b++)
    k += index_block(scan, p + b * CSV_BLOCK, &masks[b], base + (uint32_t)(b * CSV_BLOCK), index + k);
  if (at < n) { /* the last bytes of the text */
    for (size_t i = at; i < n; i++)
      if ((signed char)p[i] <= 0) scan->suspect |= UINT64_C(1) << blocks;
    k += walk(scan, p + at, n - at, base + (uint32_t)at, index + k);
  }
  return k;
}
