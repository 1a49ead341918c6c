/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_check.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/timestamp.h"
#include "common/db/db_postgres.h"
#include "common/metrics/metrics_server.h"
#include "common/preflight/preflight_database.h"
#include "common/preflight/preflight_place.h"
#include "computations/core/appraisal.h"
#include "computations/hook/hook_post.h"
#include "computations/machines/manager_link.h"
#include "computations/mail/mail_post.h"
#include "computations/oidc/oidc_client.h"
#include "computations/service_authority.h"
#include "computations/service_instance.h"
#include "computations/service_listen_check.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_secret.h"

#include <string.h>
#include <unistd.h>

enum { STATE_FREE_MIN = 64 << 20 }; /* bytes */

static int look_state(void *subject, char *found, struct err *e)
{
	return preflight_folder(((const struct config *)subject)->state_dir,
				&(struct preflight_folder){ .free_bytes = STATE_FREE_MIN }, found,
				e);
}

/* Where the records are, if that is a file. */
static int database_path(const struct config *c, char **path, struct err *e)
{
	return text_format(path, e, c->database ? "%s" : "%s/computations.db",
			   c->database ? c->database : c->state_dir);
}

static int look_database(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	CLEANUP(free) char *path = NULL;

	if (c->database && db_postgres_is_place(c->database))
		return preflight_server(c->database, STORE_SCHEMA, STORE_FORM, found, e);
	if (database_path(c, &path, e) < 0)
		return err_code(e);
	/* The state folder has a line of its own, and is made. */
	if (c->database && preflight_folder_of(path, PREFLIGHT_DATABASE_FREE_MIN, found, e) < 0)
		return err_code(e);
	return preflight_database(path, STORE_FORM, found, e);
}

/* What can't be read is another check's matter. */
static int unread(struct err *e)
{
	e->code = ERR_UNAVAILABLE;
	return err_code(e);
}

static int number_in_file(void *data, const char *sql, int64_t *count, struct err *e)
{
	int64_t has;

	*count = 0;
	if (access(data, F_OK) < 0)
		return 0;
	if (preflight_number(data, "SELECT count(*) FROM sqlite_schema WHERE name = 'secrets'",
			     &has, e) < 0)
		return unread(e);
	return has && preflight_number(data, sql, count, e) < 0 ? unread(e) : 0;
}

static int number_on_server(void *data, const char *sql, int64_t *count, struct err *e)
{
	const struct config *c = data;
	struct db db;
	int64_t form;

	*count = 0;
	if (store_place_look(c->state_dir, c->database, &db, e) < 0)
		return unread(e);
	int failed = db_form(&db, &form, e);
	if (!failed && form >= STORE_FORM_SECRETS)
		failed = db_number(&db, count, e, sql, "");
	db_close(&db);
	return failed ? unread(e) : 0;
}

/* As it is at the start: whether the key opens what is sealed. */
static int look_secrets(void *subject, char *found, struct err *e)
{
	struct config *c = subject;
	const struct store_secrets_place place = config_secrets(c);
	const bool is_server = c->database && db_postgres_is_place(c->database);
	struct store_secrets_count count = { number_on_server, c };
	CLEANUP(free) char *path = NULL;
	char words[STORE_SECRETS_WORDS];
	bool is_new;

	if (database_path(c, &path, e) < 0)
		return err_code(e);
	if (!is_server)
		count = (struct store_secrets_count){ number_in_file, path };
	int failed = store_secrets_look(c->state_dir, &place, &count, &is_new, e);
	if (!failed)
		failed = store_secrets_words(&count, words, e);
	if (err_is(failed, ERR_UNAVAILABLE))
		return preflight_not_asked(found, "the database can't be read now: %s", e->text);
	if (failed)
		return failed;
	if (is_new)
		return preflight_found(found, "'%s/" STORE_SECRETS_FILE "' is made at the start",
				       c->state_dir);
	return preflight_found(
		found, "'%s%s'%s; %s", c->secrets_key ? c->secrets_key : c->state_dir,
		c->secrets_key ? "" : "/" STORE_SECRETS_FILE,
		c->secrets_key && secret_place_is_tpm(c->secrets_key) ? ", which the TPM opens"
								      : "",
		words);
}

