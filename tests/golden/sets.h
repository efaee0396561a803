/*
 * Numbers of sets, made by make_sets.sh with LCM 5.3 and checked with Borgelt's
 * Eclat; of generators, which they do not count, what four searches here agree
 * on that share no code. The empty set is not among them.
 */
#include <stdint.h>

enum { SETS_ALL = 0, SETS_NO_APRIORI, SETS_AUTO, SETS_SLOW }; /* who counts them while one waits: all, all but Apriori, auto, nobody */

static const struct golden_sets {
  const char *data;
  uint64_t support, n[4]; /* frequent, closed, maximal, generators; 0 = not counted */
  int quick[4];
} golden_sets[] = {
    {"mushroom", 1000, {123277, 3427, 467, 4751}, {SETS_ALL, SETS_NO_APRIORI, SETS_NO_APRIORI, SETS_ALL}},
    {"mushroom", 406, {3755705, 12854, 1452, 21159}, {SETS_NO_APRIORI, SETS_NO_APRIORI, SETS_NO_APRIORI, SETS_NO_APRIORI}},
    {"mushroom", 81, {91273269, 51672, 6733, 103516}, {SETS_AUTO, SETS_AUTO, SETS_AUTO, SETS_AUTO}},
    {"connect", 50000, {1928335, 26417, 985, 26417}, {SETS_NO_APRIORI, SETS_NO_APRIORI, SETS_NO_APRIORI, SETS_NO_APRIORI}},
    {"connect", 40000, {23981183, 71990, 2195, 71990}, {SETS_AUTO, SETS_AUTO, SETS_AUTO, SETS_AUTO}},
    {"connect", 20000, {0, 474297, 11166, 474297}, {SETS_SLOW, SETS_SLOW, SETS_SLOW, SETS_SLOW}},
    {"retail", 9, {240852, 189077, 75200, 191265}, {SETS_AUTO, SETS_SLOW, SETS_SLOW, SETS_SLOW}},
    {"retail", 4, {4106008, 732061, 319380, 801352}, {SETS_SLOW, SETS_SLOW, SETS_SLOW, SETS_SLOW}},
    {"T10I4D100K", 10, {411365, 283397, 127264, 307466}, {SETS_AUTO, SETS_SLOW, SETS_SLOW, SETS_SLOW}},
};
