/*
 * Kernels of the pattern miners. Whole numbers only: every level of SIMD gives
 * the same.
 *
 * masks   rows of up to 64 columns, one word a row: bit c of mask[r] is column c; row r counts weight[r] times
 * words   columns of up to 64 rows, one word a column: bit r of word[c] is row r
 *
 * Arrays that are read need not be longer than said; those that are written
 * need room for DM_K_SPARE more, which hold anything afterwards.
 */
#ifndef DM_MATRIX_MASKS_H
#define DM_MATRIX_MASKS_H

#include <stddef.h>
#include <stdint.h>

enum { DM_K_SPARE = 16 };

typedef struct dm_k_columns {
  uint64_t *word;
  uint32_t *item, *support; /* what a column is called, and how many rows have it */
  size_t n;
} dm_k_columns;

typedef struct dm_k_masks {
  /** count[c] = weight of the rows with column c, for c < columns; the others hold anything. */
  void (*counts)(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned columns, uint32_t count[64]);
  /** Rows with the column, in their order, reduced to the columns before it, those that have none of them left out. @param sum weight of all with the column */
  size_t (*select)(const uint64_t *mask, const uint32_t *weight, size_t n, unsigned column, uint64_t *out, uint32_t *out_weight, uint32_t *sum);
  /** Leaves the columns of keep, moved together. */
  void (*squeeze)(uint64_t *mask, size_t n, uint64_t keep);
  /** table[s] becomes the sum of table[t] over all t that have the bits of s. @param table [2^columns, 16 at least] */
  void (*subset_sums)(uint32_t *table, unsigned columns);
  /** How many are at least min. */
  size_t (*at_least)(const uint32_t *x, size_t n, uint32_t min);
  /**
   * Takes from count[0 … n) what is at least min and not `all` (places ascending, with the counts), and leaves all of it zero.
   * @param all >= min @param equal how many are `all`: their places come first in `equals`. @return how many it took
   */
  size_t (*take)(uint32_t *count, size_t n, uint32_t min, uint32_t all, uint32_t *place, uint32_t *taken, uint32_t *equals, size_t *equal);
  /**
   * Takes word[place[i]] for i < n, where it has min bits at least, and leaves zeros there; item is its place.
   * @param all bits of one that goes to equals instead. @return how many do
   */
  size_t (*gather)(uint64_t *word, const uint32_t *place, size_t n, unsigned min, uint32_t all, dm_k_columns *out, uint32_t *equals);
  /** word[k] & with, of those k < n for which it has min bits at least and is not `with` itself. @param equal how many are. @return how many it wrote */
  size_t (*meet)(const uint64_t *word, size_t n, uint64_t with, unsigned min, uint64_t *out, size_t *equal);
  /** The same with names and supports. @param support bits of with @param equals names of the equal ones */
  size_t (*meet_columns)(const dm_k_columns *columns, size_t n, uint64_t with, uint32_t support, unsigned min, dm_k_columns *out,
                         uint32_t *equals);
  /** Sets of the n <= 8 columns, the empty one too, that min rows have together. Fewer than 2^8 + 1. */
  uint64_t (*sets_of_8)(const uint64_t *word, size_t n, unsigned min);
} dm_k_masks;

/** Those for this CPU and dm_k_simd. */
const dm_k_masks *dm_k_masks_choose(void);
/** AVX-512 with popcount (VPOPCNTDQ), or NULL where the compiler has none. */
const dm_k_masks *dm_k_masks_avx512(void);

#endif
