# SPDX-License-Identifier: Apache-2.0
"""Files of backups: whole ones, edits of a database's bytes, and SQL that its maker has run in it."""
FILE, DATABASE, EDITS, SQL = range(4)


def edits(*pairs):
    return bytes([EDITS]) + b"".join(at.to_bytes(4, "big") + bytes([value]) for at, value in pairs)


def sql(text):
    return bytes([SQL]) + text.encode()


def backup():
    seal = b"\ncocos-computations backup 1 sha3-256:" + b"0" * 64 + b"\n"
    return {
        "file-empty": bytes([FILE]),
        "file-short": bytes([FILE]) + seal[1:],
        "file-seal-alone": bytes([FILE]) + seal,
        "file-other-seal": bytes([FILE]) + b"x" + seal.replace(b"backup 1", b"backup 2"),
        "file-damaged": bytes([FILE]) + b"x" + seal,
        "database-none": bytes([DATABASE]) + b"x",
        "database-short": bytes([DATABASE]) + b"SQLite format 3\0",
        "database-zeros": bytes([DATABASE]) + b"SQLite format 3\0\x10\0\1\1\0\x40\x20\x20" + bytes(76),
        "whole": edits(),
        "edit-magic": edits((0, 0)),
        "edit-with-log": edits((18, 2), (19, 2)),
        "edit-reads-log": edits((19, 2)),
        "edit-pages": edits((28, 0xff), (31, 1)),
        "edit-schema": edits((100, 0), (105, 9)),
        "edit-page": edits(*((4096 + i, 0x55) for i in range(32))),
        "form-0": sql("PRAGMA user_version=0"),
        "form-negative": sql("PRAGMA user_version=-1"),
        "form-newer": sql("PRAGMA user_version=999"),
        "form-older": sql("PRAGMA user_version=1"),
        "log-mode": sql("PRAGMA journal_mode=WAL"),
        "no-about": sql("DROP TABLE backup_about"),
        "no-counts": sql("DROP TABLE backup_tables"),
        "empty-about": sql("DELETE FROM backup_about"),
        "about-twice": sql("INSERT INTO backup_about SELECT * FROM backup_about"),
        "taken-negative": sql("UPDATE backup_about SET taken = -1"),
        "taken-text": sql("UPDATE backup_about SET taken = 'now'"),
        "witness-none": sql("UPDATE backup_about SET witness = ''"),
        "witness-blob": sql("UPDATE backup_about SET witness = x'00ff'"),
        "witness-other": sql("UPDATE witness_key SET digest = zeroblob(32)"),
        "count-less": sql("UPDATE backup_tables SET count = count - 1 WHERE name = 'users'"),
        "count-none": sql("DELETE FROM backup_tables WHERE name = 'users'"),
        "rows-gone": sql("DELETE FROM audit_rows WHERE number = 2"),
        "rows-none": sql("DELETE FROM computations; UPDATE backup_tables SET count = 0 WHERE name = 'computations'"),
        "row-changed": sql("UPDATE audit_rows SET who = 'user b' WHERE number = 2"),
        "leaf-changed": sql("UPDATE witness_leaves SET run = 9 WHERE number = 2"),
        "table-more": sql("CREATE TABLE more (number INTEGER)"),
        "table-gone": sql("DROP TABLE halves; DELETE FROM backup_tables WHERE name = 'halves'"),
        "table-quoted": sql("CREATE TABLE \"a b; DROP TABLE users\" (a)"),
        "column-more": sql("ALTER TABLE users ADD COLUMN more TEXT"),
        "column-gone": sql("ALTER TABLE users DROP COLUMN auditor"),
        "trigger": sql("CREATE TRIGGER t AFTER DELETE ON invitations BEGIN DELETE FROM users; END"),
        "view": sql("CREATE VIEW backup_more AS SELECT * FROM users"),
        "index": sql("CREATE INDEX i ON users (name)"),
        "index-of-its-own": sql("CREATE INDEX i ON audit_rows (number) WHERE number > 2"),
        "view-for-a-table": sql("ALTER TABLE users RENAME TO backup_users; CREATE VIEW users AS SELECT * FROM backup_users"),
        "orphan": sql("INSERT INTO role_members VALUES ('none', 'owner', 99)"),
        "type-other": sql("UPDATE users SET created = 'x'"),
        "passing": sql("INSERT INTO entry_links (person, hash, ends) VALUES (NULL, zeroblob(32), 1);"
                       "UPDATE backup_tables SET count = 1 WHERE name = 'entry_links'"),
        "schema-written": sql("PRAGMA writable_schema=1; UPDATE sqlite_master SET sql = 'x' WHERE name = 'users'"),
    }


TARGETS = [backup]
