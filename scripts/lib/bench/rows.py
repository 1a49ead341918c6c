# SPDX-License-Identifier: Apache-2.0
"""The rows of the table, in their order."""
from bench import agent, attested, boot, calls, created, fleet, flood, journal, sandbox, scale, throng, verify

GROUPS = [agent.transfers, agent.memory, calls.unary, calls.first_calls, flood.rows, fleet.rows, created.records, created.whole, attested.channel, verify.verdicts, verify.measurement, sandbox.rows,
          journal.entries, journal.receipt, scale.lists, throng.rows, boot.connected, boot.kernels, boot.first_byte, agent.sizes, boot.image_size]


def measure(size, only):
    for group in GROUPS:
        for row in group(size, only):
            if not only or any(word in row["row"] for word in only):
                yield row


def number(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def line(row):
    text = f"{row['row']:<52} {number(row['figure']):>10} {row['unit']:<8}"
    if "limit" in row:
        text += f" limit {number(row['limit']):>9} ({row['of']})"
    if "ratio" in row:
        text += f" ratio {row['ratio']:.3f}"
    if "note" in row:
        text += f" ({row['note']})"
    return text + (f" aim {row['aim']}" if row.get("aim") else "")
