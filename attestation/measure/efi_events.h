/* SPDX-License-Identifier: Apache-2.0 */
/*
 * efi_events.h — what UEFI firmware extends into one register, in order, and the value that it comes to.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/digest.h"

enum {
	EFI_EVENTS_MAX = 32, /* of one register */
	EFI_GUID_LEN = 16,   /* in UEFI's mixed byte order */
};

struct efi_events {
	enum digest_kind kind;
	uint8_t digests[EFI_EVENTS_MAX][DIGEST_MAX];
	size_t count;
};

/* Names of variables belong to one of these. */
extern const uint8_t efi_guid_global[EFI_GUID_LEN], efi_guid_security[EFI_GUID_LEN];

/* An event by its digest, of the list's kind, or by what is measured. Callers count: a list never has
 * more than EFI_EVENTS_MAX. */
void efi_events_digest(struct efi_events *list, const uint8_t *digest);
int efi_events_data(struct efi_events *list, const void *data, size_t len,
		    struct err *e) MUST_CHECK;
int efi_events_text(struct efi_events *list, const char *text, struct err *e) MUST_CHECK;
int efi_events_separator(struct efi_events *list, struct err *e) MUST_CHECK;

/* What a machine without keys measures of Secure Boot: the switch, `switch_len` zeros (0: there is no
 * such variable), the four lists, and a separator. */
int efi_events_secure_boot(struct efi_events *list, size_t switch_len, struct err *e) MUST_CHECK;

/* The register's value, digest_len(list->kind) bytes. */
int efi_events_replay(const struct efi_events *list, uint8_t *value, struct err *e) MUST_CHECK;
