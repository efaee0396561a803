/*
 * Rules for a terminal:
 *
 *   rule                          support        confidence  lift
 *   {bread, milk} => {butter}          12   3.1 %      0.82  2.13
 */
#include "patterns/rule_model.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 72, NUMBER = 16 }; /* columns a rule may take; characters of a number */

/* A name as it may stand on a terminal: control characters as blanks, "" for none. */
static void add_name(dm_buf *out, dm_str name) {
  if (!name.n) dm_buf_adds(out, "\"\"");
  for (size_t i = 0; i < name.n; i++) dm_buf_addc(out, (unsigned char)name.p[i] < ' ' || name.p[i] == 127 ? ' ' : name.p[i]);
}

/* {a, b, … 3 more}, in about `width` columns, with at least one name. */
static void add_set(const dm_rule_model *m, const uint32_t *codes, size_t n, size_t width, dm_buf *out) {
  size_t used = 0;
  dm_buf_addc(out, '{');
  for (size_t i = 0; i < n; i++) {
    dm_str name = m->names[codes[i]];
    used += dm_utf8_columns(name.p, name.n) + 2;
    if (i && used > width) {
      dm_buf_printf(out, ", … %zu more", n - i);
      break;
    }
    if (i) dm_buf_adds(out, ", ");
    add_name(out, name);
  }
  dm_buf_addc(out, '}');
}

static void add_rule(const dm_rule_model *m, const dm_rule *r, dm_buf *out) {
  size_t head = 0;
  for (uint32_t i = 0; i < r->n_head; i++) head += dm_utf8_columns(m->names[r->head[i]].p, m->names[r->head[i]].n) + 2;
  if (head > WIDTH / 2) head = WIDTH / 2;
  add_set(m, r->body, r->n_body, WIDTH - 8 - head, out);
  dm_buf_adds(out, " => ");
  add_set(m, r->head, r->n_head, WIDTH / 2, out);
}

static void pad(dm_buf *out, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) dm_buf_addc(out, ' ');
}

/* Three digits that count. */
static const char *print_number(double v, char text[NUMBER]) {
  (void)snprintf(text, NUMBER, v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v);
  return text;
}

static void add_figures(const dm_rule_model *m, const dm_rule *r, dm_buf *out) {
  char share[NUMBER], confidence[NUMBER], lift[NUMBER];
  double shared = 100 * dm_measure_value(&r->counts, DM_SUPPORT);
  (void)snprintf(share, sizeof share, shared >= 1 ? "%.1f %%" : "%.2g %%", shared);
  dm_buf_printf(out, "  %9llu  %8s  %10s  %6s", (unsigned long long)r->counts.both, share,
                print_number(dm_measure_value(&r->counts, DM_CONFIDENCE), confidence), print_number(dm_measure_value(&r->counts, DM_LIFT), lift));
  if (m->tested) dm_buf_printf(out, "  %8.2g", r->q);
  dm_buf_addc(out, '\n');
}

void dm_rule_model_text(const dm_rule_model *m, size_t first, dm_buf *out) {
  size_t n = first < m->n ? first : m->n, widest = strlen("rule");
  for (int pass = 0; pass < 2; pass++) {
    size_t begin = out->n;
    if (pass) {
      dm_buf_adds(out, "rule");
      pad(out, strlen("rule"), widest);
      dm_buf_adds(out, m->tested ? "    support     share  confidence    lift         q\n" : "    support     share  confidence    lift\n");
    }
    for (size_t i = 0; i < n && dm_buf_status(out) == DM_OK; i++) {
      size_t at = out->n;
      add_rule(m, &m->rules[i], out);
      if (dm_buf_status(out) != DM_OK) return;
      size_t columns = dm_utf8_columns(out->p + at, out->n - at);
      if (!pass) {
        if (columns > widest) widest = columns;
        out->n = begin; /* measured only */
        out->p[begin] = 0;
        continue;
      }
      pad(out, columns, widest);
      add_figures(m, &m->rules[i], out);
    }
  }
}
