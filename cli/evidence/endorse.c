/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/endorse.h"

#include "cli/base/profile.h"

static const char *setting(const struct cli *cli, const char *option, const char *variable)
{
	/* An empty option is refused where it is used. */
	return cli_value(cli, option) ? cli_value(cli, option)
				      : profile_setting(cli, NULL, variable);
}

int endorse_open(const struct cli *cli, bool offline, struct endorsements **made, struct err *e)
{
	const struct endorsements_config config = {
		.cache = setting(cli, "cache", "COCOS_CACHE"),
		.kds = setting(cli, "kds", "COCOS_KDS_URL"),
		.pcs = setting(cli, "pcs", "COCOS_PCS_URL"),
		.ca = setting(cli, "endorsements_ca", "COCOS_ENDORSEMENTS_CA"),
		.offline = offline || cli_flag(cli, "offline"),
	};

	return endorsements_new(&config, made, e);
}
