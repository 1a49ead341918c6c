/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_tpm.h — a TPM 2.0 with the authority's key: its connection, and the key as an object in it; for ca_signer_tpm.c alone.
 *
 * `tpm:0x81010001` is a persistent handle of the owner's, `tpm:/PATH` a file with what `tpm2_create` writes with -u and -r,
 * one behind the other: TPM2B_PUBLIC and TPM2B_PRIVATE, under the owner's primary key of the TCG's template for ECC P-256.
 * Behind `?`, parted by `&`: `auth-source=/PATH`, the key's authorization, and `tcti=NAME:CONF`.
 */
#pragma once

#include "computations/ca/ca_signer_kind.h"
#include "computations/tpm/tpm_link.h"

struct ca_tpm {
	TPM2_HANDLE handle; /* 0: a file */
	char *path, *auth_path;

	struct tpm_link link;
	ESYS_TR key; /* ESYS_TR_NONE: not there */
	/* In which the key's authorization is shown, and never told; ESYS_TR_NONE: there is none to show. */
	ESYS_TR session;
	TPM2B_PUBLIC public;
	bool has_warned; /* of a session that is not salted */
	bool is_refused; /* its authorization was: it is tried no more */
};

/* Reads the words alone. */
int ca_tpm_new(const char *words, struct ca_tpm **tpm, struct err *e) MUST_CHECK;
void ca_tpm_free(struct ca_tpm *tpm);
DEFINE_CLEANUP(struct ca_tpm *, ca_tpm_free)

/* What is asked next begins anew. */
void ca_tpm_drop(struct ca_tpm *tpm);

/* Finds or loads the key. ERR_NOT_FOUND: neither handle nor file is there. */
int ca_tpm_need(struct ca_tpm *tpm, struct err *e) MUST_CHECK;
/* A new one of P-256, at the handle or in the file; it is there then. */
int ca_tpm_make(struct ca_tpm *tpm, struct err *e) MUST_CHECK;
