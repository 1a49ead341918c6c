/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_rules.h — whether the rules are loaded that keep guests off this host (packaging/nftables).
 */
#pragma once

#include "common/preflight/preflight.h"

#define GUEST_RULES_NFT "/usr/sbin/nft"

/* Asks the program `nft`, which only root may, and waits for it. */
int guest_rules_check(const char *nft, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
