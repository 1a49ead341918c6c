/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest.h"

#include "common/protobuf/protobuf.h"

#include <stdlib.h>
#include <string.h>

void manifest_free(Cvms__ComputationRunReq *manifest)
{
	if (!manifest)
		return;
	if (manifest->agent_config)
		explicit_bzero(manifest->agent_config->key_file,
			       strlen(manifest->agent_config->key_file));
	cvms__computation_run_req__free_unpacked(manifest, NULL);
}

int manifest_decode(const void *bytes, size_t len, Cvms__ComputationRunReq **manifest,
		    struct err *e)
{
	ProtobufCMessage *message = NULL;

	if (len > MANIFEST_MAX)
		return err_set(e, ERR_INVALID, "manifest: %zu bytes, the limit is %d", len,
			       MANIFEST_MAX);
	if (protobuf_unpack(&cvms__computation_run_req__descriptor, bytes, len, &message, e) < 0)
		return err_wrap(e, "manifest");
	*manifest = (Cvms__ComputationRunReq *)message;
	return 0;
}

int manifest_encode(const Cvms__ComputationRunReq *manifest, uint8_t **bytes, size_t *len,
		    struct err *e)
{
	return protobuf_pack(&manifest->base, bytes, len, e);
}

/* A bank's register after its first extension: H(zeros ‖ digest). */
static int extend_from_zero(enum digest_kind bank, const uint8_t *event, uint8_t *pcr,
			    struct err *e)
{
	static const uint8_t zeros[DIGEST_MAX];
	const struct digest_part parts[] = { { zeros, digest_len(bank) },
					     { event, digest_len(bank) } };

	return digest_parts(bank, parts, ARRAY_LEN(parts), pcr, e);
}

int manifest_digest(const Cvms__ComputationRunReq *manifest, struct manifest_digests *digests,
		    struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct manifest_digests d;
	size_t len;
	int failed = manifest_canonical(manifest, &text, &len, e);

	if (!failed)
		failed = digest(DIGEST_SHA3_256, text, len, d.sha3_256, e);
	if (!failed)
		failed = digest(DIGEST_SHA3_384, text, len, d.sha3_384, e);
	if (!failed)
		failed = extend_from_zero(DIGEST_SHA256, d.sha3_256, d.pcr16_sha256, e);
	if (!failed)
		failed = extend_from_zero(DIGEST_SHA384, d.sha3_384, d.pcr16_sha384, e);
	if (!failed)
		*digests = d;
	return failed;
}
