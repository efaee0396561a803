/*
 * Philox4x32-10. The counter block is {counter low, counter high, stream low,
 * stream high}, the key is the seed: every (seed, stream) is a sequence of its own.
 * Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
#include <dm/core.h>

static void philox(const uint32_t key[2], uint64_t stream, uint64_t counter, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void dm_rng_init(dm_rng *rng, uint64_t seed, uint64_t stream) {
  *rng = (dm_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .stream = stream, .used = 4};
}

uint32_t dm_rng_u32(dm_rng *rng) {
  if (rng->used >= 4) {
    philox(rng->key, rng->stream, rng->counter++, rng->out);
    rng->used = 0;
  }
  return rng->out[rng->used++];
}

static uint64_t next_u64(dm_rng *rng) {
  uint64_t low = dm_rng_u32(rng);
  return low | (uint64_t)dm_rng_u32(rng) << 32;
}

double dm_rng_uniform(dm_rng *rng) { return (double)(next_u64(rng) >> 11) * 0x1p-53; }

uint64_t dm_rng_below(dm_rng *rng, uint64_t n) {
  uint64_t threshold = (0 - n) % n; /* values below it would favour small results */
  for (;;) {
    unsigned __int128 m = (unsigned __int128)next_u64(rng) * n;
    if ((uint64_t)m >= threshold) return (uint64_t)(m >> 64);
  }
}

void dm_rng_shuffle(dm_rng *rng, size_t *p, size_t n) {
  for (size_t i = n; i > 1; i--) {
    size_t j = (size_t)dm_rng_below(rng, i), t = p[i - 1];
    p[i - 1] = p[j];
    p[j] = t;
  }
}
