#include "mine_rules.h"

#include <string.h>

static const option_spec source_options[] = {
    {"format", 0, OPTION_VALUE, "basket", "SRC is a transaction file: one transaction a line, items between blanks"},
    {"tid", 0, OPTION_VALUE, "COL", "a row for each item: the column that says whose"},
    {"item", 0, OPTION_VALUE, "COL", "a row for each item: the column with the item"},
    {"basket", 0, OPTION_VALUE, "COL", "a row for each transaction: the column with its items, between commas or as a JSON array"},
    {"delimiter", 0, OPTION_VALUE, "C", "what stands between items instead, one character or 'tab'"},
    {"columns", 0, OPTION_LIST, "A,B,...", "a row for each transaction: these columns, items are column=value (default: all)"},
    {"one-hot", 0, OPTION_FLAG, NULL, "columns are items themselves: there where the cell is a number other than 0, true, yes, t or y"},
    {"bins", 0, OPTION_VALUE, "N", "cut numeric columns with more values into so many parts (default 5)"},
    {"count", 0, OPTION_VALUE, "COL", "the column with how many times a transaction counts"},
    {"hierarchy", 0, OPTION_VALUE, "FILE", "CSV file of items and what they are kinds of: rules and sets of these, too"},
    {"never", 0, OPTION_LIST, "A,B,...", "items that are left out"},
    {0}};
static const option_spec search_options[] = {
    {"min-support", 0, OPTION_VALUE, "S", "transactions that have the set: a number from 1 on, or a share of them, 0.01 or 1% (rounded up)"},
    {"kind", 0, OPTION_VALUE, "frequent|closed|maximal|generators", "which sets (default frequent)"},
    {"algorithm", 0, OPTION_VALUE, "NAME", "auto, apriori, eclat, fpgrowth, hybrid (frequent) or lcm (all others): the sets are the same"},
    {"min-size", 0, OPTION_VALUE, "N", "sets, or rules, of at least so many items"},
    {"max-size", 0, OPTION_VALUE, "N", "of at most so many items (default: any)"},
    {"limit", 0, OPTION_VALUE, "N", "more sets are an error that names a support that fits (default 10000000 where they are kept; 0 = none)"},
    {"top", 0, OPTION_VALUE, "K", "only so many: rules by --measure, else sets by their support"},
    {0}};
static const option_spec rule_options[] = {
    {"min-confidence", 0, OPTION_VALUE, "C", "make rules: those with at least this confidence, a share from 0 to 1"},
    {"measure", 0, OPTION_VALUE, "M", "order rules by confidence, lift, leverage, ... (default confidence)"},
    {"left", 0, OPTION_LIST, "A,B,...", "items that may stand in the body of a rule only"},
    {"right", 0, OPTION_LIST, "A,B,...", "items that may stand in the head only"},
    {"max-head", 0, OPTION_VALUE, "N", "items in the head (default 1)"},
    {"max-q", 0, OPTION_VALUE, "Q", "only rules that are significant: q of Fisher's exact test, corrected for all rules tested"},
    {"redundant", 0, OPTION_VALUE, "keep|drop", "drop: not those that a shorter body with the same head and no less confidence makes superfluous"},
    {"min-improvement", 0, OPTION_VALUE, "D", "only rules whose confidence is so much above that of every shorter body"},
    {0}};
static const option_spec output_options[] = {
    {"into", 0, OPTION_VALUE, "NAME", "name of the model in DB that gets sets and rules (default rules, unless DB is :memory:)"},
    {"count-only", 0, OPTION_FLAG, NULL, "only count: nothing is written"},
    {"output", 'o', OPTION_VALUE, "FILE", "write rules, or else sets, to a file (.csv, .tsv, .jsonl, else plain text); - is standard output"},
    {0}};
