/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/settings.h"
#include "common/crypto/key.h"
#include "manager/order.h"
#include "tests/self_signed.h"
#include "tests/unit.h"

#define ID "3b1f8a10-1111-4222-8333-000000000001"

static char *cert_pem, *key_pem, *other_key_pem;

static int make_credentials(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL, *other = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_generate(KEY_ED25519, &other, &e), e);
	assert_ok(key_to_private_pem(key, &key_pem, &e), e);
	assert_ok(key_to_private_pem(other, &other_key_pem, &e), e);

	CLEANUP(X509_free) X509 *cert = self_signed(key, "agent", NULL, 0);

	cert_pem = self_signed_pem(cert);
	assert_non_null(cert_pem);
	return 0;
}

static int free_credentials(void **state)
{
	free(cert_pem);
	free(key_pem);
	free(other_key_pem);
	return 0;
}

static ProtobufCBinaryData bytes_of(char *text)
{
	return (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
}

static Manager__CreateReq plain_request(void)
{
	Manager__CreateReq request = MANAGER__CREATE_REQ__INIT;

	request.agent_cvm_server_url = (char *)"10.0.2.2:7001";
	return request;
}

/* What the agent will read: the lines parsed by the same strict reader. */
static void read_environment(const struct order *order, struct keyfile *file)
{
	struct err e;

	*file = (struct keyfile){ 0 };
	assert_ok(keyfile_parse(order->boot.files[BOOTCONFIG_ENVIRONMENT].bytes,
				order->boot.files[BOOTCONFIG_ENVIRONMENT].len, file, &e),
		  e);
}

static void assert_entry(const struct keyfile *file, const char *key, const char *value)
{
	const char *found = keyfile_get(file, key);

	if (!found)
		fail_msg("%s is missing", key);
	assert_string_equal(found, value);
}

static void a_full_request_becomes_a_boot_configuration(void **state)
{
	Manager__CreateReq request = plain_request();
	struct order order;
	struct keyfile file;
	struct err e;

	request.agent_log_level = (char *)"debug";
	request.agent_cvm_ca_url = (char *)"https://ca.example/v1";
	request.agent_certs_token = (char *)"to=ken#x'";
	request.aws_access_key_id = (char *)"AK";
	request.aws_secret_access_key = (char *)"s3cr3t/+=";
	request.aws_endpoint_url = (char *)"http://10.0.2.2:9000";
	request.aws_region = (char *)"eu-west-1";
	request.ttl = (char *)"1h30m";
	request.agent_cvm_client_cert = bytes_of(cert_pem);
	request.agent_cvm_client_key = bytes_of(key_pem);
	request.agent_cvm_server_ca_cert = bytes_of(cert_pem);
	assert_ok(order_make(&request, ID, &order, &e), e);
	assert_int_equal(order.ttl_ms, 5400000);
	assert_memory_equal(order.boot.files[BOOTCONFIG_KEY].bytes, key_pem, strlen(key_pem));
	assert_int_equal(order.boot.files[BOOTCONFIG_CA].len, strlen(cert_pem));
	read_environment(&order, &file);
	assert_int_equal(file.count, 12);
	assert_entry(&file, "AGENT_CVM_ID", ID);
	assert_entry(&file, "AGENT_LOG_LEVEL", "debug");
	assert_entry(&file, "AGENT_CVM_GRPC_URL", "10.0.2.2:7001");
	assert_entry(&file, "AGENT_CVM_CA_URL", "https://ca.example/v1");
	assert_entry(&file, "AGENT_CERTS_TOKEN", "to=ken#x'");
	assert_entry(&file, "AWS_ACCESS_KEY_ID", "AK");
	assert_entry(&file, "AWS_SECRET_ACCESS_KEY", "s3cr3t/+=");
	assert_entry(&file, "AWS_ENDPOINT_URL", "http://10.0.2.2:9000");
	assert_entry(&file, "AWS_REGION", "eu-west-1");
	assert_entry(&file, "AGENT_CVM_GRPC_CLIENT_CERT", "/etc/certs/cert.pem");
	assert_entry(&file, "AGENT_CVM_GRPC_CLIENT_KEY", "/etc/certs/key.pem");
	assert_entry(&file, "AGENT_CVM_GRPC_SERVER_CA_CERTS", "/etc/certs/ca.pem");
	keyfile_done(&file);
	order_done(&order);
}

static void what_was_not_given_is_not_written(void **state)
{
	Manager__CreateReq request = plain_request();
	struct order order;
	struct keyfile file;
	struct err e;

	assert_ok(order_make(&request, ID, &order, &e), e);
	assert_int_equal(order.ttl_ms, 0);
	read_environment(&order, &file);
	assert_int_equal(file.count, 2);
	assert_null(order.boot.files[BOOTCONFIG_CERT].bytes);
	assert_null(order.boot.files[BOOTCONFIG_KEY].bytes);
	assert_null(order.boot.files[BOOTCONFIG_CA].bytes);
	keyfile_done(&file);
	order_done(&order);
}

static void values_that_would_be_read_differently_are_refused(void **state)
{
	static const char *const bad[] = {
		"a\nAGENT_VMPL=0", "a\rb", "a\tb", "\"a\"", " a", "a ", "\x7f",
		"caf\xc3\xa9",     "\x01"
	};
	struct order order;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		Manager__CreateReq request = plain_request();

		request.agent_certs_token = (char *)bad[i];
		assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
			       "agent_certs_token");
		request = plain_request();
		request.aws_region = (char *)bad[i];
		assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "aws_region");
	}
}

