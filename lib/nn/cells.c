/* What cells of rows are, and for training what rebuilding them costs. */
#include "nn/cells.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

dm_status nn_cells_init(nn_cells *c, dm_arena *memory, const size_t *levels, size_t d, dm_error *err) {
  size_t *numbers = dm_arena_alloc(memory, d, sizeof *numbers, err), *categories = dm_arena_alloc(memory, d, sizeof *categories, err);
  size_t *codes = dm_arena_alloc(memory, d, sizeof *codes, err);
  if (!numbers || !categories || !codes) return DM_EBUDGET;
  *c = (nn_cells){.d = d, .numbers = numbers, .categories = categories, .levels = codes};
  for (size_t j = 0; j < d; j++) {
    size_t n = levels && levels[j] ? levels[j] : 1;
    if (levels && levels[j] == 1) return dm_fail(err, DM_EINPUT, "column %zu has one code, want those of missing and of other cells", j + 1);
    if (n > NN_SIZE_MAX - c->size) return dm_fail(err, DM_EINPUT, "all columns have more than %zu codes", NN_SIZE_MAX);
    c->size += n;
    if (n == 1) {
      numbers[c->n_numbers++] = j;
    } else {
      codes[c->n_categories] = n;
      categories[c->n_categories++] = j;
    }
  }
  return DM_OK;
}

size_t nn_cells_code(size_t levels, double cell) {
  if (!(cell >= 0 && cell < (double)levels)) return SIZE_MAX;
  size_t code = (size_t)cell;
  return code + 2 == levels ? SIZE_MAX : code;
}

/* Numbers that stand side by side in y, as in out: partial sums in fixed lanes, added in their order. */
static double numbers_side_by_side(size_t n, const float *y, const dm_real *out, dm_real twice, dm_real *g, size_t *n_cells) {
  double lane[LANES] = {0}, sum = 0;
  size_t missing = 0, i = 0;
  for (; i + LANES <= n; i += LANES) {
    dm_real r[LANES];
    for (size_t l = 0; l < LANES; l++) {
      dm_real cell = (dm_real)y[i + l];
      r[l] = cell == cell ? out[i + l] - cell : 0;
      missing += !(cell == cell);
    }
    for (size_t l = 0; l < LANES; l++) lane[l] += (double)r[l] * (double)r[l];
    for (size_t l = 0; g && l < LANES; l++) g[i + l] = twice * r[l];
  }
  for (; i < n; i++) {
    dm_real cell = (dm_real)y[i], r = cell == cell ? out[i] - cell : 0;
    missing += !(cell == cell);
    sum += (double)r * (double)r;
    if (g) g[i] = twice * r;
  }
  for (size_t l = 0; l < LANES; l++) sum += lane[l];
  *n_cells += n - missing;
  return sum;
}

static double number(float y, const dm_real *out, dm_real twice, dm_real *g, size_t *n_cells) {
  return numbers_side_by_side(1, &y, out, twice, g, n_cells);
}

static double category(size_t levels, float y, const dm_real *out, double scale, dm_real *g, size_t *n_cells) {
  size_t truth = nn_cells_code(levels, (double)y);
  if (truth == SIZE_MAX) {
    if (g) memset(g, 0, levels * sizeof *g);
    return 0;
  }
  double top = (double)out[0], sum = 0;
  for (size_t c = 1; c < levels; c++) top = (double)out[c] > top ? (double)out[c] : top;
  for (size_t c = 0; c < levels; c++) {
    double e = exp((double)out[c] - top);
    sum += e;
    if (g) g[c] = (dm_real)e;
  }
  for (size_t c = 0; g && c < levels; c++) g[c] = (dm_real)(scale / sum * (double)g[c]);
  if (g) g[truth] -= (dm_real)scale;
  *n_cells += 1;
  return top - (double)out[truth] + log(sum);
}

double nn_cells_loss(const nn_cells *c, const float *y, const dm_real *out, double scale, dm_real *g, size_t *n_cells) {
  dm_real twice = (dm_real)(2 * scale);
  double sum = 0;
  if (c->n_numbers == c->d) return numbers_side_by_side(c->d, y, out, twice, g, n_cells);
  for (size_t j = 0; j < c->n_numbers; j++) sum += number(y[c->numbers[j]], out + j, twice, g ? g + j : NULL, n_cells);
  size_t at = c->n_numbers;
  for (size_t j = 0; j < c->n_categories; j++) {
    sum += category(c->levels[j], y[c->categories[j]], out + at, scale, g ? g + at : NULL, n_cells);
    at += c->levels[j];
  }
  return sum;
}
