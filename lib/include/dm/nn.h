/**
 * nn: nets for tables and the autoencoder.
 */
#ifndef DM_NN_H
#define DM_NN_H

#include <dm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A net for tables, classifier and regressor:
 *
 *   numbers     -> scaled -> [numeric embedding] -\
 *                                                  side by side -> hidden layers, or the --net line -> k outputs
 *   categories  -> codes  -> embedding           -/
 *
 * Losses: softmax or logistic cross-entropy with smoothed labels; of numbers, whose target is brought to mean 0 and deviation 1, squared,
 * absolute, huber (1) or quantile. AdamW unless told otherwise; the weights of the epoch with the best validation loss stay.
 * What goes into the last layer is the learned code of a row.
 *
 * Stored tensors (m classes with rows):
 *   weights f32[n]  state f32[s] (running figures of batch normalisation, when there are any)  classes i32[m] (codes, ascending)
 *   edges f64[c, p+1] (piecewise embedding: edges of the p pieces of each of c numbers)
 * The scalars hold the layers as a --net line and the kind of numeric embedding: the net is built anew from them.
 *
 * Source: Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on tabular data", NeurIPS 2024.
 */
extern DM_API const dm_learner dm_learner_net;

/**
 * Autoencoder: features that a table can be rebuilt from, and how badly a row is rebuilt.
 *
 *   code = encoder(row)      cells' = decoder(code)      decoder: the encoder's hidden layers backwards
 *   error of a number (s - y)^2 in encoded units, of a category -log softmax(s)_y; of a row the mean over its cells
 *
 * Missing cells are told to the net, rebuilt, and left out of every error. With noise the net sees corrupted cells and
 * must restore the true ones (denoising). The encoded row has numbers (NaN = missing) and codes 0 … levels-1 that end
 * in … missing, other (dm_encode_options.other); block->levels of the training says which.
 *
 * DM_OUT_CODE features, DM_OUT_PARTS error of each encoded column (NaN where the cell is missing), DM_OUT_VALUE their
 * mean (0 for a row without a cell); threshold: that quantile of the validation rows' errors. Encoded numbers beyond
 * 1e15 are taken as 1e15.
 *
 * Stored: scalars hidden, latent, activation, flags (numbers whose "missing" the net is told), threshold, epochs, train_loss, valid_loss;
 * fill f64[d] (what stands for missing numbers), w f32[parameters]: embedding tables, then each layer's weights (inputs, units) and biases.
 */
extern DM_API const dm_learner dm_learner_autoencoder;

#ifdef __cplusplus
}
#endif
#endif
