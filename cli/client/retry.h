/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h — a transfer that begins again when a connection breaks that had worked.
 */
#pragma once

#include "cli/client/client.h"

enum { RETRY_MAX = 5 /* attempts of one transfer */ };

struct retry {
	int (*attempt)(void *data, struct err *e); /* over a connection of its own */
	void *data;
	const uint64_t *moved; /* bytes that the last attempt has moved */
	const char *again;     /* what the user is told: "fetching again" */
};

/* Tries until it succeeds. Gives up when RETRY_MAX connections broke, when none has moved a byte, or
 * when the failure is no broken connection; hints at what to do then. */
int retry_run(struct client *client, const struct retry *retry, struct err *e) MUST_CHECK;