/* As cli_reading_options, but for --delimiter and --columns, which mean items here. */
static const option_spec file_options[] = {
    {"quote", 0, OPTION_VALUE, "C", "quote character of a data file (default \")"},
    {"encoding", 0, OPTION_VALUE, "NAME", "its encoding (default: detected)"},
    {"header", 0, OPTION_VALUE, "auto|yes|no", "whether the first record names the columns"},
    {"types", 0, OPTION_VALUE, "auto|text", "text: keep every column as TEXT"},
    {"trim", 0, OPTION_VALUE, "auto|yes|no", "blanks around unquoted cells; auto: when every cell begins with one"},
    {"null", 0, OPTION_LIST, "TEXT", "cell text that means missing, besides the empty cell; may be repeated"},
    {"on-extra", 0, OPTION_VALUE, "reject|merge|drop", "records with too many fields: set aside, last field takes the rest, or cut"},
    {0}};
const option_spec *const mine_rules_tables[] = {source_options, search_options, rule_options, output_options, file_options, NULL};

const char mine_rules_notes[] =
    "SRC is a table, a SELECT, a data file, or with --format basket a transaction file.\n"
    "The support of a set, and of a rule (body and head together), is the number of transactions with all of its items.\n"
    "The empty set is not counted, and sets are of any length unless --max-size is given.\n";

static dm_status read_search(cli *c, dm_rules_options *o) {
  const char *kind = cli_value(c, "kind");
  double min_size = 0, max_size = 0, limit = 0, top = 0;
  dm_status s = cli_number(c, "min-size", 1, 1e9, true, &min_size);
  if (s == DM_OK) s = cli_number(c, "max-size", 1, 1e9, true, &max_size);
  if (s == DM_OK) s = cli_number(c, "limit", 0, 0x1p53, true, &limit);
  if (s == DM_OK) s = cli_number(c, "top", 1, 1e9, true, &top);
  if (s == DM_OK && max_size > 0 && min_size > max_size)
    s = dm_fail(&c->err, DM_EUSAGE, "--min-size = %g is above --max-size = %g", min_size, max_size);
  o->min_size = (size_t)min_size;
  o->max_size = (size_t)max_size;
  o->has_limit = cli_has(c, "limit");
  o->limit = (uint64_t)limit;
  o->top = (size_t)top;
  if (kind) (void)dm_itemset_kind_parse(kind, &o->kind);
  o->algorithm = cli_value(c, "algorithm");
  o->min_support = cli_value(c, "min-support");
  return s;
}

static dm_status read_rules(cli *c, dm_rules_options *o) {
  const char *measure = cli_value(c, "measure"), *redundant = cli_value(c, "redundant");
  dm_rule_options *r = &o->rules;
  double head = 1;
  if (!cli_has(c, "min-confidence")) {
    for (const option_spec *spec = rule_options; spec->name; spec++)
      if (cli_has(c, spec->name)) return dm_fail(&c->err, DM_EUSAGE, "--%s is about rules, which are made with --min-confidence C", spec->name);
    return DM_OK;
  }
  o->has_confidence = true;
  r->measure = DM_CONFIDENCE;
  dm_status s = cli_number(c, "min-confidence", 0, 1, false, &r->min_confidence);
  if (s == DM_OK && measure) s = dm_measure_parse(measure, &r->measure, &c->err);
  if (s == DM_OK) s = cli_values(c, "left", true, &o->left, &o->n_left);
  if (s == DM_OK) s = cli_values(c, "right", true, &o->right, &o->n_right);
  if (s == DM_OK) s = cli_number(c, "max-head", 1, 1e9, true, &head);
  if (s == DM_OK) s = cli_number(c, "max-q", 0, 1, false, &r->max_q);
  if (s == DM_OK) s = cli_number(c, "min-improvement", 0, 1, false, &r->min_improvement);
  if (s == DM_OK && cli_has(c, "max-q") && r->max_q <= 0) s = dm_fail(&c->err, DM_EUSAGE, "--max-q = 0, want a share above 0, for instance 0.05");
  if (s == DM_OK && measure && !o->top) o->top = SIZE_MAX; /* all, in its order */
  r->max_head = (size_t)head;
  r->drop_redundant = redundant && strcmp(redundant, "drop") == 0;
  return s;
}

