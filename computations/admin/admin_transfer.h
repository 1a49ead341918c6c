/* SPDX-License-Identifier: Apache-2.0 */
/* admin_transfer.h — what admin_import.c, the files that begin so, and admin_export.c have in common. */
#pragma once

#include "common/base/writer.h"
#include "computations/admin/admin.h"
#include "computations/transfer/document.h"

enum { TRANSFER_PEOPLE_MAX = 1024 };

struct transfer_person {
	char *id, *user; /* first, for the tree: in the document, and here ("": the same) */
	char *key;       /* base64; NULL: none was given; */
	ProtobufCBinaryData spki; /* the same */
	bool is_named;            /* in the document */
};

/* A computation of the document, when it is judged. */
struct transfer_item {
	Cvms__ComputationRunReq *manifest; /* with an id */
	size_t left_out;                   /* owners who are no consumers: document_manifest() */
	char *called;                      /* in the workspace, once it was asked for */
	struct err why; /* ERR_OK: it can be created, as far as it alone is asked */
};

struct transfer_request {
	/* Import */
	int64_t workspace;
	uint8_t *bytes;
	size_t len;
	char digest[2 * SHA3_256_LEN + 1]; /* theirs, in hexadecimal */
	bool csv, preview, new_ids;
	bool names_some; /* people, or roles of its own, in what can be created */
	struct transfer_person people[TRANSFER_PEOPLE_MAX];
	size_t person_count, people_judged;
	void *by_id; /* tsearch(3): of these */
	struct document *document;
	struct transfer_item *items; /* one for each of the document's */
	size_t judged;               /* of them; in admin_import_read.c */
	size_t taken, settled;       /* of them: asked of the database, and on disk */
	Computations__ImportResponse *response;

	/* Export */
	char *ids[DOCUMENT_ITEMS_MAX];
	size_t id_count;
	struct writer out;
};

/* In the pool: reads the document and judges its computations, as of struct judge_way. */
int transfer_judge(struct request *r, struct err *e) MUST_CHECK;
void transfer_items_free(struct transfer_request *t);

/* In a transaction: creates the document's i-th computation in a savepoint of its own, and reports. A refusal is in the report. */
int transfer_take(struct store *store, struct request *r, size_t i, struct err *e) MUST_CHECK;
/* In place of what stood there; without memory that stays. */
void transfer_set_text(char **text, const char *value);

struct transfer_person *transfer_person(const struct transfer_request *t, const char *id);
/* For that function to find; its id may be nobody's yet. */
int transfer_person_add(struct transfer_request *t, struct transfer_person *p,
			struct err *e) MUST_CHECK;
void transfer_people_free(struct transfer_request *t);
/* The document's fault, and not the database's or this machine's. */
bool transfer_is_refusal(enum err_code code);

/* NULL as from request_new(). */
struct request *admin_transfer_new(struct rpc_call *call);
