/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/client.h"

#include "cli/base/number.h"
#include "cli/client/first_contact.h"
#include "cli/client/kept_login.h"
#include "cli/client/token_file.h"
#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/wipe.h"
#include "common/crypto/kex_group.h"
#include "common/rpc/revocation.h"
#include "common/rpc/trace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

static const struct peer {
	const char *prefix, *url, *name;
	const char *from_when; /* it listens; NULL: always */
} peers[] = {
	[CLIENT_AGENT] = { "AGENT", "localhost:7002", "the agent",
			   "; it listens once it was given a computation ('cocos-cli computation "
			   "run')" },
	[CLIENT_MANAGER] = { "MANAGER", "unix:/run/cocos/manager.sock", "the manager", NULL },
	[CLIENT_COMPUTATIONS] = { "COMPUTATIONS", "unix:/run/cocos-computations/admin.sock",
				  "the computation service", NULL },
};

const char *client_setting(const struct client *client, const char *option, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_GRPC_%s", peers[client->peer].prefix, suffix);
	return profile_setting(client->cli, option, name);
}

static int read_pem(const char *option, const char *path, char **pem, struct err *e)
{
	if (!path || file_read_text(path, RPC_TLS_PEM_MAX, pem, e) == 0)
		return 0;
	return err_wrap(e, "--%s", option);
}

/* Whom the server's certificate has to come from; NULL: from nobody in particular. */
static const char *authorities(const struct client *client)
{
	const char *path = client_setting(client, "grpc-server-ca-certs", "SERVER_CA_CERTS");

	if (!path || !client->certified_by_nobody || cli_value(client->cli, "grpc-server-ca-certs"))
		return path;
	log_info("%s_GRPC_SERVER_CA_CERTS is not asked for: by the policy the agent makes its key "
		 "itself, and its certificate is judged by evidence; --grpc-server-ca-certs asks "
		 "for both",
		 peers[client->peer].prefix);
	return NULL;
}

/* The key exchanges that are demanded; 0: whichever is best. */
static int demanded_groups(const struct client *client, uint32_t *groups, struct err *e)
{
	const char *text = client_setting(client, "grpc-tls-groups", "TLS_GROUPS");

	*groups = client->policy_groups;
	if (!text)
		return 0;
	if (kex_groups_parse(text, groups, e) < 0)
		return err_wrap(e, "--grpc-tls-groups %s", log_quote(text).text);
	if (client->policy_groups && !(*groups & client->policy_groups))
		return err_set(
			e, ERR_INVALID,
			"--grpc-tls-groups wants key exchange %s, the policy %s: no connection has "
			"both",
			kex_groups_show(*groups).text, kex_groups_show(client->policy_groups).text);
	if (client->policy_groups)
		*groups &= client->policy_groups;
	return 0;
}

/* The lists that the server's certificate must not be in. Beside evidence alone no authority is asked for, and no list. */
static int load_lists(struct client *client, const char *ca, struct err *e)
{
	const char *path = client_setting(client, "grpc-server-crl", "SERVER_CRL");

	if (!path || !ca)
		return 0;
	return revocation_new(client->loop,
			      &(struct revocation_config){
				      .setting = "--grpc-server-crl", .path = path, .ca = ca },
			      &client->revocation, e);
}

struct pem_paths {
	const char *ca, *cert, *key;
};

/* By the words of rpc_tls_new_client(), which has the texts alone. */
static int name_pem(const struct pem_paths *paths, struct err *e)
{
	const struct {
		const char *said, *option, *path;
	} rows[] = {
		{ "CA: ", "--grpc-server-ca-certs", paths->ca },
		{ "certificate: ", "--grpc-client-cert", paths->cert },
		{ "TLS key: ", "--grpc-client-key", paths->key },
		{ "TLS: the key is not ", "--grpc-client-key", paths->key },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].path && strncmp(e->text, rows[i].said, strlen(rows[i].said)) == 0)
			return err_wrap(e, "%s '%s'", rows[i].option, rows[i].path);
	return err_code(e);
}

