/* Results as text for people. */
#ifndef DM_TOOLS_PRINT_H
#define DM_TOOLS_PRINT_H

#include <dm/dm.h>

/** prefix, then text padded or cut (with …) to `columns` display columns. */
void print_padded(dm_buf *out, const char *prefix, const char *text, size_t columns);
void print_profile(dm_buf *out, const dm_profile *p);
void print_apply(dm_buf *out, const dm_apply_result *r, const char *database);
void print_undo(dm_buf *out, const dm_apply_result *r, int64_t undone);
void print_history(dm_buf *out, const dm_history_entry *entries, size_t n);
void print_history_json(dm_json_out *j, const dm_history_entry *entries, size_t n);
void print_why(dm_buf *out, const dm_why *why);
void print_train(dm_buf *out, const dm_train_result *r);
void print_metrics(dm_buf *out, const char *split, const dm_metric *metrics, size_t n);
void print_models(dm_buf *out, const dm_model_meta *models, size_t n);

#endif
