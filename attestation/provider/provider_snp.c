/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP: through configfs-tsm, or by the older device's own calls. */
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_tsm.h"
#include "attestation/snp/snp_cert_table.h"
#include "attestation/snp/snp_report.h"
#include "common/base/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the host gave as a table, without the page's padding. Certificates are only endorsements, so
 * a malformed table is left out; a verifier may have them from elsewhere. */
static int take_table(const uint8_t *bytes, size_t len, struct provider_report *out, struct err *e)
{
	enum { GUID_LEN = 16 };
	struct reader r = reader_over(bytes, len);
	struct snp_cert_table table;
	struct err ignored;
	size_t end = 0;

	if (len == 0 || snp_cert_table_parse((struct span){ bytes, len }, &table, &ignored) < 0)
		return 0;
	for (;;) {
		const uint8_t *guid = reader_take(&r, GUID_LEN);
		static const uint8_t none[GUID_LEN];
		uint32_t offset = reader_le32(&r), size = reader_le32(&r);

		if (!guid || memcmp(guid, none, GUID_LEN) == 0)
			break;
		if ((size_t)offset + size > end)
			end = (size_t)offset + size;
	}
	if (end == 0 || end > PROVIDER_TABLE_MAX || end > len)
		return 0;
	out->table = malloc(end);
	if (!out->table)
		return err_nomem(e);
	memcpy(out->table, bytes, end);
	out->table_len = end;
	return 0;
}

/* The report that was asked for and no other. */
static int check_report(const uint8_t *bytes, size_t len, const uint8_t *report_data, struct err *e)
{
	struct snp_report report;

	if (snp_report_parse(bytes, len, &report, e) < 0) {
		e->code = ERR_DATA_LOSS;
		return err_wrap(e, "the device's report");
	}
	if (memcmp(report.report_data, report_data, sizeof(report.report_data)) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the device answers with another request's report");
	return 0;
}

static int launch_of(const struct provider_report *report, struct provider_launch *out,
		     struct err *e)
{
	struct snp_report parsed;

	if (snp_report_parse(report->report, report->len, &parsed, e) < 0)
		return err_code(e);
	memcpy(out->bytes, parsed.host_data, sizeof(parsed.host_data));
	out->len = sizeof(parsed.host_data);
	return 0;
}

/* ---- configfs-tsm ---- */

static int tsm_probe(const struct provider_options *options, struct err *e)
{
	char name[TSM_NAME_MAX];

	if (!options->paths.tsm)
		return err_set(e, ERR_NOT_FOUND, "not looked for");
	if (tsm_provider(options->paths.tsm, name, e) < 0)
		return err_code(e);
	return strcmp(name, "sev_guest") == 0
		       ? 0
		       : err_set(e, ERR_NOT_FOUND, "configfs-tsm is of '%s'", name);
}

static int tsm_collect_snp(const struct provider_options *options, const uint8_t *report_data,
			   struct provider_report *out, struct err *e)
{
	CLEANUP_TSM_ANSWER struct tsm_answer answer = { 0 };
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	const struct tsm_request request = {
		.root = options->paths.tsm,
		.provider = "sev_guest",
		.inblob = report_data,
		.has_privlevel = true,
		.privlevel = options->vmpl,
	};

	if (tsm_collect(&request, &answer, e) < 0 ||
	    check_report(answer.outblob, answer.outblob_len, report_data, e) < 0 ||
	    take_table(answer.auxblob, answer.auxblob_len, &got, e) < 0)
		return err_code(e);
	got.report = TAKE_PTR(answer.outblob);
	got.len = answer.outblob_len;
	*out = TAKE(got, (struct provider_report){ 0 });
	return 0;
}

static int tsm_launch(const struct provider_options *options, const uint8_t *report_data,
		      struct provider_launch *out, struct err *e)
{
	CLEANUP_PROVIDER_REPORT struct provider_report report = { 0 };

	if (tsm_collect_snp(options, report_data, &report, e) < 0)
		return err_code(e);
	return launch_of(&report, out, e);
}

const struct provider provider_snp_tsm = {
	.name = "SEV-SNP by configfs-tsm",
	.platform = EVIDENCE_SNP,
	.probe = tsm_probe,
	.collect = tsm_collect_snp,
	.launch = tsm_launch,
};

/* ---- /dev/sev-guest (linux/sev-guest.h; its members' names differ between releases) ---- */

struct report_request {
	uint8_t user_data[64];
	uint32_t vmpl;
	uint8_t reserved[28];
};

struct extended_request {
	struct report_request data;
	uint64_t certs_address;
	uint32_t certs_len;
};

struct guest_request {
	uint8_t msg_version;
	uint64_t request, response;
	uint64_t exit_info; /* 63..32 of the host, 31..0 of the firmware */
};

enum {
	RESPONSE_LEN = 4000,
	RESPONSE_HEAD_LEN = 32, /* MSG_REPORT_RSP, 56860 table 25: status, size, reserved */
	FIRST_TABLE = 16 << 10,
	HOST_SAYS_TOO_SMALL = 1,
	HOST_SAYS_BUSY = 2,
	DEVICE_ATTEMPTS = 3, /* the driver itself waits for a throttled host */
};
#define GET_REPORT     _IOWR('S', 0x0, struct guest_request)
#define GET_EXT_REPORT _IOWR('S', 0x2, struct guest_request)

/* One extended request; `*table_len` is what the host wants if -EIO comes back for that. */
static int device_ask(int fd, const struct provider_options *options, const uint8_t *report_data,
		      uint8_t *response, uint8_t *table, uint32_t *table_len, struct err *e)
{
	struct extended_request request = { .data.vmpl = options->vmpl };
	struct guest_request call = { .msg_version = 1,
				      .request = (uint64_t)(uintptr_t)&request,
				      .response = (uint64_t)(uintptr_t)response };

	memcpy(request.data.user_data, report_data, sizeof(request.data.user_data));
	request.certs_address = (uint64_t)(uintptr_t)table;
	request.certs_len = *table_len;
	if (ioctl(fd, table ? GET_EXT_REPORT : GET_REPORT, &call) == 0)
		return 0;
	*table_len = request.certs_len;
	uint32_t host = (uint32_t)(call.exit_info >> 32);
	if (errno == EIO && table && host == HOST_SAYS_TOO_SMALL)
		return err_set(e, ERR_EXHAUSTED, "/dev/sev-guest: the host's table has %u bytes",
			       request.certs_len);
	bool busy = errno == EBUSY || errno == EINTR || errno == EAGAIN || host == HOST_SAYS_BUSY;
	return err_set(e, busy ? ERR_UNAVAILABLE : ERR_INTERNAL,
		       "/dev/sev-guest: %s (firmware 0x%x, host %u)", strerror(errno),
		       (unsigned int)call.exit_info, host);
}

static int device_report(int fd, const struct provider_options *options, const uint8_t *report_data,
			 uint8_t *response, uint8_t **table, uint32_t *table_len, struct err *e)
{
	int failed = 0;

	*table_len = FIRST_TABLE;
	for (int i = 0; i < DEVICE_ATTEMPTS; i++) {
		free(*table);
		*table = NULL;
		if (*table_len && posix_memalign((void **)table, 4096, *table_len) != 0)
			return err_nomem(e);
		failed = device_ask(fd, options, report_data, response, *table, table_len, e);
		if (!err_is(failed, ERR_UNAVAILABLE) && !err_is(failed, ERR_EXHAUSTED))
			return failed;
		*table_len = (*table_len + 4095) & ~UINT32_C(4095);
		if (*table_len > PROVIDER_TABLE_MAX)
			*table_len = 0; /* without certificates, then */
	}
	return failed;
}

static int device_probe(const struct provider_options *options, struct err *e)
{
	if (options->paths.sev_guest && access(options->paths.sev_guest, F_OK) == 0)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "no /dev/sev-guest");
}

