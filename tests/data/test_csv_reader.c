/* data: records and cells: quoting, endings, rejects with their place, seek, digests, any block size. */
#include "csv_help.h"

static const dm_csv_options with_header = {.header = DM_YES, .delimiter = ','};

static void quotes_delimiters_and_newlines(void **state) {
  (void)state;
  READS_AS("a,b\n1,2\n", &with_header, "<1><2>\n");
  READS_AS("a,b\n1,2", &with_header, "<1><2>\n");
  READS_AS("a,b\r\n1,2\r\n", &with_header, "<1><2>\n");
  READS_AS("a,b\r1,2\r3,4", &with_header, "<1><2>\n<3><4>\n");
  READS_AS("a,b\n1,2\r\n3,4\r5,6\n", &with_header, "<1><2>\n<3><4>\n<5><6>\n");
  READS_AS("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"\",\"\"\"\"\n", &with_header, "\"x,y\"\"say \"hi\"\"\n\"\"\"\"\"\n");
  READS_AS("a,b\n\"two\nlines\",1\n\"two\r\nlines\",2\n", &with_header, "\"two\nlines\"<1>\n\"two\r\nlines\"<2>\n");
  READS_AS("a,b\n5\" pipe,it's\n\"a\"b,\"c\"d\"e\"\n", &with_header, "<5\" pipe><it's>\n\"ab\"\"cd\"e\"\"\n");
  READS_AS("a,b\n,\n\"\",x\n", &with_header, "<><>\n\"\"<x>\n");
}

static void blank_lines(void **state) {
  (void)state;
  READS_AS("\n\na,b\n\n1,2\n\n\r\n3,4\n\n", &with_header, "<1><2>\n<3><4>\n");
  READS_AS("a\n1\n\n2\n\n", &with_header, "<1>\n<>\n<2>\n<>\n");
  READS_AS("a,b\n \n1,2\n", &with_header, "!1 2@4:2[ ] 1 field, header has 2\n<1><2>\n");
}

static void ragged_records_are_rejected_with_their_place(void **state) {
  (void)state;
  READS_AS("a,b,c\n1,2,3\n4,5\n6,7,8,9\n\"x\ny\",5\n1,2,3\n", &with_header,
           "<1><2><3>\n!1 3@12:4[4,5] 2 fields, header has 3\n!2 4@16:7[6,7,8,9] 4 fields, header has 3\n"
           "!1 5@24:0[\"x\ny\",5] 2 fields, header has 3\n<1><2><3>\n");
  dm_csv_options merge = with_header, drop = with_header;
  merge.on_extra = DM_EXTRA_MERGE, drop.on_extra = DM_EXTRA_DROP;
  READS_AS("a,b\n1,Smith, John,\"x,\"\"y\"\n1\n", &merge, "<1><Smith, John,x,\"y>\n!1 3@26:2[1] 1 field, header has 2\n");
  READS_AS("a,b\n1,2,3,4\n", &drop, "<1><2>\n");
}

static void a_quote_left_open_costs_its_line(void **state) {
  (void)state;
  READS_AS("a,b\n1,\"x\n2,y\n3,z\n", &with_header, "!3 2@4:3[1,\"x] a quote opens and is not closed\n<2><y>\n<3><z>\n");
  READS_AS("a,b\n1,\"x\r\n2,y\r\n", &with_header, "!3 2@4:3[1,\"x] a quote opens and is not closed\n<2><y>\n");
  READS_AS("a,b\n1,2\n\"", &with_header, "<1><2>\n!3 3@8:1[\"] a quote opens and is not closed\n");
  READS_AS("a,b\n1,\"x\n2,\"y\n3,z\n", &with_header,
           "!3 2@4:3[1,\"x] a quote opens and is not closed\n!3 3@9:3[2,\"y] a quote opens and is not closed\n<3><z>\n");
  /* the first cell closes well, the second on its second line does not */
  READS_AS("a,b\n\"p\nq\",\"r\n3,z\n", &with_header,
           "!3 2@4:1[\"p] a quote opens and is not closed\n!3 3@7:4[q\",\"r] a quote opens and is not closed\n<3><z>\n");
}

static void rejects_keep_bytes(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  static const char text[] = "a,b\n1,x\0y\n2,\xC3\xA9\n3,\xC3(\n4,z\n";
  dm_csv *csv = open_bytes(ctx, text, sizeof text - 1, &with_header, 5);
  const dm_csv_record *r;
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_NUL);
  assert_int_equal(r->column, 4);
  assert_int_equal(r->raw_n, 5);
  assert_memory_equal(r->raw, "1,x\0y", 5);
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_NONE);
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_ENCODING);
  assert_int_equal(r->column, 3);
  assert_memory_equal(r->raw, "3,\xC3(", 4);
  assert_string_equal(r->message, "byte 0xC3 is not UTF-8");
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_NONE);
  assert_int_equal(r->record, 4);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

static void trimmed_cells(void **state) {
  (void)state;
  dm_csv_options o = with_header;
  o.trim = DM_YES;
  READS_AS("a, b, c\n1 , x y , \"q, r\" \n  , \" \" ,\"\"\n", &o, "<1><x y>\"q, r\"\n<>\" \"\"\"\n");
  READS_AS("a, b\n1, \"x\n2, y\n", &o, "!3 2@5:3[1, \"x] a quote opens and is not closed\n<2><y>\n");
}

