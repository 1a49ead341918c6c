/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/common/rpc/tls_pair.h"

char *tls_pair_cert, *tls_pair_key;

int tls_pair_enter(void **state)
{
	pki_make(&tls_pair_cert, &tls_pair_key);
	return 0;
}

int tls_pair_leave(void **state)
{
	free(tls_pair_cert);
	free(tls_pair_key);
	return 0;
}

struct rpc_tls *tls_pair_server(const char *client_ca)
{
	const struct rpc_tls_config config = { .cert = tls_pair_cert,
					       .key = tls_pair_key,
					       .ca = client_ca };
	struct rpc_tls *tls = NULL;
	struct err e;

	assert_ok(rpc_tls_new_server(&config, &tls, &e), e);
	return tls;
}

struct rpc_tls *tls_pair_client(const struct rpc_tls_config *config)
{
	struct rpc_tls *tls = NULL;
	struct err e;

	assert_ok(rpc_tls_new_client(config, &tls, &e), e);
	return tls;
}

void tls_pair_must_fail(const struct pair_setup *setup, const char *words)
{
	struct pair p = { 0 };

	pair_open(&p, setup);
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	if (strncmp(p.status.text, p.target, strlen(p.target)) != 0 ||
	    !strstr(p.status.text, words))
		fail_msg("'%s' does not begin with %s, or speak of '%s'", p.status.text, p.target,
			 words);
	assert_int_equal(p.started, 0);
	pair_close(&p);
}
