/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_check.h — what a host must have before CVMs can be launched on it: `cocos-manager --check`.
 */
#pragma once

#include "common/preflight/preflight.h"
#include "manager/settings/config.h"

/* Checks whose cause can refuse a CreateVm, too: the refusal begins with the check's name. */
#define HOST_CHECK_LIBVIRT "libvirt"
#define HOST_CHECK_TEE     "tee"
#define HOST_CHECK_IMAGE   "image"
#define HOST_CHECK_PORTS   "ports"
#define HOST_CHECK_STATE   "state folder"

/* Puts "host check 'NAME'" before the text of a failure, and is its code. */
int host_check_named(const char *check, struct err *e) MUST_CHECK;

/* Makes all checks and prints them: 0 if none failed, else 1. Blocking. */
int host_check_run(const struct config *config, enum preflight_form form, FILE *out) MUST_CHECK;
