/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/cvm_request.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/rpc/channel.h"

#include <string.h>
#include <openssl/pem.h>

static int check_level(const char *text, struct err *e)
{
	static const char *const levels[] = { "error", "warn", "warning", "info", "debug" };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcasecmp(text, levels[i]) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "%s is not one of error, warn, info, debug",
		       log_quote(text).text);
}

static int check_target(const char *text, struct err *e)
{
	/* A socket's path would be a path in the guest. */
	if (strncmp(text, "unix:", 5) == 0)
		return err_set(e, ERR_INVALID, "%s is not host:port", log_quote(text).text);
	return rpc_target_check(text, e);
}

/* Fields of the request that become lines of the environment. */
static const struct entry {
	const char *field, *key;
	size_t offset;
	int (*check)(const char *text, struct err *e); /* NULL: any text */
} entries[] = {
#define ENTRY(key_, member_, check_) \
	{ #member_, key_, offsetof(Manager__CreateReq, member_), check_ }
	ENTRY("AGENT_LOG_LEVEL", agent_log_level, check_level),
	ENTRY("AGENT_CVM_GRPC_URL", agent_cvm_server_url, check_target),
	ENTRY("AGENT_CVM_CA_URL", agent_cvm_ca_url, NULL),
	ENTRY("AGENT_CERTS_TOKEN", agent_certs_token, NULL),
	ENTRY("AWS_ACCESS_KEY_ID", aws_access_key_id, NULL),
	ENTRY("AWS_SECRET_ACCESS_KEY", aws_secret_access_key, NULL),
	ENTRY("AWS_ENDPOINT_URL", aws_endpoint_url, NULL),
	ENTRY("AWS_REGION", aws_region, NULL),
#undef ENTRY
};

/* Where the guest finds a file that came with the request. */
static const struct credential {
	const char *field, *key, *path;
	size_t offset;
	enum bootconfig_file file;
} credentials[] = {
#define CREDENTIAL(member_, key_, path_, file_) \
	{ #member_, key_, path_, offsetof(Manager__CreateReq, member_), file_ }
	CREDENTIAL(agent_cvm_client_cert, "AGENT_CVM_GRPC_CLIENT_CERT", "/etc/certs/cert.pem",
		   BOOTCONFIG_CERT),
	CREDENTIAL(agent_cvm_client_key, "AGENT_CVM_GRPC_CLIENT_KEY", "/etc/certs/key.pem",
		   BOOTCONFIG_KEY),
	CREDENTIAL(agent_cvm_server_ca_cert, "AGENT_CVM_GRPC_SERVER_CA_CERTS", "/etc/certs/ca.pem",
		   BOOTCONFIG_CA),
#undef CREDENTIAL
};

/* The lines of the environment are KEY=VALUE, where quotes may enclose a value. A value that
 * would be read back differently is refused. */
static int check_value(const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (len > CVM_REQUEST_VALUE_MAX)
		return err_set(e, ERR_INVALID, "longer than %d bytes", CVM_REQUEST_VALUE_MAX);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"')
			return err_set(e, ERR_INVALID,
				       "has a quote, a control character or one "
				       "that is not ASCII, at byte %zu",
				       i);
	if (len && (text[0] == ' ' || text[len - 1] == ' '))
		return err_set(e, ERR_INVALID, "begins or ends with white space");
	return 0;
}

static int write_entry(struct writer *w, const struct entry *entry,
		       const Manager__CreateReq *message, struct err *e)
{
	const char *text = *(char *const *)((const char *)message + entry->offset);

	if (!text || !*text)
		return 0;
	if (check_value(text, e) < 0 || (entry->check && entry->check(text, e) < 0))
		return err_wrap(e, "%s", entry->field);
	writer_printf(w, "%s=%s\n", entry->key, text);
	return 0;
}

static int copy_credential(struct writer *w, const struct credential *credential,
			   const Manager__CreateReq *message, struct cvm_request *request,
			   struct err *e)
{
	const ProtobufCBinaryData *data =
		(const ProtobufCBinaryData *)((const char *)message + credential->offset);
	uint8_t *bytes;

	if (!data->len)
		return 0;
	if (data->len > CVM_REQUEST_PEM_MAX)
		return err_set(e, ERR_INVALID, "%s: longer than %d bytes", credential->field,
			       CVM_REQUEST_PEM_MAX);
	bytes = malloc(data->len);
	if (!bytes)
		return err_nomem(e);
	memcpy(bytes, data->data, data->len);
	request->boot.files[credential->file].bytes = bytes;
	request->boot.files[credential->file].len = data->len;
	writer_printf(w, "%s=%s\n", credential->key, credential->path);
	return 0;
}

static int write_environment(const Manager__CreateReq *message, const char *cvm_id,
			     struct cvm_request *request, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(BOOTCONFIG_FILE_MAX);

	writer_printf(&w, "AGENT_CVM_ID=%s\n", cvm_id);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		if (write_entry(&w, &entries[i], message, e) < 0)
			return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(credentials); i++)
		if (copy_credential(&w, &credentials[i], message, request, e) < 0)
			return err_code(e);
	if (writer_check(&w, "the environment", e) < 0)
		return err_code(e);
	request->boot.files[BOOTCONFIG_ENVIRONMENT].bytes =
		writer_take(&w, &request->boot.files[BOOTCONFIG_ENVIRONMENT].len);
	return 0;
}

/* At least one certificate; returns the first. */
static X509 *read_cert(const struct bootconfig *boot, enum bootconfig_file file)
{
	CLEANUP(BIO_free_all)
	BIO *bio = BIO_new_mem_buf(boot->files[file].bytes, (int)boot->files[file].len);

	return bio ? PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL) : NULL;
}

