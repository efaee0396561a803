/**
 * text: numbers to text and back without loss, Unicode, JSON, YAML with
 * positions, nearest names for "did you mean".
 */
#ifndef DM_TEXT_H
#define DM_TEXT_H

#include <dm/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- numbers ----------------------------------------------------------- */

#define DM_NUMBER_MAX 32 /* bytes that hold any number printed here, with its NUL */

/** Whole text must be [-+]digits within int64. @return false and *out untouched otherwise. Locale-independent. */
DM_API bool dm_text_to_int(const char *p, size_t n, int64_t *out);
/**
 * Whole text must be a decimal number: [-+], digits with at most one point
 * (.5 and 5. are numbers), [eE][-+]digits. No blanks, hex, nan, inf. Correctly
 * rounded; what would round to infinity is refused, tiny values become zero.
 */
DM_API bool dm_text_to_double(const char *p, size_t n, double *out);
/**
 * Shortest text that reads back to the same bits, the nearest of those:
 * positional for 1e-5 ≤ |v| < 1e16 (0.00001, 0.1, 3.0 with_point or 3), else
 * 1e-7, 1.5e+21 with or without with_point. -0 keeps its sign; nan, inf, -inf
 * for what no table should hold. @return length
 */
DM_API size_t dm_text_of_double(double v, bool with_point, char out[DM_NUMBER_MAX]);
DM_API size_t dm_text_of_int(int64_t v, char out[DM_NUMBER_MAX]);

/* ---- Unicode ------------------------------------------------------------ */

/** @return n when p[0..n) is valid UTF-8 (no surrogates, no overlongs), else the offset of the first bad byte. NUL is valid here. */
DM_API size_t dm_utf8_valid(const char *p, size_t n);
/** Decodes one code point; a byte that is not UTF-8 gives U+FFFD and length 1. @return its length in bytes, 0 at the end. */
DM_API size_t dm_utf8_next(const char *p, size_t n, uint32_t *code);
DM_API size_t dm_utf8_columns(const char *p, size_t n); /* display columns */
typedef enum dm_case { DM_CASE_LOWER, DM_CASE_UPPER, DM_CASE_TITLE, DM_CASE_FOLD } dm_case;
/**
 * Appends p[0..n) in the case asked for: Unicode's full mapping without a
 * language (ß → SS, İ → i with a dot, Σ at the end of a word → ς), NFC when
 * the input was. Title case: the first letter of each run of letters, digits
 * and marks in upper case, the rest in lower; an apostrophe (' or ’) does not
 * end a word. Bytes that are not UTF-8 stay. On failure out is as before.
 */
DM_API dm_status dm_utf8_case(const char *p, size_t n, dm_case to, dm_buf *out, dm_error *err);
/** Bounds of the text without leading and trailing Unicode white space. */
DM_API dm_str dm_utf8_trim(const char *p, size_t n);

/** The candidate nearest to word (Damerau–Levenshtein ≤ 1 + length/3, ASCII case ignored, the first of equals), or NULL; words beyond 64 bytes have none. */
DM_API const char *dm_text_nearest(const char *word, const char *const *candidates, size_t n);

/* ---- JSON --------------------------------------------------------------- */

/**
 * Streaming writer into a dm_buf; commas and nesting are its own. Doubles are
 * the shortest that read back, with a point or exponent (1.0) so that they stay
 * doubles; NaN and infinities become null, bytes that are not UTF-8 U+FFFD.
 */
typedef struct dm_json_out {
  dm_buf *buf;
  unsigned depth;
  bool comma, pretty;
  bool after_key;
} dm_json_out;

DM_API void dm_json_out_init(dm_json_out *j, dm_buf *buf, bool pretty);
DM_API void dm_json_object(dm_json_out *j); /* { */
DM_API void dm_json_array(dm_json_out *j);  /* [ */
DM_API void dm_json_end_object(dm_json_out *j);
DM_API void dm_json_end_array(dm_json_out *j);
DM_API void dm_json_key(dm_json_out *j, const char *key);
DM_API void dm_json_string(dm_json_out *j, const char *s); /* NULL gives null */
DM_API void dm_json_string_n(dm_json_out *j, const char *s, size_t n);
DM_API void dm_json_int(dm_json_out *j, int64_t v);
DM_API void dm_json_double(dm_json_out *j, double v);
DM_API void dm_json_bool(dm_json_out *j, bool v);
DM_API void dm_json_null(dm_json_out *j);
/* A member of an object: key and value. */
DM_API void dm_json_put_string(dm_json_out *j, const char *key, const char *s);
DM_API void dm_json_put_int(dm_json_out *j, const char *key, int64_t v);
DM_API void dm_json_put_double(dm_json_out *j, const char *key, double v);
DM_API void dm_json_put_bool(dm_json_out *j, const char *key, bool v);
DM_API void dm_json_raw(dm_json_out *j, const char *json, size_t n); /* one finished value, trusted */

