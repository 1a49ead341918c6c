/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/config.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <stdio.h>

#define URL "AGENT_CVM_GRPC_URL=h:7001\n"

/* Reads `environment` and certificates given as texts; NULL: no such file. */
static int read_texts(struct config *c, const char *environment, const char *cert, const char *key,
		      const char *ca, struct err *e)
{
	const char *texts[BOOTCONFIG_FILES] = { environment, cert, key, ca };

	*c = (struct config){ .options = { .certs_dir = "/somewhere/certs/" } };
	for (size_t i = 0; i < BOOTCONFIG_FILES; i++) {
		if (!texts[i])
			continue;
		c->boot.files[i].bytes = (uint8_t *)strdup(texts[i]);
		c->boot.files[i].len = strlen(texts[i]);
	}
	return config_read(c, e);
}

static void a_stock_managers_file_is_understood(void **state)
{
	static const char environment[] =
		"AGENT_LOG_LEVEL=debug\nAGENT_CVM_ID=11-22\nAGENT_GRPC_HOST=\n"
		"AGENT_CVM_GRPC_URL=10.0.2.2:7001\nAGENT_CVM_GRPC_TIMEOUT=60s\n"
		"AGENT_CVM_GRPC_CLIENT_CERT=/etc/certs/cert.pem\n"
		"AGENT_CVM_GRPC_CLIENT_KEY=/etc/certs/key.pem\n"
		"AGENT_CVM_GRPC_SERVER_CA_CERTS=/somewhere/certs/ca.pem\n"
		"AGENT_CVM_CA_URL=\nAGENT_CERTS_TOKEN=\nAGENT_VMPL=2\nAGENT_OS_BUILD=UVC\n"
		"AGENT_OS_DISTRO=UVC\nAGENT_OS_TYPE=UVC\nAGENT_MAA_URL=https://m.example\n"
		"AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\nAWS_ENDPOINT_URL=\nAWS_REGION=\n";
	struct config c;
	struct err e;

	assert_ok(read_texts(&c, environment, "C", "K", "A", &e), e);
	assert_string_equal(c.cvm_id, "11-22");
	assert_string_equal(c.cvm_url, "10.0.2.2:7001");
	assert_int_equal(c.cvm_timeout_ms, 60000);
	assert_int_equal(c.vmpl, 2);
	assert_null(c.grpc_host);
	assert_null(c.aws_region);
	assert_string_equal(config_pem(&c, c.cvm_cert), "C");
	assert_string_equal(config_pem(&c, c.cvm_key), "K");
	assert_string_equal(config_pem(&c, c.cvm_ca), "A");
	assert_null(config_pem(&c, NULL));
	assert_true(c.asset_max == 64ULL << 30);
	config_done(&c);
}

/* All that it takes to get a certificate, and nothing beside it. */
static void an_authority_has_its_token_and_is_known(void **state)
{
#define CA    "AGENT_CVM_CA_URL=https://ca:7002\n"
#define TOKEN "AGENT_CERTS_TOKEN=s3cret\n"
#define ID    "AGENT_CVM_ID=cvm-1\n"
#define KNOWN "AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/ca.pem\n"
	static const struct {
		const char *environment, *words; /* NULL: taken */
	} rows[] = {
		{ URL ID CA TOKEN KNOWN, NULL },
		{ URL "AGENT_CERTS_TOKEN=name:s3cret\n" CA KNOWN, NULL },
		{ URL ID CA KNOWN, "AGENT_CVM_CA_URL and AGENT_CERTS_TOKEN go together" },
		{ URL ID TOKEN KNOWN, "AGENT_CVM_CA_URL and AGENT_CERTS_TOKEN go together" },
		{ URL ID CA TOKEN, "needs AGENT_CVM_GRPC_SERVER_CA_CERTS" },
		{ URL CA TOKEN KNOWN, "set AGENT_CVM_ID" },
		{ URL ID "AGENT_CVM_CA_URL=ca:7002\n" TOKEN KNOWN, "is not https://" },
		{ URL ID CA TOKEN KNOWN "AGENT_CVM_GRPC_CLIENT_CERT=/etc/certs/cert.pem\n"
					"AGENT_CVM_GRPC_CLIENT_KEY=/etc/certs/key.pem\n",
		  "leave out AGENT_CVM_GRPC_CLIENT_CERT" },
	};
	struct config c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int failed = read_texts(&c, rows[i].environment, "C", "K", "A", &e);

		assert_int_equal(failed, rows[i].words ? -(int)ERR_INVALID : 0);
		if (rows[i].words && (!strstr(e.text, rows[i].words) || strstr(e.text, "s3cret")))
			fail_msg("'%s'", e.text);
		config_done(&c);
	}
}

