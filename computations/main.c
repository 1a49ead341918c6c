/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-computations — the computation service: what to compute, where, and how it went. */
#include "common/base/log.h"
#include "computations/core/config.h"
#include "computations/daemon.h"
#include "computations/service_check.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

static void print_help(void)
{
	puts("cocos-computations - the computation service that agents connect to\n\n"
	     "Usage: cocos-computations [--config FILE] [--check [--json]]\n\n"
	     "Options:\n"
	     "  -c, --config FILE  settings, KEY=VALUE in lines (default: " CONFIG_FILE
	     ", if it is there)\n"
	     "      --check        look at what this service needs, change nothing, and end\n"
	     "      --json         with --check: for programs\n"
	     "      --settings     print the settings as a Markdown table\n"
	     "  -V, --version      print the version\n"
	     "  -h, --help         this text\n\n"
	     "Settings, from the environment or the file:");
	settings_help(config_settings, config_settings_count, stdout);
	puts("\nExit status: 0 stopped by a signal, 1 failed, 2 called wrongly.\n"
	     "With --check: 0 all is well, 1 something failed, 2 called wrongly, or settings that can't be\n"
	     "used.");
}

static int run(const char *path, bool only_check, enum preflight_form form)
{
	struct config config;
	struct err e;
	int status;

	log_open("cocos-computations");
	signal(SIGPIPE, SIG_IGN);
	if (config_load(path, &config, &e) < 0) {
		log_error("%s", e.text);
		return only_check ? 2 : 1;
	}
	if (only_check) {
		status = service_check_run(&config, form, stdout);
	} else {
		status = daemon_run(&config, &e) < 0;
		if (status)
			log_error("%s", e.text);
	}
	config_done(&config);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "settings", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum preflight_form form = PREFLIGHT_TEXT;
	bool only_check = false;
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return 0;
		}
		if (option == 's') {
			settings_markdown(config_settings, config_settings_count, stdout);
			return 0;
		}
		if (option == 'V') {
			puts("cocos-computations " COCOS_VERSION);
			return 0;
		}
		if (option == 'k') {
			only_check = true;
			continue;
		}
		if (option == 'j') {
			form = PREFLIGHT_JSON;
			continue;
		}
		if (option != 'c') {
			fputs("Try cocos-computations --help\n", stderr);
			return 2;
		}
		path = optarg;
	}
	if (optind != argc) {
		fprintf(stderr, "cocos-computations: takes no operands; see --help\n");
		return 2;
	}
	if (form == PREFLIGHT_JSON && !only_check) {
		fputs("cocos-computations: --json goes with --check; see --help\n", stderr);
		return 2;
	}
	return run(path, only_check, form);
}
