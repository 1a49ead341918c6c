/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_link.h — a TPM 2.0 as settings name it: the words of a setting, its connection, and what its faults are called. What
 * is in it is its users' matter: the authority's key (computations/ca/ca_tpm.h), a sealed key (tpm_sealed.h).
 *
 * Blocking: device:/dev/tpmrm0, of the kernel's resource manager, unless the words say otherwise.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <tss2/tss2_esys.h>

/* ---- words ---- */

/* What may stand behind `?`, parted by `&`, each once. */
struct tpm_option {
	const char *name; /* with its "=" */
	char **to;        /* malloc'ed */
	bool is_path;
};

/* "tpm:PLACE" with options; `known` says which there are. The place: a handle or an absolute path. */
int tpm_words_read(const char *words, const struct tpm_option *options, size_t count,
		   const char *known, char **place, struct err *e) MUST_CHECK;
/* A persistent handle of the owner's: 0x81000000 to 0x817fffff. */
int tpm_words_handle(const char *text, TPM2_HANDLE *handle, struct err *e) MUST_CHECK;

/* ---- the connection ---- */

struct tpm_link {
	char *tcti_words; /* NULL: the device; malloc'ed */
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys; /* NULL: not connected */
};

/* Does nothing where it is connected. */
int tpm_link_open(struct tpm_link *link, struct err *e) MUST_CHECK;
/* What was loaded through it has to be flushed before. */
void tpm_link_close(struct tpm_link *link);

/* ERR_UNAVAILABLE, with the library's words. */
int tpm_fault(struct err *e, TSS2_RC code, const char *what);
/* Without which parameter, handle or session it is about: TPM 2.0 Library, part 2, 6.6. */
bool tpm_is_code(TSS2_RC got, TSS2_RC wanted);

/* ---- what is loaded there ---- */

/* The owner's storage key of ECC P-256 by the TCG's template L-2 (TPM 2.0 Provisioning Guidance, 7.5.1), to be let go. What of it
 * is not always the same, and makes another key: `more` attributes, and a unique field of so many zeros (32, or 0: none). */
TSS2_RC tpm_storage_make(ESYS_CONTEXT *esys, TPMA_OBJECT more, UINT16 zeros, ESYS_TR *made);
/* Flushes it, and forgets it; ESYS_TR_NONE is fine. */
void tpm_let_go(ESYS_CONTEXT *esys, ESYS_TR *loaded);
/* Salted to a storage key, which alone can read the salt (ESYS_TR_NONE: not); what `attributes` say is encrypted, by AES-128.
 * It lasts until it is let go. */
int tpm_session_begin(ESYS_CONTEXT *esys, ESYS_TR storage, TPM2_SE type, TPMA_SESSION attributes,
		      ESYS_TR *session, struct err *e) MUST_CHECK;

static inline void cleanup_esys(void *owned)
{
	Esys_Free(*(void **)owned);
}
