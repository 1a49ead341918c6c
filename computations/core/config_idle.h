/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_idle.h — settings of the computation service that others leave nothing to do.
 */
#pragma once

#include "computations/core/config.h"

/* Those that are given, in a line of the log. */
void config_warn_idle(const struct config *c, const struct keyfile *file,
		      const struct settings_environment *environment);
