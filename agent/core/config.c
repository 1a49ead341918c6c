/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/config.h"

#include "agent/certificate/ca_place.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/metadata.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(name_, member_, help_) SETTING(name_, SETTING_TEXT, config, member_, NULL, help_)

const struct setting config_settings[] = {
	SETTING("AGENT_LOG_LEVEL", SETTING_TEXT, config, log_level, "info",
		"debug, info, warn or error"),
	TEXT("AGENT_CVM_ID", cvm_id, "the CVM's id, told to the computation service as job-id"),
	TEXT("AGENT_GRPC_HOST", grpc_host, "address to listen on; empty for every address"),
	TEXT("AGENT_CVM_GRPC_URL", cvm_url, "host:port of the computation service; required"),
	{ .name = "AGENT_CVM_GRPC_TIMEOUT",
	  .type = SETTING_DURATION,
	  .offset = offsetof(struct config, cvm_timeout_ms),
	  .fallback = "60s",
	  .min = 100,
	  .max = 3600000,
	  .help = "how long one attempt to connect to it may take" },
	TEXT("AGENT_CVM_GRPC_CLIENT_CERT", cvm_cert,
	     "cert.pem of the certificates' folder, for mTLS"),
	TEXT("AGENT_CVM_GRPC_CLIENT_KEY", cvm_key, "key.pem of the certificates' folder, for mTLS"),
	TEXT("AGENT_CVM_GRPC_SERVER_CA_CERTS", cvm_ca,
	     "ca.pem of the certificates' folder, for TLS"),
	TEXT("AGENT_CVM_CA_URL", ca_url,
	     "https://HOST[:PORT] of the authority that issues and renews the agent's certificate"),
	TEXT("AGENT_CERTS_TOKEN", certs_token,
	     "secret, [NAME:]TOKEN for that authority's first certificate; NAME: AGENT_CVM_ID"),
	{ .name = "AGENT_VMPL",
	  .type = SETTING_NUMBER,
	  .offset = offsetof(struct config, vmpl),
	  .max = 3,
	  .help = "SEV-SNP privilege level for evidence, 0 to 3" },
	TEXT("AGENT_OS_BUILD", os_build, "for Azure's attestation; accepted, not used yet"),
	TEXT("AGENT_OS_DISTRO", os_distro, "for Azure's attestation; accepted, not used yet"),
	TEXT("AGENT_OS_TYPE", os_type, "for Azure's attestation; accepted, not used yet"),
	TEXT("AGENT_MAA_URL", maa_url, "Azure's attestation service; accepted, not used yet"),
	TEXT("AWS_ACCESS_KEY_ID", aws_access_key_id, "for assets in S3; accepted, not used yet"),
	TEXT("AWS_SECRET_ACCESS_KEY", aws_secret_access_key,
	     "secret for assets in S3; accepted, not used yet"),
	TEXT("AWS_ENDPOINT_URL", aws_endpoint_url, "for assets in S3; accepted, not used yet"),
	TEXT("AWS_REGION", aws_region, "for assets in S3; accepted, not used yet"),
	TEXT("AGENT_PIP_INDEX_URL", pip_index_url,
	     "Python package index for requirements with hashes; none: no network for them"),
	{ .name = "AGENT_ASSET_MAX",
	  .type = SETTING_SIZE,
	  .offset = offsetof(struct config, asset_max),
	  .fallback = "64G",
	  .min = 1,
	  .max = 1ULL << 50,
	  .help = "bytes of one uploaded algorithm or dataset" },
	{ .name = "AGENT_RUN_MEMORY",
	  .type = SETTING_SIZE,
	  .offset = offsetof(struct config, run_memory),
	  .max = 1ULL << 50,
	  .help = "memory of the algorithm; absent: 3/4 of what is available" },
	{ .name = "AGENT_RUN_PROCESSES",
	  .type = SETTING_NUMBER,
	  .offset = offsetof(struct config, run_processes),
	  .max = 65536,
	  .help = "processes and threads of the algorithm; absent: 256" },
	{ .name = "AGENT_RUN_RESULTS",
	  .type = SETTING_SIZE,
	  .offset = offsetof(struct config, run_results),
	  .max = 1ULL << 50,
	  .help = "bytes of results/; absent: 1/4 of the memory that is available" },
	{ .name = "AGENT_RUN_SCRATCH",
	  .type = SETTING_SIZE,
	  .offset = offsetof(struct config, run_scratch),
	  .max = 1ULL << 50,
	  .help = "bytes of the algorithm's /tmp; absent: 1/8 of the memory that is available" },
	{ .name = "AGENT_RUN_TIME",
	  .type = SETTING_DURATION,
	  .offset = offsetof(struct config, run_time_ms),
	  .min = 1000,
	  .max = 366ULL * 24 * 3600 * 1000,
	  .help = "how long the algorithm may run, and pip before it; absent: without end" },
	{ .name = "AGENT_RUN_PROCESSOR",
	  .type = SETTING_NUMBER,
	  .offset = offsetof(struct config, run_processor),
	  .min = 1,
	  .max = 1000000,
	  .help = "percent of one processor for the algorithm, 150 is one and a half; needs a "
		  "control group; absent: all" },
};

