/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_said.h — what a manager says of a CVM, read before anything is done about it: it may say what it likes.
 *
 * ERR_DATA_LOSS is what it can't mean; whoever asked for that CVM believes nothing of it then.
 */
#pragma once

#include "common/rpc/reach.h"
#include "manager.pb-c.h"

enum {
	MACHINE_ID_LEN = 36, /* a UUID in lower case, which is also the agent's name here */
	MACHINE_TAG_LEN = 38,
};

/* What it says has become of a CVM. */
enum machine_fate {
	MACHINE_FATE_COMING, /* it is being made */
	MACHINE_FATE_RUNNING,
	MACHINE_FATE_UNKNOWN, /* the manager can't ask its host now */
	MACHINE_FATE_GOING,
	MACHINE_FATE_LEFT_US, /* gone, since nobody waited for it: it may be asked for again */
	MACHINE_FATE_EXPIRED, /* gone, since its time was up */
	MACHINE_FATE_GONE,
	MACHINE_FATES
};

struct machine_said {
	char id[MACHINE_ID_LEN + 1];
	char address[REACH_MAX]; /* "" unless it runs */
	enum machine_fate fate;
	const char *words; /* of that: a constant */
	/* Of machine_said_vm() alone. When it began and ended, ms since 1970 by the manager's clock; what it has. 0: the
	 * manager does not say. */
	int64_t created, exited, cpus, memory;
};

/* The code by which whoever asked this service is told what its manager answered to it: what is a fault of the manager's,
 * or of how it knows this service, is no fault of his, nor of the service. */
enum err_code machine_said_code(enum err_code said);

/* The name that a CVM is asked for by: "cocos-" and 32 hexadecimal digits. */
int machine_tag_make(char tag[MACHINE_TAG_LEN + 1], struct err *e) MUST_CHECK;

/* `target`: the manager's address. */
int machine_said_created(const Manager__CreateRes *m, const char *target, struct machine_said *said,
			 struct err *e) MUST_CHECK;
/* It has to be the one of that tag, and of that id unless `id` is empty. */
int machine_said_vm(const Manager__Vm *m, const char *target, const char *tag, const char *id,
		    struct machine_said *said, struct err *e) MUST_CHECK;
