/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostname.h — where a listener's address can be reached from.
 */
#pragma once

#include <stdbool.h>

/* Only from this machine: "localhost", an address in 127.0.0.0/8, ::1 in any spelling, or "[::1]".
 * Another name is not looked up, and is not. */
bool hostname_is_loopback(const char *name);
