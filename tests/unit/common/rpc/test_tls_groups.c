/* SPDX-License-Identifier: Apache-2.0 */
/* Key exchanges: the best that both ends have, those that are demanded, and peers that are older. */
#include "common/crypto/kex_group.h"
#include "common/rpc/tls_groups.h"
#include "tests/unit/common/rpc/tls_pair.h"

enum { HYBRID = 1, X25519 = 2, P256 = 4, P384 = 8, P521 = 16 };

static void on_start(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);

	pair_on_start(call);
	*(uint32_t *)p->user = rpc_call_group(call);
}

static const struct rpc_handler handlers[] = { { .method = TEST_STREAMING_INPUT_CALL,
						 .start = on_start,
						 .half_close = pair_on_half_close_reply,
						 .closed = pair_on_closed } };
static const struct rpc_service service = { .name = TEST_SERVICE,
					    .handlers = handlers,
					    .count = 1 };

static uint32_t here(void)
{
	CLEANUP(rpc_tls_free)
	struct rpc_tls *tls = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });

	return tls_groups_here(rpc_tls_context(tls), KEX_GROUPS_ALL);
}

static struct rpc_tls *server_of(uint32_t groups)
{
	struct rpc_tls *tls;
	struct err e;

	assert_ok(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = tls_pair_cert,
							       .key = tls_pair_key,
							       .groups = groups },
				     &tls, &e),
		  e);
	return tls;
}

static struct rpc_tls *client_of(uint32_t groups)
{
	return tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert, .groups = groups });
}

/* The key exchange that a call went over. */
static uint32_t agreed(struct rpc_tls *server, struct rpc_tls *client)
{
	uint32_t group = 0;
	struct pair p = { .user = &group };

	pair_open(&p, &(struct pair_setup){
			      .service = &service, .server_tls = server, .client_tls = client });
	pair_call_once(&p);
	pair_close(&p);
	return group;
}

static void two_of_ours_take_the_best(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(0);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_of(0);

	assert_int_equal(here() & ~(uint32_t)HYBRID, X25519 | P256 | P384 | P521);
	assert_int_equal(agreed(server, client), here() & HYBRID ? HYBRID : X25519);
}

/* Whoever knows one alone, be it our client or our server. */
static void each_of_the_table_connects(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *any_server = server_of(0);
	CLEANUP(rpc_tls_free) struct rpc_tls *any_client = client_of(0);

	for (size_t i = 0; i < KEX_GROUPS; i++) {
		uint32_t one = UINT32_C(1) << i;

		if (!(here() & one))
			continue;
		CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(one);
		CLEANUP(rpc_tls_free) struct rpc_tls *client = client_of(one);

		assert_int_equal(agreed(any_server, client), one);
		assert_int_equal(agreed(server, any_client), one);
		assert_int_equal(agreed(server, client), one);
	}
}

/* As OpenSSL 3.0 and older ones send it: one share, TLS 1.2 as well. */
static void older_clients_connect(void **state)
{
	static const struct {
		const char *groups;
		int version;
		uint32_t agreed;
	} rows[] = {
		{ "X25519:P-256:P-384:P-521", TLS1_3_VERSION, X25519 },
		{ "P-256:X25519", TLS1_3_VERSION, P256 },
		{ "P-521", TLS1_3_VERSION, P521 },
		{ "X25519:P-256", TLS1_2_VERSION, X25519 },
		{ "P-384:P-256", TLS1_2_VERSION, P256 },
	};
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(rpc_tls_free) struct rpc_tls *client = client_of(0);

		assert_int_equal(SSL_CTX_set1_groups_list(rpc_tls_context(client), rows[i].groups),
				 1);
		assert_int_equal(
			SSL_CTX_set_max_proto_version(rpc_tls_context(client), rows[i].version), 1);
		assert_int_equal(agreed(server, client), rows[i].agreed);
	}
}

/* A client that knows the hybrid one and has sent no share of it is asked for one. */
static void a_server_asks_for_the_hybrid_share(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(0);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_of(0);

	assert_int_equal(SSL_CTX_set1_groups_list(rpc_tls_context(client),
						  here() & HYBRID ? "X25519:X25519MLKEM768"
								  : "X25519:P-256"),
			 1);
	assert_int_equal(agreed(server, client), here() & HYBRID ? HYBRID : X25519);
}

static void must_fail(struct rpc_tls *server, struct rpc_tls *client, const char *words)
{
	tls_pair_must_fail(&(struct pair_setup){ .service = &service,
						 .server_tls = server,
						 .client_tls = client },
			   words);
}

static void what_is_demanded_is_had_or_refused_by_name(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(P256);
	CLEANUP(rpc_tls_free) struct rpc_tls *old = server_of(0);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_of(X25519 | P384);
	CLEANUP(rpc_tls_free) struct rpc_tls *good = client_of(P256 | P384);

	must_fail(server, client,
		  "key exchange x25519 or secp384r1 is demanded: the server does not take it");
	assert_int_equal(agreed(server, good), P256);
	assert_int_equal(SSL_CTX_set_max_proto_version(rpc_tls_context(old), TLS1_2_VERSION), 1);
	must_fail(old, good,
		  "key exchange secp256r1 or secp384r1 is demanded: the server has no TLS 1.3");
}

/* Hybrid alone: had where OpenSSL has it, and else refused before there is a connection. */
static void hybrid_key_exchange_on_demand(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_of(0);
	CLEANUP(rpc_tls_free) struct rpc_tls *old = server_of(X25519);
	struct rpc_tls *client;
	struct err e;

	if (here() & HYBRID) {
		client = client_of(HYBRID);
		assert_int_equal(agreed(server, client), HYBRID);
		must_fail(old, client, "key exchange X25519MLKEM768 is demanded: the server does");
		rpc_tls_free(client);
	} else {
		assert_refused(
			rpc_tls_new_client(&(struct rpc_tls_config){ .groups = HYBRID }, &client,
					   &e),
			e, ERR_PRECONDITION,
			"has no X25519MLKEM768, which is demanded; X25519MLKEM768 comes with 3.5");
	}
	/* One of several is enough. */
	client = client_of(HYBRID | X25519);
	assert_int_equal(agreed(old, client), X25519);
	rpc_tls_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_of_ours_take_the_best),
		cmocka_unit_test(each_of_the_table_connects),
		cmocka_unit_test(older_clients_connect),
		cmocka_unit_test(a_server_asks_for_the_hybrid_share),
		cmocka_unit_test(what_is_demanded_is_had_or_refused_by_name),
		cmocka_unit_test(hybrid_key_exchange_on_demand),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
