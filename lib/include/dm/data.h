/**
 * data: delimited files in, typed column frames, encoders, splits, datasets.
 * Nothing here knows SQLite; the store feeds and drains these.
 */
#ifndef DM_DATA_H
#define DM_DATA_H

#include <dm/core.h>
#include <dm/matrix.h>
#include <dm/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values ------------------------------------------------------------ */

typedef enum dm_type { DM_NULL = 0, DM_INTEGER = 1, DM_REAL = 2, DM_TEXT = 3, DM_BLOB = 4 } dm_type;
DM_API const char *dm_type_name(dm_type t); /* "INTEGER" … as in SQL */

/** One typed cell, borrowed. */
typedef struct dm_value {
  dm_type type;
  int64_t integer; /* DM_INTEGER */
  double real;     /* DM_REAL */
  dm_str text;     /* DM_TEXT, DM_BLOB */
} dm_value;

/* ---- column formats: how a number came and goes back -------------------- */

/**
 * A REAL column keeps the one format that prints all its cells back to their
 * bytes. "shortest" digits are the fewest that read back to the same double.
 */
typedef enum dm_format_kind {
  DM_FORMAT_NONE = 0,   /* TEXT */
  DM_FORMAT_INTEGER,    /* "integer"  */
  DM_FORMAT_SHORTEST,   /* "shortest" 1.0 0.25 */
  DM_FORMAT_SHORTEST_0, /* "shortest-int": shortest without .0  (1 0.25) */
  DM_FORMAT_DECIMALS,   /* "decimals:k" */
  DM_FORMAT_REPR,       /* "repr": shortest digits laid out as by Python: 1.0 1e-05 1e+16 */
  DM_FORMAT_COMPACT,    /* "compact": positional unless the exponent form is shorter, as R writes: 1 1e+05 1e-04 */
  DM_FORMAT_GENERAL,    /* "general:k": printf %.kg */
  DM_FORMAT_EXPONENT    /* "exponent:k": printf %.ke */
} dm_format_kind;

enum { DM_FORMAT_MAX_DECIMALS = 20 };

typedef struct dm_format {
  dm_format_kind kind;
  unsigned decimals; /* k of DECIMALS, GENERAL (from 1), EXPONENT: at most DM_FORMAT_MAX_DECIMALS */
  bool bare;         /* no zero before the point: .5 -.25 ("…,bare") */
  bool quoted;       /* every non-missing cell stood in quotes ("…,quoted" in dm_column.format) */
} dm_format;

/** Prints a number, NUL-ended, whatever the locale. @return its length; 0 for TEXT, BLOB and NULL, or when capacity (400 always suffices) is too small. */
DM_API size_t dm_format_print(dm_format f, dm_value v, char *out, size_t capacity);
DM_API void dm_format_name(dm_format f, char out[32]);       /* as stored in dm_column.format */
DM_API bool dm_format_parse(const char *name, dm_format *out); /* false and *out untouched for another text */

/* ---- delimited files ---------------------------------------------------- */

typedef enum dm_auto { DM_AUTO = 0, DM_YES, DM_NO } dm_auto;
typedef enum dm_on_extra { DM_EXTRA_REJECT = 0, DM_EXTRA_MERGE, DM_EXTRA_DROP } dm_on_extra;

/** What the user said; zeroes mean "detect". Strings borrowed. */
typedef struct dm_csv_options {
  char delimiter;            /* 0 = detect among , ; tab | : and the like */
  char quote;                /* 0 = '"', or '\'' where all of the sample is even with it and not without */
  const char *encoding;      /* NULL = detect; any name iconv knows */
  dm_auto header, trim;
  bool all_text;             /* --types text */
  const char *const *columns; /* names given by the user */
  size_t n_columns;
  const char *const *nulls;   /* texts that mean missing, besides the empty unquoted cell */
  size_t n_nulls;
  dm_on_extra on_extra;
  size_t max_cell;           /* bytes, at most 512 MB; 0 = 64 MB or an eighth of the budget: a longer cell rejects its record, as does a record longer by 1 MB */
} dm_csv_options;