static int load_tls(struct client *client, bool wanted, struct rpc_tls **tls, struct err *e)
{
	const char *ca_path = authorities(client);
	const char *cert_path = client_setting(client, "grpc-client-cert", "CLIENT_CERT");
	const char *key_path = client_setting(client, "grpc-client-key", "CLIENT_KEY");
	CLEANUP(free) char *ca = NULL, *cert = NULL;
	CLEANUP(wipe) char *key = NULL;
	uint32_t groups;
	int failed;

	if (demanded_groups(client, &groups, e) < 0)
		return err_code(e);
	client->has_ca = ca_path != NULL;
	if (!ca_path && !client->certified_by_nobody &&
	    client_setting(client, "grpc-server-crl", "SERVER_CRL"))
		return err_set(
			e, ERR_INVALID,
			"--grpc-server-crl has the lists of --grpc-server-ca-certs, which is "
			"missing: give both");
	if (!cert_path != !key_path)
		return err_set(e, ERR_INVALID,
			       "a client %s is given without its %s: give --grpc-client-cert and "
			       "--grpc-client-key",
			       cert_path ? "certificate" : "key",
			       cert_path ? "key" : "certificate");
	if (!ca_path && !cert_path && !wanted && groups)
		return err_set(e, ERR_INVALID,
			       "key exchange %s is demanded of a connection without TLS: give "
			       "--grpc-server-ca-certs or https://, or no --grpc-tls-groups",
			       kex_groups_show(groups).text);
	if (!ca_path && !cert_path && !wanted)
		return 0;
	if (read_pem("grpc-server-ca-certs", ca_path, &ca, e) < 0 ||
	    read_pem("grpc-client-cert", cert_path, &cert, e) < 0 ||
	    read_pem("grpc-client-key", key_path, &key, e) < 0 || load_lists(client, ca, e) < 0)
		return err_code(e);
	failed = rpc_tls_new_client(
		&(struct rpc_tls_config){ .cert = cert,
					  .key = key,
					  .ca = ca,
					  .revocation = client->revocation,
					  .only_tls13 = client->appraise != NULL,
					  .groups = groups,
					  .judged_by_prologue = client->appraise && !ca },
		tls, e);
	return failed ? name_pem(&(struct pem_paths){ ca_path, cert_path, key_path }, e) : 0;
}

/* Whoever reads a token on its way has it. */
static int check_way(const struct client *client, const char *url, struct err *e)
{
	const char *port = strrchr(url, ':');
	CLEANUP(free) char *host = strndup(url, port ? (size_t)(port - url) : strlen(url));

	if (!host)
		return err_nomem(e);
	if (client->tls || client->socket || hostname_is_loopback(host))
		return 0;
	return err_set(e, ERR_INVALID,
		       "a token goes to another machine by TLS alone: https://%s, with "
		       "--grpc-server-ca-certs",
		       url);
}

/* The file that is named, or else what 'login' kept for this address. */
static int load_token(struct client *client, struct err *e)
{
	const char *option = cli_option_of(client->cli->command, "token") ? "token" : NULL;
	const char *path, *variable = secure_getenv("COMPUTATIONS_GRPC_TOKEN_FILE");
	CLEANUP(free) char *kept = NULL;

	/* Before anything says where the setting is from. */
	if ((option && token_file_check_name("--token", cli_value(client->cli, option), e) < 0) ||
	    token_file_check_name("COMPUTATIONS_GRPC_TOKEN_FILE",
				  variable && *variable ? variable : NULL, e) < 0)
		return err_code(e);
	path = profile_setting(client->cli, option, "COMPUTATIONS_GRPC_TOKEN_FILE");
	if (client->is_nobody)
		return check_way(client, client->address, e);
	if (!path && kept_login_find(client->address, &kept, e) < 0)
		return err_code(e);
	if (kept)
		log_info("the token is that of 'login', from %s", kept);
	if (!path && !kept)
		return 0;
	if (check_way(client, client->address, e) < 0)
		return err_code(e);
	return token_file_read(path ? path : kept, &client->shown, e);
}

