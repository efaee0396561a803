/*
 * The one-page report: reads one state of the database, section by section.
 * Bytes are limited as the page grows: what a section leaves is for the next,
 * and each says what it had no room for.
 */
#include "report/sections.h"

#include <stdio.h>
#include <string.h>

/* Body bytes at which the optional parts of each section stop; what is not optional stays well below the rest
 * to 300,000. */
#define SOURCES_END  30000
#define PROFILES_END 200000
#define CLEANING_END 220000
#define MODELS_END   275000

dm_status dm_section_count(const dm_section *s, const char *sql, uint64_t *out, dm_error *err) {
  dm_stmt *q = NULL;
  bool row = false;
  *out = 0;
  dm_status status = dm_stmt_prepare(s->store, sql, &q, err);
  if (status == DM_OK) status = dm_stmt_step(q, &row, err);
  if (status == DM_OK && row) *out = (uint64_t)dm_stmt_int(q, 0);
  dm_stmt_free(q);
  return status;
}

dm_status dm_section_told(const dm_section *s, dm_status status, const dm_error *problem, dm_error *err) {
  if (status == DM_EINPUT) {
    dm_html_wrap(&s->page->body, "<p class=\"bad\">", dm_str_of(problem->message), "</p>\n");
    return DM_OK;
  }
  if (status != DM_OK && err) *err = *problem;
  return status;
}

static void tile(dm_buf *out, uint64_t v, const char *one, const char *many) {
  char text[DM_LABEL_MAX];
  dm_number_count(v, text);
  dm_html_wrap(out, "<div><b>", dm_str_of(text), "</b>");
  dm_html_wrap(out, "", dm_str_of(v == 1 ? one : many), "</div>\n");
}

bool dm_section_figure(const dm_section *s, const char *caption, dm_buf *drawing) {
  dm_buf piece;
  dm_buf_init(&piece, s->page->body.ctx, s->page->body.err);
  dm_html_wrap(&piece, "<figure><figcaption>", dm_str_of(caption), "</figcaption>\n");
  dm_buf_add(&piece, drawing->p, drawing->n);
  dm_buf_adds(&piece, "</figure>\n");
  if (drawing->failed) piece.failed = true;
  bool drawn = dm_html_admit(s->page, &piece);
  if (!drawn) dm_html_note(s->page, "%s: left out, so that the page stays small.", caption);
  dm_buf_reset(drawing);
  dm_buf_clear(&piece);
  return drawn;
}

/* Tiles with the few numbers of the whole database. */
static dm_status summary(const dm_section *s, dm_error *err) {
  static const struct {
    const char *sql, *one, *many;
  } tiles[] = {
      {"SELECT count(*) FROM main.dm_source", "file imported", "files imported"},
      {"SELECT coalesce(sum(accepted), 0) FROM main.dm_source", "record accepted", "records accepted"},
      {"SELECT coalesce(sum(rejected), 0) FROM main.dm_source", "record rejected", "records rejected"},
      {"SELECT count(*) FROM main.dm_change AS c JOIN main.dm_run AS r ON r.id = c.run_id"
       " WHERE c.row_id > 0 AND c.column <> '' AND c.new IS NOT NULL AND r.command = 'apply' AND r.status = "
       "'done'",
       "cell changed", "cells changed"},
      {"SELECT count(*) FROM main.dm_active", "active model", "active models"},
  };
  dm_status status = DM_OK;
  dm_buf_adds(&s->page->body, "<div class=\"tiles\">\n");
  for (size_t i = 0; i < sizeof tiles / sizeof *tiles && status == DM_OK; i++) {
    uint64_t v = 0;
    status = dm_section_count(s, tiles[i].sql, &v, err);
    tile(&s->page->body, v, tiles[i].one, tiles[i].many);
  }
  dm_buf_adds(&s->page->body, "</div>\n");
  return status;
}

static dm_status all_sections(dm_section *s, dm_error *err) {
  dm_html *page = s->page;
  bool recorded = false;
  dm_status status = dm_store_has_schema(s->store, &recorded, err);
  if (recorded) {
    dm_model_meta *models = NULL;
    status = dm_registry_list(s->store, s->memory, &models, &s->n_models, err);
    s->models = models;
  }
  if (s->options->profiles_only || !recorded) {
    page->limit = MODELS_END;
    return status == DM_OK ? dm_section_profiles(s, err) : status;
  }
  if (status == DM_OK) status = summary(s, err);
  page->limit = SOURCES_END;
  if (status == DM_OK) status = dm_section_sources(s, err);
  page->limit = PROFILES_END;
  if (status == DM_OK) status = dm_section_profiles(s, err);
  page->limit = CLEANING_END;
  if (status == DM_OK) status = dm_section_cleaning(s, err);
  page->limit = MODELS_END;
  if (status == DM_OK) status = dm_section_models(s, err);
  return status;
}

/* File name of the database without folders. */
static const char *database_name(dm_store *store) {
  const char *path = dm_store_path(store), *slash = path ? strrchr(path, '/') : NULL;
  return slash ? slash + 1 : path && *path ? path : "database";
}

/* The state that is reported, not the time of reporting: the same database gives the same bytes. */
static dm_status subtitle(const dm_section *s, dm_buf *out, dm_error *err) {
  if (s->options->title) dm_buf_printf(out, "%s · ", database_name(s->store));
  dm_buf_printf(out, "dm %s", DM_VERSION);
  bool recorded = false;
  dm_status status = dm_store_has_schema(s->store, &recorded, err);
  if (!recorded) return status;
  dm_stmt *q = NULL;
  bool row = false;
  status = dm_stmt_prepare(
      s->store, "SELECT id, coalesce(ended, started) FROM main.dm_run ORDER BY id DESC LIMIT 1", &q, err);
  if (status == DM_OK) status = dm_stmt_step(q, &row, err);
  if (status == DM_OK && row) {
    char iso[40], when[32];
    dm_str at = dm_stmt_value(q, 1).text;
    (void)snprintf(iso, sizeof iso, "%.*s", (int)(at.n < 39 ? at.n : 39), at.p ? at.p : "");
    dm_html_time(iso, when);
    dm_buf_printf(out, " · state after run %lld, %s UTC", (long long)dm_stmt_int(q, 0), when);
  }
  dm_stmt_free(q);
  return status;
}

dm_status dm_report_html(dm_store *store, const dm_report_options *options, dm_buf *out, dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_report_options none = {0};
  dm_html page;
  dm_buf second;
  dm_html_init(&page, ctx, err);
  dm_buf_init(&second, ctx, err);
  dm_section s = {.store = store, .options = options ? options : &none, .page = &page};
  dm_status status = dm_arena_new(ctx, 0, &s.memory, err);
  if (status == DM_OK) status = dm_store_snapshot(store, err);
  if (status == DM_OK) {
    status = all_sections(&s, err);
    if (status == DM_OK) status = subtitle(&s, &second, err);
    if (status == DM_OK) status = dm_buf_status(&second);
    dm_store_snapshot_end(store);
  }
  if (status == DM_OK) {
    const char *title = s.options->title ? s.options->title : database_name(store);
    dm_html_finish(&page, title, second.p, out);
    status = dm_buf_status(out);
  }
  dm_arena_free(s.memory);
  dm_buf_clear(&second);
  dm_html_clear(&page);
  return status;
}