const size_t config_settings_count = ARRAY_LEN(config_settings);

enum {
	OPT_CONFIG = 256,
	OPT_CERTS,
	OPT_WORK,
	OPT_DEVELOPMENT,
	OPT_TCTI,
	OPT_TSM,
	OPT_SECURITYFS,
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "certs", required_argument, NULL, OPT_CERTS },
	{ "work", required_argument, NULL, OPT_WORK },
	{ "development", no_argument, NULL, OPT_DEVELOPMENT },
	{ "tcti", required_argument, NULL, OPT_TCTI },
	{ "tsm", required_argument, NULL, OPT_TSM },
	{ "securityfs", required_argument, NULL, OPT_SECURITYFS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static void print_help(FILE *out)
{
	fputs("usage: cocos-agent [OPTION]...\n"
	      "Runs one computation at a time inside a confidential VM.\n\n"
	      "  --config DIR    folder with the file `environment` [/etc/cocos]\n"
	      "  --certs DIR     folder with cert.pem, key.pem, ca.pem [/etc/certs]\n"
	      "  --work DIR      folder for uploads and results [/var/lib/cocos]\n"
	      "  --development   no devices but those named below, without any nothing is measured;\n"
	      "                  role signatures are taken; never in an image\n"
	      "  --tcti TCTI     how to reach the TPM, in tpm2-tss' words [device:/dev/tpmrm0]\n"
	      "  --tsm DIR       with --development: folder with report/, measurements/, sev-guest\n"
	      "                  as the kernel has them of a TEE\n"
	      "  --securityfs DIR  with --tcti: folder with tpm0/ and ima/ as in /sys/kernel/security\n"
	      "  -V, --version   the version\n"
	      "  -h, --help      this text\n\n"
	      "Keys of `environment` (KEY=VALUE, an empty value is an absent one):\n",
	      out);
	settings_help(config_settings, config_settings_count, out);
}

/* Where an option's value goes that is kept as it is. */
static const struct {
	int option;
	size_t at;
} texts[] = {
	{ OPT_CONFIG, offsetof(struct config_options, config_dir) },
	{ OPT_CERTS, offsetof(struct config_options, certs_dir) },
	{ OPT_WORK, offsetof(struct config_options, work_dir) },
	{ OPT_TCTI, offsetof(struct config_options, tcti) },
	{ OPT_TSM, offsetof(struct config_options, tsm) },
	{ OPT_SECURITYFS, offsetof(struct config_options, securityfs) },
};

static bool take_text(struct config_options *o, int option)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].option == option) {
			*(const char **)((char *)o + texts[i].at) = optarg;
			return true;
		}
	return false;
}

static int check_work(const char *dir, struct err *e)
{
	if (dir[0] != '/')
		return err_set(e, ERR_INVALID, "--work %s is no absolute path",
			       log_quote(dir).text);
	if (strlen(dir) > CONFIG_WORK_MAX)
		return err_set(
			e, ERR_INVALID,
			"--work: a path of %zu bytes, the limit is %d: below it there must be "
			"room for the longest name of a dataset",
			strlen(dir), CONFIG_WORK_MAX);
	return 0;
}

