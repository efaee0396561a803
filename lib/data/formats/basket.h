/* The inside of the reader of transaction files: a part of a file, and what is read of it. */
#ifndef DM_DATA_BASKET_H
#define DM_DATA_BASKET_H

#include "data/code_rows.h"

enum {
  BASKET_BLOCK = 1 << 16, /* bytes read at once */
  BASKET_MARGIN = 64      /* bytes before and behind the text that may be read, and one behind it written */
};

/**
 * The lines of a file that begin in one range of its bytes:
 *
 *   0        begin            end     capacity
 *   | gone   | lines …  cut   | room  |
 */
typedef struct basket_part {
  dm_ctx *ctx;
  const char *name;    /* of the file, for messages */
  char delimiter;      /* 0 = blanks and tabs */
  int fd;
  bool seekable;       /* then bytes are read at `offset`, which others may do as well */
  bool eof;
  uint64_t offset;     /* of the byte behind end */
  uint64_t limit;      /* lines that begin here or later are not ours */
  uint64_t last;       /* where our lines will end, about; 0 = unknown */
  char *block, *text;  /* text = block + BASKET_MARGIN */
  size_t begin, end, capacity;
  uint64_t line;       /* at begin; in another part than the first, counted from its own first */
  dm_buf item;         /* a quoted item with doubled quotes in it */
  dm_items *items;
  dm_code_rows rows;
  dm_status status;
  dm_error error;
} basket_part;

/**
 * Reads rows of items between blanks from lines that end in \n, [p, end), as long as it sees nothing but ASCII without control characters.
 * @return the first line that was not read, end when all were; *status fails with err.
 */
const char *basket_scan(basket_part *b, const char *p, const char *end, dm_status *status, dm_error *err);
/** One transaction, whatever stands in it, without its newline. */
dm_status basket_line(basket_part *b, const char *p, const char *end, dm_error *err);
/** The newline behind the transaction at p that is not in quotes; NULL when it is not in sight. @param open the quote that is not closed, or NULL */
const char *basket_line_end(const basket_part *b, const char *p, const char *end, const char **open);
/** Puts a place to an error that is filled: byte `at` of the transaction that begins at p. */
dm_status basket_fail_at(const basket_part *b, const char *p, const char *at, const char *end, dm_error *err);

#endif
