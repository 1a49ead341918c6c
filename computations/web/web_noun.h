/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_noun.h — what the API answers with: each object's members, for its document. What writes them is elsewhere; a test holds
 * what was written against this. For this folder only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum web_noun_name {
	NOUN_NONE, /* nothing is answered, or no JSON */
	NOUN_ACCOUNT,
	NOUN_ACCOUNT_ROW,
	NOUN_ALGORITHM,
	NOUN_ASSET,
	NOUN_ASSET_ROW,
	NOUN_ASSETS,
	NOUN_AUDIT,
	NOUN_AUDIT_ROW,
	NOUN_AUTHORITY,
	NOUN_BILLING,
	NOUN_CERTIFICATE,
	NOUN_CERTIFICATES,
	NOUN_COMPUTATION,
	NOUN_COMPUTATION_ROW,
	NOUN_COMPUTATIONS,
	NOUN_CONFIRMATION,
	NOUN_CONFIRMATIONS,
	NOUN_CONSUMER,
	NOUN_CVM,
	NOUN_CVMS,
	NOUN_DATASET,
	NOUN_DELIVERIES,
	NOUN_DELIVERY,
	NOUN_EVIDENCE,
	NOUN_EVIDENCE_FILE,
	NOUN_EVIDENCE_LAST,
	NOUN_EXPORT,
	NOUN_EXPORTED,
	NOUN_EXPORTED_ASSET,
	NOUN_EXPORTED_CONFIG,
	NOUN_EXPORTED_HEAD,
	NOUN_EXPORTED_LINK,
	NOUN_EXPORTED_ROLE,
	NOUN_FETCH,
	NOUN_FREE,
	NOUN_FREE_MANAGER,
	NOUN_FREE_ROOM,
	NOUN_FREE_TEE,
	NOUN_IDENTITIES,
	NOUN_IDENTITY,
	NOUN_IMPORT,
	NOUN_IMPORTED,
	NOUN_IMPORT_PERSON,
	NOUN_INVITATION,
	NOUN_INVITATIONS,
	NOUN_JOINED,
	NOUN_KEY,
	NOUN_KEYS,
	NOUN_KEY_USE,
	NOUN_LIMITS,
	NOUN_MACHINE,
	NOUN_MACHINES,
	NOUN_MANIFEST,
	NOUN_ME,
	NOUN_MEMBER,
	NOUN_MEMBERS,
	NOUN_NEW_ASSET,
	NOUN_NEW_COMPUTATION,
	NOUN_NEW_INVITATION,
	NOUN_NEW_TOKEN,
	NOUN_NEW_WEBHOOK,
	NOUN_NODE,
	NOUN_PLAN,
	NOUN_PROGRESS,
	NOUN_ROLE,
	NOUN_ROLES,
	NOUN_RUN_USAGE,
	NOUN_SESSION,
	NOUN_TOKEN,
	NOUN_UPLOAD,
	NOUN_USAGE,
	NOUN_USAGE_ROW,
	NOUN_USER,
	NOUN_USERS,
	NOUN_WEBHOOK,
	NOUN_WEBHOOKS,
	NOUN_WITHHELD,
	NOUN_WORKFLOW,
	NOUN_WORKFLOW_ROW,
	NOUN_WORKFLOWS,
	NOUN_WORKSPACE,
	NOUN_WORKSPACE_NAME,
	NOUN_WORKSPACES,
	NOUNS
};

enum web_noun_kind {
	MEMBER_TEXT,
	MEMBER_WORD, /* one of `word` */
	MEMBER_FLAG,
	MEMBER_COUNT,
	MEMBER_TIME,
	MEMBER_DIGEST, /* 32 bytes, in hexadecimal digits */
	MEMBER_DIGEST_OR_NONE,
	MEMBER_BYTES, /* in hexadecimal digits */
	MEMBER_JSON,  /* as somebody else wrote it */
	MEMBER_NOUN,
	MEMBER_KINDS
};

struct web_noun_member {
	const char *name; /* NULL: the end */
	enum web_noun_kind kind;
	bool may_be_null, may_lack, is_list;
	enum web_noun_name noun;
	const char *(*word)(unsigned k); /* the k-th; NULL: there are no more */
};

struct web_noun {
	const char *name;
	const struct web_noun_member *members; /* NULL: `items` says it */
	enum web_noun_name
		items; /* it is a list of these; NOUN_NONE: it is what a manifest is (manifest_shape.h) */
};

extern const struct web_noun web_nouns[NOUNS];
