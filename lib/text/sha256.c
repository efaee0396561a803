/* SHA-256 by nettle, which uses the processor's instructions for it. */
#include <dm/text.h>

#include <nettle/sha2.h>

struct dm_sha256 {
  dm_ctx *ctx;
  struct sha256_ctx state;
};

dm_status dm_sha256_new(dm_ctx *ctx, dm_sha256 **out, dm_error *err) {
  dm_sha256 *h = dm_alloc(ctx, 1, sizeof *h, "digest", err);
  if (!h) return DM_EBUDGET;
  h->ctx = ctx;
  sha256_init(&h->state);
  *out = h;
  return DM_OK;
}

void dm_sha256_add(dm_sha256 *h, const void *p, size_t n) { sha256_update(&h->state, n, p); }

void dm_sha256_hex(dm_sha256 *h, char out[DM_SHA256_HEX]) {
  static const char hex[] = "0123456789abcdef";
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(&h->state, sizeof digest, digest); /* and starts anew */
  for (size_t i = 0; i < sizeof digest; i++) {
    out[2 * i] = hex[digest[i] >> 4];
    out[2 * i + 1] = hex[digest[i] & 15];
  }
  out[2 * sizeof digest] = 0;
}

void dm_sha256_free(dm_sha256 *h) {
  if (h) dm_free(h->ctx, h);
}
