/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-computations — the computation service: what to compute, where, and how it went. */
#include "common/base/log.h"
#include "computations/config.h"
#include "computations/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

static void print_help(void)
{
	puts("cocos-computations - the computation service that agents connect to\n\n"
	     "Usage: cocos-computations [--config FILE]\n\n"
	     "Options:\n"
	     "  -c, --config FILE  settings, KEY=VALUE in lines (default: " CONFIG_FILE
	     ", if it is there)\n"
	     "      --settings     print the settings as a Markdown table\n"
	     "  -V, --version      print the version\n"
	     "  -h, --help         this text\n\n"
	     "Settings, from the environment or the file:");
	settings_help(config_settings, config_settings_count, stdout);
	puts("\nExit status: 0 stopped by a signal, 1 failed, 2 called wrongly.");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "settings", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	struct config config;
	struct err e;
	int option, status;

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
	log_open("cocos-computations");
	signal(SIGPIPE, SIG_IGN);
	if (config_load(path, &config, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	status = daemon_run(&config, &e);
	if (status < 0)
		log_error("%s", e.text);
	config_done(&config);
	return status < 0 ? 1 : 0;
}
