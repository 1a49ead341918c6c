/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/registry_row.h"

#include "common/base/log.h"
#include "common/base/utf8.h"
#include "manager/registry/host_table.h"

#include <string.h>

/* In the order of REGISTRY_COLUMNS. */
enum column {
	COLUMN_ID,
	COLUMN_SLOT,
	COLUMN_PORT,
	COLUMN_STEP,
	COLUMN_CREATED,
	COLUMN_EXPIRES,
	COLUMN_TEE,
	COLUMN_KVM,
	COLUMN_CPUS,
	COLUMN_CPU_TYPE,
	COLUMN_FIRMWARE,
	COLUMN_IMAGE,
	COLUMN_CMDLINE,
	COLUMN_BOOT_256,
	COLUMN_BOOT_384,
	COLUMN_EXPECTED,
	COLUMN_NAME,
	COLUMN_LABELS,
	COLUMN_MEMORY,
	COLUMN_OWNER,
	COLUMN_HOST,
	COLUMNS,
};

bool cvm_id_is_valid(const char *id)
{
	if (strlen(id) != CVM_ID_LEN)
		return false;
	for (size_t i = 0; i < CVM_ID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? id[i] != '-' : !id[i] || !strchr("0123456789abcdef", id[i]))
			return false;
	}
	return true;
}

