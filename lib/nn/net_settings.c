/*
 * Parameters of the net to options of its training. What is "auto" is chosen
 * here, by the number of rows and columns; the choices were made on tables of
 * 150 to 54,000 rows, as those that did well on all of them.
 */
#include "nn/net_train.h"
#include "nn/settings.h"

#include <dm/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  LAYERS_MAX = 64,
  ROWS_TO_SPARE = 50 /* with fewer a validation part says little */
};

/* ---- layers --------------------------------------------------------------------- */

/* A line that grows; what does not fit is noticed once. */
typedef struct line {
  char *text;
  size_t n;
  bool full;
} line;

static void add(line *l, const char *format, ...) DM_PRINTF(2, 3);

static void add(line *l, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = l->full ? -1 : vsnprintf(l->text + l->n, NET_LINE_MAX + 1 - l->n, format, args);
  va_end(args);
  l->full = n < 0 || l->n + (size_t)n > NET_LINE_MAX;
  if (!l->full) l->n += (size_t)n;
}

static void add_hidden(line *l, size_t width, const char *activation, const char *normalization, double dropout) {
  bool plain = strcmp(normalization, "none") == 0;
  add(l, "dense %zu", width);
  if (plain)
    add(l, " %s | ", activation);
  else
    add(l, " | %s_norm | %s | ", normalization, activation);
  if (dropout > 0) add(l, "dropout %g | ", dropout);
}

static dm_status refuse_beside_net(const dm_params *params, dm_error *err) {
  static const char *const names[] = {"hidden", "activation", "dropout", "normalization"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!dm_params_is_set(params, names[i])) continue;
    (void)dm_fail(err, DM_EUSAGE, "net: --net says all layers, --%s cannot stand beside it", names[i]);
    dm_error_hint(err, "write it into the line, for instance 'dense 64 relu | dropout 0.1 | dense 3'");
    return DM_EUSAGE;
  }
  return DM_OK;
}

static dm_status read_layers(const dm_params *params, const net_facts *facts, net_settings *out, dm_error *err) {
  const char *given = dm_params_text(params, "net");
  if (dm_params_is_set(params, "net")) {
    if (!given[strspn(given, " \t")]) {
      (void)dm_fail(err, DM_EUSAGE, "net: --net has no layer");
      dm_error_hint(err, "for instance 'dense 64 relu | dropout 0.1 | dense 3'; without --net layers are as --hidden says");
      return DM_EUSAGE;
    }
    (void)snprintf(out->line, sizeof out->line, "%s", given);
    return refuse_beside_net(params, err);
  }
  const char *hidden = dm_params_is_auto(params, "hidden") ? "256,128" : dm_params_text(params, "hidden");
  size_t widths[LAYERS_MAX], n = nn_settings_widths(hidden, LAYERS_MAX, widths);
  if (n > LAYERS_MAX) return dm_fail(err, DM_EUSAGE, "net: hidden has more than %d widths", LAYERS_MAX);
  if (n == 0) return dm_fail(err, DM_EUSAGE, "net: hidden = %.60s, want widths from 1 to %d such as 256,128", hidden, NN_WIDTH_MAX);
  const char *activation = dm_params_is_auto(params, "activation") ? "relu" : dm_params_choice(params, "activation");
  const char *normalization = dm_params_choice(params, "normalization");
  if (dm_params_is_auto(params, "normalization")) normalization = facts->fitted ? "batch" : "none";
  double dropout = dm_params_double_or(params, "dropout", facts->fitted ? 0.3 : 0.1);
  line l = {.text = out->line};
  for (size_t i = 0; i < n; i++) add_hidden(&l, widths[i], activation, normalization, dropout);
  add(&l, "dense %zu", facts->fitted > 2 ? facts->fitted : 1);
  return l.full ? dm_fail(err, DM_EUSAGE, "net: hidden says more layers than a line of %d bytes holds", NET_LINE_MAX) : DM_OK;
}

static void read_embeddings(const dm_params *params, const net_facts *facts, net_settings *out) {
  enum { NUMBERS_MAX = 32, FEW_LEVELS = 64, ROWS_TO_CUT = 2000 }; /* images and the like do without; pieces want rows in each */
  const char *numeric = dm_params_choice(params, "numeric_embedding");
  if (!net_numeric_parse(numeric, &out->numeric))
    out->numeric = facts->numbers > NUMBERS_MAX ? NET_NUMERIC_NONE : facts->n < ROWS_TO_CUT ? NET_NUMERIC_PERIODIC : NET_NUMERIC_PIECEWISE;
  if (!facts->numbers) out->numeric = NET_NUMERIC_NONE;
  out->embedding_dim = dm_params_size_or(params, "embedding_dim", facts->levels <= FEW_LEVELS ? 4 : 8);
}

