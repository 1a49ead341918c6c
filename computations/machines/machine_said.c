/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machine_said.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "computations/store/store_machine.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum err_code machine_said_code(enum err_code said)
{
	/* Words that nobody can read are ERR_INTERNAL. */
	static const enum err_code faults[] = { ERR_INTERNAL, ERR_UNKNOWN, ERR_UNAUTHENTICATED,
						ERR_DENIED };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (said == faults[i])
			return ERR_UNAVAILABLE;
	return said;
}

int machine_tag_make(char tag[MACHINE_TAG_LEN + 1], struct err *e)
{
	uint8_t random[16];
	char hex[2 * sizeof(random) + 1];

	if (random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), hex);
	snprintf(tag, MACHINE_TAG_LEN + 1, "cocos-%s", hex);
	return 0;
}

static int take_id(const char *id, struct machine_said *said, struct err *e)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	_Static_assert(sizeof(form) == MACHINE_ID_LEN + 1, "a UUID");
	for (size_t i = 0; i < MACHINE_ID_LEN; i++)
		if (!id[i] || (form[i] == '-' ? id[i] != '-' : !strchr("0123456789abcdef", id[i])))
			return err_set(e, ERR_DATA_LOSS, "the manager calls a CVM %s: no UUID",
				       log_quote(id).text);
	if (id[MACHINE_ID_LEN])
		return err_set(e, ERR_DATA_LOSS, "the manager calls a CVM %s: no UUID",
			       log_quote(id).text);
	memcpy(said->id, id, MACHINE_ID_LEN + 1);
	return 0;
}

static int take_address(const char *target, const char *host, const char *port,
			struct machine_said *said, struct err *e)
{
	if (reach_address(target, host, port, said->address, e) == 0)
		return 0;
	e->code = ERR_DATA_LOSS;
	return err_code(e);
}

int machine_said_created(const Manager__CreateRes *m, const char *target, struct machine_said *said,
			 struct err *e)
{
	*said = (struct machine_said){ .fate = MACHINE_FATE_RUNNING, .words = "it runs" };
	if (take_id(m->cvm_id, said, e) < 0)
		return err_code(e);
	return take_address(target, m->host_address, m->forwarded_port, said, e);
}

static const struct fate {
	const char *state, *reason; /* reason NULL: whatever it is */
	enum machine_fate fate;
	const char *words;
} fates[] = {
	{ "creating", NULL, MACHINE_FATE_COMING, "its manager is making it" },
	{ "running", NULL, MACHINE_FATE_RUNNING, "it runs" },
	{ "lost", NULL, MACHINE_FATE_UNKNOWN, "its host can't be asked whether it runs" },
	{ "removing", NULL, MACHINE_FATE_GOING, "its manager is removing it" },
	{ "exited", "abandoned", MACHINE_FATE_LEFT_US, "nobody waited for it at its manager" },
	{ "exited", "interrupted", MACHINE_FATE_LEFT_US, "its manager was stopped in between" },
	{ "exited", "expired", MACHINE_FATE_EXPIRED, "its time was up" },
	{ "exited", "removed", MACHINE_FATE_GONE, "somebody removed it at its manager" },
	{ "exited", "ended", MACHINE_FATE_GONE, "its machine ended by itself" },
	{ "exited", "failed", MACHINE_FATE_GONE, "its manager could not make it" },
	{ "exited", NULL, MACHINE_FATE_GONE, "its manager does not say why" },
};

static const struct fate *fate_of(const Manager__Vm *m)
{
	for (size_t i = 0; i < ARRAY_LEN(fates); i++)
		if (strcmp(fates[i].state, m->state) == 0 &&
		    (!fates[i].reason || strcmp(fates[i].reason, m->exit_reason) == 0))
			return &fates[i];
	return NULL;
}

static int take_numbers(const Manager__Vm *m, struct machine_said *said, struct err *e)
{
	if (m->created_ms < 0 || m->exited_ms < 0 || m->cpus > MACHINE_CPUS_MAX ||
	    m->memory > MACHINE_MEMORY_MAX)
		return err_set(e, ERR_DATA_LOSS,
			       "the manager says that a CVM has %u CPUs and %llu bytes of memory, "
			       "from %lld to %lld: that can't be",
			       m->cpus, (unsigned long long)m->memory, (long long)m->created_ms,
			       (long long)m->exited_ms);
	said->created = m->created_ms;
	said->exited = m->exited_ms;
	said->cpus = m->cpus;
	said->memory = (int64_t)m->memory;
	return 0;
}

int machine_said_vm(const Manager__Vm *m, const char *target, const char *tag, const char *id,
		    struct machine_said *said, struct err *e)
{
	const struct fate *fate = fate_of(m);
	char port[16];

	*said = (struct machine_said){ .fate = MACHINE_FATE_UNKNOWN };
	if (strcmp(m->name, tag) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the manager speaks of a CVM %s that was not asked for",
			       log_quote(m->name).text);
	if (take_id(m->id, said, e) < 0)
		return err_code(e);
	if (*id && strcmp(said->id, id) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the manager gives CVM %s the id of another one: %s", id, said->id);
	if (!fate)
		return err_set(e, ERR_DATA_LOSS, "the manager says that a CVM is %s: no such state",
			       log_quote(m->state).text);
	if (take_numbers(m, said, e) < 0)
		return err_code(e);
	said->fate = fate->fate;
	said->words = fate->words;
	if (said->fate != MACHINE_FATE_RUNNING)
		return 0;
	snprintf(port, sizeof(port), "%u", (unsigned)m->forwarded_port);
	return take_address(target, m->host_address, port, said, e);
}
