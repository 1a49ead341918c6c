/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_secrets.h — the key that seals (COMPUTATIONS_SECRETS_KEY) as an operator moves it, and as the service holds it.
 */
#pragma once

#include "computations/core/config.h"

/* --make-secrets-key: a new key at that place (secret_file.h), which nothing is sealed under yet. */
int service_secrets_make(const struct config *config, const char *place, FILE *out,
			 struct err *e) MUST_CHECK;
/* --copy-secrets-key: the key that there is, at that place as well: from a file into a TPM, and back, or for keeping. */
int service_secrets_copy(const struct config *config, const char *place, FILE *out,
			 struct err *e) MUST_CHECK;

/* Keys in a TPM are asked for once, before anything is opened: whoever stands by for months, or takes over, asks it no more. */
int service_secrets_hold(struct config *config, struct err *e) MUST_CHECK;
void service_secrets_let_go(struct config *config);
