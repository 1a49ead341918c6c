/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim_tag.h — the pieces of a CoRIM as they were read: tags, reference triples, measurements. All
 * spans lead into the bytes that were parsed.
 */
#pragma once

#include "common/base/datum.h"

enum {
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
	/* Of CORIM_ID_BYTES: 550 UEID, 560 bytes, …; of CORIM_ID_OTHER, which has no value. */
	uint64_t tag;
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
	bool has_layer, has_index;
	uint64_t layer, index;
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
