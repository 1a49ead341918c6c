/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/config.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/db/db_postgres.h"
#include "common/metrics/metrics_server.h"
#include "computations/ca/ca_signer.h"
#include "computations/core/call_rate.h"
#include "computations/core/config_instance.h"
#include "computations/hook/hook_net.h"
#include "computations/store/store_lease.h"
#include "computations/store/usage_fold.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONFIG_NAME_MAX = 128,   /* bytes of the page's name */
	CONFIG_CA_URL_MAX = 128, /* and of CA_URL */
};

#define TEXT(name, member, fallback, help) \
	SETTING("COMPUTATIONS_" name, SETTING_TEXT, config, member, fallback, help)
#define COUNT(name_, type_, member_, fallback_, min_, max_, help_) \
	{ .name = "COMPUTATIONS_" name_,                           \
	  .type = type_,                                           \
	  .offset = offsetof(struct config, member_),              \
	  .fallback = fallback_,                                   \
	  .min = min_,                                             \
	  .max = max_,                                             \
	  .help = help_ }

const struct setting config_settings[] = {
	TEXT("GRPC_HOST", host, "127.0.0.1", "address that agents connect to"),
	SETTING("COMPUTATIONS_GRPC_PORT", SETTING_PORT, config, port, "7001",
		"port that agents connect to; 0 takes a free one and logs it"),
	TEXT("GRPC_SERVER_CERT", server_cert, NULL,
	     "certificate for agents; with it they speak TLS"),
	TEXT("GRPC_SERVER_KEY", server_key, NULL, "its private key"),
	TEXT("GRPC_CLIENT_CA_CERTS", client_ca_certs, NULL,
	     "authorities of agents' certificates (mTLS); needed unless GRPC_HOST is loopback"),
	TEXT("GRPC_CLIENT_CRL", client_crl, NULL,
	     "file of their revocation lists, PEM or DER, read again when it is replaced; absent: this service's own authority's alone"),
	TEXT("ADMIN_SOCKET", admin_socket, "/run/cocos-computations/admin.sock",
	     "unix socket for administrators: root, this user and the members of group cocos"),
	TEXT("ADMIN_HOST", admin_host, "127.0.0.1", "address for administrators, with ADMIN_PORT"),
	{ .name = "COMPUTATIONS_ADMIN_PORT",
	  .type = SETTING_PORT,
	  .offset = offsetof(struct config, admin_port),
	  .given = offsetof(struct config, has_admin_port),
	  .help = "port for administrators besides the socket; absent: none" },
	TEXT("ADMIN_SERVER_CERT", admin_server_cert, NULL, "certificate for administrators"),
	TEXT("ADMIN_SERVER_KEY", admin_server_key, NULL, "its private key"),
	TEXT("ADMIN_CLIENT_CA_CERTS", admin_client_ca_certs, NULL,
	     "authorities of administrators' certificates; needed unless ADMIN_HOST is loopback"),
	TEXT("ADMIN_CLIENT_CRL", admin_client_crl, NULL,
	     "file of their revocation lists, as GRPC_CLIENT_CRL; for ADMIN_PORT, WEB and METRICS"),
	SETTING("COMPUTATIONS_ADMIN_SIGN_IN", SETTING_FLAG, config, admin_sign_in, "false",
		"each call on ADMIN_PORT shows a user's token, and on WEB that or a session; then these need no client certificates"),
	TEXT("ATTESTATION_POLICY", attestation_policy, NULL,
	     "what CVMs have to prove before a computation is run on them; absent: nothing is asked"),
	TEXT("ATTESTATION_ROOT", attestation_root, NULL,
	     "a root to trust in place of the vendor's"),
	TEXT("ATTESTATION_COLLATERAL", attestation_collateral, NULL, "folder of Intel's documents"),
	TEXT("ATTESTATION_AK", attestation_ak, NULL,
	     "the TPM's attestation key, where it is named"),
	TEXT("ATTESTATION_CACHE", attestation_cache, NULL,
	     "folder where fetched endorsements are kept (STATE_DIR/endorsements)"),
	TEXT("ATTESTATION_KDS", attestation_kds, NULL,
	     "AMD's service of endorsements or a mirror (https://kdsintf.amd.com)"),
	TEXT("ATTESTATION_PCS", attestation_pcs, NULL,
	     "Intel's, a mirror or a PCCS (https://api.trustedservices.intel.com)"),
	TEXT("ATTESTATION_ENDORSEMENTS_CA", attestation_endorsements_ca, NULL,
	     "authorities of those servers' certificates; absent: the system's"),
	SETTING("COMPUTATIONS_ATTESTATION_OFFLINE", SETTING_FLAG, config, attestation_offline,
		"false", "fetch no endorsements: what is given, and the cache"),
	TEXT("STATE_DIR", state_dir, "/var/lib/cocos/computations", "folder of what is kept"),
	TEXT("DATABASE", database, NULL,
	     "where records are: a file (STATE_DIR/computations.db), or postgresql://..."),
	TEXT("SECRETS_KEY", secrets_key, NULL,
	     "file of the key that seals secrets in DATABASE (private keys of agents, second factors, webhooks, mails that wait), 64 hexadecimal digits for the service's user alone; or tpm:/FILE, which a TPM opens; default: STATE_DIR/secrets.key, made at the first start"),
	TEXT("SECRETS_OLD_KEY", secrets_old_key, NULL,
	     "the key of before, as in SECRETS_KEY: what it sealed is sealed by SECRETS_KEY at the start; or 'lost': what no other key opens is given up; default: none"),
	TEXT("INSTANCE", instance, NULL,
	     "what this one of several services with one DATABASE on a server is called: one serves, and the others stand by; "
	     "a-z 0-9 - . (63 at most); default: none, and this one has DATABASE alone"),
	TEXT("INSTANCE_ADDRESS", instance_address, NULL,
	     "where other instances pass callers on to this one while it serves, such as 192.0.2.1:7009, and that it passes on to "
	     "the one that does while it stands by; for them alone; default: none, and it refuses callers while it stands by"),
	COUNT("LEASE", SETTING_DURATION, lease_ms, "30s", STORE_LEASE_MIN_MS, STORE_LEASE_MAX_MS,
	      "how long an INSTANCE serves without renewing that in DATABASE: when another one takes its place; the same for all"),
	TEXT("LOG_LEVEL", log_level, "info", "error, warn, info or debug"),
	TEXT("AUDIT_LOG", audit_log, NULL,
	     "file for who changed what, or was refused; default: the normal log, with 'audit:' before it"),
	TEXT("METRICS", metrics, NULL,
	     "address to tell metrics on, such as 127.0.0.1:9465 or unix:/run/cocos-computations/metrics.sock; one "
	     "that others than this machine reach takes the certificates of COMPUTATIONS_ADMIN_; default: none"),
	TEXT("WEB", web, NULL,
	     "address of a page that shows computations, and of its API, such as 127.0.0.1:9466, where users "
	     "sign in; one that others than this machine reach takes the certificates of COMPUTATIONS_ADMIN_; default: none"),
	TEXT("OIDC", oidc, NULL,
	     "table of the providers of identities that users may sign in with on WEB, by OpenID Connect; default: none"),
	TEXT("WEB_ORIGIN", web_origin, NULL,
	     "the page's address as browsers have it, such as https://cocos.example.org:9466: passkeys are for it; "
	     "default: http://localhost with the port of a loopback address, else none, and no passkeys"),
	TEXT("CA_CERT", ca_cert, NULL,
	     "certificate of the authority that issues certificates to agents, managers, services and people; default: none"),
	TEXT("CA_KEY", ca_key, NULL,
	     "its private key: a file that nobody but the service's user may read, or pkcs11:… (RFC 7512, with module-path= "
	     "and pin-source=), or tpm:0x81… or tpm:/FILE"),
	TEXT("CA_OLD_CERT", ca_old_cert, NULL,
	     "certificate of the authority of before, whose certificates are valid to their end; default: none"),
	TEXT("CA_OLD_KEY", ca_old_key, NULL,
	     "its private key, as in CA_KEY: it signs lists and status answers"),
	TEXT("CA_URL", ca_url, NULL,
	     "where others reach the page's /ocsp and /ca/, such as http://ca.example.org: certificates say it; default: "
	     "none, and they don't"),
	SETTING("COMPUTATIONS_CA_EVIDENCE", SETTING_FLAG, config, ca_evidence, "false",
		"agents get a certificate for a token only with evidence that ATTESTATION_POLICY accepts, of their key"),
	TEXT("MANAGERS", managers, NULL,
	     "table of the managers that make CVMs for workspaces, and of how many each may have; default: none"),
	TEXT("WEBHOOK_NETWORKS", webhook_networks, NULL,
	     "networks that webhooks may go to besides public addresses, such as '10.20.0.0/16 fd00::/8'; default: none"),
	TEXT("WEBHOOK_REFUSED", webhook_refused, NULL,
	     "public networks that webhooks may not go to, such as '2001:db8:7::/48 198.51.100.0/24'; default: none"),
	SETTING("COMPUTATIONS_WEBHOOK_HTTP", SETTING_FLAG, config, webhook_http, "false",
		"webhooks may go to WEBHOOK_NETWORKS by http:// as well"),
	TEXT("WEBHOOK_CA", webhook_ca, NULL,
	     "authorities of the certificates of webhooks' receivers; absent: the system's"),
	TEXT("SMTP_URL", smtp_url, NULL,
	     "server that invitations are mailed by: smtp://HOST[:587], with STARTTLS unless it is loopback without SMTP_CA, or "
	     "smtps://HOST[:465]; default: none, and links are given on by hand"),
	TEXT("SMTP_FROM", smtp_from, NULL,
	     "address that they are from, such as cocos@example.org; needed with SMTP_URL"),
	TEXT("SMTP_USER", smtp_user, NULL,
	     "whom that server knows this service as; default: it asks nobody"),
	TEXT("SMTP_PASSWORD_FILE", smtp_password_file, NULL,
	     "file with that user's password, one line; of mode 0640 at most"),
	TEXT("SMTP_CA", smtp_ca, NULL,
	     "authorities of that server's certificate; absent: the system's"),
	COUNT("MAX_CVMS", SETTING_NUMBER, max_cvms, "1000", 1, 100000,
	      "CVMs that are known at a time"),
	COUNT("MAX_COMPUTATIONS", SETTING_NUMBER, max_computations, "10000", 1, 10000000,
	      "computations that are kept"),
	COUNT("MAX_RECORDS", SETTING_NUMBER, max_records, "50000", 16, 100000000,
	      "log lines and events that are kept of a computation; the oldest go first"),
	COUNT("MAX_RECORD_BYTES", SETTING_SIZE, max_record_bytes, "32M", 65536, 1ULL << 40,
	      "and their bytes; as many of all its journals, of which each attempt has half of what those before left; and of what a CVM says outside of computations, of which all CVMs with one client key keep 16 times as much together"),
	COUNT("MAX_AUDIT_ROWS", SETTING_NUMBER, max_audit_rows, "1000000", 64, 100000000,
	      "rows of the audit log; nothing is changed beyond that, until 'cocos-cli audit trim' cuts off what was saved"),
	COUNT("MAX_CALLS", SETTING_NUMBER, max_calls, "500", 1, CALL_RATE_MOST,
	      "calls a second of one user, by gRPC and HTTP; a minute of quiet leaves 60 times as many at once"),
	COUNT("KEEP_USAGE", SETTING_NUMBER, keep_usage, "24", USAGE_KEEP_LEAST, USAGE_KEEP_MOST,
	      "months, this one among them, of which each time that a CVM ran is kept; of older ones sums are, and statements say the same"),
};
const size_t config_settings_count = ARRAY_LEN(config_settings);

