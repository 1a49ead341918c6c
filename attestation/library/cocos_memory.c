/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_memory.c — signatures that need not be verified again (cocos/attestation.h). */
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"

int cocos_memory_new(struct cocos_memory **memory, struct cocos_error *error)
{
	struct cocos_memory *made;
	struct err e;

	if (!memory)
		return library_missing(error, "an argument");
	made = calloc(1, sizeof(*made));
	if (!made) {
		err_nomem(&e);
		return library_error(error, &e);
	}
	if (signatures_new(&made->signatures, &e) < 0) {
		free(made);
		return library_error(error, &e);
	}
	*memory = made;
	return 0;
}

void cocos_memory_free(struct cocos_memory *memory)
{
	if (!memory)
		return;
	signatures_free(memory->signatures);
	free(memory);
}

int cocos_request_memory(struct cocos_request *request, struct cocos_memory *memory,
			 struct cocos_error *error)
{
	if (!request || !memory)
		return library_missing(error, "an argument");
	request->signatures = memory->signatures;
	return 0;
}