static const size_t texts[] = {
	offsetof(struct config, log_level),
	offsetof(struct config, cvm_id),
	offsetof(struct config, grpc_host),
	offsetof(struct config, cvm_url),
	offsetof(struct config, cvm_cert),
	offsetof(struct config, cvm_key),
	offsetof(struct config, cvm_ca),
	offsetof(struct config, ca_url),
	offsetof(struct config, certs_token),
	offsetof(struct config, os_build),
	offsetof(struct config, os_distro),
	offsetof(struct config, os_type),
	offsetof(struct config, maa_url),
	offsetof(struct config, aws_access_key_id),
	offsetof(struct config, aws_secret_access_key),
	offsetof(struct config, aws_endpoint_url),
	offsetof(struct config, aws_region),
	offsetof(struct config, pip_index_url),
};
static const size_t numbers[] = {
	offsetof(struct config, cvm_timeout_ms), offsetof(struct config, vmpl),
	offsetof(struct config, asset_max),      offsetof(struct config, run_memory),
	offsetof(struct config, run_processes),  offsetof(struct config, run_results),
	offsetof(struct config, run_scratch),    offsetof(struct config, run_time_ms),
	offsetof(struct config, run_processor),
};

/* How many settings differ; what the boot configuration may not touch does not. */
static size_t differences(const struct config *a, const struct config *b)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *x = *(char *const *)((const char *)a + texts[i]);
		const char *y = *(char *const *)((const char *)b + texts[i]);

		count += (!x != !y) || (x && strcmp(x, y) != 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		count += memcmp((const char *)a + numbers[i], (const char *)b + numbers[i],
				sizeof(uint64_t)) != 0;
	assert_memory_equal(&a->options, &b->options, sizeof(a->options));
	assert_int_equal(a->in_image, b->in_image);
	assert_int_equal(a->role_signature, b->role_signature);
	return count;
}

static const char whole[] =
	"AGENT_LOG_LEVEL=debug\nAGENT_CVM_ID=11-22\nAGENT_GRPC_HOST=\"::1\"\n# words\n"
	"AGENT_CVM_GRPC_URL=10.0.2.2:7001\nAGENT_CVM_GRPC_TIMEOUT=60s\n"
	"AGENT_CVM_GRPC_CLIENT_CERT=/etc/certs/cert.pem\n"
	"AGENT_CVM_GRPC_CLIENT_KEY=/etc/certs/key.pem\n"
	"AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/ca.pem\n\nAGENT_VMPL=2\n"
	"AGENT_ASSET_MAX=4G\nAGENT_RUN_TIME=2h\nAGENT_RUN_PROCESSOR=150\n";

/* One file of `c` with other bytes; how its settings then differ from those of `good`. Refusals are
 * one line. Whatever is accepted is measured as something else, unless it is the same. */
static void tampered(const struct config *good, enum bootconfig_file file, const char *bytes,
		     size_t len, size_t most)
{
	struct bootconfig_digests before, after;
	struct config c;
	struct err e = { 0 };
	bool same = len == good->boot.files[file].len &&
		    memcmp(bytes, good->boot.files[file].bytes, len) == 0;

	c = (struct config){ .options = good->options };
	for (size_t i = 0; i < BOOTCONFIG_FILES; i++) {
		const void *from = i == file ? bytes : (char *)good->boot.files[i].bytes;

		c.boot.files[i].len = i == file ? len : good->boot.files[i].len;
		c.boot.files[i].bytes = malloc(c.boot.files[i].len + 1);
		memcpy(c.boot.files[i].bytes, from, c.boot.files[i].len);
	}
	if (config_read(&c, &e) == 0) {
		assert_in_range(differences(good, &c), 0, same ? 0 : most);
		assert_ok(bootconfig_digest(&good->boot, &before, &e), e);
		assert_ok(bootconfig_digest(&c.boot, &after, &e), e);
		assert_int_equal(memcmp(&before, &after, sizeof(before)) == 0, same);
	} else {
		assert_true(e.code != ERR_OK && e.text[0] && !strchr(e.text, '\n'));
	}
	config_done(&c);
}

/* A byte changes its own line, or makes of two lines one; it reaches no setting further. */
static void a_tampered_byte_reaches_nothing_else(void **state)
{
	struct config good;
	char bytes[sizeof(whole)];
	struct err e;

	assert_ok(read_texts(&good, whole, "C", "K", "A", &e), e);
	for (size_t at = 0; at < sizeof(whole) - 1; at++)
		for (int value = 0; value < 256; value++) {
			memcpy(bytes, whole, sizeof(bytes));
			bytes[at] = (char)value;
			tampered(&good, BOOTCONFIG_ENVIRONMENT, bytes, sizeof(whole) - 1, 2);
		}
	for (enum bootconfig_file file = BOOTCONFIG_CERT; file < BOOTCONFIG_FILES; file++)
		for (int value = 0; value < 256; value++)
			tampered(&good, file, (char[]){ (char)value }, 1, 0);
	config_done(&good);
}

