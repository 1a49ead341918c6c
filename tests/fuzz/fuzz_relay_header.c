/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance says of a connection that it passes on, and where another one says it is reached. What is taken has one form. */
#include "common/base/cleanup.h"
#include "common/relay/relay_address.h"
#include "common/relay/relay_header.h"

#include <stdlib.h>
#include <string.h>

static void read_address(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = strndup((const char *)bytes, len);
	union relay_address address;
	socklen_t address_len;
	struct err e;

	if (text && relay_address_parse(text, &address, &address_len, &e) == 0 &&
	    (address_len > sizeof(address) || strlen(text) >= RELAY_ADDRESS_MAX))
		__builtin_trap();
}

static void read_header(const uint8_t *bytes, size_t len)
{
	uint8_t again[RELAY_HEADER_LEN];
	struct relay_header header;
	struct rpc_origin origin;
	struct err e;

	if (relay_header_read(bytes, len, &header, &e) < 0)
		return;
	relay_header_write(&header, again);
	relay_header_origin(&header, &origin);
	if (len != sizeof(again) || memcmp(bytes, again, len) != 0 || !origin.name[0] ||
	    !relay_door_name(header.door))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len && bytes[0] == '@')
		read_address(bytes + 1, len - 1);
	else
		read_header(bytes, len);
	return 0;
}
