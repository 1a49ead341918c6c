/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_endorsements.c — the endorsements that a caller gives, by number. */
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"

enum { SMALL = 1 << 20, LARGE = 8 << 20, INTERMEDIATES_MAX = 16 };

/* clang-format off */
static const struct library_row rows[] = {
	{ COCOS_SNP_VCEK,              "VCEK",                     1, SMALL, 1 },
	{ COCOS_SNP_VLEK,              "VLEK",                     1, SMALL, 1 },
	{ COCOS_SNP_CHAIN,             "SEV-SNP chain",            1, SMALL, 1 },
	{ COCOS_SNP_ASK,               "ASK",                      1, SMALL, 1 },
	{ COCOS_SNP_ARK,               "ARK",                      1, SMALL, 1 },
	{ COCOS_SNP_CRL,               "SEV-SNP CRL",              1, SMALL, SNP_CRLS_MAX },
	{ COCOS_SNP_ROOT,              "SEV-SNP root",             1, SMALL, 1 },
	{ COCOS_TDX_TCB_INFO,          "TCB info",                 1, LARGE, 1 },
	{ COCOS_TDX_TCB_INFO_CHAIN,    "TCB info's chain",         1, LARGE, 1 },
	{ COCOS_TDX_QE_IDENTITY,       "QE identity",              1, LARGE, 1 },
	{ COCOS_TDX_QE_IDENTITY_CHAIN, "QE identity's chain",      1, LARGE, 1 },
	{ COCOS_TDX_PCK_CRL,           "PCK CRL",                  1, LARGE, 1 },
	{ COCOS_TDX_PCK_CRL_CHAIN,     "PCK CRL's chain",          1, LARGE, 1 },
	{ COCOS_TDX_ROOT_CRL,          "TDX root CRL",             1, LARGE, 1 },
	{ COCOS_TDX_ROOT,              "TDX root",                 1, SMALL, 1 },
	{ COCOS_TPM_AK,                "AK",                       1, SMALL, 1 },
	{ COCOS_TPM_AK_CERT,           "AK certificate",           1, SMALL, 1 },
	{ COCOS_TPM_AK_ROOT,           "root of AK certificates",  1, SMALL, 1 },
	{ COCOS_TPM_EK_CERT,           "EK certificate",           1, SMALL, 1 },
	{ COCOS_TPM_EK_ROOT,           "root of EK certificates",  1, SMALL, 1 },
	{ COCOS_TPM_INTERMEDIATE,      "TPM intermediate",         1, SMALL, INTERMEDIATES_MAX },
	{ COCOS_TOKEN_KEY,             "token key",                1, SMALL, 1 },
	{ COCOS_CORIM_KEY,             "CoRIM key",                1, SMALL, 1 },
	{ COCOS_CORIM,                 "CoRIM",                    1, LARGE, 1 },
};
/* clang-format on */

int cocos_endorsements_new(struct cocos_endorsements **endorsements, struct cocos_error *error)
{
	struct cocos_endorsements *made;
	struct err e;

	if (!endorsements)
		return library_missing(error, "an argument");
	made = calloc(1, sizeof(*made));
	if (!made) {
		err_nomem(&e);
		return library_error(error, &e);
	}
	*endorsements = made;
	return 0;
}

void cocos_endorsements_free(struct cocos_endorsements *endorsements)
{
	if (!endorsements)
		return;
	library_store_done(&endorsements->store);
	free(endorsements);
}

int cocos_endorsements_add(struct cocos_endorsements *endorsements, enum cocos_endorsement which,
			   const void *bytes, size_t len, struct cocos_error *error)
{
	struct err e;

	if (!endorsements)
		return library_missing(error, "an argument");
	if (library_store_add(&endorsements->store, rows, ARRAY_LEN(rows), (unsigned)which,
			      (struct span){ bytes, len }, &e) < 0)
		return library_error(error, &e);
	return 0;
}
