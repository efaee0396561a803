/**
 * optim: what every trained method shares: losses, the objective that a solver
 * makes small, first-order optimizers with schedules, clipping and early
 * stopping, L-BFGS, and the check of gradients against differences.
 */
#ifndef DM_OPTIM_H
#define DM_OPTIM_H

#include <dm/matrix.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- losses ------------------------------------------------------------- */

/**
 * One loss of k scores s against a target y. Losses of numbers and of two
 * classes have k = 1; for two classes y is 0 or 1 (t = 2y - 1), for softmax
 * the code of the class. p is the loss's parameter.
 *
 *   squared               (s - y)^2 / 2
 *   absolute              |s - y|
 *   huber(p)              (s - y)^2 / 2 up to p, then p (|s - y| - p/2)
 *   quantile(p)           p (y - s) above the score, (1 - p)(s - y) below
 *   epsilon_insensitive(p) max(0, |s - y| - p)
 *   logistic(p)           log(1 + exp(s)) - z s, z = y (1 - p) + p/2
 *   hinge                 max(0, 1 - t s)
 *   squared_hinge         max(0, 1 - t s)^2
 *   softmax(p)            log(sum_j exp(s_j)) - (1 - p) s_y - p mean(s)
 *
 * For logistic and softmax p smooths the labels; 0 takes them as they are.
 * At a kink the gradient is that of the flat side (0 between two slopes). No
 * function overflows for finite scores where its result is finite.
 */
typedef struct dm_loss {
  const char *name;
  bool classes;     /* y is a class, not a number */
  bool many;        /* takes any k >= 1, else k = 1 */
  double otherwise; /* default of p; NaN = the loss has none */
  double max;       /* 0 < p < max (p = 0, too, where zero is set) */
  bool zero;
  double (*value)(size_t k, const double *s, double y, double p);
  /** @param g [k] written */
  void (*gradient)(size_t k, const double *s, double y, double p, double *g);
  /** Diagonal of the Hessian into h [k]; NULL where there is none (a kink everywhere it bends). */
  void (*diagonal)(size_t k, const double *s, double y, double p, double *h);
  /** Hessian times v [k] into hv [k]; NULL like diagonal. */
  void (*product)(size_t k, const double *s, double y, double p, const double *v, double *hv);
} dm_loss;

extern DM_API const dm_loss dm_losses[]; /* ended by name NULL */
/** By name; DM_EUSAGE with "did you mean" gives NULL. */
DM_API const dm_loss *dm_loss_find(const char *name, dm_error *err);
/** DM_EUSAGE when p is not within what the loss takes: `huber: parameter = 0, want > 0`. */
DM_API dm_status dm_loss_check(const dm_loss *loss, double p, dm_error *err);

/**
 * A batch at once, as nets have it: sum over n rows of weights[i] loss(s_i, y_i), rows in their order.
 * @param s [n, k] scores, rows s_row floats apart @param y [n] targets @param weights [n], NULL = all 1
 * @param g [n, k] rows g_row floats apart, written: scale weights[i] gradient_i; NULL = only the value is wanted; not s
 * Floats widened, computed in double. Thread-safe.
 */
DM_API double dm_loss_rows(const dm_loss *loss, double p, size_t n, size_t k, const float *s, size_t s_row, const float *y,
                           const float *weights, double scale, float *g, size_t g_row);

/* ---- objectives ----------------------------------------------------------- */

/** What a solver makes small: a function of n double parameters. */
typedef struct dm_objective {
  size_t n;
  void *user; /* borrowed */
  /** @param w [n] @param value written @param gradient [n] written, or NULL when only the value is wanted */
  dm_status (*evaluate)(void *user, const double *w, double *value, double *gradient, dm_error *err);
  /** Hessian at w times v into hv [n]; NULL: there is none. */
  dm_status (*product)(void *user, const double *w, const double *v, double *hv, dm_error *err);
} dm_objective;

/** Where analysis and differences disagree most. */
typedef struct dm_gradient_report {
  size_t index;            /* parameter */
  double analytic, numeric;
  double error;            /* |analytic - numeric| / max(|analytic|, |numeric|, floor) */
} dm_gradient_report;

/**
 * Compares the gradient at w with central differences (f(w+h) - f(w-h)) / 2h,
 * h = 6e-6 max(1, |w|). The floor of the relative error is a thousandth of
 * the largest component, as differences of one function know no better.
 * @param w [n] @param out written on success.
 * @return DM_OK; DM_EINPUT (a value or gradient that is not finite), or what the objective returns.
 * Cost: 2n values.
 */
DM_API dm_status dm_gradient_check(dm_ctx *ctx, const dm_objective *f, const double *w, dm_gradient_report *out, dm_error *err);
/** The same for the Hessian times v: differences of the gradient along v. DM_EUSAGE when the objective has no product. */
DM_API dm_status dm_product_check(dm_ctx *ctx, const dm_objective *f, const double *w, const double *v, dm_gradient_report *out,
                                  dm_error *err);

