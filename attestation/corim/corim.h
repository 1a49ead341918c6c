/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim.h — Concise Reference Integrity Manifests (draft-ietf-rats-corim): reference values as CBOR,
 * bare or signed with COSE.
 *
 * Two forms live and both are read: tag 501 around the map with tags as 506(bytes), and the bare map
 * with tags as byte strings that begin with the encoded tag. What a measurement says beyond what we
 * know is remembered as not understood (`others`), so that nobody takes it for matched.
 */
#pragma once

#include "common/base/datum.h"
#include "common/crypto/key.h"

enum {
	CORIM_MAX = 4 << 20,
	CORIM_TAGS_MAX = 64,
	CORIM_TRIPLES_MAX = 256,
	CORIM_MEASUREMENTS_MAX = 256,
	CORIM_DIGESTS_MAX = 8,
	CORIM_OTHERS_MAX = 32,
};

/* A piece of the input; `bytes` NULL where absent. */
struct corim_bytes {
	const uint8_t *bytes;
	size_t len;
};

/* A class id, instance or measurement key: what its tag says it is. */
struct corim_id {
	enum {
		CORIM_ID_NONE,
		CORIM_ID_UUID,
		CORIM_ID_OID,
		CORIM_ID_BYTES,
		CORIM_ID_UINT,
		CORIM_ID_TEXT,
		CORIM_ID_OTHER
	} kind;
	uint64_t
		tag; /* of CORIM_ID_BYTES: 550 UEID, 560 bytes, …; of CORIM_ID_OTHER, which has no value */
	uint64_t number;
	struct corim_bytes value;
};

struct corim_digest {
	uint64_t algorithm; /* IANA Named Information: 1 SHA-256, 7 SHA-384, 8 SHA-512, … */
	struct corim_bytes value;
};

struct corim_measurement {
	struct corim_id key;
	enum { CORIM_SVN_NONE, CORIM_SVN_EXACT, CORIM_SVN_MIN } svn_kind;
	uint64_t svn;
	struct corim_bytes version, raw_value;
	struct corim_digest digests[CORIM_DIGESTS_MAX];
	size_t digest_count;
	int64_t others[CORIM_OTHERS_MAX]; /* keys of the value that are not understood */
	size_t other_count;
	bool has_more; /* members beside key and value: who is to say so, or what is not known here */
};

struct corim_reference { /* one reference-triple */
	struct corim_id class_id, instance, group;
	struct corim_bytes vendor, model;
	bool has_layer;
	uint64_t layer;
	bool has_more; /* members of class or environment that are not understood */
	struct corim_measurement *measurements;
	size_t count;
};

struct corim_tag {             /* one CoMID; other kinds have no references */
	bool is_comid, tagged; /* tagged: 506(bytes), else bytes that begin with the tag */
	uint64_t number;       /* 505 CoSWID, 506 CoMID, 508 CoTL */
	struct corim_id id;
	uint64_t version;
	int64_t triples[16]; /* the kinds that are there; a profile's own are negative */
	size_t triple_count;
	struct corim_reference *references;
	size_t count;
	struct datum *tree;
};

struct corim {
	struct datum *tree;
	bool tagged;             /* under tag 501 */
	struct corim_id id;      /* text, or 16 bytes as a UUID */
	struct corim_id profile; /* OID, or text of a URI */
	bool has_validity;
	int64_t not_before, not_after; /* not_before INT64_MIN where absent */
	struct corim_tag tags[CORIM_TAGS_MAX];
	size_t count;

	/* Of a signed one. */
	bool is_signed;
	struct corim_bytes signer, kid;
	bool has_signature_validity;
	int64_t signature_not_before, signature_not_after;
};

/* With a key, the bytes must be a COSE_Sign1 by it (content type application/rim+cbor, corim-meta);
 * without, an unsigned CoRIM, or a signed one whose signature nobody asked about is refused too:
 * name its key. Validity, of the signature and of the CoRIM, covers `at`. corim_done() it; spans
 * lead into `bytes`. */
int corim_parse(const void *bytes, size_t len, EVP_PKEY *key, int64_t at, struct corim *corim,
		struct err *e) MUST_CHECK;
void corim_done(struct corim *corim);

/* {"form":…,"id":…,"tags":[…]…}, every field by its specification's name. */
struct writer;
void corim_show(const struct corim *corim, struct writer *w);
