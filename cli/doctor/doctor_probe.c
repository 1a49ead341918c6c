/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_probe.c — one peer's call, which reads its settings as commands do; declared in doctor.h. */
#include "cli/base/profile.h"
#include "cli/client/attested.h"
#include "cli/doctor/doctor.h"

#include <string.h>

/* clang-format off */
static const struct cli_option agent_options[] = { CLIENT_AGENT_OPTIONS, { .name = NULL } };
static const struct cli_option options[] = { CLIENT_OPTIONS, { .name = NULL } };
/* clang-format on */

/* Named after a command that has these options, for what hints say. */
static const struct probe {
	const char *prefix;
	struct command command;
} probes[DOCTOR_PEERS] = {
	[CLIENT_AGENT] = { "AGENT_GRPC_", { .name = "status", .options = agent_options } },
	[CLIENT_MANAGER] = { "MANAGER_GRPC_", { .name = "vm list", .options = options } },
	[CLIENT_COMPUTATIONS] = { "COMPUTATIONS_GRPC_",
				  { .name = "computation list", .options = options } },
};

const char *doctor_remedy(const void *subject)
{
	const struct doctor *d = subject;

	return d->remedy[0] ? d->remedy : NULL;
}

int doctor_probe_open(struct doctor *d, enum client_peer peer, struct doctor_probe *probe,
		      struct err *e)
{
	const char *timeout = cli_value(d->cli, "grpc-timeout");

	cli_init(&probe->cli, &probes[peer].command);
	d->remedy[0] = '\0';
	if (timeout && cli_give(&probe->cli, "grpc-timeout", timeout, e) < 0)
		return err_code(e);
	return profile_lend(d->cli, &probe->cli, e);
}

void doctor_probe_done(struct doctor_probe *probe)
{
	profile_give_back(&probe->cli);
	cli_done(&probe->cli);
}

int doctor_client_open(struct doctor_probe *probe, enum client_peer peer, struct client *client,
		       struct err *e)
{
	if (peer == CLIENT_AGENT)
		return attested_open(client, &probe->cli, e);
	return client_open(client, peer, NULL, &probe->cli, e);
}

const char *doctor_setting(struct doctor *d, enum client_peer peer, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", probes[peer].prefix, suffix);
	return profile_setting(d->cli, NULL, name);
}

bool doctor_is_configured(struct doctor *d, enum client_peer peer)
{
	const char *prefix = probes[peer].prefix;

	for (const struct profile_row *row = profile_rows; row->key; row++)
		if (strncmp(row->key, prefix, strlen(prefix)) == 0 &&
		    profile_setting(d->cli, NULL, row->key))
			return true;
	return false;
}