/* All prefixes, and all with one byte left out or put in twice. */
static void a_file_cut_short_is_refused_or_says_less(void **state)
{
	struct config good;
	char bytes[sizeof(whole) + 1];
	struct err e;

	assert_ok(read_texts(&good, whole, "C", "K", "A", &e), e);
	for (size_t len = 0; len < sizeof(whole); len++)
		tampered(&good, BOOTCONFIG_ENVIRONMENT, whole, len, ARRAY_LEN(texts));
	for (size_t at = 0; at < sizeof(whole) - 1; at++) {
		memcpy(bytes, whole, at);
		memcpy(bytes + at, whole + at + 1, sizeof(whole) - 2 - at);
		tampered(&good, BOOTCONFIG_ENVIRONMENT, bytes, sizeof(whole) - 2, 2);
		memcpy(bytes, whole, at + 1);
		memcpy(bytes + at + 1, whole + at, sizeof(whole) - 1 - at);
		tampered(&good, BOOTCONFIG_ENVIRONMENT, bytes, sizeof(whole), 2);
	}
	config_done(&good);
}

static void every_rule_refuses_by_name(void **state)
{
	static const struct {
		const char *environment, *words;
		enum err_code code;
	} cases[] = {
		{ NULL, "no file 'environment'", ERR_NOT_FOUND },
		{ "", "AGENT_CVM_GRPC_URL is missing", ERR_INVALID },
		{ "AGENT_CVM_GRPC_URL=\n", "AGENT_CVM_GRPC_URL is missing", ERR_INVALID },
		{ "AGENT_CVM_GRPC_URL=http://h:1\n", "AGENT_CVM_GRPC_URL: ", ERR_INVALID },
		{ "AGENT_CVM_GRPC_URL=h:00\n", "AGENT_CVM_GRPC_URL: ", ERR_INVALID },
		{ URL "AGENT_SKIP_CHECKS=true\n", "AGENT_SKIP_CHECKS", ERR_INVALID },
		{ URL "LD_PRELOAD=/x\n", "LD_PRELOAD", ERR_INVALID },
		{ URL URL, "AGENT_CVM_GRPC_URL", ERR_INVALID },
		{ URL "AGENT_VMPL=4\n", "AGENT_VMPL", ERR_INVALID },
		{ URL "AGENT_CVM_ID=\xc3\xa9\n", "AGENT_CVM_ID: ", ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_TIMEOUT=soon\n", "AGENT_CVM_GRPC_TIMEOUT", ERR_INVALID },
		{ URL "AGENT_ASSET_MAX=0\n", "AGENT_ASSET_MAX", ERR_INVALID },
		{ URL "AGENT_RUN_TIME=0\n", "AGENT_RUN_TIME", ERR_INVALID },
		{ URL "AGENT_RUN_TIME=999ms\n", "AGENT_RUN_TIME", ERR_INVALID },
		{ URL "AGENT_RUN_TIME=8785h\n", "AGENT_RUN_TIME", ERR_INVALID },
		{ URL "AGENT_RUN_TIME=90\n", "AGENT_RUN_TIME", ERR_INVALID },
		{ URL "AGENT_RUN_PROCESSOR=0\n", "AGENT_RUN_PROCESSOR", ERR_INVALID },
		{ URL "AGENT_RUN_PROCESSOR=1000001\n", "AGENT_RUN_PROCESSOR", ERR_INVALID },
		{ URL "AGENT_RUN_PROCESSOR=1.5\n", "AGENT_RUN_PROCESSOR", ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_CLIENT_CERT=/etc/certs/cert.pem\n", "go together",
		  ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/passwd\n", "none of cert.pem",
		  ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/../passwd\n", "none of cert.pem",
		  ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/environment\n", "none of",
		  ERR_INVALID },
		{ URL "AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/ca.pem\n", "has no ca.pem",
		  ERR_INVALID },
	};
	char long_id[sizeof(URL) + 20000] = URL "AGENT_CVM_ID=";
	struct config c;
	struct err e;

	memset(long_id + strlen(long_id), 'x', sizeof(long_id) - strlen(long_id) - 1);
	assert_refused(read_texts(&c, long_id, NULL, NULL, NULL, &e), e, ERR_EXHAUSTED,
		       "AGENT_CVM_ID: ");
	config_done(&c);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_refused(read_texts(&c, cases[i].environment, NULL, NULL, NULL, &e), e,
			       cases[i].code, cases[i].words);
		config_done(&c);
	}
}

