/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_idle.h — settings that were given, and that others leave nothing to do.
 */
#pragma once

#include "common/base/settings.h"

/* A setting, and whether the others leave it nothing to do: "without MANAGER_DATABASE". */
struct setting_idle {
	const char *name;
	bool is_idle;
	const char *why;
};

/* Those that are given though they do nothing, in one line of the log: somebody believes they do. A row that ends with
 * '_' stands for all that begin so. */
void settings_warn_idle(const struct setting *table, size_t count, const struct setting_idle *rows,
			size_t row_count, const struct keyfile *file,
			const struct settings_environment *environment);