/** What was found on the sample and is announced; owned by the reader. */
typedef struct dm_csv_dialect {
  char delimiter, quote;
  char escape; /* '\\' when quotes inside quoted cells are written \", else 0: they are doubled */
  bool header, header_quoted, trim, bom, crlf; /* crlf: records end in \r\n (the ending of most) */
  bool trailing;                               /* records end in one delimiter more than there are columns */
  const char *line_ending;                     /* of most records: "\n", "\r\n" or "\r" */
  bool mixed_endings, final_newline;           /* final_newline known only after the end was read */
  bool spaced; /* trimmed were just one blank behind each delimiter; known after the end too */
  const char *encoding;                        /* canonical name: "UTF-8", "UTF-16LE", "ISO-8859-1", … */
  size_t sample_records, sample_bytes;
} dm_csv_dialect;

/** A column as the sample shows it. */
typedef struct dm_csv_column {
  const char *name;
  dm_type type; /* DM_INTEGER, DM_REAL or DM_TEXT */
  const char *header; /* the header's own text (unquoted), where name is a repaired one; NULL when they are the same */
} dm_csv_column;

typedef enum dm_reject_reason {
  DM_REJECT_NONE = 0, DM_REJECT_TOO_FEW, DM_REJECT_TOO_MANY, DM_REJECT_QUOTE, DM_REJECT_ENCODING, DM_REJECT_NUL, DM_REJECT_TOO_LONG
} dm_reject_reason;

/** One cell of a record: bytes in UTF-8, unquoted, trimmed when the dialect trims. */
typedef struct dm_csv_cell {
  const char *p;
  size_t n;
  bool quoted;
} dm_csv_cell;

/** One record; everything borrowed until the next call. */
typedef struct dm_csv_record {
  uint64_t record;      /* 1 = first after the header */
  uint64_t line;        /* physical line where it begins, from 1 */
  uint64_t byte_offset; /* in the source file's own bytes */
  size_t n_cells;       /* found; of a good record as many as there are columns */
  const dm_csv_cell *cells; /* [n_cells]; NULL when the record does not fit */
  dm_reject_reason reason; /* NONE, or why the record does not fit */
  size_t column;           /* byte column on its line for messages (in encodings as Shift-JIS the character's), 0 = none */
  const char *raw;         /* rejects: the record in the source's own bytes without its line ending; of one too long to hold the first MB */
  size_t raw_n;
  const char *message;     /* "5 fields, header has 4"; NULL when good */
} dm_csv_record;

typedef struct dm_csv dm_csv;

/**
 * Opens a delimited file, reads the sample (the first 1 MB, and 64 KB from the
 * middle and the end where the file can be sought), detects what the options
 * leave open. Memory: O(block + longest record).
 * @return DM_OK; DM_EIO (missing, directory, unreadable); DM_EINPUT (empty, no record, unknown encoding, binary);
 *         DM_EUSAGE (options that contradict, for instance --columns of another count).
 */
DM_API dm_status dm_csv_open(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_csv **out, dm_error *err);
/** The same over bytes in memory (borrowed). name is for messages. */
DM_API dm_status dm_csv_open_memory(dm_ctx *ctx, const char *name, const char *p, size_t n, const dm_csv_options *options,
                                    dm_csv **out, dm_error *err);
/**
 * Opens a file that was read before, its dialect known: nothing is detected,
 * there are no names and types. Go to a record that was good with dm_csv_seek.
 */
DM_API dm_status dm_csv_reopen(dm_ctx *ctx, const char *path, const dm_csv_dialect *dialect, size_t n_columns, dm_on_extra on_extra,
                               dm_csv **out, dm_error *err);
