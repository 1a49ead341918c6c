/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_answer.h — the one byte that an instance says first of a connection that was passed on to it. For this folder only.
 */
#pragma once

enum relay_answer {
	RELAY_TAKEN,
	RELAY_SERVES_NO_MORE, /* it does not pass on what was passed on to it */
	RELAY_NO_DOOR,        /* its settings have none there */
	RELAY_FULL,
	RELAY_BAD_HEADER,
	RELAY_ANSWERS,
};