void registry_row_bind(sqlite3_stmt *s, const struct cvm *cvm)
{
	const int64_t numbers[] = {
		[COLUMN_SLOT] = cvm->slot,
		[COLUMN_PORT] = cvm->port,
		[COLUMN_STEP] = cvm->step,
		[COLUMN_CREATED] = cvm->created_ms,
		[COLUMN_EXPIRES] = cvm->expires_ms,
		[COLUMN_TEE] = cvm->tee,
		[COLUMN_KVM] = cvm->kvm,
		[COLUMN_CPUS] = cvm->cpus,
	};
	const char *const texts[] = {
		[COLUMN_CPU_TYPE] = cvm->cpu_type,
		[COLUMN_FIRMWARE] = cvm->firmware,
		[COLUMN_IMAGE] = cvm->image,
		[COLUMN_CMDLINE] = cvm->cmdline,
	};

	/* Parameters count from one. */
	sqlite3_bind_text(s, COLUMN_ID + 1, cvm->id, -1, SQLITE_STATIC);
	for (int i = COLUMN_SLOT; i <= COLUMN_CPUS; i++)
		sqlite3_bind_int64(s, i + 1, numbers[i]);
	for (int i = COLUMN_CPU_TYPE; i <= COLUMN_CMDLINE; i++)
		sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_blob(s, COLUMN_BOOT_256 + 1, cvm->boot_sha3_256, SHA3_256_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(s, COLUMN_BOOT_384 + 1, cvm->boot_sha3_384, SHA3_384_LEN, SQLITE_STATIC);
	sqlite3_bind_text(s, COLUMN_EXPECTED + 1, cvm->expected, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, COLUMN_NAME + 1, cvm->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, COLUMN_LABELS + 1, cvm->labels, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, COLUMN_MEMORY + 1, (int64_t)cvm->memory);
	sqlite3_bind_text(s, COLUMN_OWNER + 1, cvm->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, COLUMN_HOST + 1, cvm->host, -1, SQLITE_STATIC);
}

static int bad(sqlite3_stmt *s, enum column column, const char *why, struct err *e)
{
	const char *id = (const char *)sqlite3_column_text(s, COLUMN_ID);

	return err_set(e, ERR_DATA_LOSS, "CVM %s: its %s %s", log_quote(id ? id : "").text,
		       sqlite3_column_name(s, (int)column), why);
}

static int take_number(sqlite3_stmt *s, enum column column, int64_t min, int64_t max, int64_t *out,
		       struct err *e)
{
	int64_t value = sqlite3_column_int64(s, (int)column);

	if (sqlite3_column_type(s, (int)column) != SQLITE_INTEGER)
		return bad(s, column, "is no number", e);
	if (value < min || value > max)
		return bad(s, column, "is out of range", e);
	*out = value;
	return 0;
}

static int take_text(sqlite3_stmt *s, enum column column, char *out, size_t room, struct err *e)
{
	size_t len;
	const char *text;

	if (sqlite3_column_type(s, (int)column) != SQLITE_TEXT)
		return bad(s, column, "is no text", e);
	text = (const char *)sqlite3_column_text(s, (int)column);
	if (!text)
		return err_nomem(e);
	len = (size_t)sqlite3_column_bytes(s, (int)column);
	if (len >= room)
		return bad(s, column, "is too long", e);
	/* Policies have lines. */
	if (memchr(text, 0, len) || !utf8_valid(text, len) ||
	    (column != COLUMN_EXPECTED && utf8_has_control(text, len)))
		return bad(s, column, "holds characters that no text of ours has", e);
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

static int take_digest(sqlite3_stmt *s, enum column column, uint8_t *out, size_t len, struct err *e)
{
	const void *blob = sqlite3_column_blob(s, (int)column);

	if (sqlite3_column_type(s, (int)column) != SQLITE_BLOB || !blob ||
	    (size_t)sqlite3_column_bytes(s, (int)column) != len)
		return bad(s, column, "has not the length of a digest", e);
	memcpy(out, blob, len);
	return 0;
}

static int take_numbers(sqlite3_stmt *s, struct cvm *cvm, struct err *e)
{
	int64_t numbers[COLUMNS] = { 0 };
	static const struct {
		int64_t min, max;
	} ranges[] = {
		[COLUMN_SLOT] = { 0, REGISTRY_ROWS_MAX - 1 },
		[COLUMN_PORT] = { 1, UINT16_MAX },
		[COLUMN_STEP] = { CVM_FILES, CVM_CLEANING },
		[COLUMN_CREATED] = { 0, INT64_MAX },
		[COLUMN_EXPIRES] = { 0, INT64_MAX },
		[COLUMN_TEE] = { DOMAIN_PLAIN, DOMAIN_TDX },
		[COLUMN_KVM] = { false, true },
		[COLUMN_CPUS] = { 1, REGISTRY_CPUS_MAX },
	};

	for (enum column c = COLUMN_SLOT; c <= COLUMN_CPUS; c++)
		if (take_number(s, c, ranges[c].min, ranges[c].max, &numbers[c], e) < 0)
			return err_code(e);
	if (numbers[COLUMN_EXPIRES] && numbers[COLUMN_EXPIRES] < numbers[COLUMN_CREATED])
		return bad(s, COLUMN_EXPIRES, "is before its created_ms", e);
	cvm->slot = (unsigned)numbers[COLUMN_SLOT];
	cvm->port = (uint16_t)numbers[COLUMN_PORT];
	cvm->step = (enum cvm_step)numbers[COLUMN_STEP];
	cvm->created_ms = numbers[COLUMN_CREATED];
	cvm->expires_ms = numbers[COLUMN_EXPIRES];
	cvm->tee = (enum domain_tee)numbers[COLUMN_TEE];
	cvm->kvm = numbers[COLUMN_KVM] != 0;
	cvm->cpus = (unsigned)numbers[COLUMN_CPUS];
	return 0;
}

/* What versions after the first have added. */
static int take_additions(sqlite3_stmt *s, struct cvm *cvm, struct err *e)
{
	struct err why;
	int64_t memory;

	if (take_text(s, COLUMN_NAME, cvm->name, sizeof(cvm->name), e) < 0 ||
	    take_text(s, COLUMN_LABELS, cvm->labels, sizeof(cvm->labels), e) < 0 ||
	    take_number(s, COLUMN_MEMORY, 0, INT64_MAX, &memory, e) < 0 ||
	    take_text(s, COLUMN_OWNER, cvm->owner, sizeof(cvm->owner), e) < 0 ||
	    take_text(s, COLUMN_HOST, cvm->host, sizeof(cvm->host), e) < 0)
		return err_code(e);
	if (cvm_name_check(cvm->name, &why) < 0)
		return bad(s, COLUMN_NAME, "is none", e);
	if (!cvm_labels_are_valid(cvm->labels))
		return bad(s, COLUMN_LABELS, "are none", e);
	if (*cvm->owner && !access_name_is_valid(cvm->owner))
		return bad(s, COLUMN_OWNER, "is no tenant's name", e);
	if (*cvm->host && !host_name_is_valid(cvm->host))
		return bad(s, COLUMN_HOST, "is no host's name", e);
	cvm->memory = (uint64_t)memory;
	return 0;
}

int registry_row_take(sqlite3_stmt *s, struct cvm *out, struct err *e)
{
	struct cvm cvm = { .slot = 0 };

	if (take_text(s, COLUMN_ID, cvm.id, sizeof(cvm.id), e) < 0)
		return err_code(e);
	if (!cvm_id_is_valid(cvm.id))
		return bad(s, COLUMN_ID, "is no UUID", e);
	if (take_numbers(s, &cvm, e) < 0 ||
	    take_text(s, COLUMN_CPU_TYPE, cvm.cpu_type, sizeof(cvm.cpu_type), e) < 0 ||
	    take_text(s, COLUMN_FIRMWARE, cvm.firmware, sizeof(cvm.firmware), e) < 0 ||
	    take_text(s, COLUMN_IMAGE, cvm.image, sizeof(cvm.image), e) < 0 ||
	    take_text(s, COLUMN_CMDLINE, cvm.cmdline, sizeof(cvm.cmdline), e) < 0 ||
	    take_text(s, COLUMN_EXPECTED, cvm.expected, sizeof(cvm.expected), e) < 0 ||
	    take_digest(s, COLUMN_BOOT_256, cvm.boot_sha3_256, SHA3_256_LEN, e) < 0 ||
	    take_digest(s, COLUMN_BOOT_384, cvm.boot_sha3_384, SHA3_384_LEN, e) < 0 ||
	    take_additions(s, &cvm, e) < 0)
		return err_code(e);
	*out = cvm;
	return 0;
}

/* In the order of REGISTRY_GONE_COLUMNS. */
enum gone_column {
	GONE_ID,
	GONE_NAME,
	GONE_LABELS,
	GONE_TEE,
	GONE_KVM,
	GONE_WHY,
	GONE_CREATED,
	GONE_EXITED,
	GONE_OWNER,
};

static void take_gone_text(sqlite3_stmt *s, enum gone_column column, char *out, size_t room)
{
	const char *text = (const char *)sqlite3_column_text(s, (int)column);

	snprintf(out, room, "%s", text && strlen(text) < room ? text : "");
}

static int64_t take_gone_number(sqlite3_stmt *s, enum gone_column column, int64_t max)
{
	int64_t value = sqlite3_column_int64(s, (int)column);

	return value < 0 || value > max ? 0 : value;
}

bool registry_row_take_gone(sqlite3_stmt *s, struct cvm_gone *gone)
{
	struct cvm_gone g = { .revision = 0 };
	struct err e;

	take_gone_text(s, GONE_ID, g.id, sizeof(g.id));
	take_gone_text(s, GONE_NAME, g.name, sizeof(g.name));
	take_gone_text(s, GONE_LABELS, g.labels, sizeof(g.labels));
	take_gone_text(s, GONE_OWNER, g.owner, sizeof(g.owner));
	if (!cvm_id_is_valid(g.id))
		return false;
	if (*g.owner && !access_name_is_valid(g.owner))
		g.owner[0] = '\0';
	if (cvm_name_check(g.name, &e) < 0)
		g.name[0] = '\0';
	if (!cvm_labels_are_valid(g.labels))
		g.labels[0] = '\0';
	g.tee = (enum domain_tee)take_gone_number(s, GONE_TEE, DOMAIN_TDX);
	g.kvm = take_gone_number(s, GONE_KVM, true) != 0;
	g.why = (enum cvm_why)take_gone_number(s, GONE_WHY, CVM_INTERRUPTED);
	g.created_ms = take_gone_number(s, GONE_CREATED, INT64_MAX);
	g.exited_ms = take_gone_number(s, GONE_EXITED, INT64_MAX);
	*gone = g;
	return true;
}
