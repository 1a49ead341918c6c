/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h — what the agent is told at its start: its command line, which in the image is
 * measured, and the boot configuration, which comes from the untrusted host.
 *
 * The boot configuration never becomes the environment of any process, and no value in it
 * switches a check off: what weakens anything is a word on the command line.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/settings.h"
#include "common/manifest/bootconfig.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_IMAGE_MARKER        "/etc/cocos-image" /* our image has it, nothing else does */
#define CONFIG_ROLE_SIGNATURE_WORD "cocos.role_signature"

/* With "/computation/datasets/" and a name of 255 bytes behind it below PATH_MAX. */
enum { CONFIG_WORK_MAX = 3800 };

struct config_options {
	const char *config_dir, *certs_dir, *work_dir;
	const char *tcti, *tsm, *securityfs; /* NULL: the machine's own; never in an image */
	bool development;
	int keeper; /* socket of the one that was started with the image's users; 0: none */
};

struct config {
	struct config_options options;
	bool in_image;
	bool role_signature; /* the older signature is taken */

	/* From `environment`. NULL: absent. */
	char *log_level, *cvm_id, *grpc_host;
	char *cvm_url, *cvm_cert, *cvm_key, *cvm_ca;
	uint64_t cvm_timeout_ms;
	char *ca_url, *certs_token, *os_build, *os_distro, *os_type, *maa_url;
	char *aws_access_key_id, *aws_secret_access_key, *aws_endpoint_url, *aws_region;
	char *pip_index_url;
	uint64_t vmpl;
	uint64_t asset_max; /* bytes of one upload */
	uint64_t run_memory, run_processes, run_results, run_scratch;
	uint64_t run_time_ms, run_processor; /* percent of one processor */

	struct bootconfig boot; /* the bytes that all of this came from */
};

/* `args` as main() has them. Returns 1 when --help or --version was answered on `out`. */
int config_options_parse(int argc, char **argv, struct config_options *options, FILE *out,
			 struct err *e) MUST_CHECK;

/* The settings of `boot` alone, which is kept. Refused: unknown keys by name, bad values, paths of
 * certificates that are not among the three measured files, a client certificate without its key, an
 * authority without its token, without ca.pem or beside a client certificate (ca_place.h),
 * an AGENT_CVM_ID that is no metadata, no AGENT_CVM_GRPC_URL. config_done() in any case. */
int config_read(struct config *config, struct err *e) MUST_CHECK;

/* The whole: shares, image marker, kernel command line. --development and
 * named devices are refused in the image, --tsm without --development and --securityfs without
 * --tcti everywhere. */
int config_load(const struct config_options *options, struct config *config,
		struct err *e) MUST_CHECK;
void config_done(struct config *config);

/* Does this kernel command line have the word? Separated by white space, never a part of one. */
bool config_has_word(const char *cmdline, const char *word);

/* The measured bytes behind a path of AGENT_CVM_GRPC_…, as PEM text; NULL for NULL. */
const char *config_pem(const struct config *config, const char *path);

extern const struct setting config_settings[];
extern const size_t config_settings_count;
