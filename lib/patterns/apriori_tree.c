/* Levels of the prefix tree: joining, pruning, filtering. */
#include "patterns/apriori_tree.h"

#include <string.h>

enum { FIRST_NODES = 1024 };

/* ---- levels ------------------------------------------------------------------------ */

static void level_clear(dm_ctx *ctx, apriori_level *level) {
  void *blocks[] = {level->item, level->support, level->bound, level->row, level->first, level->perfect_start, level->perfect};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) dm_free(ctx, blocks[i]);
  *level = (apriori_level){0};
}

static bool resize(apriori_tree *tree, void *block, size_t n, size_t size, dm_error *err) {
  void **p = block;
  void *moved = dm_realloc(tree->ctx, *p, n, size, "apriori: candidates", err);
  if (moved) *p = moved;
  return moved != NULL;
}

static dm_status level_resize(apriori_tree *tree, apriori_level *level, size_t capacity, dm_error *err) {
  if (capacity > UINT32_MAX) return dm_fail(err, DM_EBUDGET, "apriori: more than 4294967295 candidates of one size");
  if (!resize(tree, &level->item, capacity, sizeof *level->item, err) || !resize(tree, &level->support, capacity, sizeof *level->support, err))
    return DM_EBUDGET;
  if (tree->generators && !resize(tree, &level->row, capacity, sizeof *level->row, err)) return DM_EBUDGET;
  if (level->bound && !resize(tree, &level->bound, capacity, sizeof *level->bound, err)) return DM_EBUDGET;
  level->capacity = capacity;
  return DM_OK;
}

dm_status apriori_add(apriori_tree *tree, apriori_level *level, uint32_t item, uint64_t support, uint64_t bound, uint32_t row, dm_error *err) {
  if (level->n == level->capacity) {
    if (tree->generators && !level->bound && !(level->bound = dm_alloc(tree->ctx, 1, sizeof *level->bound, "apriori: candidates", err)))
      return DM_EBUDGET;
    dm_status s = level_resize(tree, level, level->n ? level->n + level->n / 2 : FIRST_NODES, err);
    if (s != DM_OK) return s;
  }
  level->item[level->n] = item;
  level->support[level->n] = support;
  if (tree->generators) {
    level->bound[level->n] = bound;
    level->row[level->n] = row;
  }
  level->n++;
  return DM_OK;
}

/* ---- the tree ------------------------------------------------------------------------ */

dm_status apriori_tree_init(apriori_tree *tree, dm_ctx *ctx, const dm_itemdb *db, bool generators, dm_error *err) {
  *tree = (apriori_tree){.ctx = ctx, .db = db, .generators = generators, .n_levels = 1};
  for (size_t r = 0; r < db->rows.n; r++) {
    size_t n = db->rows.start[r + 1] - db->rows.start[r];
    if (n > tree->longest) tree->longest = n;
  }
  if (!(tree->levels = dm_alloc(ctx, tree->longest + 3, sizeof *tree->levels, "apriori", err)) ||
      !(tree->path = dm_alloc(ctx, tree->longest + 3, sizeof *tree->path, "apriori", err)) ||
      !(tree->top = dm_alloc(ctx, db->n_items + 1, sizeof *tree->top, "apriori", err)))
    return DM_EBUDGET;
  dm_status s = DM_OK;
  apriori_level *level = &tree->levels[1];
  for (uint32_t i = 0; i < db->n_items && s == DM_OK; i++) {
    tree->top[i] = (uint32_t)APRIORI_NONE;
    if (generators && db->support[i] == db->total) continue; /* the empty set has it, too */
    tree->top[i] = (uint32_t)level->n;
    s = apriori_add(tree, level, i, db->support[i], db->total, 0, err);
  }
  for (size_t r = db->rows.n; s == DM_OK && level->row && r-- > 0;) /* the first row of an item is the last to write */
    for (size_t i = db->rows.start[r]; i < db->rows.start[r + 1]; i++) {
      uint32_t node = tree->top[db->rows.index[i]];
      if (node != (uint32_t)APRIORI_NONE) level->row[node] = (uint32_t)r;
    }
  return s;
}