/* ---- first-order optimizers ------------------------------------------------- */

/**
 * What an update does; g has decay*w added, except for adamw. Floats, as in
 * PyTorch 1.13.
 *
 *   sgd       w -= lr g
 *   momentum  b = m b + g (first step: b = g)      w -= lr b
 *   nesterov  b as momentum                        w -= lr (g + m b)
 *   adagrad   a += g^2                             w -= lr g / (sqrt(a) + eps)
 *   rmsprop   a = r a + (1-r) g^2                  w -= lr g / (sqrt(a) + eps)
 *   adam      m = b1 m + (1-b1) g   v = b2 v + (1-b2) g^2
 *             w -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)
 *   adamw     w -= lr decay w, then as adam without decay in g
 * Source: Polyak, 1964; Sutskever et al., ICML 2013; Duchi et al., JMLR 2011; Tieleman & Hinton, 2012; Kingma & Ba, ICLR 2015,
 * Alg. 1; Loshchilov & Hutter, ICLR 2019, Alg. 2.
 */
typedef struct dm_optimizer_options {
  const char *method;   /* sgd momentum nesterov adagrad rmsprop adam adamw */
  double lr;            /* > 0 */
  double momentum;      /* m: momentum, nesterov; in [0, 1) */
  double rho;           /* r: rmsprop; in [0, 1) */
  double beta1, beta2;  /* adam, adamw; in [0, 1) */
  double epsilon;       /* > 0 */
  double weight_decay;  /* >= 0 */
} dm_optimizer_options;

/** Defaults of a method, those of PyTorch (sgd, momentum, nesterov: lr 0.01, m 0.9). DM_EUSAGE with "did you mean". */
DM_API dm_status dm_optimizer_defaults(const char *method, dm_optimizer_options *out, dm_error *err);

typedef struct dm_optimizer dm_optimizer;
/**
 * For one block of n floats. All state is one zeroed block, allocated here.
 * @return DM_OK; DM_EUSAGE (`adam: lr = 0, want a number > 0`); DM_EBUDGET.
 */
DM_API dm_status dm_optimizer_new(dm_ctx *ctx, size_t n, const dm_optimizer_options *options, dm_optimizer **out, dm_error *err);
DM_API void dm_optimizer_free(dm_optimizer *o); /* NULL allowed */
/** Learning rate of the next steps; DM_EUSAGE unless it is a finite number >= 0. */
DM_API dm_status dm_optimizer_set_lr(dm_optimizer *o, double lr, dm_error *err);
/**
 * One update, t <- t + 1.
 * @param w [n] parameters, changed in place; must not overlap g
 * @param g [n] gradient of the batch's mean loss
 * @return DM_OK; DM_EINPUT when g holds NaN or infinity: err gives the first
 *         index, and w, state and t are untouched. DM_EINPUT, too, when a
 *         parameter overflowed: then the update was made and err gives its index.
 * Same bits for any thread count (element-wise, no reduction).
 */
DM_API dm_status dm_optimizer_step(dm_optimizer *o, float *w, const float *g, dm_error *err);
/** Steps made. */
DM_API uint64_t dm_optimizer_t(const dm_optimizer *o);
/** State for a checkpoint: floats of the block, borrowed; *n written (0 for sgd). */
DM_API const float *dm_optimizer_state(const dm_optimizer *o, size_t *n);
/** Goes on from a checkpoint. @param state [n] copied. DM_EINPUT: another size, or numbers that no state holds. */
DM_API dm_status dm_optimizer_restore(dm_optimizer *o, uint64_t t, const float *state, size_t n, dm_error *err);

/* ---- schedules ---------------------------------------------------------------- */

typedef enum dm_schedule_kind {
  DM_SCHEDULE_CONSTANT = 0, /* lr */
  DM_SCHEDULE_STEP,         /* lr factor^floor(t / every) */
  DM_SCHEDULE_EXPONENTIAL,  /* lr factor^t */
  DM_SCHEDULE_COSINE,       /* min_lr + (lr - min_lr)(1 + cos(pi (t - warmup) / (total - warmup))) / 2 */
  DM_SCHEDULE_PLATEAU       /* lr, times factor each time the loss did not improve for more than patience observations */
} dm_schedule_kind;

/**
 * A value: copy it to keep it. t counts steps or epochs from 0, as the caller
 * likes. Every kind but plateau may begin with a warm-up: while t < warmup the
 * rate is lr (t + 1) / warmup; step and exponential count from its end.
 */
