/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "computations/core/config.h"
#include "tests/service_links.h"
#include "tests/unit.h"

#include <stdio.h>

static int load(const char *text, struct config *config, struct err *e)
{
	char path[] = "/tmp/cocos-test-config-XXXXXX";
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), e), 0);
	close(fd);
	status = config_load(path, config, e);
	unlink(path);
	return status;
}

static void an_empty_file_gives_the_defaults(void **state)
{
	struct config c;
	struct err e;

	assert_ok(load("", &c, &e), e);
	assert_string_equal(c.host, "127.0.0.1");
	assert_int_equal(c.port, 7001);
	assert_false(c.has_admin_port);
	assert_string_equal(c.admin_socket, "/run/cocos-computations/admin.sock");
	config_done(&c);
}

static void a_missing_file_that_was_named_is_refused(void **state)
{
	struct config c;
	struct err e;

	assert_refused(config_load("/proc/nowhere/x", &c, &e), e, ERR_NOT_FOUND, "/proc/nowhere/x");
}

static void contradictions_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "COMPUTATIONS_GRPC_SERVER_CERT=x\n", "KEY is not" },
		{ "COMPUTATIONS_GRPC_SERVER_KEY=x\n", "CERT is not" },
		{ "COMPUTATIONS_DATABASE=computations.db\n", "neither an absolute path" },
		{ "COMPUTATIONS_DATABASE=a:secret@localhost/c\n", "neither an absolute path" },
		{ "COMPUTATIONS_DATABASE=postgresql://a:b@localhost/c\n",
		  "COMPUTATIONS_DATABASE: it holds a password" },
		{ "COMPUTATIONS_DATABASE=host=db.example sslmode=require\n", "verify-full" },
		{ "COMPUTATIONS_GRPC_CLIENT_CA_CERTS=x\n", "needs" },
		{ "COMPUTATIONS_ADMIN_PORT=1\nCOMPUTATIONS_ADMIN_HOST=0.0.0.0\n",
		  "COMPUTATIONS_ADMIN_HOST" },
		{ "COMPUTATIONS_ADMIN_PORT=1\nCOMPUTATIONS_ADMIN_HOST=127.0.0.1.example\n",
		  "COMPUTATIONS_ADMIN_HOST" },
		{ "COMPUTATIONS_ADMIN_PORT=1\nCOMPUTATIONS_ADMIN_HOST=::\n",
		  "COMPUTATIONS_ADMIN_HOST" },
		{ "COMPUTATIONS_ADMIN_PORT=1\nCOMPUTATIONS_ADMIN_HOST=10.0.0.1\n"
		  "COMPUTATIONS_ADMIN_SERVER_CERT=x\nCOMPUTATIONS_ADMIN_SERVER_KEY=x\n",
		  "COMPUTATIONS_ADMIN_HOST" },
		/* A manifest with a private key would go over the wire as it is. */
		{ "COMPUTATIONS_GRPC_HOST=0.0.0.0\n", "COMPUTATIONS_GRPC_HOST '0.0.0.0' can be" },
		{ "COMPUTATIONS_GRPC_HOST=::\n", "can be reached by other hosts" },
		{ "COMPUTATIONS_GRPC_HOST=10.0.0.1\nCOMPUTATIONS_GRPC_SERVER_CERT=x\n"
		  "COMPUTATIONS_GRPC_SERVER_KEY=x\n",
		  "COMPUTATIONS_GRPC_SERVER_CERT, _SERVER_KEY and _CLIENT_CA_CERTS" },
		{ "COMPUTATIONS_ADMIN_PORT=65536\n", "is not a port" },
		{ "COMPUTATIONS_ADMIN_PORT=+1\n", "'+1' is not a port; use 0 to 65535" },
		{ "COMPUTATIONS_LOG_LEVEL=loud\n", "COMPUTATIONS_LOG_LEVEL: log level 'loud'" },
		{ "COMPUTATIONS_STATE_DIR=state\n",
		  "COMPUTATIONS_STATE_DIR: 'state' is not an absolute path" },
		{ "COMPUTATIONS_ADMIN_SOCKET=admin.sock\n",
		  "COMPUTATIONS_ADMIN_SOCKET: 'admin.sock' is not" },
		{ "COMPUTATIONS_METRICS=unix:metrics.sock\n",
		  "COMPUTATIONS_METRICS: 'metrics.sock' is not" },
		{ "COMPUTATIONS_WEB_ORIGIN=http://cocos.example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://Cocos.example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://127.0.0.1:9466\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example/\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:443\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:0\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:65536\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:+1\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos..example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://.example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example.\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://-cocos.example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://user@cocos.example\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://[::1]\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example:9466x\n", "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "is not https://" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://cocos.example\n", "does nothing without" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://localhost:65535\n", "does nothing without" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://a-1.b2.example:9466\nCOMPUTATIONS_WEB=127.0.0.1:9466\n",
		  "does nothing without" },
		{ "COMPUTATIONS_WEB_ORIGIN=https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "does nothing without" },
		{ "COMPUTATIONS_MAX_CVMS=0\n", "MAX_CVMS" },
		{ "COMPUTATIONS_BOGUS=1\n", "COMPUTATIONS_BOGUS" },
	};
	struct config c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(load(cases[i].text, &c, &e), e, ERR_INVALID, cases[i].words);
	assert_null(strstr(e.text, "secret"));
}

