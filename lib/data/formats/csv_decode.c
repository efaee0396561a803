/* Decoding: tables, UTF-16 and UTF-32 by hand, the rest line by line through iconv. */
#include "csv_decode.h"

#include <dm/data.h>
#include <errno.h>
#include <string.h>

enum { IN_SLACK = 64 };

static size_t put_utf8(uint32_t c, char *out) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c >= 0x110000 || (c >= 0xD800 && c < 0xE000)) {
    out[0] = CSV_BAD;
    return 1;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3F));
  out[2] = (char)(0x80 | (c >> 6 & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

/* ---- opening -------------------------------------------------------------- */

/* One byte alone through iconv. @return length of its UTF-8, 0 when it is none, SIZE_MAX when it waits for more */
static size_t convert_one(iconv_t cd, unsigned byte, char out[8]) {
  char in[1] = {(char)byte}, *from = in, *to = out;
  size_t left = 1, room = 8;
  (void)iconv(cd, NULL, NULL, NULL, NULL);
  if (iconv(cd, &from, &left, &to, &room) == (size_t)-1) return errno == EINVAL ? SIZE_MAX : 0;
  (void)iconv(cd, NULL, NULL, &to, &room);
  return 8 - room;
}

/* Fills the table when each byte is one character on its own. */
static bool fill_table(csv_decoder *d) {
  for (unsigned b = 0; b < 256; b++) {
    char out[8];
    uint32_t code;
    size_t n = convert_one(d->iconv, b, out);
    if (n == SIZE_MAX || n > 3 || (n && dm_utf8_next(out, n, &code) != n)) return false;
    if (n == 0) out[0] = CSV_BAD, n = 1;
    memcpy(d->table[b], out, n);
    d->table[b][3] = (char)n;
  }
  return true;
}

/* Lines can be told in the bytes: ASCII digits, comma, quote and newlines stand for themselves. */
static bool keeps_lines(csv_decoder *d) {
  for (const char *p = "\n\r,;0a\""; *p; p++) {
    char out[8];
    if (convert_one(d->iconv, (unsigned char)*p, out) != 1 || out[0] != *p) return false;
  }
  return true;
}

static dm_status open_iconv(csv_decoder *d, const char *encoding, dm_error *err) {
  d->iconv = iconv_open("UTF-8", encoding);
  if (d->iconv == (iconv_t)-1) {
    (void)dm_fail(err, DM_EINPUT, "encoding '%s' is not known", encoding);
    dm_error_hint(err, "names as in `iconv --list`, for instance UTF-8, ISO-8859-1, WINDOWS-1252, UTF-16LE, SHIFT_JIS");
    dm_error_at(err, d->source->name, 0, 0);
    return DM_EINPUT;
  }
  d->has_iconv = true;
  if (fill_table(d)) {
    d->coding = CSV_BYTE;
    return DM_OK;
  }
  if (keeps_lines(d)) return DM_OK;
  (void)dm_fail(err, DM_EINPUT, "encoding '%s' cannot be read here: its lines do not end in plain newline bytes", encoding);
  dm_error_hint(err, "convert the file first: iconv -f %s -t UTF-8", encoding);
  dm_error_at(err, d->source->name, 0, 0);
  return DM_EINPUT;
}

dm_status csv_decoder_init(csv_decoder *d, csv_source *source, const char *encoding, size_t block, dm_error *err) {
  static const struct {
    const char *name;
    csv_coding coding;
  } own[] = {{"UTF-8", CSV_UTF8},       {"UTF-16LE", CSV_UTF16LE}, {"UTF-16BE", CSV_UTF16BE},
             {"UTF-32LE", CSV_UTF32LE}, {"UTF-32BE", CSV_UTF32BE}};
  *d = (csv_decoder){.ctx = source->ctx, .source = source, .coding = CSV_ICONV, .block = block};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(own[i].name, encoding) == 0) d->coding = own[i].coding;
  if (d->coding == CSV_UTF8) return DM_OK;
  dm_status status = d->coding == CSV_ICONV ? open_iconv(d, encoding, err) : DM_OK;
  if (status == DM_OK) {
    d->in = dm_alloc(d->ctx, block + IN_SLACK, 1, "read buffer", err);
    d->anchor_capacity = d->coding == CSV_ICONV ? 1024 : 1;
    d->anchors = d->in ? dm_alloc(d->ctx, d->anchor_capacity, sizeof *d->anchors, "line offsets", err) : NULL;
    if (!d->anchors) status = DM_EBUDGET;
  }
  if (status != DM_OK) csv_decoder_clear(d);
  return status;
}

void csv_decoder_clear(csv_decoder *d) {
  if (d->has_iconv) (void)iconv_close(d->iconv);
  d->has_iconv = false;
  dm_free(d->ctx, d->in);
  dm_free(d->ctx, d->anchors);
  d->in = NULL;
  d->anchors = NULL;
}

void csv_decoder_seek(csv_decoder *d, uint64_t offset) {
  d->at = offset;
  d->end = false;
  d->in_begin = d->in_end = 0;
  d->text_done = 0;
  d->first_anchor = 0;
  d->n_anchors = d->anchors ? 1 : 0;
  if (d->anchors) d->anchors[0] = (csv_anchor){0, offset};
  if (d->has_iconv) (void)iconv(d->iconv, NULL, NULL, NULL, NULL);
}

/* ---- decoding ------------------------------------------------------------- */

static dm_status read_block(csv_decoder *d, char *out, size_t n, size_t *got, dm_error *err) {
  dm_status status = csv_source_read(d->source, d->at, out, n, got, err);
  if (status != DM_OK) return status;
  csv_source_hash(d->source, d->at, out, *got);
  d->at += *got;
  if (*got == 0) d->end = true;
  return DM_OK;
}

static uint64_t in_offset(const csv_decoder *d) { return d->at - (d->in_end - d->in_begin); }

static size_t decode_bytes(csv_decoder *d, char *out, size_t capacity) {
  size_t n = 0;
  while (d->in_begin < d->in_end && capacity - n >= 4) {
    const char *code = d->table[(unsigned char)d->in[d->in_begin++]];
    memcpy(out + n, code, 3);
    n += (size_t)code[3];
  }
  return n;
}

static size_t decode_wide(csv_decoder *d, char *out, size_t capacity) {
  const unsigned char *in = (const unsigned char *)d->in;
  const bool big = d->coding == CSV_UTF16BE || d->coding == CSV_UTF32BE;
  const size_t unit = d->coding == CSV_UTF16LE || d->coding == CSV_UTF16BE ? 2 : 4;
  size_t n = 0;
  while (capacity - n >= 4) {
    const unsigned char *p = in + d->in_begin;
    size_t left = d->in_end - d->in_begin;
    if (left < unit) {
      if (d->end && left > 0) { /* half a character at the end */
        out[n++] = CSV_BAD;
        d->in_begin = d->in_end;
      }
      break;
    }
    if (unit == 4) {
      uint32_t c = big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                       : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
      d->in_begin += 4;
      n += put_utf8(c, out + n);
      continue;
    }
    uint32_t c = big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
    size_t step = 2;
    if (c >= 0xD800 && c < 0xDC00) {
      if (left < 4 && !d->end) break; /* its second half comes with the next block */
      uint32_t second = left < 4 ? 0 : big ? (uint32_t)p[2] << 8 | p[3] : (uint32_t)p[3] << 8 | p[2];
      if (second >= 0xDC00 && second < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (second - 0xDC00);
        step = 4;
      }
    }
    d->in_begin += step;
    n += put_utf8(c, out + n);
  }
  return n;
}

static dm_status add_anchor(csv_decoder *d, uint64_t text, dm_error *err) {
  if (d->n_anchors == d->anchor_capacity) {
    size_t capacity = d->anchor_capacity ? d->anchor_capacity * 2 : 1024;
    csv_anchor *anchors = dm_realloc(d->ctx, d->anchors, capacity, sizeof *anchors, "line offsets", err);
    if (!anchors) return DM_EBUDGET;
    d->anchors = anchors;
    d->anchor_capacity = capacity;
  }
  d->anchors[d->n_anchors++] = (csv_anchor){text, in_offset(d)};
  return DM_OK;
}

/* One piece of a line, or one byte of a line ending. *more: input was used. */
static dm_status decode_piece(csv_decoder *d, char *out, size_t capacity, size_t *n, bool *more, dm_error *err) {
  char *in = d->in + d->in_begin;
  size_t left = d->in_end - d->in_begin;
  *more = false;
  if (left == 0 || capacity - *n < 16) return DM_OK;
  if (*in == '\n' || *in == '\r') {
    dm_status status = add_anchor(d, d->text_done + *n, err);
    if (status != DM_OK) return status;
    out[(*n)++] = *in;
    d->in_begin++;
    *more = true;
    return add_anchor(d, d->text_done + *n, err);
  }
  size_t line = 1;
  while (line < left && in[line] != '\n' && in[line] != '\r') line++;
  char *to = out + *n;
  size_t in_left = line, room = capacity - *n;
  size_t done = iconv(d->iconv, &in, &in_left, &to, &room);
  int why = done == (size_t)-1 ? errno : 0;
  size_t used = line - in_left;
  *n = capacity - room;
  if (why == E2BIG) { /* the caller makes room */
    *more = used > 0;
  } else if (why == EINVAL && line == left && !d->end && left - used < IN_SLACK) {
    *more = false; /* the character goes on in the next block */
  } else if (why == EILSEQ || why == EINVAL) {
    out[(*n)++] = CSV_BAD;
    used++;
    *more = true;
    (void)iconv(d->iconv, NULL, NULL, NULL, NULL);
  } else {
    *more = true;
  }
  d->in_begin += used;
  return DM_OK;
}

static dm_status decode_iconv(csv_decoder *d, char *out, size_t capacity, size_t *n, dm_error *err) {
  bool more = true;
  *n = 0;
  while (more) {
    dm_status status = decode_piece(d, out, capacity, n, &more, err);
    if (status != DM_OK) return status;
  }
  return DM_OK;
}

dm_status csv_decoder_fill(csv_decoder *d, char *out, size_t capacity, size_t *n, dm_error *err) {
  dm_status status = DM_OK;
  *n = 0;
  if (d->coding == CSV_UTF8) {
    if (!d->end) status = read_block(d, out, capacity < d->block ? capacity : d->block, n, err);
    d->text_done += *n;
    return status;
  }
  while (status == DM_OK && *n == 0) {
    if (d->coding == CSV_ICONV)
      status = decode_iconv(d, out, capacity, n, err);
    else
      *n = d->coding == CSV_BYTE ? decode_bytes(d, out, capacity) : decode_wide(d, out, capacity);
    if (status != DM_OK || *n > 0) break;
    if (d->end) break;
    memmove(d->in, d->in + d->in_begin, d->in_end - d->in_begin);
    d->in_end -= d->in_begin;
    d->in_begin = 0;
    size_t got;
    status = read_block(d, d->in + d->in_end, d->block, &got, err);
    if (status == DM_OK) d->in_end += got;
  }
  d->text_done += *n;
  return status;
}

/* ---- the way back ----------------------------------------------------------- */

static size_t characters(const char *p, size_t n) {
  size_t k = 0;
  for (size_t i = 0; i < n; i++) k += (p[i] & 0xC0) != 0x80;
  return k;
}

uint64_t csv_decoder_anchor(const csv_decoder *d, uint64_t text) {
  size_t low = d->first_anchor, high = d->n_anchors; /* the last anchor at or before text */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (d->anchors[middle].text <= text)
      low = middle + 1;
    else
      high = middle;
  }
  const csv_anchor *a = &d->anchors[low > d->first_anchor ? low - 1 : low];
  return a->text == text ? a->source : in_offset(d); /* not at a line: the end of the source */
}

