/* The delimited-file reader's inside: what reader, dialect and header share. */
#ifndef DM_DATA_CSV_H
#define DM_DATA_CSV_H

#include "csv_decode.h"
#include "csv_scan.h"

#include <dm/data.h>

enum {
  CSV_READ_BLOCK = 1 << 18,    /* bytes read at once */
  CSV_SAMPLE = 1 << 20,        /* bytes of the sample's first part */
  CSV_SAMPLE_PART = 1 << 16,   /* of its parts from the middle and the end */
  CSV_MAX_CELL = 64 << 20,     /* default of dm_csv_options.max_cell */
  CSV_CEILING = 512 << 20,     /* its largest value: places of a record stay below 2^30 */
  CSV_MAX_COLUMNS = 32767,     /* SQLite's ceiling */
  CSV_MAX_CUT = 1 << 20        /* raw bytes kept of a record that was too long to hold */
};

/** What decides how records are told apart; zero n_columns: any number of fields fits. */
typedef struct csv_shape {
  csv_chars chars;
  size_t n_columns;
  bool header;    /* there is one (for messages) */
  bool trailing;  /* one empty field too many is the line's trailing delimiter */
  bool any_bytes; /* a header: what is no text does not reject it */
  dm_on_extra on_extra;
  size_t max_cell;
} csv_shape;

/**
 * The text window:
 *
 *   0        begin        next place of index        scanned      end   capacity
 *   | gone   | record ... |  indexed                 | not yet    |     |
 *
 * begin is the first byte of the record now read; offset and line are its place in the source.
 */
struct dm_csv {
  dm_ctx *ctx;
  dm_arena *memory; /* names, notes */
  csv_source *source;
  csv_decoder decoder;
  csv_shape shape;
  csv_scan scan;

  char *text;
  size_t begin, scanned, end, capacity;
  uint64_t text_base; /* text bytes before text[0] since the last seek */
  bool eof;           /* everything is in the window */
  uint32_t *index;    /* [CSV_WINDOW] */
  size_t n_index, next, window; /* window: bytes to index at once; small behind a restart */
  size_t window_at;   /* where the last window began, for scan.suspect */

  uint64_t number, line, offset; /* of the record at begin; number counts from 1 */
  uint64_t next_line, next_offset; /* of what follows it, once it was delimited */
  size_t next_begin;
  bool skip_lf;       /* the record before ended in \r: a \n now belongs to it */
  bool pending;       /* a record was given; the next call moves on */

  /* the record being delimited */
  uint64_t record_offset, raw_bytes; /* raw_bytes: without the line ending */
  size_t n_cells, cell_capacity;
  dm_csv_cell *cells;
  size_t lines_inside, cell_lines; /* line ends inside quotes: in the record, in the cell */
  uint64_t resume_offset;          /* second physical line: where reading resumes when the quote is broken */
  size_t resume_at;
  bool resume_cr;
  bool any_quoted, suspect, overlong; /* suspect: may hold NUL or bytes beyond ASCII */
  size_t quote_column;
  uint64_t last_inside;  /* source offset of the last line end inside quotes */
  bool open_at_end;      /* a quote was open at the end of the text */
  uint64_t doomed_until; /* source offset: a line that ends inside quotes before it never finds a proper end */

  /* the first record of data, for rewind */
  uint64_t first_line, first_offset;
  /* what was met: for the dialect and the notes */
  uint64_t n_lf, n_crlf, n_cr, n_blank, n_literal, n_unspaced; /* n_unspaced: cells with other blanks than one behind the delimiter */
  bool ended_open;    /* the last record had no newline */
  uint64_t n_scanned; /* bytes indexed, those seen again too: tests bound it */

  dm_buf raw;
  char message[160];
  dm_csv_record record;

  dm_csv_dialect dialect;
  dm_csv_column *columns;
  size_t n_columns;
  dm_str *nulls; /* texts that mean missing, copied */
  size_t n_nulls;
  bool null_quoted;
  const char **notes;
  size_t n_notes, note_capacity;
};

/** Reader without dialect: takes the source (also on failure). @param block bytes read at once, ≥ 1 */
dm_status csv_reader_new(csv_source *source, const char *encoding, const csv_shape *shape, size_t block, dm_csv **out,
                         dm_error *err);
/** A longer record is not held. */
size_t csv_record_limit(const dm_csv *csv);
/** Does the delimited record of length bytes at begin fit? @param at place of the fault from begin. Fills message. */
dm_reject_reason csv_judge(dm_csv *csv, size_t length, size_t *at);
/** Turns the cells of a good record into text. */
void csv_finish_cells(dm_csv *csv);
/** Starts at a record boundary. */
void csv_reader_seek(dm_csv *csv, uint64_t number, uint64_t line, uint64_t offset);
/** Moves behind the record given last: line and offset are then the next one's. */
dm_status csv_reader_begin(dm_csv *csv, dm_error *err);
/** dm_csv_open and dm_csv_open_memory with another block size, for tests. Takes the source. */
dm_status csv_open_source(csv_source *source, const dm_csv_options *options, size_t block, dm_csv **out, dm_error *err);

#endif
