/* Parameters of nets. */
#include "nn/settings.h"

#include <dm/text.h>
#include <string.h>

size_t nn_settings_widths(const char *text, size_t most, size_t *widths) {
  size_t n = 0;
  for (const char *at = text;; at += strcspn(at, ",") + 1) {
    size_t length = strcspn(at, ",");
    dm_str word = dm_utf8_trim(at, length);
    int64_t width;
    if (n == most) return most + 1;
    if (!dm_text_to_int(word.p, word.n, &width) || width < 1 || width > NN_WIDTH_MAX) return 0;
    widths[n++] = (size_t)width;
    if (!at[length]) return n;
  }
}

dm_status nn_settings_begin(const dm_params *params, const char *learner, nn_train_options *out, dm_error *err) {
  *out = (nn_train_options){.name = learner};
  (void)dm_schedule_parse(dm_params_choice(params, "schedule"), &out->schedule); /* one of its choices */
  return dm_optimizer_defaults(dm_params_choice(params, "optimizer"), &out->optimizer, err);
}
