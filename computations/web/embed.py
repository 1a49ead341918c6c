# SPDX-License-Identifier: Apache-2.0
"""embed.py NAME TYPE INPUT OUTPUT — a file's bytes as the C constant web_asset_NAME (web_asset.h)."""
import pathlib
import sys

name, kind, source, target = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
rows = [', '.join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
pathlib.Path(target).write_text(
    '#include "computations/web/web_asset.h"\n\n'
    'static const unsigned char bytes[] = {\n\t' + ',\n\t'.join(rows) + '\n};\n'
    f'const struct http_asset web_asset_{name} = {{ "{kind}", bytes, sizeof(bytes), 0 }};\n')
