/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_files.c — the files that settings name, and the keys of whoever types; declared in doctor.h. */
#include "cli/base/key_file.h"
#include "cli/base/profile.h"
#include "cli/doctor/doctor.h"
#include "common/base/file.h"
#include "common/preflight/preflight_place.h"
#include "common/preflight/preflight_tls.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A private key that others may use is nobody's alone. */
static int check_private(struct doctor *d, const char *path, struct err *e)
{
	struct stat about;

	if (!path)
		return 0;
	if (stat(path, &about) < 0)
		return err_errno(e, "'%s'", path);
	if (!(about.st_mode & (S_IRWXG | S_IRWXO)))
		return 0;
	snprintf(d->remedy, sizeof(d->remedy), "chmod 600 '%s'", path);
	return err_set(e, ERR_PRECONDITION, "others on this machine may use '%s' (mode %04o)", path,
		       (unsigned)about.st_mode & 07777);
}

static int check_tls(struct doctor *d, const struct client *client, char found[PREFLIGHT_TEXT_MAX],
		     struct err *e)
{
	const struct preflight_tls_client files = {
		.authorities = client_setting(client, NULL, "SERVER_CA_CERTS"),
		.cert = client_setting(client, NULL, "CLIENT_CERT"),
		.key = client_setting(client, NULL, "CLIENT_KEY"),
	};
	int outcome = preflight_tls_client(&files, found, e);

	return outcome < 0 || check_private(d, files.key, e) < 0 ? err_code(e) : outcome;
}

/* Roots that the profile names for proofs, and those of the servers of endorsements. */
static int check_roots(struct doctor_probe *probe, struct err *e)
{
	const char *const roots[] = { cli_value(&probe->cli, "ek_root"),
				      cli_value(&probe->cli, "trusted_root"),
				      profile_setting(&probe->cli, NULL, "COCOS_ENDORSEMENTS_CA") };
	char found[PREFLIGHT_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (roots[i] && preflight_certificates(roots[i], found, e) < 0)
			return err_code(e);
	return 0;
}

/* Of what can't be used as certificates the file is better to know than the option. */
static int name_file(struct doctor *d, enum client_peer peer, struct err *e)
{
	static const char *const suffixes[] = { "SERVER_CA_CERTS", "CLIENT_CERT" };
	char found[PREFLIGHT_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		const char *path = doctor_setting(d, peer, suffixes[i]);
		struct err named;

		if (path && preflight_certificates(path, found, &named) < 0) {
			*e = named;
			break;
		}
	}
	return err_code(e);
}

static int look_files(struct doctor *d, enum client_peer peer, char found[PREFLIGHT_TEXT_MAX],
		      struct err *e)
{
	struct doctor_probe probe CLEANUP_PROBE = { .cli = { .command = NULL } };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const char *policy;
	int outcome;

	if (doctor_probe_open(d, peer, &probe, e) < 0)
		return err_code(e);
	if (!doctor_is_configured(d, peer))
		return preflight_not_asked(found, "no setting is about it");
	if (doctor_client_open(&probe, peer, &client, e) < 0)
		return name_file(d, peer, e);
	outcome = check_tls(d, &client, found, e);
	if (outcome < 0 || (peer == CLIENT_AGENT && check_roots(&probe, e) < 0))
		return err_code(e);
	policy = client_setting(&client, NULL, "ATTESTATION_POLICY");
	if (peer == CLIENT_AGENT && client.appraise && policy)
		return preflight_found(found, "'%s' says what it has to prove", policy);
	if (client.tls && outcome == PREFLIGHT_NOT_ASKED)
		return preflight_found(found, "TLS, by the system's authorities");
	return client.tls ? outcome
			  : preflight_found(found, "none: no TLS, and no proof is asked for");
}

int doctor_agent_files(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look_files(subject, CLIENT_AGENT, found, e);
}

int doctor_manager_files(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look_files(subject, CLIENT_MANAGER, found, e);
}

int doctor_service_files(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look_files(subject, CLIENT_COMPUTATIONS, found, e);
}

/* ---- public.pem and private.pem here ---- */

/* Nobody is asked for a passphrase here. */
static int is_encrypted(const char *path, bool *is, struct err *e)
{
	char *pem = NULL;

	if (file_read_text(path, PEM_MAX, &pem, e) < 0)
		return err_code(e);
	*is = strstr(pem, "ENCRYPTED") != NULL;
	explicit_bzero(pem, strlen(pem));
	free(pem);
	return 0;
}

int doctor_own_keys(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	static const char public[] = "public.pem", private[] = "private.pem";
	CLEANUP(free) uint8_t *spki = NULL, *other = NULL;
	struct doctor *d = subject;
	size_t len, other_len;
	bool encrypted = false;

	d->remedy[0] = '\0';
	if (access(private, F_OK) < 0)
		return preflight_not_asked(found, "no private.pem in this folder");
	if (check_private(d, private, e) < 0 || is_encrypted(private, &encrypted, e) < 0)
		return err_code(e);
	if (access(public, F_OK) < 0)
		return preflight_found(found, "'private.pem', for you alone");
	if (key_file_spki(NULL, public, &spki, &len, e) < 0)
		return err_wrap(e, "'%s'", public);
	if (encrypted)
		return preflight_found(found, "'private.pem', for you alone, with a passphrase");
	if (key_file_spki(NULL, private, &other, &other_len, e) < 0)
		return err_wrap(e, "'%s'", private);
	if (len != other_len || memcmp(spki, other, len) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "'public.pem' and 'private.pem' of this folder are no pair");
	return preflight_found(found, "'public.pem' and 'private.pem' are a pair, for you alone");
}
