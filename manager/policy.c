/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/policy.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"

enum { POLICY_MAX = 16384 };

/* The first event of the agent's: the boot configuration, into PCR14. Nothing is in PCR16 (and none
 * of the others that a debug or application register would be) until a manifest comes. */
static int extend_from_zero(enum digest_kind kind, const uint8_t *event, char *hex, struct err *e)
{
	uint8_t zeros[DIGEST_MAX] = { 0 }, pcr[DIGEST_MAX];
	size_t len = digest_len(kind);
	const struct digest_part parts[] = { { zeros, len }, { event, len } };

	if (digest_parts(kind, parts, ARRAY_LEN(parts), pcr, e) < 0)
		return -(int)e->code;
	hex_encode(pcr, len, hex);
	return 0;
}

static int write_bank(struct writer *w, enum digest_kind kind, const char *name,
		      const uint8_t *event, struct err *e)
{
	char pcr14[2 * DIGEST_MAX + 1], pcr16[2 * DIGEST_MAX + 1];
	const uint8_t zeros[DIGEST_MAX] = { 0 };

	if (extend_from_zero(kind, event, pcr14, e) < 0)
		return -(int)e->code;
	hex_encode(zeros, digest_len(kind), pcr16);
	writer_printf(w, "\"%s\":{\"14\":\"%s\",\"16\":\"%s\"}", name, pcr14, pcr16);
	return 0;
}

int policy_write(const struct cvm *cvm, uint8_t **json, size_t *len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(POLICY_MAX);

	if (cvm->tee != DOMAIN_PLAIN)
		return err_set(e, ERR_UNIMPLEMENTED, "no policy for %s yet",
			       domain_tee_name(cvm->tee));
	writer_text(&w, "{\"pcr_values\":{");
	if (write_bank(&w, DIGEST_SHA256, "sha256", cvm->boot_sha3_256, e) < 0)
		return -(int)e->code;
	writer_text(&w, ",");
	if (write_bank(&w, DIGEST_SHA384, "sha384", cvm->boot_sha3_384, e) < 0)
		return -(int)e->code;
	writer_text(&w, "}}");
	if (writer_check(&w, "the policy", e) < 0)
		return -(int)e->code;
	*json = writer_take(&w, len);
	return 0;
}
