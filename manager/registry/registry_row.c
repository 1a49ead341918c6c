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

int registry_row_insert(struct db *db, const struct cvm *cvm, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO cvm (" REGISTRY_COLUMNS ") VALUES (" REGISTRY_PARAMETERS ")",
		      "tiiiiiiiittttbbtttitt", cvm->id, (int64_t)cvm->slot, (int64_t)cvm->port,
		      (int64_t)cvm->step, cvm->created_ms, cvm->expires_ms, (int64_t)cvm->tee,
		      (int64_t)cvm->kvm, (int64_t)cvm->cpus, cvm->cpu_type, cvm->firmware,
		      cvm->image, cvm->cmdline, cvm->boot_sha3_256, (size_t)SHA3_256_LEN,
		      cvm->boot_sha3_384, (size_t)SHA3_384_LEN, cvm->expected, cvm->name,
		      cvm->labels, (int64_t)cvm->memory, cvm->owner, cvm->host);
}

static int bad(struct db_rows *rows, enum column column, const char *why, struct err *e)
{
	CLEANUP(free) char *id = NULL;
	struct err none;

	if (db_text(rows, COLUMN_ID, &id, &none) < 0)
		id = NULL;
	return err_set(e, ERR_DATA_LOSS, "CVM %s: its %s %s", log_quote(id ? id : "").text,
		       db_column_name(rows, (int)column), why);
}

static int take_number(struct db_rows *rows, enum column column, int64_t min, int64_t max,
		       int64_t *out, struct err *e)
{
	int64_t value;

	if (db_integer(rows, (int)column, INT64_MIN, INT64_MAX, &value, e) < 0)
		return bad(rows, column, "is no number", e);
	if (value < min || value > max)
		return bad(rows, column, "is out of range", e);
	*out = value;
	return 0;
}

static int take_text(struct db_rows *rows, enum column column, char *out, size_t room,
		     struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, (int)column, &text, e) < 0)
		return e->code == ERR_DATA_LOSS ? bad(rows, column, "is no text of ours", e)
						: err_code(e);
	len = strlen(text);
	if (len >= room)
		return bad(rows, column, "is too long", e);
	/* Policies have lines. */
	if (column != COLUMN_EXPECTED && utf8_has_control(text, len))
		return bad(rows, column, "is no text of ours", e);
	memcpy(out, text, len + 1);
	return 0;
}

static int take_digest(struct db_rows *rows, enum column column, uint8_t *out, size_t room,
		       struct err *e)
{
	const void *bytes;
	size_t len;

	if (db_blob(rows, (int)column, room, &bytes, &len, e) < 0 || len != room)
		return bad(rows, column, "has not the length of a digest", e);
	memcpy(out, bytes, room);
	return 0;
}

static int take_numbers(struct db_rows *rows, struct cvm *cvm, struct err *e)
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
		if (take_number(rows, c, ranges[c].min, ranges[c].max, &numbers[c], e) < 0)
			return err_code(e);
	if (numbers[COLUMN_EXPIRES] && numbers[COLUMN_EXPIRES] < numbers[COLUMN_CREATED])
		return bad(rows, COLUMN_EXPIRES, "is before its created_ms", e);
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
static int take_additions(struct db_rows *rows, struct cvm *cvm, struct err *e)
{
	struct err why;
	int64_t memory;

	if (take_text(rows, COLUMN_NAME, cvm->name, sizeof(cvm->name), e) < 0 ||
	    take_text(rows, COLUMN_LABELS, cvm->labels, sizeof(cvm->labels), e) < 0 ||
	    take_number(rows, COLUMN_MEMORY, 0, INT64_MAX, &memory, e) < 0 ||
	    take_text(rows, COLUMN_OWNER, cvm->owner, sizeof(cvm->owner), e) < 0 ||
	    take_text(rows, COLUMN_HOST, cvm->host, sizeof(cvm->host), e) < 0)
		return err_code(e);
	if (cvm_name_check(cvm->name, &why) < 0)
		return bad(rows, COLUMN_NAME, "is none", e);
	if (!cvm_labels_are_valid(cvm->labels))
		return bad(rows, COLUMN_LABELS, "are none", e);
	if (*cvm->owner && !access_name_is_valid(cvm->owner))
		return bad(rows, COLUMN_OWNER, "is no tenant's name", e);
	if (*cvm->host && !host_name_is_valid(cvm->host))
		return bad(rows, COLUMN_HOST, "is no host's name", e);
	cvm->memory = (uint64_t)memory;
	return 0;
}

