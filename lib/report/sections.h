/* The parts of the report, in the order of the page. Each reads the store and appends to the page. */
#ifndef DM_REPORT_SECTIONS_H
#define DM_REPORT_SECTIONS_H

#include "report/html.h"

#include <dm/report.h>

typedef struct dm_section {
  dm_store *store;
  dm_arena *memory; /* of the whole report */
  const dm_report_options *options;
  dm_html *page;
  const dm_model_meta *models; /* all, newest version of each name first where active */
  size_t n_models;
} dm_section;

/** Files that came in, and the records that did not. */
dm_status dm_section_sources(const dm_section *s, dm_error *err);
/** Every column of every table. */
dm_status dm_section_profiles(const dm_section *s, dm_error *err);
/** Runs of recipes, step by step. */
dm_status dm_section_cleaning(const dm_section *s, dm_error *err);
/** Active models with their evaluation; other versions as a list. */
dm_status dm_section_models(const dm_section *s, dm_error *err);

/** Confusion matrix, ROC and classes, or residuals and predictions (section_evaluation.c). */
dm_status dm_section_evaluation(const dm_section *s, const dm_model_meta *meta, const dm_scorer *scorer, dm_error *err);
/** The model's drawing when it is a tree (section_tree.c). */
dm_status dm_section_tree(const dm_section *s, const dm_scorer *scorer, dm_error *err);

/** Learning curves of a model that was trained by epochs (section_training.c). */
dm_status dm_section_training(const dm_section *s, const dm_model_meta *meta, dm_error *err);
/** Errors of reconstruction, the largest of them, and the map of the codes (section_encoding.c). */
dm_status dm_section_encoding(const dm_section *s, const dm_model_meta *meta, const dm_scorer *scorer, dm_error *err);

/** What a model of rules holds, in words and pictures (section_rules.c). */
dm_status dm_section_rules(const dm_section *s, const dm_model_meta *meta, dm_error *err);

/** A drawing under its caption where the page has room for it, else a note. The drawing is emptied. @return whether it is drawn. */
bool dm_section_figure(const dm_section *s, const char *caption, dm_buf *drawing);
/** What is damaged (DM_EINPUT) is told on the page and left out, DM_OK then; other failures of *problem go to *err. */
dm_status dm_section_told(const dm_section *s, dm_status status, const dm_error *problem, dm_error *err);
/** First row's integer; 0 without rows. */
dm_status dm_section_count(const dm_section *s, const char *sql, uint64_t *out, dm_error *err);

#endif