static int open_channel(struct client *client, struct err *e)
{
	const char *url = client_setting(client, "grpc-url", "URL");
	const char *timeout = client_setting(client, "grpc-timeout", "TIMEOUT");
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	const struct rpc_prologue *prologue;
	uint64_t timeout_ms = TIMEOUT_MS;
	bool https = false;

	if (!url)
		url = peers[client->peer].url;
	if (strncmp(url, "unix:", 5) == 0)
		client->socket = url + 5;
	if (strncmp(url, "https://", 8) == 0) {
		https = true;
		url += 8;
	} else if (strncmp(url, "http://", 7) == 0) {
		url += 7;
	}
	if (timeout && duration_parse(timeout, &timeout_ms, e) < 0)
		return err_wrap(e, "--grpc-timeout");
	if (timeout_ms == 0 || timeout_ms > UINT32_MAX)
		return err_set(e, ERR_INVALID, "--grpc-timeout %s: give one between 1ms and 1000h",
			       log_quote(timeout ? timeout : "").text);
	log_debug("trace %s", trace_of_program());
	if (client->proof && client->proof->open(client, e) < 0)
		return err_code(e);
	prologue = client->attested ? client->proof->prologue : NULL;
	if (load_tls(client, https || client->appraise, &tls, e) < 0)
		return err_code(e);
	client->tls = tls != NULL;
	client->address = url;
	if (client->peer == CLIENT_COMPUTATIONS && load_token(client, e) < 0)
		return err_code(e);
	client->timeout_ms = (unsigned)timeout_ms;
	return rpc_channel_new(client->loop,
			       &(struct rpc_channel_config){ .target = url,
							     .tls = tls,
							     .prologue = prologue,
							     .prologue_data = client->attested,
							     .connect_ms = client->timeout_ms },
			       &client->channel, e);
}

/* `as`: the members that its caller says. */
static int open_as(struct client *client, const struct client *as, struct err *e)
{
	struct client opened CLEANUP_CLIENT = *as;
	struct cli *cli = as->cli;

	opened.loop = malloc(sizeof(*opened.loop));
	if (!opened.loop)
		return err_nomem(e);
	uv_loop_init(opened.loop);
	if (open_channel(&opened, e) < 0) {
		cli_hint(
			cli,
			"'cocos-cli %s --help' lists the options for connecting, -v says where each "
			"setting is from",
			cli->command->name);
		return err_code(e);
	}
	*client = opened;
	opened = (struct client){ .loop = NULL };
	return 0;
}

int client_open(struct client *client, enum client_peer peer, const struct client_proof *proof,
		struct cli *cli, struct err *e)
{
	return open_as(client, &(struct client){ .cli = cli, .peer = peer, .proof = proof }, e);
}

int client_open_as_nobody(struct client *client, enum client_peer peer, struct cli *cli,
			  struct err *e)
{
	return open_as(client, &(struct client){ .cli = cli, .peer = peer, .is_nobody = true }, e);
}

void client_close(struct client *client)
{
	if (!client->loop)
		return;
	if (client->channel)
		rpc_channel_free(client->channel);
	revocation_close(client->revocation);
	uv_run(client->loop, UV_RUN_DEFAULT);
	if (client->proof)
		client->proof->close(client);
	rpc_metadata_done(&client->shown);
	uv_loop_close(client->loop);
	free(client->loop);
	*client = (struct client){ .loop = NULL };
}

static bool is_closed_to_us(const char *socket)
{
	return socket && access(socket, W_OK) < 0 && errno == EACCES;
}

bool client_hint_contact(struct client *client, const struct err *e)
{
	const struct peer *peer = &peers[client->peer];
	bool where = false;
	const char *line = first_contact_line(client, e, &where);

	if (strstr(e->text, "certificate required")) {
		cli_hint(client->cli,
			 "it asks for a client's certificate: --grpc-client-cert and "
			 "--grpc-client-key, or %s_GRPC_CLIENT_CERT and _KEY",
			 peer->prefix);
		return true;
	}
	if (line && where)
		cli_hint(client->cli, "%s; %s_GRPC_URL or --grpc-url says where %s is", line,
			 peer->prefix, peer->name);
	else if (line)
		cli_hint(client->cli, "%s", line);
	return line != NULL;
}

