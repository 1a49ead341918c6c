/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_running.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/preflight/preflight_listen.h"
#include "common/rpc/sync.h"
#include "health.pb-c.h"
#include "health_paths.h"

#include <string.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

enum { NAP_MS = 20 };

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free)
DEFINE_CLEANUP(X509 *, X509_free)

static const struct rpc_method health_check = {
	PROTO_HEALTH_CHECK, RPC_UNARY, &grpc__health__v1__health_check_request__descriptor,
	&grpc__health__v1__health_check_response__descriptor
};

static int check_health(uv_loop_t *loop, const char *target, const struct preflight_running *own,
			bool *serving, struct err *e)
{
	const struct rpc_channel_config config = { .target = target,
						   .connect_ms = PREFLIGHT_RUNNING_MS };
	const struct rpc_stream_options options = { .timeout_ms = PREFLIGHT_RUNNING_MS };
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct rpc_channel *channel;
	ProtobufCMessage *response;
	Grpc__Health__V1__HealthCheckResponse__ServingStatus status;
	int failed;

	request.service = (char *)(uintptr_t)own->health;
	if (rpc_channel_new(loop, &config, &channel, e) < 0)
		return err_code(e);
	failed = rpc_sync_unary(channel, &health_check, &options, &request.base, &response, e);
	rpc_channel_free(channel);
	if (failed)
		return failed;
	status = ((Grpc__Health__V1__HealthCheckResponse *)response)->status;
	protobuf_c_message_free_unpacked(response, NULL);
	*serving = status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
	if (!*serving &&
	    status != GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING)
		return err_set(e, ERR_PRECONDITION, "%s is no %s", target, own->who);
	return 0;
}

static int ask(const char *target, const struct preflight_running *own,
	       char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	uv_loop_t loop;
	bool serving;
	int failed;

	if (uv_loop_init(&loop) < 0)
		return err_nomem(e);
	failed = check_health(&loop, target, own, &serving, e);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return failed ? failed
		      : preflight_found(found, "a %s runs on %s: %s", own->who, target,
					serving ? own->serves : own->serves_not);
}

/* Where the setting of a TCP port can be connected to. */
static int target_of(const char *host, uint16_t port, char **target, struct err *e)
{
	bool v6 = strchr(host, ':') && host[0] != '[';

	return text_format(target, e, v6 ? "[%s]:%u" : "%s:%u", *host ? host : "localhost", port);
}

static int read_cert(const char *path, X509 **cert, struct err *e)
{
	CLEANUP(free) char *pem = NULL;
	CLEANUP(BIO_free_all) BIO *bio = NULL;

	if (file_read_text(path, RPC_TLS_PEM_MAX, &pem, e) < 0)
		return err_code(e);
	bio = BIO_new_mem_buf(pem, -1);
	*cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	return *cert ? 0 : err_set(e, ERR_INVALID, "'%s' holds no certificate", path);
}

/* In TLS who shows a certificate proves that he has its key; nobody has to vouch for one that is ours. */
static int look_key(const char *target, const struct preflight_running *own, struct err *e)
{
	CLEANUP(SSL_CTX_free) SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	CLEANUP(BIO_free_all) BIO *bio = tls ? BIO_new_ssl_connect(tls) : NULL;
	CLEANUP(X509_free) X509 *ours = NULL, *theirs = NULL;
	static const uint8_t h2[] = { 2, 'h', '2' };
	SSL *ssl = NULL;

	if (!bio)
		return err_nomem(e);
	if (read_cert(own->cert, &ours, e) < 0)
		return err_code(e);
	BIO_get_ssl(bio, &ssl);
	if (!ssl || SSL_set_alpn_protos(ssl, h2, sizeof(h2)) != 0 ||
	    BIO_set_conn_hostname(bio, target) != 1)
		return err_nomem(e);
	if (BIO_do_connect_retry(bio, PREFLIGHT_RUNNING_MS / 1000, NAP_MS) <= 0)
		return err_set(e, ERR_UNAVAILABLE, "%s does not answer in TLS", target);
	theirs = SSL_get1_peer_certificate(ssl);
	if (!theirs || X509_cmp(ours, theirs) != 0)
		return err_set(e, ERR_PRECONDITION, "%s has another certificate", target);
	return 0;
}

static int look_port(const char *host, uint16_t port, const struct preflight_running *own,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *target = NULL;

	if (target_of(host, port, &target, e) < 0)
		return err_code(e);
	if (!own->cert)
		return ask(target, own, found, e);
	return look_key(target, own, e) < 0
		       ? err_code(e)
		       : preflight_found(found, "a %s runs on %s: it has the key of %s", own->who,
					 target, own->cert_setting);
}

/* If it is not the daemon itself, what is in the way is told, and not why it is not. */
int preflight_own_port(const char *host, uint16_t port, const struct preflight_running *own,
		       char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct err no;

	if (preflight_port(host, port, found, e) == 0 ||
	    look_port(host, port, own, found, &no) == 0)
		return PREFLIGHT_OK;
	return err_code(e);
}

int preflight_own_socket(const char *path, const struct preflight_running *own,
			 char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *target = NULL;
	struct err no;

	if (preflight_socket(path, found, e) == 0)
		return PREFLIGHT_OK;
	if (text_format(&target, &no, "unix:%s", path) == 0 && ask(target, own, found, &no) == 0)
		return PREFLIGHT_OK;
	return err_code(e);
}
