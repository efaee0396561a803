/*
 * Groups are dealt whole, largest first (equal sizes in random order), each to
 * the part where it brings the classes nearest to their shares. With y rows of
 * class c in part p, T rows of it in all and share w, that is the part with the
 * smallest growth of
 *
 *   sum over p, c of (y[p,c] / T[c] - w[p])^2 / w[p]
 *
 * A group of g[c] rows changes the term of (p, c) by
 *
 *   g/T * ((2 y + g) / (T w) - 2)
 *
 * so only the classes of the group are looked at.
 */
#include "data/split.h"

#include <stdlib.h>

/* Rows of one class in one group. */
typedef struct cell {
  uint32_t code;
  uint32_t rows;
} cell;

typedef struct dealer {
  size_t n, n_classes, n_groups, n_parts;
  const double *share;
  bool keep_in_first;
  size_t *size;        /* [groups] rows */
  size_t *first;       /* [groups + 1] into cells */
  cell *cells;         /* by group, then by class */
  size_t *order;       /* [groups] in which they are dealt */
  double *total;       /* [classes] rows */
  double *held;        /* [parts, classes] rows */
  size_t *groups_left; /* [classes] groups not yet dealt that hold it */
  size_t *in_first;    /* [classes] groups in part 0 that hold it */
  size_t *part_groups; /* [parts] groups dealt to it */
  uint32_t *part_of;   /* [groups] */
} dealer;

static void free_dealer(dm_ctx *ctx, dealer *d) {
  dm_free(ctx, d->size);
  dm_free(ctx, d->first);
  dm_free(ctx, d->cells);
  dm_free(ctx, d->order);
  dm_free(ctx, d->total);
  dm_free(ctx, d->held);
  dm_free(ctx, d->groups_left);
  dm_free(ctx, d->in_first);
  dm_free(ctx, d->part_groups);
  dm_free(ctx, d->part_of);
}

static dm_status new_dealer(dm_ctx *ctx, dealer *d, dm_error *err) {
  const char *what = "split";
  size_t held;
  if (!dm_size_mul(d->n_parts, d->n_classes, &held)) return dm_fail(err, DM_EBUDGET, "split: too many parts and classes");
  bool ok = (d->size = dm_alloc(ctx, d->n_groups, sizeof *d->size, what, err)) &&
            (d->first = dm_alloc(ctx, d->n_groups + 1, sizeof *d->first, what, err)) &&
            (d->cells = dm_alloc(ctx, d->n, sizeof *d->cells, what, err)) &&
            (d->order = dm_alloc(ctx, d->n_groups, sizeof *d->order, what, err)) &&
            (d->total = dm_alloc(ctx, d->n_classes, sizeof *d->total, what, err)) &&
            (d->held = dm_alloc(ctx, held, sizeof *d->held, what, err)) &&
            (d->groups_left = dm_alloc(ctx, d->n_classes, sizeof *d->groups_left, what, err)) &&
            (d->in_first = dm_alloc(ctx, d->n_classes, sizeof *d->in_first, what, err)) &&
            (d->part_groups = dm_alloc(ctx, d->n_parts, sizeof *d->part_groups, what, err)) &&
            (d->part_of = dm_alloc(ctx, d->n_groups, sizeof *d->part_of, what, err));
  return ok ? DM_OK : DM_EBUDGET;
}

static int by_code(const void *a, const void *b) {
  const cell *x = a, *y = b;
  return (x->code > y->code) - (x->code < y->code);
}

/* Rows of each class in each group: rows sorted into groups, then equal classes of a group put together. */
static void count_cells(dealer *d, const dm_strata *classes, const dm_strata *groups) {
  for (size_t i = 0; i < d->n; i++) d->size[groups->code[i]]++;
  for (size_t g = 0; g < d->n_groups; g++) d->first[g + 1] = d->first[g] + d->size[g];
  for (size_t i = 0; i < d->n; i++) {
    d->cells[d->first[groups->code[i]]++] = (cell){classes->code[i], 1};
    d->total[classes->code[i]] += 1;
  }
  size_t at = 0, from = 0;
  for (size_t g = 0; g < d->n_groups; g++) {
    size_t to = d->first[g], begin = at; /* first[g] has moved to the end of the group */
    qsort(d->cells + from, to - from, sizeof *d->cells, by_code);
    for (size_t i = from; i < to; i++) {
      if (at > begin && d->cells[at - 1].code == d->cells[i].code) {
        d->cells[at - 1].rows++;
        continue;
      }
      d->groups_left[d->cells[i].code]++;
      d->cells[at++] = d->cells[i];
    }
    d->first[g] = begin;
    from = to;
  }
  d->first[d->n_groups] = at;
}