DM_API void dm_csv_close(dm_csv *csv);
DM_API const dm_csv_dialect *dm_csv_get_dialect(const dm_csv *csv);
DM_API size_t dm_csv_n_columns(const dm_csv *csv);
DM_API const dm_csv_column *dm_csv_get_column(const dm_csv *csv, size_t i);
/** What was found odd and how it was taken ("column 3 has no name: called 'c3'"), to be announced; in order. */
DM_API size_t dm_csv_n_notes(const dm_csv *csv);
DM_API const char *dm_csv_note(const dm_csv *csv, size_t i);
/** Is the cell missing: empty without quotes, or one of the null texts (in quotes only when the sample has it in quotes alone). */
DM_API bool dm_csv_is_missing(const dm_csv *csv, const dm_csv_cell *cell);
/** Next record, good or not. *record NULL at the end. DM_EIO and DM_EBUDGET and DM_ECANCEL end the reading. */
DM_API dm_status dm_csv_next(dm_csv *csv, const dm_csv_record **record, dm_error *err);
/** Back to the first record (sources that cannot be sought were spooled to a temporary file). */
DM_API dm_status dm_csv_rewind(dm_csv *csv, dm_error *err);
/** Goes to a record boundary stored earlier (dm_origin): record number, line and offset as they were given. */
DM_API dm_status dm_csv_seek(dm_csv *csv, uint64_t record, uint64_t line, uint64_t byte_offset, dm_error *err);
/** Raw source bytes of the record last given, without its line ending; borrowed until the next call. */
DM_API dm_status dm_csv_raw(dm_csv *csv, dm_str *raw, dm_error *err);
/** Raw bytes of a whole record as UTF-8, added to out; '?' for what is not of the encoding. @param encoding as in a dialect */
DM_API dm_status dm_csv_raw_text(const char *encoding, dm_str raw, dm_buf *out, dm_error *err);
DM_API uint64_t dm_csv_bytes(const dm_csv *csv);         /* size of the source, 0 = unknown yet */
DM_API uint64_t dm_csv_bytes_done(const dm_csv *csv);
/** SHA-256 of the source's bytes, lower-case hex; complete once the end was reached. */
DM_API const char *dm_csv_sha256(const dm_csv *csv);

/* ---- column typing: shared by import, types of derived data and tests ---- */

/**
 * What all cells of a column seen so far allow; starts with everything
 * allowed. INTEGER: every cell is what the number prints as, within int64.
 * REAL: one format prints every cell back to its bytes; integers beyond 2^53
 * and negative zeros (SQLite stores them as 0) are refused.
 */
typedef struct dm_typing {
  bool may_integer, may_real;
  bool shortest, shortest_0, repr, compact; /* REAL formats still possible */
  bool decimals_known, decimals_ok;
  unsigned decimals;
  bool general, general_17;                 /* general:k for k in [general_low, general_high]; general:17 */
  unsigned general_low, general_high;
  bool exponent_known, exponent_ok;
  unsigned exponent;
  bool bare_seen, zero_seen;                /* .5 was seen, 0.5 was seen */
  uint64_t n, n_missing;
  uint64_t n_quoted, n_unquoted;
} dm_typing;

DM_API void dm_typing_init(dm_typing *t);
/** One non-missing cell. O(n); numbers are read and printed only beyond 15 digits or with an exponent. */
DM_API void dm_typing_see(dm_typing *t, const char *p, size_t n, bool quoted);
DM_API void dm_typing_see_missing(dm_typing *t);
DM_API dm_type dm_typing_type(const dm_typing *t);                            /* TEXT when nothing was seen */
DM_API dm_format dm_typing_format(const dm_typing *t);

/* ---- frame --------------------------------------------------------------- */

typedef enum dm_kind { DM_NUMERIC = 0, DM_CATEGORY = 1 } dm_kind;

/** Levels of a category column: sorted by bytes for TEXT, by value for numbers; codes are places in this order. */
typedef struct dm_levels {
  size_t n;
  dm_type type;           /* of the values: DM_TEXT, DM_INTEGER or DM_REAL */
  const dm_str *names;    /* [n] printed form */
  const double *numbers;  /* [n] for INTEGER/REAL, else NULL */
} dm_levels;
/**
 * Code of a value, or SIZE_MAX; O(log n). Numbers look for their text among
 * TEXT levels as the frame builder prints them; a text that is a number looks
 * for its value among numeric levels.
 */
DM_API size_t dm_levels_find(const dm_levels *levels, dm_value v);

/**
 * One column of n cells in double: the number, or the level code of a
 * category. Missing cells hold NaN in both kinds, and only they do: infinity
 * and NaN are refused on entry.
 */
typedef struct dm_frame_column {
  const char *name;
  dm_kind kind;
  dm_type type;       /* of the source */
  double *values;     /* [n] */
  size_t n_missing;
  dm_levels levels;   /* DM_CATEGORY */
} dm_frame_column;

