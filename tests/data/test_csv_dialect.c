/* data: what is detected on the sample: delimiter, header, names, types, trim, encoding, titles; and what is announced. */
#include "csv_help.h"

#include <iconv.h>

typedef struct expectation {
  const char *text;
  char delimiter;
  bool header;
  const char *columns; /* "name:TYPE name:TYPE" */
} expectation;

static void describe_columns(const dm_csv *csv, char *out, size_t capacity) {
  size_t at = 0;
  out[0] = 0;
  for (size_t i = 0; i < dm_csv_n_columns(csv); i++) {
    const dm_csv_column *c = dm_csv_get_column(csv, i);
    at += (size_t)snprintf(out + at, capacity - at, "%s%s:%s", i ? " " : "", c->name, dm_type_name(c->type));
    assert_true(at < capacity);
  }
}

static void detected(const expectation *e) {
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_text(ctx, e->text, NULL);
  const dm_csv_dialect *d = dm_csv_get_dialect(csv);
  char columns[512];
  describe_columns(csv, columns, sizeof columns);
  if (strcmp(columns, e->columns) != 0 || d->delimiter != e->delimiter) print_error("of:\n%s\n", e->text);
  assert_string_equal(columns, e->columns);
  assert_int_equal(d->delimiter, e->delimiter);
  assert_int_equal(d->header, e->header);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

static void delimiter_header_and_types(void **state) {
  (void)state;
  static const expectation cases[] = {
      {"a,b,c\n1,2.5,x\n2,3.5,y\n", ',', true, "a:INTEGER b:REAL c:TEXT"},
      {"a;b\n1,5;x\n2,5;y\n", ';', true, "a:TEXT b:TEXT"}, /* decimal commas are text until a recipe says more */
      {"a\tb\n1\tx, y\n2\tz\n", '\t', true, "a:INTEGER b:TEXT"},
      {"a|b|c\n1|2|3\n", '|', true, "a:INTEGER b:INTEGER c:INTEGER"},
      {"1,2\n3,4\n", ',', false, "c1:INTEGER c2:INTEGER"},
      {"3,Fears\n4,Hopes\n", ',', false, "c1:INTEGER c2:TEXT"},
      {"name,city\nAnn,Rome\nBob,Oslo\n", ',', true, "name:TEXT city:TEXT"},
      {"Ann,Rome\nBob,Oslo\nAnn,Rome\n", ',', false, "c1:TEXT c2:TEXT"},
      {"when,who\n2020-01-01,x\n2020-01-02,y\n", ',', true, "when:TEXT who:TEXT"},
      {"12:30:00\n13:45:10\n", ',', false, "c1:TEXT"},
      {"word\nsome text here\nmore text, too\n", '\t', true, "word:TEXT"},
      {"country,2019,2020,2021\nIT,1,2,3\nFR,4,5,6\n", ',', true, "country:TEXT 2019:INTEGER 2020:INTEGER 2021:INTEGER"},
      {"x,2019,2021,2020\nIT,1,2,3\nFR,4,5,6\n", ',', false, "c1:TEXT c2:INTEGER c3:INTEGER c4:INTEGER"},
      {"a,b,c\n1,2,3\n4,5\n6,7,8,9\n", ',', true, "a:INTEGER b:INTEGER c:INTEGER"}, /* broken, not of one column */
      {"a,b\n", ',', true, "a:TEXT b:TEXT"},
      {"zip,id\n00123,12345678901234567890\n00124,1\n", ',', true, "zip:TEXT id:TEXT"},
      {"a,b\n,1\n,2\n", ',', true, "a:TEXT b:INTEGER"},
      {"a b c\n1.5 2.5 3.5\n4.5 5.5 6.5\n", ' ', true, "a:REAL b:REAL c:REAL"},
      {"sep=|\r\na|b\r\n1|2\r\n", '|', true, "a:INTEGER b:INTEGER"},
      {"report of May\na,b\n1,2\n3,4\n5,6\n", ',', true, "a:INTEGER b:INTEGER"},
      {"a,b,\n1,2\n3,4\n", ',', true, "a:INTEGER b:INTEGER"},
      {"a,b\n1,2,\n3,4,\n", ',', true, "a:INTEGER b:INTEGER"},
      {"a,b,\n1,2,\n3,4,\n", ',', true, "a:INTEGER b:INTEGER c3:TEXT"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) detected(&cases[i]);
}

static void expect_notes(const dm_csv *csv, const char *const *want, size_t n) {
  for (size_t i = 0; i < dm_csv_n_notes(csv) && i < n; i++) assert_string_equal(dm_csv_note(csv, i), want[i]);
  assert_int_equal(dm_csv_n_notes(csv), n);
}

static void names_are_made_unique_and_announced(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_text(ctx, "a,A,,a_2,DM_ID,\"x\"\"; DROP TABLE t; --\",a\n1,2,3,4,5,6,7\n", NULL);
  char columns[512];
  describe_columns(csv, columns, sizeof columns);
  assert_string_equal(columns, "a:INTEGER A_3:INTEGER c3:INTEGER a_2:INTEGER DM_ID_2:INTEGER x\"; DROP TABLE t; --:INTEGER a_4:INTEGER");
  static const char *const notes[] = {"column 2: the name 'A' is taken: called 'A_3'", "column 3 has no name: called 'c3'",
                                      "column 5: the name 'DM_ID' is taken: called 'DM_ID_2'",
                                      "column 7: the name 'a' is taken: called 'a_4'"};
  expect_notes(csv, notes, 4);
  assert_string_equal(dm_csv_get_column(csv, 1)->header, "A");
  assert_string_equal(dm_csv_get_column(csv, 2)->header, "");
  assert_null(dm_csv_get_column(csv, 0)->header);
  dm_csv_close(csv);
  static const char bad[] = "a\0b,\xFFq\n1,2\n";
  csv = open_bytes(ctx, bad, sizeof bad - 1, NULL, 0);
  assert_string_equal(dm_csv_get_column(csv, 0)->name, "a\xEF\xBF\xBD" "b");
  assert_string_equal(dm_csv_get_column(csv, 1)->name, "\xEF\xBF\xBDq");
  assert_int_equal(dm_csv_n_notes(csv), 2);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

static void what_is_odd_is_announced(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_text(ctx, "sep=;\nold title\na;b\n1;\"x\"y\r\n3;4\n5;6\n", NULL);
  static const char *const notes[] = {"line 1 is a 'sep=;' line, no data", "1 line above the table left out: 'old title'",
                                      "lines end in several ways; each is understood",
                                      "text follows the closing quote of a cell in 1 places of the sample: it is kept as text"};
  expect_notes(csv, notes, 4);
  const dm_csv_record *r;
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->record, 1);
  assert_int_equal(r->line, 4);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

static void endings_and_quoted_headers(void **state) {
  (void)state;
  static const struct {
    const char *text, *ending;
    bool crlf, final, quoted, mixed;
  } cases[] = {{"a,b\n1,2\n", "\n", false, true, false, false},      {"a,b\r\n1,2\r\n", "\r\n", true, true, false, false},
               {"a,b\r1,2", "\r", false, false, false, false},       {"\"a\",\"b\"\n1,2", "\n", false, false, true, false},
               {"\"a\",b\r\n1,2\n3,4\n", "\n", false, true, false, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dm_ctx *ctx = new_ctx();
    dm_csv *csv = open_text(ctx, cases[i].text, NULL);
    const dm_csv_dialect *d = dm_csv_get_dialect(csv);
    dm_buf all;
    dm_buf_init(&all, ctx, NULL);
    describe_all(csv, &all);
    assert_string_equal(d->line_ending, cases[i].ending);
    assert_int_equal(d->crlf, cases[i].crlf);
    assert_int_equal(d->final_newline, cases[i].final);
    assert_int_equal(d->header_quoted, cases[i].quoted);
    assert_int_equal(d->mixed_endings, cases[i].mixed);
    dm_buf_clear(&all);
    dm_csv_close(csv);
    dm_ctx_free(ctx);
  }
}

static void blanks_behind_every_delimiter_are_trimmed(void **state) {
  (void)state;
  static const dm_csv_options detect;
  READS_AS("39, State-gov, 77516, x y\n50, Self, 83311, \"a, b\"\n", &detect, "<39><State-gov><77516><x y>\n<50><Self><83311>\"a, b\"\n");
  READS_AS("1, a,b\n2, c, d\n", &detect, "<1>< a><b>\n<2>< c>< d>\n");
}

static void single_quotes_only_on_full_evidence(void **state) {
  (void)state;
  static const dm_csv_options detect;
  READS_AS("id,text\n1,'a, b'\n2,'c'\n3,'it''s, so'\n", &detect, "<1>\"a, b\"\n<2>\"c\"\n<3>\"it's, so\"\n");
  READS_AS("id,text\n1,'twas\n2,'c'\n", &detect, "<1><'twas>\n<2><'c'>\n");
}

/* ---- encodings --------------------------------------------------------------------- */

static size_t convert(const char *to, const char *text, char *out, size_t capacity) {
  char *in = (char *)(uintptr_t)text, *at = out;
  size_t left = strlen(text), room = capacity;
  iconv_t cd = iconv_open(to, "UTF-8");
  assert_true(cd != (iconv_t)-1);
  assert_true(iconv(cd, &in, &left, &at, &room) != (size_t)-1);
  assert_int_equal(iconv_close(cd), 0);
  return capacity - room;
}

static void encodings_are_detected(void **state) {
  (void)state;
  static const char latin[] = "név,kor\nJosé Álvarez,30\nMüller,25\nœuvre,1\n", western[] = "nom,prix\nCafé,30\nMüller,25\n";
  static const char cyrillic[] = "имя,город\nАнна Петрова,Москва\nИван Сидоров,Казань\nОльга Смирнова,Новосибирск\nПётр Волков,Самара\n";
  static const char japanese[] = "名前,年齢\n山田太郎,25\n鈴木花子,30\n佐藤次郎,41\n高橋美咲,22\n";
  static const struct {
    const char *text, *to, *want, *mark;
  } cases[] = {
      {latin, "UTF-8", "UTF-8", ""},
      {latin, "UTF-8", "UTF-8", "\xEF\xBB\xBF"},
      {latin, "UTF-16LE", "UTF-16LE", "\xFF\xFE"},
      {latin, "UTF-16BE", "UTF-16BE", "\xFE\xFF"},
      {latin, "UTF-16LE", "UTF-16LE", ""},
      {latin, "UTF-16BE", "UTF-16BE", ""},
      {western, "ISO-8859-1", "ISO-8859-1", ""},
      {latin, "WINDOWS-1252", "WINDOWS-1252", ""},
      {cyrillic, "WINDOWS-1251", "WINDOWS-1251", ""},
      {japanese, "SHIFT_JIS", "SHIFT_JIS", ""},
      {japanese, "UTF-16LE", "UTF-16LE", "\xFF\xFE"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char bytes[2048];
    size_t mark = strlen(cases[i].mark), n = mark + convert(cases[i].to, cases[i].text, bytes + mark, sizeof bytes - mark);
    memcpy(bytes, cases[i].mark, mark);
    dm_ctx *ctx = new_ctx();
    dm_csv *csv = open_bytes(ctx, bytes, n, NULL, 7);
    const dm_csv_record *r;
    assert_string_equal(dm_csv_get_dialect(csv)->encoding, cases[i].want);
    assert_int_equal(dm_csv_get_dialect(csv)->bom, mark > 0);
    assert_memory_equal(dm_csv_get_column(csv, 0)->name, cases[i].text, strcspn(cases[i].text, ","));
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    const char *first = strchr(cases[i].text, '\n') + 1;
    assert_int_equal(r->cells[0].n, strcspn(first, ","));
    assert_memory_equal(r->cells[0].p, first, r->cells[0].n);
    dm_csv_close(csv);
    dm_ctx_free(ctx);
  }
}

static void stray_bytes_do_not_change_the_encoding(void **state) {
  (void)state;
  static const char *const texts[] = {"a,b\n1,\xC3\xA9t\xC3\xA9\n2,bad\xE9\n3,ok\n", "a,b\n1,x\xFFy\n2,ok\n", "a,b\n1,x\xC3(\n2,ok\n",
                                      "a,b\n1,x\x80y\n2,ok\n", "a,b\n1,\xED\xA0\x80\n2,ok\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    dm_ctx *ctx = new_ctx();
    dm_csv *csv = open_text(ctx, texts[i], NULL);
    const dm_csv_record *r;
    size_t rejects = 0;
    assert_string_equal(dm_csv_get_dialect(csv)->encoding, "UTF-8");
    for (;;) {
      assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
      if (!r) break;
      rejects += r->reason == DM_REJECT_ENCODING;
    }
    assert_int_equal(rejects, 1);
    dm_csv_close(csv);
    dm_ctx_free(ctx);
  }
}

static void options_are_obeyed(void **state) {
  (void)state;
  static const char *const nulls[] = {"NA", "?"}, *const names[] = {"x", "y"};
  dm_ctx *ctx = new_ctx();
  dm_csv_options o = {.header = DM_NO, .delimiter = ';', .nulls = nulls, .n_nulls = 2, .columns = names, .n_columns = 2};
  dm_csv *csv = open_text(ctx, "1;NA\n?;2\n3;\"NA\"\n", &o);
  char columns[512];
  describe_columns(csv, columns, sizeof columns);
  assert_string_equal(columns, "x:INTEGER y:TEXT"); /* "NA" in quotes is a text where NA stands without them too */
  const dm_csv_record *r;
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_false(dm_csv_is_missing(csv, &r->cells[0]));
  assert_true(dm_csv_is_missing(csv, &r->cells[1]));
  dm_csv_close(csv);
  csv = open_text(ctx, "\"1\";\"NA\"\n\"?\";\"2\"\n", &o);
  describe_columns(csv, columns, sizeof columns);
  assert_string_equal(columns, "x:INTEGER y:INTEGER");
  dm_csv_close(csv);
  o.all_text = true;
  csv = open_text(ctx, "1;NA\n", &o);
  describe_columns(csv, columns, sizeof columns);
  assert_string_equal(columns, "x:TEXT y:TEXT");
  dm_csv_close(csv);
  dm_error err = {0};
  o.n_columns = 1;
  assert_int_equal(dm_csv_open_memory(ctx, "t.csv", "1;2\n", 4, &o, &csv, &err), DM_EUSAGE);
  assert_string_equal(err.message, "--columns names 1 columns, t.csv has 2");
  o = (dm_csv_options){.delimiter = '"'};
  assert_int_equal(dm_csv_open_memory(ctx, "t.csv", "1;2\n", 4, &o, &csv, &err), DM_EUSAGE);
  o = (dm_csv_options){.encoding = "klingon"};
  assert_int_equal(dm_csv_open_memory(ctx, "t.csv", "1;2\n", 4, &o, &csv, &err), DM_EINPUT);
  assert_string_equal(err.message, "encoding 'KLINGON' is not known");
  o = (dm_csv_options){.encoding = "latin1"};
  assert_int_equal(dm_csv_open_memory(ctx, "t.csv", "a;b\n\xE9;2\n", 8, &o, &csv, &err), DM_OK);
  assert_string_equal(dm_csv_get_dialect(csv)->encoding, "ISO-8859-1");
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delimiter_header_and_types),
      cmocka_unit_test(names_are_made_unique_and_announced),
      cmocka_unit_test(what_is_odd_is_announced),
      cmocka_unit_test(endings_and_quoted_headers),
      cmocka_unit_test(blanks_behind_every_delimiter_are_trimmed),
      cmocka_unit_test(single_quotes_only_on_full_evidence),
      cmocka_unit_test(encodings_are_detected),
      cmocka_unit_test(stray_bytes_do_not_change_the_encoding),
      cmocka_unit_test(options_are_obeyed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
