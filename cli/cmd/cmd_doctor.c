/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_doctor.c — what is wrong with settings, files, clock and servers, before a command fails of it. */
#include "cli/base/profile.h"
#include "cli/cmd/commands.h"
#include "cli/doctor/doctor.h"
#include "common/base/settings.h"

#include <time.h>

static const char files[] =
	"put that setting or file right; 'cocos-cli profile show' and -v say where it comes from";
static const char reach[] = "start it, or say where it is: cocos-cli(1), ENVIRONMENT";

static const struct preflight_check checks[] = {
	{ "settings", doctor_settings, "rename that variable, or take it away" },
	{ "profile", doctor_profile,
	  "put its file right, or have another used: 'cocos-cli profile use', 'profile use --none'" },
	{ "agent files", doctor_agent_files, files },
	{ "manager files", doctor_manager_files, files },
	{ "service files", doctor_service_files, files },
	{
		"own keys",
		doctor_own_keys,
		"'cocos-cli keys' makes a pair in this folder; computations name the public half",
	},
	{ "cache", doctor_cache,
	  "make it your own (chmod 700), make room, name another (COCOS_CACHE), or fetch what is over: without --offline" },
	{ "clock", doctor_clock,
	  "set the clock, and have it kept right (systemd-timesyncd, chrony)" },
	{ "agent", doctor_agent, reach },
	{ "manager", doctor_manager, reach },
	{ "service", doctor_service, reach },
	{ "versions", doctor_versions, "" },
};

static enum cli_exit run(struct cli *cli, struct err *e)
{
	struct doctor d = { .cli = cli, .offline = cli_flag(cli, "offline"), .now = time(NULL) };
	const char *timeout = cli_value(cli, "grpc-timeout");
	uint64_t ignored;

	if (timeout && duration_parse(timeout, &ignored, e) < 0) {
		err_wrap(e, "--grpc-timeout");
		return CLI_USAGE;
	}
	*e = (struct err){ .code = ERR_OK }; /* the list has said all */
	return preflight_run_better(
		       "cocos-cli doctor", checks, ARRAY_LEN(checks), &d, doctor_remedy,
		       cli_flag(cli, "json") ? PREFLIGHT_JSON : PREFLIGHT_TEXT, cli->out)
		       ? CLI_FAILED
		       : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "offline", .help = "ask no server; what the cache has must do" },
	{ .name = "grpc-timeout", .value = "DURATION",
	  .help = "for each server to answer (…_GRPC_TIMEOUT; 60s)" },
	CLI_JSON_OPTION,
	PROFILE_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_doctor = {
	.name = "doctor",
	.common = true,
	.args = "",
	.help = "check settings, files, clock, cache and servers, and say what to do",
	.any_profile = true,
	.options = options,
	.run = run,
	.more = "Reads what other commands would read: environment, profile, and the files that they name, with dates,\n"
		"permissions and pairs; asks the servers that are configured what they are, and has an agent prove it where\n"
		"attested TLS is. Changes nothing, and prints nothing secret. Exit 0: nothing failed, else 1.",
};
