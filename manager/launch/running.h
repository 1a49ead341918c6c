/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running.h — whether what listens where a manager would is a manager that runs with the same settings.
 */
#pragma once

#include "common/base/err.h"
#include "manager/settings/config.h"

enum { RUNNING_MS = 5000 };

/* It answers gRPC's health check as a manager; `serving` is what it says. Whoever listens on the socket or, without
 * TLS, on the port may say so. */
int running_ask(const char *target, bool *serving, struct err *e) MUST_CHECK;

/* It has the key of MANAGER_GRPC_SERVER_CERT. Nothing is asked of it: it may want clients' certificates. */
int running_has_key(const struct config *config, struct err *e) MUST_CHECK;

/* Where the setting of the TCP port can be connected to. */
int running_target(const struct config *config, char **target, struct err *e) MUST_CHECK;
