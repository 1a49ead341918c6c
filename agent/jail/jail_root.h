/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_root.h — the file tree that the jailed program sees, built in its own mount namespace.
 *
 * For pid 1 of the jail, with all capabilities in its new user namespace. Three steps, because the
 * first needs the eyes of who started the jail and the second the hands of the jail's nobody:
 * take what is to be seen from outside, become nobody, put it together and leave the old root.
 */
#pragma once

#include "agent/jail/jail_spec.h"

enum { JAIL_TREES_MAX = 96, JAIL_LINKS_MAX = 64 };

struct jail_trees {
	struct {
		int fd; /* a detached mount */
		const char *target;
		const struct jail_mount *mount; /* the spec's; NULL: the image's */
		bool is_dir;
	} trees[JAIL_TREES_MAX];
	size_t count;
	struct {
		const char *path;
		char target[256];
	} links[JAIL_LINKS_MAX];
	size_t link_count;
	char unlayered[ERR_TEXT_MAX]; /* why folders are read-only that should be layered, or "" */
};

/* Takes detached copies of /usr and what belongs to it, a few devices and the spec's mounts. */
int jail_root_take(const struct jail_spec *spec, struct jail_trees *trees,
		   struct err *e) MUST_CHECK;

/* Builds the root, enters it, and leaves nothing of the old one. `*results` takes a descriptor of
 * /task/results. Says in `trees` what it could not layer. */
int jail_root_enter(const struct jail_spec *spec, const struct jail_limits *limits,
		    struct jail_trees *trees, int *results, struct err *e) MUST_CHECK;