static int device_collect(const struct provider_options *options, const uint8_t *report_data,
			  struct provider_report *out, struct err *e)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	CLEANUP(free) uint8_t *response = calloc(1, RESPONSE_LEN);
	CLEANUP(free) uint8_t *table = NULL;
	CLEANUP(close) int fd = open(options->paths.sev_guest, O_RDWR | O_CLOEXEC);
	uint32_t table_len = 0;

	if (fd < 0)
		return err_errno(e, "open '%s'", options->paths.sev_guest);
	if (!response)
		return err_nomem(e);
	if (device_report(fd, options, report_data, response, &table, &table_len, e) < 0)
		return err_code(e);
	struct reader r = reader_over(response, RESPONSE_LEN);
	uint32_t status = reader_le32(&r), size = reader_le32(&r);
	if (status != 0 || size != SNP_REPORT_LEN)
		return err_set(e, ERR_DATA_LOSS,
			       "/dev/sev-guest: status 0x%x, a report of %u bytes", status, size);
	if (check_report(response + RESPONSE_HEAD_LEN, SNP_REPORT_LEN, report_data, e) < 0 ||
	    (table && take_table(table, table_len, &got, e) < 0))
		return err_code(e);
	got.report = malloc(SNP_REPORT_LEN);
	if (!got.report)
		return err_nomem(e);
	memcpy(got.report, response + RESPONSE_HEAD_LEN, SNP_REPORT_LEN);
	got.len = SNP_REPORT_LEN;
	*out = TAKE(got, (struct provider_report){ 0 });
	return 0;
}

static int device_launch(const struct provider_options *options, const uint8_t *report_data,
			 struct provider_launch *out, struct err *e)
{
	CLEANUP_PROVIDER_REPORT struct provider_report report = { 0 };

	if (device_collect(options, report_data, &report, e) < 0)
		return err_code(e);
	return launch_of(&report, out, e);
}

const struct provider provider_snp_device = {
	.name = "SEV-SNP by /dev/sev-guest",
	.platform = EVIDENCE_SNP,
	.probe = device_probe,
	.collect = device_collect,
	.launch = device_launch,
};
