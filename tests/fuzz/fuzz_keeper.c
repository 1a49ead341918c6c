/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's requests in any order, as an agent that was taken over might send them. Input: a byte
 * for the machine, then type(1) length(2) content, repeated; type 0 is no request but the firmware's
 * event log, as the host wrote it.
 *
 * The machine has no devices: a stand-in answers for the TEE, with a report over what the keeper
 * asked for. A TPM there is none (swtpm's tests have one).
 */
#include "agent/keeper/keeper_state.h"
#include "attestation/provider/provider_rtmr.h"
#include "attestation/snp/snp_report.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Bits of the first byte. */
enum {
	HAS_TEE = 1,
	IS_TDX = 2,
	HAS_RTMR = 4,   /* of TDX */
	HAS_FIXED = 8,  /* the launch fixed a boot configuration, of zeros and ones */
	IS_OLD = 16,    /* the kernel does not tell what was fixed */
	IS_BROKEN = 32, /* the device fails */
	IS_DEVELOPMENT = 64,
	HAS_DEVICES = 128, /* looked for rather than given: there are none */
};

static uint8_t machine;
static uint8_t asked[PROVIDER_REPORT_DATA_LEN];
static char folder[] = "/dev/shm/fuzz-keeper-XXXXXX";
static bool is_ready;
static bool has_run; /* since the last computation began */

static int collect(const struct provider_options *options,
		   const uint8_t report_data[PROVIDER_REPORT_DATA_LEN], struct provider_report *out,
		   struct err *e)
{
	if (machine & IS_BROKEN)
		return err_set(e, ERR_UNAVAILABLE, "no device");
	memcpy(asked, report_data, sizeof(asked));
	out->len = SNP_REPORT_LEN;
	out->report = calloc(1, out->len);
	assert(out->report);
	memcpy(out->report + 0x50, report_data, sizeof(asked));
	return 0;
}

static int launch(const struct provider_options *options,
		  const uint8_t report_data[PROVIDER_REPORT_DATA_LEN], struct provider_launch *out,
		  struct err *e)
{
	if ((machine & IS_BROKEN) && (machine & IS_OLD))
		return err_set(e, ERR_UNAVAILABLE, "no device");
	out->len = machine & IS_OLD ? 0 : machine & IS_TDX ? 48 : 32;
	memset(out->bytes, machine & HAS_FIXED ? 1 : 0, sizeof(out->bytes));
	return 0;
}

static int probe(const struct provider_options *options, struct err *e)
{
	return 0;
}

static const struct provider tees[] = {
	{ "a stand-in for SEV-SNP", EVIDENCE_SNP, probe, collect, launch },
	{ "a stand-in for TDX", EVIDENCE_TDX, probe, collect, launch },
};

static void put_file(const char *name, const uint8_t *bytes, size_t len)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert(file_write(path, bytes, len, 0600, &e) == 0);
}

static void remove_folder(void)
{
	struct err ignored;

	(void)!dir_remove(folder, &ignored);
}

static void set_up(void)
{
	char path[128];

	assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tpm0", folder);
	assert(mkdir(path, 0700) == 0 && atexit(remove_folder) == 0);
	log_set(LOG_LEVEL_ERROR);
	is_ready = true;
}

static void boot(struct keeper_state *state)
{
	static const uint8_t zeros[RTMR_LEN];

	has_run = false;
	state->development = machine & IS_DEVELOPMENT;
	state->securityfs = folder;
	keeper_state_init(state);
	put_file("rtmr3:sha384", zeros, machine & IS_BROKEN ? 1 : sizeof(zeros));
	if (machine & HAS_DEVICES) { /* what is looked for is looked for there */
		state->tsm = machine & IS_TDX ? folder : NULL; /* one that was promised */
		state->development = true;
		return;
	}
	state->looked = true;
	state->options.paths.measurements = folder;
	state->tee = machine & HAS_TEE ? &tees[machine & IS_TDX ? 1 : 0] : NULL;
	state->has_rtmr = (machine & HAS_TEE) && (machine & IS_TDX) && (machine & HAS_RTMR);
}

/* The logs, told to whom they are for. */
static void tell_logs(const struct keeper_state *state, struct reader *firmware)
{
	static const enum evidence_kind kinds[] = { EVIDENCE_SNP, EVIDENCE_TDX, EVIDENCE_VTPM };
	size_t len = reader_left(firmware);

	put_file("tpm0/binary_bios_measurements", reader_take(firmware, len), len);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP_WRITER struct writer whole = writer_up_to(KEEPER_LOG_MAX);
		CLEANUP_WRITER struct writer own = writer_up_to(KEEPER_LOG_MAX);
		struct err e;

		assert(keeper_write_logs(state, kinds[i], &whole, &own, &e) == 0);
		assert(kinds[i] != EVIDENCE_SNP || (!whole.len && !own.len));
	}
}

/* Evidence is only ever over report data of one of the forms, never over what the agent sent. */
static void check_evidence(const struct keeper_state *state, const struct writer *out,
			   const uint8_t *content, size_t len)
{
	assert(state->tee && state->booted && state->identity_len && out->len > SNP_REPORT_LEN);
	assert(len < sizeof(asked) || memcmp(asked, content, sizeof(asked)) != 0);
}

static void ask(struct keeper_state *state, uint8_t type, struct reader in)
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	const uint8_t *content = in.pos;
	size_t len = reader_left(&in);
	bool evidence = type == KEEPER_RUN || type == KEEPER_CHANNEL || type == KEEPER_NONCE;
	bool tpm = type == KEEPER_IMA || type == KEEPER_ENDORSEMENT || type == KEEPER_ACTIVATE;
	struct err e;
	int failed = keeper_dispatch(state, type, &in, &out, &e);

	assert(failed || !tpm);
	/* Nothing is signed but under evidence of this computation, where there is any. */
	if (type == KEEPER_MEASURE_CONFIG)
		has_run = false;
	else if (type == KEEPER_RUN && !failed)
		has_run = true;
	assert(failed || !(type == KEEPER_JOURNAL_SIGN || type == KEEPER_RECEIPT) || has_run ||
	       !state->tee);
	if (!failed && evidence)
		check_evidence(state, &out, content, len);
	assert(!state->identity_len || state->own_len);
	assert(!state->fixed || (machine & HAS_FIXED));
	assert(!state->journal_key == !state->journal_len &&
	       state->receipts <= KEEPER_RECEIPTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) struct keeper_state *state = calloc(1, sizeof(*state));
	struct reader all = reader_over(bytes, len);

	if (!is_ready)
		set_up();
	if (!state)
		return 0;
	machine = reader_u8(&all);
	boot(state);
	while (reader_ok(&all) && reader_left(&all) >= 3) {
		uint8_t type = reader_u8(&all);
		struct reader in = reader_sub(&all, reader_be16(&all));

		if (!reader_ok(&all))
			break;
		if (type == 0)
			tell_logs(state, &in);
		else
			ask(state, type, in);
	}
	keeper_journal_end(state);
	return 0;
}
