/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/tpm/tpm_link.h"

#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#define DEVICE "device:/dev/tpmrm0"

/* Persistent ones of the owner's hierarchy (TPM 2.0 Library, part 2, 7.4); the library's own words shift an int too far. */
#define HANDLE_FIRST 0x81000000UL
#define HANDLE_LAST  0x817fffffUL

int tpm_fault(struct err *e, TSS2_RC code, const char *what)
{
	return err_set(e, ERR_UNAVAILABLE, "TPM: %s: %s", what, Tss2_RC_Decode(code));
}

bool tpm_is_code(TSS2_RC got, TSS2_RC wanted)
{
	/* In format zero these bits are the code's own. */
	if (!(wanted & TPM2_RC_FMT1))
		return got == wanted;
	return (got & ~(TSS2_RC)(TPM2_RC_N_MASK | TPM2_RC_P)) == wanted;
}

/* ---- words ---- */

static int take_option(const char *option, size_t len, const struct tpm_option *all, size_t count,
		       const char *known, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const size_t name = strlen(all[i].name);

		if (len <= name || strncmp(option, all[i].name, name) != 0)
			continue;
		if (*all[i].to)
			return err_set(e, ERR_INVALID, "%s is said twice", all[i].name);
		if (all[i].is_path && option[name] != '/')
			return err_set(e, ERR_INVALID, "%s is not followed by an absolute path",
				       all[i].name);
		*all[i].to = strndup(option + name, len - name);
		return *all[i].to ? 0 : err_nomem(e);
	}
	return err_set(e, ERR_INVALID, "behind ? only %s are known", known);
}

int tpm_words_read(const char *words, const struct tpm_option *options, size_t count,
		   const char *known, char **place, struct err *e)
{
	const char *at = words + strlen("tpm:"), *more = strchr(at, '?');
	CLEANUP(free) char *made = more ? strndup(at, (size_t)(more - at)) : strdup(at);

	if (!made)
		return err_nomem(e);
	while (more) {
		const size_t len = strcspn(++more, "&");

		if (take_option(more, len, options, count, known, e) < 0)
			return err_code(e);
		more = more[len] ? more + len : NULL;
	}
	*place = TAKE_PTR(made);
	return 0;
}

int tpm_words_handle(const char *text, TPM2_HANDLE *handle, struct err *e)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 16);
	if (strlen(text) != 10 || strncmp(text, "0x", 2) != 0 ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != 8 || errno || *end ||
	    value < HANDLE_FIRST || value > HANDLE_LAST)
		return err_set(e, ERR_INVALID,
			       "%s is not a persistent handle of the owner's: 0x81000000 to "
			       "0x817fffff",
			       log_quote(text).text);
	*handle = (TPM2_HANDLE)value;
	return 0;
}

/* ---- the connection ---- */

void tpm_link_close(struct tpm_link *link)
{
	if (link->esys)
		Esys_Finalize(&link->esys);
	if (link->tcti)
		Tss2_TctiLdr_Finalize(&link->tcti);
}

int tpm_link_open(struct tpm_link *link, struct err *e)
{
	const char *words = link->tcti_words ? link->tcti_words : DEVICE;
	TSS2_RC code;

	if (link->esys)
		return 0;
	code = Tss2_TctiLdr_Initialize(words, &link->tcti);
	if (code != TSS2_RC_SUCCESS)
		return tpm_fault(e, code, words);
	code = Esys_Initialize(&link->esys, link->tcti, NULL);
	if (code != TSS2_RC_SUCCESS) {
		tpm_link_close(link);
		return tpm_fault(e, code, "initialise");
	}
	return 0;
}

/* ---- what is loaded there ---- */

TSS2_RC tpm_storage_make(ESYS_CONTEXT *esys, TPMA_OBJECT more, UINT16 zeros, ESYS_TR *made)
{
	const TPM2B_PUBLIC form = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
					    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH | more,
			.parameters.eccDetail = {
				.symmetric = { .algorithm = TPM2_ALG_AES,
					       .keyBits.aes = 128,
					       .mode.aes = TPM2_ALG_CFB },
				.scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
			.unique.ecc = { .x.size = zeros, .y.size = zeros },
		},
	};
	const TPM2B_SENSITIVE_CREATE secret = { 0 };
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION none = { 0 };

	return Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				  ESYS_TR_NONE, &secret, &form, &outside, &none, made, NULL, NULL,
				  NULL, NULL);
}

void tpm_let_go(ESYS_CONTEXT *esys, ESYS_TR *loaded)
{
	if (*loaded != ESYS_TR_NONE)
		(void)Esys_FlushContext(esys, *loaded);
	*loaded = ESYS_TR_NONE;
}

int tpm_session_begin(ESYS_CONTEXT *esys, ESYS_TR storage, TPM2_SE type, TPMA_SESSION attributes,
		      ESYS_TR *session, struct err *e)
{
	static const TPMT_SYM_DEF symmetric = { .algorithm = TPM2_ALG_AES,
						.keyBits.aes = 128,
						.mode.aes = TPM2_ALG_CFB };
	ESYS_TR made = ESYS_TR_NONE;
	TSS2_RC code =
		Esys_StartAuthSession(esys, storage, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				      ESYS_TR_NONE, NULL, type, &symmetric, TPM2_ALG_SHA256, &made);

	if (code == TSS2_RC_SUCCESS)
		code = Esys_TRSess_SetAttributes(esys, made,
						 attributes | TPMA_SESSION_CONTINUESESSION, 0xff);
	if (code != TSS2_RC_SUCCESS) {
		tpm_let_go(esys, &made);
		return tpm_fault(e, code, "begin a session");
	}
	*session = made;
	return 0;
}