int config_options_parse(int argc, char **argv, struct config_options *options, FILE *out,
			 struct err *e)
{
	struct config_options o = { .config_dir = "/etc/cocos",
				    .certs_dir = "/etc/certs",
				    .work_dir = "/var/lib/cocos" };
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "Vh", long_options, NULL)) != -1) {
		if (take_text(&o, c))
			continue;
		switch (c) {
		case OPT_DEVELOPMENT:
			o.development = true;
			break;
		case OPT_HELP:
			print_help(out);
			return 1;
		case OPT_VERSION:
			fprintf(out, "cocos-agent %s\n", COCOS_VERSION);
			return 1;
		default:
			return err_set(e, ERR_INVALID,
				       "option %s is unknown or lacks its value; "
				       "see --help",
				       log_quote(argv[optind - 1]).text);
		}
	}
	if (optind < argc)
		return err_set(e, ERR_INVALID, "unexpected argument %s; see --help",
			       log_quote(argv[optind]).text);
	if (check_work(o.work_dir, e) < 0)
		return err_code(e);
	*options = o;
	return 0;
}

bool config_has_word(const char *cmdline, const char *word)
{
	static const char spaces[] = " \t\n";
	size_t len = strlen(word);

	for (const char *at = cmdline; *(at += strspn(at, spaces)); at += strcspn(at, spaces)) {
		if (strcspn(at, spaces) == len && memcmp(at, word, len) == 0)
			return true;
	}
	return false;
}

/* The share is read once and measured; a path may only name what was. Stock managers say
 * /etc/certs, wherever the share is mounted. */
static bool measured_file(const struct config *c, const char *path, enum bootconfig_file *file)
{
	const char *folders[] = { c->options.certs_dir, "/etc/certs" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t len = folders[i] ? strlen(folders[i]) : 0;

		while (len > 1 && folders[i][len - 1] == '/')
			len--;
		if (len == 0 || strncmp(path, folders[i], len) != 0 || path[len] != '/')
			continue;
		for (*file = BOOTCONFIG_CERT; *file <= BOOTCONFIG_CA; (*file)++) {
			if (strcmp(path + len + 1, bootconfig_name(*file)) == 0)
				return true;
		}
	}
	return false;
}

const char *config_pem(const struct config *config, const char *path)
{
	enum bootconfig_file file;

	if (!path || !measured_file(config, path, &file))
		return NULL;
	return (const char *)config->boot.files[file].bytes; /* file_read() put a zero behind */
}

static int pem_check(const struct config *c, const char *key, const char *path, struct err *e)
{
	enum bootconfig_file file;

	if (!path)
		return 0;
	if (!measured_file(c, path, &file))
		return err_set(e, ERR_INVALID,
			       "%s: %s is none of cert.pem, key.pem, ca.pem of the certificates' "
			       "folder",
			       key, log_quote(path).text);
	if (!c->boot.files[file].bytes)
		return err_set(e, ERR_INVALID, "%s: the folder has no %s", key,
			       bootconfig_name(file));
	if (memchr(c->boot.files[file].bytes, 0, c->boot.files[file].len))
		return err_set(e, ERR_INVALID, "%s: a zero byte in %s", key, bootconfig_name(file));
	return 0;
}

/* Refused now, rather than by every connection that is tried. */
static int cvm_id_check(const char *id, struct err *e)
{
	struct rpc_metadata metadata = { 0 };
	int failed = id ? rpc_metadata_add(&metadata, "job-id", id, e) : 0;

	rpc_metadata_done(&metadata);
	return failed ? err_wrap(e, "AGENT_CVM_ID") : 0;
}

