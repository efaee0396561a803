/* Output files that appear whole or not at all: path.<pid>.tmp beside the path, then rename. */
#include <dm/core.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16 };

struct dm_outfile {
  dm_ctx *ctx;
  int fd;
  bool in_place; /* standard output, a pipe or a device: nothing to rename */
  size_t n;
  char *path, *temporary, *buffer;
};

static dm_status io_error(const char *path, const char *what, dm_error *err) {
  return dm_fail(err, DM_EIO, "%s cannot be %s: %s", strcmp(path, "-") == 0 ? "standard output" : path, what, strerror(errno));
}

static void release(dm_outfile *f) {
  if (f->fd > STDERR_FILENO) (void)close(f->fd);
  dm_free(f->ctx, f->path);
  dm_free(f->ctx, f->temporary);
  dm_free(f->ctx, f->buffer);
  dm_free(f->ctx, f);
}

static dm_status open_beside(dm_outfile *f, dm_error *err) {
  struct stat st;
  if (stat(f->path, &st) == 0) {
    if (S_ISDIR(st.st_mode)) return dm_fail(err, DM_EIO, "%s is a directory", f->path);
    f->in_place = !S_ISREG(st.st_mode);
  }
  if (f->in_place) {
    f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
    return f->fd < 0 ? io_error(f->path, "written", err) : DM_OK;
  }
  size_t room = strlen(f->path) + 32;
  if (!(f->temporary = dm_alloc(f->ctx, room, 1, "output file", err))) return DM_EBUDGET;
  (void)snprintf(f->temporary, room, "%s.%ld.tmp", f->path, (long)getpid());
  f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return f->fd < 0 ? io_error(f->path, "made", err) : DM_OK;
}

dm_status dm_outfile_open(dm_ctx *ctx, const char *path, dm_outfile **out, dm_error *err) {
  dm_outfile *f = dm_alloc(ctx, 1, sizeof *f, "output file", err);
  if (!f) return DM_EBUDGET;
  *f = (dm_outfile){.ctx = ctx, .fd = -1, .path = dm_strdup(ctx, path, err), .buffer = dm_alloc(ctx, BUFFER, 1, "output file", err)};
  dm_status s = f->path && f->buffer ? DM_OK : DM_EBUDGET;
  if (s == DM_OK && strcmp(path, "-") == 0) {
    f->fd = STDOUT_FILENO;
    f->in_place = true;
  } else if (s == DM_OK) {
    s = open_beside(f, err);
  }
  if (s == DM_OK)
    *out = f;
  else
    release(f);
  return s;
}

static dm_status flush(dm_outfile *f, const char *p, size_t n, dm_error *err) {
  while (n > 0) {
    ssize_t done = write(f->fd, p, n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return io_error(f->path, "written", err);
    p += done;
    n -= (size_t)done;
  }
  return DM_OK;
}

dm_status dm_outfile_write(dm_outfile *f, const char *p, size_t n, dm_error *err) {
  if (n > BUFFER - f->n) {
    dm_status s = flush(f, f->buffer, f->n, err);
    f->n = 0;
    if (s != DM_OK || n > BUFFER) return s != DM_OK ? s : flush(f, p, n, err);
  }
  if (n) memcpy(f->buffer + f->n, p, n);
  f->n += n;
  return DM_OK;
}

dm_status dm_outfile_commit(dm_outfile *f, dm_error *err) {
  dm_status s = flush(f, f->buffer, f->n, err);
  if (s == DM_OK && !f->in_place && fsync(f->fd) != 0) s = io_error(f->path, "written", err);
  if (s == DM_OK && !f->in_place && rename(f->temporary, f->path) != 0) s = io_error(f->path, "made", err);
  if (s != DM_OK && !f->in_place) (void)unlink(f->temporary);
  release(f);
  return s;
}

void dm_outfile_abort(dm_outfile *f) {
  if (!f) return;
  if (!f->in_place && f->temporary) (void)unlink(f->temporary);
  release(f);
}
