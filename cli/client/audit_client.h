/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_client.h — the service's audit log, page by page: each row is checked to be the one behind the row before.
 */
#pragma once

#include "cli/client/computation_client.h"
#include "common/audit/audit_row.h"

struct audit_client {
	struct client *client;
	struct audit_head at, head; /* the last row that came, and the service's newest */
	bool begun;
	/* Told of each row, with its line. */
	int (*take)(void *data, const struct audit_row *row, const char *line, struct err *e);
	/* Told where the rows begin; may be NULL. */
	int (*begin)(void *data, const struct audit_head *after, struct err *e);
	void *data;
};

/* The rows behind number `after` (of the first call; then those behind the last) to the newest one, as of the first
 * page. ERR_DATA_LOSS: what comes is no chain. */
int audit_client_read(struct audit_client *a, uint64_t after, struct err *e) MUST_CHECK;

/* Where the log ends. */
int audit_client_head(struct client *client, struct audit_head *head, struct err *e) MUST_CHECK;

/* What to return of a failure: CLI_NOT_GENUINE where the chain is broken. */
enum cli_exit audit_client_failed(struct client *client, struct err *e);
