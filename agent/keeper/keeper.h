/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h — the process that holds TEE device and TPM, as the agent sees it.
 *
 * The keeper is this program again with the hidden first argument "keeper". It answers a fixed
 * table of requests over SOCK_SEQPACKET; this is the client, on the agent's loop. All callbacks
 * come on the loop, never from within the call, and each exactly once unless the keeper is freed.
 *
 * What is measured (architecture.md; wire.md, Manifest digest and PCR16): three events, in this
 * order: boot configuration (once), then for each computation agent configuration and manifest.
 * Bank SHA-256 is extended with the SHA3-256 of the event's bytes, bank SHA-384 with their
 * SHA3-384; all three go into PCR14, the manifest also into PCR16, which is reset just before, so
 * that it always stands for this manifest alone. Under TDX the SHA3-384 also goes into RTMR3. Every
 * register is read back and compared. SEV-SNP has none: there the run statement's evidence is what
 * vouches for the events.
 *
 * Evidence is made in three forms and no other (binding.h): what a caller sends is hashed under the
 * form's name, with the identity key inside, by the keeper itself.
 */
#pragma once

#include "agent/keeper/keeper_log.h"
#include "attestation/journal/journal_head.h"
#include "attestation/token/binding.h"
#include "attestation/token/eat.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Texts come from the command line only. */
struct keeper_options {
	/* How to reach the TPM, as tpm2-tss writes it ("swtpm:host=127.0.0.1,port=2321"). NULL:
	 * /dev/tpmrm0, else /dev/tpm0. */
	const char *tcti;
	/* A folder with report/, measurements/, sev-guest as the kernel has them at …/config/tsm,
	 * below the TDX guest's device, and in /dev. NULL: the kernel's own. */
	const char *tsm;
	/* As /sys/kernel/security; NULL: that, unless a TPM is named. */
	const char *securityfs;
	/* --development: only what is named above is looked for, and nothing at all is fine. */
	bool development;
	unsigned int vmpl;   /* of SEV-SNP reports; 0: the lowest that this guest may name */
	const char *program; /* to run as keeper; NULL: this one */
	int sock; /* of one that runs already, which takes none of the other options but vmpl; 0:
		   * it is started */
};

struct keeper;

/* Starts the process, or takes the socket of one. It has tried nothing yet: see keeper_check(). */
int keeper_start(uv_loop_t *loop, const struct keeper_options *options, struct keeper **keeper,
		 struct err *e) MUST_CHECK;

/* Ends the process and frees the handle; callbacks that are due do not come any more. */
void keeper_free(struct keeper *keeper);
DEFINE_CLEANUP(struct keeper *, keeper_free)

/* Called once if the process ends by itself; every request that waits fails first. */
void keeper_on_death(struct keeper *keeper, void (*died)(void *data), void *data);

/* `measured` is true when registers or the TEE vouch for the event, false for "not measured
 * (development)", which only a keeper that was started with `development` says. `e` is NULL when
 * all went well. */
typedef void keeper_measured_fn(void *data, bool measured, const struct err *e);

/* What does this machine have? Looked for once. A TPM has to have both banks active. ERR_UNAVAILABLE
 * when the keeper can't be asked. Fills keeper_facts(). */
int keeper_check(struct keeper *keeper, keeper_measured_fn *done, void *data,
		 struct err *e) MUST_CHECK;

/* What the answers said so far. */
struct keeper_facts {
	enum evidence_kind platform; /* of this machine's evidence; EVIDENCE_NONE: it has none */
	bool fixed;     /* the boot configuration is the one that was fixed at launch */
	char text[256]; /* for people: "SEV-SNP by configfs-tsm; …" */
};
const struct keeper_facts *keeper_facts(const struct keeper *keeper);

/* The identity's SubjectPublicKeyInfo, which all evidence binds: once, before the boot
 * configuration. */
int keeper_identity(struct keeper *keeper, const uint8_t *spki, size_t len,
		    keeper_measured_fn *done, void *data, struct err *e) MUST_CHECK;

/* Measures one event of `len` bytes (hashed here, in both ways). An event out of order, or the
 * boot configuration twice, is ERR_PRECONDITION and leaves the registers alone. A boot configuration
 * that is not the one which the launch fixed (HOST_DATA, MRCONFIGID) is ERR_DENIED. */
int keeper_measure(struct keeper *keeper, enum keeper_event event, const void *bytes, size_t len,
		   keeper_measured_fn *done, void *data, struct err *e) MUST_CHECK;

