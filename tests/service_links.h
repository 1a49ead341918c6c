/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_links.h — what docker and Kubernetes put into a container's environment for a service (or a linked
 * container) of a name.
 */
#pragma once

#include "common/base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const service_links[][2] = {
	{ "SERVICE_HOST", "10.0.0.11" },
	{ "SERVICE_PORT", "7001" },
	{ "SERVICE_PORT_GRPC", "7001" },
	{ "PORT", "tcp://10.0.0.11:7001" },
	{ "PORT_7001_TCP", "tcp://10.0.0.11:7001" },
	{ "PORT_7001_TCP_PROTO", "tcp" },
	{ "PORT_7001_TCP_PORT", "7001" },
	{ "PORT_7001_TCP_ADDR", "10.0.0.11" },
	{ "NAME", "/app/service" },
	{ "ENV_HOME", "/root" },
};

static inline void service_links_set(const char *prefix, bool there)
{
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(service_links); i++) {
		snprintf(name, sizeof(name), "%s%s", prefix, service_links[i][0]);
		if (there)
			setenv(name, service_links[i][1], 1);
		else
			unsetenv(name);
	}
}