typedef enum dm_json_type { DM_JSON_NULL, DM_JSON_BOOL, DM_JSON_INT, DM_JSON_DOUBLE, DM_JSON_STRING, DM_JSON_ARRAY, DM_JSON_OBJECT } dm_json_type;

/** Parsed value in an arena. Numbers without point and exponent that fit int64 are DM_JSON_INT (real holds them too). */
typedef struct dm_json {
  dm_json_type type;
  const char *key;     /* member name, NULL outside objects */
  dm_str string;       /* also NUL-ended */
  int64_t integer;     /* DM_JSON_INT, DM_JSON_BOOL (0, 1) */
  double real;         /* DM_JSON_INT, DM_JSON_DOUBLE */
  size_t n;            /* members or elements */
  struct dm_json *first, *next; /* children in order; next sibling */
} dm_json;

/** Strict RFC 8259, depth ≤ 64; duplicate keys, keys with U+0000 and numbers beyond double are refused. Linear (n log n in the members of one object). @return DM_OK, DM_EINPUT with line and column, DM_EBUDGET. */
DM_API dm_status dm_json_parse(dm_arena *arena, const char *p, size_t n, const dm_json **out, dm_error *err);
DM_API const dm_json *dm_json_get(const dm_json *object, const char *key); /* NULL when absent or not an object */
DM_API const char *dm_json_get_string(const dm_json *object, const char *key, const char *otherwise);
DM_API double dm_json_get_double(const dm_json *object, const char *key, double otherwise);
DM_API int64_t dm_json_get_int(const dm_json *object, const char *key, int64_t otherwise);
DM_API bool dm_json_get_bool(const dm_json *object, const char *key, bool otherwise);
/** Canonical text: keys sorted by bytes, no white space, shortest numbers (1.0 is 1). Two equal documents give equal bytes. */
DM_API void dm_json_canonical(const dm_json *value, dm_buf *out);

/* ---- YAML --------------------------------------------------------------- */

typedef enum dm_yaml_type { DM_YAML_SCALAR, DM_YAML_LIST, DM_YAML_MAP } dm_yaml_type;

/** Node of a YAML document; positions count from 1, columns in characters. Duplicate keys, anchors, aliases, tags, several documents and depth > 64 are refused. */
typedef struct dm_yaml {
  dm_yaml_type type;
  const char *key;          /* in a map */
  size_t key_line, key_column;
  size_t line, column;      /* of the value */
  const char *scalar;       /* UTF-8, NUL-ended; a NUL inside is refused */
  size_t length;
  bool quoted;              /* quoted or block scalar: always a string */
  size_t n;
  struct dm_yaml *first, *next;
  const char *source;       /* the whole text, NUL-ended, for the line that an error shows */
} dm_yaml;

/** @param file_name for messages. @param p [n ≤ 16 MB] copied. @return DM_OK, DM_EINPUT with file, line, column and excerpt, DM_EBUDGET. */
DM_API dm_status dm_yaml_parse(dm_arena *arena, const char *file_name, const char *p, size_t n, const dm_yaml **out, dm_error *err);
/** Reads the file (at most 16 MB), then parses. DM_EIO when it cannot be read. */
DM_API dm_status dm_yaml_load(dm_arena *arena, const char *file_name, const dm_yaml **out, dm_error *err);
DM_API const dm_yaml *dm_yaml_get(const dm_yaml *map, const char *key);
/** Plain null, Null, NULL, ~ or empty. */
DM_API bool dm_yaml_is_null(const dm_yaml *node);
DM_API bool dm_yaml_is_bool(const dm_yaml *node, bool *value); /* plain true|false|yes|no, also True, TRUE, … */
/** DM_EINPUT at the node's value, with its line: used by all who read recipes and pipelines. */
DM_API dm_status dm_yaml_fail(const dm_yaml *node, const char *file_name, dm_error *err, const char *format, ...) DM_PRINTF(4, 5);
/** Refuses what is no map, and keys not in known[] with "did you mean". */
DM_API dm_status dm_yaml_check_keys(const dm_yaml *map, const char *file_name, const char *const *known, size_t n_known, dm_error *err);

/* ---- digests ------------------------------------------------------------ */

#define DM_SHA256_HEX 65 /* 64 lower-case hex digits and the NUL */
typedef struct dm_sha256 dm_sha256;
DM_API dm_status dm_sha256_new(dm_ctx *ctx, dm_sha256 **out, dm_error *err);
DM_API void dm_sha256_add(dm_sha256 *h, const void *p, size_t n);
DM_API void dm_sha256_hex(dm_sha256 *h, char out[DM_SHA256_HEX]); /* finishes; h starts anew */
DM_API void dm_sha256_free(dm_sha256 *h);

#ifdef __cplusplus
}
#endif
#endif
