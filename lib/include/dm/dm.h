/** dm.h: all public headers of libdm. */
#ifndef DM_DM_H
#define DM_DM_H

#include <dm/core.h>
#include <dm/text.h>
#include <dm/matrix.h>
#include <dm/optim.h>
#include <dm/data.h>
#include <dm/model.h>
#include <dm/store.h>
#include <dm/clean.h>
#include <dm/tree.h>
#include <dm/linear.h>
#include <dm/nn.h>
#include <dm/patterns.h>
#include <dm/report.h>
#include <dm/pipeline.h>

#endif
