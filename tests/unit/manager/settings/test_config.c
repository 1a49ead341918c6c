/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "manager/settings/config.h"
#include "tests/service_links.h"
#include "tests/unit.h"

static char path[] = "/tmp/cocos-test-config-XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	close(fd);
	return fd < 0;
}

static int remove_path(void **state)
{
	return unlink(path);
}

static int load(const char *text, struct config *config, struct err *e)
{
	*config = (struct config){ 0 };
	assert_ok(file_write(path, text, strlen(text), 0600, e), *e);
	return config_load(path, config, e);
}

static void defaults_are_safe(void **state)
{
	struct config config;
	struct err e;

	assert_ok(load("", &config, &e), e);
	assert_string_equal(config.socket, "/run/cocos/manager.sock");
	assert_null(config.grpc_host); /* whoever reaches a port of this host is no administrator */
	assert_string_equal(config.forward_host, "127.0.0.1");
	assert_int_equal(config.max_vms, 10);
	assert_string_equal(config.libvirt_uri, "qemu:///system");
	assert_false(config.allow_role_signature);
	assert_int_equal(config.wanted, CONFIG_TEE_AUTO);
	assert_false(config.allow_plain);
	assert_int_equal(config.snp_policy_bits, 0x20000);
	assert_int_equal(config.port_first, 7100);
	assert_int_equal(config.port_last, 7199);
	config_done(&config);
}

/* Peers that know no sockets get what they have always had. */
static void any_setting_of_tcp_means_tcp_as_ever(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
		{ "MANAGER_GRPC_HOST=127.0.0.2\n", "127.0.0.2", 7002 },
		{ "MANAGER_GRPC_PORT=7102\n", "127.0.0.1", 7102 },
		{ "MANAGER_GRPC_PORT=0\n", "127.0.0.1", 0 },
		{ "MANAGER_GRPC_PORT=65535\n", "127.0.0.1", 65535 },
		{ "MANAGER_GRPC_SERVER_CERT=/c\nMANAGER_GRPC_SERVER_KEY=/k\n", "127.0.0.1", 7002 },
	};
	struct config config;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(load(rows[i].text, &config, &e), e);
		assert_null(config.socket);
		assert_string_equal(config.grpc_host, rows[i].host);
		assert_int_equal(config.grpc_port, rows[i].port);
		config_done(&config);
	}
	assert_ok(load("MANAGER_GRPC_PORT=7102\nMANAGER_SOCKET=/run/m.sock\n", &config, &e), e);
	assert_string_equal(config.socket, "/run/m.sock"); /* both, if both are said */
	assert_string_equal(config.grpc_host, "127.0.0.1");
	config_done(&config);
}