/* There is no connection to the peer. */
static void hint_connection(struct client *client, const struct err *e)
{
	const struct peer *peer = &peers[client->peer];

	if (is_closed_to_us(client->socket))
		cli_hint(client->cli, "that socket is not open to you: be root or a member of "
				      "group cocos (log in again)");
	else if (!client_hint_contact(client, e))
		cli_hint(client->cli,
			 "is %s there? %s_GRPC_URL or --grpc-url says where to find it%s%s",
			 peer->name, peer->prefix, peer->from_when ? peer->from_when : "",
			 client->attested && client->has_ca
				 ? "; beside its evidence its certificate has to come from "
				   "the authorities that you name"
			 : client->attested
				 ? "; one that offers no attested TLS closes the connection"
				 : "");
}

/* In the words of ours, and of gRPC's implementations and their generated stubs ("method M not implemented"). */
static bool is_no_method(const struct err *e)
{
	static const char *const words[] = { "no method '",      "no service for '",
					     "unknown method",   "unknown service",
					     "Method not found", " not implemented" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(e->text, words[i]))
			return true;
	return false;
}

/* A server without that method: another daemon, or an older one. One that has it says itself what it does not do. */
static void hint_method(struct client *client, const struct err *e)
{
	const struct peer *peer = &peers[client->peer];
	bool is_meant = false;
	const char *name = first_contact_name(client, &is_meant);

	client->is_another = name && !is_meant;
	if (name && is_meant && !is_no_method(e))
		return;
	if (name && is_meant)
		cli_hint(client->cli,
			 "%s is there, but an older one that does not offer this: bring it "
			 "to the version of 'cocos-cli version'",
			 name);
	else if (name)
		cli_hint(client->cli, "that is %s; %s_GRPC_URL or --grpc-url says where %s is",
			 name, peer->prefix, peer->name);
	else
		cli_hint(client->cli,
			 "that server does not offer this: does %s_GRPC_URL point to %s?",
			 peer->prefix, peer->name);
}

void client_hint(struct client *client, const struct err *e)
{
	if (client->cli->hint[0])
		return;
	switch (e->code) {
	case ERR_UNAVAILABLE:
		/* Over a connection that stands it is the peer's own word. */
		if (!client->channel || !rpc_channel_is_ready(client->channel))
			hint_connection(client, e);
		break;
	case ERR_DEADLINE:
		cli_hint(
			client->cli,
			"it did not answer in time: try again, or give it more with --grpc-timeout");
		break;
	case ERR_UNIMPLEMENTED:
		hint_method(client, e);
		break;
	case ERR_EXHAUSTED:
		cli_hint(client->cli, "a limit is reached: try again later, or have it raised");
		break;
	default:
		break;
	}
}

int client_announced_size(struct rpc_sync *sync, uint64_t *size, struct err *e)
{
	const struct rpc_metadata *headers;
	const char *text;

	if (rpc_sync_headers(sync, &headers, e) < 0)
		return err_code(e);
	text = rpc_metadata_text(headers, "file-size", 0);
	*size = CLIENT_SIZE_UNKNOWN;
	if (text && (!number_decimal(text, size) || *size == CLIENT_SIZE_UNKNOWN))
		return err_set(e, ERR_INVALID, "the answer's size is announced as %s",
			       log_quote(text).text);
	return 0;
}

unsigned client_timeout(const struct client *client)
{
	const uint64_t now = uv_hrtime() / 1000000;
	uint64_t left = client->until_ms > now ? client->until_ms - now : 1;

	return client->until_ms && left < client->timeout_ms ? (unsigned)left : client->timeout_ms;
}

int client_call(struct client *client, const struct rpc_method *method,
		const ProtobufCMessage *request, ProtobufCMessage **response, struct err *e)
{
	const struct rpc_stream_options options = { .metadata = &client->shown,
						    .timeout_ms = client_timeout(client) };

	if (rpc_sync_unary(client->channel, method, &options, request, response, e) < 0) {
		client_hint(client, e);
		return err_code(e);
	}
	return 0;
}
