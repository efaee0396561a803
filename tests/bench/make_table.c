/*
 * A mixed table on standard output: integers, decimals, shortest reals with
 * gaps, dates, codes with leading zeros, quoted text, a few broken records.
 * The same bytes on every machine.
 *
 *   make_table [MEGABYTES [SEED]]
 */
#include <dm/core.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const cities[] = {"Berlin", "Lyon", "\"Paris, FR\"", "Roma", "Wien", "\"the \"\"city\"\"\"", "Oslo", "Z\xC3\xBCrich"};

static size_t write_record(unsigned long id, dm_rng *rng, FILE *out) {
  char score[16] = ""; /* missing in one of twenty */
  unsigned age = (unsigned)dm_rng_below(rng, 90), price = (unsigned)dm_rng_below(rng, 1000000), height = 1400 + (unsigned)dm_rng_below(rng, 700);
  const char *city = cities[dm_rng_below(rng, sizeof cities / sizeof *cities)];
  unsigned year = 2000 + (unsigned)dm_rng_below(rng, 24), month = 1 + (unsigned)dm_rng_below(rng, 12), day = 1 + (unsigned)dm_rng_below(rng, 28);
  if (dm_rng_below(rng, 20)) (void)snprintf(score, sizeof score, "%.6g", 0.1 + (double)dm_rng_below(rng, 900000) / 1e6);
  int n = fprintf(out, "%lu,Person %u,%s,%u,%u.%03u,%u.%02u,%u-%02u-%02u,%05u,%s,note %x%x,%s,%u\n", id, dm_rng_u32(rng) % 1000000, city, age,
                  height / 1000, height % 1000, price / 100, price % 100, year, month, day, dm_rng_u32(rng) % 100000, score, dm_rng_u32(rng),
                  dm_rng_u32(rng) & 0xFFFF, age % 2 ? "yes" : "no", dm_rng_u32(rng));
  return n > 0 ? (size_t)n : 0;
}

int main(int argc, char **argv) {
  size_t wanted = (argc > 1 ? strtoul(argv[1], NULL, 10) : 225) * 1000000, n = 0;
  dm_rng rng;
  dm_rng_init(&rng, argc > 2 ? strtoul(argv[2], NULL, 10) : 0, 0);
  n += (size_t)printf("id,name,city,age,height,price,date,zip,score,note,flag,code\n");
  for (unsigned long id = 1; n < wanted; id++) {
    n += write_record(id, &rng, stdout);
    if (id % 100000 == 0) n += (size_t)printf("%lu,a broken record\n", id);
    if (ferror(stdout)) return 1;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
