/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_seal.h — the authority's signature under what it issues, wherever its key is.
 *
 * OpenSSL signs with keys that it has. So a key that is thrown away, of the same kind, signs first, which settles every byte
 * but the signature; then that one is replaced by the authority's, over the same bytes.
 */
#pragma once

#include "computations/ca/authority.h"

/* Errors are ca_signer_sign()'s. */
int ca_seal_cert(const struct authority *a, X509 **cert, struct err *e) MUST_CHECK;
/* Malloc'ed DER. */
int ca_seal_list(const struct authority *a, X509_CRL *list, uint8_t **der, size_t *len,
		 struct err *e) MUST_CHECK;
/* A list that its own process alone believes, for which no key is asked (crl_vouch()). */
int ca_seal_own_list(const struct authority *a, X509_CRL *list, uint8_t **der, size_t *len,
		     struct err *e) MUST_CHECK;
