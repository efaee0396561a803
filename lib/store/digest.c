/* Digest of a frame's source. */
#include "store/digest.h"

dm_status dm_digest_init(dm_digest *d, dm_ctx *ctx, const char *const *names, size_t n, dm_error *err) {
  *d = (dm_digest){.ctx = ctx};
  dm_status s = dm_sha256_new(ctx, &d->hash, err);
  if (s != DM_OK) return s;
  d->buffer = dm_alloc(ctx, DM_DIGEST_BUFFER, 1, "digest", err);
  if (!d->buffer) {
    dm_digest_clear(d);
    return DM_EBUDGET;
  }
  for (size_t i = 0; i < n; i++) dm_sha256_add(d->hash, names[i], strlen(names[i]) + 1);
  return DM_OK;
}

void dm_digest_clear(dm_digest *d) {
  if (d->hash) dm_sha256_free(d->hash);
  if (d->buffer) dm_free(d->ctx, d->buffer);
  *d = (dm_digest){.ctx = d->ctx};
}

void dm_digest_flush(dm_digest *d) {
  dm_sha256_add(d->hash, d->buffer, d->n);
  d->n = 0;
}

void dm_digest_text(dm_digest *d, const char *p, size_t n) {
  dm_digest_number(d, DM_TEXT, n);
  if (n > DM_DIGEST_BUFFER - d->n) dm_digest_flush(d);
  if (n > DM_DIGEST_BUFFER) {
    dm_sha256_add(d->hash, p, n);
    return;
  }
  if (n) memcpy(d->buffer + d->n, p, n);
  d->n += n;
}

void dm_digest_hex(dm_digest *d, char out[DM_SHA256_HEX]) {
  dm_digest_flush(d);
  dm_sha256_hex(d->hash, out);
}
