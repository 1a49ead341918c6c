/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse.h — the options and settings that say where vendors' endorsements come from.
 *
 * Settings without an option name services only: COCOS_KDS_URL, COCOS_PCS_URL (--kds, --pcs),
 * COCOS_ENDORSEMENTS_CA (--endorsements_ca), COCOS_CACHE (--cache). What they deliver is verified
 * in any case.
 */
#pragma once

#include "attestation/endorse/endorsements.h"
#include "cli/base/command.h"

/* clang-format off */
#define ENDORSE_OPTIONS \
	{ .name = "offline", .help = "fetch nothing: use what is given, and the cache", .rare = true }, \
	{ .name = "cache", .value = "DIR", \
	  .help = "where fetched endorsements are kept (~/.cache/cocos)", .rare = true }, \
	{ .name = "kds", .value = "URL", .help = "AMD's key service, or a mirror of it", .rare = true }, \
	{ .name = "pcs", .value = "URL", .help = "Intel's provisioning service, a mirror, a PCCS", .rare = true }, \
	{ .name = "endorsements_ca", .value = "FILE", \
	  .help = "who vouches for those servers (the system's)", .rare = true }
/* clang-format on */

/* Opens what the command's ENDORSE_OPTIONS name. `offline`: whatever they say, as a policy may ask.
 * ERR_INVALID for an address that makes no sense. */
int endorse_open(const struct cli *cli, bool offline, struct endorsements **made,
		 struct err *e) MUST_CHECK;
