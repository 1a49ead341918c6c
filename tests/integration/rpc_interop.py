#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""gRPC's interoperability cases, both ways against python3-grpcio and against ourselves.

The build folder is COCOS_BUILD. One line (TAP) for each case: transport, client, server, case.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ['COCOS_BUILD']) / 'tests'
sys.path[:0] = [str(HERE), str(HERE.parent / 'interop'), str(BIN / 'interop')]

import certs as certs_module
import grpc
import peer

results = []


def report(transport, client, server, case, problem):
    results.append(not problem)
    print(f'{"not ok" if problem else "ok"} {len(results)} - '
          f'{transport}, {client} -> {server}: {case}', flush=True)
    if problem:
        print(f'# {problem!r}', flush=True)


class OurServer:
    def __init__(self, *options):
        self.process = subprocess.Popen([BIN / 'grpc_interop_server', *options, '127.0.0.1:0'],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[-1])

    def stop(self):
        """SIGTERM drains: everything must be freed, and the exit code says so."""
        self.process.terminate()
        return self.process.wait(timeout=peer.TIMEOUT)


def our_client(port, case, options):
    done = subprocess.run([BIN / 'grpc_interop_client', '127.0.0.1', str(port), case, *options],
                          capture_output=True, text=True, timeout=peer.TIMEOUT)
    return None if done.returncode == 0 else done.stderr.strip() or f'exit {done.returncode}'


def python_client(channel, case):
    try:
        peer.CASES[case](channel)
    except Exception as problem:  # whatever goes wrong is the case's failure
        return f'{type(problem).__name__}: {problem}'
    return None


def open_channel(port, credentials):
    if credentials:
        return grpc.secure_channel(f'localhost:{port}', credentials)
    return grpc.insecure_channel(f'127.0.0.1:{port}')


def run(transport, server_options, client_options, server_credentials, channel_credentials):
    ours = OurServer(*server_options)
    theirs, their_port = peer.start_server(server_credentials)
    with open_channel(ours.port, channel_credentials) as channel:
        for case in peer.CASES:
            report(transport, 'python', 'ours', case, python_client(channel, case))
    for case in peer.CASES:
        report(transport, 'ours', 'python', case, our_client(their_port, case, client_options))
    for case in peer.CASES:
        report(transport, 'ours', 'ours', case, our_client(ours.port, case, client_options))
    theirs.stop(None)
    code = ours.stop()
    report(transport, '-', 'ours', 'drain', None if code == 0 else f'exit {code}')


def refusals(certs):
    """TLS that must not come about."""
    server = OurServer('--cert', certs.cert, '--key', certs.key, '--client-ca', certs.ca)
    ca = ('--ca', certs.ca)
    own = ('--cert', certs.client_cert, '--key', certs.client_key)
    for what, options in (('without a certificate', ca), ('wrong name', ca + own + ('--name', 'x.y')),
                          ('unknown CA', ('--ca', certs.client_cert) + own), ('plaintext', ())):
        problem = our_client(server.port, 'empty_unary', options)
        report('mtls', 'ours', 'ours', what, None if problem and 'UNAVAILABLE' in problem else
               f'not refused: {problem}')
    problem = our_client(server.port, 'empty_unary', ca + own)
    report('mtls', 'ours', 'ours', 'still serves', problem)
    report('mtls', '-', 'ours', 'drain', None if server.stop() == 0 else 'failed')


def main():
    with tempfile.TemporaryDirectory() as folder:
        certs = certs_module.Certs(folder)
        read = lambda path: pathlib.Path(path).read_bytes()
        pair = ((read(certs.key), read(certs.cert)),)
        run('plaintext', (), (), None, None)
        run('tls', ('--cert', certs.cert, '--key', certs.key), ('--ca', certs.ca),
            grpc.ssl_server_credentials(pair), grpc.ssl_channel_credentials(read(certs.ca)))
        run('mtls', ('--cert', certs.cert, '--key', certs.key, '--client-ca', certs.ca),
            ('--ca', certs.ca, '--cert', certs.client_cert, '--key', certs.client_key),
            grpc.ssl_server_credentials(pair, read(certs.ca), True),
            grpc.ssl_channel_credentials(read(certs.ca), read(certs.client_key),
                                         read(certs.client_cert)))
        refusals(certs)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


if __name__ == '__main__':
    os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
    sys.exit(main())
