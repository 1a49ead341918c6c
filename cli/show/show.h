/* SPDX-License-Identifier: Apache-2.0 */
/* show.h — evidence taken apart for people: the members of a JSON object, without its braces. */
#pragma once

#include "attestation/envelope/evidence_kind.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <stdio.h>

struct writer;

/* "fields":{…} of a report (and what its bits mean); "certificates" of a table behind it. */
int show_snp(struct span evidence, struct writer *w, struct err *e) MUST_CHECK;
/* "fields", "pck", "qe_report" of a quote. */
int show_tdx(struct span evidence, struct writer *w, struct err *e) MUST_CHECK;
/* "quotes", "ak", and what else an attest.Attestation holds. */
int show_tpm(struct span evidence, struct writer *w, struct err *e) MUST_CHECK;
/* The claims, and the evidence inside as the above. */
int show_token(struct span evidence, struct writer *w, struct err *e) MUST_CHECK;

/* Any of these by its kind; ERR_INVALID for a kind that has nothing to show. */
int show_kind(enum evidence_kind kind, struct span evidence, struct writer *w,
	      struct err *e) MUST_CHECK;
bool show_kind_is_known(enum evidence_kind kind);

/* The same members as lines "key.key: value". */
int show_text(const struct writer *members, FILE *out, struct err *e) MUST_CHECK;
