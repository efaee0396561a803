/*
 * A mixed-type table of any size, the same bytes on every machine:
 *
 *   make_table [MEGABYTES [SEED [BROKEN]]] > table.csv
 *
 * 14 columns: ids, codes with leading zeros, dates, names, categories, integers,
 * reals with 2 and 6 decimals, flags, text with commas, quotes and newlines,
 * and cells that are missing. Every BROKEN-th record (100000, 0 = none) has a field
 * too few or too many, a quote left open, or a byte that is not UTF-8.
 */
#include <dm/core.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
  char p[1024];
  size_t n;
} line;

static void put(line *l, const char *s) {
  size_t n = strlen(s);
  memcpy(l->p + l->n, s, n);
  l->n += n;
}

static void put_char(line *l, char c) { l->p[l->n++] = c; }

/* At least width digits. */
static void put_digits(line *l, uint64_t v, int width) {
  char digits[24];
  int n = 0;
  do digits[n++] = (char)('0' + v % 10);
  while (v /= 10);
  while (n < width) digits[n++] = '0';
  while (n > 0) put_char(l, digits[--n]);
}

/* r / 10^decimals */
static void put_decimal(line *l, int64_t r, int decimals) {
  uint64_t v = r < 0 ? (uint64_t)-r : (uint64_t)r, scale = 1;
  for (int i = 0; i < decimals; i++) scale *= 10;
  if (r < 0) put_char(l, '-');
  put_digits(l, v / scale, 1);
  put_char(l, '.');
  put_digits(l, v % scale, decimals);
}

#define PICK(rng, words) (words)[dm_rng_below(rng, sizeof(words) / sizeof *(words))]

static void put_name(line *l, dm_rng *rng) {
  static const char *const first[] = {"Anna", "Bruno", "Chloé", "David", "Elif", "Farid", "Grace", "Hugo", "Inès", "Jan", "Kemi", "Lars",
                                      "Mina", "Noah", "Olga", "Pál", "Rosa", "Sven", "Tomás", "Uma"};
  static const char *const last[] = {"Almeida", "Bauer", "Castro", "Dubois", "Eriksen", "Fischer", "García", "Horváth", "Ivanova", "Jensen",
                                     "Kowalski", "Lindqvist", "Moreau", "Novak", "O'Brien", "Petrov", "Rossi", "Schmidt", "Tanaka", "Weber"};
  put(l, PICK(rng, first));
  put_char(l, ' ');
  put(l, PICK(rng, last));
}

static void put_date(line *l, dm_rng *rng) {
  put_digits(l, 2015 + dm_rng_below(rng, 10), 4);
  put_char(l, '-');
  put_digits(l, 1 + dm_rng_below(rng, 12), 2);
  put_char(l, '-');
  put_digits(l, 1 + dm_rng_below(rng, 28), 2);
}

/* A few words; quoted when commas, quotes or newlines are among them. */
static void put_note(line *l, dm_rng *rng) {
  static const char *const words[] = {"delivered", "late", "customer", "called", "twice", "no", "answer", "replaced", "part",
                                      "see", "order", "paid", "in", "full", "box", "damaged", "urgent", "checked", "by", "phone"};
  static const char *const joints[] = {", ", " \"\"as is\"\" ", "\n", "; ", " - "};
  uint64_t n = dm_rng_below(rng, 8), kind = dm_rng_below(rng, 4);
  if (n == 0) return;
  bool quoted = kind == 0;
  if (quoted) put_char(l, '"');
  for (uint64_t i = 0; i < n; i++) {
    if (i > 0) put(l, quoted && i == 1 ? joints[dm_rng_below(rng, 20) ? dm_rng_below(rng, 2) : 2] : " ");
    put(l, PICK(rng, words));
  }
  if (quoted) put(l, n == 1 ? ", ok" : "");
  if (quoted) put_char(l, '"');
}

static const char header[] = "id,code,created,name,city,status,quantity,price,rate,latitude,visits,active,reference,note\n";

static void make_record(line *l, dm_rng *rng, uint64_t id) {
  static const char *const cities[] = {"Lisboa", "Berlin", "Łódź", "Paris", "Oslo", "Roma", "Praha", "Wien", "Gent", "Bern", "Porto", "Cork"};
  static const char *const statuses[] = {"new", "open", "shipped", "closed", "returned"};
  l->n = 0;
  put_digits(l, id, 1), put_char(l, ',');
  put_digits(l, dm_rng_below(rng, 1000000), 6), put_char(l, ',');
  put_date(l, rng), put_char(l, ',');
  put_name(l, rng), put_char(l, ',');
  put(l, PICK(rng, cities)), put_char(l, ',');
  put(l, PICK(rng, statuses)), put_char(l, ',');
  put_digits(l, dm_rng_below(rng, 500), 1), put_char(l, ',');
  put_decimal(l, (int64_t)dm_rng_below(rng, 10000000), 2), put_char(l, ',');
  put_decimal(l, (int64_t)dm_rng_below(rng, 1000000), 6), put_char(l, ',');
  put_decimal(l, (int64_t)dm_rng_below(rng, 180000000) - 90000000, 6), put_char(l, ',');
  if (dm_rng_below(rng, 10)) put_digits(l, dm_rng_below(rng, 100000), 1);
  put_char(l, ',');
  put(l, dm_rng_below(rng, 3) ? "true," : "false,");
  put_digits(l, UINT64_C(4000000000000000) + dm_rng_below(rng, UINT64_C(1000000000000)), 16), put_char(l, ',');
  put_note(l, rng);
  put_char(l, '\n');
}

static void break_record(line *l, uint64_t kind) {
  if (kind == 0) { /* a field too few */
    char *comma = memchr(l->p, ',', l->n);
    memmove(comma, comma + 1, l->n - (size_t)(comma + 1 - l->p));
    l->n--;
  } else if (kind == 1) { /* a field too many */
    memmove(l->p + 2, l->p, l->n);
    memcpy(l->p, "x,", 2);
    l->n += 2;
  } else if (kind == 2) { /* an open quote; what follows is one line */
    l->n = 0;
    put(l, "7,\"open,2020-01-01,a,b,c,1,1.00,0.000001,0.000001,,true,1,\n");
  } else {
    l->n = 0;
    put(l, "7,000001,2020-01-01,\xFFmile,b,c,1,1.00,0.000001,0.000001,,true,1,\n");
  }
}

int main(int argc, char **argv) {
  unsigned long megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 225, seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  unsigned long broken = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
  if (megabytes == 0) {
    fprintf(stderr, "usage: make_table [MEGABYTES [SEED [BROKEN]]] > table.csv\n");
    return 2;
  }
  dm_rng rng;
  dm_rng_init(&rng, seed, 1);
  uint64_t written = sizeof header - 1, want = (uint64_t)megabytes * 1000000;
  line l;
  bool ok = fwrite(header, 1, sizeof header - 1, stdout) == sizeof header - 1;
  for (uint64_t id = 1; ok && written < want; id++) {
    make_record(&l, &rng, id);
    if (broken && id % broken == 0) break_record(&l, id / broken % 4);
    ok = fwrite(l.p, 1, l.n, stdout) == l.n;
    written += l.n;
  }
  if (ok && fflush(stdout) == 0) return 0;
  fprintf(stderr, "make_table: %s\n", strerror(errno));
  return 4;
}