static int parse(struct config_options *o, struct err *e, int argc, const char *const *argv)
{
	char *copy[8] = { 0 };
	FILE *out = fopen("/dev/null", "w");
	int r;

	for (int i = 0; i < argc; i++)
		copy[i] = (char *)argv[i];
	r = config_options_parse(argc, copy, o, out, e);
	fclose(out);
	return r;
}
#define PARSE(o, e, ...)                                                              \
	parse(o, e, (int)ARRAY_LEN(((const char *[]){ "cocos-agent", __VA_ARGS__ })), \
	      (const char *const[]){ "cocos-agent", __VA_ARGS__ })

static void options_are_a_fixed_list(void **state)
{
	char path[CONFIG_WORK_MAX + 2];
	struct config_options o;
	struct err e;

	assert_int_equal(PARSE(&o, &e, "--development"), 0);
	assert_true(o.development);
	assert_string_equal(o.config_dir, "/etc/cocos");
	assert_string_equal(o.certs_dir, "/etc/certs");
	assert_int_equal(PARSE(&o, &e, "--config", "a", "--certs=b", "--work", "/c"), 0);
	assert_string_equal(o.config_dir, "a");
	assert_string_equal(o.certs_dir, "b");
	assert_string_equal(o.work_dir, "/c");
	assert_false(o.development);
	assert_int_equal(PARSE(&o, &e, "--help"), 1);
	assert_int_equal(PARSE(&o, &e, "--version"), 1);
	assert_refused(PARSE(&o, &e, "--insecure"), e, ERR_INVALID, "'--insecure' is unknown");
	assert_refused(PARSE(&o, &e, "--config"), e, ERR_INVALID, "--config");
	assert_refused(PARSE(&o, &e, "extra"), e, ERR_INVALID, "'extra'");
	assert_refused(PARSE(&o, &e, "--work", "here"), e, ERR_INVALID, "no absolute path");
	memset(path, 'w', sizeof(path));
	path[0] = '/';
	path[CONFIG_WORK_MAX] = '\0';
	assert_int_equal(PARSE(&o, &e, "--work", path), 0);
	path[CONFIG_WORK_MAX] = 'w';
	path[CONFIG_WORK_MAX + 1] = '\0';
	assert_refused(PARSE(&o, &e, "--work", path), e, ERR_INVALID, "of 3801 bytes");
}

static void devices_are_named_together(void **state)
{
	const struct config_options tsm = { .tsm = "/x" }, log = { .securityfs = "/x" };
	struct config c;
	struct err e;

	assert_refused(config_load(&tsm, &c, &e), e, ERR_DENIED, "--tsm needs --development");
	assert_refused(config_load(&log, &c, &e), e, ERR_INVALID, "--securityfs needs --tcti");
}

static void words_are_whole(void **state)
{
	assert_true(config_has_word("a cocos.role_signature b\n", CONFIG_ROLE_SIGNATURE_WORD));
	assert_true(config_has_word("cocos.role_signature", CONFIG_ROLE_SIGNATURE_WORD));
	assert_false(config_has_word("xcocos.role_signature", CONFIG_ROLE_SIGNATURE_WORD));
	assert_false(config_has_word("cocos.role_signature=0", CONFIG_ROLE_SIGNATURE_WORD));
	assert_false(config_has_word("", CONFIG_ROLE_SIGNATURE_WORD));
}

/* The reference in docs/ is what the table prints. */
static void the_documentation_has_the_table(void **state)
{
	CLEANUP(free) char *path = NULL, *docs = NULL, *table = NULL;
	size_t len;
	FILE *out = open_memstream(&table, &len);
	struct err e;

	settings_markdown(config_settings, config_settings_count, out);
	fclose(out);
	assert_ok(text_format(&path, &e, "%s/docs/agent.md", getenv("COCOS_SOURCE")), e);
	assert_ok(file_read_text(path, 1 << 20, &docs, &e), e);
	if (!strstr(docs, table))
		fail_msg("docs/agent.md lacks this table:\n%s", table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stock_managers_file_is_understood),
		cmocka_unit_test(an_authority_has_its_token_and_is_known),
		cmocka_unit_test(a_tampered_byte_reaches_nothing_else),
		cmocka_unit_test(a_file_cut_short_is_refused_or_says_less),
		cmocka_unit_test(every_rule_refuses_by_name),
		cmocka_unit_test(options_are_a_fixed_list),
		cmocka_unit_test(devices_are_named_together),
		cmocka_unit_test(words_are_whole),
		cmocka_unit_test(the_documentation_has_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
