/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_version.c — the version that was built. */
#include "attestation/library/cocos/attestation.h"

const char *cocos_version(void)
{
	return COCOS_VERSION;
}
