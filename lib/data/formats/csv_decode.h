/*
 * Source bytes to UTF-8 text, block by block, with the way back: how many
 * source bytes a piece of text took. What is not of the encoding becomes the
 * byte CSV_BAD, which no UTF-8 holds, so that one check finds both.
 */
#ifndef DM_DATA_CSV_DECODE_H
#define DM_DATA_CSV_DECODE_H

#include "csv_source.h"

#include <iconv.h>

#define CSV_BAD ((char)0xC0)

typedef enum csv_coding {
  CSV_UTF8 = 0,   /* text is the source */
  CSV_BYTE,       /* one byte, one character */
  CSV_UTF16LE,
  CSV_UTF16BE,
  CSV_UTF32LE,
  CSV_UTF32BE,
  CSV_ICONV       /* any other in which \n and \r are these bytes and nothing else holds them */
} csv_coding;

/** A place known both ways; only CSV_ICONV needs them: before and behind each line ending. */
typedef struct csv_anchor {
  uint64_t text, source;
} csv_anchor;

typedef struct csv_decoder {
  dm_ctx *ctx;
  csv_source *source; /* borrowed */
  csv_coding coding;
  uint64_t at;        /* source offset of the next byte to read */
  bool end;           /* the source has no more */
  size_t block;       /* bytes read at once */
  char *in;           /* [block + IN_SLACK] read and not yet decoded; NULL for CSV_UTF8 */
  size_t in_begin, in_end;
  uint64_t text_done; /* bytes of text made since the last seek */
  char table[256][4]; /* CSV_BYTE: UTF-8 of each byte, length behind it */
  iconv_t iconv;      /* CSV_ICONV */
  bool has_iconv;
  csv_anchor *anchors;
  size_t n_anchors, first_anchor, anchor_capacity;
} csv_decoder;

/** @param encoding canonical. @return DM_OK, DM_EINPUT when iconv does not know it or lines cannot be found in it. */
dm_status csv_decoder_init(csv_decoder *d, csv_source *source, const char *encoding, size_t block, dm_error *err);
void csv_decoder_clear(csv_decoder *d);
void csv_decoder_seek(csv_decoder *d, uint64_t offset);
/** Adds text at out; *n = 0 only at the end. capacity ≥ CSV_DECODE_MIN. */
dm_status csv_decoder_fill(csv_decoder *d, char *out, size_t capacity, size_t *n, dm_error *err);
/** Source bytes of the text [p, p + n); CSV_ICONV: its characters. */
size_t csv_decoder_bytes(const csv_decoder *d, const char *p, size_t n);
/** CSV_ICONV: source offset of a place in the text (since the last seek) before or behind a line ending, or at the end of all. */
uint64_t csv_decoder_anchor(const csv_decoder *d, uint64_t text);
/** Source bytes of one newline character. */
size_t csv_decoder_unit(const csv_decoder *d);
/** Anchors before text_at are needed no more. */
void csv_decoder_forget(csv_decoder *d, uint64_t text_at);

enum { CSV_DECODE_MIN = 64 };

#endif