/* The command line tool's. */
static const char *const others[] = { "COMPUTATIONS_GRPC_URL",
				      "COMPUTATIONS_GRPC_TIMEOUT",
				      "COMPUTATIONS_GRPC_CLIENT_CERT",
				      "COMPUTATIONS_GRPC_CLIENT_KEY",
				      "COMPUTATIONS_GRPC_TLS_GROUPS",
				      "COMPUTATIONS_GRPC_SERVER_CA_CERTS",
				      "COMPUTATIONS_GRPC_SERVER_CRL",
				      "COMPUTATIONS_GRPC_TOKEN_FILE",
				      NULL };

static int check_tls(const char *what, const char *cert, const char *key, const char *ca,
		     const char *crl, struct err *e)
{
	if (crl && !ca)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_%s_CLIENT_CRL needs "
			       "COMPUTATIONS_%s_CLIENT_CA_CERTS, whose lists it has",
			       what, what);
	if (!cert != !key)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_%s_SERVER_%s is set and _%s is not: "
			       "give both or neither",
			       what, cert ? "CERT" : "KEY", cert ? "KEY" : "CERT");
	if (ca && !cert)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_%s_CLIENT_CA_CERTS needs "
			       "COMPUTATIONS_%s_SERVER_CERT and _KEY",
			       what, what);
	return 0;
}

