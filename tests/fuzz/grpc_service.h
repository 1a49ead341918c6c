/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_service.h — a gRPC service in the same process, over one end of a socket pair: the counterpart of grpc_peer.h.
 * It is nghttp2 with nothing of common/rpc, and answers whatever it is told to answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRPC_SERVICE_CALLS = 8 };

struct grpc_service_word {
	const char *key, *value;
};

struct grpc_service;

/* `fd` is taken over. `heard` gets each whole message of a call, which are numbered as they come; those beyond
 * GRPC_SERVICE_CALLS are refused. */
struct grpc_service *
grpc_service_new(int fd, void (*heard)(void *data, unsigned call, const uint8_t *bytes, size_t len),
		 void *data);
/* The connection ends, without a word. NULL is fine. */
void grpc_service_free(struct grpc_service *service);
/* So many calls have come. */
unsigned grpc_service_calls(const struct grpc_service *service);

/* Each does nothing where it can't be said any more, or yet. */
/* True: they go out. */
bool grpc_service_headers(struct grpc_service *service, unsigned call, unsigned http_status,
			  const struct grpc_service_word *words, size_t count);
/* A message behind its prefix, or (raw) just these bytes; after the headers. */
void grpc_service_say(struct grpc_service *service, unsigned call, const uint8_t *bytes, size_t len,
		      bool raw);
/* Trailers, or the only headers. */
void grpc_service_end(struct grpc_service *service, unsigned call, const char *status,
		      const char *text);
void grpc_service_reset(struct grpc_service *service, unsigned call, uint32_t code);
/* It stays open until its calls are over. */
void grpc_service_goodbye(struct grpc_service *service);
void grpc_service_hang_up(struct grpc_service *service);
/* Bytes that need not be HTTP/2. */
void grpc_service_raw(struct grpc_service *service, const uint8_t *bytes, size_t len);

/* Says what it has to say, and hears what has come. True: something moved. */
bool grpc_service_move(struct grpc_service *service);
