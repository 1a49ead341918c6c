/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h — the table of checks: every one that a verdict can hold, with what it is good for.
 *
 * The rows are in checks_*.def, one file for each kind of evidence. Code names a check by its
 * identifier; its name, "stage.what", is for people and for what they write. The table is the source
 * of docs/checks.md and of 'cocos-cli attestation explain'.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Each list of rows, one after the other: what is done with them is CHECK's to say. */
#define CHECK(id, name, section, fault, attributes, means, without, remedy) CHECK_##id,
enum check_id {
#include "attestation/verdict/checks_receipt.def"
#include "attestation/verdict/checks_snp.def"
#include "attestation/verdict/checks_snp_policy.def"
#include "attestation/verdict/checks_tdx.def"
#include "attestation/verdict/checks_token.def"
#include "attestation/verdict/checks_tpm.def"
	CHECK_COUNT,
};
#undef CHECK

/* What it says of the evidence when a check fails, the graver the later. Exit statuses follow it. */
enum check_fault {
	FAULT_NONE,        /* of a yes */
	FAULT_UNWANTED,    /* not what the caller or the policy asks for; it may be genuine */
	FAULT_NOT_GENUINE, /* nobody who counts stands behind it, or it contradicts itself */
	FAULT_MALFORMED,   /* it can't be read */
};
/* "malformed", "not genuine", "unwanted"; of none, "". */
const char *check_fault_word(enum check_fault fault);

/* What code may decide by. */
enum check_attribute {
	CHECK_OF_REGISTERS = 1, /* a register's value: an event log may account for it */
	CHECK_FAMILY = 2,       /* one for each index: "policy.pcr16" is CHECK_POLICY_PCR, 16 */
};

struct check_row {
	const char *name;       /* "stage.what"; of a family without the index */
	const char *section;    /* of the specification, or NULL */
	enum check_fault fault; /* never none */
	unsigned attributes;    /* of enum check_attribute */
	const char *means;      /* what a pass says */
	const char *without;    /* who could do what if nobody made this check */
	const char *remedy;     /* what to do when it fails */
};

/* The row; `id` is one of the enum. */
const struct check_row *checks_row(enum check_id id);

/* The check of that name, as a verdict has it: "policy.pcr16" with its index, "policy.pcr" as well. */
bool checks_find(const char *name, enum check_id *id, unsigned *index);