static void escaped_quotes(void **state) {
  (void)state;
  READS_AS("id,text\n1,\"say \\\"hi\\\", you\"\n2,\"plain\"\n3,\"a \\\\ b\"\n", &with_header,
           "<1>\"say \"hi\", you\"\n<2>\"plain\"\n<3>\"a \\ b\"\n");
  READS_AS("id,path\n1,\"C:\\dir\\\"\n2,\"D:\\\"\n", &with_header, "<1>\"C:\\dir\\\"\n<2>\"D:\\\"\n");
}

/* ---- places ------------------------------------------------------------------- */

typedef struct place {
  uint64_t record, line, offset;
  size_t hash;
} place;

static size_t hash_record(const dm_csv_record *r) {
  size_t h = r->reason + r->n_cells * 31;
  for (size_t i = 0; r->cells && i < r->n_cells; i++)
    for (size_t j = 0; j <= r->cells[i].n; j++) h = h * 131 + (j < r->cells[i].n ? (unsigned char)r->cells[i].p[j] : 7u + r->cells[i].quoted);
  return h;
}

/* Every record can be sought, gives the same cells again, and its raw bytes are the source's at its offset. */
static void check_places(const char *p, size_t n, const dm_csv_options *options, size_t block) {
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_bytes(ctx, p, n, options, block);
  static place places[4096];
  size_t n_places = 0;
  const dm_csv_record *r;
  uint64_t behind = 0;
  for (;;) {
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    if (!r || n_places == 4096) break;
    dm_str raw;
    size_t hash = hash_record(r);
    assert_int_equal(dm_csv_raw(csv, &raw, NULL), DM_OK);
    assert_true(r->byte_offset >= behind && r->byte_offset + raw.n <= n);
    assert_memory_equal(raw.p, p + r->byte_offset, raw.n);
    behind = r->byte_offset + raw.n;
    places[n_places++] = (place){r->record, r->line, r->byte_offset, hash};
    assert_int_equal(r->record, n_places);
  }
  for (size_t k = 0; k < n_places; k++) {
    const place *at = &places[(k * 7919) % n_places];
    assert_int_equal(dm_csv_seek(csv, at->record, at->line, at->offset, NULL), DM_OK);
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    assert_non_null(r);
    assert_int_equal(r->record, at->record);
    assert_int_equal(r->line, at->line);
    assert_int_equal(r->byte_offset, at->offset);
    assert_int_equal(hash_record(r), at->hash);
  }
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

static void any_record_can_be_sought(void **state) {
  (void)state;
  static const char text[] = "a,b\n1,2\n\"x\ny\",3\n\n4\r\n5,\"open\n6,7\r8,9\n10,\xFF\n\"q\"\"q\",\n";
  static const size_t blocks[] = {0, 1, 2, 7, 64};
  for (size_t i = 0; i < 5; i++) check_places(text, sizeof text - 1, &with_header, blocks[i]);
}

static void reads_as_cells(const char *p, size_t n, const dm_csv_options *options) {
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_bytes(ctx, p, n, options, 5);
  const dm_csv_record *r;
  assert_string_equal(dm_csv_get_column(csv, 0)->name, "n\xC3\xA4me");
  for (size_t i = 0; i < 3; i++) assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_TOO_FEW);
  assert_int_equal(r->line, 6);
  for (size_t i = 0; i < 2; i++) assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_NONE);
  assert_int_equal(r->line, 8);
  assert_int_equal(r->cells[1].n, 2);
  assert_memory_equal(r->cells[1].p, "\xC3\xB1", 2);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

