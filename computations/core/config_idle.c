/* SPDX-License-Identifier: Apache-2.0 */
/* config_idle.c — settings that do nothing beside others; declared in config_instance.h. */
#include "common/base/cleanup.h"
#include "common/base/settings_idle.h"
#include "computations/core/config_instance.h"

void config_warn_idle(const struct config *c, const struct keyfile *file,
		      const struct settings_environment *environment)
{
	static const char alone[] = "without COMPUTATIONS_ADMIN_PORT, _WEB or _METRICS";
	const bool nobody = !c->has_admin_port && !c->web && !c->metrics;
	const struct setting_idle rows[] = {
		{ "COMPUTATIONS_ADMIN_HOST", !c->has_admin_port,
		  "without COMPUTATIONS_ADMIN_PORT" },
		{ "COMPUTATIONS_ADMIN_SERVER_", nobody, alone },
		{ "COMPUTATIONS_ADMIN_CLIENT_", nobody, alone },
		{ "COMPUTATIONS_ADMIN_SIGN_IN", nobody, alone },
		{ "COMPUTATIONS_ATTESTATION_CACHE", !c->attestation_policy,
		  "without COMPUTATIONS_ATTESTATION_POLICY" },
		{ "COMPUTATIONS_ATTESTATION_OFFLINE", !c->attestation_policy,
		  "without COMPUTATIONS_ATTESTATION_POLICY" },
		{ "COMPUTATIONS_LEASE", !c->instance, "without COMPUTATIONS_INSTANCE" },
	};

	settings_warn_idle(config_settings, config_settings_count, rows, ARRAY_LEN(rows), file,
			   environment);
}
