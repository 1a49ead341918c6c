/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_signer_desk.h — one thread that calls a device, and those who wait for it, for a while; for ca_signer.c alone.
 *
 * A library that waits for a device can't be told to give up, so whoever asks gives up instead: the thread stays with the
 * device, what it gets is thrown away, and until then nobody waits again.
 */
#pragma once

#include "computations/ca/ca_signer_kind.h"

struct ca_signer_desk;

/* Takes `state`, also where it fails. What is signed has to be right by `public`. */
int ca_signer_desk_new(const struct ca_signer_kind *kind, void *state, EVP_PKEY *public,
		       struct ca_signer_desk **desk, struct err *e) MUST_CHECK;
/* NULL is fine. A thread that has been with its device for CA_SIGNER_WAIT_MS is left there, and frees all when it is back. */
void ca_signer_desk_leave(struct ca_signer_desk *desk);

int ca_signer_desk_sign(struct ca_signer_desk *desk, const struct ca_signing *what,
			uint8_t sig[CA_SIGNATURE_MAX], size_t *len, struct err *e) MUST_CHECK;
bool ca_signer_desk_is_well(struct ca_signer_desk *desk, struct err *why);
