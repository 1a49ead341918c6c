/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_judge.h — is a receipt true? In two steps, with verify() between them: who holds the key is the
 * evidence's answer, under the caller's policy; what that key signed is the receipt's.
 *
 * Time: whoever made the receipt had a clock that the machine's host sets, so that its times decide
 * nothing. Certificates and lists are judged at the caller's moment (verify_input.at); a note says when
 * the receipt says that it was made, for who wants to judge at that.
 */
#pragma once

#include "attestation/receipt/receipt.h"
#include "attestation/verify/verify_input.h"

/* Sets what verify() is asked about: mode, evidence, statement and event log, to spans of the receipt.
 * Endorsements, policy, manifests and time are the caller's. */
void receipt_evidence(const struct receipt *r, struct verify_input *in);

/* To the verdict of that input, which may be a no already, adds and requires "receipt.*". `found` is the
 * file that the receipt is shown for; NULL: nobody shows one. -ERR_INVALID and the like only for what
 * could not be judged; verdict_ok() is the answer. */
int receipt_judge(const struct receipt *r, const struct receipt_results *found,
		  const struct verify_input *in, struct verdict *v, struct err *e) MUST_CHECK;
