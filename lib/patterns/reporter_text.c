/*
 * Sets as lines of text. Most of a line is that of the line before, so text is
 * put together from pieces that were made once:
 *
 *   line      "12 5 "            items that this set and those after it share; grows and shrinks with the search
 *   tail      "33 (81)\n"        the last item, or choices of the last perfect items, and the support
 *
 * Pieces stand in slots that are padded to whole vectors: one is copied by one
 * or two stores that are too long, over whose end the next piece is written.
 * The line is read in vectors, too, so that its last item is not written to it
 * as long as nothing follows: a load of what was just stored in parts waits for
 * the stores.
 */
#include "patterns/reporter_state.h"

#include "matrix/kernels/simd.h"
#include "text/json.h"

#include <stdio.h>
#include <string.h>

enum { SLOT = 16, DIRECT = 3 }; /* perfect items whose choices are a batch: 2^3 = BATCH */

/* ---- pieces ------------------------------------------------------------------------------ */

/* Names that could be mistaken stand as JSON strings in plain text, too. */
static bool needs_quotes(dm_str name) {
  for (size_t i = 0; i < name.n; i++)
    if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '"' || name.p[i] == '(') return true;
  return name.n == 0;
}

static void item_text(dm_report_format format, dm_str name, dm_buf *quoted, dm_buf *out) {
  if (format == DM_REPORT_TEXT && !needs_quotes(name)) {
    dm_buf_add(out, name.p, name.n);
    dm_buf_addc(out, ' ');
    return;
  }
  dm_buf_reset(quoted);
  dm_json_quote(quoted, name.p, name.n);
  for (size_t i = 0; i < quoted->n; i++) {
    if (format == DM_REPORT_CSV && quoted->p[i] == '"') dm_buf_addc(out, '"');
    dm_buf_addc(out, quoted->p[i]);
  }
  dm_buf_addc(out, format == DM_REPORT_TEXT ? ' ' : ',');
}

/* What stands around the items and behind the number. */
static const struct {
  const char *head, *middle, *end;
} forms[] = {[DM_REPORT_TEXT] = {"", "(", ")\n"},
             [DM_REPORT_CSV] = {"\"[", "]\",", "\n"},
             [DM_REPORT_TSV] = {"[", "]\t", "\n"},
             [DM_REPORT_JSONL] = {"{\"items\":[", "],\"support\":", "}\n"}};

static void measure_lines(dm_reporter *r) {
  const dm_csr *rows = &r->o.db->rows;
  for (size_t i = 0; i < rows->n; i++) {
    size_t n = 0;
    for (size_t k = rows->start[i]; k < rows->start[i + 1]; k++) n += r->texts[rows->index[k]].n;
    if (n > r->longest_text) r->longest_text = n;
  }
  r->longest_text += strlen(forms[r->o.format].head) + 2 * SLACK;
}

dm_status dm_reporter_texts(dm_reporter *r, dm_error *err) {
  const dm_itemdb *db = r->o.db;
  dm_status status = dm_arena_new(r->ctx, 0, &r->memory, err);
  dm_item_text *texts = status == DM_OK ? dm_arena_alloc(r->memory, db->n_items + 1, sizeof *texts, err) : NULL;
  if (!texts) return DM_EBUDGET;
  dm_buf text, quoted;
  dm_buf_init(&text, r->ctx, err);
  dm_buf_init(&quoted, r->ctx, err);
  for (size_t i = 0; i < db->n_items && status == DM_OK; i++) {
    dm_buf_reset(&text);
    item_text(r->o.format, r->o.names[db->source[i]], &quoted, &text);
    char *p = NULL;
    if (dm_buf_status(&text) != DM_OK || dm_buf_status(&quoted) != DM_OK || !(p = dm_arena_alloc(r->memory, text.n + SLOT, 1, err)))
      status = DM_EBUDGET;
    else
      memcpy(p, text.p, text.n);
    texts[i] = (dm_item_text){.p = p, .n = text.n};
  }
  dm_buf_clear(&text);
  dm_buf_clear(&quoted);
  if (status != DM_OK) return status;
  r->texts = texts;
  measure_lines(r);
  return DM_OK;
}

