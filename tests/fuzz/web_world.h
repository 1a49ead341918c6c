/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_world.h — the service's page over a store in memory, for fuzz targets that ask it with web_browser.h; one of it,
 * begun anew with each input.
 *
 * A request of the input: how(1), with LATER minutes(1), with COUNTS a passkey's count(1), with FAILS the statement of the
 * database that fails(1), with SPENT so late that a user has used up his calls; a method(1); and target, headers and body, each length(2) bytes, with words of web_browser.h
 * in them.
 *
 * Each is answered once, and with a fault of ours only if the database had one. Who shows nothing that is good (web_who.h) gets
 * nothing that is not everybody's, and changes nothing, and no more does another site's page; who shows what is good is known;
 * a form that has not come from a page of this session changes nothing; what is told again was not made again; who has used up
 * his calls is put off, and nobody else, but for what ends something.
 */
#pragma once

#include "common/base/reader.h"
#include "computations/core/service.h"
#include "computations/web/web_work.h"
#include "tests/fuzz/web_browser.h"

/* What she has with WORLD_PASSWORD. */
#define WORLD_PASSWORD_TEXT "a horse of seven stables"

enum {
	WORLD_SIGN_IN = 1,
	WORLD_NO_AUTHORITY = 2,
	WORLD_NO_ORIGIN = 4,
	WORLD_LOOPBACK_ORIGIN = 8,
	WORLD_PASSWORD = 16,
};

struct web_world {
	uv_loop_t loop;
	struct store store;
	struct service service;
	struct web web;
	int64_t anna; /* a user, with a session that has just begun */
};
extern struct web_world world;

/* Serves the routes of these patterns, and no others; the list ends with NULL. */
void web_world_enter(uint8_t flags, const char *const *patterns);
void web_world_leave(void);

/* The next request of the input, unless it is cut. `also`: what else has to hold of its answer; NULL: nothing. */
void web_world_ask(struct reader *r,
		   void (*also)(const struct browser_request *request,
				const struct browser_said *said, const struct http_route *route));
/* Time goes on. */
void web_world_wait(unsigned seconds);
/* A number that the database has. */
int64_t web_world_count(const char *sql);
