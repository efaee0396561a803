/* Transactions as bytes, and back; see packed.h. */
#include "store/packed.h"

#include <string.h>

enum { FLUSH = 1 << 16, NUMBER = 10, CODE = 5 /* bytes of any number and of a code at most */ };

static const char magic[] = "dmT1";

/* ---- to bytes ------------------------------------------------------------------------- */

typedef struct writer {
  dm_sha256 *hash; /* NULL: not wanted */
  dm_buf *out;
  size_t hashed; /* bytes of out that the hash has */
  bool keep;
} writer;

static void put(dm_buf *out, uint64_t v) {
  char *p = out->p + out->n;
  for (; v >= 0x80; v >>= 7) *p++ = (char)(v | 0x80);
  *p++ = (char)v;
  out->n = (size_t)(p - out->p);
}

/* Room for so many bytes, after what is whole has gone its way. */
static bool reserve(writer *w, size_t bytes) {
  if (w->out->n - w->hashed >= FLUSH) {
    if (w->hash) dm_sha256_add(w->hash, w->out->p + w->hashed, w->out->n - w->hashed);
    if (!w->keep) dm_buf_reset(w->out);
    w->hashed = w->out->n;
  }
  return dm_buf_reserve(w->out, bytes);
}

static void put_head(writer *w, const dm_transactions *t) {
  const uint64_t head[] = {t->n_items, t->rows.n, t->rows.start[t->rows.n], t->total, t->empty, t->repeated, t->weight != NULL};
  enum { N = sizeof head / sizeof *head };
  dm_buf_add(w->out, magic, 4);
  if (!reserve(w, N * NUMBER)) return;
  for (size_t i = 0; i < N; i++) put(w->out, head[i]);
}

static dm_status encode(writer *w, const dm_transactions *t, dm_error *err) {
  put_head(w, t);
  for (size_t i = 0; i < t->n_items && reserve(w, NUMBER); i++) {
    put(w->out, t->names[i].n);
    if (t->names[i].n) dm_buf_add(w->out, t->names[i].p, t->names[i].n);
  }
  for (size_t r = 0; r < t->rows.n; r++) {
    size_t first = t->rows.start[r], end = t->rows.start[r + 1];
    if ((r & 65535) == 0 && dm_ctx_check(t->ctx, err) != DM_OK) return DM_ECANCEL;
    if (!reserve(w, 2 * NUMBER + (end - first) * CODE)) break;
    put(w->out, end - first);
    if (t->weight) put(w->out, t->weight[r]);
    for (size_t i = first; i < end; i++) put(w->out, t->rows.index[i]);
  }
  return dm_buf_status(w->out);
}

dm_status dm_packed_encode(const dm_transactions *t, dm_buf *keep, char digest[DM_SHA256_HEX], dm_error *err) {
  dm_buf own;
  writer w = {.out = keep ? keep : &own, .keep = keep != NULL};
  dm_buf_init(&own, t->ctx, err);
  dm_status s = digest ? dm_sha256_new(t->ctx, &w.hash, err) : DM_OK;
  if (s == DM_OK) s = encode(&w, t, err);
  if (s == DM_OK && digest) {
    dm_sha256_add(w.hash, w.out->p + w.hashed, w.out->n - w.hashed);
    dm_sha256_hex(w.hash, digest);
  }
  if (w.hash) dm_sha256_free(w.hash);
  dm_buf_clear(&own);
  return s;
}

/* ---- and back ------------------------------------------------------------------------- */

typedef struct reader {
  const char *p, *end;
  bool broken;
} reader;

static uint64_t get_long(reader *r) {
  uint64_t v = 0;
  for (unsigned shift = 0; r->p < r->end && shift < 64; shift += 7) {
    unsigned char c = (unsigned char)*r->p++;
    if (shift == 63 && c > 1) break;
    v |= (uint64_t)(c & 0x7F) << shift;
    if (c < 0x80) return v;
  }
  r->broken = true;
  return 0;
}

static inline uint64_t get(reader *r) {
  if (r->p < r->end && (unsigned char)*r->p < 0x80) return (unsigned char)*r->p++;
  return get_long(r);
}