static void who_comes_from_elsewhere_needs_a_certificate(void **state)
{
	struct config c;
	struct err e;

	assert_ok(load("COMPUTATIONS_GRPC_HOST=0.0.0.0\nCOMPUTATIONS_GRPC_SERVER_CERT=x\n"
		       "COMPUTATIONS_GRPC_SERVER_KEY=y\nCOMPUTATIONS_GRPC_CLIENT_CA_CERTS=z\n",
		       &c, &e),
		  e);
	config_done(&c);
	assert_ok(load("COMPUTATIONS_GRPC_HOST=::1\n", &c, &e), e);
	config_done(&c);
	assert_ok(load("COMPUTATIONS_ADMIN_PORT=0\nCOMPUTATIONS_ADMIN_HOST=10.0.0.1\n"
		       "COMPUTATIONS_ADMIN_SERVER_CERT=x\nCOMPUTATIONS_ADMIN_SERVER_KEY=y\n"
		       "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS=z\n",
		       &c, &e),
		  e);
	config_done(&c);
	assert_ok(load("COMPUTATIONS_ADMIN_PORT=7\nCOMPUTATIONS_ADMIN_HOST=127.3.2.1\n", &c, &e),
		  e);
	assert_int_equal(c.admin_port, 7);
	config_done(&c);
}

#define INSTANCE                                                 \
	"COMPUTATIONS_DATABASE=postgresql://cocos@localhost/c\n" \
	"COMPUTATIONS_INSTANCE=a\n"                              \
	"COMPUTATIONS_CA_CERT=/ca.pem\n"

/* Or a device that hangs once ends the lease, and that of the next one. */
static void a_lease_is_longer_than_a_device_is_waited_for(void **state)
{
	static const char *const short_ones[] = {
		INSTANCE "COMPUTATIONS_CA_KEY=tpm:0x81010001\nCOMPUTATIONS_LEASE=19s\n",
		INSTANCE "COMPUTATIONS_CA_KEY=/key.pem\nCOMPUTATIONS_LEASE=19s\n"
			 "COMPUTATIONS_CA_OLD_CERT=/old.pem\n"
			 "COMPUTATIONS_CA_OLD_KEY=pkcs11:object=ca?module-path=/m.so\n",
	};
	static const char *const fine_ones[] = {
		INSTANCE "COMPUTATIONS_CA_KEY=tpm:0x81010001\nCOMPUTATIONS_LEASE=20s\n",
		INSTANCE "COMPUTATIONS_CA_KEY=/key.pem\nCOMPUTATIONS_LEASE=5s\n",
	};
	struct config c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(short_ones); i++)
		assert_refused(load(short_ones[i], &c, &e), e, ERR_INVALID,
			       "COMPUTATIONS_LEASE is less than 20 s");
	for (size_t i = 0; i < ARRAY_LEN(fine_ones); i++) {
		assert_ok(load(fine_ones[i], &c, &e), e);
		config_done(&c);
	}
}

static void a_service_of_the_same_name_does_not_stop_the_start(void **state)
{
	struct config c;
	struct err e;

	service_links_set("COMPUTATIONS_", true);
	assert_ok(load("", &c, &e), e);
	config_done(&c);
	assert_refused(load("COMPUTATIONS_SERVICE_HOST=10.0.0.11\n", &c, &e), e, ERR_INVALID,
		       "unknown setting COMPUTATIONS_SERVICE_HOST");
	setenv("COMPUTATIONS_GRPC_PROT", "7001", 1);
	assert_refused(load("", &c, &e), e, ERR_INVALID, "COMPUTATIONS_GRPC_PORT");
	unsetenv("COMPUTATIONS_GRPC_PROT");
	service_links_set("COMPUTATIONS_", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(a_missing_file_that_was_named_is_refused),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(who_comes_from_elsewhere_needs_a_certificate),
		cmocka_unit_test(a_lease_is_longer_than_a_device_is_waited_for),
		cmocka_unit_test(a_service_of_the_same_name_does_not_stop_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