/** Typed columns of one length; everything lives in its memory. */
typedef struct dm_frame {
  dm_ctx *ctx;
  size_t n, d;
  dm_frame_column *columns;
  int64_t *row_ids;   /* [n] dm_id of each row, or NULL: then rows are 1 … n */
  uint64_t rejects;   /* records of a data file that did not fit */
  dm_arena *memory;
} dm_frame;

/** Builds a frame from rows of values; used by the store's reader and by files. After a failure it can only be freed. */
typedef struct dm_frame_builder dm_frame_builder;
DM_API dm_status dm_frame_builder_new(dm_ctx *ctx, size_t d, const char *const *names, bool has_row_ids, size_t rows_expected,
                                      dm_frame_builder **out, dm_error *err);
/** @param values [d]; REAL NaN or infinity, and BLOB, are DM_EINPUT naming row and column. */
DM_API dm_status dm_frame_builder_add(dm_frame_builder *b, const dm_value *values, int64_t row_id, dm_error *err);
/**
 * The same cell by cell, for readers in a hurry: sets a cell of the row being
 * built, at most once; cells not set are missing. end_row closes the row.
 */
DM_API dm_status dm_frame_builder_integer(dm_frame_builder *b, size_t column, int64_t v, dm_error *err);
DM_API dm_status dm_frame_builder_real(dm_frame_builder *b, size_t column, double v, dm_error *err);
DM_API dm_status dm_frame_builder_text(dm_frame_builder *b, size_t column, const char *p, size_t n, dm_error *err);
DM_API dm_status dm_frame_builder_end_row(dm_frame_builder *b, int64_t row_id, dm_error *err);
/**
 * Finishes: a column whose cells are all numbers or missing is DM_NUMERIC
 * (REAL when any cell was, or all are missing), any TEXT makes it DM_CATEGORY
 * (numbers in it as their text: INTEGER 3 is "3", REAL 3 is "3.0"). Integers
 * beyond 2^53 that double cannot hold are rounded, with one warning that names
 * the column. The builder is freed in any case.
 */
DM_API dm_status dm_frame_builder_finish(dm_frame_builder *b, dm_frame **out, dm_error *err);
DM_API void dm_frame_builder_free(dm_frame_builder *b);
DM_API void dm_frame_free(dm_frame *frame);
DM_API size_t dm_frame_find(const dm_frame *frame, const char *name); /* SIZE_MAX when absent; exact, then ASCII case-insensitive */
/** Turns a numeric column into a category of its distinct values (a class target given as 0/1). */
DM_API dm_status dm_frame_make_category(dm_frame *frame, size_t column, dm_error *err);
/** Distinct values, missing not counted; counting stops at stop_at (0 = never). SIZE_MAX after filling err. */
DM_API size_t dm_frame_n_distinct(const dm_frame *frame, size_t column, size_t stop_at, dm_error *err);

/* ---- splits ---------------------------------------------------------------- */

/**
 * Splits n rows in a training and a test part. Stratified when classes is
 * given (every class keeps its share, largest remainder, and at least one row
 * in training), grouped when groups is given (no group on both sides; then
 * shares are as near as a greedy deal of whole groups brings them). Both parts
 * ascending and not empty.
 * @param classes [n] any values, NaN is a class of its own; or NULL. @param groups [n] values without NaN, or NULL.
 * @param train,test arrays of capacity n.
 * @return DM_EUSAGE (share not between 0 and 1); DM_EINPUT (fewer than 2 rows or groups, a row without a group, no row or group
 *         can be spared because each is the only one of its class).
 */
DM_API dm_status dm_split(dm_ctx *ctx, size_t n, double test_share, uint64_t seed, const double *classes, const double *groups,
                          size_t *train, size_t *n_train, size_t *test, size_t *n_test, dm_error *err);
/**
 * fold[i] in 0 … k-1, stratified and grouped alike; no fold is empty. Classes
 * of fewer than k rows are in some folds only (a notice says so).
 * @return DM_EUSAGE (k < 2); DM_EINPUT (k greater than the number of rows or groups, a row without a group).
 */
DM_API dm_status dm_split_folds(dm_ctx *ctx, size_t n, size_t k, uint64_t seed, const double *classes, const double *groups,
                                uint32_t *fold, dm_error *err);

/* ---- transactions: what pattern miners read -------------------------------------- */

/**
 * Sets of items. Item codes are 0, 1, 2, … in order of first appearance. Each
 * row has each of its items once, in the order of the source, which need not
 * be that of the codes. Empty transactions count in `total` and `empty` alone.
 */
