/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wipe.h — texts that are secrets, such as a private key's PEM: CLEANUP(wipe) wipes and frees them on each way out.
 */
#pragma once

#include "common/base/cleanup.h"

#include <string.h>

static inline void cleanup_wipe(char **owned)
{
	if (*owned)
		explicit_bzero(*owned, strlen(*owned));
	free(*owned);
}
