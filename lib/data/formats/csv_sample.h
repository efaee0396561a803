/* The sample of a file, and what is detected on it. */
#ifndef DM_DATA_CSV_SAMPLE_H
#define DM_DATA_CSV_SAMPLE_H

#include "csv.h"

/** Source bytes: the begin of the file, and pieces of its middle and end. */
typedef struct csv_sample {
  dm_ctx *ctx;
  const char *name;
  char *head, *part[2];
  size_t n, part_n[2];
  bool whole;           /* head is the file */
  const char *encoding; /* canonical; static or the arena's */
  size_t bom;           /* its bytes */
  size_t start;         /* first byte behind byte order mark and `sep=` line */
  uint64_t line;        /* its line */
  char separator;       /* of a `sep=` line, or 0 */
} csv_sample;

/** Canonical name of an encoding a user gave ("latin1" → "ISO-8859-1"); unknown ones in capitals, in the arena. NULL: memory. */
const char *csv_encoding_name(dm_arena *memory, const char *given, dm_error *err);
/** Sets encoding and bom. @param wanted canonical name, or NULL = detect */
void csv_detect_encoding(csv_sample *sample, const char *wanted);
/** "gzip" and the like when the bytes are of a known format or no text at all; NULL when they may be text. */
const char *csv_binary_format(const csv_sample *sample);

/** Reader over the head. */
dm_status csv_sample_reader(const csv_sample *sample, const csv_shape *shape, dm_csv **out, dm_error *err);
/** Next record of the head; NULL at its end, a record that the head's end cuts not counted. */
dm_status csv_sample_next(const csv_sample *sample, dm_csv *csv, const dm_csv_record **record, dm_error *err);

/** Fills what is 0 in chars, from options and sample; sets trim. */
dm_status csv_detect_chars(const csv_sample *sample, const dm_csv_options *options, csv_chars *chars, dm_error *err);

/** What the head's records behind the first say of one column. */
typedef struct csv_column_seen {
  dm_typing typing;
  dm_str first;          /* the first record's cell, copied */
  bool first_quoted;
  size_t letters;        /* cells that hold a letter */
  size_t same_as_first;  /* cells equal to the first */
  size_t length;         /* of all cells, SIZE_MAX when they differ */
} csv_column_seen;

/** Does the first record name the columns? @param n_records without the first */
bool csv_detect_header(const csv_column_seen *columns, size_t n, size_t n_records);

/** What opening finds out, step by step. */
typedef struct csv_opening {
  dm_ctx *ctx;
  csv_source *source; /* NULL once the reader took it */
  size_t block;
  dm_csv_options options;
  csv_sample sample;
  dm_arena *memory;
  csv_shape shape;
  bool header, null_quoted; /* null_quoted: the texts that mean missing stand in quotes too */
  bool first_fits;          /* the first record can be read */
  bool first_too_wide;      /* it has more than CSV_MAX_COLUMNS */
  size_t n_first;           /* its cells */
  dm_str *first;            /* [n_first] */
  bool *first_quoted;       /* [n_first] */
  size_t n;                 /* columns */
  csv_column_seen *seen;    /* [n] */
  size_t n_records;         /* of the sample that fit, without a header */
  uint64_t n_lf, n_crlf, n_cr, n_literal;
  size_t n_titles; /* lines above the table that are no records of it */
  dm_str title;    /* the first */
} csv_opening;

/** Number of columns, header or not, types: n, header, seen and shape.trailing. */
dm_status csv_settle_columns(csv_opening *o, dm_error *err);
dm_status csv_fail_input(const csv_opening *o, dm_error *err, const char *what, const char *hint);
dm_status csv_keep_nulls(dm_csv *csv, const dm_csv_options *options, bool quoted, dm_error *err);

/** Sets names (unique without regard to case, none empty or dm_id) and notes what was changed. @param header NULL: c1 … cN */
dm_status csv_name_columns(dm_csv *csv, const dm_str *header, dm_error *err);
dm_status csv_add_note(dm_csv *csv, dm_error *err, const char *format, ...) DM_PRINTF(3, 4);

#endif
