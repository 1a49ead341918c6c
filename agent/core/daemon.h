/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h — the running agent, from the lock on its folder to the last handle of its loop.
 */
#pragma once

#include "agent/core/config.h"

/* Locks and empties the work folder, starts the keeper, and when the boot configuration is measured
 * calls the computation service. Serves until SIGTERM or SIGINT; 0 after an orderly end. */
int daemon_run(const struct config *config, struct err *e) MUST_CHECK;
