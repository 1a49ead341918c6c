/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h — requests on a server's ports that are not gRPC's: somebody else answers them. For common/http,
 * which has the routes.
 *
 * A request whose content type is not application/grpc is a call whose body is taken as it comes, whole,
 * and answered once. Everything that bounds a call bounds it, too: places, windows, times, memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct rpc_call;
struct rpc_server;

enum {
	RPC_WEB_METHOD_MAX = 15,
	RPC_WEB_TARGET_MAX = 4096,
	RPC_WEB_AUTHORITY_MAX = 255,
	RPC_WEB_TYPE_MAX = 127,
};

/* What is wrong with a request before anybody looks at what it asks for. */
enum rpc_web_fault {
	RPC_WEB_GOOD,
	RPC_WEB_TOO_LARGE,   /* all headers together */
	RPC_WEB_LONG_TARGET, /* more than RPC_WEB_TARGET_MAX */
	RPC_WEB_BAD_HEADER,  /* `why` says which */
};

/* Lent until start() returns. Other headers: rpc_call_metadata(). */
struct rpc_web_request {
	const char *method, *target, *authority, *content_type; /* "" if there is none */
	enum rpc_web_fault fault;
	const char *why; /* of RPC_WEB_BAD_HEADER */
};

struct rpc_web {
	/* The headers are in: answers, or calls rpc_web_take() once. */
	void (*start)(void *data, struct rpc_call *call, const struct rpc_web_request *request);
	/* The whole body, malloc'ed, the callee's. */
	void (*body)(struct rpc_call *call, uint8_t *bytes, size_t len);
	/* The server ends the request: ERR_OUT_OF_RANGE for a body that is too long, ERR_DEADLINE for a slow
	 * one, ERR_UNAVAILABLE where others come first. Answers, if nothing was answered. */
	void (*fail)(struct rpc_call *call, const struct err *why);
	/* As rpc_call's: queued output fell below RPC_LOW_WATER. May be NULL. */
	void (*writable)(struct rpc_call *call);
	/* Once and last. */
	void (*closed)(struct rpc_call *call);
};

/* `web` and `data` are kept, not copied. Without it such requests get 405 or 415. */
void rpc_server_set_web(struct rpc_server *server, const struct rpc_web *web, void *data);

/* The body may have so many bytes. */
void rpc_web_take(struct rpc_call *call, size_t most);

struct rpc_web_field {
	const char *name, *value;
};
enum { RPC_WEB_FIELDS_MAX = 24 };
struct rpc_web_reply {
	const char *status; /* "200" */
	const struct rpc_web_field *fields;
	size_t count;  /* at most RPC_WEB_FIELDS_MAX */
	uint8_t *body; /* malloc'ed, taken over in every case; may be NULL */
	size_t len;
};
/* Once; later ones, and those to a caller who has left, do nothing. */
void rpc_web_answer(struct rpc_call *call, const struct rpc_web_reply *reply);

/* The same for an answer that goes on: `reply` without a body, then its bytes (malloc'ed, taken over in every
 * case), then the end. Whoever does not take what is queued is cut off as with rpc_web_answer(). */
bool rpc_web_begin(struct rpc_call *call,
		   const struct rpc_web_reply *reply); /* false: the caller has left */
int rpc_web_send(struct rpc_call *call, uint8_t *bytes, size_t len, struct err *e);
void rpc_web_end(struct rpc_call *call);
/* Not an end, but a break: the client sees that something is missing. */
void rpc_web_cut(struct rpc_call *call);
