/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/cpu_type.h"

#include "attestation/measure/vmsa.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static void hint_types(struct cli *cli)
{
	char list[CLI_HINT_MAX] = "";
	const char *name;
	size_t len = 0;

	for (size_t i = 0; (name = vmsa_cpu_type_name(i)) && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					name);
	cli_hint(cli, "known are %s", list);
}

int cpu_type_option(struct cli *cli, const char *option, uint32_t *signature, struct err *e)
{
	const char *name = cli_value(cli, option);

	if (vmsa_cpu_type(name, signature))
		return 0;
	hint_types(cli);
	return err_set(e, ERR_INVALID, "--%s %s: no such type of processor is known", option,
		       log_quote(name).text);
}