/* ---- the end of a line ------------------------------------------------------------------- */

static size_t print_number(char *out, uint64_t v) {
  char digits[20];
  size_t n = 0;
  do digits[n++] = (char)('0' + v % 10);
  while ((v /= 10) > 0);
  for (size_t i = 0; i < n; i++) out[i] = digits[n - 1 - i];
  return n;
}

static size_t add(char *out, size_t n, const char *text) {
  size_t more = strlen(text);
  memcpy(out + n, text, more);
  return n + more;
}

/* What follows the items; in JSON it overwrites their last comma. At most 48 bytes. */
static size_t print_suffix(dm_report_format format, uint64_t support, char *out) {
  size_t n = add(out, 0, forms[format].middle);
  n += print_number(out + n, support);
  return add(out, n, forms[format].end);
}

/* ---- one by one ---------------------------------------------------------------------------- */

DM_INLINE char *append(char *out, dm_item_text t) {
  memcpy(out, t.p, SLOT);
  for (size_t i = SLOT; i < t.n; i += SLOT) memcpy(out + i, t.p + i, SLOT);
  return out + t.n;
}

void dm_emit_one_text(dm_emit_state *s, const uint32_t *items, size_t n, uint64_t support) {
  const dm_reporter *r = s->e.reporter;
  const char *head = forms[r->o.format].head;
  char *start = dm_emit_room(s, r->longest_text + SLACK), *out = start + strlen(head);
  memcpy(start, head, strlen(head));
  for (size_t i = 0; i < n; i++) out = append(out, r->texts[items[i]]);
  if (r->o.format != DM_REPORT_TEXT) out--;
  out += print_suffix(r->o.format, support, out);
  s->block->n += (size_t)(out - start);
  s->e.count++;
}

/* ---- in batches ------------------------------------------------------------------------------ */

DM_INLINE void copy(char *out, const char *from, size_t n) {
  memcpy(out, from, SLACK);
  for (size_t i = SLACK; i < n; i += SLACK) memcpy(out + i, from + i, SLACK);
}

/* The line gets the text of the items from `written` to n. */
DM_INLINE void extend_line(dm_emit_state *s, const uint32_t *items, size_t n) {
  const dm_item_text *texts = s->e.reporter->texts;
  for (size_t i = s->written; i < n; i++) s->end[i + 1] = (size_t)(append(s->line + s->end[i], texts[items[i]]) - s->line);
  s->written = n;
}

/* Tails of all choices of k items: 0, 1, 01, 012, 02, ... @return how many items it was, fewer when their text is too long */
DM_INLINE size_t make_tails(dm_emit_state *s, const uint32_t *items, size_t k) {
  const dm_item_text *texts = s->e.reporter->texts;
  size_t overlap = s->e.reporter->o.format == DM_REPORT_TEXT ? 0 : 1, text = s->suffix_n, used = 0;
  while (used < k && text + texts[items[k - 1 - used]].n <= SLACK - SLOT) text += texts[items[k - 1 - used++]].n;
  items += k - used;
  for (size_t choice = 0; choice < (size_t)1 << used; choice++) {
    char *out = s->tail[choice];
    for (size_t i = 0; i < used; i++)
      if (choice >> i & 1) out = append(out, texts[items[i]]);
    if (choice == 0 && overlap) {
      memcpy(out, s->suffix, SLACK); /* overwrites the comma on the line: the batch knows */
      s->tail_n[choice] = s->suffix_n;
    } else {
      out -= overlap;
      s->tail_n[choice] = (size_t)(out - s->tail[choice]) + s->suffix_n;
      memcpy(out, s->suffix, s->suffix_n);
    }
  }
  return used;
}

