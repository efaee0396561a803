/* Building FP-trees: of the database, whose rows are put in order, and of the paths above an item. */
#include "patterns/fp_tree.h"

#include <stdlib.h>
#include <string.h>

/* ---- of the database -------------------------------------------------------------- */

/* SplitMix64: a number for each row that has nothing to do with its neighbours'. */
static uint64_t mark_of(size_t row) {
  uint64_t x = ((uint64_t)row + 1) * UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}

/* A row while the tree is built. */
typedef struct fp_row {
  const uint32_t *codes;
  uint32_t n, row;
} fp_row;

/* Rows that begin alike come together. */
static int compare_rows(const void *a, const void *b) {
  const fp_row *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  for (size_t i = 0; i < n; i++)
    if (x->codes[i] != y->codes[i]) return x->codes[i] < y->codes[i] ? -1 : 1;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  return x->row < y->row ? -1 : 1;
}

/* How many items two rows begin with alike. */
static size_t shared(const fp_row *a, const fp_row *b) {
  size_t n = 0;
  while (n < a->n && n < b->n && a->codes[n] == b->codes[n]) n++;
  return n;
}

static uint32_t add_node(fp_tree *tree, uint32_t item, uint32_t parent) {
  uint32_t id = (uint32_t)tree->n_nodes++;
  tree->nodes[id] = (fp_node){.item = item, .parent = parent, .link = tree->items[item].first};
  tree->items[item].first = id;
  return id;
}

/* All rows in order, and room for the nodes they will need. */
static dm_status allocate(dm_ctx *ctx, const dm_itemdb *db, fp_tree *tree, fp_row *rows, uint32_t **path, dm_error *err) {
  size_t nodes = 1, longest = 0;
  for (size_t r = 0; r < db->rows.n; r++) {
    size_t start = db->rows.start[r], n = db->rows.start[r + 1] - start;
    rows[r] = (fp_row){db->rows.index + start, (uint32_t)n, (uint32_t)r};
    if (n > longest) longest = n;
  }
  qsort(rows, db->rows.n, sizeof *rows, compare_rows);
  for (size_t r = 0; r < db->rows.n; r++) nodes += rows[r].n - (r ? shared(&rows[r - 1], &rows[r]) : 0);
  if (nodes > UINT32_MAX) return dm_fail(err, DM_EINPUT, "fpgrowth: the tree has %zu nodes, want at most 4294967295", nodes);
  if (!(tree->items = dm_alloc(ctx, db->n_items + 1, sizeof *tree->items, "fpgrowth", err)) ||
      !(tree->nodes = dm_alloc(ctx, nodes, sizeof *tree->nodes, "fpgrowth: tree", err)) ||
      !(*path = dm_alloc(ctx, longest + 1, sizeof **path, "fpgrowth", err)))
    return DM_EBUDGET;
  tree->n_items = db->n_items;
  tree->n_nodes = 1;
  for (size_t i = 0; i < db->n_items; i++) tree->items[i] = (fp_item){.code = (uint32_t)i};
  return DM_OK;
}

/* @param path nodes of the row before, behind the root */
static void insert_row(fp_tree *tree, const fp_row *row, size_t same, uint32_t weight, uint32_t *path) {
  uint64_t mark = mark_of(row->row);
  for (size_t i = 0; i < row->n; i++) {
    fp_item *item = &tree->items[row->codes[i]];
    if (i >= same) path[i + 1] = add_node(tree, row->codes[i], path[i]);
    tree->nodes[path[i + 1]].count += weight;
    tree->nodes[path[i + 1]].mark += mark;
    item->support += weight;
    item->mark += mark;
  }
}

dm_status fp_tree_build(dm_ctx *ctx, const dm_itemdb *db, fp_tree *out, dm_error *err) {
  fp_tree tree = {0};
  uint32_t *path = NULL;
  fp_row *rows = dm_alloc(ctx, db->rows.n + 1, sizeof *rows, "fpgrowth: rows", err);
  dm_status s = rows ? allocate(ctx, db, &tree, rows, &path, err) : DM_EBUDGET;
  for (size_t r = 0; r < db->rows.n && s == DM_OK; r++)
    insert_row(&tree, &rows[r], r ? shared(&rows[r - 1], &rows[r]) : 0, db->weight[rows[r].row], path);
  dm_free(ctx, rows);
  dm_free(ctx, path);
  if (s == DM_OK)
    *out = tree;
  else
    fp_tree_clear(ctx, &tree);
  return s;
}

void fp_tree_clear(dm_ctx *ctx, fp_tree *tree) {
  dm_free(ctx, tree->items);
  dm_free(ctx, tree->nodes);
  *tree = (fp_tree){0};
}

/* ---- of the paths above an item ---------------------------------------------------- */

