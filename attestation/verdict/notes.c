/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verdict/notes.h"

static const bool limits[NOTE_COUNT] = {
	[NOTE_RELAYABLE] = true,       [NOTE_HOST_CODE] = true,   [NOTE_OPERATOR_TRUSTED] = true,
	[NOTE_NO_MANIFEST_YET] = true, [NOTE_LEAVES_OPEN] = true, [NOTE_BOOT_UNCOMPARED] = true,
	[NOTE_NO_RESULTS] = true,
};

bool notes_limit(enum note_id id)
{
	return (unsigned)id < NOTE_COUNT && limits[id];
}

static const bool informs[NOTE_COUNT] = {
	[NOTE_POLICY] = true,
	[NOTE_CORIM] = true,
	[NOTE_OWN_KERNEL] = true,
};

bool notes_inform(enum note_id id)
{
	return (unsigned)id < NOTE_COUNT && informs[id];
}
