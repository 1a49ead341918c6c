/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_world.h — a place for each test of bundles: what goes in, the archive, what comes out. */
#pragma once

#include "common/bundle/bundle.h"
#include "tests/unit.h"

/* A world for each test: top/in is bundled, top/out unpacked into, top/x.zip between them. */
struct bundle_world {
	char top[64], in[80], out[80], zip[80];
	int in_fd, out_fd;
};

int bundle_world_enter(void **state);
int bundle_world_leave(void **state);
#define BUNDLE_WORLD_ROW(test) \
	cmocka_unit_test_setup_teardown(test, bundle_world_enter, bundle_world_leave)

void bundle_world_put(int dir, const char *path, const char *text);
/* Makes top/x.zip from top/in. */
void bundle_world_pack(const struct bundle_world *w);

/* The file has exactly that text; top/out is empty. */
void bundle_world_holds(int dir, const char *path, const char *text);
void bundle_world_is_empty(const struct bundle_world *w);