typedef struct dm_schedule {
  dm_schedule_kind kind;
  double lr;
  double factor;        /* 0 < factor <= 1 */
  double min_lr;        /* cosine, plateau */
  uint64_t every;       /* step: >= 1 */
  uint64_t warmup, total; /* cosine: total > warmup; after total the rate is min_lr */
  uint64_t patience;    /* plateau */
  double threshold;     /* plateau: an improvement is a loss < best - threshold |best| */
  double rate, best;    /* plateau: state, set by dm_schedule_init */
  uint64_t bad;
} dm_schedule;

/** "constant", "step", …; false and *out untouched for another text. */
DM_API bool dm_schedule_parse(const char *name, dm_schedule_kind *out);
/** Checks the fields above state and sets the state. DM_EUSAGE names the field. */
DM_API dm_status dm_schedule_init(dm_schedule *s, dm_error *err);
/** Learning rate at t. */
DM_API double dm_schedule_rate(const dm_schedule *s, uint64_t t);
/** Tells a plateau schedule the loss of an epoch (NaN is no improvement); nothing for other kinds. */
DM_API void dm_schedule_observe(dm_schedule *s, double loss);

/* ---- clipping and early stopping ------------------------------------------------ */

/**
 * Scales g so that its Euclidean norm is at most max: g *= max / (norm + 1e-6)
 * when that is below 1. @return the norm before; when it is not finite g is untouched.
 * Squares are added in double over fixed chunks of 4096, in eight lanes each.
 */
DM_API double dm_clip_norm(float *g, size_t n, double max);
/** Each component into [-max, max]; NaN stays. */
DM_API void dm_clip_value(float *g, size_t n, double max);

/** Keeps the weights of the best loss seen. */
typedef struct dm_early_stop dm_early_stop;
/** @param patience observations without improvement that are borne; min_delta by how much a loss must be lower. */
DM_API dm_status dm_early_stop_new(dm_ctx *ctx, size_t n, uint64_t patience, double min_delta, dm_early_stop **out, dm_error *err);
DM_API void dm_early_stop_free(dm_early_stop *e);
/** @param w [n] copied when loss is the best so far. @return true when training should stop. NaN is no improvement. */
DM_API bool dm_early_stop_observe(dm_early_stop *e, double loss, const float *w);
/** Best loss (infinity before any), and which observation it was, from 0. */
DM_API double dm_early_stop_best(const dm_early_stop *e, uint64_t *at);
/** Copies the best weights into w [n]; false (w untouched) when there are none. */
DM_API bool dm_early_stop_restore(const dm_early_stop *e, float *w);

/** What it has seen, for a checkpoint. */
typedef struct dm_early_stop_state {
  uint64_t seen, best_at; /* observations; the best one's number from 0 */
  double best;            /* infinity: none yet */
  const float *weights;   /* [n] of the best, borrowed */
} dm_early_stop_state;
DM_API void dm_early_stop_state_of(const dm_early_stop *e, dm_early_stop_state *out);
/** Goes on from a checkpoint; weights are copied. DM_EINPUT: numbers that no state holds. */
DM_API dm_status dm_early_stop_resume(dm_early_stop *e, const dm_early_stop_state *state, dm_error *err);

/* ---- L-BFGS ------------------------------------------------------------------------ */

typedef struct dm_lbfgs_options {
  size_t memory;             /* pairs kept; 0 = 10 */
  size_t max_iterations;     /* 0 = 15000 */
  double gradient_tolerance; /* stop when no component of the gradient is larger */
  double value_tolerance;    /* stop when (f - f') / max(|f|, |f'|, 1) is at most this; 0 = never */
  const char *what;          /* for progress; NULL = none is shown */
} dm_lbfgs_options;

typedef struct dm_lbfgs_result {
  double value, gradient; /* largest component */
  size_t iterations, evaluations;
  bool converged;         /* one of the tolerances was reached */
  const char *reason;     /* "gradient", "value", "iterations", "precision" (no lower value can be found) */
} dm_lbfgs_result;

/**
 * Limited-memory BFGS with a line search for the strong Wolfe conditions
 * (c1 = 1e-4, c2 = 0.9); near the minimum, where values differ by rounding
 * only, by their slopes.
 * @param w [n] start, and the minimum on success; untouched on failure.
 * @return DM_OK (also when it stopped early: see result); DM_EINPUT (value or gradient not finite at the start);
 *         DM_ECANCEL, DM_EBUDGET, or what the objective returns.
 * Cost: memory (2 m + 5) n doubles, about one evaluation and 4 m n operations an iteration. Deterministic.
 * Source: Nocedal & Wright, 2006, Alg. 7.4, 7.5, 3.5, 3.6; Hager & Zhang, SIAM J. Optim. 2005, eq. 4.1 (approximate Wolfe).
 */
DM_API dm_status dm_lbfgs(dm_ctx *ctx, const dm_objective *f, const dm_lbfgs_options *options, double *w, dm_lbfgs_result *out,
                          dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
