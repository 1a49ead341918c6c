/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/cgroup, a byte 0x1e, and /proc/self/mountinfo: whatever a host has mounted, and wherever,
 * a place is a path below the root or nothing. */
#include "agent/jail/cgroup_lines.h"

#include <assert.h>
#include <string.h>

enum { SEPARATOR = 0x1e };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_path(const char *path)
{
	assert(memchr(path, 0, CGROUP_PATH_MAX));
	assert(path[0] == '/' || path[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *stop = len ? memchr(bytes, SEPARATOR, len) : NULL;
	struct span groups = { bytes, stop ? (size_t)(stop - bytes) : len };
	struct span mounts = { stop ? stop + 1 : bytes, stop ? len - groups.len - 1 : 0 };
	static struct cgroup_places places;
	char own[CGROUP_PATH_MAX];
	struct err e;

	memset(&places, 0xff, sizeof(places));
	if (cgroup_lines_places(groups, mounts, &places, &e) == 0)
		for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
			check_path(places.of[i].path);
	else
		assert(e.text[0] && (unsigned char)places.of[0].path[0] == 0xff);
	if (cgroup_lines_unified(groups, own, &e) == 0)
		assert(memchr(own, 0, sizeof(own)) && !strstr(own, "/../"));
	return 0;
}
