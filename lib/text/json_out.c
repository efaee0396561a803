/* JSON writer: commas, nesting, escapes and number forms in one place. */
#include "text/json.h"

#include <math.h>
#include <string.h>

void dm_json_out_init(dm_json_out *j, dm_buf *buf, bool pretty) { *j = (dm_json_out){.buf = buf, .pretty = pretty}; }

static void new_line(dm_json_out *j) {
  static const char spaces[] = "                                ";
  dm_buf_addc(j->buf, '\n');
  for (size_t n = (size_t)j->depth * 2; n > 0;) {
    size_t step = n < sizeof spaces - 1 ? n : sizeof spaces - 1;
    dm_buf_add(j->buf, spaces, step);
    n -= step;
  }
}

/* What stands between the last value and the next value or key. */
static void separate(dm_json_out *j) {
  if (j->after_key) {
    j->after_key = false;
  } else {
    if (j->comma) dm_buf_addc(j->buf, ',');
    if (j->pretty && j->depth > 0) new_line(j);
  }
  j->comma = true;
}

static void open(dm_json_out *j, char bracket) {
  separate(j);
  dm_buf_addc(j->buf, bracket);
  j->depth++;
  j->comma = false;
}

static void close(dm_json_out *j, char bracket) {
  j->depth--;
  if (j->pretty && j->comma) new_line(j);
  dm_buf_addc(j->buf, bracket);
  j->comma = true;
}

void dm_json_object(dm_json_out *j) { open(j, '{'); }
void dm_json_array(dm_json_out *j) { open(j, '['); }
void dm_json_end_object(dm_json_out *j) { close(j, '}'); }
void dm_json_end_array(dm_json_out *j) { close(j, ']'); }

/* Bytes of p that a JSON string may hold as they are; ASCII only, others are looked at one by one. */
static size_t plain_run(const char *p, size_t n) {
  const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w, quote, slash;
    memcpy(&w, p + i, sizeof w);
    quote = w ^ (ones * '"');
    slash = w ^ (ones * '\\');
    if (((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & tops) break;
  }
  while (i < n && (unsigned char)p[i] >= 0x20 && (unsigned char)p[i] < 0x80 && p[i] != '"' && p[i] != '\\') i++;
  return i;
}

static void escape(dm_buf *buf, unsigned char c) {
  static const char letters[] = "btn\0fr"; /* from U+0008 on */
  static const char hex[] = "0123456789abcdef";
  char text[6] = {'\\', (char)c};
  if (c == '"' || c == '\\') {
    dm_buf_add(buf, text, 2);
  } else if (c >= 8 && c <= 13 && letters[c - 8]) {
    text[1] = letters[c - 8];
    dm_buf_add(buf, text, 2);
  } else {
    memcpy(text + 1, "u00", 3);
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    dm_buf_add(buf, text, 6);
  }
}

void dm_json_quote(dm_buf *buf, const char *s, size_t n) {
  dm_buf_addc(buf, '"');
  for (size_t i = 0; i < n;) {
    size_t run = plain_run(s + i, n - i);
    dm_buf_add(buf, s + i, run);
    i += run;
    if (i == n) break;
    if ((unsigned char)s[i] < 0x80) {
      escape(buf, (unsigned char)s[i++]);
      continue;
    }
    uint32_t code;
    size_t step = dm_utf8_next(s + i, n - i, &code);
    if (step > 1)
      dm_buf_add(buf, s + i, step);
    else
      dm_buf_adds(buf, "\xEF\xBF\xBD"); /* JSON is UTF-8: a stray byte shows as U+FFFD */
    i += step;
  }
  dm_buf_addc(buf, '"');
}

void dm_json_key(dm_json_out *j, const char *key) {
  separate(j);
  dm_json_quote(j->buf, key, strlen(key));
  dm_buf_add(j->buf, ": ", j->pretty ? 2 : 1);
  j->after_key = true;
}

void dm_json_string_n(dm_json_out *j, const char *s, size_t n) {
  separate(j);
  dm_json_quote(j->buf, s, n);
}

void dm_json_string(dm_json_out *j, const char *s) {
  if (s)
    dm_json_string_n(j, s, strlen(s));
  else
    dm_json_null(j);
}

void dm_json_raw(dm_json_out *j, const char *json, size_t n) {
  separate(j);
  dm_buf_add(j->buf, json, n);
}

void dm_json_int(dm_json_out *j, int64_t v) {
  separate(j);
  if (dm_buf_reserve(j->buf, DM_NUMBER_MAX)) j->buf->n += dm_text_of_int(v, j->buf->p + j->buf->n);
}

void dm_json_double(dm_json_out *j, double v) {
  if (!isfinite(v)) {
    dm_json_null(j);
    return;
  }
  separate(j);
  if (dm_buf_reserve(j->buf, DM_NUMBER_MAX)) j->buf->n += dm_text_of_double(v, true, j->buf->p + j->buf->n);
}

void dm_json_bool(dm_json_out *j, bool v) { dm_json_raw(j, v ? "true" : "false", v ? 4 : 5); }
void dm_json_null(dm_json_out *j) { dm_json_raw(j, "null", 4); }

void dm_json_put_string(dm_json_out *j, const char *key, const char *s) {
  dm_json_key(j, key);
  dm_json_string(j, s);
}

void dm_json_put_int(dm_json_out *j, const char *key, int64_t v) {
  dm_json_key(j, key);
  dm_json_int(j, v);
}

void dm_json_put_double(dm_json_out *j, const char *key, double v) {
  dm_json_key(j, key);
  dm_json_double(j, v);
}

void dm_json_put_bool(dm_json_out *j, const char *key, bool v) {
  dm_json_key(j, key);
  dm_json_bool(j, v);
}