typedef struct dm_transactions {
  dm_ctx *ctx;
  dm_csr rows;            /* (n, n_items): transactions that are not empty, in the order of the source */
  uint32_t *weight;       /* [n] how many times a row counts, >= 1; NULL: once each */
  uint64_t total;         /* N: all transactions with their weights, empty ones too */
  uint64_t empty;         /* how many of them have no item */
  uint64_t repeated;      /* items that stood twice in one transaction and were taken once */
  size_t n_items;
  const dm_str *names;    /* [n_items] */
  uint64_t *support;      /* [n_items] transactions, with their weights, that have the item */
  const uint32_t *parent_start, *parent; /* hierarchy: ancestors of item i are parent[parent_start[i]] …; NULL = none; owned */
  void *memory;           /* what holds the names (private) */
} dm_transactions;
DM_API void dm_transactions_free(dm_transactions *t); /* NULL allowed */
DM_API size_t dm_transactions_find(const dm_transactions *t, dm_str name); /* code, or SIZE_MAX */

/** Builds transactions from (transaction, item) pairs in any order, or transaction by transaction. */
typedef struct dm_transactions_builder dm_transactions_builder;
DM_API dm_status dm_transactions_builder_new(dm_ctx *ctx, dm_transactions_builder **out, dm_error *err);
DM_API void dm_transactions_builder_free(dm_transactions_builder *b);
/** One item of the transaction that is being built; repeated ones are taken once. */
DM_API dm_status dm_transactions_builder_item(dm_transactions_builder *b, const char *p, size_t n, dm_error *err);
/** The same for an item known by its code (from _code): what readers in a hurry do. */
DM_API dm_status dm_transactions_builder_code(dm_transactions_builder *b, const char *p, size_t n, uint32_t *code, dm_error *err);
DM_API dm_status dm_transactions_builder_add(dm_transactions_builder *b, uint32_t code, dm_error *err);
/** Closes it. @param weight how many times it counts, 1 … 2^32-1 */
DM_API dm_status dm_transactions_builder_end(dm_transactions_builder *b, uint64_t weight, dm_error *err);
/** One pair of a long table instead: pairs of one tid may stand anywhere; transactions come in order of their first pair. Not mixed with the above. */
DM_API dm_status dm_transactions_builder_pair(dm_transactions_builder *b, int64_t tid, uint32_t code, dm_error *err);
/**
 * Opens the transaction of that tid, or goes on with it: items that are added next are its, and it counts without any. Runs of one
 * tid cost least. @return DM_EINPUT: another weight than it had. Not mixed with _end.
 */
DM_API dm_status dm_transactions_builder_tid(dm_transactions_builder *b, int64_t tid, uint64_t weight, dm_error *err);
/** Frees the builder in any case. @return DM_EINPUT: no transaction, more than 2^32-1 items. */
DM_API dm_status dm_transactions_builder_finish(dm_transactions_builder *b, dm_transactions **out, dm_error *err);

/** How a transaction file is read: one transaction a line. */
typedef struct dm_basket_options {
  const char *delimiter; /* NULL: items stand between runs of blanks and tabs; else this one character, and items are trimmed and may stand in quotes */
} dm_basket_options;
/**
 * Reads a transaction file ("-" is standard input). An empty line is an empty transaction.
 * @return DM_EIO; DM_EINPUT with file:line:column: a NUL byte, an unclosed quote, bytes that are no UTF-8; DM_EBUDGET.
 * Cost: one pass; memory 4 bytes an item and 8 a transaction, besides the names. Threads: large files without delimiter; the
 * transactions are the same for any number of them.
 */
DM_API dm_status dm_basket_read(dm_ctx *ctx, const char *path, const dm_basket_options *options, dm_transactions **out, dm_error *err);
/**
 * Items of a text, a cell of a table, for the transaction that is being built: a JSON array of texts and numbers when it begins
 * with '[', else split as a line of a transaction file.
 */
