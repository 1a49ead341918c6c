/* SPDX-License-Identifier: Apache-2.0 */
/* show_receipt.h — what a receipt says, judged by nobody. */
#pragma once

#include "attestation/receipt/receipt.h"

struct writer;

/* The members of a JSON object, without its braces, as show.h has them. */
void show_receipt(const struct receipt *r, struct writer *w);

/* An in-toto Statement v1 with SLSA Provenance v1 as its predicate (docs/receipt.md), one JSON object. */
void show_receipt_slsa(const struct receipt *r, struct writer *w);
