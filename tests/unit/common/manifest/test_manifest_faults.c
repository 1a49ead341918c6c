/* SPDX-License-Identifier: Apache-2.0 */
/* All reasons at once are those that an agent has one by one, in the same order. */
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_faults.h"
#include "tests/unit.h"

/* An Ed25519 SPKI: RFC 8410's prefix and a key that OpenSSL takes. */
#define KEY  "\"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\""
#define HASH "\"0101010101010101010101010101010101010101010101010101010101010101\""
#define ALGO "\"algorithm\":{\"hash\":" HASH ",\"user_key\":" KEY "}"

static Cvms__ComputationRunReq *read_json(const char *text)
{
	Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(text, strlen(text), &m, &e), e);
	return m;
}

static const char wrong[] =
	"{\"datasets\":[{\"user_key\":\"AAAA\",\"filename\":\"a/b\",\"source\":{\"url\":\"x\"}},"
	"{\"hash\":" HASH ",\"user_key\":" KEY ",\"filename\":\"h.zip\",\"decompress\":true},"
	"{\"hash\":" HASH ",\"user_key\":" KEY ",\"filename\":\"h.zip\"},"
	"{\"hash\":" HASH ",\"user_key\":" KEY ",\"filename\":\"h\"}],"
	"\"algorithm\":{\"hash\":" HASH
	",\"algo_type\":\"perl\",\"algo_args\":[\"a\",\"\\u0000\",\"\\u0000\"],"
	"\"kbs\":{\"enabled\":true}},"
	"\"result_consumers\":[{\"user_key\":" KEY "},{\"user_key\":" KEY "},{}],"
	"\"agent_config\":{\"port\":\"0\",\"log_level\":\"loud\",\"cert_file\":\"x\\n\",\"client_ca_file\":\"y\\n\"},"
	"\"cocos\":{\"layout\":\"heap\",\"logs\":\"nobody\",\"replace\":true}}";

static const char *const reasons[] = {
	"manifest: id: missing",
	"manifest: datasets[0]: hash: 0 bytes",
	"manifest: datasets[0]: user_key: ",
	"manifest: datasets[0]: filename: a file name with '/'",
	"manifest: datasets[0]: source: ",
	"manifest: datasets[2]: digest and file name are those of datasets[1]",
	"manifest: algorithm: user_key: missing",
	"manifest: algorithm: algo_type: 'perl'",
	"manifest: algorithm: algo_args[1]: ",
	"manifest: algorithm: algo_args[2]: ",
	"manifest: algorithm: kbs: ",
	"manifest: result_consumers[1]: user_key: that of result_consumers[0]",
	"manifest: result_consumers[2]: user_key: missing",
	"manifest: cocos: layout: 'heap'",
	"manifest: cocos: logs: 'nobody'",
	"manifest: cocos: replace: not offered",
};

static const char *const listener_reasons[] = {
	"agent_config: port: '0'",
	"agent_config: log_level: 'loud'",
	"agent_config: cert_file without key_file",
	"agent_config: cert_file: holds no certificate",
	"agent_config: client_ca_file: holds no certificate",
};

static void assert_begins(const char *text, const char *words)
{
	if (strncmp(text, words, strlen(words)) != 0)
		fail_msg("'%s' does not begin with '%s'", text, words);
}

static void all_are_told_in_the_order_of_the_checks(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(wrong);
	struct err list[64], e;
	struct manifest_faults faults = { .list = list, .room = ARRAY_LEN(list) };

	assert_true(manifest_check_all(m, &faults));
	for (size_t i = 0; i < faults.count && i < ARRAY_LEN(reasons); i++)
		assert_begins(list[i].text, reasons[i]);
	assert_int_equal(faults.count, ARRAY_LEN(reasons));
	assert_refused(manifest_check(m, &e), e, ERR_INVALID, list[0].text);
	assert_true(agent_config_check_all(m->agent_config, &faults));
	for (size_t i = 0; i < ARRAY_LEN(listener_reasons); i++)
		assert_begins(list[ARRAY_LEN(reasons) + i].text, listener_reasons[i]);
	assert_int_equal(faults.count, ARRAY_LEN(reasons) + ARRAY_LEN(listener_reasons));
	assert_refused(agent_config_check(m->agent_config, &e), e, ERR_INVALID,
		       list[ARRAY_LEN(reasons)].text);
}

static void no_more_than_there_is_room_for(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(wrong);
	struct err list[ARRAY_LEN(reasons) + 2];

	for (size_t room = 0; room <= ARRAY_LEN(reasons) + 1; room++) {
		struct manifest_faults faults = { .list = list, .room = room };

		memset(list, 0, sizeof(list));
		assert_true(manifest_check_all(m, &faults));
		assert_int_equal(faults.count,
				 room < ARRAY_LEN(reasons) ? room : ARRAY_LEN(reasons));
		assert_int_equal(list[room].text[0], 0);
	}
}

static void what_has_one_place_is_told_beside_other_names(void **state)
{
	CLEANUP(manifest_free)
	Cvms__ComputationRunReq *m =
		read_json("{\"id\":\"1\"," ALGO ",\"cocos\":{\"layout\":\"folders\"},\"datasets\":["
			  "{\"hash\":" HASH ",\"user_key\":" KEY
			  ",\"filename\":\"h.zip\",\"decompress\":true},"
			  "{\"hash\":" HASH ",\"user_key\":" KEY ",\"filename\":\"h\"},"
			  "{\"hash\":" HASH ",\"user_key\":" KEY ",\"filename\":\"H\"}]}");
	struct err list[8];
	struct manifest_faults faults = { .list = list, .room = ARRAY_LEN(list) };

	assert_true(manifest_check_all(m, &faults));
	assert_int_equal(faults.count, 1);
	assert_begins(list[0].text, "manifest: datasets[1]: filename: 'h' lies in datasets/h");
}

static void what_agents_take_has_no_fault(void **state)
{
	CLEANUP(manifest_free)
	Cvms__ComputationRunReq *m =
		read_json("{\"id\":\"1\"," ALGO ",\"agent_config\":{\"attested_tls\":true}}");
	struct err list[2];
	struct manifest_faults faults = { .list = list, .room = ARRAY_LEN(list) };

	assert_true(manifest_check_all(m, &faults));
	assert_true(agent_config_check_all(m->agent_config, &faults));
	assert_true(agent_config_check_all(NULL, &faults));
	assert_int_equal(faults.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_told_in_the_order_of_the_checks),
		cmocka_unit_test(no_more_than_there_is_room_for),
		cmocka_unit_test(what_has_one_place_is_told_beside_other_names),
		cmocka_unit_test(what_agents_take_has_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
