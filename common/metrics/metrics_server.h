/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_server.h — /metrics, for Prometheus and what reads its formats; and /readyz, for who sends callers where they are
 * served.
 */
#pragma once

#include "common/http/http_server.h"
#include "common/metrics/metrics_text.h"
#include "common/rpc/identity.h"

struct metrics_server;

/* Writes all families; called on the loop, for each reader. */
typedef void metrics_write_fn(void *data, struct metrics_text *t);

/* Whether `address` (as struct rpc_listen has it) may be listened on: others than this machine need mutual
 * TLS. `setting` ("MANAGER_METRICS") and `tls` ("MANAGER_GRPC") are for the words. */
int metrics_address_check(const char *setting, const char *address, const char *tls, bool mutual,
			  struct err *e) MUST_CHECK;
/* True: others than this machine reach it, so it needs TLS. */
bool metrics_address_is_open(const char *address);

/* Whether who comes with a certificate may read; ERR_DENIED, ERR_UNAUTHENTICATED: no. */
typedef int metrics_may_fn(void *data, const struct rpc_identity *identity, struct err *e);

/* Whether this program serves: a line for /readyz, which answers 200 then, else 503. */
typedef bool metrics_ready_fn(void *data, char *line, size_t room);

/* What a page is made of, and for whom. */
struct metrics_source {
	metrics_write_fn *write;
	metrics_may_fn *may;     /* NULL: whoever has a certificate */
	metrics_ready_fn *ready; /* NULL: there is no /readyz */
	void *data;
};

/* Listens; `tls` (may be NULL) counts for an address that is open. `source` is copied. */
int metrics_server_new(uv_loop_t *loop, const char *address, struct rpc_tls *tls,
		       const struct metrics_source *source, struct metrics_server **server,
		       struct err *e) MUST_CHECK;
/* At once; the loop has to run until its handles are closed, then metrics_server_done() frees it. NULL is
 * fine. */
void metrics_server_close(struct metrics_server *server);
void metrics_server_done(struct metrics_server *server);
