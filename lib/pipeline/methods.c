/* The one table of methods. */
#include <dm/pipeline.h>

const dm_learner *const dm_methods[] = {&dm_learner_tree, &dm_learner_logistic, &dm_learner_linear, &dm_learner_cba, &dm_learner_net, &dm_learner_autoencoder, NULL};
