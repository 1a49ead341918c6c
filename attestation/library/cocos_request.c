/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_request.c — what a caller wants verified, input by input. */
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"

#include <string.h>

enum { FILE_MAX = 16 << 20, EXTRA_DATA_MAX = 64 };

/* clang-format off */
static const struct library_row rows[] = {
	{ COCOS_EVIDENCE,        "evidence",        0,                       FILE_MAX, 1 },
	{ COCOS_EVENT_LOG,       "event log",       1,                       FILE_MAX, 1 },
	{ COCOS_HCL_REPORT,      "HCL report",      1,                       FILE_MAX, 1 },
	{ COCOS_TD_QUOTE,        "TD quote",        1,                       FILE_MAX, 1 },
	{ COCOS_RUNTIME_DATA,    "runtime data",    1,                       FILE_MAX, 1 },
	{ COCOS_ID_BLOCK,        "ID block",        1,                       FILE_MAX, 1 },
	{ COCOS_ID_AUTH,         "ID block's authentication", 1,             FILE_MAX, 1 },
	{ COCOS_MANIFEST_DIGEST, "manifest digest", SHA3_256_LEN,            SHA3_256_LEN, VERIFY_MANIFESTS_MAX },
	{ COCOS_REPORT_DATA,     "report data",     BINDING_REPORT_DATA_LEN, BINDING_REPORT_DATA_LEN, 1 },
	{ COCOS_TEE_NONCE,       "TEE nonce",       1,                       BINDING_TEE_NONCE_MAX, 1 },
	{ COCOS_VTPM_NONCE,      "vTPM nonce",      1,                       BINDING_VTPM_NONCE_MAX, 1 },
	{ COCOS_EXTRA_DATA,      "extraData",       TPM_NONCE_MIN,           EXTRA_DATA_MAX, 1 },
};
/* clang-format on */

static bool mode_is_known(enum cocos_mode mode)
{
	return mode >= COCOS_SNP && mode <= COCOS_TDX_VTPM;
}

static int make(enum cocos_mode mode, struct cocos_request **request, struct err *e)
{
	struct cocos_request *made;

	if (!mode_is_known(mode))
		return err_set(e, ERR_INVALID, "mode %d: this version does not know it", (int)mode);
	made = calloc(1, sizeof(*made));
	if (!made)
		return err_nomem(e);
	made->mode = mode;
	*request = made;
	return 0;
}

int cocos_request_new(enum cocos_mode mode, struct cocos_request **request,
		      struct cocos_error *error)
{
	struct err e;

	if (!request)
		return library_missing(error, "an argument");
	return make(mode, request, &e) < 0 ? library_error(error, &e) : 0;
}

void cocos_request_free(struct cocos_request *request)
{
	if (!request)
		return;
	library_store_done(&request->store);
	free(request->channel_spki);
	explicit_bzero(&request->credential, sizeof(request->credential));
	free(request);
}

int cocos_request_set(struct cocos_request *request, enum cocos_input input, const void *bytes,
		      size_t len, struct cocos_error *error)
{
	struct err e;

	if (!request)
		return library_missing(error, "an argument");
	if (library_store_add(&request->store, rows, ARRAY_LEN(rows), (unsigned)input,
			      (struct span){ bytes, len }, &e) < 0)
		return library_error(error, &e);
	return 0;
}

static int hash_of(const char *name, enum digest_kind *hash, struct err *e)
{
	if (strcmp(name, "SHA256") == 0)
		*hash = DIGEST_SHA256;
	else if (strcmp(name, "SHA384") == 0)
		*hash = DIGEST_SHA384;
	else
		return err_set(e, ERR_INVALID, "hash '%s': use SHA256 or SHA384", name);
	return 0;
}

static int set_channel(struct cocos_request *request, const char *name,
		       const uint8_t exporter[BINDING_EXPORTER_LEN], struct span spki,
		       struct err *e)
{
	CLEANUP(free) uint8_t *copy = NULL;
	struct binding channel;
	enum digest_kind hash;

	if (request->has_channel)
		return err_set(e, ERR_INVALID, "channel: more than one of them");
	if (!spki.len || spki.len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "channel: a key of %zu bytes; 1 to %d", spki.len,
			       SPKI_MAX);
	if (hash_of(name, &hash, e) < 0)
		return err_code(e);
	copy = malloc(spki.len);
	if (!copy)
		return err_nomem(e);
	memcpy(copy, spki.bytes, spki.len);
	if (binding_channel(hash, spki.bytes, spki.len, exporter, NULL, &channel, e) < 0)
		return err_code(e);
	request->channel = channel;
	request->channel_spki = TAKE_PTR(copy);
	request->channel_spki_len = spki.len;
	request->has_channel = true;
	return 0;
}

int cocos_request_channel(struct cocos_request *request, const char *hash,
			  const uint8_t exporter[32], const void *spki, size_t spki_len,
			  struct cocos_error *error)
{
	struct err e;

	if (!request || !hash || !exporter || !spki)
		return library_missing(error, "an argument");
	if (set_channel(request, hash, exporter, (struct span){ spki, spki_len }, &e) < 0)
		return library_error(error, &e);
	return 0;
}

int cocos_request_at(struct cocos_request *request, int64_t at, uint32_t skew,
		     struct cocos_error *error)
{
	struct err e;

	if (!request)
		return library_missing(error, "an argument");
	if (skew > SNP_SKEW_MAX) {
		err_record(&e, ERR_INVALID, "a skew of %u s; at most a day", skew);
		return library_error(error, &e);
	}
	request->at = at;
	request->skew = skew;
	request->has_at = true;
	return 0;
}

int cocos_request_flags(struct cocos_request *request, unsigned flags, struct cocos_error *error)
{
	const unsigned known = COCOS_GENUINE_ONLY | COCOS_REQUIRE_CRL | COCOS_BEFORE_RUN;
	struct err e;

	if (!request)
		return library_missing(error, "an argument");
	if (flags & ~known) {
		err_record(&e, ERR_INVALID, "flags 0x%x: this version does not know them",
			   flags & ~known);
		return library_error(error, &e);
	}
	request->flags |= flags;
	return 0;
}

int cocos_request_product(struct cocos_request *request, const char *name,
			  struct cocos_error *error)
{
	enum snp_product product;
	struct err e;

	if (!request || !name)
		return library_missing(error, "an argument");
	product = snp_product_of(name);
	if (product == SNP_PRODUCT_ANY) {
		err_record(&e, ERR_INVALID, "product '%.32s': use Milan, Genoa or Turin", name);
		return library_error(error, &e);
	}
	request->product = product;
	return 0;
}

int cocos_request_credential(struct cocos_request *request,
			     const struct cocos_credential *credential, struct cocos_error *error)
{
	struct err e;

	if (!request || !credential)
		return library_missing(error, "an argument");
	if (request->credential.answered || !credential->credential.answered) {
		err_record(&e, ERR_INVALID,
			   request->credential.answered ? "credential: more than one of them"
							: "credential: the TPM has not answered");
		return library_error(error, &e);
	}
	request->credential = credential->credential;
	return 0;
}