typedef struct dm_basket_splitter dm_basket_splitter;
DM_API dm_status dm_basket_splitter_new(dm_ctx *ctx, const dm_basket_options *options, dm_basket_splitter **out, dm_error *err);
/** @return DM_EINPUT with what is wrong, to be read behind the name of the cell: "is not UTF-8 text". */
DM_API dm_status dm_basket_splitter_add(dm_basket_splitter *b, dm_str text, dm_transactions_builder *to, dm_error *err);
DM_API void dm_basket_splitter_free(dm_basket_splitter *b); /* NULL allowed */

/** A frame as transactions. */
typedef struct dm_itemize_options {
  size_t bins;       /* numeric columns of more than so many values are cut into so many parts of about equal counts, "age=[25, 38)"; 0 = never */
  bool one_hot;      /* columns are items, which are there where the cell is a number other than 0, or true, yes, t or y */
  const char *count; /* column with the weight of a row, NULL none; never an item */
} dm_itemize_options;
/**
 * Items are "column=value"; missing cells give none.
 * @param columns [d] of the frame. @return DM_EUSAGE: no such count column; DM_EINPUT: a cell that is no count, or neither yes nor no.
 */
DM_API dm_status dm_frame_itemize(const dm_frame *frame, const size_t *columns, size_t d, const dm_itemize_options *options,
                                  dm_transactions **out, dm_error *err);
/**
 * Hierarchy: transactions with the ancestors of their items, too, which the result lists. Codes of items stay.
 * @param pairs [n][2] child, parent; a child may have several.
 * @return DM_EINPUT: an item that is its own ancestor, named. Source: Srikant & Agrawal, VLDB 1995.
 */
DM_API dm_status dm_transactions_generalise(const dm_transactions *t, const dm_str (*pairs)[2], size_t n, dm_transactions **out, dm_error *err);
/** Takes items away from all rows, in place; their codes keep their names. @param drop [n_items] */
DM_API dm_status dm_transactions_drop(dm_transactions *t, const bool *drop, dm_error *err);

/* ---- encoders --------------------------------------------------------------- */

typedef enum dm_impute { DM_IMPUTE_NONE = 0, DM_IMPUTE_MEAN, DM_IMPUTE_MEDIAN, DM_IMPUTE_MODE, DM_IMPUTE_CONSTANT } dm_impute;
typedef enum dm_scale { DM_SCALE_NONE = 0, DM_SCALE_STANDARD, DM_SCALE_MINMAX, DM_SCALE_ROBUST, DM_SCALE_QUANTILE } dm_scale;
typedef enum dm_code { DM_CODE_ONE_HOT = 0, DM_CODE_ORDINAL, DM_CODE_QUANTILE } dm_code;
DM_API bool dm_scale_parse(const char *name, dm_scale *out); /* "none" … "quantile"; false and *out untouched for another text */

typedef struct dm_encode_options {
  dm_impute impute_numeric, impute_category;
  dm_scale scale;
  dm_code categories;     /* ONE_HOT or ORDINAL */
  size_t quantile_bins;   /* 0 = numbers stay numbers; else code = bin, as ORDINAL */
  double constant;        /* for DM_IMPUTE_CONSTANT */
  bool indicators;        /* a numeric column with missing training cells gets one output more: "<name> missing", 0 or 1 */
  bool other;             /* ORDINAL: a last code for what has no other, so that no code is -1 or NaN */
  size_t max_levels;      /* only so many levels, the most frequent, keep their own code; 0 = all */
} dm_encode_options;

/**
 * Fitted encoder: raw row (d doubles, NaN missing, level codes; -1 = unseen
 * level) → m encoded doubles, stored as float. Fitted on training rows only,
 * computed in double; `passthrough` (the learner takes missing values and
 * categories) copies. Const and thread-safe after fitting.
 *
 * Numbers: imputed, then scaled, or cut into bins (bin = number of inner
 * quantiles ≤ v). Mode: the most frequent, the smallest of several. Without
 * imputation NaN stays NaN. A constant column becomes 0. Scales:
 *   standard  (v - mean) / sd with division by n
 *   minmax    (v - low) / (high - low)
 *   robust    x / sqrt(1 + (x/3)^2), x = (v - median) / s, s the distance of the quartiles, or half the range where that is 0
 *   quantile  v between up to 1000 quantiles of the training rows to that place between their standard normal scores
 * The score of the quantiles that share a value is that of their mean share,
 * kept 1/(2n) from 0 and 1; beyond the ends the end's score stays.
 * Categories: one output for each level of the training rows, or its place
 * among them; a level not seen there is all zero, or -1. Missing is the mode,
 * a level of its own (DM_IMPUTE_CONSTANT), or all zero and NaN (NONE). With
 * `other` codes are 0 … n-1 for the n levels that have their own, then one for
 * missing (DM_IMPUTE_CONSTANT), then one for all else. Of levels equally
 * frequent at max_levels the first keep their code.
 * Source: robust: Holzmüller, Grinsztajn & Steinwart, NeurIPS 2024 (RealMLP).
 * @param rows [n] training rows; NULL = 0 … n-1.
 * @return DM_EUSAGE (options that contradict); DM_EINPUT (values that double cannot average or scale); DM_EBUDGET.
 */
