/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h — the process that holds the TPM (and later TEE device and keys), as the agent sees it.
 *
 * The keeper is this program again with the hidden first argument "keeper". It answers a fixed
 * table of requests over SOCK_SEQPACKET; this is the client, on the agent's loop. All callbacks
 * come on the loop, never from within the call, and each exactly once unless the keeper is freed.
 *
 * What is measured (architecture.md; wire.md, Manifest digest and PCR16): three events, in this
 * order: boot configuration (once), then for each computation agent configuration and manifest.
 * Bank SHA-256 is extended with the SHA3-256 of the event's bytes, bank SHA-384 with their
 * SHA3-384; all three go into PCR14, the manifest also into PCR16, which is reset just before, so
 * that it always stands for this manifest alone. Every register is read back and compared.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { KEEPER_PCR_EVENTS = 14, KEEPER_PCR_MANIFEST = 16 };
enum { KEEPER_EVENTS_MAX = 1024 };

enum keeper_event { KEEPER_EVENT_BOOT, KEEPER_EVENT_CONFIG, KEEPER_EVENT_MANIFEST };

/* "boot-configuration", "agent-configuration", "manifest". */
const char *keeper_event_name(enum keeper_event event);

struct keeper_options {
	/* How to reach the TPM, as tpm2-tss writes it ("swtpm:host=127.0.0.1,port=2321"). NULL:
	 * /dev/tpmrm0, else /dev/tpm0. Comes from the command line only. */
	const char *tcti;
	/* There is no TPM and that is as it should be (--development). Never inferred. */
	bool without_tpm;
	const char *program; /* to run as keeper; NULL: this one */
};

struct keeper;

/* Starts the process. It has tried nothing yet: see keeper_check(). */
int keeper_start(uv_loop_t *loop, const struct keeper_options *options, struct keeper **keeper,
		 struct err *e) MUST_CHECK;

/* Ends the process and frees the handle; callbacks that are due do not come any more. */
void keeper_free(struct keeper *keeper);
DEFINE_CLEANUP(struct keeper *, keeper_free)

/* Called once if the process ends by itself; every request that waits fails first. */
void keeper_on_death(struct keeper *keeper, void (*died)(void *data), void *data);

/* `measured` is true when the registers hold the event, false for "not measured (development)",
 * which only a keeper that was started without_tpm ever says. `e` is NULL when all went well. */
typedef void keeper_measured_fn(void *data, bool measured, const struct err *e);

/* Is the TPM there, with both banks active? ERR_UNAVAILABLE when the keeper can't be asked. */
int keeper_check(struct keeper *keeper, keeper_measured_fn *done, void *data,
		 struct err *e) MUST_CHECK;

/* Measures one event of `len` bytes (hashed here, in both ways). An event out of order, or the
 * boot configuration twice, is ERR_PRECONDITION and leaves the registers alone. */
int keeper_measure(struct keeper *keeper, enum keeper_event event, const void *bytes, size_t len,
		   keeper_measured_fn *done, void *data, struct err *e) MUST_CHECK;

/* What the keeper has extended, in order, oldest first: the agent's own event log. */
struct keeper_log_entry {
	uint32_t pcr; /* KEEPER_PCR_… */
	enum keeper_event event;
	uint8_t sha256_bank[32], sha384_bank[48]; /* what the banks were extended with */
};
typedef void keeper_log_fn(void *data, const struct keeper_log_entry *entries, size_t count,
			   const struct err *e);
int keeper_log(struct keeper *keeper, keeper_log_fn *done, void *data, struct err *e) MUST_CHECK;

/* The program's other half: serves the socket on descriptor 3 until it closes. For main(), when
 * argv[1] is "keeper". Returns the exit code. */
int keeper_main(int argc, char **argv);
