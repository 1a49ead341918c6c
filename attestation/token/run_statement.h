/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_statement.h — what an agent says, once, of the run that it was launched for: deterministic CBOR
 * (RFC 8949, section 4.2), over which the TEE is asked for evidence (binding.h, form RUN).
 *
 * Whoever verifies that evidence knows that code of that measurement said this. The map's keys are
 * the numbers of enum run_key; all of them are there, in order.
 */
#pragma once

#include "common/base/datum.h"
#include "common/crypto/digest.h"

enum {
	RUN_VERSION = 1,
	RUN_STATEMENT_MAX = 65536,
	RUN_ENTRIES_MAX = 64,
	RUN_WORDS_MAX = 16,
	RUN_SALT_LEN = 16,
};

enum run_key {
	RUN_KEY_VERSION = 0,
	RUN_KEY_COMPUTATION = 1,  /* text */
	RUN_KEY_BOOT = 2,         /* SHA3-256 of the boot configuration (common/bootconfig.h) */
	RUN_KEY_AGENT_CONFIG = 3, /* SHA3-256 of the canonical agent configuration */
	RUN_KEY_MANIFEST = 4,     /* SHA3-256 of the canonical manifest */
	RUN_KEY_ENTRIES = 5,      /* {key: value | [salt, SHA-256(salt ‖ value)]} */
	RUN_KEY_FIXED = 6, /* the boot configuration was fixed at launch (HOST_DATA, MRCONFIGID) */
	RUN_KEY_IDENTITY = 7, /* SPKI of the identity key */
	RUN_KEY_EXTERNAL = 8, /* it was supplied from outside */
	RUN_KEY_JOURNAL = 9,  /* SPKI of the journal's key, or null */
	RUN_KEY_WEAK = 10,    /* weakening words of the command line, array of text */
};

/* A value of the boot configuration; a secret shows only its salted digest. */
struct run_entry {
	const char *key;
	const char *value; /* NULL for a secret */
	uint8_t salt[RUN_SALT_LEN], digest[SHA256_LEN];
};

/* Texts and bytes are the caller's when writing; of a parsed statement they are its own. */
struct run_statement {
	const char *computation;
	uint8_t boot[SHA3_256_LEN], agent_config[SHA3_256_LEN], manifest[SHA3_256_LEN];
	struct run_entry entries[RUN_ENTRIES_MAX];
	size_t entry_count;
	bool fixed, external;
	const uint8_t *identity, *journal; /* journal NULL if there is none */
	size_t identity_len, journal_len;
	const char *weak[RUN_WORDS_MAX];
	size_t weak_count;
	void *memory; /* of a parsed one */
};

struct writer;

/* Entries sorted by key, as RFC 8949 orders text keys; the caller may have them in any order. */
int run_statement_write(const struct run_statement *statement, struct writer *w,
			struct err *e) MUST_CHECK;

/* Exactly the form above: every key, right types and lengths, the one encoding that
 * run_statement_write() makes. run_statement_done() frees. */
int run_statement_parse(const uint8_t *bytes, size_t len, struct run_statement *statement,
			struct err *e) MUST_CHECK;
void run_statement_done(struct run_statement *statement);