typedef struct head {
  uint64_t items, rows, codes, total, empty, repeated, weighted;
} head;

/* Nothing that is said of sizes is more than there are bytes for. */
static bool get_head(reader *r, head *h) {
  if (r->end - r->p < 4 || memcmp(r->p, magic, 4) != 0) return false;
  r->p += 4;
  uint64_t *const fields[] = {&h->items, &h->rows, &h->codes, &h->total, &h->empty, &h->repeated, &h->weighted};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) *fields[i] = get(r);
  uint64_t bytes = (uint64_t)(r->end - r->p);
  return !r->broken && h->items <= bytes && h->rows <= bytes && h->codes <= bytes && h->weighted <= 1 && h->total >= 1 && h->empty <= h->total;
}

static dm_status bad(dm_error *err) { return dm_fail(err, DM_EINPUT, "packed transactions: they are damaged"); }

static dm_status get_names(reader *r, const head *h, dm_transactions_builder *b, dm_error *err) {
  for (uint64_t i = 0; i < h->items; i++) {
    uint64_t n = get(r);
    uint32_t code;
    if (r->broken || n > (uint64_t)(r->end - r->p) || dm_utf8_valid(r->p, (size_t)n) != n || memchr(r->p, 0, (size_t)n)) return bad(err);
    dm_status s = dm_transactions_builder_code(b, r->p, (size_t)n, &code, err);
    if (s != DM_OK) return s;
    if (code != i) return bad(err); /* twice */
    r->p += n;
  }
  return DM_OK;
}

static dm_status get_row(reader *r, const head *h, dm_transactions_builder *b, uint64_t *codes, uint64_t *total, dm_error *err) {
  uint64_t n = get(r), weight = h->weighted ? get(r) : 1;
  if (r->broken || n == 0 || n > *codes || weight < 1 || weight > UINT32_MAX || weight > *total) return bad(err);
  *codes -= n;
  *total -= weight;
  for (uint64_t i = 0; i < n; i++) {
    uint64_t code = get(r);
    if (r->broken || code >= h->items) return bad(err);
    dm_status s = dm_transactions_builder_add(b, (uint32_t)code, err);
    if (s != DM_OK) return s;
  }
  return dm_transactions_builder_end(b, weight, err);
}

/* What is left of codes and total after the rows: none, and the empty transactions. */
static dm_status get_all(dm_ctx *ctx, reader *r, const head *h, dm_transactions_builder *b, dm_error *err) {
  uint64_t codes = h->codes, total = h->total;
  dm_status s = get_names(r, h, b, err);
  for (uint64_t i = 0; s == DM_OK && i < h->rows; i++) {
    if ((i & 65535) == 0) s = dm_ctx_check(ctx, err);
    if (s == DM_OK) s = get_row(r, h, b, &codes, &total, err);
  }
  if (s != DM_OK) return s;
  if (codes != 0 || total != h->empty || r->p != r->end) return bad(err);
  return h->empty ? dm_transactions_builder_end(b, 1, err) : DM_OK; /* stands for all of them */
}

dm_status dm_packed_decode(dm_ctx *ctx, const char *p, size_t n, dm_transactions **out, dm_error *err) {
  reader r = {.p = p, .end = p + n};
  head h;
  dm_transactions_builder *b = NULL;
  dm_transactions *t = NULL;
  if (!get_head(&r, &h)) return bad(err);
  dm_status s = dm_transactions_builder_new(ctx, &b, err);
  if (s != DM_OK) return s;
  s = get_all(ctx, &r, &h, b, err);
  if (s != DM_OK) {
    dm_transactions_builder_free(b);
    return s;
  }
  s = dm_transactions_builder_finish(b, &t, err);
  if (s != DM_OK) return s;
  if (t->repeated != 0) { /* a code twice in a row */
    dm_transactions_free(t);
    return bad(err);
  }
  t->total = h.total;
  t->empty = h.empty;
  t->repeated = h.repeated;
  *out = t;
  return DM_OK;
}