static void what_does_not_fit_together_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "MANAGER_GRPC_PORT=65536\n", "is not a port" },
		{ "MANAGER_GRPC_PORT=-1\n", "'-1' is not a port; use 0 to 65535" },
		{ "MANAGER_GRPC_PORT=7002x\n", "'7002x' is not a port; use 0 to 65535" },
		{ "MANAGER_SOCKET=manager.sock\n", "is not an absolute path" },
		{ "MANAGER_GRPC_HOST=0.0.0.0\n", "can be reached by other hosts" },
		{ "MANAGER_GRPC_HOST=::\n", "can be reached by other hosts" },
		{ "MANAGER_GRPC_HOST=192.0.2.1\n", "can be reached by other hosts" },
		{ "MANAGER_GRPC_HOST=manager.example\n", "can be reached by other hosts" },
		{ "MANAGER_GRPC_HOST=192.0.2.1\nMANAGER_GRPC_SERVER_CERT=/c\n"
		  "MANAGER_GRPC_SERVER_KEY=/k\n",
		  "can be reached by other hosts" },
		{ "MANAGER_GRPC_SERVER_CERT=/c\n", "go together" },
		{ "MANAGER_GRPC_SERVER_KEY=/k\n", "go together" },
		{ "MANAGER_GRPC_CLIENT_CA_CERTS=/c\n", "MANAGER_GRPC_SERVER_CERT is not" },
		{ "MANAGER_GRPC_SERVER_CERT=/c\nMANAGER_GRPC_SERVER_KEY=/k\n"
		  "MANAGER_GRPC_CLIENT_CRL=/l\n",
		  "MANAGER_GRPC_CLIENT_CRL needs MANAGER_GRPC_CLIENT_CA_CERTS" },
		{ "MANAGER_METRICS=0.0.0.0:9100\n", "MANAGER_METRICS: others than this machine" },
		{ "MANAGER_MAX_VMS=0\n", "MANAGER_MAX_VMS" },
		{ "MANAGER_MAX_VMS=10001\n", "MANAGER_MAX_VMS" },
		{ "MANAGER_PORTS=7100-7102\nMANAGER_MAX_VMS=4\n", "fewer than" },
		{ "MANAGER_FORWARD_HOST=::1\n", "not an IPv4 address" },
		{ "MANAGER_STATE_DIR=state\n", "not an absolute path" },
		{ "MANAGER_DATABASE=/var/lib/cocos/registry.db\n", "no place of PostgreSQL" },
		{ "MANAGER_DATABASE=a:secret@localhost/c\n", "no place of PostgreSQL" },
		{ "MANAGER_DATABASE=postgresql://a:b@localhost/c\n",
		  "MANAGER_DATABASE: it holds a password" },
		{ "MANAGER_DATABASE=host=db.example sslmode=require\n", "verify-full" },
		{ "MANAGER_FIRMWARE=OVMF.fd\n", "not an absolute path" },
		{ "MANAGER_MEMORY=1073741825\n", "whole number of MiB" },
		{ "MANAGER_CPUS=0\n", "MANAGER_CPUS" },
		{ "MANAGER_CPUS=4\nMANAGER_MAX_CPUS=3\n", "MANAGER_MAX_CPUS is less" },
		{ "MANAGER_CPUS=4\nMANAGER_TOTAL_CPUS=3\n", "MANAGER_TOTAL_CPUS is less" },
		{ "MANAGER_MAX_MEMORY=2047M\n", "MANAGER_MAX_MEMORY is less" },
		{ "MANAGER_TOTAL_MEMORY=2047M\n", "MANAGER_TOTAL_MEMORY is less" },
		{ "MANAGER_MAX_CPUS=289\n", "MANAGER_MAX_CPUS" },
		{ "MANAGER_STATE_FREE=x\n", "MANAGER_STATE_FREE" },
		{ "MANAGER_TEE=sgx\n", "MANAGER_TEE" },
		{ "MANAGER_TEE=simulated-snp\n", "needs a MANAGER_EMULATOR" },
		{ "MANAGER_TEE=simulated-tdx\nMANAGER_EMULATOR=/x\nMANAGER_IGVM=/y\n",
		  "takes no IGVM" },
		{ "MANAGER_SNP_POLICY=0\n", "MANAGER_SNP_POLICY" },
		{ "MANAGER_SNP_POLICY=0x\n", "MANAGER_SNP_POLICY" },
		{ "MANAGER_SNP_POLICY=0x2000g\n", "MANAGER_SNP_POLICY" },
		{ "MANAGER_SNP_POLICY=0x10000000000020000\n", "MANAGER_SNP_POLICY" },
		{ "MANAGER_SNP_POLICY=0x10000\n", "bit 17" },
		{ "MANAGER_SNP_POLICY=0xa0000\n", "bit 19" },
		{ "MANAGER_SNP_ID_BLOCK=/b\n", "go together" },
		{ "MANAGER_TDX_MR_OWNER=00\n", "MANAGER_TDX_MR_OWNER" },
		{ "MANAGER_IGVM=/a\nMANAGER_FIRMWARE=/b\n", "set one" },
		{ "MANAGER_COLOUR=blue\n", "MANAGER_COLOUR" },
		{ "MANAGER_ALLOW_ROLE_SIGNATURE=yes\n", "MANAGER_ALLOW_ROLE_SIGNATURE" },
	};
	struct config config;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_refused(load(rows[i].text, &config, &e), e, ERR_INVALID, rows[i].words);
		config_done(&config);
	}
}

static void mutual_tls_opens_the_listener_to_others(void **state)
{
	struct config config;
	struct err e;

	assert_ok(load("MANAGER_GRPC_HOST=0.0.0.0\nMANAGER_GRPC_SERVER_CERT=/c\n"
		       "MANAGER_GRPC_SERVER_KEY=/k\nMANAGER_GRPC_CLIENT_CA_CERTS=/a\n"
		       "MANAGER_PORTS=7100-7102\nMANAGER_MAX_VMS=3\n",
		       &config, &e),
		  e);
	config_done(&config);
	assert_ok(load("MANAGER_GRPC_HOST=[::1]\n", &config, &e), e);
	config_done(&config);
	assert_ok(load("MANAGER_GRPC_HOST=::1\n", &config, &e), e);
	config_done(&config);
	assert_ok(load("MANAGER_GRPC_HOST=127.8.9.10\n", &config, &e), e);
	config_done(&config);
}

