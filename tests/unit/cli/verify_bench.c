/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_bench.c — how long verify() alone takes: verify_bench FILE ROUNDS [remember|meet]
 *
 * With a third word, signatures that hold are remembered, as for the batch of a fleet; with 'meet' each call
 * is the first of its machine, whose certificate nobody has met, while CAs, lists and documents are known.
 * FILE has a row of `attestation validate --batch`. Prints microseconds of processor time for each call,
 * over evidence and endorsements that are in memory. Every answer has to be a yes.
 */
#include "cli/base/batch.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "tests/answers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int rounds;
static struct signatures *signatures;
static bool meets;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Strangers' machines push out ours. */
static void forget_machines(void)
{
	static uint8_t digest[SHA256_LEN];

	for (int i = 0; i < SIGNATURES_LEAVES_MAX; i++) {
		for (size_t k = 0; k < sizeof(digest) && ++digest[k] == 0; k++)
			;
		signatures_add(signatures, SIGNATURES_LEAVES, digest);
	}
}

static enum cli_exit row(struct cli *cli, struct err *e)
{
	static struct evidence_options options;
	static struct verify_result result;
	static struct verdict verdict;
	enum cli_exit status = CLI_OK;

	if (evidence_options_read(cli, cli->operands[0], &options, e) < 0)
		return CLI_FAILED;
	options.input.signatures = signatures;
	/* The first call is dearer. */
	if (verify_answer(&options.input, &verdict, &result, e) < 0) {
		evidence_options_done(&options);
		return CLI_FAILED;
	}
	double spent = 0;

	for (int i = 0; i < rounds && status == CLI_OK; i++) {
		if (meets)
			forget_machines();
		spent -= now();
		if (verify_answer(&options.input, &verdict, &result, e) < 0)
			status = CLI_FAILED;
		spent += now();
	}
	fprintf(cli->out, "%.1f\n", spent / rounds);
	evidence_options_done(&options);
	return status;
}

int main(int argc, char **argv)
{
	enum cli_exit status;
	struct err e = { 0 };
	struct cli cli;

	meets = argc == 4 && strcmp(argv[3], "meet") == 0;
	rounds = argc == 3 || meets || (argc == 4 && strcmp(argv[3], "remember") == 0)
			 ? (int)strtol(argv[2], NULL, 10)
			 : 0;
	if (rounds < 1) {
		fputs("verify_bench FILE ROUNDS [remember|meet]\n", stderr);
		return CLI_USAGE;
	}
	if (argc == 4 && signatures_new(&signatures, &e) < 0)
		return CLI_FAILED;
	cli_init(&cli, &cmd_attestation_validate);
	cli.out = stdout;
	status = batch_run(&cli, argv[1], row, &e);
	cli_done(&cli);
	signatures_free(signatures);
	return (int)status;
}
