# SPDX-License-Identifier: Apache-2.0
"""embed.py NAME INPUT OUTPUT — a file's bytes as the C constant proto_NAME_set (descriptors.h)."""
import pathlib
import sys

name, source, target = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
rows = [', '.join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
pathlib.Path(target).write_text(
    '#include "proto/descriptors.h"\n\n'
    'static const unsigned char bytes[] = {\n\t' + ',\n\t'.join(rows) + '\n};\n'
    f'const struct descriptor_set proto_{name}_set = {{ bytes, sizeof(bytes) }};\n')
