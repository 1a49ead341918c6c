/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/efi_events.h"

#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

enum { VARIABLE_MAX = 64 };

const uint8_t efi_guid_global[EFI_GUID_LEN] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
						0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
const uint8_t efi_guid_security[EFI_GUID_LEN] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
						  0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };

void efi_events_digest(struct efi_events *list, const uint8_t *event)
{
	assert(list->count < EFI_EVENTS_MAX);
	memcpy(list->digests[list->count++], event, digest_len(list->kind));
}

int efi_events_data(struct efi_events *list, const void *data, size_t len, struct err *e)
{
	assert(list->count < EFI_EVENTS_MAX);
	return digest(list->kind, data, len, list->digests[list->count++], e);
}

int efi_events_text(struct efi_events *list, const char *text, struct err *e)
{
	return efi_events_data(list, text, strlen(text), e);
}

int efi_events_separator(struct efi_events *list, struct err *e)
{
	return efi_events_data(list, (const uint8_t[4]){ 0 }, 4, e);
}

/* UEFI_VARIABLE_DATA (TCG PC Client Platform Firmware Profile, 3.3.4.8 and 10.2.6) of a variable whose
 * value is `len` zeros. */
static int zero_variable(struct efi_events *list, const uint8_t guid[EFI_GUID_LEN],
			 const char *name, size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(VARIABLE_MAX);

	writer_bytes(&w, guid, EFI_GUID_LEN);
	writer_le64(&w, strlen(name));
	writer_le64(&w, len);
	for (const char *at = name; *at; at++)
		writer_le16(&w, (uint16_t)*at);
	writer_zeros(&w, len);
	if (writer_check(&w, name, e) < 0)
		return err_code(e);
	return efi_events_data(list, w.bytes, w.len, e);
}

int efi_events_secure_boot(struct efi_events *list, size_t switch_len, struct err *e)
{
	if (zero_variable(list, efi_guid_global, "SecureBoot", switch_len, e) < 0 ||
	    zero_variable(list, efi_guid_global, "PK", 0, e) < 0 ||
	    zero_variable(list, efi_guid_global, "KEK", 0, e) < 0 ||
	    zero_variable(list, efi_guid_security, "db", 0, e) < 0 ||
	    zero_variable(list, efi_guid_security, "dbx", 0, e) < 0)
		return err_code(e);
	return efi_events_separator(list, e);
}

int efi_events_replay(const struct efi_events *list, uint8_t *value, struct err *e)
{
	size_t len = digest_len(list->kind);

	memset(value, 0, len);
	for (size_t i = 0; i < list->count; i++) {
		const struct digest_part parts[] = { { value, len }, { list->digests[i], len } };

		if (digest_parts(list->kind, parts, ARRAY_LEN(parts), value, e) < 0)
			return err_code(e);
	}
	return 0;
}
