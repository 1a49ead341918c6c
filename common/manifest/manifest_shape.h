/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_shape.h — which keys each object of a manifest has, in canonical order, and where their
 * values live in the protobuf message. For manifest_json.c alone.
 */
#pragma once

#include "cvms.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

enum manifest_kind {
	MANIFEST_TEXT,
	MANIFEST_TEXTS,
	MANIFEST_HASH,
	MANIFEST_KEY,
	MANIFEST_FLAG,
	MANIFEST_OBJECT,
	MANIFEST_OBJECTS,
};

struct manifest_member {
	const char *key;
	enum manifest_kind kind;
	size_t offset, count_offset;
	size_t max; /* of repeated ones */
	const struct manifest_shape *shape;
	bool unmeasured;        /* allowed in JSON, but not part of the canonical form */
	bool sparse;            /* left out without bytes, or with members that are all empty */
	const char *instead_of; /* another spelling, unmeasured like the key that it stands for */
};

struct manifest_shape {
	const ProtobufCMessageDescriptor *type;
	const struct manifest_member *members;
	size_t count;
};

extern const struct manifest_shape manifest_shape; /* of a whole manifest */