/* Whether the page may be on that address: off this machine there has to be mutual TLS. */
static int web_check(const char *address, bool mutual, struct err *e)
{
	const char *port = strrchr(address, ':');

	if (!metrics_address_is_open(address) && (strncmp(address, "unix:", 5) == 0 || !port))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_WEB: %s is no address that a browser can have: use "
			       "host:port, such as 127.0.0.1:9466",
			       log_quote(address).text);
	if (metrics_address_check("COMPUTATIONS_WEB", address, "COMPUTATIONS_ADMIN", true, e) < 0)
		return err_code(e);
	if (metrics_address_is_open(address) && !mutual)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_WEB: others than this machine can reach %s: set "
			       "COMPUTATIONS_ADMIN_SERVER_CERT, _SERVER_KEY and either "
			       "COMPUTATIONS_ADMIN_SIGN_IN=true or "
			       "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS, or use a loopback address",
			       log_quote(address).text);
	return 0;
}

/* Without anything that OpenSSL's words for extensions, or a log's line, would read as more than an address. */
static bool is_url(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };
	const size_t len = strlen(url);

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		const size_t scheme = strlen(schemes[i]);

		if (strncmp(url, schemes[i], scheme) == 0 && len > scheme &&
		    len <= CONFIG_CA_URL_MAX)
			return url[scheme] != '/' && url[len - 1] != '/' &&
			       strspn(url + scheme,
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_/") == len - scheme;
	}
	return false;
}

