/* State of one `rules`: what its files hand on to each other. */
#ifndef DM_PIPELINE_RULES_H
#define DM_PIPELINE_RULES_H

#include <dm/pipeline.h>

typedef struct rules_job {
  dm_ctx *ctx;
  dm_store *store;
  const dm_src *src;
  const dm_rules_options *o;
  dm_arena *work;        /* sets and rules */
  dm_transactions *t;
  dm_reading reading;    /* of a table */
  dm_mine_options search;
  bool keeps;            /* sets are wanted in memory: for rules, or the best of them */
  dm_itemsets sets;      /* those of the kind and sizes that are wanted */
  dm_itemsets frequent;  /* all that are frequent, which rules are made of */
  dm_rule *rules;
  size_t n_rules;
  char started[32];
  dm_rules_result r;
} rules_job;

/* rules_source.c */
dm_status rules_check_source(const dm_rules_options *o, dm_error *err);
dm_status rules_read(rules_job *j, dm_error *err);

/* rules_columns.c */
dm_status rules_read_columns(rules_job *j, dm_error *err);

/* rules_items.c */
/** The hierarchy adds ancestors. */
dm_status rules_generalise(rules_job *j, dm_error *err);
/** Items that options name: --never are dropped. @param appear [n_items] for dm_rule_options, in the arena of the job; NULL: all may stand anywhere */
dm_status rules_restrict(rules_job *j, const uint8_t **appear, dm_error *err);

/* rules_top.c */
/** Of sets that are all in memory the first `top`: by support (falling), size, items. */
dm_status rules_best_sets(rules_job *j, dm_error *err);
/** Raises the support to the largest that has so many sets. */
dm_status rules_support_of_top(rules_job *j, dm_error *err);
/** Memory ended while sets were kept: says how many there are and a support that fits. */
dm_status rules_explain_memory(rules_job *j, dm_error *err);

/* rules_write.c */
dm_status rules_write_found(rules_job *j, dm_error *err); /* sets as they are found */
dm_status rules_write_kept(rules_job *j, dm_error *err);  /* rules, or sets in memory */

/* rules_save.c */
dm_status rules_make_model(rules_job *j, dm_arena *arena, dm_error *err);
dm_status rules_save(rules_job *j, dm_arena *arena, dm_error *err);

#endif
