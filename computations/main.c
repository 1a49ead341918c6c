/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-computations — the computation service: what to compute, where, and how it went. */
#include "common/base/log.h"
#include "common/base/written.h"
#include "computations/core/config.h"
#include "computations/daemon.h"
#include "computations/service_authority.h"
#include "computations/service_backup.h"
#include "computations/service_check.h"
#include "computations/service_secrets.h"
#include "computations/store/secret_file.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void print_help(void)
{
	puts("cocos-computations - the computation service that agents connect to\n\n"
	     "Usage: cocos-computations [--config FILE] [--check [--json]]\n"
	     "       cocos-computations [--config FILE] --backup FILE | --restore FILE\n"
	     "       cocos-computations [--config FILE] --make-ca NAME\n"
	     "       cocos-computations [--config FILE] --make-secrets-key PLACE | --copy-secrets-key PLACE\n\n"
	     "Options:\n"
	     "  -c, --config FILE  settings, KEY=VALUE in lines (default: " CONFIG_FILE
	     ", if it is there)\n"
	     "      --check        look at what this service needs, change nothing, and end\n"
	     "      --json         with --check: for programs\n"
	     "      --backup FILE  all records and the key of the log of heads to a new file, also\n"
	     "                     while the service runs; it holds secrets\n"
	     "      --restore FILE the way back, into a database without records\n"
	     "      --make-ca NAME an authority of that name, such as example.org: its certificate in a\n"
	     "                     new file, COMPUTATIONS_CA_CERT; its key where COMPUTATIONS_CA_KEY says,\n"
	     "                     a new file, or a device, where one of that name is taken\n"
	     "      --make-secrets-key PLACE\n"
	     "                     a new key for COMPUTATIONS_SECRETS_KEY, in a new file: PLACE is its path,\n"
	     "                     or tpm:/FILE?pcrs=sha256:7, in which a TPM has sealed it\n"
	     "      --copy-secrets-key PLACE\n"
	     "                     the key of COMPUTATIONS_SECRETS_KEY at another place as well: from a file\n"
	     "                     to a TPM, and back\n"
	     "      --settings     print the settings as a Markdown table\n"
	     "  -V, --version      print the version\n"
	     "  -h, --help         this text\n\n"
	     "Settings, from the environment or the file:");
	settings_help(config_settings, config_settings_count, stdout);
	puts("\nExit status: 0 stopped by a signal, 1 failed, 2 called wrongly.\n"
	     "With --check: 0 all is well, 1 something failed, 2 called wrongly, or settings that can't be\n"
	     "used.");
}

/* What is asked for, besides the service itself. */
struct deed {
	bool only_check;
	enum preflight_form form;
	const char *backup, *restore;   /* files */
	const char *authority;          /* the name of a new one */
	const char *new_key, *key_copy; /* places of the key that seals */
};

static int serve(struct config *config, struct err *e)
{
	if (service_secrets_hold(config, e) < 0)
		return err_code(e);
	const int failed = daemon_run(config, e);

	service_secrets_let_go(config);
	return failed;
}

static int run_deed(struct config *config, const struct deed *deed, struct err *e)
{
	if (deed->backup)
		return service_backup(config, deed->backup, stdout, e);
	if (deed->restore)
		return service_restore(config, deed->restore, stdout, e);
	if (deed->authority)
		return service_authority_make(config, deed->authority, stdout, e);
	if (deed->new_key)
		return service_secrets_make(config, deed->new_key, stdout, e);
	if (deed->key_copy)
		return service_secrets_copy(config, deed->key_copy, stdout, e);
	return serve(config, e);
}

/* What no settings would make right. */
static int check_places(const struct deed *deed, struct err *e)
{
	if (deed->new_key && secret_place_check(deed->new_key, e) < 0)
		return err_wrap(e, "--make-secrets-key");
	if (deed->key_copy && secret_place_check(deed->key_copy, e) < 0)
		return err_wrap(e, "--copy-secrets-key");
	return 0;
}

static int run(const char *path, const struct deed *deed)
{
	struct config config;
	struct err e;
	int status;

	log_open("cocos-computations");
	log_to_journal();
	signal(SIGPIPE, SIG_IGN);
	setenv("TSS2_LOG", "all+NONE", 1); /* our errors say it in one line */
	if (check_places(deed, &e) < 0) {
		log_error("%s", e.text);
		return 2;
	}
	if (config_load(path, &config, &e) < 0) {
		log_error("%s", e.text);
		return deed->only_check ? 2 : 1;
	}
	if (deed->only_check) {
		status = service_check_run(&config, deed->form, stdout);
	} else {
		status = run_deed(&config, deed, &e) < 0;
		if (status)
			log_error("%s", e.text);
		/* Of a new authority nothing else than its name can be wrong so. */
		if (status && deed->authority && e.code == ERR_INVALID)
			status = 2;
	}
	config_done(&config);
	return status;
}

static bool take(struct deed *deed, const char **config, int option)
{
	switch (option) {
	case 'a':
		deed->authority = optarg;
		return true;
	case 'b':
		deed->backup = optarg;
		return true;
	case 'c':
		*config = optarg;
		return true;
	case 'j':
		deed->form = PREFLIGHT_JSON;
		return true;
	case 'k':
		deed->only_check = true;
		return true;
	case 'n':
		deed->new_key = optarg;
		return true;
	case 'p':
		deed->key_copy = optarg;
		return true;
	case 'r':
		deed->restore = optarg;
		return true;
	default:
		return false;
	}
}

/* What was asked for is on standard output, or that failed. */
static int end(int status)
{
	return written_all("cocos-computations", stdout) || status ? status : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "backup", required_argument, NULL, 'b' },
		{ "restore", required_argument, NULL, 'r' },
		{ "make-ca", required_argument, NULL, 'a' },
		{ "make-secrets-key", required_argument, NULL, 'n' },
		{ "copy-secrets-key", required_argument, NULL, 'p' },
		{ "settings", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct deed deed = { .form = PREFLIGHT_TEXT };
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return end(0);
		}
		if (option == 's') {
			settings_markdown(config_settings, config_settings_count, stdout);
			return end(0);
		}
		if (option == 'V') {
			puts("cocos-computations " COCOS_VERSION);
			return end(0);
		}
		if (!take(&deed, &path, option)) {
			fputs("Try cocos-computations --help\n", stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "cocos-computations: takes no operands; see --help\n");
		return 2;
	}
	if (deed.form == PREFLIGHT_JSON && !deed.only_check) {
		fputs("cocos-computations: --json goes with --check; see --help\n", stderr);
		return 2;
	}
	if (deed.only_check + !!deed.backup + !!deed.restore + !!deed.authority + !!deed.new_key +
		    !!deed.key_copy >
	    1) {
		fputs("cocos-computations: one of --check, --backup, --restore, --make-ca, "
		      "--make-secrets-key and --copy-secrets-key; see --help\n",
		      stderr);
		return 2;
	}
	return end(run(path, &deed));
}