static int check_authority(const struct config *c, struct err *e)
{
	if (c->ca_url && !(c->ca_cert && c->web))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_CA_URL does nothing without COMPUTATIONS_CA_CERT and "
			       "COMPUTATIONS_WEB");
	if (c->ca_evidence && !(c->ca_cert && c->attestation_policy))
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_CA_EVIDENCE does nothing without COMPUTATIONS_CA_CERT and "
			"COMPUTATIONS_ATTESTATION_POLICY");
	if (c->ca_url && !is_url(c->ca_url))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_CA_URL: %s is not http:// or https://, then a host, "
			       "perhaps a port and a path, of at most %d of a-z A-Z 0-9 . : - _ / "
			       "without one at the end",
			       log_quote(c->ca_url).text, CONFIG_CA_URL_MAX);
	if (!c->ca_cert != !c->ca_key)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_CA_%s is set and _%s is not: give both or neither",
			       c->ca_cert ? "CERT" : "KEY", c->ca_cert ? "KEY" : "CERT");
	if (!c->ca_old_cert != !c->ca_old_key || (c->ca_old_cert && !c->ca_cert))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_CA_OLD_CERT and _OLD_KEY go together, and with "
			       "COMPUTATIONS_CA_CERT");
	if (c->ca_key && ca_signer_check(c->ca_key, e) < 0)
		return err_wrap(e, "COMPUTATIONS_CA_KEY");
	if (c->ca_old_key && ca_signer_check(c->ca_old_key, e) < 0)
		return err_wrap(e, "COMPUTATIONS_CA_OLD_KEY");
	return 0;
}

