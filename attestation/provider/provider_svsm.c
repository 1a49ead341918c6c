/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider_svsm.h"

#include "attestation/provider/provider_tsm.h"
#include "attestation/snp/snp_report.h"
#include "attestation/tpm/credential.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

#include <stdlib.h>
#include <string.h>

#define VTPM_SERVICE "c476f1eb-0123-45a5-9641-b4e7dde5bfe3" /* 58019, table of services */

int provider_svsm_check(struct span report, struct span manifest,
			const uint8_t nonce[PROVIDER_REPORT_DATA_LEN], struct span ek_public,
			struct err *e)
{
	const struct digest_part parts[] = { { nonce, PROVIDER_REPORT_DATA_LEN },
					     { manifest.bytes, manifest.len } };
	struct snp_report parsed;
	uint8_t wanted[SHA512_LEN];

	if (snp_report_parse(report.bytes, report.len, &parsed, e) < 0) {
		e->code = ERR_DENIED;
		return err_wrap(e, "SVSM");
	}
	if (digest_parts(DIGEST_SHA512, parts, ARRAY_LEN(parts), wanted, e) < 0)
		return err_code(e);
	if (parsed.vmpl != 0)
		return err_set(e, ERR_DENIED, "SVSM: a report of VMPL%u, not of the SVSM's",
			       parsed.vmpl);
	if (memcmp(parsed.report_data, wanted, sizeof(wanted)) != 0)
		return err_set(e, ERR_DENIED, "SVSM: the report is not over this manifest");
	if (!span_equal(manifest, ek_public))
		return err_set(
			e, ERR_DENIED,
			"SVSM: its TPM has another endorsement key than the one that answers "
			"here");
	return 0;
}

/* Both keys are in one TPM if it opens what was made for them. */
static int check_activation(struct provider_tpm *tpm, struct span ek_public, struct err *e)
{
	CLEANUP_WRITER struct writer ak = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ek = NULL;
	uint8_t answer[PROVIDER_TPM_SECRET_MAX];
	struct credential credential;
	struct tpm_public area;
	size_t len = 0;

	if (provider_tpm_ak_public(tpm, &ak, e) < 0 || tpm_public_parse(ek_public, &area, e) < 0 ||
	    tpm_public_key(&area, &ek, e) < 0)
		return err_code(e);
	const struct span ak_public = { ak.bytes, ak.len };
	if (credential_make(ek, ak_public, &credential, e) < 0 ||
	    provider_tpm_activate(tpm, (struct span){ credential.blob, credential.blob_len },
				  (struct span){ credential.encrypted, credential.encrypted_len },
				  answer, &len, e) < 0 ||
	    credential_answer(&credential, answer, len, e) < 0)
		return err_code(e);
	return credential_check(&credential, ek, ak_public, e);
}

int provider_svsm_binds(const struct provider_options *options, struct provider_tpm *tpm,
			bool *bound, struct err *e)
{
	CLEANUP_TSM_ANSWER struct tsm_answer answer = { 0 };
	uint8_t nonce[PROVIDER_REPORT_DATA_LEN];
	struct provider_tpm_ek ek = { 0 };
	const struct tsm_request request = {
		.root = options->paths.tsm,
		.provider = "sev_guest",
		.inblob = nonce,
		.service_guid = VTPM_SERVICE,
	};
	int failed;

	*bound = false;
	if (!options->paths.tsm)
		return 0;
	if (random_bytes(nonce, sizeof(nonce), e) < 0)
		return err_code(e);
	failed = tsm_collect(&request, &answer, e);
	if (failed) /* ENXIO, EINVAL, …: nobody of that name; whoever is busy is asked again */
		return err_is(failed, ERR_UNAVAILABLE) ? failed : 0;
	failed = provider_tpm_ek(tpm, &ek, e);
	if (!failed)
		failed = provider_svsm_check(
			(struct span){ answer.outblob, answer.outblob_len },
			(struct span){ answer.manifestblob, answer.manifestblob_len }, nonce,
			ek.public_area, e);
	if (!failed)
		failed = check_activation(tpm, ek.public_area, e);
	*bound = !failed;
	return failed;
}
