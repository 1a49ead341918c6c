/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TEE's interfaces answer, of which the host makes the certificates and TDX's quotes and can hold up the
 * rest: attributes of configfs-tsm, calls of /dev/sev-guest, registers. Input: a byte of bits, then what the parts
 * below hold, each length (2) content. The calls that reach the kernel are replaced.
 */
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_rtmr.h"
#include "attestation/provider/provider_svsm.h"
#include "attestation/provider/provider_tsm.h"
#include "attestation/snp/snp_report.h"
#include "common/base/bytes.h"
#include "common/base/file.h"
#include "common/base/reader.h"
#include "common/crypto/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Bits of the first byte. */
enum {
	HONEST = 1,  /* generations count what was written */
	READY = 2,   /* root made the entries */
	FITS = 4,    /* the report is over what was asked for */
	SERVICE = 8, /* there is an SVSM */
	EMPTY = 16,  /* attributes without content are there */
	DEVICE = 32, /* /dev/sev-guest */
	TSM = 64,
	OVER = 128, /* the report is over the manifest, as an SVSM's is */
};

enum part {
	PROVIDER,
	GENERATION,
	FLOOR,
	OUTBLOB,
	AUXBLOB,
	MANIFEST,
	FAULTS, /* of each file that is opened: which error, 0 none */
	CALLS,  /* of the device: error, what the host says, how much it has */
	RTMR3,
	MRCONFIGID,
	PARTS,
};

static const char *const names[PARTS] = {
	[PROVIDER] = "provider",  [GENERATION] = "generation", [FLOOR] = "privlevel_floor",
	[OUTBLOB] = "outblob",    [AUXBLOB] = "auxblob",       [MANIFEST] = "manifestblob",
	[RTMR3] = "rtmr3:sha384", [MRCONFIGID] = "mrconfigid",
};

enum { SNP_DATA_AT = 0x50, TDX_DATA_AT = 48 + 520, RESPONSE_HEAD = 32, CALL_RECORD = 6 };

static uint8_t bits;
static uint8_t content[PARTS][65535];
static size_t lens[PARTS];
static size_t opened, called;
static unsigned int writes;
static uint8_t asked[PROVIDER_REPORT_DATA_LEN];
static char folder[] = "/dev/shm/fuzz-tee-XXXXXX";
static bool is_ready;

static const int faults[] = { 0, EBUSY, EINTR, EIO, ENOENT, ETIMEDOUT };

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("attribute", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static bool is_there(const char *name, enum part *part)
{
	for (*part = 0; *part < PARTS; ++*part)
		if (names[*part] && strcmp(names[*part], name) == 0)
			return lens[*part] || (bits & EMPTY);
	return false;
}

int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	size_t nth = opened++;
	enum part part;
	char text[32];

	if (dir == AT_FDCWD || strchr(name, '/'))
		return (int)syscall(SYS_openat, dir, name, flags, 0600);
	if (nth < lens[FAULTS] && (errno = faults[content[FAULTS][nth] % ARRAY_LEN(faults)]))
		return -1;
	if (flags & O_WRONLY) {
		writes++;
		return memory_file("", 0);
	}
	if (strcmp(name, "generation") == 0 && (bits & HONEST)) {
		snprintf(text, sizeof(text), "%u\n", 7 + writes);
		return memory_file(text, strlen(text));
	}
	if (is_there(name, &part))
		return memory_file(content[part], lens[part]);
	errno = ENOENT;
	return -1;
}

int __wrap_faccessat(int dir, const char *name, int mode, int flags);
int __wrap_faccessat(int dir, const char *name, int mode, int flags)
{
	enum part part;

	if (strcmp(name, "service_provider") == 0 ? (bits & SERVICE) : is_there(name, &part))
		return 0;
	errno = ENOENT;
	return -1;
}

/* Nobody waits here. */
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	return 0;
}

/* struct snp_guest_request_ioctl: request at 8, response at 16, what firmware and host say at 24; the extended
 * request has its table's place at 96, and room at 104. */
int __wrap_ioctl(int fd, unsigned long command, uint8_t *call);
int __wrap_ioctl(int fd, unsigned long command, uint8_t *call)
{
	const uint8_t *record =
		called + CALL_RECORD <= lens[CALLS] ? content[CALLS] + called : NULL;
	uint8_t *request, *response, *table;
	uint32_t room, wanted, head[2] = { 0, (uint32_t)lens[OUTBLOB] };
	bool extended = command == 0xc0205302;

	assert(extended || command == 0xc0205300);
	memcpy(&request, call + 8, sizeof(request));
	memcpy(&response, call + 16, sizeof(response));
	called += CALL_RECORD;
	if (record && (errno = faults[record[0] % ARRAY_LEN(faults)])) {
		wanted = (uint32_t)bytes_be(record + 2, 4);
		call[28] = record[1];
		if (extended)
			memcpy(request + 104, &wanted, sizeof(wanted));
		return -1;
	}
	memcpy(response, head, sizeof(head));
	memcpy(response + RESPONSE_HEAD, content[OUTBLOB],
	       lens[OUTBLOB] < SNP_REPORT_LEN ? lens[OUTBLOB] : SNP_REPORT_LEN);
	if (extended) {
		memcpy(&table, request + 96, sizeof(table));
		memcpy(&room, request + 104, sizeof(room));
		memcpy(table, content[AUXBLOB], lens[AUXBLOB] < room ? lens[AUXBLOB] : room);
	}
	return 0;
}

