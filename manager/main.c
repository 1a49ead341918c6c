/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — cocos-manager: settings, folders, libvirt, the fleet and its gRPC service. */
#include "common/base/log.h"
#include "common/base/written.h"
#include "manager/daemon.h"
#include "manager/launch/host_check.h"
#include "manager/settings/config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'k' },
	{ "json", no_argument, NULL, 'j' },         { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },      { 0 },
};

static void print_help(void)
{
	fputs("Usage: cocos-manager [--config FILE] [--check [--json]]\n\n"
	      "Launches confidential virtual machines through libvirt, on request over gRPC.\n\n"
	      "  -c, --config FILE  settings, one KEY=VALUE in a line (default " CONFIG_FILE ")\n"
	      "      --check        look at what this host needs, change nothing, and end: 0 all is well,\n"
	      "                     1 something failed, 2 called wrongly or settings that can't be used\n"
	      "      --json         with --check: for programs\n"
	      "  -V, --version      the version\n"
	      "  -h, --help         this text\n\n"
	      "Settings, in the environment or in the file:\n",
	      stdout);
	settings_help(config_settings, config_settings_count, stdout);
}

static int load(const char *file, struct config *config, struct err *e)
{
	if (config_load(file, config, e) < 0)
		return err_code(e);
	return log_set_level(config->log_level, e) < 0 ? err_wrap(e, "MANAGER_LOG_LEVEL") : 0;
}

static int serve(const char *file)
{
	struct config config = { 0 };
	struct err e;
	int failed = load(file, &config, &e);

	if (!failed)
		failed = daemon_run(&config, &e);
	if (failed)
		log_error("%s", e.text);
	config_done(&config);
	return failed ? 1 : 0;
}

static int check(const char *file, enum preflight_form form)
{
	struct config config = { 0 };
	struct err e;
	int status = 2;

	if (load(file, &config, &e) < 0)
		log_error("%s", e.text);
	else
		status = host_check_run(&config, form, stdout);
	config_done(&config);
	return status;
}

/* What was asked for is on standard output, or that failed. */
static int end(int status)
{
	return written_all("cocos-manager", stdout) || status ? status : 1;
}

int main(int argc, char **argv)
{
	enum preflight_form form = PREFLIGHT_TEXT;
	const char *file = NULL;
	bool only_check = false;
	int option;

	log_open("cocos-manager");
	log_to_journal();
	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'k':
			only_check = true;
			break;
		case 'j':
			form = PREFLIGHT_JSON;
			break;
		case 'h':
			print_help();
			return end(0);
		case 'V':
			puts("cocos-manager " COCOS_VERSION);
			return end(0);
		default:
			fputs("Try cocos-manager --help\n", stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fputs("cocos-manager takes no operands; try --help\n", stderr);
		return 2;
	}
	if (form == PREFLIGHT_JSON && !only_check) {
		fputs("cocos-manager: --json goes with --check; try --help\n", stderr);
		return 2;
	}
	return only_check ? end(check(file, form)) : serve(file);
}