void apriori_tree_clear(apriori_tree *tree) {
  for (size_t l = 1; tree->levels && l <= tree->n_levels; l++) level_clear(tree->ctx, &tree->levels[l]);
  if (!tree->ctx) return;
  dm_free(tree->ctx, tree->levels);
  dm_free(tree->ctx, tree->path);
  dm_free(tree->ctx, tree->top);
  *tree = (apriori_tree){0};
}

static bool each_below(apriori_tree *tree, size_t at, size_t from, size_t to, size_t depth, apriori_visit f, void *user) {
  const apriori_level *level = &tree->levels[at];
  for (size_t x = from; x < to; x++) {
    tree->path[at - 1] = level->item[x];
    if (at == depth ? !f(user, tree->path, x) : !each_below(tree, at + 1, level->first[x], level->first[x + 1], depth, f, user)) return false;
  }
  return true;
}

bool apriori_each(apriori_tree *tree, size_t depth, apriori_visit f, void *user) {
  return each_below(tree, 1, 0, tree->levels[1].n, depth, f, user);
}

/* ---- looking up ---------------------------------------------------------------------- */

/* Child of a node with an item, or NONE. */
static uint32_t find_child(const apriori_level *level, const apriori_level *next, uint32_t node, uint32_t item) {
  size_t low = level->first[node], high = level->first[node + 1], end = high;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (next->item[middle] < item)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && next->item[low] == item ? (uint32_t)low : (uint32_t)APRIORI_NONE;
}

static bool is_perfect(const apriori_level *level, uint32_t node, uint32_t item) {
  if (!level->perfect_start) return false;
  for (size_t i = level->perfect_start[node]; i < level->perfect_start[node + 1]; i++)
    if (level->perfect[i] == item) return true;
  return false;
}

/*
 * Support of the set path[0] … path[n - 1] without path[skip], 0 when it is not
 * in the tree. An item that is perfect for a node on the way is there without
 * a node of its own.
 */
static uint64_t support_without(const apriori_tree *tree, const uint32_t *path, size_t n, size_t skip, uint32_t *nodes) {
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    if (i == skip) continue;
    uint32_t node = at ? find_child(&tree->levels[at], &tree->levels[at + 1], nodes[at], path[i]) : tree->top[path[i]];
    if (node != (uint32_t)APRIORI_NONE) {
      nodes[++at] = node;
      continue;
    }
    bool perfect = false;
    for (size_t l = 1; l <= at && !perfect; l++) perfect = is_perfect(&tree->levels[l], nodes[l], path[i]);
    if (!perfect) return 0;
  }
  return tree->levels[at].support[nodes[at]];
}

/* ---- join and prune ------------------------------------------------------------------ */

typedef struct join {
  apriori_tree *tree;
  apriori_level *last, *next;
  size_t depth, made; /* made: nodes of the last level that have their children */
  uint32_t *set, *nodes;
  dm_status status;
  dm_error *err;
} join;

/* Candidate of node x and its smaller sibling y: what is below it must all be there. */
static dm_status join_siblings(join *j, uint64_t bound, size_t y) {
  j->set[j->depth] = j->last->item[y];
  if (j->last->support[y] < bound) bound = j->last->support[y];
  for (size_t skip = 0; skip + 1 < j->depth; skip++) { /* without the last two: x and y themselves */
    uint64_t support = support_without(j->tree, j->set, j->depth + 1, skip, j->nodes);
    if (support == 0) return DM_OK;
    if (support < bound) bound = support;
  }
  return apriori_add(j->tree, j->next, j->last->item[y], 0, bound, 0, j->err);
}

