/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/settings.h"
#include "common/crypto/key.h"
#include "manager/launch/cvm_request.h"
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
	Manager__CreateReq message = MANAGER__CREATE_REQ__INIT;

	message.agent_cvm_server_url = (char *)"10.0.2.2:7001";
	return message;
}

/* What the agent will read: the lines parsed by the same strict reader. */
static void read_environment(const struct cvm_request *request, struct keyfile *file)
{
	struct err e;

	*file = (struct keyfile){ 0 };
	assert_ok(keyfile_parse(request->boot.files[BOOTCONFIG_ENVIRONMENT].bytes,
				request->boot.files[BOOTCONFIG_ENVIRONMENT].len, file, &e),
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
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct keyfile file;
	struct err e;

	message.agent_log_level = (char *)"debug";
	message.agent_cvm_ca_url = (char *)"https://ca.example/v1";
	message.agent_certs_token = (char *)"to=ken#x'";
	message.aws_access_key_id = (char *)"AK";
	message.aws_secret_access_key = (char *)"s3cr3t/+=";
	message.aws_endpoint_url = (char *)"http://10.0.2.2:9000";
	message.aws_region = (char *)"eu-west-1";
	message.ttl = (char *)"1h30m";
	message.agent_cvm_client_cert = bytes_of(cert_pem);
	message.agent_cvm_client_key = bytes_of(key_pem);
	message.agent_cvm_server_ca_cert = bytes_of(cert_pem);
	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	assert_int_equal(request.ttl_ms, 5400000);
	assert_memory_equal(request.boot.files[BOOTCONFIG_KEY].bytes, key_pem, strlen(key_pem));
	assert_int_equal(request.boot.files[BOOTCONFIG_CA].len, strlen(cert_pem));
	read_environment(&request, &file);
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
	cvm_request_done(&request);
}

static void what_was_not_given_is_not_written(void **state)
{
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct keyfile file;
	struct err e;

	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	assert_int_equal(request.ttl_ms, 0);
	read_environment(&request, &file);
	assert_int_equal(file.count, 2);
	assert_null(request.boot.files[BOOTCONFIG_CERT].bytes);
	assert_null(request.boot.files[BOOTCONFIG_KEY].bytes);
	assert_null(request.boot.files[BOOTCONFIG_CA].bytes);
	keyfile_done(&file);
	cvm_request_done(&request);
}

static void what_a_cvm_is_to_be_made_of(void **state)
{
	static const struct {
		const char *text;
		enum config_tee tee;
	} tees[] = { { "", CONFIG_TEE_AUTO },
		     { "none", CONFIG_TEE_NONE },
		     { "snp", CONFIG_TEE_SNP },
		     { "tdx", CONFIG_TEE_TDX } };
	static const char *const no_tees[] = { "auto", "SNP", "simulated-snp", "snp ", "sgx" };
	Manager__CreateReq message = plain_request();
	char image[IMAGE_NAME_MAX + 1];
	struct cvm_request request;
	struct err e;

	message.cpus = UINT32_MAX;
	message.memory = UINT64_MAX >> 20 << 20;
	memset(image, 'a', sizeof(image));
	image[IMAGE_NAME_MAX - 1] = '\0';
	message.image = image;
	for (size_t i = 0; i < ARRAY_LEN(tees); i++) {
		message.tee = (char *)(uintptr_t)tees[i].text;
		assert_ok(cvm_request_make(&message, ID, &request, &e), e);
		assert_int_equal(request.cpus, UINT32_MAX);
		assert_true(request.memory == message.memory);
		assert_string_equal(request.image, image);
		assert_int_equal(request.tee, tees[i].tee);
		cvm_request_done(&request);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_tees); i++) {
		message.tee = (char *)(uintptr_t)no_tees[i];
		assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
			       "not one of none, snp, tdx");
	}
	message.tee = (char *)"";
	message.memory++;
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "not a whole number of MiB");
	message.memory--;
	image[IMAGE_NAME_MAX - 1] = 'a';
	image[IMAGE_NAME_MAX] = '\0';
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "image: longer");
}

