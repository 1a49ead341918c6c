/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/library/cocos/attestation.h"

const char *cocos_version(void)
{
	return COCOS_VERSION;
}
