/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_reader.h — somebody reads the console of a CVM that was made for a workspace, through this service.
 *
 * Whether he may is asked in the database before each piece, and now and then while nothing comes: by the workspace that
 * the CVM is of, by number, whatever name he gave at the beginning and whatever has that name now. One piece waits here
 * at a time; who reads slowly costs no more than that, and his manager waits. On the loop.
 */
#pragma once

#include "computations/core/admin_access.h"
#include "computations/machines/machines.h"
#include "computations/machines/manager_console.h"

enum {
	CONSOLE_READERS_MAX = 64, /* at a time */
	CONSOLE_READERS_EACH = 8, /* of one user */
};

struct console_reader;

struct console_sink {
	/* Once and first: he may, and the manager is being asked. May be NULL; never from within console_reader_new(). */
	void (*begun)(void *data);
	/* Lent. False: nothing more comes until console_reader_go_on(). */
	bool (*piece)(void *data, const uint8_t *bytes, size_t len, bool skipped);
	/* Once and last, never from within console_reader_new() or console_reader_stop(). `e` NULL: the CVM is gone, or
	 * (of one that does not follow) this is all. */
	void (*ended)(void *data, const struct err *e);
};

/* `caller` is copied: what admin_access_take() or its like found. `workspace` as admin_access_workspace() takes it.
 * `sink` is kept. */
int console_reader_new(struct service *service, const struct admin_caller *caller,
		       const char *workspace, const char *name, const struct console_wish *wish,
		       const struct console_sink *sink, void *data, struct console_reader **reader,
		       struct err *e) MUST_CHECK;
void console_reader_go_on(struct console_reader *reader);
/* Nothing is called any more. Not after ended(). */
void console_reader_stop(struct console_reader *reader);
/* Who reads, from begun() on. */
const struct admin_caller *console_reader_caller(const struct console_reader *reader);
/* The CVM's id; "" as long as nobody knows it. */
const char *console_reader_cvm(const struct console_reader *reader);
