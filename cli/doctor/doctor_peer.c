/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_peer.c — whether who is to be called answers, and as what; declared in doctor.h. */
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/client/attested.h"
#include "cli/client/first_contact.h"
#include "cli/doctor/doctor.h"

#include <string.h>
#include <sys/stat.h>

static const char *const names[DOCTOR_PEERS] = {
	[CLIENT_AGENT] = "the agent",
	[CLIENT_MANAGER] = "the manager",
	[CLIENT_COMPUTATIONS] = "the computation service",
};

/* Local daemons have a socket of their own, and are asked where that is there. */
static const char *const sockets[DOCTOR_PEERS] = {
	[CLIENT_MANAGER] = "/run/cocos/manager.sock",
	[CLIENT_COMPUTATIONS] = "/run/cocos-computations/admin.sock",
};

static bool is_asked(struct doctor *d, enum client_peer peer, char found[PREFLIGHT_TEXT_MAX])
{
	struct stat about;

	if (d->offline)
		preflight_not_asked(found, "offline");
	else if (!doctor_setting(d, peer, "URL") &&
		 !(sockets[peer] && stat(sockets[peer], &about) == 0))
		preflight_not_asked(found, "no setting says where it is");
	else
		return true;
	return false;
}

/* What agents tell everybody. One that does not have the method has no version. */
static void ask_version(struct doctor *d, struct client *client)
{
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;
	struct err ignored;

	if (agent_client_status(client, &status, &ignored) == 0)
		snprintf(d->version, sizeof(d->version), "%.*s", DOCTOR_VERSION_MAX - 1,
			 status->version);
}

static int ask(struct doctor *d, struct client *client, char found[PREFLIGHT_TEXT_MAX],
	       struct err *e)
{
	bool is_meant = true;
	const char *name = NULL;

	client->told = true; /* the verdict is in the line */
	if (attested_ready(client, e) < 0) {
		client_hint(client, e);
		return err_code(e);
	}
	if (first_contact_ask(client, &name, &is_meant, e) < 0)
		return err_code(e);
	if (name && !is_meant)
		return err_set(e, ERR_PRECONDITION, "what answers is %s", name);
	if (client->peer == CLIENT_AGENT)
		ask_version(d, client);
	return preflight_found(found, "%s answers%s%s%s", name ? name : "something",
			       client->appraise ? ", and its evidence is "
			       : client->tls    ? ", over TLS"
						: "",
			       client->appraise ? appraise_word(client->appraise) : "",
			       name ? "" : ", and does not say what it is");
}

static int look(struct doctor *d, enum client_peer peer, char found[PREFLIGHT_TEXT_MAX],
		struct err *e)
{
	struct doctor_probe probe CLEANUP_PROBE = { .cli = { .command = NULL } };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	int outcome = -1;

	if (!is_asked(d, peer, found))
		return PREFLIGHT_NOT_ASKED;
	if (doctor_probe_open(d, peer, &probe, e) == 0 &&
	    doctor_client_open(&probe, peer, &client, e) == 0)
		outcome = ask(d, &client, found, e);
	snprintf(d->remedy, sizeof(d->remedy), "%s", probe.cli.hint);
	return outcome < 0 ? err_code(e) : outcome;
}

int doctor_agent(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look(subject, CLIENT_AGENT, found, e);
}

int doctor_manager(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look(subject, CLIENT_MANAGER, found, e);
}

int doctor_service(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return look(subject, CLIENT_COMPUTATIONS, found, e);
}

int doctor_versions(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct doctor *d = subject;

	(void)e;
	d->remedy[0] = '\0';
	return preflight_found(found, "cocos-cli %s; %s %s", COCOS_VERSION, names[CLIENT_AGENT],
			       d->version[0] ? text_plain(d->version).text : "has told none");
}