static int check_secrets(const struct config *c, struct err *e)
{
	const bool is_lost =
		c->secrets_old_key && strcmp(c->secrets_old_key, STORE_SECRETS_LOST) == 0;

	if (c->secrets_key && secret_place_check(c->secrets_key, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SECRETS_KEY");
	if (c->secrets_old_key && !is_lost && secret_place_check(c->secrets_old_key, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SECRETS_OLD_KEY");
	return 0;
}

static int check_paths(const struct config *c, struct err *e)
{
	const struct {
		const char *name, *path;
	} all[] = {
		/* From another folder the next start would begin with another, empty one. */
		{ "STATE_DIR", c->state_dir },
		{ "ADMIN_SOCKET", c->admin_socket },
		{ "AUDIT_LOG", c->audit_log },
		{ "MANAGERS", c->managers },
		{ "OIDC", c->oidc },
		{ "CA_CERT", c->ca_cert },
		{ "CA_OLD_CERT", c->ca_old_cert },
		{ "WEBHOOK_CA", c->webhook_ca },
		{ "SMTP_CA", c->smtp_ca },
		{ "SMTP_PASSWORD_FILE", c->smtp_password_file },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].path && all[i].path[0] != '/')
			return err_set(e, ERR_INVALID,
				       "COMPUTATIONS_%s: %s is not an absolute path", all[i].name,
				       log_quote(all[i].path).text);
	return 0;
}

/* Labels with dots between; the last one begins with a letter, or it is an address in numbers, which has no passkeys. Its
 * length; 0: it is none. */
static size_t name_len(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-."), at = 0, label = 0;

	while (at < len) {
		size_t part = strcspn(text + at, ".:");

		if (!part || text[at] == '-' || text[at + part - 1] == '-')
			return 0;
		label = at;
		at += part + 1;
	}
	return len && len <= CONFIG_NAME_MAX && text[len - 1] != '.' && text[label] >= 'a' ? len
											   : 0;
}

/* What a browser calls an origin: a name that a certificate can have, in lower case, and a port if it is not 443. */
static int origin_check(const char *origin, struct err *e)
{
	static const char scheme[] = "https://";
	const char *name = origin + sizeof(scheme) - 1;
	size_t len = strncmp(origin, scheme, sizeof(scheme) - 1) == 0 ? name_len(name) : 0;
	const char *port = name + len + 1;

	if (len &&
	    (!name[len] || (name[len] == ':' && *port && *port != '0' && strlen(port) <= 5 &&
			    port[strspn(port, "0123456789")] == 0 &&
			    strtoul(port, NULL, 10) <= UINT16_MAX && strcmp(port, "443") != 0)))
		return 0;
	return err_set(
		e, ERR_INVALID,
		"COMPUTATIONS_WEB_ORIGIN: %s is not https://, a name in lower case, and a port "
		"other than 443 if there is one, such as https://cocos.example.org:9466",
		log_quote(origin).text);
}

static int check_page(const struct config *c, struct err *e)
{
	if (c->oidc && !c->web)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_OIDC does nothing without COMPUTATIONS_WEB");
	if (c->web_origin && origin_check(c->web_origin, e) < 0)
		return err_code(e);
	if (c->web_origin && !(c->web && metrics_address_is_open(c->web)))
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_WEB_ORIGIN does nothing without a COMPUTATIONS_WEB that "
			"others than this machine reach: on loopback the page's address is "
			"http://localhost with its port");
	if (!c->web)
		return 0;
	return web_check(c->web,
			 c->admin_client_ca_certs || (c->admin_sign_in && c->admin_server_cert), e);
}

static int check_webhooks(const struct config *c, struct err *e)
{
	struct hook_nets nets = { .count = 0 };

	if (hook_nets_parse(c->webhook_networks, &nets, e) < 0)
		return err_wrap(e, "COMPUTATIONS_WEBHOOK_NETWORKS");
	if (hook_nets_refuse(c->webhook_refused, &nets, e) < 0)
		return err_wrap(e, "COMPUTATIONS_WEBHOOK_REFUSED");
	if (c->webhook_http && !nets.count)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_WEBHOOK_HTTP does nothing without "
			       "COMPUTATIONS_WEBHOOK_NETWORKS: http:// is for these alone");
	return 0;
}

static int check_mail(const struct config *c, struct err *e)
{
	const struct mail_settings settings = config_mail(c);

	if (mail_server_check(&settings, e) < 0)
		return err_code(e);
	/* The link is for somebody on another machine, and says where the page is. */
	if (c->smtp_url && (!c->web || (metrics_address_is_open(c->web) && !c->web_origin)))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_SMTP_URL needs COMPUTATIONS_WEB%s, where invitations' "
			       "links lead",
			       c->web ? "_ORIGIN" : "");
	return 0;
}

