/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_place.h — a name for where this manager runs, which no other that is alive can say (registry_lease.h).
 *
 * A random number in MANAGER_SECRETS_DIR, which is on tmpfs: of this machine, since it was started. And the lock of
 * MANAGER_STATE_DIR, by its file system and number, which one process holds: whoever has it is alone with that name.
 */
#pragma once

#include "manager/registry/registry_lease.h"
#include "manager/settings/config.h"

/* `lock`: held. Makes the number if there is none. */
int own_place_make(const struct config *config, int lock, char place[MANAGER_PLACE_MAX + 1],
		   struct err *e) MUST_CHECK;

/* What a manager of these settings says, if it has ever started here; else empty. Changes nothing. */
void own_place_look(const struct config *config, char place[MANAGER_PLACE_MAX + 1]);
