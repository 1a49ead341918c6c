/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal.h — why a call is not taken for its owner's, told to whoever may know.
 *
 * A proof does not say whose it is. A caller may add its public key (`proof-key`, proof.h); once the
 * signature has shown that this key is the caller's own, what the manifest says of that key is no
 * secret from him. Of anybody else's key nothing is told: whether it is in the manifest can't be
 * found out by naming it. It costs one verification, however many keys the manifest has.
 */
#pragma once

#include "agent/computation/access.h"
#include "agent/computation/computation.h"

/* No key that may make this call has signed it. Sets `*e` to that, with the reason; `whose` says who
 * would have had to ("the algorithm's provider"). `asset` and `parameters` as for access_verify().
 * -ERR_DENIED; or the reason why access_verify() could not use up the challenge. */
int refusal_not_signed(const struct access *access, const struct computation *c, const char *whose,
		       const uint8_t *asset, const struct writer *parameters, struct err *e);
