/* Heap sort: no memory of its own and no bad inputs, which strangers' documents could be made of. */
#include "text/keyed.h"

#include <string.h>

static void swap(dm_keyed *a, dm_keyed *b) {
  dm_keyed t = *a;
  *a = *b;
  *b = t;
}

static void sift_down(dm_keyed *m, size_t root, size_t n) {
  for (size_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && strcmp(m[child + 1].key, m[child].key) > 0) child++;
    if (strcmp(m[child].key, m[root].key) <= 0) return;
    swap(&m[root], &m[child]);
  }
}

void dm_keyed_sort(dm_keyed *members, size_t n) {
  for (size_t root = n / 2; root-- > 0;) sift_down(members, root, n);
  for (size_t last = n; last-- > 1;) {
    swap(&members[0], &members[last]);
    sift_down(members, 0, last);
  }
}
