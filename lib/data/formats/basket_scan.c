/*
 * Plain lines of a transaction file, 64 bytes at a time.
 *
 *   text     1 25 7\n3 …        blanks, tabs, line ends  . x . . x . x . x
 *   items    begin where a blank was before, end where one comes
 *
 * An item that is a number of up to seven digits is read as eight bytes at
 * once and found in the table of numbers; any other by its name.
 */
#include "basket.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

/* Bit i is byte i of a block. */
typedef struct masks {
  uint64_t blank;   /* blank, tab, or the end of a line */
  uint64_t newline;
  uint64_t cr;
  uint64_t odd;     /* other control characters, and bytes beyond ASCII */
} masks;

#if defined(__SSE2__)
static inline uint64_t bits_of(__m128i x, unsigned at) { return (uint64_t)(uint32_t)_mm_movemask_epi8(x) << at; }

static inline masks masks_of(const char *p) {
  const __m128i blank = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t'), lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
  masks m = {0};
  for (unsigned i = 0; i < BLOCK; i += 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i is_lf = _mm_cmpeq_epi8(x, lf), is_cr = _mm_cmpeq_epi8(x, cr);
    __m128i is_blank = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, blank), _mm_cmpeq_epi8(x, tab)), _mm_or_si128(is_lf, is_cr));
    m.blank |= bits_of(is_blank, i);
    m.newline |= bits_of(is_lf, i);
    m.cr |= bits_of(is_cr, i);
    m.odd |= bits_of(_mm_andnot_si128(is_blank, _mm_cmplt_epi8(x, blank)), i); /* signed: bytes beyond ASCII are below 0 */
  }
  return m;
}
#else
static inline masks masks_of(const char *p) {
  masks m = {0};
  for (unsigned i = 0; i < BLOCK; i++) {
    unsigned char c = (unsigned char)p[i];
    uint64_t bit = (uint64_t)1 << i;
    if (c == '\n') m.newline |= bit;
    if (c == '\r') m.cr |= bit;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') m.blank |= bit;
    else if (c < ' ' || c >= 0x80) m.odd |= bit;
  }
  return m;
}
#endif

/* The number that the n <= 7 bytes before `end` are; UINT32_MAX when they are none, or not as numbers are written. The byte order is little. */
static inline uint32_t number_before(const char *end, size_t n) {
  static const uint32_t least[ITEM_DIGITS + 1] = {UINT32_MAX, 0, 10, 100, 1000, 10000, 100000, 1000000};
  uint64_t x;
  memcpy(&x, end - 8, sizeof x);
  x = (x ^ 0x3030303030303030u) >> (64 - 8 * n) << (64 - 8 * n); /* what stands before counts as zeros */
  if (((x + 0x7676767676767676u) | x) & 0x8080808080808080u) return UINT32_MAX;
  x = (x * 10 + (x >> 8)) & 0x00FF00FF00FF00FFu;
  x = (x * 100 + (x >> 16)) & 0x0000FFFF0000FFFFu;
  uint32_t v = (uint32_t)(x * 10000 + (x >> 32));
  return v >= least[n] ? v : UINT32_MAX;
}

static dm_status add_named(basket_part *b, const char *p, size_t n, dm_error *err) {
  uint32_t code;
  dm_status s = dm_items_add(b->items, p, n, &code, err);
  if (s == DM_OK) s = dm_code_rows_codes(&b->rows, b->items->n, err);
  if (s == DM_OK) dm_code_rows_add(&b->rows, code);
  return s;
}

static inline dm_status add_item(basket_part *b, const char *p, const char *end, dm_error *err) {
  size_t n = (size_t)(end - p);
  uint32_t v = n <= ITEM_DIGITS ? number_before(end, n) : UINT32_MAX, code_1 = v < b->items->n_numbers ? b->items->numbers[v] : 0;
  if (!code_1) return add_named(b, p, n, err);
  dm_code_rows_add(&b->rows, code_1 - 1);
  return DM_OK;
}

const char *basket_scan(basket_part *b, const char *p, const char *end, dm_status *status, dm_error *err) {
  const char *line = p, *open = NULL; /* open: where an item began that the block before cut */
  uint64_t repeated = b->rows.repeated; /* before the line */
  dm_status s = DM_OK;
  while (s == DM_OK && p < end) {
    masks m = masks_of(p);
    size_t left = (size_t)(end - p);
    if (left < BLOCK) {
      uint64_t ours = ((uint64_t)1 << left) - 1;
      m.newline &= ours;
      m.odd &= ours;
      m.cr &= ours;
      m.blank |= ~ours;
    }
    if (m.odd | (m.cr & ~(m.newline >> 1))) break;
    s = dm_code_rows_reserve(&b->rows, BLOCK / 2, BLOCK, err);
    if (s != DM_OK) break;
    uint64_t before = m.blank << 1 | !open, starts = ~m.blank & before, ends = m.blank & ~before;
    for (;;) {
      uint64_t row = m.newline ^ (m.newline - 1); /* up to the next line end, or all */
      for (uint64_t now = ends & row; now; now &= now - 1) {
        const char *first = open, *last = p + __builtin_ctzll(now);
        if (!first) {
          first = p + __builtin_ctzll(starts);
          starts &= starts - 1;
        }
        open = NULL;
        s = add_item(b, first, last, err);
        if (s != DM_OK) break;
      }
      if (s != DM_OK || !m.newline) break;
      (void)dm_code_rows_end(&b->rows);
      b->line++;
      line = p + __builtin_ctzll(m.newline) + 1;
      repeated = b->rows.repeated;
      ends &= ~row;
      m.newline &= m.newline - 1;
    }
    if (starts) open = p + __builtin_ctzll(starts);
    p += BLOCK;
  }
  if (p < end || s != DM_OK) { /* what was read of this line is taken back */
    while (b->rows.n_index > b->rows.start[b->rows.n]) {
      dm_seen *seen = &b->rows.seen[b->rows.index[--b->rows.n_index]];
      seen->count--;
      seen->row = 0;
    }
    b->rows.repeated = repeated;
  }
  *status = s;
  return p < end ? line : end;
}
