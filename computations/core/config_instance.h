/* SPDX-License-Identifier: Apache-2.0 */
/* config_instance.h — whether what is set of one of several instances is whole; for config.c alone. */
#pragma once

#include "computations/core/config.h"

int config_check_instance(const struct config *config, struct err *e) MUST_CHECK;

/* Settings that are given, and that others leave nothing to do, in a line of the log. (config_idle.c) */
void config_warn_idle(const struct config *c, const struct keyfile *file,
		      const struct settings_environment *environment);
