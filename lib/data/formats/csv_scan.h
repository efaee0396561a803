/*
 * Structural scan of delimited text: 64 bytes become bit masks, masks become
 * a list of places where cells and records end.
 */
#ifndef DM_DATA_CSV_SCAN_H
#define DM_DATA_CSV_SCAN_H

#include <dm/core.h>

enum { CSV_BLOCK = 64, CSV_WINDOW_BLOCKS = 64, CSV_WINDOW = CSV_BLOCK * CSV_WINDOW_BLOCKS };

/** The characters that structure a text. */
typedef struct csv_chars {
  char delimiter, quote;
  char escape; /* before a quote inside quotes; 0 = only doubled quotes */
  bool trim;   /* blanks around a quoted cell do not belong to it */
} csv_chars;

/** Where the characters stand in one block: bit i = byte i. */
typedef struct csv_masks {
  uint64_t delimiter, quote, lf, cr;
} csv_masks;

/**
 * One way to make masks. All give the same bits.
 * masks: for n ≤ CSV_WINDOW_BLOCKS blocks at p; bit i of the result is set
 * when block i holds a NUL or a byte beyond ASCII.
 */
typedef struct csv_scan_ops {
  const char *name; /* as in DM_SIMD */
  uint64_t (*masks)(const csv_chars *c, const char *p, size_t n, csv_masks *out);
} csv_scan_ops;

extern const csv_scan_ops csv_scan_scalar;
/** The fastest this CPU has, or the one the environment variable DM_SIMD names (scalar, sse2, avx2, avx512). */
const csv_scan_ops *csv_scan_best(void);

/** What stands at an indexed place; kept in the top bits of an entry. */
typedef enum csv_mark {
  CSV_DELIMITER = 0, /* a cell ends */
  CSV_END = 1,       /* a record ends: \n, or \r whether or not \n follows */
  CSV_NEWLINE = 2,   /* a line ends inside quotes */
  CSV_BROKEN = 3     /* text after a closing quote */
} csv_mark;

enum { CSV_MARK_SHIFT = 30 };
#define CSV_PLACE(entry) ((entry) & (((uint32_t)1 << CSV_MARK_SHIFT) - 1))

typedef enum csv_state {
  CSV_START = 0,    /* a cell begins here */
  CSV_PLAIN,        /* inside an unquoted cell; quotes are text */
  CSV_QUOTED,       /* inside quotes */
  CSV_ESCAPED,      /* inside quotes, behind the escape character */
  CSV_CLOSED,       /* behind a quote that closes, or is the first of two */
  CSV_CLOSED_BLANK  /* the same, and a blank (trim) */
} csv_state;

/** Carries the scan over block borders; any size of blocks gives the same index. */
typedef struct csv_scan {
  const csv_scan_ops *ops;
  csv_chars chars;
  csv_state state;
  bool cr;          /* the byte before was \r */
  uint64_t suspect; /* of the last window: blocks with NUL or bytes beyond ASCII */
} csv_scan;

void csv_scan_init(csv_scan *scan, csv_chars chars);
void csv_scan_restart(csv_scan *scan); /* at the first byte of a record */
/**
 * Indexes n ≤ CSV_WINDOW bytes at p, whole blocks unless these are the last.
 * @param base added to each place; base + n < 2^30
 * @param index [CSV_WINDOW] places in ascending order, marks in the top bits. @return entries written
 */
size_t csv_scan_window(csv_scan *scan, const char *p, size_t n, uint32_t base, uint32_t *index);

#endif
