/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_kind.h — the kinds of evidence and what each is called: on the wire, in a token, by
 * people. The one list of them; what a kind is judged, shown or made by stands in tables beside that
 * code, which are indexed by this enum and refuse where they have no entry.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose report says what runs. */
enum tee { TEE_NONE, TEE_SNP, TEE_TDX, TEES };

/* clang-format off */
/* K(id, name, type, platform, tee, tpm); what each column is, struct evidence_kind_row says. */
#define EVIDENCE_ASKED(K)                                       \
	K(SNP,      "snp",         0, "SNP",      TEE_SNP,  false) \
	K(TDX,      "tdx",         4, "TDX",      TEE_TDX,  false) \
	K(VTPM,     "vtpm",        1, "vTPM",     TEE_NONE, true)  \
	K(SNP_VTPM, "snp-vtpm",    2, "SNP-vTPM", TEE_SNP,  true)

/* Those, which an agent is asked for, and what is only judged. */
#define EVIDENCE_HARDWARE(K)                                    \
	EVIDENCE_ASKED(K)                                          \
	K(TDX_VTPM, "tdx-vtpm",   -1, NULL,       TEE_TDX,  true)

/* A token of any of these; a token of Azure's service; and that there is none. */
#define EVIDENCE_OTHER(K)                                       \
	K(EAT,      "eat",        -1, NULL,       TEE_NONE, false) \
	K(AZURE,    "azure-token", 3, "Azure",    TEE_NONE, false) \
	K(NONE,     NULL,          5, "NoCC",     TEE_NONE, false)
/* clang-format on */

#define EVIDENCE_ID(id, name, type, platform, tee, tpm) EVIDENCE_##id,
enum evidence_kind { EVIDENCE_HARDWARE(EVIDENCE_ID) EVIDENCE_OTHER(EVIDENCE_ID) EVIDENCE_KINDS };

/* Code, not data: what EVIDENCE_HARDWARE counts is what hardware makes and verify() judges. */
#define EVIDENCE_ONE(id, name, type, platform, tee, tpm) +1
enum { EVIDENCE_HARDWARE_COUNT = 0 EVIDENCE_HARDWARE(EVIDENCE_ONE) };

struct evidence_kind_row {
	const char *name;     /* as people ask for it; NULL: nobody does */
	int type;             /* AttestationRequest.type (wire.md); -1: it is never asked for */
	const char *platform; /* a token's platform_type; NULL: no token says so */
	enum tee tee;
	bool tpm; /* quotes of a TPM are in it */
};
extern const struct evidence_kind_row evidence_kind_rows[EVIDENCE_KINDS];

/* "snp", "SNP"; "none" where the row has no such word, or there is no such row. */
const char *evidence_kind_name(enum evidence_kind kind);
const char *evidence_kind_platform(enum evidence_kind kind);

/* What hardware makes, or a token of it: what verify() can be asked about. ERR_INVALID names them. */
int evidence_kind_of_mode(const char *name, enum evidence_kind *mode, struct err *e) MUST_CHECK;
extern const char *const evidence_kind_modes[]; /* their names, ending with NULL */
#define EVIDENCE_MODE(id, name, ...) name ", "
#define EVIDENCE_MODES               EVIDENCE_HARDWARE(EVIDENCE_MODE) "eat" /* the same, for a help text */

/* ERR_INVALID for a number that stands for no evidence. */
int evidence_kind_of_type(int type, enum evidence_kind *kind, struct err *e) MUST_CHECK;

/* What a TEE, a TPM or both make that an agent is asked for; EVIDENCE_NONE where no row is so. */
enum evidence_kind evidence_kind_of(enum tee tee, bool tpm);

/* "snp, tdx, vtpm, snp-vtpm or LAST"; "SNP, TDX, vTPM or SNP-vTPM". */
struct evidence_kind_list {
	char text[128];
};
struct evidence_kind_list evidence_kind_names_or(const char *last);
/* Of those alone that an agent can be asked for. */
struct evidence_kind_list evidence_kind_asked_or(const char *last);
struct evidence_kind_list evidence_kind_platforms(void);
