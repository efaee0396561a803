/* Text in charts and pages: escaping, and widths estimated without a font. */
#include "report/svg.h"

#include <dm/text.h>
#include <string.h>

/* Advance widths of DejaVu Sans for U+0020 … U+007E, thousandths of the font size. */
static const short ascii_widths[95] = {
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838};

static int code_width(uint32_t c) {
  if (c >= 0x20 && c < 0x7F) return ascii_widths[c - 0x20];
  if (c < 0x20) return 0;
  if (c == 0x2026) return 1000;              /* … */
  if (c >= 0x300 && c < 0x370) return 0;     /* combining marks */
  if (c < 0x370) return 650;                 /* Latin with accents */
  if (c < 0x600) return 720;                 /* Greek, Cyrillic, Armenian, Hebrew */
  if (c < 0x1100) return 800;                /* Arabic, Indic, Thai */
  if (c >= 0x2070 && c < 0x20A0) return 530; /* superscripts and subscripts */
  if (c >= 0x2190 && c < 0x2300) return 840; /* arrows, mathematics */
  return 1050;                               /* CJK, symbols, emoji */
}

/* Decodes the code point at p; a byte that is not UTF-8 counts as one U+FFFD. */
static size_t next_code(dm_str text, size_t at, uint32_t *code) {
  size_t left = text.n - at;
  size_t valid = left < 4 ? left : 4;
  for (size_t n = 1; n <= valid; n++)
    if (dm_utf8_valid(text.p + at, n) == n) return dm_utf8_next(text.p + at, n, code);
  *code = 0xFFFD;
  return 1;
}

double dm_text_width(dm_str text, double size, bool bold) {
  double sum = 0;
  uint32_t code = 0;
  for (size_t at = 0; at < text.n;) {
    at += next_code(text, at, &code);
    sum += code_width(code);
  }
  return sum * size / 1000 * (bold ? 1.1 : 1);
}

bool dm_text_fit(dm_buf *out, dm_str text, double size, bool bold, double width) {
  if (dm_text_width(text, size, bold) <= width) {
    dm_buf_add(out, text.p, text.n);
    return true;
  }
  double scale = size / 1000 * (bold ? 1.1 : 1), used = 1000 * scale;
  size_t at = 0;
  uint32_t code = 0;
  while (at < text.n) {
    size_t step = next_code(text, at, &code);
    used += code_width(code) * scale;
    if (used > width) break;
    at += step;
  }
  while (at > 0 && text.p[at - 1] == ' ') at--;
  dm_buf_add(out, text.p, at);
  dm_buf_adds(out, "…");
  return false;
}

/* Not allowed in XML or HTML text, or able to turn the rest of the line around. */
static bool is_unprintable(uint32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

static void add_escaped(dm_buf *out, const char *p, size_t n, uint32_t c) {
  switch (c) {
  case '&':
    dm_buf_adds(out, "&amp;");
    break;
  case '<':
    dm_buf_adds(out, "&lt;");
    break;
  case '>':
    dm_buf_adds(out, "&gt;");
    break;
  case '"':
    dm_buf_adds(out, "&quot;");
    break;
  case '\'':
    dm_buf_adds(out, "&#39;");
    break;
  default:
    dm_buf_add(out, p, n);
  }
}

void dm_escape(dm_buf *out, dm_str text) {
  uint32_t code = 0;
  for (size_t at = 0; at < text.n;) {
    size_t step = next_code(text, at, &code);
    if (code == 0xFFFD || is_unprintable(code))
      dm_buf_adds(out, "\xEF\xBF\xBD");
    else
      add_escaped(out, text.p + at, step, code);
    at += step;
  }
}

void dm_escape_bytes(dm_buf *out, dm_str raw, size_t most) {
  uint32_t code = 0;
  size_t at = 0;
  while (at < raw.n && at < most) {
    size_t step = next_code(raw, at, &code);
    bool broken = code == 0xFFFD && step == 1;
    if (broken || is_unprintable(code) || code == '\n' || code == '\t') {
      unsigned char c = (unsigned char)raw.p[at];
      if (c == '\n')
        dm_buf_adds(out, "\\n");
      else if (c == '\r')
        dm_buf_adds(out, "\\r");
      else if (c == '\t')
        dm_buf_adds(out, "\\t");
      else
        for (size_t i = 0; i < step; i++) dm_buf_printf(out, "\\x%02X", (unsigned char)raw.p[at + i]);
    } else {
      add_escaped(out, raw.p + at, step, code);
    }
    at += step;
  }
  if (at < raw.n) dm_buf_adds(out, "…");
}
