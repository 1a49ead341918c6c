/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h — the running manager, from its folders to its last goodbye.
 */
#pragma once

#include "manager/config.h"

/* Serves until SIGTERM or SIGINT; 0 after an orderly end. */
int daemon_run(const struct config *config, struct err *e) MUST_CHECK;
