/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_settings.c — variables whose names nobody reads, and the profile; declared in doctor.h. */
#include "cli/base/profile.h"
#include "cli/doctor/doctor.h"
#include "common/base/settings.h"

#include <string.h>

/* Of the agent there is one that profiles do not have. */
enum { NAMES_MAX = 64 };

static size_t names(struct setting table[NAMES_MAX])
{
	size_t count = 0;

	for (const struct profile_row *row = profile_rows; row->key; row++)
		if (!row->option)
			table[count++] = (struct setting){ .name = row->key };
	table[count++] = (struct setting){ .name = "AGENT_GRPC_ATTESTATION_REQUEST_CONTEXT" };
	return count;
}

int doctor_settings(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	static const char *const prefixes[] = { "AGENT_", "MANAGER_", "COMPUTATIONS_", "COCOS_" };
	struct setting table[NAMES_MAX] = { { .name = NULL } };
	size_t count = names(table), len = 0;
	char ignored[SETTINGS_IGNORED_MAX];

	((struct doctor *)subject)->remedy[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const struct settings_environment environment = { .prefix = prefixes[i] };

		if (settings_check_environment(table, count, &environment, ignored, e) < 0)
			return err_code(e);
		if (*ignored && len < PREFLIGHT_TEXT_MAX)
			len += (size_t)snprintf(
				found + len, PREFLIGHT_TEXT_MAX - len, "%s%s",
				len ? ", " : "this program does not read: ", ignored);
	}
	if (!len)
		return preflight_found(found, "every variable is one that is read");
	return PREFLIGHT_OK;
}

int doctor_profile(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct doctor *d = subject;
	const struct err *fault = profile_fault(d->cli);

	d->remedy[0] = '\0';
	if (fault) {
		*e = *fault;
		return err_code(e);
	}
	if (!profile_name(d->cli))
		return preflight_not_asked(found, "none is in use");
	return preflight_found(found, "'%s'%s", profile_name(d->cli),
			       cli_value(d->cli, "profile") ? "" : ", which is in use");
}