static void values_that_would_be_read_differently_are_refused(void **state)
{
	static const char *const bad[] = {
		"a\nAGENT_VMPL=0", "a\rb", "a\tb", "\"a\"", " a", "a ", "\x7f",
		"caf\xc3\xa9",     "\x01"
	};
	struct cvm_request request;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		Manager__CreateReq message = plain_request();

		message.agent_certs_token = (char *)bad[i];
		assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
			       "agent_certs_token");
		message = plain_request();
		message.aws_region = (char *)bad[i];
		assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
			       "aws_region");
	}
}

static void values_have_a_limit(void **state)
{
	Manager__CreateReq message = plain_request();
	char text[CVM_REQUEST_VALUE_MAX + 2] = { 0 };
	struct cvm_request request;
	struct err e;

	memset(text, 'x', CVM_REQUEST_VALUE_MAX);
	message.agent_certs_token = text;
	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	cvm_request_done(&request);
	text[CVM_REQUEST_VALUE_MAX] = 'x';
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID, "longer than");
}

static void the_service_must_be_named_as_host_and_port(void **state)
{
	static const char *const bad[] = {
		"",           "host",     ":7001",       "host:",           "host:0",
		"host:65536", "host:70x", "host:123456", "host:-1",         "http://host:7001",
		"::1:7001",   "a b:7001", "[::1:7001",   "unix:/run/socket"
	};
	struct cvm_request request;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		Manager__CreateReq message = plain_request();

		message.agent_cvm_server_url = (char *)bad[i];
		assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
			       "agent_cvm_server_url");
	}
}

static void other_fields_are_judged_by_kind(void **state)
{
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct err e;

	message.agent_log_level = (char *)"loud";
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "agent_log_level");
	message = plain_request();
	message.aa_kbs_params = (char *)"cc_kbc::http://kbs";
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_UNIMPLEMENTED,
		       "aa_kbs_params");
}

static void times_to_live(void **state)
{
	static const char *const bad[] = { "0s", "999ms", "-1h", "1", "87600h1s", "1d", "h" };
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		message.ttl = (char *)bad[i];
		assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID, "ttl");
	}
	message.ttl = (char *)"87600h";
	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	assert_int_equal(request.ttl_ms, CVM_REQUEST_TTL_MAX_MS);
	cvm_request_done(&request);
	message.ttl = (char *)"1s";
	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	assert_int_equal(request.ttl_ms, CVM_REQUEST_TTL_MIN_MS);
	cvm_request_done(&request);
}

static void credentials_must_be_whole(void **state)
{
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct err e;

	message.agent_cvm_client_cert = bytes_of(cert_pem);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID, "go together");
	message.agent_cvm_client_key = bytes_of(other_key_pem);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "agent_cvm_client_key");
	message.agent_cvm_client_key = bytes_of(cert_pem);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "agent_cvm_client_key");
	message.agent_cvm_client_key = bytes_of(key_pem);
	message.agent_cvm_client_cert = bytes_of((char *)"no certificate");
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "agent_cvm_client_cert");
	message = plain_request();
	message.agent_cvm_client_key = bytes_of(key_pem);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID, "go together");
	message = plain_request();
	message.agent_cvm_server_ca_cert = bytes_of(key_pem);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID,
		       "agent_cvm_server_ca_cert");
}

static void credentials_have_a_limit(void **state)
{
	CLEANUP(free) char *big = calloc(1, CVM_REQUEST_PEM_MAX + 2);
	size_t len = strlen(cert_pem);
	Manager__CreateReq message = plain_request();
	struct cvm_request request;
	struct err e;

	memcpy(big, cert_pem, len);
	memset(big + len, '\n', CVM_REQUEST_PEM_MAX - len);
	message.agent_cvm_server_ca_cert = bytes_of(big);
	assert_ok(cvm_request_make(&message, ID, &request, &e), e);
	cvm_request_done(&request);
	big[CVM_REQUEST_PEM_MAX] = '\n';
	message.agent_cvm_server_ca_cert = bytes_of(big);
	assert_refused(cvm_request_make(&message, ID, &request, &e), e, ERR_INVALID, "longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_request_becomes_a_boot_configuration),
		cmocka_unit_test(what_was_not_given_is_not_written),
		cmocka_unit_test(what_a_cvm_is_to_be_made_of),
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
