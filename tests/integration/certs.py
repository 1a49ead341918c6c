# SPDX-License-Identifier: Apache-2.0
"""Certificates for one test run, made with the openssl command: a CA, a server, a client."""
import pathlib
import subprocess


def openssl(*arguments):
    subprocess.run(('openssl',) + arguments, check=True, capture_output=True)


class Certs:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca, ca_key = self.path('ca.pem'), self.path('ca.key')
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', ca_key, '-out', self.ca, '-days', '2', '-subj', '/CN=test CA',
                '-addext', 'basicConstraints=critical,CA:TRUE',
                '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        self.cert, self.key = self.issue('server', ca_key,
                                         'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1')
        self.client_cert, self.client_key = self.issue('client', ca_key,
                                                       'extendedKeyUsage=clientAuth')

    def path(self, name):
        return str(self.folder / name)

    def issue(self, name, ca_key, extension):
        cert, key, request = (self.path(f'{name}.{kind}') for kind in ('pem', 'key', 'csr'))
        extensions = self.path(name + '.ext')
        pathlib.Path(extensions).write_text(extension + '\n')
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                key, '-out', request, '-subj', f'/CN={name}')
        openssl('x509', '-req', '-in', request, '-CA', self.ca, '-CAkey', ca_key, '-CAcreateserial',
                '-days', '2', '-extfile', extensions, '-out', cert)
        return cert, key
