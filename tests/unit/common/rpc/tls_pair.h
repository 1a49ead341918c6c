/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_pair.h — pairs under TLS: one certificate for a group of tests, TLS of either end with it,
 * and pairs that can't come to a call.
 */
#pragma once

#include "tests/unit/common/rpc/pair.h"

/* For "localhost", by itself; made and freed around the group. */
extern char *tls_pair_cert, *tls_pair_key;
int tls_pair_enter(void **state);
int tls_pair_leave(void **state);

/* For the caller to free. `client_ca`, if not NULL, has to vouch for clients. */
struct rpc_tls *tls_pair_server(const char *client_ca);
struct rpc_tls *tls_pair_client(const struct rpc_tls_config *config);

/* The call must fail for this reason, and the text says where. */
void tls_pair_must_fail(const struct pair_setup *setup, const char *words);