/* The agent's own event log, oldest first. */
typedef void keeper_log_fn(void *data, const struct keeper_log_entry *entries, size_t count,
			   const struct err *e);
int keeper_log(struct keeper *keeper, keeper_log_fn *done, void *data, struct err *e) MUST_CHECK;

/* ---- evidence ---- */

/* As the hardware made it. Spans are lent until the callback returns; empty where there is none. */
struct keeper_evidence {
	enum evidence_kind platform;
	struct span raw;        /* of SNP with the host's certificates behind; attest.Attestation */
	struct span tee_report; /* of SNP with a TPM: the report that binds the TPM */
	struct span nonce;      /* TPM nonce of the form: the token's eat_nonce */
	struct span log;        /* the firmware's event log and the agent's behind it */
	struct span own_log;    /* the agent's alone */
};
typedef void keeper_evidence_fn(void *data, const struct keeper_evidence *evidence,
				const struct err *e);

/* Form RUN, once after each manifest. The keeper compares the statement with what it measured and
 * with the identity (which it takes from the statement if that says `external`); ERR_DENIED if they
 * differ. */
int keeper_run(struct keeper *keeper, const uint8_t *statement, size_t len,
	       keeper_evidence_fn *done, void *data, struct err *e) MUST_CHECK;

/* Form CHANNEL; `hash` is SHA-256 or SHA-384. Not before RUN, nor after the next manifest's
 * configuration until its RUN. */
int keeper_channel(struct keeper *keeper, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], keeper_evidence_fn *done,
		   void *data, struct err *e) MUST_CHECK;

/* Form NONCE; ERR_UNAVAILABLE for a type that this machine lacks. */
int keeper_nonce(struct keeper *keeper, const struct binding_nonce *nonce, keeper_evidence_fn *done,
		 void *data, struct err *e) MUST_CHECK;

/* ---- other questions ---- */

enum { KEEPER_PARTS_MAX = 4 };
typedef void keeper_parts_fn(void *data, const struct span *parts, size_t count,
			     const struct err *e);

/* The kernel's IMA log (binary_runtime_measurements) and PCR10, SHA-256, which it came to. */
int keeper_ima(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e) MUST_CHECK;

/* TPMT_PUBLIC of AK, its certificate, TPMT_PUBLIC of EK, its certificate; certificates may be
 * empty. */
int keeper_endorsement(struct keeper *keeper, keeper_parts_fn *done, void *data,
		       struct err *e) MUST_CHECK;

/* TPM2_ActivateCredential with that AK and EK; the secret. */
int keeper_activate(struct keeper *keeper, struct span blob, struct span secret,
		    keeper_parts_fn *done, void *data, struct err *e) MUST_CHECK;

/* ---- the journal (attestation/journal/journal_head.h) ---- */

/* Makes the key of this computation's journal: once after its manifest was measured and before RUN,
 * whose statement then has to name it. One part: its SubjectPublicKeyInfo. It ends with the next
 * computation, or the final head. */
int keeper_journal_key(struct keeper *keeper, keeper_parts_fn *done, void *data,
		       struct err *e) MUST_CHECK;

/* Brings the journal's head forward by the SHA-256 of 1 to JOURNAL_BATCH_MAX further entries and signs
 * it. One part: the signed head. After a `final` one the key is gone. Before keeper_run() has succeeded nothing
 * is signed, but where the machine makes no evidence (keeper_facts()->platform is EVIDENCE_NONE). */
int keeper_journal_sign(struct keeper *keeper, const uint8_t (*entries)[SHA256_LEN], size_t count,
			bool final, keeper_parts_fn *done, void *data, struct err *e) MUST_CHECK;

/* Signs what a receipt says, 1 to JOURNAL_RECEIPT_MAX bytes, with the journal's key: a COSE_Sign1 with
 * content type JOURNAL_RECEIPT_TYPE and external data JOURNAL_RECEIPT_AAD. One part: that.
 * KEEPER_RECEIPTS_MAX for each computation, after its RUN as the heads, and before the final one. */
int keeper_receipt(struct keeper *keeper, const uint8_t *payload, size_t len, keeper_parts_fn *done,
		   void *data, struct err *e) MUST_CHECK;

/* The program's other half: serves the socket on descriptor 3 until it closes. For main(), when
 * argv[1] is "keeper". Returns the exit code. */
int keeper_main(int argc, char **argv);