/* ---- loss ------------------------------------------------------------------------- */

static dm_status refuse_beside(const dm_params *params, const char *name, const char *why, dm_error *err) {
  return dm_params_is_set(params, name) ? dm_fail(err, DM_EUSAGE, "net: --%s %s", name, why) : DM_OK;
}

static dm_status read_loss(const dm_params *params, const net_facts *facts, net_settings *out, dm_error *err) {
  const char *name = facts->fitted ? "softmax" : dm_params_choice(params, "loss");
  dm_status s = DM_OK;
  if (!(out->loss = dm_loss_find(name, err))) return DM_EUSAGE;
  out->loss_parameter = out->loss->otherwise;
  bool by_quantile = !facts->fitted && strcmp(name, "quantile") == 0;
  if (facts->fitted)
    out->loss_parameter = dm_params_double_or(params, "label_smoothing", 0);
  else
    s = refuse_beside(params, "label_smoothing", "is for classes, the target is a number", err);
  if (by_quantile)
    out->loss_parameter = dm_params_double(params, "quantile");
  else if (s == DM_OK)
    s = refuse_beside(params, "quantile", "is for --loss quantile", err);
  if (s == DM_OK && facts->fitted) s = refuse_beside(params, "loss", "is for numbers, the target has classes", err);
  return s == DM_OK ? dm_loss_check(out->loss, out->loss_parameter, err) : s;
}

/* ---- the loop ----------------------------------------------------------------------- */

static size_t choose_batch(size_t n) {
  return n < 256 ? (n + 7) / 8 : n < 2048 ? 32 : n < 8192 ? 128 : n < 100000 ? 256 : n < 1000000 ? 512 : 1024;
}

/* As many as make a fair number of steps. */
static size_t choose_epochs(const net_facts *facts, size_t batch) {
  size_t steps = (facts->n + batch - 1) / batch, wanted = facts->fitted ? 2000 : 3000, least = facts->fitted ? 20 : 30, most = 100;
  size_t epochs = (wanted + steps - 1) / steps;
  return epochs < least ? least : epochs > most ? most : epochs;
}

static dm_status read_loop(const dm_params *params, const net_facts *facts, net_settings *out, dm_error *err) {
  nn_train_options *t = &out->train;
  dm_status s = nn_settings_begin(params, "net", t, err);
  if (s != DM_OK) return s;
  bool adaptive = t->optimizer.lr < 0.01; /* by squares of gradients, with a rate that hardly depends on the loss */
  t->optimizer.lr = dm_params_double_or(params, "lr", !adaptive ? t->optimizer.lr : facts->fitted ? 2e-3 : 4e-3);
  t->optimizer.weight_decay = dm_params_double_or(params, "weight_decay", strcmp(t->optimizer.method, "adamw") == 0 ? 0.02 : 0);
  t->batch = dm_params_size_or(params, "batch_size", choose_batch(facts->n));
  t->epochs = dm_params_size_or(params, "epochs", choose_epochs(facts, t->batch));
  t->patience = dm_params_size_or(params, "patience", (t->epochs + 1) / 2);
  t->clip = dm_params_double_or(params, "clip", 1);
  t->warmup = dm_params_double_or(params, "warmup", t->schedule == DM_SCHEDULE_PLATEAU ? 0 : 0.05);
  if (t->schedule == DM_SCHEDULE_PLATEAU && t->warmup > 0) return dm_fail(err, DM_EUSAGE, "net: --warmup does not go with --schedule plateau");
  out->validation = dm_params_double_or(params, "validation", facts->n < ROWS_TO_SPARE ? 0 : 0.15);
  return DM_OK;
}

dm_status net_settings_read(const dm_params *params, const net_facts *facts, net_settings *out, dm_error *err) {
  dm_status s = read_layers(params, facts, out, err);
  read_embeddings(params, facts, out);
  if (s == DM_OK) s = read_loss(params, facts, out, err);
  return s == DM_OK ? read_loop(params, facts, out, err) : s;
}