/* The same text in other encodings: the same cells, offsets in their own bytes. */
static void places_in_other_encodings(void **state) {
  (void)state;
  static const char utf8[] = "n\xC3\xA4me,b\r\n\xC3\xA9\xC3\xA8,2\r\n\"x\r\n\xC3\xBC\",3\n\n4\r\n5,\"open\n6,\xC3\xB1\r8,9\n";
  static const char *const encodings[] = {"ISO-8859-1", "WINDOWS-1252", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-8", "GB18030"};
  static const size_t blocks[] = {0, 1, 3, 64};
  for (size_t e = 0; e < sizeof encodings / sizeof *encodings; e++) {
    char bytes[1024], *in = (char *)(uintptr_t)utf8, *out = bytes;
    size_t left = sizeof utf8 - 1, room = sizeof bytes;
    iconv_t cd = iconv_open(encodings[e], "UTF-8");
    assert_true(iconv(cd, &in, &left, &out, &room) == 0 && iconv_close(cd) == 0);
    dm_csv_options o = with_header;
    o.encoding = encodings[e];
    for (size_t b = 0; b < 4; b++) check_places(bytes, sizeof bytes - room, &o, blocks[b]);
    reads_as_cells(bytes, sizeof bytes - room, &o);
  }
}

/* ---- tables written and read back ------------------------------------------------- */

static void write_cell(dm_buf *out, const char *p, size_t n, bool quote, char delimiter) {
  bool must = quote || n == 0;
  for (size_t i = 0; i < n; i++) must |= p[i] == delimiter || p[i] == '"' || p[i] == '\n' || p[i] == '\r';
  if (!must) {
    dm_buf_add(out, p, n);
    return;
  }
  dm_buf_addc(out, '"');
  for (size_t i = 0; i < n; i++) {
    if (p[i] == '"') dm_buf_addc(out, '"');
    dm_buf_addc(out, p[i]);
  }
  dm_buf_addc(out, '"');
}

static void random_tables_come_back(void **state) {
  (void)state;
  static const char *const endings[] = {"\n", "\r\n", "\r"};
  static const char alphabet[] = "abc ,;\t\"\n\r'x1.-\xC3";
  dm_rng rng;
  dm_rng_init(&rng, 3, 1);
  for (size_t round = 0; round < 1500; round++) {
    dm_ctx *ctx = new_ctx();
    dm_buf text, want, got;
    dm_buf_init(&text, ctx, NULL), dm_buf_init(&want, ctx, NULL), dm_buf_init(&got, ctx, NULL);
    size_t d = 1 + dm_rng_below(&rng, 6), n = 1 + dm_rng_below(&rng, 30);
    const char *ending = endings[dm_rng_below(&rng, 3)];
    dm_csv_options o = {.header = DM_NO, .trim = DM_NO, .delimiter = ",;\t"[dm_rng_below(&rng, 3)], .encoding = "UTF-8"};
    for (size_t i = 0; i < n; i++) {
      for (size_t j = 0; j < d; j++) {
        char cell[64];
        size_t length = dm_rng_below(&rng, dm_rng_below(&rng, 20) ? 8 : 40), at = 0;
        while (at < length) {
          cell[at] = alphabet[dm_rng_below(&rng, sizeof alphabet - 1)];
          if (cell[at] == '\xC3') cell[++at] = '\xA9';
          at++;
        }
        bool missing = at == 0 && d > 1;
        if (!missing) write_cell(&text, cell, at, dm_rng_below(&rng, 4) == 0, o.delimiter);
        dm_buf_addc(&want, '[');
        dm_buf_add(&want, cell, at);
        dm_buf_addc(&want, ']');
        if (j + 1 < d) dm_buf_addc(&text, o.delimiter);
      }
      dm_buf_addc(&want, '\n');
      if (i + 1 < n || round % 2) dm_buf_adds(&text, ending);
    }
    dm_csv *csv = open_bytes(ctx, text.p, text.n, &o, 1 + dm_rng_below(&rng, 200));
    const dm_csv_record *r;
    for (;;) {
      assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
      if (!r) break;
      assert_int_equal(r->reason, DM_REJECT_NONE);
      for (size_t j = 0; j < r->n_cells; j++) {
        dm_buf_addc(&got, '[');
        dm_buf_add(&got, r->cells[j].p, r->cells[j].n);
        dm_buf_addc(&got, ']');
      }
      dm_buf_addc(&got, '\n');
    }
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    dm_csv_close(csv);
    if (round % 10 == 0) check_places(text.p, text.n, &o, 1 + dm_rng_below(&rng, 100));
    dm_buf_clear(&text), dm_buf_clear(&want), dm_buf_clear(&got);
    dm_ctx_free(ctx);
  }
}

static void the_digest_is_the_source_s(void **state) {
  (void)state;
  static const char text[] = "\xEF\xBB\xBFsep=;\r\na;b\r\n1;\"x\ny\"\r\n2;\"open\n";
  dm_ctx *ctx = new_ctx();
  dm_sha256 *h = NULL;
  char want[DM_SHA256_HEX];
  assert_int_equal(dm_sha256_new(ctx, &h, NULL), DM_OK);
  dm_sha256_add(h, text, sizeof text - 1);
  dm_sha256_hex(h, want);
  dm_sha256_free(h);
  dm_csv *csv = open_bytes(ctx, text, sizeof text - 1, NULL, 4);
  const dm_csv_record *r;
  for (int pass = 0; pass < 2; pass++) {
    size_t n = 0;
    do {
      assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
      n += r != NULL;
    } while (r);
    assert_int_equal(n, 2);
    assert_string_equal(dm_csv_sha256(csv), want);
    assert_int_equal(dm_csv_rewind(csv, NULL), DM_OK);
  }
  assert_int_equal(dm_csv_seek(csv, 1, 1, 0, NULL), DM_EUSAGE);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotes_delimiters_and_newlines),
      cmocka_unit_test(blank_lines),
      cmocka_unit_test(ragged_records_are_rejected_with_their_place),
      cmocka_unit_test(a_quote_left_open_costs_its_line),
      cmocka_unit_test(rejects_keep_bytes),
      cmocka_unit_test(trimmed_cells),
      cmocka_unit_test(escaped_quotes),
      cmocka_unit_test(any_record_can_be_sought),
      cmocka_unit_test(places_in_other_encodings),
      cmocka_unit_test(random_tables_come_back),
      cmocka_unit_test(the_digest_is_the_source_s),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