static int check(struct config *c, struct err *e)
{
	if (check_tls("GRPC", c->server_cert, c->server_key, c->client_ca_certs, c->client_crl, e) <
		    0 ||
	    check_tls("ADMIN", c->admin_server_cert, c->admin_server_key, c->admin_client_ca_certs,
		      c->admin_client_crl, e) < 0 ||
	    hostname_listener_check("COMPUTATIONS_GRPC", c->host, c->client_ca_certs != NULL, e) <
		    0)
		return err_code(e);
	if (log_set_level(c->log_level, e) < 0)
		return err_wrap(e, "COMPUTATIONS_LOG_LEVEL");
	if (c->database && !db_postgres_is_place(c->database) && c->database[0] != '/')
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_DATABASE is neither an absolute path nor a place of "
			"PostgreSQL (postgresql://...)"); /* not quoted: a password may be in it */
	if (c->database && db_postgres_is_place(c->database) &&
	    db_postgres_check(c->database, e) < 0)
		return err_wrap(e, "COMPUTATIONS_DATABASE");
	if (config_check_instance(c, e) < 0 || check_paths(c, e) < 0 || check_secrets(c, e) < 0 ||
	    check_authority(c, e) < 0 || check_webhooks(c, e) < 0)
		return err_code(e);
	if (!c->attestation_policy &&
	    (c->attestation_root || c->attestation_collateral || c->attestation_ak ||
	     c->attestation_kds || c->attestation_pcs || c->attestation_endorsements_ca))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_ATTESTATION_ROOT, _COLLATERAL, _AK, _KDS, _PCS and "
			       "_ENDORSEMENTS_CA do nothing without "
			       "COMPUTATIONS_ATTESTATION_POLICY");
	if (c->metrics &&
	    metrics_address_check("COMPUTATIONS_METRICS", c->metrics, "COMPUTATIONS_ADMIN",
				  c->admin_client_ca_certs || c->admin_sign_in, e) < 0)
		return err_code(e);
	/* Users have certificates too, then, and metrics are not for them. */
	if (c->metrics && c->admin_sign_in && metrics_address_is_open(c->metrics))
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_METRICS: others than this machine can reach %s, and "
			"with COMPUTATIONS_ADMIN_SIGN_IN metrics are for this machine alone: "
			"use a loopback address or unix:/path",
			log_quote(c->metrics).text);
	if (check_page(c, e) < 0 || check_mail(c, e) < 0)
		return err_code(e);
	if (!c->has_admin_port)
		return 0;
	/* A token is worth nothing once somebody has read it on its way. */
	if (c->admin_sign_in && c->admin_server_cert)
		return 0;
	return hostname_listener_check("COMPUTATIONS_ADMIN", c->admin_host,
				       c->admin_client_ca_certs != NULL, e);
}

static int load_file(const char *path, struct keyfile *file, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path ? path : CONFIG_FILE, KEYFILE_MAX, &bytes, &len, e) < 0)
		return !path && e->code == ERR_NOT_FOUND ? 0 : err_code(e);
	if (keyfile_parse(bytes, len, file, e) < 0)
		return err_wrap(e, "'%s'", path ? path : CONFIG_FILE);
	file->path = path ? path : CONFIG_FILE;
	return 0;
}

int config_load(const char *path, struct config *config, struct err *e)
{
	static const struct settings_environment environment = { "COMPUTATIONS_", others };
	struct keyfile file = { .count = 0 };
	struct config got = { .port = 0 };
	int failed = load_file(path, &file, e);

	if (!failed)
		failed = settings_load(config_settings, config_settings_count, &file, &environment,
				       &got, e);
	if (!failed)
		failed = check(&got, e);
	if (!failed)
		config_warn_idle(&got, &file, &environment);
	keyfile_done(&file);
	if (failed) {
		config_done(&got);
		return failed;
	}
	*config = got;
	return 0;
}

void config_done(struct config *config)
{
	settings_done(config_settings, config_settings_count, config);
}

struct mail_settings config_mail(const struct config *c)
{
	return (struct mail_settings){ c->smtp_url, c->smtp_from, c->smtp_user,
				       c->smtp_password_file, c->smtp_ca };
}
