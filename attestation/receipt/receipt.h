/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h — what an agent certifies of a computation once its results are packed (docs/receipt.md):
 * COSE_Sign1 (RFC 9052) by the journal's key over deterministic CBOR (RFC 8949, section 4.2), and
 * beside it what shows whose key that is: the run statement that names it, with the TEE's evidence.
 *
 * Reading and writing only: nothing here says that a receipt is true; see receipt_judge.h.
 */
#pragma once

#include "attestation/envelope/evidence_kind.h"
#include "attestation/formats/cose.h"
#include "attestation/journal/journal_head.h"
#include "common/base/span.h"

enum {
	RECEIPT_VERSION = 1,
	RECEIPT_VERSION_KEPT = 2, /* a dataset of it was kept of an earlier run */
	RECEIPT_MAX = 2 << 20,    /* bytes of a whole one */
	RECEIPT_PAYLOAD_MAX = JOURNAL_RECEIPT_MAX,
	RECEIPT_PROOF_MAX = RECEIPT_MAX - RECEIPT_PAYLOAD_MAX - 1024,
	RECEIPT_DATASETS_MAX = 256,
	RECEIPT_WHEELS_MAX = 512,
	RECEIPT_ARGS_MAX = 256,
	RECEIPT_IMAGE_MAX = 48, /* bytes of a measurement */
	RECEIPT_SALT_LEN = 32,
	RECEIPT_OPENING_MAX = 128,
	/* Of headers; RFC 9052, section 11.1: for private use. */
	RECEIPT_LABEL_PROOF = -65537,
	RECEIPT_LABEL_OPENING = -65538,
};

/* The payload's map; all keys are there, in order. */
enum receipt_key {
	RECEIPT_KEY_VERSION = 0,
	RECEIPT_KEY_COMPUTATION = 1,  /* text */
	RECEIPT_KEY_MANIFEST = 2,     /* SHA3-256 of the canonical manifest */
	RECEIPT_KEY_RESULTS = 3,      /* receipt_commit() of the header RECEIPT_LABEL_OPENING */
	RECEIPT_KEY_ALGORITHM = 4,    /* [SHA3-256, type, owner] */
	RECEIPT_KEY_REQUIREMENTS = 5, /* SHA3-256 of what came in their place, or null */
	RECEIPT_KEY_WHEELS = 6,       /* [[file name, SHA-256], …] */
	/* [[name, SHA3-256, owner], …] in the manifest's order; of a kept one [name, SHA3-256, owner,
	 * [leave, SHA3-256 of the manifest that it was given for]] */
	RECEIPT_KEY_DATASETS = 7,
	RECEIPT_KEY_ARGUMENTS = 8, /* [text, …] */
	RECEIPT_KEY_LIMITS = 9,    /* [memory, processes, results, scratch, time, processor] */
	RECEIPT_KEY_EXIT = 10,     /* exit status */
	RECEIPT_KEY_IMAGE = 11,    /* [kind of evidence, measurement] */
	RECEIPT_KEY_JOURNAL = 12,  /* [count, digest] of its head, or null */
	RECEIPT_KEY_STARTED = 13,  /* seconds since 1970, by the machine's clock */
	RECEIPT_KEY_ENDED = 14,
	RECEIPT_KEY_PROOF = 15, /* SHA-256 of the header RECEIPT_LABEL_PROOF */
	RECEIPT_KEYS = 16,
};

/* Owners are SHA3-256 of the SubjectPublicKeyInfo that the manifest names. */
struct receipt_dataset {
	const char *name; /* "" where the manifest has none */
	uint8_t digest[SHA3_256_LEN], owner[SHA3_256_LEN];
	const char *
		leave; /* "retry" or "algorithm", by which it was used again; NULL: its owner sent it */
	uint8_t kept_of[SHA3_256_LEN]; /* the manifest of the run that he sent it in */
};

/* A receipt's last moment: the end of the year 9999. */
#define RECEIPT_TIME_MAX UINT64_C(253402300799)

struct receipt_wheel {
	const char *name;
	uint8_t sha256[SHA256_LEN];
};