/* The line with each of the tails from the first on. */
DM_INLINE void write_batch(dm_emit_state *s, size_t line, size_t first, size_t tails) {
  char *start = dm_emit_room(s, BATCH * (line + 2 * SLACK)), *out = start;
  size_t overlap = s->e.reporter->o.format == DM_REPORT_TEXT ? 0 : 1;
  for (size_t i = first; i < tails; i++) {
    copy(out, s->line, line);
    out += line - (i == 0 ? overlap : 0);
    memcpy(out, s->tail[i], SLACK);
    out += s->tail_n[i];
  }
  s->block->n += (size_t)(out - start);
  s->e.count += tails - first;
}

/* One set without perfect items. Its last item goes to the block only. */
DM_INLINE void write_set(dm_emit_state *s) {
  const dm_emit *e = &s->e;
  const dm_item_text *texts = e->reporter->texts;
  extend_line(s, e->items, e->n - 1);
  size_t line = s->end[e->n - 1];
  char *start = dm_emit_room(s, line + texts[e->items[e->n - 1]].n + 2 * SLACK), *out = start + line;
  copy(start, s->line, line);
  out = append(out, texts[e->items[e->n - 1]]);
  if (e->reporter->o.format != DM_REPORT_TEXT) out--;
  memcpy(out, s->suffix, SLACK);
  s->block->n += (size_t)(out - start) + s->suffix_n;
  s->e.count++;
}

/* All choices: those of the last perfect items are the tails, those before are gone through on the line. */
DM_INLINE void write_choices(dm_emit_state *s) {
  dm_emit *e = &s->e;
  size_t n = e->n, direct = e->n_perfect < DIRECT ? e->n_perfect : DIRECT, depth = 0, next = 0;
  extend_line(s, e->items, n);
  direct = make_tails(s, e->perfect + e->n_perfect - direct, direct);
  size_t k = e->n_perfect - direct, tails = (size_t)1 << direct;
  write_batch(s, s->end[n], n == 0, tails); /* the empty set is none */
  while (!atomic_load_explicit(&e->stop, memory_order_relaxed)) {
    if (next < k) {
      s->written = n + depth;
      s->chosen[depth++] = (uint32_t)next;
      s->end[n + depth] = (size_t)(append(s->line + s->end[n + depth - 1], e->reporter->texts[e->perfect[next]]) - s->line);
      write_batch(s, s->end[n + depth], 0, tails);
    } else {
      if (depth == 0) break;
      next = s->chosen[--depth];
    }
    next++;
  }
  s->written = n;
}

DM_INLINE void write_sets(dm_emit *e, uint64_t support) {
  dm_emit_state *s = e->state;
  if (support != s->support || s->suffix_n == 0) {
    s->support = support;
    s->suffix_n = print_suffix(e->reporter->o.format, support, s->suffix);
  }
  if (s->end[0] == 0) s->end[0] = add(s->line, 0, forms[e->reporter->o.format].head);
  if (s->written > e->kept) s->written = e->kept;
  if (e->n_perfect)
    write_choices(s);
  else if (e->n)
    write_set(s);
  e->kept = e->n;
}

#if DM_HAS_SIMD
DM_AVX2 static void write_sets_avx2(dm_emit *e, uint64_t support) { write_sets(e, support); }
DM_AVX512 static void write_sets_avx512(dm_emit *e, uint64_t support) { write_sets(e, support); }
#endif
static void write_sets_scalar(dm_emit *e, uint64_t support) { write_sets(e, support); }

dm_set_writer dm_emit_text_writer(void) {
#if DM_HAS_SIMD
  if (dm_k_simd() == DM_SIMD_AVX512) return write_sets_avx512;
  if (dm_k_simd() == DM_SIMD_AVX2) return write_sets_avx2;
#endif
  return write_sets_scalar;
}
