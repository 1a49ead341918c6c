/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/network.h"

void network_lengths(const struct rpc_source *from, size_t *wide, size_t *narrow)
{
	const uint8_t kind = from->bytes[0];

	*wide = kind == '4' ? 1 + 2 : kind == '6' ? 1 + 4 : RPC_SOURCE_LEN;
	*narrow = kind == '4' ? 1 + 4 : kind == '6' ? 1 + 6 : RPC_SOURCE_LEN;
}