typedef struct ranked {
  size_t size, place, group;
} ranked;

static int by_size(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->size != y->size) return x->size < y->size ? 1 : -1;
  return (x->place > y->place) - (x->place < y->place);
}

static dm_status order_groups(dm_ctx *ctx, dealer *d, dm_rng *rng, dm_error *err) {
  ranked *r = dm_alloc(ctx, d->n_groups, sizeof *r, "split", err);
  if (!r) return DM_EBUDGET;
  for (size_t g = 0; g < d->n_groups; g++) d->order[g] = g;
  dm_rng_shuffle(rng, d->order, d->n_groups);
  for (size_t i = 0; i < d->n_groups; i++) r[i] = (ranked){d->size[d->order[i]], i, d->order[i]};
  qsort(r, d->n_groups, sizeof *r, by_size);
  for (size_t i = 0; i < d->n_groups; i++) d->order[i] = r[i].group;
  dm_free(ctx, r);
  return DM_OK;
}

static double growth(const dealer *d, size_t group, size_t part) {
  double sum = 0;
  for (size_t i = d->first[group]; i < d->first[group + 1]; i++) {
    size_t c = d->cells[i].code;
    double g = d->cells[i].rows, y = d->held[part * d->n_classes + c], t = d->total[c];
    sum += g / t * ((2 * y + g) / (t * d->share[part]) - 2);
  }
  return sum;
}

/* The training part would never see a class of this group otherwise. */
static bool must_be_first(const dealer *d, size_t group) {
  for (size_t i = d->first[group]; i < d->first[group + 1]; i++) {
    size_t c = d->cells[i].code;
    if (d->in_first[c] == 0 && d->groups_left[c] == 1) return true;
  }
  return false;
}

static void give(dealer *d, size_t group, size_t part) {
  for (size_t i = d->first[group]; i < d->first[group + 1]; i++) {
    size_t c = d->cells[i].code;
    d->held[part * d->n_classes + c] += d->cells[i].rows;
    d->groups_left[c]--;
    d->in_first[c] += part == 0;
  }
  d->part_groups[part]++;
  d->part_of[group] = (uint32_t)part;
}

static void deal(dealer *d) {
  size_t empty = d->n_parts;
  for (size_t i = 0; i < d->n_groups; i++) {
    size_t group = d->order[i], best = SIZE_MAX;
    bool only_empty = d->n_groups - i <= empty; /* each group left is needed to fill a part */
    double least = 0;
    for (size_t p = 0; p < d->n_parts; p++) {
      if (only_empty && d->part_groups[p]) continue;
      double change = growth(d, group, p);
      if (best == SIZE_MAX || change < least) {
        best = p;
        least = change;
      }
    }
    if (d->keep_in_first && must_be_first(d, group)) best = 0;
    empty -= d->part_groups[best] == 0;
    give(d, group, best);
  }
}

/* The last part stayed empty for the sake of classes: gives it the smallest group whose classes have another in part 0. */
static bool fill_last(dealer *d) {
  for (size_t i = d->n_groups; i-- > 0;) {
    size_t group = d->order[i];
    bool spare = d->part_of[group] == 0;
    for (size_t j = d->first[group]; spare && j < d->first[group + 1]; j++) spare = d->in_first[d->cells[j].code] > 1;
    if (!spare) continue;
    d->part_of[group] = (uint32_t)(d->n_parts - 1);
    return true;
  }
  return false;
}

dm_status dm_split_groups(dm_ctx *ctx, size_t n, const dm_strata *classes, const dm_strata *groups, size_t n_parts,
                          const double *share, bool keep_in_first, dm_rng *rng, uint32_t *part, dm_error *err) {
  if (groups->k < n_parts)
    return dm_fail(err, DM_EINPUT, "split: %zu group%s for %zu parts", groups->k, groups->k == 1 ? "" : "s", n_parts);
  dealer d = {.n = n,
              .n_classes = classes->k,
              .n_groups = groups->k,
              .n_parts = n_parts,
              .share = share,
              .keep_in_first = keep_in_first};
  dm_status s = new_dealer(ctx, &d, err);
  if (s != DM_OK) goto done;
  count_cells(&d, classes, groups);
  if ((s = order_groups(ctx, &d, rng, err)) != DM_OK) goto done;
  deal(&d);
  if (keep_in_first && d.part_groups[n_parts - 1] == 0 && !fill_last(&d)) {
    s = dm_fail(err, DM_EINPUT, "split: no group can be spared for a test: each of the %zu holds a class that no other has",
                d.n_groups);
    goto done;
  }
  for (size_t i = 0; i < n; i++) part[i] = d.part_of[groups->code[i]];
done:
  free_dealer(ctx, &d);
  return s;
}
