/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_block.h"

#include "common/rpc/metadata_wire.h"

#include <string.h>

enum {
	HEADER_OVERHEAD = 32, /* RFC 9113, section 10.5.1 */
	TOO_LARGE_FACTOR = 16,
};

int h2_block_add(struct h2_block *b, const struct h2_block_fields *fields, size_t most,
		 const struct h2_header *header)
{
	struct err e;

	b->list_size += header->name_len + header->len + HEADER_OVERHEAD;
	if (b->list_size > most) {
		b->is_too_large = true;
		return b->list_size / TOO_LARGE_FACTOR > most ? -1 : 0;
	}
	for (size_t i = 0; i < fields->count; i++) {
		const struct h2_block_field *field = &fields->first[i];

		if (field->name_len == header->name_len &&
		    memcmp(field->name, header->name, header->name_len) == 0) {
			field->set(b, header->value, header->len);
			return 0;
		}
	}
	if (rpc_metadata_receive(&b->metadata, header->name, header->name_len, header->value,
				 header->len, &e) < 0 &&
	    b->problem.code == ERR_OK)
		b->problem = e;
	return 0;
}

void h2_block_done(struct h2_block *b)
{
	rpc_metadata_done(&b->metadata);
}
