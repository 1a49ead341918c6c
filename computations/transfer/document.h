/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h — computations as files, as the guides of computation services have them: read strictly, and
 * written.
 *
 * JSON: a list of {"computation", "roles", "assets", "asset_links"}, or the older flat form with "owner",
 * "datasets[].provider" and ids for people, one or a list. Ours is "manifest" beside them, a text: the canonical
 * manifest, byte for byte, without which an import would be another computation. CSV: the members of the flat
 * form as columns, what is no text in it as JSON.
 *
 * Contents of assets and private keys are refused, wherever they stand: whoever sends a document takes them out.
 * Names of people are whatever the document calls them. This room knows no database.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "common/manifest/manifest.h"
#include "computations/people/action.h"

enum {
	DOCUMENT_MAX = 3 << 20, /* bytes; a call's message is at most 4 MiB */
	DOCUMENT_ITEMS_MAX = 256,
	DOCUMENT_ASSETS_MAX = MANIFEST_DATASETS_MAX + 1,
	DOCUMENT_ROLES_MAX = 24,
	DOCUMENT_MEMBERS_MAX = 256,
	DOCUMENT_WORD_MAX = 255,   /* ids, names of people, MIME types */
	DOCUMENT_NOTE_MAX = 65536, /* an asset's description */
	DOCUMENT_KEY_MAX = 16384,  /* a public key as text */
	DOCUMENT_NOTICES_MAX = 8,  /* of one computation */
};

/* Texts are lent, of a document that was read by it. None is NULL. */
struct document_asset {
	const char *id, *name, *owner, *description, *mime;
	const char *key; /* PEM or base64 */
	int64_t created; /* ms since 1970; 0: not known */
	bool is_algorithm;
	uint8_t hash[MANIFEST_HASH_LEN];
};

struct document_role {
	const char *name;
	unsigned actions; /* 0: not said */
};

struct document_member {
	const char *role, *user;
};

struct document_item {
	const char *id, *name, *description;
	const char *manifest;            /* canonical; "": none */
	int64_t created, started, ended; /* ms since 1970; 0: not said */
	Cvms__AgentConfig config;        /* its texts are lent, too */
	struct document_asset *assets;
	struct document_role *roles;
	struct document_member *members;
	size_t asset_count, role_count, member_count;
	bool names_consumers; /* they are the members of ACTION_CONSUMER alone, whatever other roles allow */
	const char *notices[DOCUMENT_NOTICES_MAX]; /* constants: what of it does not count here */
	size_t notice_count;
};
#define DOCUMENT_CONSUMER "result_consumer"

struct document {
	struct json *root;
	struct document_item *items;
	size_t count;
};

/* ERR_INVALID says where and what: "[2].assets[0].Checksum: …". */
int document_read(const void *bytes, size_t len, struct document **document,
		  struct err *e) MUST_CHECK;
void document_free(struct document *document);
DEFINE_CLEANUP(struct document *, document_free)

/* Lists: begin, items with `first` for the first, end. A CSV (common/transfer/csv.h) ends with its last item. */
void document_json_begin(struct writer *w);
void document_json_item(struct writer *w, const struct document_item *item, bool first);
void document_json_end(struct writer *w);
void document_csv_begin(struct writer *w);
void document_csv_item(struct writer *w, const struct document_item *item);

/* The key of a person of the document, as PEM or base64, lent; NULL: none is known. */
struct document_keys {
	const char *(*key)(void *data, const char *user, struct err *e);
	void *data;
};

/* The manifest that the item says, by the keys in it and those that are asked for. Decoding only. ERR_NOT_FOUND: some key
 * is missing, and whose is said. `left_out` counts owners who would get results, but have no key. */
int document_manifest(const struct document_item *item, const struct document_keys *keys,
		      Cvms__ComputationRunReq **manifest, size_t *left_out,
		      struct err *e) MUST_CHECK;

/* Which of the manifest's assets it is: 0 the algorithm, then the datasets; -1: none. */
int document_asset_place(const Cvms__ComputationRunReq *manifest,
			 const struct document_asset *asset);
/* As documents have it, malloc'ed; NULL if memory runs out. */
char *document_key_text(const ProtobufCBinaryData *spki);