size_t csv_decoder_bytes(const csv_decoder *d, const char *p, size_t n) {
  size_t wide = 0;
  switch (d->coding) {
  case CSV_UTF8: break;
  case CSV_BYTE:
  case CSV_ICONV: return characters(p, n);
  case CSV_UTF16LE:
  case CSV_UTF16BE:
    for (size_t i = 0; i < n; i++) wide += (unsigned char)p[i] >= 0xF0; /* a pair of units */
    return 2 * (characters(p, n) + wide);
  case CSV_UTF32LE:
  case CSV_UTF32BE: return 4 * characters(p, n);
  }
  return n;
}

size_t csv_decoder_unit(const csv_decoder *d) {
  if (d->coding == CSV_UTF16LE || d->coding == CSV_UTF16BE) return 2;
  return d->coding == CSV_UTF32LE || d->coding == CSV_UTF32BE ? 4 : 1;
}

void csv_decoder_forget(csv_decoder *d, uint64_t text_at) {
  while (d->first_anchor + 1 < d->n_anchors && d->anchors[d->first_anchor + 1].text <= text_at) d->first_anchor++;
  if (d->first_anchor > d->anchor_capacity / 2) {
    d->n_anchors -= d->first_anchor;
    memmove(d->anchors, d->anchors + d->first_anchor, d->n_anchors * sizeof *d->anchors);
    d->first_anchor = 0;
  }
}