/* What standing by would find, of keys and of who serves. */
static int look_instance(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	char words[STORE_STANDBY_WORDS_MAX];
	bool is_ours;

	if (!c->instance)
		return preflight_not_asked(
			found,
			"no COMPUTATIONS_INSTANCE is set: this service has the database alone");
	if (instance_look(c, words, sizeof(words), &is_ours, e) < 0)
		return err_code(e);
	return preflight_found(found, "%s; %s", c->instance, words);
}

static int look_audit(void *subject, char *found, struct err *e)
{
	return preflight_log(((const struct config *)subject)->audit_log, found, e);
}

/* As it is read at the start, with the certificates and keys that it names; no manager is asked. */
static int look_managers(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	CLEANUP(free) struct manager_table *table = calloc(1, sizeof(*table));

	if (!c->managers)
		return preflight_not_asked(found,
					   "no COMPUTATIONS_MANAGERS is set: no CVM is made");
	if (!table)
		return err_nomem(e);
	if (manager_table_read(c->managers, table, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < table->count; i++)
		if (manager_link_check(&table->rows[i], e) < 0)
			return err_code(e);
	return preflight_found(found, "%zu manager%s, limits of %zu workspace%s", table->count,
			       table->count == 1 ? "" : "s", table->limit_count,
			       table->limit_count == 1 ? "" : "s");
}

/* What each of those that send is made with; no receiver is asked. */
static int look_webhooks(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	const atomic_bool stopped = false;
	struct hook_nets nets = { .plain = c->webhook_http };
	CLEANUP(hook_post_free) struct hook_post *post = NULL;

	if (hook_nets_parse(c->webhook_networks, &nets, e) < 0 ||
	    hook_post_new(&nets, c->webhook_ca, &stopped, &post, e) < 0)
		return err_code(e);
	return preflight_found(found, "to public addresses%s%s",
			       c->webhook_networks ? ", and to COMPUTATIONS_WEBHOOK_NETWORKS" : "",
			       c->webhook_http ? ", there by http:// as well" : "");
}

/* What sends is made with it; the server is not asked, which might count it. */
static int look_mail(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	const atomic_bool stopped = false;
	CLEANUP(mail_post_free) struct mail_post *post = NULL;
	CLEANUP(free) struct mail_server *server = calloc(1, sizeof(*server));
	const struct mail_settings settings = config_mail(c);
	bool is_set;
	int failed;

	if (!server)
		return err_nomem(e);
	if (!c->smtp_url)
		return preflight_not_asked(
			found,
			"no COMPUTATIONS_SMTP_URL is set: invitations' links are given on by hand");
	failed = mail_server_read(&settings, server, &is_set, e);
	if (!failed)
		failed = mail_post_new(server, &stopped, &post, e);
	if (!failed)
		failed = preflight_found(found, "by %s, port %u, %s%s, from %s%s", server->host,
					 server->port,
					 server->is_plain   ? "in plaintext on this machine"
					 : server->is_smtps ? "with TLS"
							    : "with STARTTLS",
					 *server->user ? " and a password" : "", server->from,
					 metrics_address_is_open(c->web)
						 ? ""
						 : "; its links lead to this machine alone, as "
						   "COMPUTATIONS_WEB does");
	explicit_bzero(server, sizeof(*server));
	return failed;
}

/* As it is read at the start, with the secrets that it names; no provider is asked. */
static int look_oidc(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	CLEANUP(free) struct provider_table *table = calloc(1, sizeof(*table));
	int failed;

	if (!c->oidc)
		return preflight_not_asked(
			found, "no COMPUTATIONS_OIDC is set: users sign in by name and password");
	if (!table)
		return err_nomem(e);
	failed = provider_table_read(c->oidc, table, e);
	if (!failed)
		failed = preflight_found(found, "%zu provider%s", table->count,
					 table->count == 1 ? "" : "s");
	explicit_bzero(table, sizeof(*table));
	return failed;
}

/* What signing in would be told at once; the service starts without it, and asks when somebody comes. */
static int look_provider(const struct provider_table *table, const struct provider *row,
			 struct err *e)
{
	atomic_bool stopped = false;
	char *redirect = strdup("");
	struct oidc_client *client;

	if (!redirect)
		return err_nomem(e);
	if (oidc_client_new(table, row, redirect, &stopped, &client, e) < 0)
		return err_code(e);
	int failed = oidc_client_look(client, clock_ms(CLOCK_MONOTONIC) + OIDC_DEADLINE_MS, e);
	oidc_client_free(client);
	return failed;
}

static int look_providers(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	CLEANUP(free) struct provider_table *table = calloc(1, sizeof(*table));
	struct err ignored;
	int failed = 0;

	if (!table)
		return err_nomem(e);
	if (!c->oidc || provider_table_read(c->oidc, table, &ignored) < 0)
		return preflight_not_asked(found, "%s",
					   c->oidc ? "COMPUTATIONS_OIDC can't be read"
						   : "no COMPUTATIONS_OIDC is set");
	for (size_t i = 0; i < table->count && !failed; i++)
		failed = look_provider(table, &table->rows[i], e);
	if (!failed)
		failed =
			preflight_found(found, "%zu answered with document and keys", table->count);
	explicit_bzero(table, sizeof(*table));
	return failed;
}

/* As it is read at the start; its key signs something. */
static int look_authority(void *subject, char *found, struct err *e)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	const struct config *c = subject;
	char end[TIMESTAMP_TEXT_MAX], before[TIMESTAMP_TEXT_MAX];

	if (!c->ca_cert)
		return preflight_not_asked(
			found, "no COMPUTATIONS_CA_CERT is set: no certificate is issued");
	if (service_authority_open(c, &a, e) < 0)
		return err_code(e);
	if (!ca_signer_is_well(a->signer, e))
		return err_wrap(e, "COMPUTATIONS_CA_KEY: the service starts, and issues nothing");
	if (a->old && !ca_signer_is_well(a->old->signer, e))
		return err_wrap(e, "COMPUTATIONS_CA_OLD_KEY: the service starts without its list");
	timestamp_format(a->ends / 1000, end);
	if (a->old)
		timestamp_format(a->old->ends / 1000, before);
	return preflight_found(found, "of %s, until %s%s%s%s%s", a->name, end,
			       a->old ? "; the one of before until " : "", a->old ? before : "",
			       a->url ? "; certificates say " : "", a->url ? a->url : "");
}

