/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h — the running manager: its folders, its server, its orderly end.
 */
#pragma once

#include "manager/settings/config.h"

/* Serves until SIGTERM or SIGINT; 0 after an orderly end. */
int daemon_run(const struct config *config, struct err *e) MUST_CHECK;
