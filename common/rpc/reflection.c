/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/reflection.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/rpc/descriptor.h"
#include "common/rpc/server_state.h"
#include "proto/descriptors.h"
#include "reflection.pb-c.h"
#include "reflection_paths.h"

#include <stdlib.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

struct rpc_reflection {
	struct rpc_server *server;
	struct rpc_service services[2];
};

static void respond(struct rpc_call *call, const Response *response)
{
	struct err e;

	/* A queue that is full has ended the call; a client that does not read is held back below. */
	if (rpc_call_send(call, &response->base, &e) < 0)
		return;
	if (rpc_call_queued(call) > RPC_HIGH_WATER)
		rpc_call_pause(call);
}

static void answer_error(struct rpc_call *call, Response *response, enum err_code code,
			 const char *what)
{
	Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
	struct log_quoted quoted = log_quote(what);

	error.error_code = (int32_t)code;
	error.error_message = quoted.text;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	response->error_response = &error;
	respond(call, response);
}

static void answer_services(struct rpc_call *call, Response *response)
{
	const struct rpc_reflection *reflection = rpc_call_service(call);
	const struct rpc_server *server = reflection->server;
	Grpc__Reflection__V1__ServiceResponse services[SERVER_SERVICES_MAX];
	Grpc__Reflection__V1__ServiceResponse *pointers[SERVER_SERVICES_MAX];
	Grpc__Reflection__V1__ListServiceResponse list =
		GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;

	for (size_t i = 0; i < server->service_count; i++) {
		services[i] = (Grpc__Reflection__V1__ServiceResponse)
			GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
		services[i].name = (char *)(uintptr_t)server->services[i].service->name;
		pointers[i] = &services[i];
	}
	list.n_service = server->service_count;
	list.service = pointers;
	response->message_response_case =
		GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	response->list_services_response = &list;
	respond(call, response);
}

/* The file alone: a client asks for its imports by their names. */
static void answer_file(struct rpc_call *call, Response *response, const char *wanted,
			bool (*find)(const struct descriptor_set *set, const char *wanted,
				     struct descriptor_file *file))
{
	const struct rpc_reflection *reflection = rpc_call_service(call);
	const struct rpc_server *server = reflection->server;
	Grpc__Reflection__V1__FileDescriptorResponse files =
		GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
	struct descriptor_file file;
	ProtobufCBinaryData data;

	for (size_t i = 0; i < server->service_count; i++) {
		const struct rpc_service *service = server->services[i].service;

		if (!service->descriptors || !find(service->descriptors, wanted, &file))
			continue;
		data = (ProtobufCBinaryData){ file.len, (uint8_t *)(uintptr_t)file.bytes };
		files.n_file_descriptor_proto = 1;
		files.file_descriptor_proto = &data;
		response->message_response_case =
			GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
		response->file_descriptor_response = &files;
		respond(call, response);
		return;
	}
	answer_error(call, response, ERR_NOT_FOUND, wanted);
}

static void on_request(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Request *request = (const Request *)message;
	Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

	response.valid_host = request->host;
	response.original_request = (Request *)(uintptr_t)request;
	switch (request->message_request_case) {
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		answer_services(call, &response);
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		answer_file(call, &response, request->file_by_filename, descriptor_find_file);
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		answer_file(call, &response, request->file_containing_symbol,
			    descriptor_find_symbol);
		break;
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		answer_error(call, &response, ERR_NOT_FOUND, "no extensions here");
		break;
	default:
		answer_error(call, &response, ERR_INVALID, "nothing was asked for");
	}
}

static void on_half_close(struct rpc_call *call)
{
	rpc_call_finish(call, NULL);
}

static void on_writable(struct rpc_call *call)
{
	rpc_call_resume(call);
}

/* The same messages served under the package's name before v1. */
#define OLDER_SERVICE "grpc.reflection.v1alpha.ServerReflection"

#define HANDLER(path_)                                                                 \
	{ .method = { path_, RPC_BIDI,                                                 \
		      &grpc__reflection__v1__server_reflection_request__descriptor,    \
		      &grpc__reflection__v1__server_reflection_response__descriptor }, \
	  .request_max = 4096,                                                         \
	  .is_public = true,                                                           \
	  .message = on_request,                                                       \
	  .half_close = on_half_close,                                                 \
	  .writable = on_writable }

static const struct rpc_handler v1[] = {
	HANDLER(PROTO_REFLECTION_SERVER_REFLECTION_INFO),
};
static const struct rpc_handler v1alpha[] = {
	HANDLER("/" OLDER_SERVICE "/ServerReflectionInfo"),
};

int rpc_reflection_new(struct rpc_server *server, struct rpc_reflection **reflection, struct err *e)
{
	struct rpc_reflection *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	r->server = server;
	r->services[0] = (struct rpc_service){ .name = PROTO_REFLECTION_SERVICE,
					       .handlers = v1,
					       .count = 1,
					       .descriptors = &proto_reflection_set };
	r->services[1] =
		(struct rpc_service){ .name = OLDER_SERVICE, .handlers = v1alpha, .count = 1 };
	for (size_t i = 0; i < ARRAY_LEN(r->services); i++) {
		if (rpc_server_add(server, &r->services[i], r, e) == 0)
			continue;
		server->service_count -= i; /* the other one */
		free(r);
		return err_wrap(e, "reflection");
	}
	*reflection = r;
	return 0;
}

void rpc_reflection_free(struct rpc_reflection *reflection)
{
	free(reflection);
}
