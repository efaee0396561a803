/* A profile as JSON. */
#include <dm/clean.h>

static void write_numbers(const dm_profile_column *c, dm_json_out *j) {
  const struct {
    const char *key;
    double value;
  } figures[] = {{"min", c->min}, {"max", c->max}, {"mean", c->mean}, {"sd", c->sd}},
    quantiles[] = {{"q01", c->q01}, {"q05", c->q05}, {"q25", c->q25}, {"q50", c->q50}, {"q75", c->q75}, {"q95", c->q95}, {"q99", c->q99}};
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
    dm_json_key(j, figures[i].key);
    dm_json_double(j, figures[i].value);
  }
  dm_json_key(j, "quantiles");
  dm_json_object(j);
  for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
    dm_json_key(j, quantiles[i].key);
    dm_json_double(j, quantiles[i].value);
  }
  dm_json_end_object(j);
  dm_json_put_int(j, "zeros", (int64_t)c->zeros);
  dm_json_put_int(j, "negatives", (int64_t)c->negatives);
  dm_json_key(j, "histogram");
  dm_json_object(j);
  dm_json_key(j, "edges");
  dm_json_array(j);
  for (size_t i = 0; c->n_bins && i <= c->n_bins; i++) dm_json_double(j, c->edges[i]);
  dm_json_end_array(j);
  dm_json_key(j, "counts");
  dm_json_array(j);
  for (size_t i = 0; i < c->n_bins; i++) dm_json_int(j, (int64_t)c->counts[i]);
  dm_json_end_array(j);
  dm_json_end_object(j);
}

static void write_texts(const dm_profile_column *c, dm_json_out *j) {
  dm_json_put_int(j, "min_length", (int64_t)c->min_length);
  dm_json_put_int(j, "max_length", (int64_t)c->max_length);
  dm_json_key(j, "text_min");
  dm_json_string_n(j, c->text_min.p, c->text_min.n);
  dm_json_key(j, "text_max");
  dm_json_string_n(j, c->text_max.p, c->text_max.n);
}

static void write_column(const dm_profile_column *c, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "name", c->name);
  dm_json_put_string(j, "type", dm_type_name(c->type));
  dm_json_put_int(j, "rows", (int64_t)c->rows);
  dm_json_put_int(j, "missing", (int64_t)c->missing);
  dm_json_put_int(j, "distinct", (int64_t)c->distinct);
  if (c->numeric) write_numbers(c, j);
  if (c->text_min.p) write_texts(c, j);
  dm_json_key(j, "top");
  dm_json_array(j);
  for (size_t i = 0; i < c->n_top; i++) {
    dm_json_object(j);
    dm_json_key(j, "value");
    dm_json_string_n(j, c->top[i].text.p, c->top[i].text.n);
    dm_json_put_int(j, "count", (int64_t)c->top[i].count);
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
  dm_json_end_object(j);
}

void dm_profile_json(const dm_profile *p, dm_json_out *json) {
  dm_json_object(json);
  dm_json_put_string(json, "table", p->table);
  dm_json_put_int(json, "rows", (int64_t)p->rows);
  dm_json_put_string(json, "target", p->target == SIZE_MAX ? NULL : p->columns[p->target].name);
  dm_json_key(json, "columns");
  dm_json_array(json);
  for (size_t i = 0; i < p->n_columns; i++) write_column(&p->columns[i], json);
  dm_json_end_array(json);
  dm_json_end_object(json);
}
