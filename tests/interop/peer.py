# SPDX-License-Identifier: Apache-2.0
"""The independent half of the interoperability tests: gRPC's own library for Python.

Client cases as in gRPC's doc/interop-test-descriptions.md, and a server of grpc.testing.TestService.
No code of ours is used but the message classes that protoc makes of testing.proto.
"""
import time
from concurrent import futures

import grpc
import testing_pb2 as pb

SERVICE = 'grpc.testing.TestService'
INITIAL = 'x-grpc-test-echo-initial'
TRAILING = 'x-grpc-test-echo-trailing-bin'
INPUT_SIZES = (27182, 8, 1828, 45904)
OUTPUT_SIZES = (31415, 9, 2653, 58979)
SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n'
TIMEOUT = 120  # seconds until a call that should succeed counts as failed

METHODS = {
    'EmptyCall': ('unary_unary', pb.Empty, pb.Empty),
    'UnaryCall': ('unary_unary', pb.SimpleRequest, pb.SimpleResponse),
    'StreamingOutputCall': ('unary_stream', pb.StreamingOutputCallRequest,
                            pb.StreamingOutputCallResponse),
    'StreamingInputCall': ('stream_unary', pb.StreamingInputCallRequest,
                           pb.StreamingInputCallResponse),
    'FullDuplexCall': ('stream_stream', pb.StreamingOutputCallRequest,
                       pb.StreamingOutputCallResponse),
    'UnimplementedCall': ('unary_unary', pb.Empty, pb.Empty),
}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


# The client

def method(channel, name, service=SERVICE):
    kind, request, response = METHODS[name]
    return getattr(channel, kind)(f'/{service}/{name}',
                                  request_serializer=request.SerializeToString,
                                  response_deserializer=response.FromString)


def payload(size):
    return pb.Payload(body=b'\0' * size)


def output_request(sizes, body=0, **more):
    return pb.StreamingOutputCallRequest(
        response_parameters=[pb.ResponseParameters(size=size) for size in sizes],
        payload=payload(body), **more)


def want_status(call, code, details=None):
    try:
        call()
    except grpc.RpcError as error:
        check(error.code() == code, f'status {error.code()} ({error.details()}), wanted {code}')
        check(details is None or error.details() == details, f'message {error.details()!r}')
        return
    raise AssertionError(f'the call succeeded, wanted {code}')


def empty_unary(channel):
    check(method(channel, 'EmptyCall')(pb.Empty(), timeout=TIMEOUT) == pb.Empty(), 'not empty')


def large_unary(channel):
    answer = method(channel, 'UnaryCall')(
        pb.SimpleRequest(response_size=314159, payload=payload(271828)), timeout=TIMEOUT)
    check(answer.payload.body == b'\0' * 314159, 'wrong payload')


def client_streaming(channel):
    answer = method(channel, 'StreamingInputCall')(
        iter([pb.StreamingInputCallRequest(payload=payload(size)) for size in INPUT_SIZES]),
        timeout=TIMEOUT)
    check(answer.aggregated_payload_size == 74922, 'wrong sum')


def server_streaming(channel):
    sizes = [len(answer.payload.body) for answer in method(channel, 'StreamingOutputCall')(
        output_request(OUTPUT_SIZES), timeout=TIMEOUT)]
    check(sizes == list(OUTPUT_SIZES), f'sizes {sizes}')


class Requests:
    """An iterator of requests that are made one by one."""

    def __init__(self):
        self.condition = futures.thread.threading.Condition()
        self.waiting, self.is_done = [], False

    def __iter__(self):
        return self

    def __next__(self):
        with self.condition:
            while not self.waiting and not self.is_done:
                self.condition.wait()
            if self.waiting:
                return self.waiting.pop(0)
            raise StopIteration

    def put(self, request):
        with self.condition:
            self.waiting.append(request)
            self.condition.notify()

    def done(self):
        with self.condition:
            self.is_done = True
            self.condition.notify()


def ping_pong(channel):
    requests = Requests()
    answers = method(channel, 'FullDuplexCall')(requests, timeout=TIMEOUT)
    for request_size, response_size in zip(INPUT_SIZES, OUTPUT_SIZES):
        requests.put(output_request([response_size], request_size))
        check(len(next(answers).payload.body) == response_size, 'wrong size')
    requests.done()
    check(list(answers) == [], 'one too many')


def empty_stream(channel):
    check(list(method(channel, 'FullDuplexCall')(iter(()), timeout=TIMEOUT)) == [], 'not empty')


def check_echo(initial, trailing):
    check((INITIAL, 'test_initial_metadata_value') in [tuple(x) for x in initial], 'initial')
    check((TRAILING, b'\xab\xab\xab') in [tuple(x) for x in trailing], 'trailing')


