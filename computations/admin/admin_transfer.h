/* SPDX-License-Identifier: Apache-2.0 */
/* admin_transfer.h — what admin_import.c and admin_export.c have in common. */
#pragma once

#include "common/base/writer.h"
#include "computations/admin/admin.h"
#include "computations/transfer/document.h"

enum { TRANSFER_PEOPLE_MAX = 1024 };

struct transfer_person {
	char *id, *user; /* in the document, and here ("": the same) */
	char *key;       /* base64; NULL: none was given */
};

struct transfer_request {
	/* Import */
	uint8_t *bytes;
	size_t len;
	char digest[2 * SHA3_256_LEN + 1]; /* theirs, in hexadecimal */
	bool csv, preview, new_ids;
	struct transfer_person people[TRANSFER_PEOPLE_MAX];
	size_t person_count;
	Computations__ImportResponse *response;

	/* Export */
	char *ids[DOCUMENT_ITEMS_MAX];
	size_t id_count;
	struct writer out;
};

/* NULL as from request_new(). */
struct request *admin_transfer_new(struct rpc_call *call);