/* All candidates below the children of one node. */
static bool join_children(void *user, const uint32_t *path, size_t parent) {
  join *j = user;
  const apriori_level *above = &j->tree->levels[j->depth - 1];
  memcpy(j->set, path, (j->depth - 1) * sizeof *path);
  for (size_t x = above->first[parent]; x < above->first[parent + 1] && j->status == DM_OK; x++) {
    j->last->first[x] = (uint32_t)j->next->n;
    j->set[j->depth - 1] = j->last->item[x];
    for (size_t y = above->first[parent]; y < x && j->status == DM_OK; y++) j->status = join_siblings(j, j->last->support[x], y);
  }
  if (j->status == DM_OK && parent % 64 == 0) j->status = dm_ctx_check(j->tree->ctx, j->err);
  return j->status == DM_OK;
}

dm_status apriori_join(apriori_tree *tree, dm_error *err) {
  dm_ctx *ctx = tree->ctx;
  size_t depth = tree->n_levels;
  join j = {.tree = tree, .last = &tree->levels[depth], .next = &tree->levels[depth + 1], .depth = depth, .err = err};
  *j.next = (apriori_level){0};
  tree->n_levels++; /* for apriori_tree_clear */
  j.set = dm_alloc(ctx, tree->longest + 3, sizeof *j.set, "apriori", err);
  j.nodes = dm_alloc(ctx, tree->longest + 3, sizeof *j.nodes, "apriori", err);
  j.last->first = dm_alloc(ctx, j.last->n + 1, sizeof *j.last->first, "apriori", err);
  if (!j.set || !j.nodes || !j.last->first) {
    j.status = DM_EBUDGET;
  } else {
    (void)apriori_each(tree, depth - 1, join_children, &j);
    j.last->first[j.last->n] = (uint32_t)j.next->n;
  }
  dm_free(ctx, j.set);
  dm_free(ctx, j.nodes);
  return j.status;
}

/* ---- filter -------------------------------------------------------------------------- */

/* Perfect items of the level above: one for each node of the last that has its parent's support. */
static dm_status note_perfect(apriori_tree *tree, apriori_level *above, const apriori_level *level, dm_error *err) {
  size_t n = 0;
  if (!(above->perfect_start = dm_alloc(tree->ctx, above->n + 1, sizeof *above->perfect_start, "apriori", err))) return DM_EBUDGET;
  for (size_t x = 0; x < above->n; x++)
    for (size_t c = above->first[x]; c < above->first[x + 1]; c++) n += level->support[c] == above->support[x];
  if (!(above->perfect = dm_alloc(tree->ctx, n + 1, sizeof *above->perfect, "apriori", err))) return DM_EBUDGET;
  n = 0;
  for (size_t x = 0; x < above->n; x++) {
    above->perfect_start[x] = n;
    for (size_t c = above->first[x]; c < above->first[x + 1]; c++)
      if (level->support[c] == above->support[x]) above->perfect[n++] = level->item[c];
  }
  above->perfect_start[above->n] = n;
  return DM_OK;
}

dm_status apriori_filter(apriori_tree *tree, dm_error *err) {
  apriori_level *level = &tree->levels[tree->n_levels], *above = level - 1;
  dm_status s = tree->generators ? DM_OK : note_perfect(tree, above, level, err);
  if (s != DM_OK) return s;
  size_t n = 0;
  for (size_t x = 0; x < above->n; x++) {
    size_t from = above->first[x], to = above->first[x + 1];
    above->first[x] = (uint32_t)n;
    for (size_t c = from; c < to; c++) {
      uint64_t whole = tree->generators ? level->bound[c] : above->support[x];
      if (level->support[c] < tree->db->min_support || level->support[c] == whole) continue;
      level->item[n] = level->item[c];
      level->support[n] = level->support[c];
      if (tree->generators) level->row[n] = level->row[c];
      n++;
    }
  }
  above->first[above->n] = (uint32_t)n;
  level->n = n;
  dm_free(tree->ctx, level->bound); /* of candidates only */
  level->bound = NULL;
  return level_resize(tree, level, n ? n : 1, err);
}
