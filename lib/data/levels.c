/* Levels of a category column: finding the code of a value. */
#include <dm/data.h>

static size_t find_text(const dm_levels *levels, dm_str key) {
  size_t low = 0, high = levels->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int c = dm_str_compare(levels->names[middle], key);
    if (c == 0) return middle;
    if (c < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return SIZE_MAX;
}

static size_t find_number(const dm_levels *levels, double v) {
  size_t low = 0, high = levels->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (levels->numbers[middle] == v) return middle;
    if (levels->numbers[middle] < v)
      low = middle + 1;
    else
      high = middle;
  }
  return SIZE_MAX;
}

size_t dm_levels_find(const dm_levels *levels, dm_value v) {
  bool text = levels->numbers == NULL;
  char printed[DM_NUMBER_MAX];
  double number;
  switch (v.type) {
  case DM_INTEGER:
    if (!text) return find_number(levels, (double)v.integer);
    return find_text(levels, (dm_str){printed, dm_text_of_int(v.integer, printed)});
  case DM_REAL:
    if (!text) return find_number(levels, v.real);
    return find_text(levels, (dm_str){printed, dm_text_of_double(v.real, true, printed)});
  case DM_TEXT:
    if (text) return find_text(levels, v.text);
    return dm_text_to_double(v.text.p, v.text.n, &number) ? find_number(levels, number) : SIZE_MAX;
  case DM_NULL:
  case DM_BLOB: break;
  }
  return SIZE_MAX;
}
