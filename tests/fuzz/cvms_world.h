/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvms_world.h — for fuzz_cvms: an agent's link to its computation service, with a postbox and a journal behind it, and
 * the services, one for each connection. Dials, random numbers and the keeper's process are wrapped.
 *
 * On each stream numbered answers come in order and without a gap; what a service did not ask for is not sent; what
 * none has heard is still there when the world is left.
 */
#pragma once

#include "agent/core/cvms.h"
#include "common/crypto/digest.h"
#include "tests/fuzz/grpc_service.h"

enum { CVMS_LINKS_MAX = 16 };

struct cvms_link {
	struct grpc_service *grpc;
	struct {
		bool journal, progress; /* it asked for them */
		unsigned last;          /* answer that it has heard */
	} streams[GRPC_SERVICE_CALLS];
};

/* From now on. */
extern struct cvms_world_does {
	bool refused, deaf; /* dials; services */
	int keeper;         /* KEEPER_… */
} cvms_world_does;

extern uv_loop_t cvms_world_loop;
extern struct cvms *cvms_world_cvms;
extern uint8_t cvms_world_run[SHA256_LEN]; /* of the journal that was heard last */

/* FLAG_… */
void cvms_world_enter(uint8_t flags);
void cvms_world_leave(void);
/* All talk until nobody has anything more to say. */
void cvms_world_settle(void);
/* One of POST_…: the agent has something to tell. */
void cvms_world_post(uint8_t what, uint8_t operand);
/* The latest connection, or the one so many before it; NULL: there is none. */
struct cvms_link *cvms_world_link(size_t back);