int registry_row_take(struct db_rows *rows, struct cvm *out, struct err *e)
{
	struct cvm cvm = { .slot = 0 };

	if (take_text(rows, COLUMN_ID, cvm.id, sizeof(cvm.id), e) < 0)
		return err_code(e);
	if (!cvm_id_is_valid(cvm.id))
		return bad(rows, COLUMN_ID, "is no UUID", e);
	if (take_numbers(rows, &cvm, e) < 0 ||
	    take_text(rows, COLUMN_CPU_TYPE, cvm.cpu_type, sizeof(cvm.cpu_type), e) < 0 ||
	    take_text(rows, COLUMN_FIRMWARE, cvm.firmware, sizeof(cvm.firmware), e) < 0 ||
	    take_text(rows, COLUMN_IMAGE, cvm.image, sizeof(cvm.image), e) < 0 ||
	    take_text(rows, COLUMN_CMDLINE, cvm.cmdline, sizeof(cvm.cmdline), e) < 0 ||
	    take_text(rows, COLUMN_EXPECTED, cvm.expected, sizeof(cvm.expected), e) < 0 ||
	    take_digest(rows, COLUMN_BOOT_256, cvm.boot_sha3_256, SHA3_256_LEN, e) < 0 ||
	    take_digest(rows, COLUMN_BOOT_384, cvm.boot_sha3_384, SHA3_384_LEN, e) < 0 ||
	    take_additions(rows, &cvm, e) < 0)
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

static void take_gone_text(struct db_rows *rows, enum gone_column column, char *out, size_t room)
{
	CLEANUP(free) char *text = NULL;
	struct err ignored;

	if (db_text(rows, (int)column, &text, &ignored) == 0 && strlen(text) < room)
		memcpy(out, text, strlen(text) + 1);
}

static int64_t take_gone_number(struct db_rows *rows, enum gone_column column, int64_t max)
{
	struct err ignored;
	int64_t value;

	return db_integer(rows, (int)column, 0, max, &value, &ignored) < 0 ? 0 : value;
}

bool registry_row_take_gone(struct db_rows *rows, struct cvm_gone *gone)
{
	struct cvm_gone g = { .revision = 0 };
	struct err e;

	take_gone_text(rows, GONE_ID, g.id, sizeof(g.id));
	take_gone_text(rows, GONE_NAME, g.name, sizeof(g.name));
	take_gone_text(rows, GONE_LABELS, g.labels, sizeof(g.labels));
	take_gone_text(rows, GONE_OWNER, g.owner, sizeof(g.owner));
	if (!cvm_id_is_valid(g.id))
		return false;
	if (*g.owner && !access_name_is_valid(g.owner))
		g.owner[0] = '\0';
	if (cvm_name_check(g.name, &e) < 0)
		g.name[0] = '\0';
	if (!cvm_labels_are_valid(g.labels))
		g.labels[0] = '\0';
	g.tee = (enum domain_tee)take_gone_number(rows, GONE_TEE, DOMAIN_TDX);
	g.kvm = take_gone_number(rows, GONE_KVM, true) != 0;
	g.why = (enum cvm_why)take_gone_number(rows, GONE_WHY, CVM_INTERRUPTED);
	g.created_ms = take_gone_number(rows, GONE_CREATED, INT64_MAX);
	g.exited_ms = take_gone_number(rows, GONE_EXITED, INT64_MAX);
	*gone = g;
	return true;
}
