/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h — grpc.testing.TestService's methods, as both halves of the interop tests need them. */
#pragma once

#include "common/rpc/method.h"
#include "testing.pb-c.h"

#define TEST_SERVICE "grpc.testing.TestService"

#define TEST_METHOD(name_, kind_, in_, out_)                                      \
	{ "/" TEST_SERVICE "/" name_, kind_, &grpc__testing__##in_##__descriptor, \
	  &grpc__testing__##out_##__descriptor }

#define TEST_EMPTY_CALL TEST_METHOD("EmptyCall", RPC_UNARY, empty, empty)
#define TEST_UNARY_CALL TEST_METHOD("UnaryCall", RPC_UNARY, simple_request, simple_response)
#define TEST_STREAMING_OUTPUT_CALL                                                           \
	TEST_METHOD("StreamingOutputCall", RPC_SERVER_STREAM, streaming_output_call_request, \
		    streaming_output_call_response)
#define TEST_STREAMING_INPUT_CALL                                                          \
	TEST_METHOD("StreamingInputCall", RPC_CLIENT_STREAM, streaming_input_call_request, \
		    streaming_input_call_response)
#define TEST_FULL_DUPLEX_CALL                                                  \
	TEST_METHOD("FullDuplexCall", RPC_BIDI, streaming_output_call_request, \
		    streaming_output_call_response)
#define TEST_HALF_DUPLEX_CALL                                                  \
	TEST_METHOD("HalfDuplexCall", RPC_BIDI, streaming_output_call_request, \
		    streaming_output_call_response)
#define TEST_UNIMPLEMENTED_CALL TEST_METHOD("UnimplementedCall", RPC_UNARY, empty, empty)
