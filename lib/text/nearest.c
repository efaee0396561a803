/* "Did you mean": the nearest of a few names. */
#include <dm/text.h>

#include <string.h>

enum { LONGEST = 64 }; /* longer words are no slips of the finger in a name */

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/*
 * Edits between a and b: insert, delete, replace, swap of two neighbours
 * (each place edited once: the restricted Damerau–Levenshtein distance).
 * Row i of the table depends on the two before it.
 */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b) {
  size_t rows[3][LONGEST + 1];
  size_t *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= n_b; j++) above[j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      size_t change = above[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
      row[j] = least(change, 1 + least(above[j], row[j - 1]));
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
        row[j] = least(row[j], before[j - 2] + 1);
    }
    size_t *t = before;
    before = above;
    above = row;
    row = t;
  }
  return above[n_b];
}

const char *dm_text_nearest(const char *word, const char *const *candidates, size_t n) {
  size_t length = strlen(word);
  if (length > LONGEST) return NULL;
  size_t best = 2 + length / 3; /* one more than allowed */
  const char *found = NULL;
  for (size_t i = 0; i < n; i++) {
    size_t other = strlen(candidates[i]), longer = length > other ? length : other;
    if (other > LONGEST) continue;
    size_t d = distance(word, length, candidates[i], other);
    if (d < best && (d < longer || longer == 0)) { /* at d = longer they share nothing */
      best = d;
      found = candidates[i];
    }
  }
  return found;
}