/* The authority's certificate is the only one, and who it is that gives it is measured. */
static int judge_authority(const struct config *c, struct err *e)
{
	struct ca_place place;
	int failed;

	if (!c->ca_url != !c->certs_token)
		return err_set(e, ERR_INVALID,
			       "AGENT_CVM_CA_URL and AGENT_CERTS_TOKEN go together");
	if (!c->ca_url)
		return 0;
	if (c->cvm_cert)
		return err_set(e, ERR_INVALID,
			       "AGENT_CVM_CA_URL issues the agent's certificate: leave out "
			       "AGENT_CVM_GRPC_CLIENT_CERT and AGENT_CVM_GRPC_CLIENT_KEY");
	if (!c->cvm_ca)
		return err_set(
			e, ERR_INVALID,
			"AGENT_CVM_CA_URL needs AGENT_CVM_GRPC_SERVER_CA_CERTS, by which the "
			"authority is known");
	failed = ca_place_read(c->ca_url, c->certs_token, c->cvm_id, &place, e);
	ca_place_wipe(&place);
	return failed;
}

static int judge(const struct config *c, struct err *e)
{
	int failed = cvm_id_check(c->cvm_id, e);

	if (failed)
		return failed;
	if (!c->cvm_url)
		return err_set(e, ERR_INVALID,
			       "AGENT_CVM_GRPC_URL is missing: the agent does not "
			       "know its computation service");
	if (rpc_target_check(c->cvm_url, e) < 0)
		return err_wrap(e, "AGENT_CVM_GRPC_URL");
	if (!c->cvm_cert != !c->cvm_key)
		return err_set(e, ERR_INVALID,
			       "AGENT_CVM_GRPC_CLIENT_CERT and "
			       "AGENT_CVM_GRPC_CLIENT_KEY go together");
	failed = pem_check(c, "AGENT_CVM_GRPC_CLIENT_CERT", c->cvm_cert, e);
	if (!failed)
		failed = pem_check(c, "AGENT_CVM_GRPC_CLIENT_KEY", c->cvm_key, e);
	if (!failed)
		failed = pem_check(c, "AGENT_CVM_GRPC_SERVER_CA_CERTS", c->cvm_ca, e);
	return failed ? failed : judge_authority(c, e);
}

int config_read(struct config *config, struct err *e)
{
	struct keyfile file = { 0 };
	const void *bytes = config->boot.files[BOOTCONFIG_ENVIRONMENT].bytes;
	size_t len = config->boot.files[BOOTCONFIG_ENVIRONMENT].len;
	const char *dir = config->options.config_dir;
	int failed;

	if (!bytes)
		return err_set(
			e, ERR_NOT_FOUND,
			"boot configuration: there is no file 'environment' in the folder of "
			"--config%s%s",
			dir ? ", " : "", dir ? dir : "");
	failed = keyfile_parse(bytes, len, &file, e);
	if (!failed)
		failed = settings_load(config_settings, config_settings_count, &file, NULL, config,
				       e);
	keyfile_done(&file);
	if (!failed)
		failed = judge(config, e);
	return failed ? err_wrap(e, "boot configuration") : 0;
}

static int read_cmdline(bool *word, struct err *e)
{
	CLEANUP(free) char *cmdline = NULL;
	int failed = file_read_text("/proc/cmdline", 65536, &cmdline, e);

	if (!failed)
		*word = config_has_word(cmdline, CONFIG_ROLE_SIGNATURE_WORD);
	return failed;
}

int config_load(const struct config_options *options, struct config *config, struct err *e)
{
	int failed;

	*config = (struct config){ .options = *options };
	config->in_image = access(CONFIG_IMAGE_MARKER, F_OK) == 0;
	if (config->in_image && options->development)
		return err_set(e, ERR_DENIED, "--development is refused inside an image");
	if (config->in_image && (options->tcti || options->tsm || options->securityfs))
		return err_set(e, ERR_DENIED,
			       "--tcti, --tsm and --securityfs are refused inside an image");
	if (options->tsm && !options->development)
		return err_set(e, ERR_DENIED, "--tsm needs --development");
	if (options->securityfs && !options->tcti)
		return err_set(e, ERR_INVALID, "--securityfs needs --tcti");
	config->role_signature = options->development;
	/* On any other machine the command line is not measured for us. */
	if (config->in_image && (failed = read_cmdline(&config->role_signature, e)))
		return failed;
	failed = bootconfig_read(options->config_dir, options->certs_dir, &config->boot, e);
	return failed ? failed : config_read(config, e);
}

void config_done(struct config *config)
{
	settings_done(config_settings, config_settings_count, config);
	bootconfig_done(&config->boot);
}
