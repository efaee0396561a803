/* The charts: each appends one whole <svg> to a buffer and never fails but for memory (dm_buf_status). */
#ifndef DM_REPORT_CHART_H
#define DM_REPORT_CHART_H

#include "report/axis.h"
#include "report/svg.h"

/** What every chart is told. */
typedef struct dm_chart {
  double width, height; /* pixels; height 0: as the content needs */
  const char *title;    /* for those who cannot see it */
  const char *description;
  const char *x_title, *y_title; /* NULL: none */
  bool plain;                    /* no tooltips at the bars: half the bytes */
  bool whole;                    /* histogram of whole numbers: bars stand around their numbers */
  bool log;                      /* histogram: logarithmic x, all edges > 0; map: the same where the largest is more than 4 times the least */
  bool linear;                   /* lines: never logarithmic */
  double line;                   /* histogram with line_label: a vertical line there; bars beyond it have another colour */
  const char *line_label;
} dm_chart;

/* ---- axes, shared ---------------------------------------------------------- */

#define DM_LABEL_SIZE 11.0
#define DM_TITLE_SIZE 11.5

/** Plot area in pixels; y grows downwards. */
typedef struct dm_area {
  double left, top, right, bottom;
} dm_area;

/** The area that axes with these titles and labels leave of a chart; sets the pixels of both scales. */
dm_area dm_axes_area(const dm_chart *chart, dm_axis *x, dm_axis *y, double right_margin);
/** Grid lines, tick labels and axis titles. */
void dm_axes_draw(dm_buf *out, const dm_chart *chart, dm_area area, const dm_axis *x, const dm_axis *y, bool vertical_grid);

/* ---- charts ----------------------------------------------------------------- */

/** counts[i] of values in edges[i] … edges[i+1]. */
void dm_chart_histogram(dm_buf *out, const dm_chart *chart, size_t n_bins, const double *edges, const uint64_t *counts);

typedef struct dm_bar {
  dm_str label;
  uint64_t count;
  bool rest; /* not a value: "other values", "missing"; drawn grey */
} dm_bar;
/** Horizontal bars with count and share of total (0: no shares). */
void dm_chart_bars(dm_buf *out, const dm_chart *chart, size_t n, const dm_bar *bars, uint64_t total);

/** counts [k, k], row = truth, column = prediction; colour is the share of the true class. */
void dm_chart_confusion(dm_buf *out, const dm_chart *chart, size_t k, const dm_str *classes, const uint64_t *counts);

typedef struct dm_roc_curve {
  dm_str name;
  double auc;
  size_t n;
  const double *fpr, *tpr;
} dm_roc_curve;
#define DM_ROC_CURVES 7
/** At most DM_ROC_CURVES curves are drawn, the first ones; the legend stands beside the plot. */
void dm_chart_roc(dm_buf *out, const dm_chart *chart, size_t n, const dm_roc_curve *curves);

/** counts [g, g] of a square from lo to hi: row = predicted (upwards), column = true value. */
void dm_chart_scatter(dm_buf *out, const dm_chart *chart, size_t g, double lo, double hi, const uint64_t *counts);

/** One line: y over rising x, both finite. */
typedef struct dm_line {
  dm_str name;
  size_t n;
  const double *x, *y;
} dm_line;
#define DM_LINES 6
/**
 * At most DM_LINES lines, the first ones, named at their right ends; a lone point is a dot. Unless chart->linear, the y axis is
 * logarithmic where all values are > 0 and the largest is 10 times the least. chart->line with its label: a dashed line up from that x, with a ring where it meets each line.
 */
void dm_chart_lines(dm_buf *out, const dm_chart *chart, size_t n, const dm_line *lines);

/** Points of one colour. */
typedef struct dm_dots {
  dm_str name;        /* in the legend; n = 0: left out */
  const char *colour; /* NULL: that of its place */
  size_t n;
  const double *xy;   /* [n, 2] */
  bool label;         /* the name stands over the middle of the points, too, unless they are few */
} dm_dots;
/** Scatter of groups, the last on top; the legend stands beside the plot under a heading. */
void dm_chart_map(dm_buf *out, const dm_chart *chart, size_t n, const dm_dots *groups, const char *legend);

/* ---- tree -------------------------------------------------------------------- */

#define DM_TREE_NONE SIZE_MAX
#define DM_TREE_LEVELS 6 /* levels drawn at most: 63 nodes */

/** One node; children after their parent, node 0 the root. */
typedef struct dm_tree_node {
  size_t parent, left, right; /* DM_TREE_NONE: root, leaf */
  dm_str feature;             /* inner nodes */
  dm_str left_test, right_test; /* "≤ 2.45", "> 2.45" */
  int missing;                /* -1 left, 1 right, 0 not known */
  double count;
  const double *share;        /* [k] classification */
  double value;               /* regression */
} dm_tree_node;

typedef struct dm_tree_view {
  size_t n, k; /* nodes; classes, 0 = regression */
  const dm_tree_node *nodes;
  const dm_str *classes; /* [k] */
  dm_str target;
} dm_tree_view;

/** Nodes of the top DM_TREE_LEVELS levels. */
size_t dm_tree_n_drawn(const dm_tree_view *tree);
/** Root at the left, leaves below each other; classes as bars in the nodes, the legend under the tree. */
dm_status dm_chart_tree(dm_buf *out, const dm_chart *chart, const dm_tree_view *tree, dm_error *err);

#endif
