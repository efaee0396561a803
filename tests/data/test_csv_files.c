/* data: the CSV spectrum against its JSON twins; every odd file of the torture set opens or is refused, each record with its bytes. */
#include "csv_help.h"

#include <dirent.h>
#include <sys/stat.h>

static const char *shared(void) {
  const char *dir = getenv("DM_SHARED");
  struct stat about;
  char path[1024];
  if (!dir || snprintf(path, sizeof path, "%s/data/csv", dir) < 0 || stat(path, &about) != 0) {
    print_message("no shared data beside the project: skipped\n");
    skip();
  }
  return dir;
}

static char *read_file(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  struct stat about;
  assert_int_equal(fstat(fileno(f), &about), 0);
  char *p = malloc((size_t)about.st_size + 1);
  assert_non_null(p);
  *n = fread(p, 1, (size_t)about.st_size, f);
  assert_int_equal(fclose(f), 0);
  return p;
}

static void compare_with_json(const char *csv_path, const char *json_path, size_t block) {
  static const dm_csv_options o = {.header = DM_YES, .all_text = true, .trim = DM_NO};
  dm_ctx *ctx = new_ctx();
  dm_arena *arena = NULL;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  size_t n, json_n;
  char *text = read_file(csv_path, &n), *json_text = read_file(json_path, &json_n);
  const dm_json *json = NULL;
  assert_int_equal(dm_json_parse(arena, json_text, json_n, &json, NULL), DM_OK);
  dm_csv *csv = open_bytes(ctx, text, n, &o, block);
  const dm_json *row = json->type == DM_JSON_ARRAY ? json->first : json;
  const dm_csv_record *r;
  for (;;) {
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    if (!r) break;
    assert_int_equal(r->reason, DM_REJECT_NONE);
    assert_non_null(row);
    assert_int_equal(row->n, r->n_cells);
    for (size_t i = 0; i < r->n_cells; i++) {
      const char *want = dm_json_get_string(row, dm_csv_get_column(csv, i)->name, NULL);
      assert_non_null(want);
      assert_int_equal(strlen(want), r->cells[i].n);
      assert_memory_equal(want, r->cells[i].p, r->cells[i].n);
    }
    row = row->next;
  }
  assert_null(row);
  dm_csv_close(csv);
  free(text);
  free(json_text);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

static void spectrum_equals_its_json_twins(void **state) {
  (void)state;
  const char *root = shared();
  static const char *const names[] = {"comma_in_quotes", "empty",       "empty_crlf",          "escaped_quotes", "json", "newlines",
                                      "newlines_crlf",   "quotes_and_newlines", "simple", "simple_crlf",    "utf8"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char csv[1024], json[1024];
    (void)snprintf(csv, sizeof csv, "%s/data/csv/spectrum/%s.csv", root, names[i]);
    (void)snprintf(json, sizeof json, "%s/data/csv/spectrum-json/%s.json", root, names[i]);
    compare_with_json(csv, json, 0);
    compare_with_json(csv, json, 3);
  }
}

/* Reads the file in two block sizes: the same records; raw bytes lie where the records say; all bytes are accounted for. */
static void read_any(dm_ctx *ctx, const char *path, size_t *tables) {
  dm_csv *csv = NULL, *small = NULL;
  dm_error err = {0};
  size_t n;
  char *text = read_file(path, &n);
  dm_status status = dm_csv_open(ctx, path, NULL, &csv, &err);
  if (status != DM_OK) {
    assert_int_equal(status, DM_EINPUT);
    assert_true(err.message[0] && strcmp(err.file, path) == 0);
    free(text);
    return;
  }
  ++*tables;
  small = open_bytes(ctx, text, n, NULL, 61);
  uint64_t behind = 0;
  for (;;) {
    const dm_csv_record *r, *s;
    assert_int_equal(dm_csv_next(csv, &r, &err), DM_OK);
    assert_int_equal(dm_csv_next(small, &s, &err), DM_OK);
    assert_int_equal(r == NULL, s == NULL);
    if (!r) break;
    assert_true(r->reason == s->reason && r->line == s->line && r->byte_offset == s->byte_offset && r->n_cells == s->n_cells);
    for (size_t i = 0; r->cells && i < r->n_cells; i++) {
      assert_int_equal(r->cells[i].n, s->cells[i].n);
      assert_memory_equal(r->cells[i].p, s->cells[i].p, r->cells[i].n);
    }
    dm_str raw;
    assert_int_equal(dm_csv_raw(csv, &raw, &err), DM_OK);
    assert_true(r->byte_offset >= behind && r->byte_offset + raw.n <= n);
    assert_memory_equal(raw.p, text + r->byte_offset, raw.n);
    if (r->record > 1) /* between records stand line endings alone, with the zeros of their encoding */
      for (uint64_t i = behind; i < r->byte_offset; i++) assert_true(text[i] == '\n' || text[i] == '\r' || text[i] == 0);
    behind = r->byte_offset + raw.n;
  }
  assert_int_equal(strlen(dm_csv_sha256(csv)), 64);
  assert_string_equal(dm_csv_sha256(csv), dm_csv_sha256(small));
  dm_csv_close(csv);
  dm_csv_close(small);
  free(text);
}

static void walk_folder(dm_ctx *ctx, const char *folder, size_t *files, size_t *tables) {
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir)) != NULL;) {
    char path[2048];
    struct stat about;
    if (e->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path) continue;
    if (lstat(path, &about) != 0 || (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode))) continue;
    if (S_ISDIR(about.st_mode)) {
      walk_folder(ctx, path, files, tables);
      continue;
    }
    ++*files;
    read_any(ctx, path, tables);
  }
  assert_int_equal(closedir(dir), 0);
}