static int check_credentials(const struct bootconfig *boot, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = NULL, *ca = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (!boot->files[BOOTCONFIG_CERT].bytes != !boot->files[BOOTCONFIG_KEY].bytes)
		return err_set(e, ERR_INVALID,
			       "agent_cvm_client_cert and agent_cvm_client_key go together");
	if (boot->files[BOOTCONFIG_CERT].bytes) {
		cert = read_cert(boot, BOOTCONFIG_CERT);
		if (!cert)
			return err_openssl(e, ERR_INVALID,
					   "agent_cvm_client_cert: no certificate in PEM");
		if (key_from_private_pem((const char *)boot->files[BOOTCONFIG_KEY].bytes,
					 boot->files[BOOTCONFIG_KEY].len, NULL, NULL, &key, e) < 0)
			return err_wrap(e, "agent_cvm_client_key");
		if (X509_check_private_key(cert, key) != 1)
			return err_openssl(e, ERR_INVALID,
					   "agent_cvm_client_key is not the certificate's");
	}
	if (boot->files[BOOTCONFIG_CA].bytes && !(ca = read_cert(boot, BOOTCONFIG_CA)))
		return err_openssl(e, ERR_INVALID,
				   "agent_cvm_server_ca_cert: no certificate in PEM");
	return 0;
}

static int read_ttl(const char *text, uint64_t *ttl_ms, struct err *e)
{
	uint64_t ms = 0;

	if (!text || !*text)
		return 0;
	if (duration_parse(text, &ms, e) < 0)
		return err_wrap(e, "ttl");
	if (ms < CVM_REQUEST_TTL_MIN_MS || ms > CVM_REQUEST_TTL_MAX_MS)
		return err_set(e, ERR_INVALID, "ttl: %s is not between 1s and 87600h",
			       log_quote(text).text);
	*ttl_ms = ms;
	return 0;
}

static int read_name(const Manager__CreateReq *message, struct cvm_request *request, struct err *e)
{
	if (cvm_name_check(message->name, e) < 0)
		return err_code(e);
	memcpy(request->name, message->name, strlen(message->name) + 1);
	return cvm_labels_make(message->labels, message->n_labels, request->labels, e);
}

static int read_tee(const char *text, enum config_tee *tee, struct err *e)
{
	static const struct {
		const char *name;
		enum config_tee tee;
	} tees[] = {
		{ "", CONFIG_TEE_AUTO },
		{ "none", CONFIG_TEE_NONE },
		{ "snp", CONFIG_TEE_SNP },
		{ "tdx", CONFIG_TEE_TDX },
	};

	for (size_t i = 0; i < ARRAY_LEN(tees); i++)
		if (strcmp(text, tees[i].name) == 0) {
			*tee = tees[i].tee;
			return 0;
		}
	return err_set(e, ERR_INVALID, "tee: %s is not one of none, snp, tdx",
		       log_quote(text).text);
}

/* What a CVM is to be made of. Whether it may be had is for the manager's settings (admission.h). */
static int read_shape(const Manager__CreateReq *message, struct cvm_request *request, struct err *e)
{
	if (message->memory % ((uint64_t)1 << 20))
		return err_set(e, ERR_INVALID, "memory: %llu bytes are not a whole number of MiB",
			       (unsigned long long)message->memory);
	if (strlen(message->image) >= sizeof(request->image))
		return err_set(e, ERR_INVALID, "image: longer than %zu bytes",
			       sizeof(request->image) - 1);
	request->cpus = message->cpus;
	request->memory = message->memory;
	memcpy(request->image, message->image, strlen(message->image) + 1);
	return read_tee(message->tee, &request->tee, e);
}

int cvm_request_make(const Manager__CreateReq *message, const char *cvm_id,
		     struct cvm_request *request, struct err *e)
{
	struct cvm_request made = { 0 };

	if (message->aa_kbs_params && *message->aa_kbs_params)
		return err_set(e, ERR_UNIMPLEMENTED,
			       "aa_kbs_params: this manager's image has no key broker client");
	if (!message->agent_cvm_server_url || !*message->agent_cvm_server_url)
		return err_set(e, ERR_INVALID,
			       "agent_cvm_server_url is missing: where should the "
			       "agent connect to?");
	if (read_ttl(message->ttl, &made.ttl_ms, e) < 0 || read_name(message, &made, e) < 0 ||
	    read_shape(message, &made, e) < 0 || write_environment(message, cvm_id, &made, e) < 0 ||
	    check_credentials(&made.boot, e) < 0) {
		cvm_request_done(&made);
		return err_code(e);
	}
	*request = made;
	return 0;
}

void cvm_request_done(struct cvm_request *request)
{
	bootconfig_done(&request->boot);
}
