/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim_entry.h"

#include "common/crypto/digest.h"

#include <string.h>

const char *const corim_mr_names[CORIM_MRS] = {
	"mrtd", "mrseam", "rtmr0", "rtmr1", "rtmr2", "rtmr3"
};

void corim_uuid_finish(uint8_t uuid[CORIM_UUID_LEN], unsigned version)
{
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | version << 4);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

int corim_product_uuid(const char *name, uint8_t uuid[CORIM_UUID_LEN], struct err *e)
{
	static const uint8_t oids[CORIM_UUID_LEN] = { 0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad,
						      0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
						      0x4f, 0xd4, 0x30, 0xc8 };
	const struct digest_part parts[] = { { oids, sizeof(oids) }, { name, strlen(name) } };
	uint8_t made[DIGEST_MAX];

	if (digest_parts(DIGEST_SHA1, parts, ARRAY_LEN(parts), made, e) < 0)
		return err_code(e);
	memcpy(uuid, made, CORIM_UUID_LEN);
	corim_uuid_finish(uuid, 5);
	return 0;
}