static dm_status read_source(cli *c, dm_store *store, dm_csv_options *reading, dm_src *src, dm_rules_options *o) {
  double bins = 0;
  *src = (dm_src){.text = c->arguments[1]};
  dm_status s = cli_reading(c, reading);
  if (s == DM_OK) s = cli_values(c, "columns", true, &o->columns, &o->n_columns);
  if (s == DM_OK) s = cli_values(c, "never", true, &o->never, &o->n_never);
  if (s == DM_OK) s = cli_number(c, "bins", 2, 1000, true, &bins);
  o->bins = (size_t)bins;
  if (s != DM_OK) return s;
  if (cli_has(c, "delimiter") && !(o->delimiter = dm_arena_printf(c->arena, &c->err, "%c", reading->delimiter))) return DM_EBUDGET;
  if (o->transaction_file) {
    for (const option_spec *spec = file_options; spec->name; spec++)
      if (cli_has(c, spec->name)) return dm_fail(&c->err, DM_EUSAGE, "--%s is about tables; a transaction file has only --delimiter", spec->name);
    return DM_OK;
  }
  s = cli_source_of(c, store, src->text, file_options, reading, src);
  reading->delimiter = 0; /* it is the items', as are the columns */
  reading->columns = NULL;
  reading->n_columns = 0;
  return s;
}

static dm_status read_output(cli *c, dm_rules_options *o) {
  bool in_memory = strcmp(c->arguments[0], ":memory:") == 0;
  o->count_only = cli_has(c, "count-only");
  o->path = cli_value(c, "output");
  o->into = cli_value(c, "into");
  if (o->into && in_memory) return dm_fail(&c->err, DM_EUSAGE, "--into %s: a database in memory is gone at the end", o->into);
  if (!o->into && !in_memory && !o->count_only && !o->path) o->into = "rules";
  if (!c->json || !o->path || strcmp(o->path, "-") != 0) return DM_OK;
  (void)dm_fail(&c->err, DM_EUSAGE, "--json and the %s both want standard output", o->has_confidence ? "rules" : "sets");
  dm_error_hint(&c->err, "give -o FILE");
  return DM_EUSAGE;
}

static void print_result(cli *c, const dm_rules_result *r) {
  if (r->path && strcmp(r->path, "-") == 0) return;
  dm_buf_printf(&c->out, "%llu transactions, %zu items\n", (unsigned long long)r->transactions, r->items);
  dm_buf_printf(&c->out, "%llu %s sets with a support of at least %llu, by %s", (unsigned long long)r->itemsets, r->kind,
                (unsigned long long)r->min_support, r->algorithm);
  if (r->has_rules) dm_buf_printf(&c->out, "; %llu rules", (unsigned long long)r->rules);
  dm_buf_printf(&c->out, "; %.3f s\n", r->seconds);
  if (r->path) dm_buf_printf(&c->out, "written to %s\n", r->path);
  if (r->saved) dm_buf_printf(&c->out, "model %s@%lld, tables dm_itemset%s\n", r->meta.name, (long long)r->meta.version, r->has_rules ? " and dm_rule" : "");
  if (r->has_rules && r->rule_model) dm_rule_model_text(r->rule_model, MINE_RULES_SHOWN, &c->out);
}

dm_status mine_rules_run(cli *c) {
  dm_rules_options o = {.transaction_file = cli_has(c, "format"), .tid = cli_value(c, "tid"), .item = cli_value(c, "item"), .basket = cli_value(c, "basket"), .count = cli_value(c, "count"),
                        .one_hot = cli_has(c, "one-hot"), .hierarchy = cli_value(c, "hierarchy")};
  dm_csv_options reading;
  dm_src src;
  dm_rules_result r;
  dm_store *store = NULL;
  dm_status s = read_search(c, &o);
  if (s == DM_OK) s = read_rules(c, &o);
  if (s == DM_OK) s = read_output(c, &o);
  if (s == DM_OK && (o.into || !o.transaction_file))
    s = cli_open(c, c->arguments[0], o.into ? DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE : DM_STORE_READ, &store);
  if (s == DM_OK) s = read_source(c, store, &reading, &src, &o);
  if (s == DM_OK) s = dm_mine_rules(c->ctx, store, &src, &o, c->arena, &r, &c->err);
  if (s == DM_OK && r.rejects) c->exit_code = 1;
  if (s == DM_OK && c->json) dm_rules_json(&r, &c->j);
  if (s == DM_OK && !c->json) print_result(c, &r);
  dm_store_close(store);
  return s;
}
