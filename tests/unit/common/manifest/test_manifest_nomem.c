/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once while a manifest is read, judged and measured. */
#include "common/manifest/manifest.h"
#include "tests/unit.h"
#include "tests/unit/nomem/nomem.h"

/* An Ed25519 SPKI: RFC 8410's prefix and a key that OpenSSL takes. */
#define KEY  "\"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\""
#define HASH "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"

static const char text[] =
	"{\"id\":\"c-1\",\"name\":\"n\",\"datasets\":[{\"hash\":" HASH ",\"user_key\":" KEY
	",\"filename\":\"cache.zip\",\"decompress\":true,\"cache\":true}],"
	"\"algorithm\":{\"hash\":" HASH ",\"user_key\":" KEY "},"
	"\"result_consumers\":[{\"user_key\":" KEY "}],\"agent_config\":{\"port\":\"7002\"},"
	"\"cocos\":{\"layout\":\"folders\",\"logs\":\"consumers\",\"requirements_hash\":" HASH "}}";

static struct manifest_digests right;
static uint8_t *wire;
static size_t wire_len;

static int prepare(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(text, strlen(text), &m, &e), e);
	assert_ok(manifest_digest(m, &right, &e), e);
	assert_ok(manifest_encode(m, &wire, &wire_len, &e), e);
	return 0;
}

static int leave(void **state)
{
	free(wire);
	return 0;
}

static int measure(const Cvms__ComputationRunReq *m, struct err *e)
{
	struct manifest_digests digests;

	if (manifest_check(m, e) < 0 || manifest_digest(m, &digests, e) < 0)
		return err_code(e);
	assert_memory_equal(digests.sha3_256, right.sha3_256, SHA3_256_LEN);
	return 0;
}

static int read_json(void *data, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;

	if (manifest_from_json(text, strlen(text), &m, e) < 0)
		return err_code(e);
	return measure(m, e);
}

static int read_wire(void *data, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *again = NULL;
	size_t len;

	if (manifest_decode(wire, wire_len, &m, e) < 0 || manifest_encode(m, &again, &len, e) < 0)
		return err_code(e);
	assert_int_equal(len, wire_len);
	assert_memory_equal(again, wire, len);
	return measure(m, e);
}

static void a_manifest_from_json_is_whole_or_none(void **state)
{
	nomem_each("from JSON", read_json, NULL, 1);
}

static void a_manifest_from_the_wire_is_whole_or_none(void **state)
{
	nomem_each("from the wire", read_wire, NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_from_json_is_whole_or_none),
		cmocka_unit_test(a_manifest_from_the_wire_is_whole_or_none),
	};

	return cmocka_run_group_tests(tests, prepare, leave);
}