/* ---- one record ------------------------------------------------------------- */

static void add_utf8(dm_str raw, dm_buf *out) {
  while (raw.n) {
    size_t good = dm_utf8_valid(raw.p, raw.n), bad = good < raw.n;
    dm_buf_add(out, raw.p, good);
    if (bad) dm_buf_addc(out, '?');
    raw = (dm_str){raw.p + good + bad, raw.n - good - bad};
  }
}

dm_status dm_csv_raw_text(const char *encoding, dm_str raw, dm_buf *out, dm_error *err) {
  if (strcmp(encoding, "UTF-8") == 0) {
    add_utf8(raw, out);
    return dm_buf_status(out);
  }
  iconv_t cd = iconv_open("UTF-8", encoding);
  if (cd == (iconv_t)-1) return dm_fail(err, DM_EINPUT, "encoding '%s' is not known", encoding);
  char part[512], *from = (char *)(uintptr_t)raw.p; /* iconv only reads it */
  for (size_t left = raw.n; left;) {
    char *to = part;
    size_t room = sizeof part;
    bool stuck = iconv(cd, &from, &left, &to, &room) == (size_t)-1 && errno != E2BIG;
    dm_buf_add(out, part, sizeof part - room);
    if (!stuck) continue;
    dm_buf_addc(out, '?');
    from++, left--;
  }
  (void)iconv_close(cd);
  return dm_buf_status(out);
}