/* The policy and the files beside it, as they are read at the start. */
static int look_attestation(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	struct appraisal *appraisal;
	uv_loop_t loop;
	int failed;

	if (!c->attestation_policy)
		return preflight_not_asked(
			found, "no COMPUTATIONS_ATTESTATION_POLICY is set: CVMs prove nothing");
	if (uv_loop_init(&loop) < 0)
		return err_nomem(e);
	failed = appraisal_new(&loop, c, &appraisal, e);
	if (!failed)
		appraisal_free(appraisal);
	uv_loop_close(&loop);
	if (failed)
		return failed;
	return preflight_found(found, "'%s'%s", c->attestation_policy,
			       c->attestation_offline ? ", nothing is fetched" : "");
}

/* The folder, and those of vendors that are in it already. */
static int look_cache(void *subject, char *found, struct err *e)
{
	static const char *const below[] = { "/snp", "/tdx", "" };
	const struct preflight_folder wanted = { .free_bytes = PREFLIGHT_CACHE_FREE_MIN };
	const struct config *c = subject;

	if (!c->attestation_policy)
		return preflight_not_asked(found, "nothing is attested");
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		CLEANUP(free) char *path = NULL;

		if (text_format(&path, e, "%s%s%s",
				c->attestation_cache ? c->attestation_cache : c->state_dir,
				c->attestation_cache ? "" : "/endorsements", below[i]) < 0 ||
		    preflight_folder(path, &wanted, found, e) < 0)
			return err_code(e);
	}
	return PREFLIGHT_OK;
}

