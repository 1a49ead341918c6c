/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h — the settings of cocos-computations.
 */
#pragma once

#include "common/base/settings.h"
#include "computations/mail/mail_server.h"
#include "computations/store/secret_file.h"

struct config {
	char *host, *server_cert, *server_key, *client_ca_certs, *client_crl;
	char *admin_socket, *admin_host, *admin_server_cert, *admin_server_key;
	char *admin_client_ca_certs, *admin_client_crl;
	char *state_dir, *database, *log_level, *audit_log, *metrics, *web, *web_origin, *oidc;
	char *managers;
	char *secrets_key; /* that seals what is to be hidden; NULL: STATE_DIR's */
	char *secrets_old_key;
	struct secret_key *secrets_held, *secrets_old_held; /* service_secrets.h's; NULL: none */
	char *instance;         /* one of several; NULL: it has the database alone */
	char *instance_address; /* where others pass callers on to it; NULL: nowhere */
	uint64_t lease_ms;      /* by which it has it, if it is one of several */
	char *ca_cert, *ca_key, *ca_old_cert, *ca_old_key, *ca_url;
	char *smtp_url, *smtp_from, *smtp_user, *smtp_password_file, *smtp_ca;
	bool ca_evidence; /* agents show some beside a token */
	char *webhook_networks, *webhook_refused, *webhook_ca;
	char *attestation_policy, *attestation_root, *attestation_collateral, *attestation_ak;
	char *attestation_cache, *attestation_kds, *attestation_pcs, *attestation_endorsements_ca;
	bool attestation_offline, admin_sign_in, webhook_http;
	uint16_t port, admin_port;
	bool has_admin_port;
	uint64_t max_cvms, max_computations, max_records, max_record_bytes, max_audit_rows;
	uint64_t keep_usage; /* months */
	uint64_t max_calls;  /* a second */
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

#define CONFIG_FILE "/etc/cocos/computations.conf"

/* `path` NULL: CONFIG_FILE if it is there. Refused: settings that contradict each other, an admin
 * listener off this machine without client certificates. */
int config_load(const char *path, struct config *config, struct err *e) MUST_CHECK;
void config_done(struct config *config);

/* Lent, too. */
static inline struct store_secrets_place config_secrets(const struct config *config)
{
	return (struct store_secrets_place){ config->secrets_key, config->secrets_old_key,
					     config->secrets_held, config->secrets_old_held };
}

/* Its settings of mail; lent. */
struct mail_settings config_mail(const struct config *config);