static void the_torture_set_is_read(void **state) {
  (void)state;
  char folder[1024];
  size_t files = 0, tables = 0;
  (void)snprintf(folder, sizeof folder, "%s/data/csv/torture", shared());
  dm_ctx *ctx = new_ctx();
  walk_folder(ctx, folder, &files, &tables);
  assert_true(files > 500 && tables > files * 9 / 10);
  dm_ctx_free(ctx);
}

/* What real files are, as their README and a look into them say. */
static void real_files_are_understood(void **state) {
  (void)state;
  static const struct {
    const char *path, *encoding, *first, *last;
    size_t columns, records;
    bool header, trim;
  } cases[] = {
      {"tables/adult.data", "UTF-8", "c1", "c15", 15, 32561, false, true},
      {"tables/adult.test", "UTF-8", "age", "classification", 15, 16281, true, true},
      {"tables/housing.csv", "UTF-8", "longitude", "ocean_proximity", 10, 20640, true, false},
      {"tables/CASP.csv", "UTF-8", "# \"RMSD\"", "F9", 10, 45730, true, false},
      {"tables/diamonds.csv", "UTF-8", "carat", "z", 10, 53940, true, false},
      {"tables/hour.csv", "UTF-8", "instant", "cnt", 17, 17379, true, false},
      {"match/dblp-acm/DBLP2.csv", "ISO-8859-1", "id", "year", 5, 2616, true, false},
      {"match/abt-buy/Abt.csv", "ISO-8859-1", "id", "price", 4, 1081, true, false},
      {"text/ag_news_7600.csv", "UTF-8", "c1", "c3", 3, 7600, false, false},
      {"repair/flights/dirty.csv", "UTF-8", "tuple_id", "act_arr_time", 7, 2376, true, false},
      {"csv/torture/encodings/shift_jis.csv", "SHIFT_JIS", "\xE5\x90\x8D\xE5\x89\x8D", "\xE5\xB9\xB4\xE9\xBD\xA2", 2, 20, true, false},
      {"csv/torture/error/banklist.csv", "WINDOWS-1252", "Bank Name\xC2\xA0", "Fund", 7, 568, true, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/data/%s", shared(), cases[i].path);
    dm_ctx *ctx = new_ctx();
    dm_csv *csv = NULL;
    assert_int_equal(dm_csv_open(ctx, path, NULL, &csv, NULL), DM_OK);
    size_t n = dm_csv_n_columns(csv), records = 0;
    assert_int_equal(n, cases[i].columns);
    assert_string_equal(dm_csv_get_dialect(csv)->encoding, cases[i].encoding);
    assert_int_equal(dm_csv_get_dialect(csv)->header, cases[i].header);
    assert_int_equal(dm_csv_get_dialect(csv)->trim, cases[i].trim);
    assert_string_equal(dm_csv_get_column(csv, 0)->name, cases[i].first);
    assert_string_equal(dm_csv_get_column(csv, n - 1)->name, cases[i].last);
    for (;;) {
      const dm_csv_record *r;
      assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
      if (!r) break;
      assert_int_equal(r->reason, DM_REJECT_NONE);
      records++;
    }
    assert_int_equal(records, cases[i].records);
    dm_csv_close(csv);
    dm_ctx_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spectrum_equals_its_json_twins),
      cmocka_unit_test(the_torture_set_is_read),
      cmocka_unit_test(real_files_are_understood),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