typedef struct dm_encoder dm_encoder;
DM_API dm_status dm_encoder_fit(dm_ctx *ctx, const dm_frame *frame, const size_t *columns, size_t d, const size_t *rows, size_t n,
                                const dm_encode_options *options, dm_encoder **out, dm_error *err);
DM_API dm_status dm_encoder_passthrough(dm_ctx *ctx, size_t d, dm_encoder **out, dm_error *err);
DM_API void dm_encoder_free(dm_encoder *e);
DM_API size_t dm_encoder_n_inputs(const dm_encoder *e);
DM_API size_t dm_encoder_n_outputs(const dm_encoder *e);
/** Which input an output comes from, and a name for it ("sex=Male"; NULL of a passthrough: the input's own). */
DM_API size_t dm_encoder_source(const dm_encoder *e, size_t output);
DM_API const char *dm_encoder_output_name(const dm_encoder *e, size_t output);
/** Codes that an output may take, 0 … levels-1 for any row; 0 = a number, or an ordinal without `other`, which may be -1 or NaN. */
DM_API size_t dm_encoder_output_levels(const dm_encoder *e, size_t output);
/** @param raw [d] @param out [m], must not overlap raw. No allocation. */
DM_API void dm_encoder_row(const dm_encoder *e, const double *raw, double *out);
DM_API void dm_encoder_save(const dm_encoder *e, dm_json_out *json); /* one JSON value */
/** Everything is checked (DM_EINPUT): a loaded encoder takes any row. */
DM_API dm_status dm_encoder_load(dm_ctx *ctx, const dm_json *json, size_t d, dm_encoder **out, dm_error *err);

/* ---- datasets and cursors ------------------------------------------------------ */

typedef enum dm_block_kind { DM_BLOCK_RAW = 0, DM_BLOCK_DENSE = 1, DM_BLOCK_BINNED = 2 } dm_block_kind;

/** One block of a dataset; RAW is column-major double straight from the frame (exact thresholds are cut there). */
typedef struct dm_block {
  dm_block_kind kind;
  size_t d;
  const double *const *raw; /* RAW: [d] → [n] */
  const size_t *levels;     /* [d] 0 = numeric, else number of levels; DENSE: codes 0 … levels-1 of an ordinal encoding; NULL = all numeric */
  const dm_dense *dense;
  const dm_binned *binned;
} dm_block;

/** What a learner trains on: blocks of n rows, target and weights; all borrowed. */
typedef struct dm_dataset {
  size_t n, n_blocks;
  const dm_block *blocks;
  const double *target;    /* [n] value, or class code; NULL when there is none */
  size_t n_classes;        /* 0 = regression */
  const double *weights;   /* [n] or NULL = all 1 */
  const double *groups;    /* [n] or NULL */
  const int64_t *row_ids;  /* [n] or NULL */
} dm_dataset;

DM_API const dm_block *dm_dataset_block(const dm_dataset *data, dm_block_kind kind); /* NULL when absent */

/**
 * Batches of rows in a stored order: the same batches whatever the source.
 * order NULL = 0 … n-1.
 */
typedef struct dm_cursor {
  const dm_dataset *data;
  const size_t *order;
  size_t batch, at;
} dm_cursor;
DM_API void dm_cursor_init(dm_cursor *c, const dm_dataset *data, const size_t *order, size_t batch);
/** Row numbers of the next batch. @return rows in it, 0 at the end. */
DM_API size_t dm_cursor_next(dm_cursor *c, const size_t **rows, size_t *first);

#ifdef __cplusplus
}
#endif
#endif
