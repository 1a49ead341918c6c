/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_authority.h — the authority of COMPUTATIONS_CA_CERT and _KEY, as the service starts with it.
 */
#pragma once

#include "computations/ca/authority.h"
#include "computations/core/config.h"
#include "computations/store/store.h"

/* NULL where the settings name none. ERR_PRECONDITION, too: its certificates would make everybody who has one an
 * administrator of the service. */
int service_authority_open(const struct config *config, struct authority **authority,
			   struct err *e) MUST_CHECK;

/* Its certificate alone: no device is asked for its key. */
int service_authority_read(const struct config *config, struct authority **authority,
			   struct err *e) MUST_CHECK;

/* Before anything else uses the store: tells of certificates whose authority is set no more. `authority` NULL is fine. */
int service_authority_look(const struct authority *authority, struct store *store,
			   struct err *e) MUST_CHECK;

/* --make-ca: a new certificate in the file that the settings name, and a key where they say. */
int service_authority_make(const struct config *config, const char *name, FILE *out,
			   struct err *e) MUST_CHECK;
