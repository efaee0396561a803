/*
 * Baskets as a shop might see them, of any number, the same bytes on every
 * machine: the generator of Quest (T10.I4.D100K and its kin).
 *
 *   make_baskets TRANSACTIONS [ITEMS_OF_ONE [ITEMS_OF_A_PATTERN [ITEMS [PATTERNS [SEED]]]]] > baskets.dat
 *   defaults                   10           4                    1000   2000      1
 *
 * Patterns are drawn first: sets of items, some of them taken over from the
 * pattern before; each with a weight (exponential) and a level at which items
 * of it get lost. A transaction is filled with patterns, by their weights, of
 * each of which some items are lost; one that is too long for it is put in all
 * the same half of the time, else kept for the next transaction.
 * Source: Agrawal & Srikant, VLDB 1994, section 4.1.
 */
#include <dm/core.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pattern {
  uint32_t *items;
  size_t n;
  double up_to; /* sum of the weights up to this one */
  double loss;
} pattern;

typedef struct shop {
  dm_rng rng;
  size_t n_items, n_patterns, most; /* most: items of the longest pattern */
  double length, pattern_length;
  pattern *patterns;
} shop;

static double exponential(dm_rng *rng) { return -log(1 - dm_rng_uniform(rng)); }

/* Knuth's, by products; the means are small. */
static size_t poisson(dm_rng *rng, double mean) {
  double limit = exp(-mean), product = dm_rng_uniform(rng);
  size_t n = 0;
  for (; product > limit; n++) product *= dm_rng_uniform(rng);
  return n;
}

/* Box and Muller's; the second number is not used. */
static double normal(dm_rng *rng) { return sqrt(2 * exponential(rng)) * cos(6.283185307179586 * dm_rng_uniform(rng)); }

static bool holds(const uint32_t *items, size_t n, uint32_t item) {
  for (size_t i = 0; i < n; i++)
    if (items[i] == item) return true;
  return false;
}

static void draw_pattern(shop *s, pattern *p, const pattern *before) {
  size_t n = poisson(&s->rng, s->pattern_length - 1) + 1;
  if (n > s->n_items / 2) n = s->n_items / 2;
  if (!(p->items = calloc(n, sizeof *p->items))) exit(1);
  size_t taken = before ? (size_t)(0.5 * exponential(&s->rng) * (double)n) : 0;
  for (size_t tries = 0; before && p->n < taken && p->n < n && tries < 4 * n; tries++) {
    uint32_t item = before->items[dm_rng_below(&s->rng, before->n)];
    if (!holds(p->items, p->n, item)) p->items[p->n++] = item;
  }
  while (p->n < n) {
    uint32_t item = (uint32_t)dm_rng_below(&s->rng, s->n_items);
    if (!holds(p->items, p->n, item)) p->items[p->n++] = item;
  }
  p->up_to = exponential(&s->rng) + (before ? before->up_to : 0);
  p->loss = 0.5 + sqrt(0.1) * normal(&s->rng);
  if (n > s->most) s->most = n;
}

static const pattern *choose_pattern(shop *s) {
  double at = dm_rng_uniform(&s->rng) * s->patterns[s->n_patterns - 1].up_to;
  size_t low = 0, high = s->n_patterns - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (s->patterns[middle].up_to <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return &s->patterns[low];
}

/* What is left of a pattern. @param out [most] @return how many items */
static size_t lose_items(shop *s, const pattern *p, uint32_t *out) {
  size_t n = p->n;
  memcpy(out, p->items, n * sizeof *out);
  while (n && dm_rng_uniform(&s->rng) < p->loss) {
    size_t lost = dm_rng_below(&s->rng, n);
    out[lost] = out[--n];
  }
  return n;
}

static void write_baskets(shop *s, size_t n_transactions) {
  uint32_t *kept = calloc(s->most + 1, sizeof *kept), *basket = calloc(s->n_items + s->most, sizeof *basket);
  if (!kept || !basket) exit(1);
  size_t n_kept = 0;
  for (size_t t = 0; t < n_transactions; t++) {
    size_t wanted = poisson(&s->rng, s->length - 1) + 1, n = 0;
    for (size_t tries = 0; n < wanted && tries < 100; tries++) {
      if (n_kept == 0) n_kept = lose_items(s, choose_pattern(s), kept);
      if (n && n + n_kept > wanted && dm_rng_uniform(&s->rng) < 0.5) break; /* for the next one */
      for (size_t i = 0; i < n_kept; i++)
        if (!holds(basket, n, kept[i])) basket[n++] = kept[i];
      n_kept = 0;
    }
    for (size_t i = 0; i < n; i++) printf(i ? " %u" : "%u", basket[i]);
    (void)putchar('\n');
  }
  free(kept);
  free(basket);
}

static double number(int argc, char **argv, int i, double otherwise) { return argc > i ? strtod(argv[i], NULL) : otherwise; }

int main(int argc, char **argv) {
  shop s = {.length = number(argc, argv, 2, 10), .pattern_length = number(argc, argv, 3, 4),
            .n_items = (size_t)number(argc, argv, 4, 1000), .n_patterns = (size_t)number(argc, argv, 5, 2000)};
  double n = number(argc, argv, 1, 0);
  if (!(n >= 1) || !(s.length >= 1) || !(s.pattern_length >= 1) || s.n_items < 2 || s.n_patterns < 1) {
    fprintf(stderr, "usage: make_baskets TRANSACTIONS [ITEMS_OF_ONE [ITEMS_OF_A_PATTERN [ITEMS [PATTERNS [SEED]]]]]\n");
    return 2;
  }
  dm_rng_init(&s.rng, (uint64_t)number(argc, argv, 6, 1), 0);
  if (!(s.patterns = calloc(s.n_patterns, sizeof *s.patterns))) return 1;
  for (size_t i = 0; i < s.n_patterns; i++) draw_pattern(&s, &s.patterns[i], i ? &s.patterns[i - 1] : NULL);
  write_baskets(&s, (size_t)n);
  for (size_t i = 0; i < s.n_patterns; i++) free(s.patterns[i].items);
  free(s.patterns);
  return fflush(stdout) == 0 ? 0 : 1;
}
