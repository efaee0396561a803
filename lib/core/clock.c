#include <dm/core.h>

#include <stdio.h>
#include <time.h>

double dm_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void dm_time_utc(char out[32]) {
  struct timespec t;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &t);
  gmtime_r(&t.tv_sec, &tm);
  size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
  (void)snprintf(out + n, 32 - n, ".%03uZ", (unsigned)(t.tv_nsec / 1000000) % 1000u);
}
