/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cocos-teesim — simulated SEV-SNP and TDX hardware behind the kernel's own interfaces, for tests
 * and development images. Nothing that it signs is evidence of anything.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "tests/forge/firmware.h"
#include "tests/teesim/boot.h"
#include "tests/teesim/fs.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"cocos-teesim serve [--launch FILE] [--keys DIR] [--faults FILE] FOLDER\n"
	"    mounts FOLDER/report and, for TDX, FOLDER/measurements; says 'ready', serves until "
	"SIGTERM\n"
	"cocos-teesim endorse [--launch FILE] --keys DIR FOLDER\n"
	"    writes what a verifier of that machine's evidence needs\n"
	"cocos-teesim firmware FILE\n"
	"    writes an image that says where an SNP launch goes, and runs nothing\n"
	"--launch FILE  what the hardware knows of the launch (default: fw_cfg's " TEESIM_FW_CFG
	")\n"
	"--keys DIR     the simulated vendors' keys, made when they are missing\n"
	"--faults FILE  how it misbehaves, read again for each report: one word per line\n";

struct options {
	const char *launch, *keys, *faults, *folder;
};

static int run_endorse(const struct options *o, struct facts *facts, struct vendor *vendor,
		       struct err *e)
{
	if (!o->keys)
		return err_set(e, ERR_INVALID, "endorse: --keys is missing");
	return vendor_endorse(vendor, facts, o->folder, e);
}

static int say_ready(void *data, struct err *e)
{
	const struct options *o = data;

	log_info("SIMULATED hardware, ready at '%s'", o->folder);
	return 0;
}

static int run_serve(const struct options *o, struct facts *facts, struct vendor *vendor,
		     struct err *e)
{
	struct device device;
	struct tsm tsm;
	int failed = device_open(&device, facts, o->keys ? vendor : NULL, o->faults, e);

	if (!failed) {
		tsm_init(&tsm, &device);
		failed = fs_serve(&tsm, o->folder, say_ready, (void *)(uintptr_t)o, e);
		tsm_done(&tsm);
	}
	device_done(&device);
	return failed;
}

static int run_firmware(const struct options *o, struct facts *facts, struct vendor *vendor,
			struct err *e)
{
	uint8_t image[FORGE_FIRMWARE_LEN];

	forge_firmware(image);
	return file_write(o->folder, image, sizeof(image), 0644, e);
}

static const struct {
	const char *name;
	bool plain; /* needs no facts */
	int (*run)(const struct options *o, struct facts *facts, struct vendor *vendor,
		   struct err *e);
} commands[] = {
	{ "serve", false, run_serve },
	{ "endorse", false, run_endorse },
	{ "firmware", true, run_firmware },
};

static int run(size_t command, const struct options *o, struct err *e)
{
	CLEANUP_FACTS struct facts facts = { 0 };
	CLEANUP_VENDOR struct vendor vendor = { 0 };

	if ((!commands[command].plain && facts_load(o->launch, &facts, e) < 0) ||
	    (o->keys && vendor_open(&vendor, o->keys, e) < 0))
		return err_code(e);
	return commands[command].run(o, &facts, &vendor, e);
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = { { "launch", required_argument, NULL, 'l' },
					       { "keys", required_argument, NULL, 'k' },
					       { "faults", required_argument, NULL, 'f' },
					       { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->launch = optarg;
			break;
		case 'k':
			o->keys = optarg;
			break;
		case 'f':
			o->faults = optarg;
			break;
		default:
			return false;
		}
	}
	o->folder = optind + 1 == argc ? argv[optind] : NULL;
	return o->folder;
}

int main(int argc, char **argv)
{
	struct options o = { .launch = TEESIM_FW_CFG };
	struct err e;

	if (argc > 0 && strcmp(argv[0], "cocos-agent") == 0)
		return boot(argv);
	log_open("cocos-teesim");
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!parse(argc - 1, argv + 1, &o))
			break;
		if (run(i, &o, &e) == 0)
			return EXIT_SUCCESS;
		log_error("%s", e.text);
		return EXIT_FAILURE;
	}
	fputs(usage, stderr);
	return 2;
}