static const struct preflight_check checks[] = {
	{ "agents' tls", service_listen_check_agents_tls,
	  "give COMPUTATIONS_GRPC_SERVER_CERT and _KEY files that belong together and are valid today, and "
	  "current authorities in COMPUTATIONS_GRPC_CLIENT_CA_CERTS" },
	{ "agents' revocation lists", service_listen_check_agents_lists,
	  "fetch the current list of each authority of COMPUTATIONS_GRPC_CLIENT_CA_CERTS (a service that is it has "
	  "/ca.crl) and rename it to the file of COMPUTATIONS_GRPC_CLIENT_CRL, before the last one ends" },
	{ "agents' port", service_listen_check_agents_port,
	  "end the program that has it (perhaps a service with other settings), or set another "
	  "COMPUTATIONS_GRPC_HOST or COMPUTATIONS_GRPC_PORT" },
	{ "admin tls", service_listen_check_admins_tls,
	  "give COMPUTATIONS_ADMIN_SERVER_CERT and _KEY files that belong together and are valid today, and "
	  "current authorities in COMPUTATIONS_ADMIN_CLIENT_CA_CERTS" },
	{ "admin revocation lists", service_listen_check_admins_lists,
	  "fetch the current list of each authority of COMPUTATIONS_ADMIN_CLIENT_CA_CERTS (a service that is it has "
	  "/ca.crl) and rename it to the file of COMPUTATIONS_ADMIN_CLIENT_CRL, before the last one ends" },
	{ "admin port", service_listen_check_admins_port,
	  "end the program that has it, or set another COMPUTATIONS_ADMIN_HOST or COMPUTATIONS_ADMIN_PORT" },
	{ "socket", service_listen_check_socket,
	  "end the program that has it (perhaps a service with other settings), make its folder writable for this "
	  "user, or set another COMPUTATIONS_ADMIN_SOCKET" },
	{ "state folder", look_state,
	  "make it writable for this user, and make room; or name another folder in COMPUTATIONS_STATE_DIR" },
	{ "database", look_database,
	  "a file: make its folder, writable for this user and with room; or move it away with its -wal and -shm: what it "
	  "knew is lost to the service then. On a server: start it, and give the role of COMPUTATIONS_DATABASE a database "
	  "(docs/operators.md, 'Where its records are'). Of another form: install the version that wrote it" },
	{ "secrets", look_secrets,
	  "bring back the file of COMPUTATIONS_SECRETS_KEY (STATE_DIR/secrets.key), of mode 0600, or name the one of before in "
	  "COMPUTATIONS_SECRETS_OLD_KEY; or see to the TPM: docs/operators.md, 'Sealed secrets'" },
	{ "instance", look_instance,
	  "give it the same STATE_DIR/witness.pem, COMPUTATIONS_CA_CERT and _KEY as the others, and the same version: "
	  "docs/operators.md, 'Two services'" },
	{ "instance address", service_listen_check_instance,
	  "set COMPUTATIONS_INSTANCE_ADDRESS to an address of this machine that the other instances reach, and a port that "
	  "no other program has" },
	{ "audit log", look_audit,
	  "make its folder, writable for this user and with room, or name another file in COMPUTATIONS_AUDIT_LOG" },
	{ "managers", look_managers,
	  "correct the file that COMPUTATIONS_MANAGERS names, or those that it names: docs/operators.md has its "
	  "form" },
	{ "webhooks", look_webhooks,
	  "correct the file that COMPUTATIONS_WEBHOOK_CA names: certificates of authorities, PEM" },
	{ "mail", look_mail,
	  "correct COMPUTATIONS_SMTP_URL, _FROM, _USER, or the files that _PASSWORD_FILE and _CA name: docs/operators.md "
	  "has them" },
	{ "sign-in", look_oidc,
	  "correct the file that COMPUTATIONS_OIDC names, or the secrets that it names: docs/operators.md has its "
	  "form" },
	{ "providers", look_providers,
	  "see that this machine reaches the provider and trusts its certificate (ca=), and that its issuer is "
	  "right: until then nobody signs in with it" },
	{ "authority", look_authority,
	  "correct COMPUTATIONS_CA_CERT and _KEY (_OLD_CERT and _OLD_KEY), or see to the key's device; "
	  "'cocos-computations --make-ca NAME' makes an authority that is not there yet" },
	{ "attestation", look_attestation,
	  "correct COMPUTATIONS_ATTESTATION_POLICY, _ROOT, _AK or _COLLATERAL; 'cocos-cli policy' makes policies" },
	{ "endorsements", look_cache,
	  "make COMPUTATIONS_ATTESTATION_CACHE (STATE_DIR/endorsements) writable for this user, and make room; or name "
	  "another folder" },
};

int service_check_run(const struct config *config, enum preflight_form form, FILE *out)
{
	struct config subject = *config; /* looks take what they may note something in */

	return preflight_run("cocos-computations", checks, ARRAY_LEN(checks), &subject, form, out);
}
