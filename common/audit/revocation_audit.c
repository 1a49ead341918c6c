/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/revocation_audit.h"

#include <string.h>

/* What there is in place of a method's name. */
static const char *const names[REVOCATION_EVENTS] = {
	[REVOCATION_REVOKED] = "connection/refused",
	[REVOCATION_UNKNOWN] = "connection/refused",
	[REVOCATION_ENDED] = "connection/ended",
};

void revocation_audit(void *call_audit, const struct revocation_refused *refused)
{
	const struct crl_judged *j = refused->judged;
	struct rpc_fact serial = { .key = "serial", .value = (char *)(uintptr_t)j->serial };
	struct err why;

	(void)err_set(&why, ERR_UNAUTHENTICATED, "%s", refused->text);
	const struct audit_entry entry = {
		.event = AUDIT_REFUSED,
		.method = names[refused->event],
		.who = { .subject = j->subject, .issuer = j->issuer },
		.peer = refused->peer,
		.facts = &serial,
		.fact_count = 1,
		.error = &why,
	};
	call_audit_refused(call_audit, &entry, j->serial);
}