static void remove_folder(void)
{
	struct err ignored;

	(void)!dir_remove(folder, &ignored);
}

static void put(const char *name, const uint8_t *bytes, size_t len)
{
	char path[64];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert(file_write(path, bytes, len, 0600, &e) == 0);
}

static void entry(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (bits & READY)
		assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	else
		assert(rmdir(path) == 0 || errno == ENOENT);
}

static void set_up(void)
{
	if (!is_ready)
		assert(mkdtemp(folder) && atexit(remove_folder) == 0);
	is_ready = true;
	put("sev-guest", NULL, 0);
	put("rtmr3:sha384", content[RTMR3], lens[RTMR3]);
	put("mrconfigid", content[MRCONFIGID], lens[MRCONFIGID]);
	entry(TSM_READY);
	entry(TSM_READY_SERVICE);
	opened = called = writes = 0;
}

static void fit(void)
{
	const struct digest_part over[] = { { asked, sizeof(asked) },
					    { content[MANIFEST], lens[MANIFEST] } };
	bool is_tdx = lens[PROVIDER] && content[PROVIDER][0] == 't';
	size_t at = is_tdx ? TDX_DATA_AT : SNP_DATA_AT;
	struct err e;

	if (lens[OUTBLOB] < at + sizeof(asked))
		return;
	if (bits & FITS)
		memcpy(content[OUTBLOB] + at, asked, sizeof(asked));
	if (bits & OVER)
		assert(digest_parts(DIGEST_SHA512, over, ARRAY_LEN(over), content[OUTBLOB] + at,
				    &e) == 0);
}

static void ask(const struct provider_options *options)
{
	CLEANUP_PROVIDER_REPORT struct provider_report report = { 0 };
	const struct provider *provider = NULL;
	struct provider_launch launch = { 0 };
	struct err e;

	if (provider_find(options, &provider, &e) < 0)
		return;
	if (provider->collect(options, asked, &report, &e) == 0) {
		size_t at = provider->platform == EVIDENCE_TDX ? TDX_DATA_AT : SNP_DATA_AT;

		assert(report.len >= at + sizeof(asked) && report.table_len <= PROVIDER_TABLE_MAX);
		/* TDX's body may lie six bytes further, in quotes of version 5. */
		assert(memcmp(report.report + at, asked, sizeof(asked)) == 0 ||
		       (at == TDX_DATA_AT &&
			memcmp(report.report + at + 6, asked, sizeof(asked)) == 0));
		assert(!report.table == !report.table_len);
	}
	if (provider->launch(options, asked, &launch, &e) == 0)
		assert(launch.len <= sizeof(launch.bytes));
}

static void ask_service(const struct provider_options *options)
{
	const struct tsm_request request = { .root = options->paths.tsm,
					     .provider = "sev_guest",
					     .inblob = asked,
					     .service_guid =
						     "c476f1eb-0123-45a5-9641-b4e7dde5bfe3" };
	const struct span ek = { content[MANIFEST], lens[MANIFEST] };
	struct tsm_answer answer = { 0 };
	struct err e;

	if (tsm_collect(&request, &answer, &e) == 0) {
		const struct span manifest = { answer.manifestblob, answer.manifestblob_len };

		assert(answer.outblob_len <= TSM_BLOB_MAX && answer.auxblob_len <= TSM_BLOB_MAX);
		if (provider_svsm_check((struct span){ answer.outblob, answer.outblob_len },
					manifest, asked, ek, &e) == 0)
			assert(bits & OVER);
		assert(provider_svsm_check((struct span){ answer.outblob, answer.outblob_len },
					   manifest, asked, (struct span){ asked, 5 }, &e) < 0);
	}
	tsm_answer_done(&answer);
}

static void ask_registers(void)
{
	uint8_t value[RTMR_LEN];
	struct err e;

	assert(rtmr_is_there(folder));
	assert((rtmr_read(folder, value, &e) == 0) == (lens[RTMR3] == RTMR_LEN));
	assert((rtmr_read_mrconfigid(folder, value, &e) == 0) == (lens[MRCONFIGID] == RTMR_LEN));
	/* A plain file holds what was written, and so never what must be there afterwards. */
	assert(rtmr_extend(folder, asked, &e) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct provider_options options = { .vmpl = 0 };

	bits = reader_u8(&r);
	memset(asked, 'a', sizeof(asked));
	for (enum part part = 0; part < PARTS; part++) {
		size_t part_len = reader_be16(&r);
		const uint8_t *part_bytes = reader_take(&r, part_len);

		lens[part] = part_bytes ? part_len : 0;
		if (lens[part])
			memcpy(content[part], part_bytes, part_len);
	}
	fit();
	set_up();
	options.paths.measurements = folder;
	if (bits & TSM)
		options.paths.tsm = folder;
	if (bits & DEVICE) {
		static char device[64];

		snprintf(device, sizeof(device), "%s/sev-guest", folder);
		options.paths.sev_guest = device;
	}
	ask(&options);
	if (bits & TSM)
		ask_service(&options);
	ask_registers();
	return 0;
}
