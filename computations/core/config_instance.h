/* SPDX-License-Identifier: Apache-2.0 */
/* config_instance.h — whether what is set of one of several instances is whole; for config.c alone. */
#pragma once

#include "computations/core/config.h"

int config_check_instance(const struct config *config, struct err *e) MUST_CHECK;
