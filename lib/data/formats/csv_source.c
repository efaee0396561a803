/* Sources of bytes: files, memory, spooled pipes. */
#define _GNU_SOURCE
#include "csv_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPOOL_BLOCK = 1 << 18 };

static dm_status fail_io(const csv_source *s, const char *what, dm_error *err) {
  int why = errno;
  (void)dm_fail(err, DM_EIO, "%s: %s", what, strerror(why));
  dm_error_at(err, s->name, 0, 0);
  return DM_EIO;
}

/* A nameless file in TMPDIR. */
static int temporary_file(void) {
  const char *dir = getenv("TMPDIR");
  if (!dir || !*dir) dir = "/tmp";
  int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  char path[4096];
  if (snprintf(path, sizeof path, "%s/dm-XXXXXX", dir) >= (int)sizeof path) return -1;
  fd = mkostemp(path, O_CLOEXEC);
  if (fd >= 0) (void)unlink(path);
  return fd;
}

static dm_status write_all(const csv_source *s, int fd, const char *p, size_t n, dm_error *err) {
  while (n > 0) {
    ssize_t done = write(fd, p, n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_io(s, "cannot write its copy to the temporary folder (TMPDIR)", err);
    p += done;
    n -= (size_t)done;
  }
  return DM_OK;
}

/* Copies what cannot be sought. */
static dm_status spool(csv_source *s, dm_error *err) {
  int copy = temporary_file();
  if (copy < 0) return fail_io(s, "cannot make a temporary file for what cannot be sought (TMPDIR)", err);
  char *block = dm_alloc(s->ctx, SPOOL_BLOCK, 1, "copy of a pipe", err);
  dm_status status = block ? DM_OK : DM_EBUDGET;
  s->size = 0;
  while (status == DM_OK) {
    status = dm_ctx_check(s->ctx, err);
    if (status != DM_OK) break;
    ssize_t got = read(s->fd, block, SPOOL_BLOCK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = fail_io(s, "cannot be read", err);
    if (got <= 0) break;
    status = write_all(s, copy, block, (size_t)got, err);
    s->size += (uint64_t)got;
  }
  dm_free(s->ctx, block);
  if (s->fd != STDIN_FILENO) (void)close(s->fd);
  s->fd = copy;
  return status;
}

static dm_status new_source(dm_ctx *ctx, const char *name, bool digest, csv_source **out, dm_error *err) {
  csv_source *s = dm_alloc(ctx, 1, sizeof *s, "source", err);
  if (!s) return DM_EBUDGET;
  s->ctx = ctx;
  s->fd = -1;
  s->name = dm_strdup(ctx, name, err);
  dm_status status = s->name ? DM_OK : DM_EBUDGET;
  if (status == DM_OK && digest) status = dm_sha256_new(ctx, &s->sha256, err);
  if (status != DM_OK) {
    csv_source_close(s);
    return status;
  }
  *out = s;
  return DM_OK;
}

static dm_status open_file(csv_source *s, const char *path, dm_error *err) {
  s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (s->fd < 0) return fail_io(s, "cannot be opened", err);
  struct stat about;
  if (fstat(s->fd, &about) != 0) return fail_io(s, "cannot be read", err);
  if (S_ISDIR(about.st_mode)) {
    (void)dm_fail(err, DM_EIO, "is a directory, want a file");
    dm_error_at(err, s->name, 0, 0);
    return DM_EIO;
  }
  /* files of /proc say 0 and hold bytes; an offset other than 0 was read before us */
  bool seekable = S_ISREG(about.st_mode) && about.st_size > 0 && lseek(s->fd, 0, SEEK_CUR) == 0;
  if (!seekable) return spool(s, err);
  s->size = (uint64_t)about.st_size;
  (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return DM_OK;
}

dm_status csv_source_open(dm_ctx *ctx, const char *path, csv_source **out, dm_error *err) {
  csv_source *s = NULL;
  dm_status status = new_source(ctx, strcmp(path, "-") == 0 ? "standard input" : path, true, &s, err);
  if (status != DM_OK) return status;
  status = open_file(s, path, err);
  if (status != DM_OK) {
    csv_source_close(s);
    return status;
  }
  *out = s;
  return DM_OK;
}

dm_status csv_source_open_memory(dm_ctx *ctx, const char *name, const char *p, size_t n, bool digest, csv_source **out,
                                 dm_error *err) {
  csv_source *s = NULL;
  dm_status status = new_source(ctx, name, digest, &s, err);
  if (status != DM_OK) return status;
  s->memory = p;
  s->size = n;
  *out = s;
  return DM_OK;
}

void csv_source_close(csv_source *source) {
  if (!source) return;
  dm_ctx *ctx = source->ctx;
  if (source->fd >= 0 && source->fd != STDIN_FILENO) (void)close(source->fd);
  dm_sha256_free(source->sha256);
  dm_free(ctx, source->name);
  dm_free(ctx, source);
}

dm_status csv_source_read(csv_source *source, uint64_t offset, char *out, size_t n, size_t *got, dm_error *err) {
  if (source->fd < 0) {
    uint64_t left = offset < source->size ? source->size - offset : 0;
    *got = n < left ? n : (size_t)left;
    if (*got) memcpy(out, source->memory + offset, *got);
    return DM_OK;
  }
  if (offset > INT64_MAX) {
    *got = 0;
    return DM_OK;
  }
  for (;;) {
    ssize_t done = pread(source->fd, out, n, (off_t)offset);
    if (done >= 0) {
      *got = (size_t)done;
      return DM_OK;
    }
    if (errno != EINTR) return fail_io(source, "cannot be read", err);
  }
}

void csv_source_hash(csv_source *source, uint64_t offset, const char *p, size_t n) {
  if (!source->sha256 || source->hex[0] || offset > source->hashed) return;
  if (n == 0) {
    if (offset == source->hashed) dm_sha256_hex(source->sha256, source->hex);
    return;
  }
  uint64_t known = source->hashed - offset;
  if (known >= n) return;
  dm_sha256_add(source->sha256, p + known, n - (size_t)known);
  source->hashed = offset + n;
}
