/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_files.h — the control groups' interface is files: a folder is a group, in both versions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A group is named for the process that makes it; where somebody has that name, with a number more. */
enum { GROUP_NAME_MAX = 48, GROUP_NAMES = 16 };

int group_files_put(int dir, const char *file, const char *text); /* -1 and errno */
int group_files_put_number(int dir, const char *file, uint64_t value);
/* The group of this process below `parent`; -1. Takes away what jails left there whose process
 * was killed before it could. */
int group_files_make(int parent, char name[GROUP_NAME_MAX]);
/* Waits half a second for the last process to leave it. */
void group_files_remove(int parent, const char *name);
/* The number behind `key`, which begins a line; NULL: that the file begins with. 0 if there is none. */
uint64_t group_files_number(int dir, const char *file, const char *key);
/* Of a file with a line "oom_kill 3". */
bool group_files_oom(int dir, const char *file);
