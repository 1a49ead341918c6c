# SPDX-License-Identifier: Apache-2.0
"""paths.py NAME INPUT OUTPUT — the service of a .proto file and the paths of its methods, as C macros:
PROTO_NAME_SERVICE and PROTO_NAME_METHOD."""
import pathlib
import re
import sys

name, source, target = sys.argv[1:]
text = re.sub(r'//[^\n]*|/\*.*?\*/', '', pathlib.Path(source).read_text(), flags=re.S)
package = re.search(r'^\s*package\s+([\w.]+)\s*;', text, re.M)[1]
services = re.findall(r'^\s*service\s+(\w+)\s*\{', text, re.M)
methods = re.findall(r'^\s*rpc\s+(\w+)\s*\(', text, re.M)
if len(services) != 1 or not methods:
    sys.exit(f'{source}: one service with methods is needed')

# AzureAttestationToken, IMAMeasurements: AZURE_ATTESTATION_TOKEN, IMA_MEASUREMENTS
words = re.compile(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')
prefix = f'#define PROTO_{name.upper()}_'
service = f'{package}.{services[0]}'
pathlib.Path(target).write_text(
    '#pragma once\n\n' + f'{prefix}SERVICE "{service}"\n' +
    ''.join(f'{prefix}{words.sub("_", method).upper()} "/{service}/{method}"\n' for method in methods))
