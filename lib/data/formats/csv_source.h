/*
 * Where the bytes of a delimited file come from: a file, bytes in memory, or
 * a pipe that was first copied to an unlinked temporary file. Any place can
 * be read at any time; the digest is taken the first time bytes pass.
 */
#ifndef DM_DATA_CSV_SOURCE_H
#define DM_DATA_CSV_SOURCE_H

#include <dm/text.h>

typedef struct csv_source {
  dm_ctx *ctx;
  char *name;         /* as given, for messages */
  int fd;             /* -1 = memory */
  const char *memory; /* borrowed */
  uint64_t size;      /* as found when it was opened; more or less may be read */
  dm_sha256 *sha256;  /* NULL: no digest wanted */
  uint64_t hashed;    /* bytes from the begin that went into sha256 */
  char hex[DM_SHA256_HEX]; /* "" until all did */
} csv_source;

/** @param path "-" is standard input. DM_EIO: missing, directory, unreadable. */
dm_status csv_source_open(dm_ctx *ctx, const char *path, csv_source **out, dm_error *err);
/** @param p borrowed; @param digest false: sha256 stays NULL */
dm_status csv_source_open_memory(dm_ctx *ctx, const char *name, const char *p, size_t n, bool digest, csv_source **out,
                                 dm_error *err);
void csv_source_close(csv_source *source);
/** Up to n bytes at offset. *got 0 at the end. */
dm_status csv_source_read(csv_source *source, uint64_t offset, char *out, size_t n, size_t *got, dm_error *err);
/** Takes what was read at offset into the digest, as far as it is the next; n = 0 at the end finishes it. */
void csv_source_hash(csv_source *source, uint64_t offset, const char *p, size_t n);

#endif
