/*
 * Covers: the rows that hold a set, and what a vertical search does with them.
 * A cover counts among the rows of the search's first item, numbered so that
 * the heaviest stand first; a class is a set with the items that may follow it,
 * all in one form:
 *
 *   rows of the first item   0 1 2 3 4 5     weight 3 1 1 1 1 1
 *   set P    x . x x . x     bits  101101    tids  0 2 3 5
 *   P and a  x . x . . x     bits  101001    tids  0 2 5     diffs (to P)  3
 *   P and b  . . x x . .     bits  001100    tids  2 3       diffs (to P)  0 5
 *   P, a, b  . . x . . .     a & b           a and b meet    diffs (to P, a): those of b without those of a
 *
 * Bits are counted with the weights' binary digits: plane p has the rows whose
 * weight has digit p, and as weights fall, high planes are short.
 *   support = sum over p of 2^p |cover & plane p|
 * Source: Zaki, IEEE TKDE 12(3), 2000 (tids); Zaki & Gouda, KDD 2003 (diffs).
 */
#ifndef DM_PATTERNS_COVER_H
#define DM_PATTERNS_COVER_H

#include <dm/core.h>

enum { COVER_PLANES = 32 };

typedef struct cover_rows {
  size_t n, words;                    /* rows, words of 64 bits for them */
  uint32_t *weight;                   /* [n], falling */
  bool even;                          /* all weights are 1 */
  size_t n_planes, plane_words[COVER_PLANES];
  uint64_t *planes[COVER_PLANES];     /* filled by cover_planes */
} cover_rows;

typedef enum cover_form { COVER_BITS, COVER_TIDS, COVER_DIFFS } cover_form;

typedef struct cover {
  uint32_t item, place; /* place: the item's among all of the first item's class */
  uint64_t support;     /* 0: crossed out */
  size_t n;             /* of a list */
  union {
    uint64_t *bits;     /* [words] */
    uint32_t *list;     /* [n], ascending */
  };
} cover;

/** Digits of the weights. @param block [cover_planes_words] filled and kept */
size_t cover_planes_words(cover_rows *rows);
void cover_planes(cover_rows *rows, uint64_t *block);

/** out = a and b, both bits. @return its support */
uint64_t cover_and(const cover_rows *rows, const uint64_t *a, const uint64_t *b, uint64_t *out);
/** The same when only the support is wanted. */
uint64_t cover_and_support(const cover_rows *rows, const uint64_t *a, const uint64_t *b);
/** True when every row of a is one of b. */
bool cover_is_within(const cover_rows *rows, const uint64_t *a, const uint64_t *b);

/** Rows of both lists. @param out [min(na, nb) + 1] @return how many */
size_t cover_meet(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, uint32_t *out);
/** Rows of a that b has not. @param out [na + 1] @return how many */
size_t cover_less(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, uint32_t *out);
uint64_t cover_weight(const cover_rows *rows, const uint32_t *list, size_t n);

#endif
