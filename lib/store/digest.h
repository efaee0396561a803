/*
 * SHA-256 over the values of a frame's source, the same for a table and for
 * the file it was imported from: column names, each with a NUL behind it, then
 * row by row each cell as a byte for its type (dm_type) and 8 bytes, little
 * end first, of the integer, the double or the length of the text, which
 * follows.
 */
#ifndef DM_STORE_DIGEST_H
#define DM_STORE_DIGEST_H

#include <dm/data.h>

#include <endian.h>
#include <string.h>

enum { DM_DIGEST_BUFFER = 1 << 16 };

/** Cells gather in a buffer, as hashing nine bytes at a time would cost more than reading them. */
typedef struct dm_digest {
  dm_ctx *ctx;
  dm_sha256 *hash;
  size_t n;
  unsigned char *buffer; /* [DM_DIGEST_BUFFER] */
} dm_digest;

dm_status dm_digest_init(dm_digest *d, dm_ctx *ctx, const char *const *names, size_t n, dm_error *err);
void dm_digest_clear(dm_digest *d); /* safe on zeroes */
void dm_digest_flush(dm_digest *d);
void dm_digest_text(dm_digest *d, const char *p, size_t n);
void dm_digest_hex(dm_digest *d, char out[DM_SHA256_HEX]);

/** A number or NULL: bits of the integer or double, 0 for NULL. */
static inline void dm_digest_number(dm_digest *d, dm_type type, uint64_t bits) {
  if (d->n + 9 > DM_DIGEST_BUFFER) dm_digest_flush(d);
  d->buffer[d->n] = (unsigned char)type;
  bits = htole64(bits);
  memcpy(d->buffer + d->n + 1, &bits, 8);
  d->n += 9;
}

static inline void dm_digest_real(dm_digest *d, double v) {
  uint64_t bits;
  memcpy(&bits, &v, 8);
  dm_digest_number(d, DM_REAL, bits);
}

#endif