static void port_ranges(void **state)
{
	static const char *const bad[] = { "",      "0",  "0-1", "2-1",   "1-65536",
					   "65536", "1-", "-1",  "1-2-3", " 1-2",
					   "1 -2",  "a",  "1,2", "+1-2",  "1--2" };
	uint16_t first, last;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(config_parse_ports(bad[i], &first, &last, &e), e, ERR_INVALID,
			       "MANAGER_PORTS");
	assert_ok(config_parse_ports("1-65535", &first, &last, &e), e);
	assert_int_equal(first, 1);
	assert_int_equal(last, 65535);
	assert_ok(config_parse_ports("80", &first, &last, &e), e);
	assert_int_equal(first, 80);
	assert_int_equal(last, 80);
}

static void the_environment_wins_over_the_file(void **state)
{
	struct config config;
	struct err e;

	setenv("MANAGER_MAX_VMS", "7", 1);
	assert_ok(load("MANAGER_MAX_VMS=5\n", &config, &e), e);
	assert_int_equal(config.max_vms, 7);
	unsetenv("MANAGER_MAX_VMS");
	config_done(&config);
}

static void a_misspelt_variable_is_refused_and_others_are_not(void **state)
{
	struct config config;
	struct err e;

	setenv("MANAGER_QEMU_MEMORY_SIZE", "2048M", 1);  /* Cocos's own manager's */
	setenv("MANAGER_GRPC_URL", "localhost:7002", 1); /* the command line tool's */
	assert_ok(load("", &config, &e), e);
	config_done(&config);
	setenv("MANAGER_ALOW_PLAIN", "false", 1);
	assert_refused(load("", &config, &e), e, ERR_INVALID, "MANAGER_ALLOW_PLAIN");
	unsetenv("MANAGER_ALOW_PLAIN");
	setenv("MANAGER_PORT", "7100-7199", 1);
	assert_refused(load("", &config, &e), e, ERR_INVALID,
		       "the nearest there is: MANAGER_PORTS");
	unsetenv("MANAGER_PORT");
	unsetenv("MANAGER_GRPC_URL");
	unsetenv("MANAGER_QEMU_MEMORY_SIZE");
}

static void a_service_of_the_same_name_does_not_stop_the_start(void **state)
{
	struct config config;
	struct err e;

	service_links_set("MANAGER_", true);
	assert_ok(load("", &config, &e), e);
	config_done(&config);
	assert_refused(load("MANAGER_PORT=tcp://10.0.0.11:7001\n", &config, &e), e, ERR_INVALID,
		       "unknown setting MANAGER_PORT");
	service_links_set("MANAGER_", false);
}

static void a_named_file_must_be_there(void **state)
{
	struct config config = { 0 };
	struct err e;

	assert_refused(config_load("/proc/nowhere/manager.conf", &config, &e), e, ERR_NOT_FOUND,
		       "/proc/nowhere/manager.conf");
	config_done(&config);
}

/* The reference in docs/ is what the table prints. */
static void the_documentation_has_the_table(void **state)
{
	CLEANUP(free) char *docs_path = NULL, *docs = NULL, *table = NULL;
	size_t len;
	FILE *out = open_memstream(&table, &len);
	struct err e;

	settings_markdown(config_settings, config_settings_count, out);
	fclose(out);
	assert_ok(text_format(&docs_path, &e, "%s/docs/operators.md", getenv("COCOS_SOURCE")), e);
	assert_ok(file_read_text(docs_path, 1 << 20, &docs, &e), e);
	if (!strstr(docs, table))
		fail_msg("docs/operators.md lacks this table:\n%s", table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_safe),
		cmocka_unit_test(any_setting_of_tcp_means_tcp_as_ever),
		cmocka_unit_test(what_does_not_fit_together_is_refused),
		cmocka_unit_test(mutual_tls_opens_the_listener_to_others),
		cmocka_unit_test(port_ranges),
		cmocka_unit_test(the_environment_wins_over_the_file),
		cmocka_unit_test(a_misspelt_variable_is_refused_and_others_are_not),
		cmocka_unit_test(a_service_of_the_same_name_does_not_stop_the_start),
		cmocka_unit_test(a_named_file_must_be_there),
		cmocka_unit_test(the_documentation_has_the_table),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
