/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h — the whole service, from start to orderly end.
 */
#pragma once

#include "computations/core/config.h"

/* Serves until SIGTERM or SIGINT. */
int daemon_run(const struct config *config, struct err *e) MUST_CHECK;
