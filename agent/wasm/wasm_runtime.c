/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wasm/wasm_runtime.h"

#include "common/base/file.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

int wasm_runtime_find(char **path, struct err *e)
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	CLEANUP(free) char *found = NULL;

	if (len <= 0)
		return err_errno(e, "find this program");
	own[len] = '\0';
	*strrchr(own, '/') = '\0';
	if (text_format(&found, e, "%s/cocos-wasm", own) < 0)
		return err_code(e);
	if (access(found, X_OK) < 0)
		return err_set(
			e, ERR_UNIMPLEMENTED,
			"this agent has no runtime for wasm (cocos-wasm): take an image of the "
			"flavour wasm, or build it where libwasmedge-dev is (Debian 13)");
	*path = TAKE_PTR(found);
	return 0;
}