dm_status fp_counts_init(fp_counts *c, dm_ctx *ctx, size_t n, dm_error *err) {
  *c = (fp_counts){0};
  if (!(c->support = dm_alloc(ctx, n + 1, sizeof *c->support, "fpgrowth", err)) ||
      !(c->mark = dm_alloc(ctx, n + 1, sizeof *c->mark, "fpgrowth", err)) ||
      !(c->seen = dm_alloc(ctx, n / 64 + 1, sizeof *c->seen, "fpgrowth", err)) ||
      !(c->place = dm_alloc(ctx, n + 1, sizeof *c->place, "fpgrowth", err)) ||
      !(c->path = dm_alloc(ctx, n + 1, sizeof *c->path, "fpgrowth", err)))
    return DM_EBUDGET;
  return DM_OK;
}

void fp_counts_clear(fp_counts *c, dm_ctx *ctx) {
  dm_free(ctx, c->support);
  dm_free(ctx, c->mark);
  dm_free(ctx, c->seen);
  dm_free(ctx, c->place);
  dm_free(ctx, c->path);
}

void fp_tree_count(const fp_tree *tree, uint32_t place, fp_counts *c) {
  for (uint32_t v = tree->items[place].first; v; v = tree->nodes[v].link) {
    uint64_t count = tree->nodes[v].count, mark = tree->nodes[v].mark;
    for (uint32_t u = tree->nodes[v].parent; u; u = tree->nodes[u].parent) {
      uint32_t j = tree->nodes[u].item;
      c->support[j] += count;
      c->mark[j] += mark;
      c->seen[j / 64] |= UINT64_C(1) << j % 64;
      c->nodes++;
    }
  }
}

size_t fp_counts_next(const fp_counts *c, size_t from, size_t end) {
  for (size_t w = from / 64; w * 64 < end; w++) {
    uint64_t bits = c->seen[w];
    if (w == from / 64) bits &= UINT64_MAX << from % 64;
    if (!bits) continue;
    size_t place = w * 64 + (size_t)__builtin_ctzll(bits);
    return place < end ? place : SIZE_MAX;
  }
  return SIZE_MAX;
}

void fp_counts_forget(fp_counts *c, uint32_t place) {
  for (size_t j = fp_counts_next(c, 0, place); j != SIZE_MAX; j = fp_counts_next(c, j + 1, place)) {
    c->support[j] = c->mark[j] = 0;
    c->place[j] = 0;
  }
  memset(c->seen, 0, (place / 64 + 1) * sizeof *c->seen);
  c->nodes = 0;
}

/* Children, by parent and item, while a tree is built. */
typedef struct fp_children {
  uint32_t *slots; /* [mask + 1] nodes, 0 = free */
  size_t mask;
} fp_children;

static uint32_t child_of(fp_tree *tree, fp_children *children, uint32_t parent, uint32_t item) {
  size_t i = ((uint64_t)parent << 32 | item) * UINT64_C(0x9E3779B97F4A7C15) >> 32 & children->mask;
  for (; children->slots[i]; i = (i + 1) & children->mask) {
    const fp_node *node = &tree->nodes[children->slots[i]];
    if (node->parent == parent && node->item == item) return children->slots[i];
  }
  return children->slots[i] = add_node(tree, item, parent);
}

/* Puts the path above a node in the tree. */
static void insert_path(const fp_tree *from, const fp_node *end, fp_counts *c, fp_children *children, fp_tree *tree) {
  size_t n = 0;
  for (uint32_t u = end->parent; u; u = from->nodes[u].parent) {
    uint32_t place = c->place[from->nodes[u].item];
    if (place) c->path[n++] = place - 1;
  }
  for (uint32_t at = 0; n;) {
    at = child_of(tree, children, at, c->path[--n]);
    tree->nodes[at].count += end->count;
    tree->nodes[at].mark += end->mark;
  }
}

dm_status fp_tree_project(const fp_tree *tree, uint32_t place, fp_counts *c, dm_stack *memory, fp_tree *out, dm_error *err) {
  size_t most = (c->nodes < tree->n_nodes ? c->nodes : tree->n_nodes) + 1, slots = 16;
  while (slots < 2 * most) slots *= 2;
  if (!(out->nodes = dm_stack_take(memory, most, sizeof *out->nodes, err))) return DM_EBUDGET;
  out->nodes[0] = (fp_node){0};
  out->n_nodes = 1;
  for (size_t j = 0; j < out->n_items; j++) out->items[j].first = 0;
  if (out->n_items == 1) { /* the one node is known */
    fp_node *node = &out->nodes[add_node(out, 0, 0)];
    node->count = out->items[0].support;
    node->mark = out->items[0].mark;
    return DM_OK;
  }
  dm_stack_mark mark = dm_stack_at(memory);
  fp_children children = {dm_stack_take(memory, slots, sizeof(uint32_t), err), slots - 1};
  if (!children.slots) return DM_EBUDGET;
  memset(children.slots, 0, slots * sizeof *children.slots);
  for (uint32_t v = tree->items[place].first; v; v = tree->nodes[v].link) insert_path(tree, &tree->nodes[v], c, &children, out);
  dm_stack_back(memory, mark);
  return DM_OK;
}

bool fp_tree_is_path(const fp_tree *tree) {
  if (tree->n_nodes != tree->n_items + 1) return false;
  for (size_t id = 1; id < tree->n_nodes; id++)
    if (tree->nodes[id].parent != id - 1) return false;
  return true;
}
