/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h — the looks of 'cocos-cli doctor', each of preflight.h's form, with a struct doctor as subject.
 *
 * They read what commands would read, with the same functions, and ask servers what they are. Nothing secret is
 * sent, kept or printed.
 */
#pragma once

#include "cli/base/command.h"
#include "cli/client/client.h"
#include "common/preflight/preflight.h"

#include <stdint.h>

enum { DOCTOR_PEERS = CLIENT_COMPUTATIONS + 1, DOCTOR_PATH_MAX = 200, DOCTOR_VERSION_MAX = 64 };

struct doctor {
	struct cli *cli;
	bool offline;   /* ask nobody; what the cache has must do */
	int64_t now;    /* seconds since 1970 */
	int64_t newest; /* when the newest list of the cache was issued, of doctor_cache(); 0: none */
	char newest_file[DOCTOR_PATH_MAX];
	char remedy[CLI_HINT_MAX];        /* of the look that failed last; empty: the table's */
	char version[DOCTOR_VERSION_MAX]; /* the agent's; empty: not told */
};

/* preflight_run_better()'s. */
const char *doctor_remedy(const void *subject);

#define DOCTOR_LOOK(name) \
	int name(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK

/* doctor_settings.c */
DOCTOR_LOOK(doctor_settings);
DOCTOR_LOOK(doctor_profile);

/* doctor_files.c */
DOCTOR_LOOK(doctor_agent_files);
DOCTOR_LOOK(doctor_manager_files);
DOCTOR_LOOK(doctor_service_files);
DOCTOR_LOOK(doctor_own_keys);

/* doctor_cache.c, in this order */
DOCTOR_LOOK(doctor_cache);
DOCTOR_LOOK(doctor_clock);

/* doctor_peer.c, the versions last */
DOCTOR_LOOK(doctor_agent);
DOCTOR_LOOK(doctor_manager);
DOCTOR_LOOK(doctor_service);
DOCTOR_LOOK(doctor_versions);

/* A call about one peer, with its options and this one's profile. */
struct doctor_probe {
	struct cli cli;
};
int doctor_probe_open(struct doctor *d, enum client_peer peer, struct doctor_probe *probe,
		      struct err *e) MUST_CHECK;
void doctor_probe_done(struct doctor_probe *probe);
#define CLEANUP_PROBE __attribute__((cleanup(doctor_probe_done)))

/* client_open() or attested_open(). */
int doctor_client_open(struct doctor_probe *probe, enum client_peer peer, struct client *client,
		       struct err *e) MUST_CHECK;

/* Of AGENT_GRPC_<suffix> and the like; NULL: absent. */
const char *doctor_setting(struct doctor *d, enum client_peer peer, const char *suffix);
/* Whether there is any setting of that peer. */
bool doctor_is_configured(struct doctor *d, enum client_peer peer);
