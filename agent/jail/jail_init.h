/* SPDX-License-Identifier: Apache-2.0 */
/* jail_init.h — pid 1 of the jail: builds it, starts the program, reaps, tells how it ended. */
#pragma once

#include "agent/jail/jail_spec.h"
#include "agent/jail/jail_usage.h"

struct jail_init {
	const struct jail_spec *spec;
	struct jail_limits limits; /* no zeros */
	int sock;                  /* to the agent; only written */
	int go;                    /* a byte comes when the user namespace has its maps; the other
				    * end closes when the parent dies */
	bool grouped;              /* a control group bounds memory */
	unsigned int held;         /* what groups bound, for the agent: jail_group.h */
};

/* Runs in the new namespaces. Its end is the end of every process in there. */
_Noreturn void jail_init_run(const struct jail_init *init);

/* One packet to the agent, with a descriptor if `fd` is not negative. */
void jail_tell(int sock, enum jail_news news, const void *content, size_t len, int fd);
void jail_tell_usage(int sock, struct jail_usage usage);
