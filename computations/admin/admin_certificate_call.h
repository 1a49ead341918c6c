/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_certificate_call.h — a call about certificates: what admin_certificate.c and admin_certificate_issue.c have in
 * common.
 */
#pragma once

#include "certificates.pb-c.h"
#include "common/manifest/issue_evidence.h"
#include "computations/admin/admin.h"
#include "computations/ca/ca_record.h"

/* What such a call is about, and what it found. */
struct certificate_request {
	char *name, *token;
	struct ca_wish wish;
	uint8_t *request; /* PKCS#10 */
	size_t request_len;
	uint8_t *evidence; /* and what `identity` and `signature` point to, behind it */
	size_t evidence_len;
	struct span identity, signature;
	struct issue_evidence about;
	bool is_verified; /* that evidence, and that key */
	uint8_t *parts;   /* of a renewal: what `renewal` points to */
	struct ca_renewal renewal;
	char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1];
	size_t serials_count;
	char text[CA_TOKEN_TEXT_LEN + 1];
	char *pem;
	uint8_t *list;
	size_t list_len;
	int64_t after;
	struct ca_record rows[CA_PAGE_MAX];
};

/* NULL as from request_new(), or where the service is no authority. */
struct request *certificate_request_new(struct rpc_call *call, const char *name, const char *token);
/* Of whom the audit log says what is done. */
void certificate_about(struct request *r, const struct ca_record *record);
/* A copy of bytes at `*at`, which goes behind it. */
struct span certificate_put(uint8_t **at, const ProtobufCBinaryData *bytes);

/* Answers with the certificate that is the first of its rows. */
void certificate_reply(struct request *r);

/* Issue. The token and the request are looked at first, then, with COMPUTATIONS_CA_EVIDENCE, an agent's evidence, then it is used
 * up. */
void certificate_issue(struct rpc_call *call, const ProtobufCMessage *message);