static void values_have_a_limit(void **state)
{
	Manager__CreateReq request = plain_request();
	char text[ORDER_VALUE_MAX + 2] = { 0 };
	struct order order;
	struct err e;

	memset(text, 'x', ORDER_VALUE_MAX);
	request.agent_certs_token = text;
	assert_ok(order_make(&request, ID, &order, &e), e);
	order_done(&order);
	text[ORDER_VALUE_MAX] = 'x';
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "longer than");
}

static void the_service_must_be_named_as_host_and_port(void **state)
{
	static const char *const bad[] = {
		"",           "host",     ":7001",       "host:",           "host:0",
		"host:65536", "host:70x", "host:123456", "host:-1",         "http://host:7001",
		"::1:7001",   "a b:7001", "[::1:7001",   "unix:/run/socket"
	};
	struct order order;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		Manager__CreateReq request = plain_request();

		request.agent_cvm_server_url = (char *)bad[i];
		assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
			       "agent_cvm_server_url");
	}
}

static void other_fields_are_judged_by_kind(void **state)
{
	Manager__CreateReq request = plain_request();
	struct order order;
	struct err e;

	request.agent_log_level = (char *)"loud";
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "agent_log_level");
	request = plain_request();
	request.aa_kbs_params = (char *)"cc_kbc::http://kbs";
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_UNIMPLEMENTED, "aa_kbs_params");
}

static void times_to_live(void **state)
{
	static const char *const bad[] = { "0s", "999ms", "-1h", "1", "87600h1s", "1d", "h" };
	Manager__CreateReq request = plain_request();
	struct order order;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		request.ttl = (char *)bad[i];
		assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "ttl");
	}
	request.ttl = (char *)"87600h";
	assert_ok(order_make(&request, ID, &order, &e), e);
	assert_int_equal(order.ttl_ms, ORDER_TTL_MAX_MS);
	order_done(&order);
	request.ttl = (char *)"1s";
	assert_ok(order_make(&request, ID, &order, &e), e);
	assert_int_equal(order.ttl_ms, ORDER_TTL_MIN_MS);
	order_done(&order);
}

static void credentials_must_be_whole(void **state)
{
	Manager__CreateReq request = plain_request();
	struct order order;
	struct err e;

	request.agent_cvm_client_cert = bytes_of(cert_pem);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "go together");
	request.agent_cvm_client_key = bytes_of(other_key_pem);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
		       "agent_cvm_client_key");
	request.agent_cvm_client_key = bytes_of(cert_pem);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
		       "agent_cvm_client_key");
	request.agent_cvm_client_key = bytes_of(key_pem);
	request.agent_cvm_client_cert = bytes_of((char *)"no certificate");
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
		       "agent_cvm_client_cert");
	request = plain_request();
	request.agent_cvm_client_key = bytes_of(key_pem);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "go together");
	request = plain_request();
	request.agent_cvm_server_ca_cert = bytes_of(key_pem);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID,
		       "agent_cvm_server_ca_cert");
}

static void credentials_have_a_limit(void **state)
{
	CLEANUP(free) char *big = calloc(1, ORDER_PEM_MAX + 2);
	size_t len = strlen(cert_pem);
	Manager__CreateReq request = plain_request();
	struct order order;
	struct err e;

	memcpy(big, cert_pem, len);
	memset(big + len, '\n', ORDER_PEM_MAX - len);
	request.agent_cvm_server_ca_cert = bytes_of(big);
	assert_ok(order_make(&request, ID, &order, &e), e);
	order_done(&order);
	big[ORDER_PEM_MAX] = '\n';
	request.agent_cvm_server_ca_cert = bytes_of(big);
	assert_refused(order_make(&request, ID, &order, &e), e, ERR_INVALID, "longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_request_becomes_a_boot_configuration),
		cmocka_unit_test(what_was_not_given_is_not_written),
		cmocka_unit_test(values_that_would_be_read_differently_are_refused),
		cmocka_unit_test(values_have_a_limit),
		cmocka_unit_test(the_service_must_be_named_as_host_and_port),
		cmocka_unit_test(other_fields_are_judged_by_kind),
		cmocka_unit_test(times_to_live),
		cmocka_unit_test(credentials_must_be_whole),
		cmocka_unit_test(credentials_have_a_limit),
	};

	return cmocka_run_group_tests(tests, make_credentials, free_credentials);
}