struct receipt_results {
	uint64_t size;
	uint8_t sha256[SHA256_LEN], sha3_256[SHA3_256_LEN];
};

/* What results.zip is, and 32 random bytes: without these nobody who holds the receipt alone can try
 * which results it is of. Consumers have it beside their receipt, others don't. */
struct receipt_opening {
	uint8_t salt[RECEIPT_SALT_LEN];
	struct receipt_results results;
};

/* As the run had them; 0 where there was none. */
struct receipt_limits {
	uint64_t memory, processes, results, scratch, time_ms, processor;
};

/* Who the signer is; spans of the caller's, or of the parsed receipt. */
struct receipt_proof {
	struct span statement; /* run_statement.h; names the journal's key */
	struct span evidence;  /* over it (binding.h, form RUN), with its certificates */
	struct span log;       /* the platform's event log at that moment; empty: none */
};

/* When writing, texts, arrays and spans are the caller's; of a parsed one they are its own, but for
 * spans, which lead into the bytes that were parsed. */
struct receipt {
	const char *computation;
	uint8_t manifest[SHA3_256_LEN];
	uint8_t results[SHA3_256_LEN]; /* a commitment */
	const char *algorithm_type;    /* "bin", "python", … */
	uint8_t algorithm[SHA3_256_LEN], algorithm_owner[SHA3_256_LEN];
	bool has_requirements;
	uint8_t requirements[SHA3_256_LEN];
	struct receipt_wheel *wheels;
	struct receipt_dataset *datasets;
	const char **args;
	size_t wheel_count, dataset_count, arg_count;
	struct receipt_limits limits;
	int64_t exit;
	enum evidence_kind platform;
	uint8_t image
		[RECEIPT_IMAGE_MAX]; /* measurement of SEV-SNP, MRTD of TDX; of a TPM alone none */
	size_t image_len;
	bool has_journal;
	struct journal_head journal;
	uint64_t started, ended;
	uint8_t proof_digest[SHA256_LEN];
	struct receipt_proof proof;

	/* Of a parsed one. */
	bool is_open; /* its opening is there, and the commitment's */
	struct receipt_opening opening;
	struct cose cose;
	struct span proof_bytes; /* the whole header */
	struct datum *payload_tree, *proof_tree;
	char *texts;
};

struct writer;

/* RECEIPT_VERSION_KEPT of one that names a kept dataset, and of no other. */
unsigned receipt_version(const struct receipt *r);

/* The header of the proof, to which `proof_digest` belongs; and what the journal's key has to sign. */
int receipt_proof_write(const struct receipt_proof *proof, struct writer *out,
			struct err *e) MUST_CHECK;
int receipt_payload_write(const struct receipt *r, struct writer *out, struct err *e) MUST_CHECK;

/* The header of the opening; and its commitment, SHA3-256 of "cocos-receipt-results-v1" 00 ‖ these bytes. */
int receipt_opening_write(const struct receipt_opening *opening, struct writer *out,
			  struct err *e) MUST_CHECK;
int receipt_commit(struct span opening, uint8_t commitment[SHA3_256_LEN], struct err *e) MUST_CHECK;

/* The receipt: the signed message, as keeper_receipt() made it, with the proof, and with the opening unless
 * that is empty. */
int receipt_put(struct span signed_message, struct span proof, struct span opening,
		struct writer *out, struct err *e) MUST_CHECK;

/* Of an open file, whose position stays as it is. Blocks. */
int receipt_results_of(int fd, struct receipt_results *results, struct err *e) MUST_CHECK;

/* The measurement that evidence of that kind has, RECEIPT_IMAGE_MAX bytes at most; `*len` 0 for kinds
 * without one. Nothing is verified. */
int receipt_image(enum evidence_kind kind, struct span evidence, uint8_t image[RECEIPT_IMAGE_MAX],
		  size_t *len, struct err *e) MUST_CHECK;

/* Exactly the form above, in the one encoding that these functions make, and no opening but the
 * commitment's; no signature, and not whether the proof is the payload's. receipt_done() frees; the bytes must outlive it. */
int receipt_parse(const void *bytes, size_t len, struct receipt *r, struct err *e) MUST_CHECK;
void receipt_done(struct receipt *r);
