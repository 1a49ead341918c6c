/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_backup.h — what cocos-computations --backup and --restore do: see store/backup.h. Both print a line to `out`
 * that says what is in the file.
 */
#pragma once

#include "computations/core/config.h"

#include <stdio.h>

int service_backup(const struct config *config, const char *path, FILE *out,
		   struct err *e) MUST_CHECK;
int service_restore(const struct config *config, const char *path, FILE *out,
		    struct err *e) MUST_CHECK;
