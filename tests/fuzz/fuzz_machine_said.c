/* SPDX-License-Identifier: Apache-2.0 */
/* What a manager says of a CVM, from the wire: what is believed has the form of its kind, and is of the one asked for. */
#include "computations/machines/machine_said.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define TAG "cocos-00000000000000000000000000000000"
#define ID  "3b1f8a10-1111-4222-8333-000000000001"

static void check(int failed, const struct machine_said *said, const struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:[]%";

	if (failed) {
		assert(failed == -ERR_DATA_LOSS && *e->text);
		return;
	}
	assert(strlen(said->id) == MACHINE_ID_LEN);
	assert(strspn(said->id, "0123456789abcdef-") == MACHINE_ID_LEN);
	assert(said->fate < MACHINE_FATES && *said->words);
	assert((said->fate == MACHINE_FATE_RUNNING) == (*said->address != 0));
	assert(strspn(said->address, letters) == strlen(said->address));
}

static void read_vm(const Manager__Vm *m, const char *target, const char *id)
{
	struct machine_said said;
	struct err e = { 0 };
	int failed = machine_said_vm(m, target, TAG, id, &said, &e);

	check(failed, &said, &e);
	if (failed)
		return;
	assert(strcmp(m->name, TAG) == 0);
	assert(!*id || strcmp(said.id, id) == 0);
}

/* The first byte: what it is said to be, and by whom. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const targets[] = { "unix:/m", "m.example:7", "https://m.example:7",
					       "http://[::1]:7" };
	Manager__CreateRes *created;
	struct machine_said said;
	struct err e = { 0 };
	const char *target;
	Manager__Vm *vm;

	if (!len)
		return 0;
	target = targets[bytes[0] >> 1 & 3];
	if (bytes[0] & 1) {
		created = manager__create_res__unpack(NULL, len - 1, bytes + 1);
		if (created)
			check(machine_said_created(created, target, &said, &e), &said, &e);
		if (created)
			manager__create_res__free_unpacked(created, NULL);
		return 0;
	}
	vm = manager__vm__unpack(NULL, len - 1, bytes + 1);
	if (!vm)
		return 0;
	read_vm(vm, target, ID);
	read_vm(vm, target, "");
	manager__vm__free_unpacked(vm, NULL);
	return 0;
}