def custom_metadata(channel):
    metadata = ((INITIAL, 'test_initial_metadata_value'), (TRAILING, b'\xab\xab\xab'))
    _, call = method(channel, 'UnaryCall').with_call(
        pb.SimpleRequest(response_size=314159, payload=payload(271828)), metadata=metadata,
        timeout=TIMEOUT)
    check_echo(call.initial_metadata(), call.trailing_metadata())
    call = method(channel, 'FullDuplexCall')(iter([output_request([314159], 271828)]),
                                             metadata=metadata, timeout=TIMEOUT)
    check(len(list(call)) == 1, 'wanted one answer')
    check_echo(call.initial_metadata(), call.trailing_metadata())


def status_code_and_message(channel):
    status = pb.EchoStatus(code=2, message='test status message')
    want_status(lambda: method(channel, 'UnaryCall')(pb.SimpleRequest(response_status=status),
                                                     timeout=TIMEOUT),
                grpc.StatusCode.UNKNOWN, 'test status message')
    want_status(lambda: list(method(channel, 'FullDuplexCall')(
        iter([output_request([], response_status=status)]), timeout=TIMEOUT)),
                grpc.StatusCode.UNKNOWN, 'test status message')


def special_status_message(channel):
    status = pb.EchoStatus(code=2, message=SPECIAL)
    want_status(lambda: method(channel, 'UnaryCall')(pb.SimpleRequest(response_status=status),
                                                     timeout=TIMEOUT),
                grpc.StatusCode.UNKNOWN, SPECIAL)


def unimplemented_method(channel):
    want_status(lambda: method(channel, 'UnimplementedCall')(pb.Empty(), timeout=TIMEOUT),
                grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(channel):
    want_status(lambda: method(channel, 'UnimplementedCall', 'grpc.testing.UnimplementedService')(
        pb.Empty(), timeout=TIMEOUT), grpc.StatusCode.UNIMPLEMENTED)


def cancel_after_begin(channel):
    requests = Requests()
    call = method(channel, 'StreamingInputCall').future(requests)
    call.cancel()
    check(call.cancelled() and call.code() == grpc.StatusCode.CANCELLED, 'not cancelled')
    requests.done()


def cancel_after_first_response(channel):
    requests = Requests()
    answers = method(channel, 'FullDuplexCall')(requests, timeout=TIMEOUT)
    requests.put(output_request([31415], 27182))
    next(answers)
    answers.cancel()
    want_status(lambda: next(answers), grpc.StatusCode.CANCELLED)
    requests.done()


def timeout_on_sleeping_server(channel):
    requests = Requests()
    answers = method(channel, 'FullDuplexCall')(requests, timeout=0.001)
    requests.put(pb.StreamingOutputCallRequest(payload=payload(27182)))
    want_status(lambda: next(answers), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.done()


CASES = {case.__name__: case for case in (
    empty_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream,
    custom_metadata, status_code_and_message, special_status_message, unimplemented_method,
    unimplemented_service, cancel_after_begin, cancel_after_first_response,
    timeout_on_sleeping_server)}


# The server

class Service(grpc.GenericRpcHandler):
    def service(self, details):
        service, _, name = details.method[1:].partition('/')
        handler = getattr(self, name, None) if service == SERVICE else None
        if not handler or name == 'UnimplementedCall':
            return None
        kind, request, response = METHODS[name]
        return getattr(grpc, kind + '_rpc_method_handler')(
            handler, request_deserializer=request.FromString,
            response_serializer=response.SerializeToString)

    @staticmethod
    def echo(context):
        for key, value in context.invocation_metadata():
            if key == INITIAL:
                context.send_initial_metadata(((key, value),))
            elif key == TRAILING:
                context.set_trailing_metadata(((key, value),))

    @staticmethod
    def fail_if_asked(request, context):
        if request.HasField('response_status') and request.response_status.code:
            codes = {code.value[0]: code for code in grpc.StatusCode}
            context.abort(codes[request.response_status.code], request.response_status.message)

    @staticmethod
    def outputs(request):
        for parameters in request.response_parameters:
            time.sleep(parameters.interval_us / 1e6)
            yield pb.StreamingOutputCallResponse(payload=payload(parameters.size))

    def EmptyCall(self, request, context):
        return pb.Empty()

    def UnaryCall(self, request, context):
        self.echo(context)
        self.fail_if_asked(request, context)
        return pb.SimpleResponse(payload=payload(request.response_size))

    def StreamingOutputCall(self, request, context):
        self.echo(context)
        yield from self.outputs(request)

    def StreamingInputCall(self, requests, context):
        return pb.StreamingInputCallResponse(
            aggregated_payload_size=sum(len(request.payload.body) for request in requests))

    def FullDuplexCall(self, requests, context):
        self.echo(context)
        for request in requests:
            self.fail_if_asked(request, context)
            yield from self.outputs(request)


def start_server(credentials=None):
    """A server on a free port of loopback; returns it and the port."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), handlers=(Service(),))
    if credentials:
        port = server.add_secure_port('127.0.0.1:0', credentials)
    else:
        port = server.add_insecure_port('127.0.0.1:0')
    server.start()
    return server, port
