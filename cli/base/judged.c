/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/judged.h"

enum cli_exit judged_exit_of(enum check_fault fault)
{
	static const enum cli_exit statuses[] = {
		[FAULT_NONE] = CLI_OK,
		[FAULT_UNWANTED] = CLI_FAILED,
		[FAULT_NOT_GENUINE] = CLI_NOT_GENUINE,
		[FAULT_MALFORMED] = CLI_MALFORMED,
	};

	return statuses[fault];
}

enum cli_exit judged_exit(const struct verdict *v)
{
	/* The only yes is verdict_ok()'s. */
	return verdict_ok(v) ? CLI_OK : judged_exit_of(verdict_fault(v));
}
