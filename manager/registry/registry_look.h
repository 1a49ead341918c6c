/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_look.h — a registry on a server, and the managers that share it, as somebody sees it who has not opened it: for
 * `cocos-manager --check`. Nothing is made or changed, and nobody waits for it.
 */
#pragma once

#include "manager/registry/registry_lease.h"

struct registry_look_host {
	struct registry_lease lease;
	int64_t cvms; /* recorded there */
};

struct registry_look {
	int64_t form; /* of its tables; 0: there are none */
	bool is_known; /* that form is this program's; else nothing more is said of it but the clock */
	int tag_failed; /* a manager of this folder may not use it, as `tag_why` says */
	struct err tag_why;
	char tag[REGISTRY_TAG_LEN + 1];
	int64_t ahead_ms; /* this machine's clock, of the server's: at least so much; below 0: behind */
	bool is_named; /* somebody has the name, or had it: `named` */
	struct registry_manager named;
	struct registry_look_host *hosts; /* malloc'ed */
	size_t host_count;
};
void registry_look_done(struct registry_look *look);

/* For a manager with that folder and, where it would share the registry, that name; NULL: it would be alone. Blocking. */
int registry_look(const char *dir, const char *database, const char *name,
		  struct registry_look *look, struct err *e) MUST_CHECK;
