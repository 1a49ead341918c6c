/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h — looks things up in serialized FileDescriptorSets (google/protobuf/descriptor.proto),
 * without unpacking them. For reflection. The sets are our own, built in.
 */
#pragma once

#include "proto/descriptors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptor_file {
	const uint8_t *bytes; /* a FileDescriptorProto, within the set */
	size_t len;
};

/* The file of that name, or the one that defines the fully qualified symbol (message, field, oneof,
 * enum, value, service or method). */
bool descriptor_find_file(const struct descriptor_set *set, const char *name,
			  struct descriptor_file *file);
bool descriptor_find_symbol(const struct descriptor_set *set, const char *symbol,
			    struct descriptor_file *file);
