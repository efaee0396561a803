/*
 * Typed reading of a delimited file, as import and file frames do it: records
 * go through one type for each column, in batches that own their bytes, so
 * that another thread may write them while the next batch is read.
 *
 *   file -> dm_csv -> dm_typed (types, missing markers, counts) -> dm_rows
 *
 * A pass starts with the types of the sample. When a cell does not fit, or at
 * the end the cells allow another type than the pass used, dm_typed_settle
 * reads all cells for their types and the caller starts over: nothing is ever
 * stored in a type that would alter it.
 */
#ifndef DM_DATA_TYPED_H
#define DM_DATA_TYPED_H

#include <dm/data.h>

/* ---- batches --------------------------------------------------------------- */

/** One typed cell; text lies in the batch at `at`. */
typedef struct dm_rows_cell {
  union {
    int64_t integer;
    double real;
    size_t at;
  } u;
  uint32_t n;
  uint8_t type; /* a dm_type */
} dm_rows_cell;

typedef struct dm_rows_reject {
  uint64_t record, line, byte_offset;
  size_t column;
  size_t raw_at, raw_n; /* source bytes, in the batch's text */
  size_t message_at, message_n;
} dm_rows_reject;

/** From row `row` of the batch on, records follow one another without a reject between. */
typedef struct dm_rows_run {
  size_t row;
  uint64_t record, line, byte_offset;
} dm_rows_run;

typedef struct dm_rows {
  dm_ctx *ctx;
  size_t d, capacity;   /* columns, rows */
  size_t n;             /* rows */
  dm_rows_cell *cells; /* [n][d] */
  dm_buf text;
  dm_rows_reject *rejects;
  size_t n_rejects, rejects_capacity;
  dm_rows_run *runs;
  size_t n_runs, runs_capacity;
  uint64_t bytes_done;
  bool end;    /* the file's end was reached */
  bool misfit; /* a cell does not fit its column's type: the batch ends before it */
} dm_rows;

dm_status dm_rows_init(dm_rows *batch, dm_ctx *ctx, size_t d, dm_error *err);
void dm_rows_clear(dm_rows *batch);
void dm_rows_reset(dm_rows *batch);
dm_status dm_rows_add_reject(dm_rows *batch, const dm_csv_record *record, dm_str raw, dm_error *err);
dm_status dm_rows_add_run(dm_rows *batch, const dm_csv_record *record, dm_error *err);
/** The cell as a value; text borrowed from the batch. */
dm_value dm_rows_value(const dm_rows *batch, size_t row, size_t column);

/* ---- columns --------------------------------------------------------------- */

/** Texts that often mean "missing", looked for so that a note can name them. */
enum { DM_LOOK_ALIKES = 16 };
extern const char *const dm_look_alikes[DM_LOOK_ALIKES];

typedef struct dm_typed_column {
  const char *name;
  dm_type type;        /* of this pass */
  dm_type sample_type; /* what the sample said */
  dm_type floor;       /* never narrower than this (appending to a table); DM_NULL = free */
  dm_typing typing;    /* cells seen, look-alikes left out, while `open` */
  bool open;           /* the cells seen so far still allow a number */
  uint64_t n_missing, n_quoted, n_quoted_empty, n_look_alikes;
  uint64_t look_alikes[DM_LOOK_ALIKES];
  uint64_t *markers;   /* [2 + 2 nulls] missing cells by spelling, see dm_typed_marker */
  uint64_t change_line; /* where the type became what it is, 0 = as in the sample */
  char change_text[48];
} dm_typed_column;

typedef struct dm_typed {
  dm_ctx *ctx;
  dm_csv *csv;
  dm_arena *memory;
  const char *path;
  dm_csv_options options; /* nulls copied */
  size_t d;
  dm_typed_column *columns;
  uint64_t records, accepted, rejected; /* of this pass */
  uint64_t block_records, block_bytes;  /* since the last dm_rows_run */
  bool after_reject;
  bool null_first[256]; /* first bytes of the texts that mean missing */
} dm_typed;

/** @param path borrowed for the life of t. */
dm_status dm_typed_open(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_typed **out, dm_error *err);
void dm_typed_close(dm_typed *t);
/** Back to the first record; counts start anew, types stay. */
dm_status dm_typed_rewind(dm_typed *t, dm_error *err);
/**
 * Fills batch with the next records. It ends when it is full, at the end of
 * the file, or before a record with a cell that does not fit (batch->misfit).
 */
dm_status dm_typed_next(dm_typed *t, dm_rows *batch, dm_error *err);
/** After the last batch: do the types of the pass stand? */
bool dm_typed_is_settled(const dm_typed *t);
/** After a pass that had no misfit and is not settled: takes the types that its cells allow. */
void dm_typed_adopt(dm_typed *t);
/** Reads the whole file for its types and sets them; rewind before the next pass. */
dm_status dm_typed_settle(dm_typed *t, dm_error *err);

/** Type that all cells of the column allow; DM_TEXT when a look-alike is among them. */
dm_type dm_typed_found(const dm_typed_column *c);
/** Format for dm_column after a pass. */
dm_format dm_typed_format(const dm_typed *t, size_t column);
uint64_t dm_typed_n_values(const dm_typed *t, size_t column); /* not missing */

/** Spelling of marker i in the source, with its quotes; n_markers of them. Built in memory of t. */
size_t dm_typed_n_markers(const dm_typed *t);
dm_status dm_typed_marker(const dm_typed *t, size_t i, const char **spelling, dm_error *err);
/** JSON array of the column's markers, most frequent first; "[]" when nothing is missing. */
dm_status dm_typed_markers_json(const dm_typed *t, size_t column, dm_buf *out, dm_error *err);

/**
 * What is worth telling: widened columns, look-alikes, mixed markers and line
 * endings, nothing in the file. Texts in the arena.
 */
dm_status dm_typed_notes(const dm_typed *t, dm_arena *arena, const char ***notes, size_t *n, dm_error *err);

#endif
